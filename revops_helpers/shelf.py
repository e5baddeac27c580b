"""What follows from a company's data, the date, the segment and the code, kept beside the data instead of being made anew.

A review asks for the same findings in its executive report and on every role's page, in processes of their own: the first that
has them leaves them here. Nothing is kept by a process whose code was changed since it began: what it makes may be another's.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CODE = (".py", ".yml", ".mo")
LIBRARIES = ("ibis-framework", "duckdb", "pandas", "numpy", "scipy", "statsmodels", "scikit-learn", "lifelines")
BEGAN = time.time()


class Shelf:
    """Files in the cache folder of one company's data, each called after all that its content follows from, the engine too."""

    def __init__(self, folder: Path, engine: str = "duckdb"):
        self.folder, self.engine = folder, engine

    def place(self, name: str, told: str) -> Path:
        """Where `name` is kept for what was told (date, period, segment …); any change of the code is another place."""
        key = hashlib.sha256(f"{_code(PACKAGE)}\n{self.engine}\n{told}".encode()).hexdigest()[:24]
        return self.folder / f"_kept-{name}-{key}"

    def get(self, name: str, told: str) -> bytes | None:
        """What is kept there, or None."""
        with suppress(OSError):
            return self.place(name, told).read_bytes()
        return None

    def put(self, name: str, told: str, content: bytes) -> None:
        """Keep it: whole or not at all. A cache that takes no more is no reason to fail."""
        if _changed(PACKAGE) > BEGAN:
            return
        with suppress(OSError):
            handle, begun = tempfile.mkstemp(dir=self.folder, prefix="_kept-", suffix=".begun")
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(content)
                Path(begun).replace(self.place(name, told))
            finally:
                Path(begun).unlink(missing_ok=True)


def _files(package: Path) -> list[Path]:
    return sorted(file for file in package.rglob("*") if file.suffix in CODE)


def _changed(package: Path) -> float:
    """When a file of the code was last changed, in seconds of the clock."""
    return max((file.stat().st_mtime for file in _files(package)), default=0.0)


@cache
def _code(package: Path) -> str:
    """A hash of the code, of what it says in other languages, and of the libraries that calculate."""
    told = hashlib.sha256(" ".join(f"{name} {version(name)}" for name in LIBRARIES).encode())
    for file in _files(package):
        told.update(f"\n{file.relative_to(package)}\n".encode() + file.read_bytes())
    return told.hexdigest()
