"""Forgetting: what reviews and ingests left on disk, removed by age or because it holds one person's data.

Only what the workbook made is ever removed, and it is known by what it wrote there: a review by its manifest, a failed run by
its error, a cache by its meta.json. Links are never followed. All of it can be made again from the exports, which are not ours.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from revops_helpers.address import Address, address_of
from revops_helpers.ingest import FINGERPRINT, cache_folder
from revops_helpers.model.personal import salt_of
from revops_helpers.model.tables import TABLES
from revops_helpers.review.parameters import iso_date
from revops_helpers.review.publish import NAMED, clear_crashes, locked, point
from revops_helpers.review.subject import PERSONAL, Subject, in_export, in_folder, in_schema
from revops_helpers.settings import InputError, read_settings
from revops_helpers.sources.entries import Entry, entries
from revops_helpers.sources.selects import parse, prefixes
from revops_helpers.warehouse import Schema, dropped, engine_of, schemas
from revops_helpers.workspace import folder_of

NO_ENGINE = address_of("duckdb://")  # nothing is loaded to it
UNFINISHED = timedelta(days=1)  # after which an ingest is no longer running


@dataclass(frozen=True)
class Artefact:
    """What the workbook made: the folder of a review, of one that was replaced, of a failed run, of a cache or of what a crash
    left of one; or a schema of tables that were loaded to an engine.

    since: when a review was made or failed, when a cache was last used. files: those (tables) that hold what was looked for.
    """

    kind: str
    path: Path | Schema
    since: date
    files: tuple[str, ...] = ()


def artefacts(out: Path, engine: Address = NO_ENGINE) -> list[Artefact]:
    """Everything that is kept in a folder of reviews, in the cache and on an engine. InputError where there is no such folder."""
    if not out.is_dir():
        raise InputError(f"{out}: no such folder; name the folder of reviews with --out")
    loaded = (Artefact("loaded tables", schema, schema.since) for schema in schemas(engine))
    return [*_reviews(out), *_caches(cache_folder()), *loaded]


def engine_named(data: str) -> Address:
    """The engine that REVOPS_ENGINE or the company names; that of no loaded tables where none does."""
    return engine_of(None, read_settings(folder_of(data) / "company.yml") if data else None)


def older(out: Path, limit: date, engine: Address = NO_ENGINE) -> list[Artefact]:
    """What was made (or, of caches, used) before a day."""
    return [one for one in artefacts(out, engine) if one.since < limit]


def holding(out: Path, subject: Subject, engine: Address = NO_ENGINE) -> list[Artefact]:
    """What holds a person's data, with the files that do. The ids of the person's records are learnt from what was read first."""
    everything = artefacts(out, engine)
    known = subject.widened(one.path for one in everything if one.kind in ("cache", "loaded tables"))
    found = ((one, tuple((in_schema if isinstance(one.path, Schema) else in_folder)(one.path, known))) for one in everything)
    return [Artefact(one.kind, one.path, one.since, files) for one, files in found if files]


def subject_of(data: str, text: str) -> Subject:
    """Whom a text names in a company's data. InputError for no company, or too short a text."""
    settings = read_settings(folder_of(data) / "company.yml")
    subject = Subject.of(text, salt_of(settings.name))
    return subject.under(prefix for entry in entries(folder_of(data), settings) for prefix in _prefixes(entry))


def _prefixes(entry: Entry) -> tuple[str, ...]:
    """What an entry's SELECTs put before ids of tables that tell of persons."""
    selects = {table: parse(text, table, entry.name) for table, text in entry.selects.items() if table in PERSONAL}
    return tuple({prefix for table, select in selects.items() for prefix in prefixes(select, TABLES[table].key[0])})


