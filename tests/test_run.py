"""Notebooks run by papermill: what is run, what a failure says, and that no kernel is left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from revops_helpers.review.kernels import kernels
from revops_helpers.review.run import Job, NotebookFailed, execute, find, read, together
from revops_helpers.settings import InputError

ROOT = Path(__file__).parent.parent
KERNEL = {"kernelspec": {"name": "not-there", "display_name": "Not there", "language": "python"}}


def tiny(*sources: str, parameters: str = 'data = "sample"  # str\nx = 1  # int'):
    cells = [new_markdown_cell("# A tiny notebook"), new_code_cell(parameters, metadata={"tags": ["parameters"]})]
    return new_notebook(cells=[*cells, *(new_code_cell(source) for source in sources)], metadata=KERNEL)


def job(name: str, *sources: str, **parameters) -> Job:
    return Job(name, tiny(*sources), parameters)


def quiet(name: str) -> None:
    pass


def execute_all(jobs, folder, held, done) -> list:
    tasks = {one.name: partial(execute, one, folder / f"{one.name}.ipynb", held) for one in jobs}
    return list(together(tasks, held, done).values())


def outputs(notebook) -> list[str]:
    return [o.text for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs if o.output_type == "stream"]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def gone(pid: int, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.1)
    return not alive(pid)


PID = "import os, pathlib; pathlib.Path(data).write_text(str(os.getpid()))"


def test_a_notebook_gets_its_parameters_in_an_interpreter_like_ours_whatever_kernel_it_names(tmp_path):
    with kernels(()) as held:
        ran = execute(job("a", "import sys; print(x, sys.executable)", x=7), tmp_path / "a.ipynb", held)
    assert outputs(ran.notebook) == [f"7 {sys.executable}\n"]
    assert outputs(nbformat.read(tmp_path / "a.ipynb", 4)) == outputs(ran.notebook)


def test_kernels_are_told_what_the_run_has_learnt_since_it_began(tmp_path):
    with kernels(()) as held:
        held.environment["REVOPS_TOLD"] = "later"
        ran = execute(job("a", "import os; print(os.environ['REVOPS_TOLD'])"), tmp_path / "a.ipynb", held)
    assert outputs(ran.notebook) == ["later\n"] and "REVOPS_TOLD" not in os.environ


def test_braces_in_a_folder_name_are_not_filled(tmp_path):
    folder = tmp_path / "{x}"
    folder.mkdir()
    with kernels(()) as held:
        execute(job("a", "x", x=7), folder / "a.ipynb", held)
    assert (folder / "a.ipynb").exists()


def test_results_come_in_the_order_of_the_jobs_and_the_kernels_are_gone(tmp_path):
    pids = [tmp_path / "1", tmp_path / "2", tmp_path / "3"]
    jobs = [job(str(n), PID, f"import time; time.sleep({1 / n}); print({n})", data=str(pids[n - 1])) for n in (1, 2, 3)]
    seen = []
    with kernels(()) as held:
        ran = execute_all(jobs, tmp_path, held, seen.append)
    assert [r.name for r in ran] == ["1", "2", "3"]
    assert sorted(seen) == ["1", "2", "3"]
    assert [outputs(r.notebook) for r in ran] == [["1\n"], ["2\n"], ["3\n"]]
    assert all(gone(int(path.read_text())) for path in pids)
    assert not held.folder.exists()


def test_a_failed_notebook_is_named_with_cell_and_error_and_ends_the_others(tmp_path):
    slow = job("slow", PID, "import time; time.sleep(60)", data=str(tmp_path / "pid"))
    error = r"^03_broken, cell 4 \(In \[3\]: y / 0  # here\): ZeroDivisionError: division by zero$"
    started = time.monotonic()
    with kernels(()) as held, pytest.raises(NotebookFailed, match=error):
        execute_all([slow, job("03_broken", "y = 1", "y / 0  # here")], tmp_path, held, quiet)
    assert time.monotonic() - started < 30
    assert not (tmp_path / "pid").exists() or gone(int((tmp_path / "pid").read_text()))
    assert "ZeroDivisionError" in (tmp_path / "03_broken.ipynb").read_text()


def test_a_cell_that_takes_too_long_is_named(tmp_path):
    with kernels(()) as held, pytest.raises(NotebookFailed, match=r"^a, cell 5 \(In \[4\]: time.sleep.*took longer than 1 s"):
        execute(job("a", PID + "; import time", "time.sleep(60)", "1", data=str(tmp_path / "pid")), tmp_path / "a.ipynb", held, 1)
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_kernel_that_dies_is_a_failed_notebook(tmp_path):
    with kernels(()) as held, pytest.raises(NotebookFailed, match=r"^a, cell 3 \(.*kill.*the kernel died"):
        execute(job("a", "import os; os.kill(os.getpid(), 9)"), tmp_path / "a.ipynb", held)


RUN = """
import sys
from pathlib import Path
from tests.test_run import PID, execute_all, job, quiet
from revops_helpers.review.kernels import kernels
out = Path(sys.argv[1])
with kernels(()) as held:
    execute_all([job(n, PID, "import time; time.sleep(60)", data=str(out / n)) for n in "ab"], out, held, quiet)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_kernel_outlives_a_run_that_is_told_to_end(tmp_path, number):
    # a shell without job control starts its background jobs with interrupts ignored, and they pass it on
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    run = subprocess.Popen([sys.executable, "-c", RUN, str(tmp_path)], cwd=ROOT, stderr=subprocess.PIPE, preexec_fn=heard)
    files = [tmp_path / "a", tmp_path / "b"]
    end = time.monotonic() + 60
    while not all(f.exists() and f.read_text() for f in files) and time.monotonic() < end:
        time.sleep(0.1)
    run.send_signal(number)
    run.wait(30)
    run.stderr.close()
    assert all(gone(int(f.read_text())) for f in files)


def test_a_run_in_a_thread_works_too(tmp_path):
    results = []

    def inside():
        with kernels(()) as held:
            results.append(execute(job("a", "print(x)"), tmp_path / "a.ipynb", held))

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert outputs(results[0].notebook) == ["1\n"]


def test_the_own_start_up_files_of_the_reader_do_not_run(tmp_path, monkeypatch):
    start = tmp_path / "ipython/profile_default/startup"
    start.mkdir(parents=True)
    (start / "00.py").write_text("x = 99")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    with kernels(()) as held:
        ran = execute(job("a", "print(x)"), tmp_path / "a.ipynb", held)
    assert outputs(ran.notebook) == ["1\n"]


def test_notebooks_are_found_by_number_or_name_and_explore_is_no_report(tmp_path):
    for name in ("03_optimization", "00_executive_review", "explore"):
        (tmp_path / f"{name}.ipynb").write_text("{}")
    assert list(find(tmp_path)) == ["00_executive_review", "03_optimization"]
    assert list(find(tmp_path, ["03"])) == ["03_optimization"]
    assert list(find(tmp_path, ["03_optimization", "00"])) == ["00_executive_review", "03_optimization"]
    with pytest.raises(InputError, match="no notebook '03_optimisation': did you mean '03_optimization'"):
        find(tmp_path, ["03_optimisation"])
    with pytest.raises(InputError, match="no notebooks here"):
        find(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "not json", "{}", '{"nbformat": 4}'])
def test_a_file_that_is_no_notebook_is_refused(tmp_path, text):
    (tmp_path / "a.ipynb").write_text(text)
    with pytest.raises(InputError, match=r"a\.ipynb: not a readable notebook"):
        read(tmp_path / "a.ipynb")
