"""From which day each accepted row is known, and where the data lies in time: small frames by day, made once at ingest.

The ledger of any as-of date is summed from them, apart from the filter in model.as_of that says the same of the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from revops_helpers.model.formats import identifier, quoted
from revops_helpers.model.tables import Column, Table

if TYPE_CHECKING:
    import duckdb


def _quarter_hour(column: Column) -> str:
    """A time by its quarter of an hour (time zones differ by whole ones), so that few values are taken to the company's zone."""
    x = identifier(column.name)
    return f"time_bucket(INTERVAL 15 MINUTE, {x}) AS {x}" if column.type == "time" else x


def _day_of(column: Column, zone: str) -> str:
    x = identifier(column.name)
    return f"CAST(timezone('{zone}', timezone('UTC', {x})) AS DATE)" if column.type == "time" else x


def known_days(
    connection: duckdb.DuckDBPyConnection, spec: Table, columns: Sequence[Column], file: Path, zone: str
) -> pd.DataFrame:
    """table, source, unit, day, accepted: rows, and money in cents, by the first day from whose end on a row is known.

    The day is empty for rows that are always known.
    """
    stamps = [spec[name] for name in spec.stamp if spec[name] in columns]
    days = [_day_of(stamp, zone) for stamp in stamps]
    day = f"coalesce({', '.join(days)})" if days else "NULL::DATE"
    if spec.covers and days:
        day = f"CAST({days[0]} + INTERVAL 1 {spec.covers} - INTERVAL 1 DAY AS DATE)"
    has_money = any(column.name == spec.money for column in columns)
    money = f"coalesce(sum({identifier(spec.money)}), 0)::BIGINT" if has_money else "0"
    inner = ", ".join(["_source", "_unit", *map(_quarter_hour, stamps)])
    counted = f"SELECT {inner}, count(*) AS _rows, {money} AS _money FROM read_parquet({quoted(file)}) GROUP BY ALL"
    units = [("'rows'", "_rows")] + ([("_unit", "_money")] if has_money else [])
    what = f'{quoted(spec.name)} AS "table", _source AS source'
    selects = (
        f"SELECT {what}, {unit} AS unit, {day} AS day, sum({total})::BIGINT AS accepted FROM counted GROUP BY ALL"
        for unit, total in units
    )
    return connection.execute(f"WITH counted AS ({counted}) {' UNION ALL '.join(selects)} ORDER BY ALL").df()


def moments(connection: duckdb.DuckDBPyConnection, spec: Table, columns: Sequence[Column], file: Path, zone: str) -> pd.DataFrame:
    """table, day, rows: how many moments that a system stamped lie on each day, of the row itself and of its later life."""
    stamped = [c for c in columns if c.type == "time" and (c.stamped or c.name in spec.stamp)]
    selects = [
        f"SELECT {_day_of(c, zone)} AS day, _rows FROM "
        f"(SELECT {_quarter_hour(c)}, count(*) AS _rows FROM read_parquet({quoted(file)}) GROUP BY ALL)"
        for c in stamped
    ] or ["SELECT NULL::DATE AS day, 0 AS _rows"]
    return connection.execute(
        f'SELECT {quoted(spec.name)} AS "table", day, sum(_rows)::BIGINT AS rows FROM ({" UNION ALL ".join(selects)}) '
        "WHERE day IS NOT NULL GROUP BY ALL ORDER BY ALL"
    ).df()
