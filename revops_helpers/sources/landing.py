"""Raw tables as SELECTs call them, whatever shape they landed in: read, renamed, without deleted rows, merged ids led on.

What is declared: sources/shapes.py. Every view keeps the file's own columns beside the ones that it adds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from revops_helpers.model.formats import identifier, quoted
from revops_helpers.sources.entries import Entry
from revops_helpers.sources.reading import read_all
from revops_helpers.sources.selects import RawName, Select
from revops_helpers.sources.selects import columns as columns_named
from revops_helpers.sources.shapes import Merged, Shape, keys_of
from revops_helpers.sources.store import Desk, Place, Raw

LOADERS = ("airbyte_", "ab_", "fivetran_")  # what loaders write about their own work is nothing that a SELECT should read
OLD_VERSION, BEGAN = "fivetran_active", "fivetran_start"
MOST_MERGES = 50  # one after the other, of one record
SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


@dataclass(frozen=True)
class Landed:
    """Raw tables by name, every file's own table as it was read (those of merges too), and notes on rows that were left out."""

    raws: dict[RawName, Raw]
    files: dict[str, Raw]
    notes: list[str]


def landed(desk: Desk, entries: Iterable[Entry], selects: Collection[Select]) -> Landed:
    """Every raw table that a SELECT names and a file holds."""
    wanted = {raw for select in selects for raw in select.raw_names()}
    places = {raw: place for entry in entries for raw, place in _places(desk, entry, named(entry, selects)).items()}
    read = dict(zip(places, read_all(list(places.values())), strict=True))
    raws = {raw: table for entry in entries for raw, table in _of(entry, read, named(entry, selects)).items()}
    asked = asked_of(entries, selects, {raw: set(table.columns) for raw, table in raws.items()})
    notes: list[str] = []
    files = {table.file: table for table in reversed(raws.values())}
    for entry in entries:
        own = {raw: table for raw, table in raws.items() if raw[0] == entry.name}
        if entry.shape != Shape():
            shaped = {raw: _shaped(desk, entry.shape, raw, table, asked[raw], notes) for raw, table in own.items()}
            raws |= _survived(desk, entry, shaped, notes)
    return Landed({raw: table for raw, table in raws.items() if raw in wanted}, files, notes)


def named(entry: Entry, selects: Collection[Select]) -> set[str]:
    """The raw tables of an entry that SELECTs name, with those that say what was merged."""
    names = {table for select in selects for name, table in select.raw_names() if name == entry.name}
    audits = {pair[0] for merged in entry.shape.merged.values() for pair in merged.pairs}
    return names | audits if names else names


def asked_of(
    entries: Iterable[Entry], selects: Iterable[Select], known: Mapping[RawName, Collection[str]]
) -> dict[RawName, set[str]]:
    """The columns of the raw tables in `known` that SELECTs name, or what is declared of merged records."""
    asked: dict[RawName, set[str]] = {raw: set() for raw in known}
    for select in selects:
        for raw, column, _ in columns_named(select, known):
            if raw in asked:
                asked[raw].add(column)
    for entry in entries:
        for table, *needed in (pair for merged in entry.shape.merged.values() for pair in merged.pairs):
            asked.get((entry.name, table), set()).update(needed)
    return asked


def holding(shape: Shape, table: str, asked: Collection[str], there: Collection[str]) -> list[str]:
    """The columns, of those there, in which what is asked of a raw table may stand, or that say which of its rows count."""
    names = {*asked, *shape.deleted, *shape.columns.get(table, ()), "id", "master_record_id", OLD_VERSION, BEGAN}
    heads = {place.partition(".")[0] for name in names for place in shape.places(table, name, there)}
    return [column for column in there if column in heads]


def _places(desk: Desk, entry: Entry, wanted: set[str]) -> dict[RawName, Place]:
    """Where the files of the wanted tables of one entry are read."""
    order = [*(table for table in entry.files if table in wanted), *sorted(wanted - set(entry.files))]
    files = {table: file for table in order if (file := entry.shape.file(table, entry.files))}
    return {(entry.name, table): Place(desk, file, f"raw {entry.name}", table, entry.encoding) for table, file in files.items()}


