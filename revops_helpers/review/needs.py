"""What a gap in the data would unlock: the metrics that need it, and the reports whose analyses name it or one of those metrics.

Which report rests on what is read from the code that its notebook imports, so that there is no list beside it to be kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.model.company import Company
from revops_helpers.review import run

PACKAGE = Path(__file__).resolve().parents[1]
ANALYSIS = re.compile(
    r"^from revops_helpers\.(foundation|alignment|optimization|intelligence|planning)\.(\w+) import", re.MULTILINE
)


def gaps(company: Company) -> dict[str, tuple[list[str], list[str]]]:
    """Table or column that is not here → the metrics that need it, and the notebooks that use it; most metrics first."""
    needed: dict[str, list[str]] = {}
    for name, metric in catalogue().items():
        for need in company.missing(metric.needs):
            needed.setdefault(need, []).append(name)
    order = sorted(needed.items(), key=lambda item: (-len(item[1]), item[0]))
    texts = {name: _text(path) for name, path in run.find().items()} if order else {}
    return {need: (ids, [name for name, text in texts.items() if _uses(text, need, ids)]) for need, ids in order}


def _uses(text: str, need: str, ids: Iterable[str]) -> bool:
    named = "|".join(map(re.escape, ids))
    return bool(re.search(rf'"(?:{re.escape(need)}(?:\.\w+)?|{named})"', text))


def _text(notebook: Path) -> str:
    """The code of a notebook and of the analyses that it imports."""
    cells = [cell.source for cell in run.read(notebook).cells if cell.cell_type == "code"]
    files = {PACKAGE / room / f"{name}.py" for source in cells for room, name in ANALYSIS.findall(source)}
    return "\n".join([*cells, *(file.read_text(encoding="utf-8") for file in sorted(files))])
