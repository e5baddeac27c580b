"""The review: notebooks run side by side, their parts collected, checked and published as pages and files."""

import sys

# Reading a notebook imports jsonschema, which imports a checker of IRIs where it is installed. That one compiles a grammar for
# longer than all else that the command imports, and no notebook holds an IRI. jsonschema goes without what cannot be imported.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
