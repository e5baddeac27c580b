"""A review is there whole or not at all, whatever ends the process and whoever else publishes."""

import os
import re
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revops_helpers.review import publish as rooms
from revops_helpers.review.publish import building, keep_failed, locked, name_of, publish
from revops_helpers.settings import InputError

DAY = "2026-09-30"
FILES = ("index.html", "manifest.json", "tables/metrics.csv")


def write_review(folder: Path, text: str) -> None:
    (folder / "tables").mkdir()
    for name in FILES:
        (folder / name).write_text(text)


def publish_one(out: Path, text: str, day: str = DAY) -> Path:
    with building(out, day) as folder:
        write_review(folder, text)
        return publish(folder, out, day)


def content(folder: Path) -> set[str]:
    return {(folder / name).read_text() for name in FILES}


def seen(out: Path) -> set[str]:
    return {path.name for path in out.iterdir() if not path.name.startswith(".")}


def no_exchange(monkeypatch) -> None:
    monkeypatch.setattr(rooms, "exchanged", lambda one, other: False)


def test_a_first_review_is_published_and_latest_points_to_it(tmp_path):
    place = publish_one(tmp_path / "reports", "first")
    assert content(place) == {"first"}
    assert (tmp_path / "reports/latest").resolve() == place.resolve()
    assert os.readlink(tmp_path / "reports/latest") == "2026-09-30"
    assert seen(tmp_path / "reports") == {"2026-09-30", "latest"}


@pytest.mark.parametrize("one_step", [True, False])
def test_a_date_run_again_takes_the_place_and_keeps_what_it_replaced(tmp_path, monkeypatch, one_step):
    if not one_step:
        no_exchange(monkeypatch)
    for text in ("first", "second", "third"):
        publish_one(tmp_path, text)
    assert content(tmp_path / "2026-09-30") == {"third"}
    assert content(tmp_path / ".replaced/2026-09-30-1") == {"first"}
    assert content(tmp_path / ".replaced/2026-09-30-2") == {"second"}
    assert {path.name for path in tmp_path.iterdir()} == {"2026-09-30", "latest", ".replaced"}
    assert {path.name for path in (tmp_path / "2026-09-30").iterdir()} == {"index.html", "manifest.json", "tables"}


def test_a_folder_is_named_after_its_date_and_whatever_else_the_review_was_told():
    assert name_of(date(2026, 9, 30)) == "2026-09-30"
    assert name_of(date(2026, 9, 30), ["quarter", "segment-smb", "pt_BR"]) == "2026-09-30-quarter-segment-smb-pt_BR"


@given(st.lists(st.text(), min_size=2, max_size=2, unique=True))
def test_no_two_segments_share_a_folder_and_none_leaves_its_place(texts):
    one, other = (name_of(date(2026, 9, 30), [f"segment-{text}"]) for text in texts)
    assert one != other
    assert re.fullmatch(r"2026-09-30-segment[A-Za-z0-9_-]*", one)


def test_latest_never_points_to_a_review_of_a_part(tmp_path):
    publish_one(tmp_path, "part", "2026-12-31-segment-smb")
    assert not (tmp_path / "latest").exists()
    publish_one(tmp_path, "whole")
    publish_one(tmp_path, "part", "2026-09-30-1")
    publish_one(tmp_path, "again", "2026-09-30-1")
    publish_one(tmp_path, "again")
    assert os.readlink(tmp_path / "latest") == "2026-09-30"
    assert content(tmp_path / ".replaced/2026-09-30-1-1") == {"part"} and content(tmp_path / ".replaced/2026-09-30-1") == {
        "whole"
    }


def test_latest_points_to_the_newest_date_not_to_the_last_run(tmp_path):
    publish_one(tmp_path, "new")
    publish_one(tmp_path, "old", "2026-06-30")
    assert os.readlink(tmp_path / "latest") == "2026-09-30"


def test_what_is_not_published_leaves_no_trace(tmp_path):
    publish_one(tmp_path, "first")
    with pytest.raises(ZeroDivisionError), building(tmp_path, DAY) as folder:
        write_review(folder, "second")
        raise ZeroDivisionError
    assert content(tmp_path / "2026-09-30") == {"first"}
    assert {path.name for path in tmp_path.iterdir()} == {"2026-09-30", "latest"}


