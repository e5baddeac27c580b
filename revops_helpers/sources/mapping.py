"""SELECTs that turn a system's raw tables into canonical tables, and the conventions they are written by.

**Where.** `revops_helpers/sources/<system>/<table>.sql` ships with the product: one SELECT (DuckDB's dialect, CTEs and UNION
welcome) per canonical table. An entry of `sources:` in company.yml names a `path` (a folder, or one file, relative to the
data folder); its `system` (default: the entry's own name) finds the shipped SELECTs; files in its `selects` folder, named
`<table>.sql` too, replace or add to them, and one that holds nothing but comments switches the shipped one off. An entry with
no SELECT at all holds canonical tables by name (`opportunities.csv`), as does the data folder itself.

**Raw tables.** Every file of the entry is a raw table, named as the file without its endings in snake_case:
`Opportunity.csv.gz` → `opportunity`, `OpportunityFieldHistory.csv` → `opportunity_field_history`, `Metas 2026.xlsx` (first
sheet) → `metas_2026`. Another entry's tables are reached as `entry.table` (`salesforce.account`). Only tables that some
SELECT names are read.

**Shapes.** One SELECT reads a system however it was landed: `shapes.yml` beside it lists the other names of its tables and
columns, and what marks a row as deleted, old or merged (sources/shapes.py). SELECTs use Fivetran's or the interface's names.

**Raw columns** are all text (VARCHAR), empty cells are NULL, and names meet in snake_case without accents: `CreatedDate` and
`Created Date` → `created_date`, `AccountId` → `account_id`, `MQLDate__c` → `mql_date_c`, `property_hs_all-funky` →
`property_hs_all_funky`, `Situação` → `situacao`, `ARR (R$)` → `arr_r`, no name → `column_3`, a leading digit → `c2026`. JSON
lines give nested objects as JSON text (`fields ->> '$.status.name'`).

**What a SELECT gives.** Columns named as in the model (model/tables.py), any subset, in any order; a name the model lacks is
refused. Hand the raw text through wherever you can: the contract reads numbers, dates, times, flags and enumerations per
column, by the entry's declared `decimal`, `dates`, `time_zone`, or decides them over the whole column. Only where a SELECT
has to calculate, compare or sort by value, use the macros made from the entry's declared formats (undeclared: point decimals,
ISO dates):

    as_number(text) → DOUBLE       as_day(text) → DATE       as_moment(text) → TIMESTAMP, already UTC

Results that are not text (numbers, DATE, TIMESTAMP meaning UTC, BOOLEAN) are taken as they are. Money is in major units.
Enumerations must come out in the model's words (`case stage when 'Closed Won' then 'won' …`); case, blanks and hyphens do not
matter. A time given as a day alone is that day's start where the company is. A won or lost deal without `closed_at` takes its
`close_date`.

**What is missing.** A raw column that a SELECT names and the file lacks is read as NULL and reported. A raw table that is
missing makes the SELECT unavailable (reported, never an error), unless it is only LEFT JOINed: then it counts as empty, and
is reported.

**Where a row came from.** Every raw table carries `_file` and `_line`. The position of the first table in FROM is handed
through by itself when the outer SELECT is plain (each branch of a UNION too). With GROUP BY, DISTINCT or a CTE in front, give
it if you can: `any_value(t._file) as _file, min(t._line) as _line`; else a refused row names the file's source only.

**Ids.** Systems count alike, so a SELECT puts its system's name before ids of its own, wherever they stand (`'outreach-' || p.id
as lead_id`); ids that another system gave stay, for there both meet. What goes back to a system goes without it. None have the
ids of Salesforce, Gainsight and Jira, which nobody else has, and of HubSpot, by which other systems know its records.

Several entries may fill one canonical table; their rows follow each other in the order of company.yml, and of two rows with
one key the first stays. Rows that a WHERE or a join leaves out are reported beside the rows of the first table in FROM.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

import pandas as pd

from revops_helpers.model.contract import Part, Refused
from revops_helpers.model.formats import identifier, quoted
from revops_helpers.model.tables import TABLES, Table
from revops_helpers.settings import InputError, Settings
from revops_helpers.sources.entries import Entry
from revops_helpers.sources.landing import landed
from revops_helpers.sources.macros import make_macros, unreadable
from revops_helpers.sources.reading import read_all
from revops_helpers.sources.selects import RawName, Select, lacking, outputs_of_absent, parse, prefixes, with_position
from revops_helpers.sources.selects import columns as columns_named
from revops_helpers.sources.selects import replaced as stood_for
from revops_helpers.sources.shapes import Names
from revops_helpers.sources.store import SCRATCH, Desk, Place, Raw

POSITION_UNKNOWN = "NULL::VARCHAR AS _file, NULL::BIGINT AS _line"
MOST_STRAYS = 20  # columns that a note each is written about
REPORT = ("table", "source", "status", "missing", "unread", "rows_in", "rows_out", "prefixes")


@dataclass
class Mapped:
    """What the sources give: parts by canonical table, the report (`REPORT`), notes for the reader, records of each input file.

    status: `read` (a canonical file), `mapped`, `partial` (`missing` names raw tables and columns read as empty), `unavailable`;
    `ignored` for files that nothing reads (in `missing`; no table). unread: columns of the export that no SELECT names; prefixes:
    what it puts before the system's own ids in the key.
    """

    parts: dict[str, list[Part]] = field(default_factory=dict)
    report_rows: list[tuple] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)

    @property
    def report(self) -> pd.DataFrame:
        return pd.DataFrame(self.report_rows, columns=list(REPORT))

    def add(self, part: Part, status: str, missing: str, unread: Iterable[str], rows_in: int, prefixes: Names = ()) -> None:
        self.parts.setdefault(part.table, []).append(part)
        told = ", ".join(unread), rows_in, part.rows, ", ".join(prefixes)
        self.report_rows.append((part.table, part.source, status, missing, *told))

    def took(self, raw: Raw) -> None:
        self.rows[raw.file] = raw.rows
        self.notes.extend(raw.notes)


def mapped(desk: Desk, entries: list[Entry], settings: Settings) -> Mapped:
    """Read what the entries hold and hand it on as parts for the contract. InputError when a file or a SELECT is wrong."""
    found = Mapped()
    for entry in entries:
        found.notes.extend(entry.notes)
        if not entry.selects:
            _canonical(desk, entry, found)
    _selected(desk, [entry for entry in entries if entry.selects], entries, found)
    for table, source, status, missing, *_ in found.report_rows:
        if status == "unavailable" and table not in found.parts:
            found.notes.append(f"{source}: {table} is not filled, because its export lacks {missing}")
        elif status == "partial":
            found.notes.append(f"{source}: {table} is filled without {missing}, which its export lacks")
    if not found.parts:
        raise InputError(f"{desk.data}: no table could be read; {'; '.join(found.notes) or 'see data/README.md'}")
    return found


def _canonical(desk: Desk, entry: Entry, found: Mapped) -> None:
    """The files of an entry that are canonical tables already."""
    places = [Place(desk, file, f"table {entry.name}", table, entry.encoding) for table, file in entry.files.items()]
    for table, raw in zip(entry.files, read_all(places), strict=True):
        found.took(raw)
        columns = tuple(c for c in raw.columns if c in TABLES[table].names)
        strays = [c for c in raw.columns if c not in TABLES[table].names]
        for stray in strays[:MOST_STRAYS]:
            found.notes.append(f"{raw.file}: column {stray} is not in the model and is ignored{_hint(stray, table)}")
        if (more := len(strays) - MOST_STRAYS) > 0:
            found.notes.append(f"{raw.file}: {more:,} more columns are not in the model and are ignored")
        relation = f"(SELECT *, _line AS _row FROM {raw.relation})"
        part = Part(table, entry.name, relation, raw.file, columns, entry.form, raw.rows, raw.refused)
        found.add(part, "read", "", strays, raw.rows)


def _hint(column: str, table: str) -> str:
    close = get_close_matches(column, TABLES[table].names, n=1)
    return f"; did you mean {close[0]}?" if close else ""


# ---- sources that are read by SELECTs


def _selected(desk: Desk, with_selects: list[Entry], entries: list[Entry], found: Mapped) -> None:
    selects = {
        (entry.name, table): parse(text, f"{entry.name}, {table}.sql", entry.name)
        for entry in with_selects
        for table, text in entry.selects.items()
    }
    wanted = {raw for select in selects.values() for raw in select.raw_names()}
    there = landed(desk, entries, selects.values())
    raws = there.raws
    for raw in there.files.values():
        found.took(raw)
    found.notes.extend(there.notes)
    absent = _complete(desk, selects.values(), wanted, raws)
    refused, unread = _refused_by(selects, raws), _unread_by(selects, raws)
    for entry in with_selects:
        make_macros(desk, entry)
        for table in (t for t in TABLES if t in entry.selects):
            _run(desk, entry, table, selects[entry.name, table], raws, absent, refused, unread, found)
        unused = [f.name for t, f in entry.files.items() if Place(desk, f, entry.name, t).label not in there.files]
        if unused:
            found.notes.append(f"{entry.name}: no SELECT reads {', '.join(unused)}")
            found.report_rows.append(("", entry.name, "ignored", ", ".join(unused), "", 0, 0, ""))


def _complete(desk: Desk, selects: Iterable[Select], wanted: set[RawName], raws: dict[RawName, Raw]) -> set[str]:
    """Give every raw table the columns that SELECTs name and files lack (NULL), and every absent one a stub without rows.

    Returns what is absent: `entry.table` or `entry.table.column`.
    """
    known = {raw: set(raws[raw].columns) for raw in raws}
    asked: dict[RawName, dict[str, None]] = {raw: {} for raw in sorted(wanted)}
    for select in selects:
        for raw, column, _ in columns_named(select, known):
            asked[raw][column] = None
    absent = {".".join(raw) for raw in wanted - set(raws)}
    for raw, names in asked.items():
        lacking_here = [name for name in names if name not in known.get(raw, ())]
        nulls = "".join(f"NULL::VARCHAR AS {identifier(name)}, " for name in lacking_here)
        body = f"SELECT {nulls}NULL::VARCHAR AS _file, NULL::BIGINT AS _line WHERE false"
        if raw in raws:
            absent |= {".".join((*raw, name)) for name in lacking_here}
            body = f"SELECT {nulls}* FROM {raws[raw].relation}"
        desk.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {identifier(raw[0])}")
        desk.connection.execute(f"CREATE VIEW {identifier(*raw)} AS {body}")
    return absent


def _refused_by(selects: dict[tuple[str, str], Select], raws: dict[RawName, Raw]) -> dict[tuple[str, str], list[Refused]]:
    """Records that could not be split, each once: to the table whose SELECT begins FROM theirs, else the first naming it."""
    given: dict[tuple[str, str], list[Refused]] = {}
    for raw, table in raws.items():
        if table.refused:
            given.setdefault(_first_user(selects, raw), []).extend(table.refused)
    return given


def _first_user(selects: dict[tuple[str, str], Select], raw: RawName) -> tuple[str, str]:
    users = [key for key, select in selects.items() if raw in select.raw_names()]
    return next((key for key in users if selects[key].main() == raw), users[0])


def _unread_by(selects: dict[tuple[str, str], Select], raws: dict[RawName, Raw]) -> dict[tuple[str, str], list[str]]:
    """Columns of the exports that no SELECT names, as `raw table.column`: to the table that `_refused_by` would take."""
    known = {raw: set(raws[raw].columns) for raw in raws}
    named = {(raw, column) for select in selects.values() for raw, column, _ in columns_named(select, known)}
    given: dict[tuple[str, str], list[str]] = {}
    for raw, table in raws.items():
        strays = [f"{raw[1]}.{column}" for column in table.columns if (raw, column) not in named and column not in table.used]
        if strays:
            given.setdefault(_first_user(selects, raw), []).extend(strays)
    return given


def _run(desk: Desk, entry: Entry, table: str, select: Select, raws, absent: set[str], refused, unread, found: Mapped) -> None:
    """Run one SELECT into staged text and add it as a part; or report why it is not available."""
    lost = {".".join(raw) for raw in lacking(select.tree, set(raws))}
    needs = {f"{entry.name}.{need}" for need in entry.shape.needs.get(table, ())}
    if lost or (needs and needs <= absent):
        missing = ", ".join(sorted(lost or needs))
        found.report_rows.append((table, entry.name, "unavailable", missing, "", 0, 0, ""))
        return
    names = {raw: set(raws[raw].columns) for raw in raws}
    asked = {".".join((*raw, column)) for raw, column, _ in columns_named(select, names)}
    others = stood_for(select, raws, entry.shape.either)
    missing = sorted(n for n in absent & (asked | {".".join(r) for r in select.raw_names()}) if not _unmissed(n, entry, others))
    relation, columns, typed = _staged(desk, entry, table, select)
    columns = _with_values(desk, relation, columns, outputs_of_absent(select, names), TABLES[table])
    (rows,) = desk.connection.execute(f"SELECT count(*) FROM {relation}").fetchone()
    bad = tuple(refused.get((entry.name, table), ()))
    main = select.main()
    rows_in = raws[main].rows if main in raws else rows + len(bad)
    part = Part(table, entry.name, relation, select.label, columns, entry.form, rows + len(bad), bad, typed)
    own, strays = prefixes(select, TABLES[table].key[0]), unread.get((entry.name, table), ())
    found.add(part, "partial" if missing else "mapped", ", ".join(missing), strays, rows_in, own)
    found.notes.extend(unreadable(desk, select, names))


def _unmissed(name: str, entry: Entry, others: Collection[RawName]) -> bool:
    """Whether nobody has to miss `entry.table` or `entry.table.column`: optional, or another landing's."""
    source, _, rest = name.partition(".")
    return (source, rest.partition(".")[0]) in others or entry.shape.may_lack(rest if source == entry.name else name)


