"""Four-row companies for tests: canonical rows in memory, no files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

import ibis
import pandas as pd
import pyarrow as pa

from revops_helpers.model.company import Company
from revops_helpers.model.tables import TABLES
from revops_helpers.settings import Settings

ARROW = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "money": pa.int64(),
    "flag": pa.bool_(),
    "date": pa.date32(),
    "time": pa.timestamp("us"),
}


def table_of(name: str, rows: list[dict]) -> ibis.Table:
    """A lazy canonical table of the rows; money in cents; dates and times as ISO text or Python values."""
    spec = TABLES[name]
    names = [c.name for c in spec.columns if any(c.name in row for row in rows)] or [c.name for c in spec.columns]
    arrays, fields = [], []
    for column in names:
        kind = ARROW[spec[column].type]
        values = [row.get(column) for row in rows]
        if spec[column].type == "date":
            values = [None if v is None else pd.Timestamp(v).date() for v in values]
        if spec[column].type == "time":
            values = [None if v is None else pd.Timestamp(v).to_pydatetime() for v in values]
        arrays.append(pa.array(values, type=kind))
        fields.append(pa.field(column, kind))
    return ibis.memtable(pa.Table.from_arrays(arrays, schema=pa.schema(fields)))


def company_of(as_of: str | date = "2026-09-30", settings: dict | None = None, period_name="ytd", **tables) -> Company:
    """A Company of in-memory tables: company_of(opportunities=[{...}, ...], as_of="2026-03-31")."""
    agreed = Settings(**{"name": "Test S.A.", "currency": "BRL", **(settings or {})})
    day = date.fromisoformat(as_of) if isinstance(as_of, str) else as_of
    accepted = {name: table_of(name, rows) for name, rows in tables.items()}
    return Company(settings=agreed, as_of=day, accepted=accepted, period_name=period_name)


def answered(company: Company, results: Mapping[Callable, object]) -> Company:
    """The company with the results of its analyses given: `company.ask(analysis)` returns results[analysis]."""
    return replace(company, _made=dict(results))
