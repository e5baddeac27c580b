"""Raw tables that lie in a database: what its SELECTs ask of them is brought here, and then read as files are.

A loader's tables often stay where it wrote them (Fivetran or Airbyte into PostgreSQL, Snowflake …). Only the tables and columns
that SELECTs name come over, in one order, so that the same content is the same input. Nothing is written there.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import ibis.expr.datatypes as dt
from sqlglot import exp

from revops_helpers.address import Address, address_of
from revops_helpers.engine import connect, one_line
from revops_helpers.model.tables import TABLES
from revops_helpers.settings import InputError, line_of
from revops_helpers.sources.entries import Entry
from revops_helpers.sources.landing import asked_of, holding, named
from revops_helpers.sources.names import columns_of, snake
from revops_helpers.sources.selects import Select, parse

if TYPE_CHECKING:
    from ibis.backends.sql import SQLBackend

AT_ONCE = 20_000  # rows
READ_ONLY = {"duckdb": {"access_mode": "READ_ONLY"}}
JSON = {"duckdb": "to_json", "postgres": "to_jsonb", "pyspark": "to_json", "snowflake": "to_json", "bigquery": "to_json_string"}


def brought(data: Path, entries: list[Entry], to: Path) -> list[Entry]:
    """The entries; those of a database with what is asked of their tables as Parquet below `to`.

    InputError, one line without a secret, when an address is wrong, or its database cannot be reached or read.
    """
    selects = [
        parse(text, f"{entry.name}, {table}.sql", entry.name) for entry in entries for table, text in entry.selects.items()
    ]
    return [_brought(data, entry, selects, to / entry.name) if entry.landing else entry for entry in entries]


def _brought(data: Path, entry: Entry, selects: list[Select], to: Path) -> Entry:
    said = f"{data / 'company.yml'}, line {line_of(data / 'company.yml', 'sources', entry.name, 'landing')}"
    try:
        address = address_of(entry.landing)
        backend = connect(replace(address, options={**address.options, **READ_ONLY.get(address.scheme, {})}))
    except InputError as error:
        raise InputError(f"{said}: {error}") from None
    to.mkdir(parents=True)
    try:
        there = _Landing(backend, address)
        if not there.names:
            raise InputError(f"{said}: {address} holds no tables")
        for table, columns in _wanted(entry, selects, there).items():
            _copy(there.table(table), columns, to / f"{table}.parquet")
    except InputError:
        raise
    except Exception as error:  # each engine's package raises its own
        raise InputError(f"{said}: {address} cannot be read: {one_line(error)}") from None
    finally:
        backend.disconnect()
    return replace(entry, files={file.stem: file for file in sorted(to.iterdir())})


class _Landing:
    """The tables of a schema, under names that meet those of SELECTs. names: such a name → the table's own."""

    def __init__(self, backend: SQLBackend, address: Address):
        self._backend, self._tables = backend, {}
        self._schema = address.options.get("schema") or (address.path or None if address.scheme == "spark" else None)
        self.names: dict[str, str] = {}
        for own in sorted(backend.list_tables(database=self._schema)):
            if self.names.setdefault(snake(own), own) != own:
                raise InputError(f"{address}: '{self.names[snake(own)]}' and '{own}' are both table '{snake(own)}'; keep one")

    def table(self, name: str) -> ibis.Table:
        """A table with the names of its columns as a SELECT calls them."""
        if name not in self._tables:
            found = self._backend.table(self.names[name], database=self._schema)
            self._tables[name] = found.rename(dict(zip(columns_of(found.columns, self.names[name]), found.columns, strict=True)))
        return self._tables[name]


def _wanted(entry: Entry, selects: list[Select], there: _Landing) -> dict[str, list[str]]:
    """Table → its columns that are asked for."""
    if not entry.selects:
        known = {table: TABLES[table].names for table in there.names if table in TABLES}
        return {table: [c for c in there.table(table).columns if c in names] for table, names in known.items()}
    places = {table: Path(table) for table in there.names}
    histories = entry.shape.versions | {history: table for table, history in entry.shape.versions.items()}
    found = {table: entry.shape.file(table, places) for table in sorted(named(entry, selects))}
    found |= {table: found.get(histories[table]) for table, place in found.items() if not place and table in histories}
    held = {table: place.name for table, place in found.items() if place}
    asked = asked_of([entry], selects, {(entry.name, table): there.table(name).columns for table, name in held.items()})
    wanted: dict[str, set[str]] = {}
    for table, name in held.items():
        columns = there.table(name).columns
        whole = any((entry.name, table) in select.raw_names() and _takes_all(select) for select in selects)
        wanted.setdefault(name, set()).update(
            columns if whole else holding(entry.shape, table, asked[entry.name, table], columns)
        )
    return {name: [c for c in there.table(name).columns if c in columns] for name, columns in wanted.items()}


def _takes_all(select: Select) -> bool:
    return any(not isinstance(star.parent, exp.Count) for star in select.tree.find_all(exp.Star))


# ---- over to here


def _copy(table: ibis.Table, columns: list[str], to: Path) -> None:
    """The columns of a table as Parquet, its rows in the order of all of them, a few thousand at a time."""
    from pyarrow import parquet

    backend = table.get_backend()
    rows = table.select(**{column: _plain(table[column], JSON[backend.name]) for column in columns}).order_by(columns)
    if backend.name == "pyspark":
        backend.to_file(rows, to)
        return
    batches = rows.to_pyarrow_batches(chunk_size=AT_ONCE)
    with parquet.ParquetWriter(to, batches.schema) as file:
        for batch in batches:
            file.write_batch(batch)


def _plain(column: ibis.Value, to_json: str) -> ibis.Value:
    """A column of a type that reads in one way as text; what is nested becomes JSON, and a decimal the text of its digits, which
    no thousands separator could have given."""
    kind = column.type()
    if kind.is_nested():
        column = ibis.udf.scalar.builtin(_json_of(kind), name=to_json)(column)
    if kind.is_decimal():
        return column.cast("string").re_replace(r"^(-?\d{1,3}\.\d{3})$", r"\10")
    whole = kind.is_integer() or kind.is_boolean() or kind.is_floating()
    return column if whole or kind.is_date() or kind.is_timestamp() else column.cast("string")


def _json_of(kind: dt.DataType):
    def to_json(x):
        """Written by the engine."""

    to_json.__annotations__ = {"x": kind, "return": dt.string}
    return to_json
