"""A review is published whole or not at all: built beside its place, and put there by one rename.

reports/<as_of>/          a published review
reports/<as_of>/pt_BR/     the same review in another language, where it was made in several
reports/<as_of>-…/        one that was told more than a date, such as a segment, and names it
reports/latest            a link to the newest date of those that were told nothing more
reports/.building-…/      being built; its owner holds a lock on it, so a folder without a lock was left by a crash
reports/.replaced/<name>-n what a later run of the same name took the place of
reports/.failed/<name>/   the executed copies of what failed last under that name
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

from revops_helpers.settings import InputError

DATED = re.compile(r"\d{4}-\d{2}-\d{2}")
NAMED = re.compile(rf"({DATED.pattern})((?:-[A-Za-z0-9_-]+)?)")  # date, and what else it was told
SWAPPING = ".swapping"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder alone. The lock ends with the process, whatever ends it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def building(out: Path, name: str) -> Iterator[Path]:
    """A new empty folder to build the review in; gone at the end unless it was published."""
    prepared(out)
    with locked(out):
        clear_crashes(out)
        folder = _free_name(out, f".building-{name}-{os.getpid()}")
        folder.mkdir()
        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        if folder.exists() and os.path.samestat(folder.stat(), os.fstat(handle)):
            shutil.rmtree(folder)
        os.close(handle)


def prepared(out: Path) -> Path:
    """The folder of reviews, made if need be. InputError when reviews cannot be written there."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot be made a folder ({error.strerror}); choose another with --out") from None
    if not os.access(out, os.W_OK | os.X_OK):
        raise InputError(f"{out}: cannot be written to; choose another folder with --out")
    latest = out / "latest"
    if latest.exists() and not latest.is_symlink():
        raise InputError(f"{latest}: is not a link; move it away, since it shall point to the newest review")
    return out


def _free_name(folder: Path, stem: str) -> Path:
    names = [stem, *(f"{stem}-{n}" for n in range(1, 1 + len(list(folder.iterdir()))))]
    return next(folder / name for name in names if not (folder / name).exists())


def name_of(as_of: date, told: Iterable[str] = ()) -> str:
    """What a review's folder is called: its date, and what else it was told, such as 2026-09-30-quarter-segment-smb.

    A text of which the name cannot hold everything is told apart by a few digits of its hash.
    """
    return "-".join([as_of.isoformat(), *map(_in_a_name, told)])


def _in_a_name(text: str) -> str:
    kept = re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-")[:40].strip("-")
    return kept if kept == text else "-".join(filter(None, (kept, hashlib.sha256(text.encode()).hexdigest()[:6])))


def clear_crashes(out: Path) -> list[Path]:
    """Remove what crashed runs left, and put back a review that one of them had taken away. Only under `locked(out)`."""
    cleared = []
    for folder in sorted(out.glob(".building-*")):
        if _is_held(folder):
            continue
        note = folder / SWAPPING
        if note.exists():
            name, replaced = note.read_text().split("\n")
            if not (out / name).exists() and (out / ".replaced" / replaced).exists():
                (out / ".replaced" / replaced).rename(out / name)
        shutil.rmtree(folder)
        cleared.append(folder)
    for link in out.glob(".latest-*"):
        link.unlink()
    return cleared


def _is_held(folder: Path) -> bool:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def publish(built: Path, out: Path, name: str) -> Path:
    """Put the built folder in the place of `reports/<name>/` and let `latest` point to the newest date. Returns the place."""
    place = out / name
    with locked(out):
        if place.exists():
            _take_place(built, place, _next(_made(out / ".replaced"), name))
        else:
            built.rename(place)
        point(out)
    return place


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def _next(folder: Path, name: str) -> Path:
    """The next free `<name>-n`, counting on from the largest n."""
    found = (re.fullmatch(rf"{re.escape(name)}-(\d+)", path.name) for path in folder.iterdir())
    return folder / f"{name}-{max((int(one[1]) for one in found if one), default=0) + 1}"


def _take_place(built: Path, place: Path, replaced: Path) -> None:
    """Swap two folders: in one step where the system can, else in two with a note by which a crash between them is undone."""
    built.rename(replaced)
    if exchanged(replaced, place):
        return
    replaced.rename(built)
    note = built / SWAPPING
    note.write_text(f"{place.name}\n{replaced.name}")
    place.rename(replaced)
    try:
        built.rename(place)
    except OSError:
        replaced.rename(place)
        raise
    (place / SWAPPING).unlink()


def exchanged(one: Path, other: Path) -> bool:
    """Exchange two paths in one step of the file system. False where system or file system cannot."""
    library = ctypes.CDLL(None, use_errno=True)
    paths = [os.fsencode(one), os.fsencode(other)]
    if sys.platform == "linux" and hasattr(library, "renameat2"):
        here, exchange = -100, 2
        return library.renameat2(here, paths[0], here, paths[1], exchange) == 0
    if sys.platform == "darwin" and hasattr(library, "renamex_np"):
        swap = 2
        return library.renamex_np(*paths, swap) == 0
    return False


def point(out: Path) -> None:
    """Let `latest` point to the review with the newest date, in one step; one that was told more than a date is never meant.

    Where none is left, there is no `latest`. Only under `locked(out)`.
    """
    newest = max((folder.name for folder in out.iterdir() if DATED.fullmatch(folder.name) and folder.is_dir()), default=None)
    link = out / f".latest-{os.getpid()}"
    with suppress(FileNotFoundError):
        (out / "latest" if newest is None else link).unlink()
    if newest is not None:
        link.symlink_to(newest)
        link.replace(out / "latest")


def keep_failed(built: Path, out: Path, name: str, files: list[str], message: str) -> Path:
    """Keep the given files of a failed run, and why it failed, under `.failed/<name>/`. Returns that folder."""
    with locked(out):
        kept = _made(out / ".failed") / name
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir()
        for file in files:
            if (built / file).exists():
                (built / file).rename(kept / Path(file).name)
        (kept / "error.txt").write_text(message + "\n", encoding="utf-8")
    return kept
