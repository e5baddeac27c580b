"""Whatever ends a run at whatever step of its writing – SIGKILL, a full disk, a folder that nobody may write to – no half review
and no half ingest is ever seen, `latest` leads to a whole review, and the next run works.

Steps are told by Python's audit hook: every file opened to be written, every folder made, every rename, link and removal.
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from revops_helpers.ingest import cache_folder
from revops_helpers.settings import InputError
from tests.folders import company_folder
from tests.shared import ROOT, revops

# A process that loads everything once and then forks: each fork runs until its n-th writing step, where it is struck.
RUNNER = '''
import errno, json, os, resource, signal, sys, traceback
from pathlib import Path
from types import SimpleNamespace
import duckdb, ibis.backends.duckdb, numpy, pandas, pyarrow.parquet, sqlglot.optimizer.scope
import nbformat, revops_helpers.metrics.catalogue, revops_helpers.model.contract, revops_helpers.sources.mapping
import revops_helpers.review.build as build
from contextlib import nullcontext
from revops_helpers.review.manifest import definitions
from revops_helpers.workspace import open_company
sys.path.insert(0, "tests")

what, data, out, strike = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
MAKES = {"os.mkdir", "os.rename", "os.symlink"}
ENDS = {"os.remove", "os.rmdir"}

def watch(n):
    """Strike at the n-th step: kill, or refuse that step and every later one that would write (removing always works)."""
    seen = 0
    def hook(event, arguments):
        nonlocal seen
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if event == "open" and str(arguments[0]).startswith(("/dev", "/proc")):
            return
        if writes or event in MAKES or (strike == "kill" and event in ENDS):
            seen += 1
            if seen >= n:
                if strike == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                raise OSError(errno.ENOSPC, "No space left on device")
    sys.addaudithook(hook)

def metrics(company):
    columns = "metric,dimension,member,period_start,period_end,value,low,high,n,status,reason,unit,currency,definition_id"
    return pandas.DataFrame(columns=columns.split(","))

def ran(jobs, folder, held, at_once, progress, *more):
    """What the kernels would have brought: the notebooks as they are, and a table of metrics."""
    (folder / "notebooks").mkdir()
    for job in jobs:
        nbformat.write(job.notebook, folder / "notebooks" / f"{job.name}.ipynb")
    return [build.report(job.name, job.notebook, 0.0) for job in jobs], {
        "table": metrics(None),
        "queries": pandas.DataFrame(columns=["metric", "query"]),
        "fixes": pandas.DataFrame(columns=["table", "source", "id", "column", "rule"]),
    }

def once():
    if what == "ingest":
        return len(open_company(data, as_of="2026-01-31").accepted)
    build.kernels, build._run = lambda: nullcontext(SimpleNamespace(folder=out, environment={})), ran
    return str(build.review(build.Request(str(data), as_of="2026-01-31", out=out, folder=data.parent / "notebooks")))

def forked(n):
    """How the run ended that was struck at step n: "killed", "whole", or what it said."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        said = "whole"
        try:
            if n:
                watch(n)
            once()
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(write, said.encode()[:60000])
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        said = stream.read()
    return "killed" if os.WIFSIGNALED(os.waitpid(pid, 0)[1]) else said

definitions()  # read once for all forks
print(json.dumps("ready"), flush=True)
for line in sys.stdin:
    print(json.dumps(forked(int(line))), flush=True)
