"""Things that take long to make and that several test files only look at: made once for all processes of a test run."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell

from revops_helpers.review.build import Request, review
from revops_helpers.review.run import find

ROOT = Path(__file__).parent.parent
SAID = "said.txt"
# Libraries that take long to load.
HEAVY = sorted({"matplotlib", "seaborn", "scipy", "statsmodels", "lifelines", "sklearn", "openpyxl", "papermill", "plotly"})
LOADED = f"import sys\nprint([name for name in {HEAVY} if name in sys.modules])"


def once(factory, name: str, make: Callable[[Path], None]) -> Path:
    """The folder that `make` filled, by whichever process came first. `factory` is pytest's tmp_path_factory."""
    base = factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else factory.getbasetemp()
    folder = base / name
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            folder.mkdir()
            make(folder)
            (folder / "done").touch()
    return folder


def revops(*arguments: object, cache: Path, check: bool = True) -> subprocess.CompletedProcess:
    """The command in a process of its own, with a cache of its own."""
    command = [sys.executable, "-m", "revops_helpers.cli", *map(str, arguments)]
    ended = subprocess.run(command, cwd=ROOT, env=os.environ | {"REVOPS_CACHE": str(cache)}, capture_output=True, text=True)
    assert ended.returncode == 0 or not check, ended.stderr
    return ended


def hostile_review(factory) -> Path:
    """A folder with a hostile company (`data`), its published review (`reports/latest`), and what the command said (`SAID`)."""
    from tests.hostile import write_hostile

    def make(folder: Path) -> None:
        data = write_hostile(folder / "data")
        ended = revops("review", data, "--out", folder / "reports", cache=folder / "cache", check=False)
        (folder / SAID).write_text(f"{ended.returncode}\n{ended.stdout}{ended.stderr}")

    return once(factory, "hostile", make)


def sample_review(factory) -> Path:
    """The published review of the sample company, its notebooks copied to say at their end which of HEAVY are loaded."""

    def make(folder: Path) -> None:
        (folder / "notebooks").mkdir()
        for name, path in find().items():
            notebook = nbformat.read(path, as_version=4)
            notebook.cells.append(new_code_cell(LOADED, id="loaded"))
            nbformat.write(notebook, folder / "notebooks" / f"{name}.ipynb")
        review(Request(out=folder / "reports", folder=folder / "notebooks"))

    return (once(factory, "sample", make) / "reports" / "latest").resolve()