def exports_with(data: str, subject: Subject) -> list[tuple[Path, list[int]]]:
    """Every input file in which a person stands, with the lines. The files are the user's and are only read."""
    folder = folder_of(data)
    wanted: dict[Path, Subject] = {}
    for entry in entries(folder, read_settings(folder / "company.yml")):
        own = subject.without(_prefixes(entry))
        wanted |= {file: Subject(own.terms | wanted.get(file, own).terms) for file in entry.files.values()}
    return [(file, lines) for file, own in sorted(wanted.items(), key=lambda one: one[0]) if (lines := in_export(file, own))]


def left_in(data: str, subject: Subject, most: int = 20) -> list[str]:
    """What to say of the inputs, which are their owner's: where in files the person stands, and which were not looked at."""
    said = []
    for file, lines in exports_with(data, subject):
        more = f" and {len(lines) - most} more" if len(lines) > most else ""
        said.append(
            f"yours to change: {file}, {'line' if len(lines) == 1 else 'lines'} {', '.join(map(str, lines[:most]))}{more}"
        )
    if said:
        said.append("The exports still hold the person: change them, or the next review brings the data back.")
    sources = read_settings(folder_of(data) / "company.yml").sources
    return said + [f"not looked at, yours to change: {one.landing} ({name})" for name, one in sources.items() if one.landing]


def removed(found: Iterable[Artefact], out: Path) -> int:
    """Remove artefacts; `latest` then points to the newest review that is left, if any. Returns how many were removed.

    Each goes out of sight by one rename first, so that a run that is stopped leaves no half of it in its place.
    """
    count = 0
    with locked(out):
        for one in found:
            if isinstance(one.path, Schema):
                count += dropped(one.path)
                continue
            beside = cache_folder() if one.path.parent == cache_folder() else out
            gone = Path(tempfile.mkdtemp(prefix=".ingest-" if beside != out else ".building-", dir=beside))
            with suppress(FileNotFoundError):  # somebody else was first
                one.path.rename(gone / "removed")
                count += 1
            shutil.rmtree(gone)
        clear_crashes(out)
        point(out)
    return count


def moment(text: str) -> date:
    """The day that "365d" (that many days ago) or an ISO date means. InputError for anything else, or a day to come."""
    days = re.fullmatch(r"(\d{1,5})d", text)
    today = datetime.now(UTC).date()
    day = today - timedelta(days=int(days[1])) if days else iso_date(text)
    if day > today:
        raise InputError(f"{text}: is still to come")
    return day


def _reviews(out: Path) -> Iterator[Artefact]:
    for kind, folder in (("review", out), ("replaced review", out / ".replaced")):
        for place in _folders(folder):
            if NAMED.fullmatch(place.name) and (made := _made_at(place)):
                yield Artefact(kind, place, made)
    for place in _folders(out / ".failed"):
        if NAMED.fullmatch(place.name) and (place / "error.txt").is_file():
            yield Artefact("failed run", place, _changed(place / "error.txt"))


def _caches(cache: Path) -> Iterator[Artefact]:
    for place in _folders(cache):
        if FINGERPRINT.fullmatch(place.name) and {"tables", "inputs"} <= set(_json(place / "meta.json")):
            yield Artefact("cache", place, _changed(place))
        elif place.name.startswith(".ingest-") and _changed(place) < (datetime.now(UTC) - UNFINISHED).date():
            yield Artefact("unfinished cache", place, _changed(place))


def _folders(folder: Path) -> list[Path]:
    """The folders in a folder, neither it nor they a link."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    return sorted(place for place in folder.iterdir() if place.is_dir() and not place.is_symlink())


def _made_at(review: Path) -> date | None:
    """When a review was made; None where the folder is none of ours."""
    made_of = _json(review / "manifest.json")
    with suppress(KeyError, TypeError, ValueError):
        return datetime.fromisoformat(made_of["run"]["started_at"]).date() if {"review", "fingerprint"} <= set(made_of) else None
    return None


def _json(file: Path) -> dict[str, Any]:
    if file.is_symlink() or not file.is_file():
        return {}
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return held if isinstance(held, dict) else {}


def _changed(path: Path) -> date:
    return datetime.fromtimestamp(os.lstat(path).st_mtime, UTC).date()
