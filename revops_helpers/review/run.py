"""Run notebooks by papermill, several at a time, each in a kernel of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from revops_helpers.model.personal import LONGEST, hide
from revops_helpers.review.kernels import Kernels
from revops_helpers.settings import InputError, nearest

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
NOT_A_REPORT = ("explore",)
CELL_SECONDS = 900
MAKE_METRICS = """
from revops_helpers.review.exports import metrics_table, queries_table
from revops_helpers.review.fixes import fixes_table
from revops_helpers.workspace import open_company
company = open_company(data, as_of, period or "ytd", segment, language)
metrics_table(company).to_parquet(table, index=False)
queries_table(company).to_parquet(queries, index=False)
fixes_table(company).to_parquet(fixes, index=False)
"""


class NotebookFailed(Exception):
    """A notebook that did not run to its end. The text names the notebook, the cell and the error."""

    def __init__(self, notebook: str, text: str):
        self.notebook = notebook
        super().__init__(text)


@dataclass(frozen=True)
class Job:
    """One notebook to run: where it is, what it is called, what it is told."""

    name: str
    notebook: nbformat.NotebookNode
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Ran:
    """One executed notebook and how many seconds it took."""

    name: str
    notebook: nbformat.NotebookNode
    seconds: float


def find(folder: Path = NOTEBOOKS, only: Iterable[str] = ()) -> dict[str, Path]:
    """Name → file of the notebooks of a review, sorted; `only` keeps those named by number or by stem.

    InputError when one that is named is not there, with what is.
    """
    files = {path.stem: path for path in sorted(folder.glob("*.ipynb")) if path.stem not in NOT_A_REPORT}
    if not files:
        raise InputError(f"{folder}: no notebooks here; run from a checkout of the project")
    wanted = []
    for name in only:
        found = [stem for stem in files if stem == name or stem.partition("_")[0] == name]
        if not found:
            raise InputError(f"no notebook '{name}': {nearest(name, files)}")
        wanted += found
    return {stem: path for stem, path in files.items() if stem in wanted or not wanted}


def read(path: Path) -> nbformat.NotebookNode:
    """One notebook source. InputError when it is not a readable notebook."""
    try:
        return nbformat.read(path, as_version=4)
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a readable notebook: {str(error).splitlines()[0]}") from None


def execute(job: Job, to: Path, held: Kernels, seconds: int = CELL_SECONDS) -> Ran:
    """Run one notebook by papermill and keep its executed copy at `to`. NotebookFailed names the cell and the error."""
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    _register_engine()
    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    logging.getLogger("traitlets").setLevel(logging.CRITICAL)
    started = time.monotonic()
    try:
        notebook = papermill.execute_notebook(
            job.notebook,
            str(to).replace("{", "{{").replace("}", "}}"),
            parameters=dict(job.parameters),
            engine_name="review",
            kernel_name="python3",
            language="python",
            progress_bar=False,
            execution_timeout=seconds,
            kernel_manager_class=held.manager(),
            shutdown_kernel="immediate",
            record_timing=False,
            resources={"metadata": {"path": str(held.folder)}},
        )
    except papermill.PapermillExecutionError as error:
        cell = _cell(error.cell_index, error.exec_count, error.source)
        raise NotebookFailed(job.name, f"{job.name}, {cell}: {error.ename}: {hide(error.evalue[:LONGEST])}") from None
    except CellTimeoutError:
        raise NotebookFailed(job.name, f"{job.name}, {_last_cell(to)}: took longer than {seconds} s") from None
    except (DeadKernelError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "kernel" not in str(error).lower():
            raise
        raise NotebookFailed(job.name, f"{job.name}, {_last_cell(to)}: the kernel died") from None
    return Ran(job.name, notebook, time.monotonic() - started)


def _cell(index: int, number: int | None, source: str) -> str:
    first = next((line for line in source.splitlines() if line.strip()), "")
    return f"cell {index + 1} (In [{number or ' '}]: {first[:80]})"


def _last_cell(file: Path) -> str:
    """The cell at which an executed copy stopped."""
    if not file.exists():
        return "before its first cell"
    notebook = nbformat.read(file, as_version=4)
    begun = [(i, c) for i, c in enumerate(notebook.cells) if c.cell_type == "code" and c.metadata.papermill.start_time]
    if not begun:
        return "before its first cell"
    index, cell = begun[-1]
    return _cell(index, cell.execution_count, cell.source)


def _register_engine() -> None:
    from papermill.engines import NBClientEngine, papermill_engines

    class Engine(NBClientEngine):
        """papermill's own, but the copy is written once at its end: writing it twice a cell costs seconds a notebook."""

        @classmethod
        def execute_managed_notebook(cls, nb_man, kernel_name, **arguments):
            to, nb_man.output_path = nb_man.output_path, None
            try:
                return super().execute_managed_notebook(nb_man, kernel_name, **arguments)
            finally:
                nb_man.output_path = to

    papermill_engines.register("review", Engine)


def metrics_notebook() -> nbformat.NotebookNode:
    """What makes the tables of metrics, queries and fixes, as a notebook: it runs, fails and is ended like the others."""
    parameters = "\n".join(
        f'{name} = ""  # str' for name in ("data", "as_of", "period", "segment", "language", "table", "queries", "fixes")
    )
    cells = [new_code_cell(parameters, metadata={"tags": ["parameters"]}), new_code_cell(MAKE_METRICS.strip())]
    return new_notebook(cells=cells)


def together(tasks: Mapping[str, Callable[[], Any]], held: Kernels, done: Callable[[str], None]) -> dict[str, Any]:
    """Name → result of the tasks, side by side, in their order. The first that fails ends the kernels of all."""
    with ThreadPoolExecutor(len(tasks)) as pool:
        running = {pool.submit(task): name for name, task in tasks.items()}
        try:
            left = set(running)
            while left:
                ended, left = wait(left, return_when=FIRST_COMPLETED)
                for future in ended:
                    future.result()
                    done(running[future])
        except BaseException:
            held.end()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return {name: future.result() for future, name in running.items()}