def _of(entry: Entry, read: Mapping[RawName, Raw], wanted: set[str]) -> dict[RawName, Raw]:
    """The wanted tables of one entry as they stand in its files, those of its history mode under both names."""
    found = {raw[1]: table for raw, table in read.items() if raw[0] == entry.name}
    for table, history in entry.shape.versions.items():
        for missing, other, mark in ((table, history, OLD_VERSION), (history, table, BEGAN)):
            if missing in wanted - set(found) and other in found and mark in found[other].columns:
                found[missing] = replace(found[other], refused=(), notes=())
    return {(entry.name, table): raw for table, raw in found.items()}


# ---- one table


def _shaped(desk: Desk, shape: Shape, raw: RawName, table: Raw, asked: Collection[str], notes: list[str]) -> Raw:
    """The table with the columns that are asked for, wherever they stand, without deleted rows and older versions."""
    name = raw[1]
    columns = {column: identifier(column) for column in table.columns}
    used = dict.fromkeys([*shape.deleted, *(column for column in table.columns if column.startswith(LOADERS))])
    for column, place in _found(desk, shape, name, table, {*asked, *shape.deleted, *shape.columns.get(name, ())}):
        columns[column] = _value(place)
        used[place.partition(".")[0]] = None
    listed = ", ".join(
        f"{salesforce_id(value) if shape.is_salesforce_id(column) else value} AS {identifier(column)}"
        for column, value in columns.items()
    )
    gone = [_is_set(columns[mark]) for mark in shape.deleted if mark in columns]
    if gone and "master_record_id" in columns:  # merged away at its source, which says into what
        gone = [f"({' OR '.join(gone)}) AND {columns['master_record_id']} IS NULL"]
    stale = [f"lower({OLD_VERSION}) = 'false'"] if OLD_VERSION in table.columns and not shape.is_history(name) else []
    for tests, said in ((gone, "deleted rows"), (stale, "older versions of rows")):
        _count(desk, table.relation, tests, f"{raw[0]}: {{}} {said} of {table.file} are left out", notes)
    kept = " AND ".join(f"NOT coalesce({test}, false)" for test in (*gone, *stale)) or "true"
    relation = _view(desk, ("shaped " + raw[0], name), f"SELECT {listed}, _file, _line FROM {table.relation} WHERE {kept}")
    return replace(table, relation=relation, columns=tuple(columns), used=frozenset(used))


def _found(desk: Desk, shape: Shape, name: str, table: Raw, asked: Collection[str]) -> Iterator[tuple[str, str]]:
    """(column, place) of the columns that stand elsewhere; a place inside JSON counts where some row has it."""
    places = {column: list(shape.places(name, column, table.columns)) for column in sorted(asked)}
    nested = list(dict.fromkeys(place for found in places.values() for place in found if "." in place))
    filled = set()
    if nested:
        counts = ", ".join(f"count({_value(place)})" for place in nested)
        row = desk.connection.execute(f"SELECT {counts} FROM {table.relation}").fetchone()
        filled = {place for place, count in zip(nested, row, strict=True) if count}
    for column, found in places.items():
        place = next((place for place in found if "." not in place or place in filled), column)
        if place != column:
            yield column, place


def _value(place: str) -> str:
    head = identifier(place.partition(".")[0])
    if "." not in place:
        return head
    tried = ", ".join(f"try(json_extract_string({head}, {quoted(pointer)}))" for pointer in keys_of(place))
    return f"CASE WHEN json_valid({head}) THEN coalesce({tried}, NULL) END"


def _is_set(x: str) -> str:
    return f"({x} IS NOT NULL AND lower(trim({x})) NOT IN ('false', 'f', 'no', 'n', '0', ''))"


def _count(desk: Desk, relation: str, tests: list[str], said: str, notes: list[str]) -> None:
    if tests:
        (count,) = desk.connection.execute(f"SELECT count(*) FROM {relation} WHERE {' OR '.join(tests)}").fetchone()
        if count:
            notes.append(said.format(f"{count:,}"))


def _view(desk: Desk, name: RawName, body: str) -> str:
    relation = identifier(*name)
    desk.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {identifier(name[0])}")
    desk.connection.execute(f"CREATE VIEW {relation} AS {body}")
    return relation


