"""The review against plain papermill over the same notebooks, and opening a company against importing its libraries."""

from __future__ import annotations

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.timing import Row, against, medians, peak_megabytes, quietly
from revops_helpers.ingest import cache_folder
from revops_helpers.review.run import find
from revops_helpers.words.roles import roles

ROLES = "role_dashboard"
BIN = Path(sys.executable).parent
IMPORTS = "import pandas, ibis; ibis.duckdb.connect().raw_sql('SELECT 1')"
OPENED = "import sys; from revops_helpers.workspace import open_company; open_company(sys.argv[1])"


def run(data: str, turns: int = 3) -> list[Row]:
    """Review and cold open on a folder of data whose Parquet is already there (the uncounted first turn sees to that)."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        seconds = medians(
            {
                "papermill": lambda: plain(data, out),
                "review": lambda: reviewed(data, out / "reports"),
                "again": lambda: quietly([str(BIN / "revops"), "review", data, "--out", str(out / "reports")]),
            },
            turns,
        )
        memory = peak_megabytes()
    opening = medians(
        {
            "imports": lambda: quietly([sys.executable, "-c", IMPORTS]),
            "open": lambda: quietly([sys.executable, "-c", OPENED, data]),
        },
        max(turns, 5),
    )
    return [
        against("review / plain papermill, two at a time", seconds["review"], seconds["papermill"], "≤ 1.10"),
        against("the same review once more / plain papermill", seconds["again"], seconds["papermill"], "≤ 1.10"),
        against("cold open_company() / import pandas, Ibis and connect", opening["open"], opening["imports"], "≤ 1.30"),
        Row("peak memory of a process of the review / 4 GB", memory, 4096, "MB", "< 1.00"),
    ]


def reviewed(data: str, out: Path) -> None:
    """A review that finds the data read, and nothing made of it yet."""
    for kept in cache_folder().glob("*/_kept-*"):
        kept.unlink()
    quietly([str(BIN / "revops"), "review", data, "--out", str(out)])


def plain(data: str, out: Path) -> None:
    """The same notebooks by papermill's own command, the roles' one once a role, two at a time."""
    command = [str(BIN / "papermill"), "-k", "python3", "--no-progress-bar", "--log-level", "WARNING", "-p", "data", data]
    runs = []
    for name, file in find().items():
        told = [["-p", "role", role] for role in roles()] if name == ROLES else [[]]
        runs += [[*command, *more, str(file), str(out / f"{name}{len(runs)}_{i}.ipynb")] for i, more in enumerate(told)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(quietly, runs))
