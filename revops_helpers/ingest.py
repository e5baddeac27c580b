"""Ingest: a company's exports through mapping and contract into Parquet, once per content, in a private cache folder.

One folder per fingerprint of the inputs, company.yml, the SELECTs and the code that reads them. It appears under its name by one
rename, so that a run that is stopped leaves nothing and two processes may race. Source of the layout: docs/decisions.md.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from revops_helpers.landings import brought
from revops_helpers.model.personal import KEY
from revops_helpers.settings import InputError, Settings
from revops_helpers.sources.entries import Entry
from revops_helpers.sources.names import label

UNUSED_DAYS, BEGUN_SECONDS = 30, 5
BROUGHT = "brought"  # raw tables from databases, while they are read; never kept
READ = "REVOPS_READ"  # the fingerprint of what a review has read, so that all its processes see the same rows of a database
FINGERPRINT = re.compile(r"[0-9a-f]{24}")
CODE = ("settings.py", "engine.py", "ingest.py", "landings.py", "model", "sources")


def cache_folder() -> Path:
    """`REVOPS_CACHE`, else the user's cache folder; readable by its owner only."""
    given = os.environ.get("REVOPS_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(given) if given else base / "revops-workbook"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    except OSError as error:
        said = f"{folder}: what was read cannot be kept there ({error.strerror}); name another folder in REVOPS_CACHE"
        raise InputError(said) from None
    return folder


def ingested(data: Path, settings: Settings, entries: list[Entry]) -> Path:
    """The folder of Parquet that ingest wrote for exactly these inputs; written first where it is not there yet."""
    cache = cache_folder()
    if any(entry.landing for entry in entries):
        read = os.environ.get(READ, "")
        if FINGERPRINT.fullmatch(read) and (cache / read / "meta.json").exists():
            return cache / read
        with _work(cache) as work:
            return _kept(data, settings, brought(data, entries, work / BROUGHT), cache, work)
    return _kept(data, settings, entries, cache)


def _kept(data: Path, settings: Settings, entries: list[Entry], cache: Path, work: Path | None = None) -> Path:
    """The folder of these inputs, made in `work` (else in a folder of its own) where it is not there yet."""
    hashes = _hashes(cache, [file for entry in entries for file in entry.files.values()] + _code())
    target = cache / _fingerprint(data, entries, hashes)
    if (target / "meta.json").exists():
        os.utime(target)
        return target
    _forget_unused(cache)
    with nullcontext(work) if work else _work(cache) as place:
        _write(data, settings, entries, hashes, place)
        _publish(place, target)
    return target


@contextmanager
def _work(cache: Path) -> Iterator[Path]:
    """A folder to write in, locked while its process lives and gone when it ends."""
    import duckdb

    work = Path(tempfile.mkdtemp(prefix=".ingest-", dir=cache))
    handle = os.open(work, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield work
    except duckdb.IOException as error:
        raise OSError(errno.EIO, str(error).splitlines()[0], str(cache)) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
        os.close(handle)


def _write(data: Path, settings: Settings, entries: list[Entry], hashes: dict[str, str], work: Path) -> None:
    from revops_helpers.engine import workbench
    from revops_helpers.model.contract import accept
    from revops_helpers.sources.mapping import mapped
    from revops_helpers.sources.store import Desk

    ready, scratch = work / "ready", work / "scratch"
    for folder in (ready, scratch, scratch / "spill"):
        folder.mkdir()
    roots = {file.resolve().parent for entry in entries for file in entry.files.values()}
    with workbench([*roots, ready], scratch) as connection:
        desk = Desk(connection, scratch, data, work / BROUGHT)
        found = mapped(desk, entries, settings)
        outcome = accept(connection, found.parts, settings, ready)
    for name in ("reads", "days", "moments", "quarantine"):
        getattr(outcome, name).to_parquet(ready / f"_{name}.parquet")
    found.report.to_parquet(ready / "_mapping.parquet")
    meta = {
        "tables": outcome.columns,
        "inputs": [
            {"file": label, "sha256": hashes[str(file)], "bytes": file.stat().st_size, "rows": found.rows.get(label)}
            for label, file in ((desk.label(file), file) for entry in entries for file in entry.files.values())
        ],
        "notes": found.notes,
    }
    (ready / "meta.json").write_text(json.dumps(meta, ensure_ascii=False, indent=1), encoding="utf-8")


def _publish(work: Path, target: Path) -> None:
    try:
        (work / "ready").rename(target)
    except OSError:
        if not (target / "meta.json").exists():  # else another process was first, with the same content
            raise


def _forget_unused(cache: Path) -> None:
    """Remove what no review has opened for a month, and at once what a run left that was killed: exports are personal data."""
    now = time.time()
    for path in cache.iterdir():
        with suppress(FileNotFoundError):  # another process is at it too
            age = now - path.stat().st_mtime
            if path.is_dir() and (age > UNUSED_DAYS * 86_400 or (path.name.startswith(".ingest-") and not _is_held(path, age))):
                shutil.rmtree(path, ignore_errors=True)
            if path.name.startswith(".hashes-") and age > BEGUN_SECONDS:
                path.unlink()


def _is_held(work: Path, age: float) -> bool:
    """Whether a living process writes here, or may just have made it and not locked it yet."""
    handle = os.open(work, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return age < BEGUN_SECONDS and not any(work.iterdir())


# ---- fingerprints


def _code() -> list[Path]:
    """The files whose change makes an earlier ingest stale."""
    package = Path(__file__).parent
    return sorted(file for part in CODE for file in ([package / part] if part.endswith(".py") else (package / part).glob("*.py")))


def _fingerprint(data: Path, entries: list[Entry], hashes: dict[str, str]) -> str:
    package = Path(__file__).parent
    told = {
        "company": hashlib.sha256((data / "company.yml").read_bytes() + os.environ.get(KEY, "").encode()).hexdigest(),
        "code": {str(file.relative_to(package)): hashes[str(file)] for file in _code()},
        "entries": [
            [
                entry.name,
                entry.selects,
                repr(entry.shape),
                entry.notes,
                [[table, entry.landing or label(data, file), hashes[str(file)]] for table, file in entry.files.items()],
            ]
            for entry in entries
        ],
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:24]


def _hashes(cache: Path, files: Iterable[Path]) -> dict[str, str]:
    """SHA-256 of every file, remembered by path, size and time of change, so that unchanged exports are not read again."""
    index_file = cache / "hashes.json"
    try:
        known = json.loads(index_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    hashes, fresh = {}, {}
    for file in files:
        state = file.stat()
        key = f"{file.resolve()}|{state.st_size}|{state.st_mtime_ns}"
        hashes[str(file)] = known.get(key) or fresh.setdefault(key, _sha256(file))
    if fresh:
        alive = {key: value for key, value in known.items() if Path(key.split("|")[0]).exists()}
        with tempfile.NamedTemporaryFile("w", prefix=".hashes-", dir=cache, delete=False, encoding="utf-8") as stream:
            json.dump(alive | fresh, stream)
        Path(stream.name).replace(index_file)
    return hashes


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
