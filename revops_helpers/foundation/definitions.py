"""Do we agree on what we measure? What each team has reported, against the catalogue's number for the same quarter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pandas as pd

from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.metrics.measure import catalogue, measurement
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import Period, add_months, start_of

SAME = 0.02  # a claim this near to the catalogue's number agrees with it


@dataclass(frozen=True)
class Claim:
    """One reported number. claimed is in the metric's unit (money in cents); ours is the catalogue's over the same quarter."""

    team: str
    metric: str
    period: Period
    claimed: float
    ours: Measurement
    words: str

    @property
    def agrees(self) -> bool | None:
        """Whether the claim lies within SAME of ours, or inside its interval; None where there is no number of ours."""
        if self.ours.value is None:
            return None
        inside = None not in (self.ours.low, self.ours.high) and self.ours.low <= self.claimed <= self.ours.high
        return inside or abs(self.claimed - self.ours.value) <= SAME * abs(self.ours.value)


def claims(company: Company) -> tuple[Claim, ...]:
    """Every claim of the newest reported quarter, by metric and team. Unavailable without claims.

    A claim states only the first day of its period: it is taken to be of the fiscal quarter that this day is in. A name that is
    neither an id nor a label of the catalogue has no number of ours.
    """
    company.require(["metric_claims.value", "metric_claims.period_start"])
    rows = company.table("metric_claims").execute().dropna(subset=["value"])
    if rows.empty:
        raise Unavailable(["metric_claims.value"])
    known = {name.lower(): metric.id for metric in catalogue().values() for name in (metric.id, metric.label)}
    first_month = company.settings.fiscal_year_start
    starts = [start_of("quarter", pd.Timestamp(day).date(), first_month) for day in rows.period_start]
    rows = rows.assign(quarter=starts).query("quarter == quarter.max()").sort_values(["metric", "team"])
    return tuple(_claim(company, row, known.get(str(row.metric).lower())) for row in rows.itertuples())


def _claim(company: Company, row, metric: str | None) -> Claim:
    period = Period(row.quarter, add_months(row.quarter, 3) - timedelta(days=1))
    words = getattr(row, "definition", None)
    ours = measurement(company, metric, period) if metric else not_applicable("the catalogue has no such measure")
    scale = 100 if ours.unit == "money" else 1
    return Claim(row.team, row.metric if metric is None else metric, period, float(row.value) * scale, ours, words or "")
