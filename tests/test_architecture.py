"""The house stands as drawn: imports point strictly down, notebooks' libraries load late, nothing reads the planted truth."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "revops_helpers"

# From the top down: a module may import what stands in its own room or in a lower one.
FLOORS = (
    ("cli", "review", "__main__"),
    ("workspace", "ingest", "engine", "address", "warehouse", "backends", "shelf", "landings"),
    ("words",),
    ("foundation", "alignment", "optimization", "intelligence", "planning"),
    ("metrics",),
    ("sources",),
    ("model",),
    ("sample",),
    ("methods",),
    ("settings", "periods", "measurement", "finding"),
)
FLOOR = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
PHASES = FLOORS[3]


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(file: Path) -> set[str]:
    """The revops_helpers modules that a file imports anywhere, functions included; `TYPE_CHECKING` imports too."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.ImportFrom) and node.level:
            raise AssertionError(f"{file}: relative import; write revops_helpers.…")
    return {name for name in found if name.split(".")[0] == "revops_helpers"}


def rooms(file: Path) -> set[str]:
    return {parts[1] for name in imported(file) if len(parts := name.split(".")) > 1 and parts[1] in FLOOR}


@pytest.mark.parametrize("file", modules(), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_point_down(file):
    room = room_of(file)
    if room == "__init__":
        assert rooms(file) == set()
        return
    assert room in FLOOR, f"{room} has no floor; give it one in FLOORS"
    up = {other for other in rooms(file) if FLOOR[other] < FLOOR[room]}
    assert up == set(), f"{file.name} imports upwards: {', '.join(up)}"
    if room in PHASES:
        assert {other for other in rooms(file) if other in PHASES and PHASES.index(other) > PHASES.index(room)} == set()


def test_every_module_is_on_the_drawing():
    assert {room_of(file) for file in modules()} - {"__init__"} <= set(FLOOR)


def test_only_the_engine_connects():
    connecting = [file.name for file in modules() if "duckdb.connect(" in file.read_text(encoding="utf-8")]
    assert connecting == ["engine.py"]


def test_nothing_but_the_sample_knows_the_planted_truth():
    knowing = [file for file in modules() if "truth.json" in file.read_text(encoding="utf-8")]
    assert {room_of(file) for file in knowing} <= {"sample"}
    notebooks = sorted((PACKAGE.parent / "notebooks").rglob("*.ipynb"))
    assert [file.name for file in notebooks if "truth" in file.read_text(encoding="utf-8").lower()] == []
    importers = [file for file in modules() if "sample" in rooms(file) and room_of(file) != "sample"]
    assert {room_of(file) for file in importers} <= {"cli"}


HEAVY = ("statsmodels", "sklearn", "lifelines", "seaborn", "matplotlib", "scipy", "openpyxl", "pyarrow.dataset", "holidays")


def test_opening_a_company_loads_no_library_that_only_some_notebooks_need(tmp_path):
    """In a process of its own; the second opening finds what the first one wrote."""
    (tmp_path / "company.yml").write_text("name: T\ncurrency: BRL\n")
    (tmp_path / "leads.csv").write_text("lead_id,created_at\nl1,2026-01-01\n")
    code = (
        "import sys; from revops_helpers.workspace import open_company;"
        f"company = open_company({str(tmp_path)!r}); assert company.table('leads').count().execute() == 1;"
        f"print(','.join(m for m in {HEAVY!r} if m in sys.modules))"
    )
    for _ in range(2):
        run = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=False,
            cwd=PACKAGE.parent,
            env={"REVOPS_CACHE": str(tmp_path / "cache"), "PATH": ""},
        )
        assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == ""
