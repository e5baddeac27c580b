"""The metric layer against hand-written SQL and pandas: the same results from the same Parquet, checked equal, timed in turns."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pandas as pd

from benchmarks import by_hand
from benchmarks.timing import Row, against, medians, spent
from revops_helpers.ingest import cache_folder
from revops_helpers.metrics.measure import measure
from revops_helpers.model.company import Company
from revops_helpers.workspace import open_company

Way = Callable[[], pd.DataFrame]
MOVEMENTS = [
    "net_new_arr",
    *(f"{name}_arr" for name in ("new", "reactivation", "expansion", "indexation", "contraction")),
    "churned_arr",
]
RETENTION = ["nrr", "grr", "logo_churn"]
FUNNEL = ["leads", "lead_won_180d", "lead_conversion_90d"]
CREDIT = ["first_touch_won", "last_touch_won", "linear_won"]
BOUNDS = {"MRR movements, 12 months": "≤ 0.50", "attribution by channel": "≤ 0.50", "funnel by source": "≤ 0.67"}
ASKED = {
    "MRR movements, 12 months": (MOVEMENTS, {"every": "month"}),
    "NRR, GRR and logo churn, 12 months": (RETENTION, {"every": "month"}),
    "funnel by source": (FUNNEL, {"by": "source"}),
    "win rate by segment and quarter": (["win_rate"], {"by": "segment", "every": "quarter"}),
    "attribution by channel": (CREDIT, {"by": "channel"}),
}


def opened(folder: Path) -> Company:
    """The company without a shelf: nothing that was counted before is taken from there."""
    return replace(open_company(folder, as_of=date(2026, 9, 30), period="t12m"), shelf=None)


def run(folder: Path, turns: int = 5) -> list[Row]:
    """Ratios on the sample company in `folder`, ingested first where it is not yet. AssertionError when results differ."""
    me = [sys.executable, "-m", "benchmarks.metrics", str(folder)]
    spent([*me, "open"])  # ingest, where it is not there yet
    rows = [Row("peak memory of the metric layer / 4 GB", spent(me).megabytes, 4096, "MB", "< 1.00")]
    company = opened(folder)
    parquet = cache_folder() / company.fingerprint
    execute = company.table("accounts").get_backend().raw_sql

    by_name = {
        "MRR movements, 12 months": (by_hand.movements, by_hand.movements_in_pandas),
        "NRR, GRR and logo churn, 12 months": (by_hand.retention, None),
        "funnel by source": (by_hand.funnel, by_hand.funnel_in_pandas),
        "win rate by segment and quarter": (by_hand.won, None),
        "attribution by channel": (by_hand.credit, by_hand.credit_in_pandas),
    }
    for name, (sql, pandas) in by_name.items():
        in_pandas = pandas and partial(pandas, parquet)
        rows += _compared(name, partial(ours, company, name), partial(sql, execute, parquet), in_pandas, turns)
    return rows


def ours(company: Company, name: str) -> pd.DataFrame:
    """The layer's answer, measured anew: nothing kept from an earlier turn."""
    ids, how = ASKED[name]
    return measure(company.on(company.as_of), ids, **how)


def _compared(name: str, layer: Way, sql: Way, pandas: Way | None, turns: int) -> list[Row]:
    found = layer()
    ways = {"ours": layer, "sql": sql} | ({"pandas": pandas} if pandas else {})
    for way in list(ways.values())[1:]:
        other = way()
        assert by_hand.equal(found, pd.concat([other[column] for column in ASKED[name][0]])), f"{name}: the results differ"
    used = medians(ways, turns)
    rows = [against(f"{name} / hand-written DuckDB SQL", used["ours"], used["sql"], "≤ 1.20")]
    return rows + ([against(f"{name} / pandas", used["ours"], used["pandas"], BOUNDS[name])] if pandas else [])


if __name__ == "__main__":
    there = opened(Path(sys.argv[1]))
    for asked in ASKED if len(sys.argv) == 2 else ():
        ours(there, asked)
