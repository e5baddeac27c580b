"""The metric layer against hand-written SQL and pandas: the same results from the same Parquet, checked equal, timed in turns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd

from benchmarks import by_hand
from benchmarks.timing import Row, medians
from revops_helpers.ingest import cache_folder
from revops_helpers.metrics.measure import measure
from revops_helpers.workspace import open_company

MOVEMENTS = [
    "net_new_arr",
    *(f"{name}_arr" for name in ("new", "reactivation", "expansion", "indexation", "contraction")),
    "churned_arr",
]
RETENTION = ["nrr", "grr", "logo_churn"]
FUNNEL = ["leads", "lead_to_won", "lead_conversion_90d"]


def run(folder: Path, turns: int = 5) -> list[Row]:
    """Ratios on the sample company in `folder`, ingested first where it is not yet. AssertionError when results differ."""
    company = open_company(folder, as_of=date(2026, 9, 30), period="t12m")
    parquet = cache_folder() / company.fingerprint
    execute = company.table("accounts").get_backend().raw_sql

    def ours(ids: list[str], **how) -> Callable[[], pd.DataFrame]:
        return lambda: measure(company.on(company.as_of), ids, **how)

    cases = {
        "MRR movements, 12 months": (ours(MOVEMENTS, every="month"), by_hand.movements, by_hand.movements_in_pandas, MOVEMENTS),
        "NRR, GRR and logo churn, 12 months": (ours(RETENTION, every="month"), by_hand.retention, None, RETENTION),
        "funnel by source": (ours(FUNNEL, by="source"), by_hand.funnel, by_hand.funnel_in_pandas, FUNNEL),
        "win rate by segment and quarter": (ours(["win_rate"], by="segment", every="quarter"), by_hand.won, None, ["win_rate"]),
    }
    rows: list[Row] = []
    for name, (layer, sql, pandas, columns) in cases.items():
        rows += _compared(
            name, layer, lambda sql=sql: sql(execute, parquet), pandas and (lambda p=pandas: p(parquet)), columns, turns
        )
    return rows


def _compared(name, layer, sql, pandas, columns: list[str], turns: int) -> list[Row]:
    found = layer()
    ways = {"ours": layer, "sql": sql} | ({"pandas": pandas} if pandas else {})
    for way in list(ways.values())[1:]:
        other = way()
        assert by_hand.equal(found, pd.concat([other[column] for column in columns])), f"{name}: the results differ"
    seconds = medians(ways, turns)
    rows = [Row(f"{name} / hand-written DuckDB SQL", seconds["ours"], seconds["sql"], "s", "≤ 1.20")]
    if pandas:
        bound = "≤ 0.50" if name.startswith("MRR") else "≤ 0.67"
        rows.append(Row(f"{name} / pandas", seconds["ours"], seconds["pandas"], "s", bound))
    return rows