def salesforce_id(x: str) -> str:
    """SQL: the 18-character form of a Salesforce id; anything else as it is.

    The last three characters say which of the first fifteen are capitals (Salesforce, ID field type), five each. So an id of 15
    is completed, and one whose case was lost on the way (all small, all capitals) gets it back.
    """
    bits = "list_sum([CASE WHEN substr({x}, {at} + i, 1) BETWEEN 'A' AND 'Z' THEN 1 << i ELSE 0 END FOR i IN range(5)])"
    letters = (f"substr('{SUFFIX}', 1 + {bits.format(x=x, at=at)}::INTEGER, 1)" for at in (1, 6, 11))
    capital = f"((instr('{SUFFIX}', upper(substr({x}, 16 + i // 5, 1))) - 1) >> (i % 5)) & 1 = 1"
    letter = f"substr({x}, 1 + i, 1)"
    cased = f"array_to_string([CASE WHEN {capital} THEN upper({letter}) ELSE lower({letter}) END FOR i IN range(15)], '')"
    plain = f"regexp_full_match({x}, '[0-9A-Za-z]{{15}}([A-Za-z0-5]{{3}})?')"
    return (
        f"CASE WHEN length({x}) = 15 AND {plain} THEN {x} || {' || '.join(letters)} "
        f"WHEN length({x}) = 18 AND ({x} = lower({x}) OR {x} = upper({x})) AND {plain} "
        f"THEN {cased} || upper(right({x}, 3)) ELSE {x} END"
    )


# ---- merged records


def _survived(desk: Desk, entry: Entry, raws: Mapping[RawName, Raw], notes: list[str]) -> dict[RawName, Raw]:
    """The tables of an entry with references led from merged records to the ones that survived them."""
    found = dict(raws)
    for kind, merged in entry.shape.merged.items():
        survivors = _survivors(desk, entry.name, kind, merged, raws)
        if not survivors:
            continue
        for raw, table in found.items():
            referring = [c for c in merged.columns if c in table.columns and raw[1] not in {p[0] for p in merged.pairs} - {kind}]
            own = raw[1] == kind and "id" in table.columns
            if own:
                gone = f"id IN (SELECT id FROM {survivors})"
                _count(desk, table.relation, [gone], f"{raw[0]}: {{}} merged rows of {table.file} are left out", notes)
            if own or referring:
                one = f"coalesce((SELECT s.one FROM {survivors} s WHERE s.id = t.{{0}}), t.{{0}}) AS {{0}}"
                leads = ", ".join(one.format(identifier(column)) for column in referring)
                body = f"SELECT t.* {f'REPLACE ({leads})' if leads else ''} FROM {table.relation} t"
                body += f" WHERE NOT coalesce({gone}, false)" if own else ""
                found[raw] = replace(table, relation=_view(desk, (f"merged {kind} {raw[0]}", raw[1]), body))
    return found


def _survivors(desk: Desk, entry: str, kind: str, merged: Merged, raws: Mapping[RawName, Raw]) -> str:
    """A table (id, one): the last survivor of every merged id; "" without any. Merges that go round in a circle lead nowhere."""
    told = []
    for table, losers, survivor in merged.pairs:
        if (audit := raws.get((entry, table))) and {losers, survivor} <= set(audit.columns):
            one = f"SELECT unnest(regexp_extract_all({identifier(losers)}, '[0-9A-Za-z-]+')) AS id, {identifier(survivor)} AS one"
            told.append(f"{one} FROM {audit.relation}")
    if not told:
        return ""
    relation = identifier(f"merged {kind} {entry}", "survivors")
    desk.connection.execute(f"CREATE SCHEMA {identifier(f'merged {kind} {entry}')}")
    desk.connection.execute(
        f"CREATE TABLE {relation} AS WITH RECURSIVE pairs AS (SELECT id, max(one) AS one FROM ({' UNION ALL '.join(told)}) "
        "WHERE id <> one GROUP BY id), walk AS (SELECT id, one, 1 AS step FROM pairs UNION ALL "
        f"SELECT w.id, p.one, w.step + 1 FROM walk w JOIN pairs p ON p.id = w.one WHERE w.step < {MOST_MERGES}) "
        "SELECT id, one FROM walk WHERE one NOT IN (SELECT id FROM pairs)"
    )
    return relation
