"""Where a company's accepted rows lie for the engine that measures them: ingest writes Parquet once, whatever the engine.

DuckDB and Spark read it in place. Every other engine gets the tables once per fingerprint, in a schema of their own that appears
whole or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from revops_helpers.address import Address, address_of
from revops_helpers.engine import connect, one_line, reader
from revops_helpers.model.formats import identifier, quoted
from revops_helpers.settings import InputError, Settings

if TYPE_CHECKING:
    import ibis
    from ibis.backends.sql import SQLBackend
    from psycopg import Cursor

PREFIX = "revops_"  # of the schema of one company's data; the fingerprint follows
TYPES = {"int64": "bigint", "double": "double precision", "bool": "boolean", "date32[day]": "date", "timestamp[us]": "timestamp"}
TEXT = 'text COLLATE "C"'  # texts are compared and ordered by their bytes, as in DuckDB and Spark


@dataclass(frozen=True)
class Tables:
    """The tables of one company on an engine. find: table, its columns, a name for the view → the lazy table."""

    engine: str
    backend: SQLBackend
    find: Callable[[str, Sequence[str], str], ibis.Table]

    @property
    def local(self) -> bool:
        """Whether the engine is the locked DuckDB of this process, which reads what ingest wrote."""
        return self.engine == "duckdb"


def engine_of(asked: str | None, settings: Settings) -> Address:
    """The engine that measures: what is asked for, else REVOPS_ENGINE, else company.yml's, else DuckDB."""
    address = address_of(asked or os.environ.get("REVOPS_ENGINE") or settings.engine or "duckdb://")
    if address.scheme == "duckdb" and address.path:
        raise InputError("duckdb:// measures in memory; an address with a file is for publishing only")
    return address


def tables_of(address: Address, stored: Path) -> Tables:
    """The tables that ingest wrote to `stored`, on the engine. InputError when it cannot be used."""
    return HOMES.get(address.scheme, _loaded)(address, stored)


def _duckdb(address: Address, stored: Path) -> Tables:
    backend = reader(stored)

    def find(name: str, columns: Sequence[str], view: str) -> ibis.Table:
        listed, file = ", ".join(map(identifier, columns)), quoted(stored / f"{name}.parquet")
        backend.raw_sql(f"CREATE VIEW {identifier(view)} AS SELECT {listed} FROM read_parquet({file})")
        return backend.table(view)

    return Tables(address.scheme, backend, find)


def _spark(address: Address, stored: Path) -> Tables:
    backend = connect(address)

    def find(name: str, columns: Sequence[str], view: str) -> ibis.Table:
        backend.read_parquet(stored / f"{name}.parquet", table_name=name)
        return backend.table(name).select(*columns)

    return Tables(address.scheme, backend, find)


def _loaded(address: Address, stored: Path) -> Tables:
    """Tables in a schema that is named after the fingerprint, loaded first where it is not there."""
    if address.scheme not in LOADS:
        raise InputError(f"{address}: nothing is measured there; give duckdb://, postgres://… or spark://… to measure on")
    backend, schema = connect(address), f"{PREFIX}{stored.name}"
    if schema not in backend.list_databases():
        LOADS[address.scheme](address, backend, schema, stored)

    def find(name: str, columns: Sequence[str], view: str) -> ibis.Table:
        return backend.table(name, database=schema).select(*columns)

    return Tables(address.scheme, backend, find)


def _load_postgres(address: Address, backend: SQLBackend, schema: str, stored: Path) -> None:
    """All tables in one transaction; another process that loads the same waits, and finds them."""
    import psycopg

    try:
        with backend.con.transaction(), backend.con.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (schema,))
            cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,))
            if not cursor.fetchone():
                cursor.execute(f"CREATE SCHEMA {identifier(schema)}")
                for file in sorted(stored.glob("[!_]*.parquet")):
                    _copied(cursor, schema, file)
    except psycopg.Error as error:
        raise InputError(f"{address}: the tables could not be loaded: {one_line(error)}") from None


def _copied(cursor: Cursor, schema: str, file: Path) -> None:
    from pyarrow import parquet

    rows, table = parquet.ParquetFile(file), identifier(schema, file.stem)
    columns = ", ".join(f"{identifier(field.name)} {TYPES.get(str(field.type), TEXT)}" for field in rows.schema_arrow)
    cursor.execute(f"CREATE TABLE {table} ({columns})")
    with cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv)") as copy:
        for block in _csv(rows):
            copy.write(block)
    cursor.execute(f"ANALYZE {table}")


def _csv(rows) -> Iterator[bytes]:
    """The rows as CSV, in which only what is absent is empty without quotes."""
    from pyarrow import csv

    for batch in rows.iter_batches(batch_size=20_000):
        block = BytesIO()
        csv.write_csv(batch, block, csv.WriteOptions(include_header=False, quoting_style="needed"))
        yield block.getvalue()


HOMES: dict[str, Callable[[Address, Path], Tables]] = {"duckdb": _duckdb, "spark": _spark}
LOADS: dict[str, Callable[[Address, SQLBackend, str, Path], None]] = {"postgres": _load_postgres}
