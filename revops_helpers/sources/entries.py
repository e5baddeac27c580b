"""Which files a company folder holds, whose they are, and which SELECTs read them. Names only: nothing is opened but SELECTs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from revops_helpers.model.formats import Format
from revops_helpers.model.tables import TABLES
from revops_helpers.settings import InputError, Settings, Source, line_of
from revops_helpers.sources.names import files_of, others_of, snake
from revops_helpers.sources.shapes import Shape, shape_of

SHIPPED = Path(__file__).parent  # one folder of SELECTs per system
OWN = "files"  # the name of the data folder itself as a source


@dataclass(frozen=True)
class Entry:
    """One source: raw table → file, canonical table → SELECT (none at all: the files are canonical tables), how it writes.

    shape: how the names of its files and columns meet those of the SELECTs.
    landing: the address of a database that holds its raw tables; `files` are then what was brought from there.
    """

    name: str
    files: dict[str, Path]
    selects: dict[str, str]
    form: Format
    encoding: str = "auto"
    notes: tuple[str, ...] = field(default=(), compare=False)
    shape: Shape = field(default_factory=Shape)
    landing: str = ""


def entries(data: Path, settings: Settings) -> list[Entry]:
    """Every source of the company: those of company.yml in their order, then canonical tables lying in the data folder itself."""
    for table in settings.records_start:
        _known_table(table, data, "records_start", table)
    found = [_declared(data, name, source, settings) for name, source in settings.sources.items()]
    taken = {file for entry in found for file in entry.files.values()}
    own = {table: file for table, file in files_of(data).items() if file not in taken}
    if own or not found:
        form = Format(zone=settings.time_zone, home=settings.time_zone)
        found.append(_canonical(Entry(OWN, own, {}, form), data))
    lost = [_not_read(file) for file, table in others_of(data).items() if table in TABLES]
    found[-1] = replace(found[-1], notes=tuple(dict.fromkeys((*found[-1].notes, *lost))))
    if not any(entry.files or entry.landing for entry in found):
        raise InputError(
            f"{data}: no tables; put files named as the model's tables there (opportunities.csv), or name sources in company.yml"
            ", and `selects` where none ship for the system" + "".join(f"; {note}" for entry in found for note in entry.notes)
        )
    return found


def _not_read(file: Path) -> str:
    return f"{file.name} is of a kind that is not read; save it as CSV, .xlsx, Parquet or JSON lines"


def _declared(data: Path, name: str, source: Source, settings: Settings) -> Entry:
    place = data / source.path
    if not source.landing and not place.exists():
        raise InputError(f"{_at(data, name, 'path')}: '{source.path}' is not there; write a folder or file relative to {data}")
    selects = _selects(SHIPPED / (source.system or name))
    if source.system and not selects and not source.selects:
        shipped = sorted(f.name for f in SHIPPED.iterdir() if f.is_dir() and any(f.glob("*.sql")))
        raise InputError(
            f"{_at(data, name, 'system')}: no SELECTs ship for '{source.system}'; there are some for {', '.join(shipped)}"
        )
    if source.selects:
        own = data / source.selects
        if not own.is_dir():
            raise InputError(f"{_at(data, name, 'selects')}: '{source.selects}' is no folder; write one relative to {data}")
        selects |= _selects(own)
        if not selects:
            wanted = "put one for each table there, named after it, such as opportunities.sql"
            raise InputError(f"{_at(data, name, 'selects')}: no .sql file is in '{source.selects}'; {wanted}")
    for table in selects:
        _known_table(table, data, "sources", name, "selects")
    form = Format(source.decimal, source.dates, source.time_zone or settings.time_zone, settings.time_zone)
    shape = shape_of(SHIPPED / (source.system or name), source.fields)
    said = {table: select for table, select in selects.items() if _says_something(select)}
    files = {} if source.landing else files_of(place)
    notes = () if source.landing else tuple(map(_not_read, others_of(place)))
    entry = Entry(snake(name), files, said, form, source.encoding, notes, shape, source.landing)
    return entry if selects else _canonical(entry, data)


def _selects(folder: Path) -> dict[str, str]:
    return {file.stem: file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.sql"))} if folder.is_dir() else {}


def _says_something(select: str) -> bool:
    return bool(re.sub(r"--[^\n]*|/\*.*?\*/", "", select, flags=re.DOTALL).strip())


def _canonical(entry: Entry, data: Path) -> Entry:
    """The entry without files that are no table of the model, each of which is noted."""
    notes = [*entry.notes]
    for table, file in entry.files.items():
        if table not in TABLES:
            close = get_close_matches(table, TABLES, n=1)
            hint = f"; did you mean {close[0]}?" if close else "; it is not read"
            notes.append(f"{file.name} is not named as a table of the model{hint}")
    files = {table: file for table, file in entry.files.items() if table in TABLES}
    return replace(entry, files=files, notes=tuple(notes))


def _at(data: Path, name: str, key: str) -> str:
    file = data / "company.yml"
    return f"{file}, line {line_of(file, 'sources', name, key)}: key 'sources.{name}.{key}'"


def _known_table(table: str, data: Path, *where: str) -> None:
    if table not in TABLES:
        file = data / "company.yml"
        close = get_close_matches(table, TABLES, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"the tables are {', '.join(TABLES)}"
        raise InputError(f"{file}, line {line_of(file, *where)}: the model has no table '{table}'; {hint}")
