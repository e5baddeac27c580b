"""Writes the sample company: as canonical tables, or as the exports of its systems with company.yml and truth.json."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from revops_helpers.model.tables import TABLES
from revops_helpers.sample.agreement import agreement
from revops_helpers.sample.simulation import Simulation


def write_canonical(simulation: Simulation, folder: Path) -> None:
    """Every table as `tables/<table>.parquet` (money in major units, naive UTC times) with a company.yml that says so."""
    target = folder / "tables"
    target.mkdir(parents=True, exist_ok=True)
    for name, table in simulation.tables.items():
        arrays = {c: _array(table[c], TABLES[name][c].type) for c in table.columns}
        pq.write_table(pa.table(arrays), target / f"{name}.parquet")
    (folder / "company.yml").write_text(
        agreement("sources:\n  tables:\n    path: tables\n    time_zone: UTC\n"), encoding="utf-8"
    )


def _array(values: pd.Series, kind: str) -> pa.Array:
    if kind == "money":
        return pa.array(values.to_numpy(dtype="float64") / 100)
    if kind == "date":
        return pa.array(values).cast(pa.date32())
    if kind == "time":
        return pa.array(values).cast(pa.timestamp("s"))
    if kind == "text":
        return pa.array(values.astype("str")).cast(pa.string())
    return pa.array(values)