def test_when_the_second_rename_fails_the_earlier_review_is_back(tmp_path, monkeypatch):
    publish_one(tmp_path, "first")
    no_exchange(monkeypatch)
    rename = Path.rename

    def failing(self, target):
        if self.name.startswith(".building") and target.name == "2026-09-30":
            raise OSError("disk on fire")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="disk on fire"):
        publish_one(tmp_path, "second")
    assert content(tmp_path / "2026-09-30") == {"first"}


KILLED = """
import os, signal, sys
from datetime import date
from pathlib import Path
from revops_helpers.review import publish as rooms
from tests.test_publish import DAY, publish_one

steps, one_step = int(sys.argv[2]), sys.argv[3] == "True"
taken = 0

def counted(function):
    def step(*arguments, **named):
        global taken
        if taken == steps:
            os.kill(os.getpid(), signal.SIGKILL)
        taken += 1
        return function(*arguments, **named)
    return step

for name in ("rename", "mkdir", "unlink", "symlink_to", "replace", "write_text"):
    setattr(Path, name, counted(getattr(Path, name)))
rooms.exchanged = counted(rooms.exchanged) if one_step else lambda one, other: False
publish_one(Path(sys.argv[1]), "second")
"""


@pytest.mark.parametrize("one_step", [True, False])
def test_a_crash_at_any_step_leaves_one_whole_review_for_the_next_run(tmp_path, one_step):
    """SIGKILL before the first, second, … step on the file system, until the run ends by itself."""
    for steps in range(1, 40):
        out = tmp_path / str(steps)
        publish_one(out, "first")
        command = [sys.executable, "-c", KILLED, str(out), str(steps), str(one_step)]
        code = subprocess.run(command, cwd=Path(__file__).parent.parent).returncode
        assert seen(out) <= {"2026-09-30", "latest"}
        if one_step:
            assert content(out / "2026-09-30") in ({"first"}, {"second"})
        with building(out, "2026-06-30"):
            assert content(out / "2026-09-30") in ({"first"}, {"second"})
        assert not list(out.glob(".building-*")) and not list(out.glob(".latest-*"))
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert code == 0 and steps > 10


def test_the_folder_of_a_living_run_is_not_cleared(tmp_path):
    with building(tmp_path, DAY) as one:
        write_review(one, "one")
        with building(tmp_path, DAY) as other:
            write_review(other, "other")
            assert one.exists() and one != other
            publish(other, tmp_path, DAY)
        publish(one, tmp_path, DAY)
    assert content(tmp_path / "2026-09-30") == {"one"}
    assert content(tmp_path / ".replaced/2026-09-30-1") == {"other"}


def test_two_reviews_at_once_both_end_well(tmp_path):
    code = "import sys; from tests.test_publish import *; [publish_one(Path(sys.argv[1]), sys.argv[2]) for _ in range(30)]"
    root = Path(__file__).parent.parent
    runs = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name], cwd=root) for name in ("a", "b")]
    assert [run.wait() for run in runs] == [0, 0]
    assert content(tmp_path / "2026-09-30") in ({"a"}, {"b"})
    assert len(list((tmp_path / ".replaced").iterdir())) == 59
    assert seen(tmp_path) == {"2026-09-30", "latest"}


def test_a_lock_ends_with_its_process(tmp_path):
    code = (
        "import os, signal, sys; from pathlib import Path; from revops_helpers.review.publish import locked\n"
        "with locked(Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)])
    with locked(tmp_path):
        pass


def test_a_failed_run_is_kept_apart_and_replaces_the_failed_run_before(tmp_path):
    publish_one(tmp_path, "first")
    for text in ("broken", "broken again"):
        with building(tmp_path, DAY) as folder:
            (folder / "notebooks").mkdir()
            (folder / "notebooks/01_audit.ipynb").write_text(text)
            kept = keep_failed(folder, tmp_path, DAY, ["notebooks/01_audit.ipynb", "notebooks/never_ran.ipynb"], text)
    assert (kept / "01_audit.ipynb").read_text() == "broken again"
    assert (kept / "error.txt").read_text() == "broken again\n"
    assert content(tmp_path / "2026-09-30") == {"first"}


def test_a_folder_that_cannot_hold_reviews_is_refused_before_anything_runs(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="choose another with --out"), building(tmp_path / "file", DAY):
        pass
    (tmp_path / "reports/latest").mkdir(parents=True)
    with pytest.raises(InputError, match="is not a link"), building(tmp_path / "reports", DAY):
        pass