'''


class Runner:
    """Runs `what` (ingest, review) on the data, struck at a step: ask(n) says how it ended; ask(0) runs it unhurt."""

    def __init__(self, what: str, data: Path, out: Path, strike: str, cache: Path):
        environment = os.environ | {"REVOPS_CACHE": str(cache)}
        command = [sys.executable, "-c", RUNNER, what, str(data), str(out), strike]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, **pipes)
        assert json.loads(self.process.stdout.readline()) == "ready"

    def ask(self, n: int) -> str:
        self.process.stdin.write(f"{n}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


FILES = {
    "accounts.csv": "account_id,name,segment\na1,Acme,smb\na2,Beta,mid\n",
    "opportunities.csv": "opportunity_id,account_id,amount,created_at,status\n"
    "o1,a1,10.00,2026-01-05,open\no2,a2,x,2026-01-05,open\n",
}


@pytest.fixture
def place(tmp_path) -> Path:
    """A company, its notebooks of one header, and a cache, all in one folder."""
    import nbformat
    from nbformat.v4 import new_notebook

    company_folder(tmp_path / "data", FILES)
    (tmp_path / "notebooks").mkdir()
    declared = "\n".join(f'{name} = ""  # str' for name in ("data", "as_of", "period", "segment", "language"))
    made = new_notebook(cells=[nbformat.v4.new_code_cell(declared, metadata={"tags": ["parameters"]}, id="p", execution_count=1)])
    nbformat.write(made, tmp_path / "notebooks/01_audit.ipynb")
    return tmp_path


def runner(place: Path, what: str, strike: str) -> Runner:
    return Runner(what, place / "data", place / "reports", strike, place / "cache")


def holds_whole_ingests(cache: Path) -> bool:
    """Whether every folder under its own name is complete: what it lists is there."""
    return all(
        all((folder / f"{table}.parquet").exists() for table in json.loads((folder / "meta.json").read_text())["tables"])
        for folder in cache.iterdir()
        if folder.is_dir() and not folder.name.startswith(".")
    )


@pytest.mark.parametrize("strike", ["kill", "full disk"])
def test_an_ingest_that_is_struck_at_any_step_is_whole_or_not_there(place, strike):
    run, data, ended = runner(place, "ingest", strike), place / "data", []
    try:
        for n in range(1, 200):
            (data / "accounts.csv").write_text(f"{FILES['accounts.csv']}a{n + 9},x,y\n")
            ended.append(run.ask(n))
            assert not (place / "cache").exists() or holds_whole_ingests(place / "cache")
            if ended[-1] == "whole":
                break
        assert ended[-1] == "whole" and len(ended) > 6
        expected = {"killed"} if strike == "kill" else {"No space left on device"}
        assert all(any(word in said for word in expected) for said in ended[:-1]), ended
        (data / "accounts.csv").write_text(f"{FILES['accounts.csv']}z,x,y\n")
        for path in (place / "cache").glob(".ingest-*"):
            os.utime(path, (path.stat().st_mtime - 3_600,) * 2)  # a young one may belong to a run that has just begun
        assert run.ask(0) == "whole"
    finally:
        run.close()
    left = {path.name for path in (place / "cache").iterdir() if path.name.startswith(".ingest")}
    assert len(left) <= 1, "what killed runs left was not cleared by the next"


def whole_review(folder: Path) -> bool:
    names = ("index.html", "01_audit.html", "manifest.json", "findings.json", "tables/ledger.parquet", "exports/actions.csv")
    return (
        all((folder / name).stat().st_size > 0 for name in names) and json.loads((folder / "manifest.json").read_text())["gates"]
    )


@pytest.mark.parametrize("strike", ["kill", "full disk"])
def test_a_review_that_is_struck_at_any_step_leaves_a_whole_one_and_the_next_run_works(place, strike):
    run, out, ended = runner(place, "review", strike), place / "reports", []
    try:
        assert run.ask(0) == "whole"
        for n in range(1, 300):
            ended.append(run.ask(n))
            seen = {path.name for path in out.iterdir() if not path.name.startswith(".")}
            assert seen == {"2026-01-31", "latest"} and os.readlink(out / "latest") == "2026-01-31"
            assert whole_review(out / "2026-01-31") and whole_review(out / "latest")
            assert strike == "kill" or not list(out.glob(".building-*"))
            if ended[-1] == "whole":
                break
        assert ended[-1] == "whole" and len(ended) > 20
        assert set(ended[:-1]) == {"killed"} or all("No space left" in said or "cannot be" in said for said in ended[:-1]), ended
        assert run.ask(0) == "whole"
    finally:
        run.close()
    assert not list(out.glob(".building-*")) and not list(out.glob(".latest-*"))


# ---- what the reader is told


def test_a_cache_that_cannot_be_made_is_told_with_what_to_do(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("REVOPS_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(InputError, match="name another folder in REVOPS_CACHE"):
        cache_folder()


def test_a_folder_for_reviews_on_a_read_only_system_is_refused_before_anything_runs(place, monkeypatch):
    from revops_helpers.review.publish import prepared

    def refuse(self, *_arguments, **_named):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(InputError, match=r"Read-only file system.*choose another with --out"):
        prepared(place / "reports")


FULL = """
import resource, sys
from revops_helpers.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), resource.RLIM_INFINITY))
main()
"""


@pytest.mark.parametrize("size", [0, 600])
def test_a_disk_that_takes_no_more_is_told_in_one_line_and_exits_1(place, size):
    command = [sys.executable, "-c", FULL, str(size), "check", str(place / "data")]
    environment = os.environ | {"REVOPS_CACHE": str(place / "cache")}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (ended.returncode, len(ended.stderr.splitlines()), "Traceback" in ended.stderr) == (1, 1, False), ended.stderr
    assert "earlier reviews are as they were" in ended.stderr and not list((place / "cache").glob("[!.]*/meta.json"))
    assert "read = accepted" in revops("check", place / "data", cache=place / "cache").stdout