def _staged(desk: Desk, entry: Entry, table: str, select: Select) -> tuple[str, tuple[str, ...], frozenset[str]]:
    """The result of a SELECT as text in Parquet: its relation, its columns, and which of them it calculated."""
    import duckdb

    query = with_position(select.tree).sql(dialect="duckdb", identify=True)
    try:
        described = desk.connection.execute(f"DESCRIBE {query}").fetchall()
    except duckdb.Error as error:
        raise InputError(f"{select.label}: {str(error).splitlines()[0]}") from None
    given = {row[0]: row[1] for row in described}
    for name in given:
        if name not in TABLES[table].names and name not in ("_file", "_line"):
            raise InputError(f"{select.label}: gives column '{name}', which {table} does not have{_hint(name, table)}")
    columns = tuple(name for name in given if name in TABLES[table].names)
    listed = [f"{_text(name, given[name])} AS {identifier(name)}" for name in columns]
    position = "_file::VARCHAR AS _file, _line::BIGINT AS _line" if "_file" in given else POSITION_UNKNOWN
    listed.append(position)
    target = quoted(desk.scratch / f"{entry.name}.{table}.staged.parquet")
    try:
        desk.connection.execute(f"COPY (SELECT {', '.join(listed)} FROM ({query})) TO {target} {SCRATCH}")
    except duckdb.Error as error:
        raise InputError(f"{select.label}: {str(error).splitlines()[0]}") from None
    relation = (
        f"(SELECT * EXCLUDE (file_row_number), file_row_number AS _row FROM read_parquet({target}, file_row_number = true))"
    )
    return relation, columns, frozenset(c for c in columns if given[c] != "VARCHAR")


def _with_values(desk: Desk, relation: str, columns: tuple[str, ...], doubtful: set[str], spec: Table) -> tuple[str, ...]:
    """The columns without those that nothing but absent raw columns would fill: the company does not have them."""
    doubtful = {name for name in doubtful if name in columns and not spec[name].required}
    if not doubtful:
        return columns
    counts = ", ".join(f"count({identifier(name)})" for name in sorted(doubtful))
    found = desk.connection.execute(f"SELECT {counts} FROM {relation}").fetchone()
    empty = {name for name, count in zip(sorted(doubtful), found, strict=True) if not count}
    return tuple(name for name in columns if name not in empty)


def _text(name: str, type_: str) -> str:
    """A column of a SELECT as text; a TIMESTAMP means UTC."""
    value = f"CAST({identifier(name)} AS VARCHAR)"
    return f"{value} || 'Z'" if type_.startswith("TIMESTAMP") and type_ != "TIMESTAMP WITH TIME ZONE" else value
