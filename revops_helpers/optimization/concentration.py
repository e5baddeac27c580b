"""Where a driver's shortfall sits: its members by any cut, each against the plan, in money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pandas as pd

from revops_helpers.metrics.measure import measure
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.optimization.drivers import SIGNS
from revops_helpers.optimization.target_gap import Gap, GapDriver
from revops_helpers.periods import Period, fiscal_year_start

# What the members of each driver weigh, so that the weighted members make up the driver; its own records where none is named.
WEIGHTS = {
    "lead_to_opportunity": "leads",
    "decided_share": "opportunities_opened",
    "win_rate": "",
    "live_share": "new_arr_won",
}


@dataclass(frozen=True)
class Concentration:
    """One driver's effect on the gap, split over the members of a cut.

    members: one row per member: member, n (records), share (of the driver's weight), value with low and high, effect with
        effect_low and effect_high (cents; the members' effects sum to the driver's), status and reason. Those with enough
        records come first, the largest loss first; the others follow and are not ranked.
    ranked: how many rows are ranked. worst: the first of them when its loss is clear of zero, else None.
    """

    driver: GapDriver
    dimension: str
    members: pd.DataFrame
    ranked: int
    worst: str | None


def concentration(company: Company, gap: Gap, driver_id: str, dimension: str) -> Concentration:
    """Split a driver's effect by a cut such as segment or source: each member counts with its weight × (its value − the plan).

    All members are held against the one plan of the company, so a member that always is below it shows here too; whether it
    changed is what `mix` tells. Unavailable when the driver is a total or an average amount (where members differ by nature),
    did not move, or cannot be measured by that cut.
    """
    driver = gap.driver(driver_id)
    if driver_id not in WEIGHTS and driver_id not in SIGNS:
        raise Unavailable([f"a rate; {driver_id} is none"])
    rows = measure(company, driver_id, by=dimension, period=gap.period).set_index("member")
    weights = _weights(company, driver_id, dimension, gap.period, rows)
    rows = rows.assign(weight=weights.reindex(rows.index).fillna(0))
    rows = rows[rows.value.notna() & (rows.weight > 0)]
    if rows.empty or not driver.effect.value:
        raise Unavailable([f"a measured {driver_id} by {dimension}"])
    share = rows.weight / rows.weight.sum()
    cents = driver.effect.value / float((share * (rows.value - driver.plan)).sum())
    ends = [share * (rows[end] - driver.plan) * cents for end in ("low", "high")]
    members = pd.DataFrame(
        {
            "n": rows.n,
            "share": share,
            "value": rows.value,
            "low": rows.low,
            "high": rows.high,
            "effect": share * (rows.value - driver.plan) * cents,
            "effect_low": ends[cents < 0],
            "effect_high": ends[cents >= 0],
            "status": rows.status,
            "reason": rows.reason,
        }
    ).rename_axis("member")
    members = members.assign(few=members.status != "ok").reset_index().sort_values(["few", "effect", "member"], ignore_index=True)
    ranked = int((~members.few).sum())
    first = members.iloc[0]
    worst = str(first.member) if ranked and first.effect_high < 0 else None
    return Concentration(driver, dimension, members.drop(columns="few"), ranked, worst)


def _weights(company: Company, driver_id: str, dimension: str, period: Period, rows: pd.DataFrame) -> pd.Series:
    """Member → weight."""
    if driver_id in SIGNS:
        eve = fiscal_year_start(period.start, company.settings.fiscal_year_start) - timedelta(days=1)
        return measure(company, "arr", by=dimension, period=Period(eve, eve)).set_index("member").value
    if metric := WEIGHTS[driver_id]:
        return measure(company, metric, by=dimension, period=period).set_index("member").value
    return rows.n.astype(float)
