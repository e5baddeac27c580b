"""Where a company's accepted rows lie for the engine that measures them: ingest writes Parquet once, whatever the engine.

DuckDB and Spark read it in place. Every other engine gets the tables once per fingerprint, in a schema of their own that appears
whole or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
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
LOADED = "RevOps Workbook, loaded "  # what the comment of such a schema begins with; the day follows
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


def engine_of(asked: str | None, settings: Settings | None) -> Address:
    """The engine that measures: what is asked for, else REVOPS_ENGINE, else company.yml's, else DuckDB."""
    agreed = settings.engine if settings else ""
    address = address_of(asked or os.environ.get("REVOPS_ENGINE") or agreed or "duckdb://")
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
                cursor.execute(f"COMMENT ON SCHEMA {identifier(schema)} IS {quoted(LOADED + str(datetime.now(UTC).date()))}")
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


# ---- what was loaded, for those who have to forget it


@dataclass(frozen=True)
class Schema:
    """One company's tables on an engine that they were loaded to, and the day of it."""

    address: Address
    name: str
    since: date

    def __str__(self) -> str:
        return f"{self.address}, schema {self.name}"


def schemas(address: Address) -> list[Schema]:
    """What was loaded to an engine, known by its name and comment. InputError when the engine cannot be used."""
    if address.scheme not in LOADS:
        return []
    asked = "SELECT nspname, obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE starts_with(nspname, %s) ORDER BY 1"
    with _connected(address) as backend:
        rows = backend.con.execute(asked, (PREFIX,)).fetchall()
    return [
        Schema(address, name, date.fromisoformat(said[len(LOADED) :])) for name, said in rows if (said or "").startswith(LOADED)
    ]


@contextmanager
def texts_in(schema: Schema) -> Iterator[tuple[SQLBackend, dict[str, list[str]]]]:
    """A connection to a schema's engine, and the text columns of its tables."""
    asked = (
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = %s AND data_type = 'text' ORDER BY 1, 2"
    )
    with _connected(schema.address) as backend:
        found: dict[str, list[str]] = {}
        for table, column in backend.con.execute(asked, (schema.name,)).fetchall():
            found.setdefault(table, []).append(column)
        yield backend, found


def dropped(schema: Schema) -> bool:
    """Drop the schema; whether it was still there. InputError when that is not allowed."""
    if schema not in schemas(schema.address):
        return False
    with _connected(schema.address) as backend:
        backend.con.execute(f"DROP SCHEMA {identifier(schema.name)} CASCADE")
        backend.con.commit()
    return True


@contextmanager
def _connected(address: Address) -> Iterator[SQLBackend]:
    """A connection for as long as the block; what its engine refuses is one line."""
    import psycopg

    backend = connect(address)
    try:
        yield backend
    except psycopg.Error as error:
        raise InputError(f"{address}: {one_line(error)}") from None
    finally:
        backend.disconnect()


HOMES: dict[str, Callable[[Address, Path], Tables]] = {"duckdb": _duckdb, "spark": _spark}
LOADS: dict[str, Callable[[Address, SQLBackend, str, Path], None]] = {"postgres": _load_postgres}
