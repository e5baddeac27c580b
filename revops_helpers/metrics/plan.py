"""What was planned: targets of a metric, or of a driver of the plan, over any period."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from revops_helpers.measurement import Measurement
from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.metrics.metric import Metric
from revops_helpers.model.company import Company
from revops_helpers.periods import Period


def target(company: Company, id: str, period: Period | None = None) -> Measurement | None:
    """The target of a metric over a period (the company's when none is given), from `targets`; None where the plan is silent.

    The plan's rows that tile the period count, the shortest first. Additive metrics add them up, stocks take the last, others
    average them by days. With a segment the segment's own rows count. Money comes back in cents.
    """
    if company.missing(["targets"]):
        return None
    metric = catalogue()[id]
    rows = company.once("targets", lambda: _plan(company))
    rows = rows[(rows.metric == id) & (rows.segment == (company.segment or ""))]
    chosen = _tiles(rows, period or company.period)
    if chosen is None:
        return None
    value = _over(metric, chosen)
    money = metric.unit == "money"
    return Measurement(
        value=round(value * 100) if money else value,
        n=len(chosen),
        unit=metric.unit,
        currency=company.settings.currency if money else None,
        definition_id=id,
    )


def planned_periods(company: Company, id: str) -> list[tuple[Period, float]]:
    """The periods for which a metric has a target (of the segment, or the whole company), oldest first, each with it (money in
    cents). A period that holds another one is left out: the shortest count."""
    if company.missing(["targets"]):
        return []
    rows = company.once("targets", lambda: _plan(company))
    rows = rows[(rows.metric == id) & (rows.segment == (company.segment or ""))]
    scale = 100 if catalogue()[id].unit == "money" else 1
    found = [(Period(row.start, row.end), float(row.value) * scale) for row in rows.itertuples()]
    every = [period for period, _goal in found]
    return [(p, goal) for p, goal in found if not any(o != p and p.start <= o.start and o.end <= p.end for o in every)]


def _plan(company: Company) -> pd.DataFrame:
    """metric, segment ("" for the whole), start, end, days, value."""
    rows = company.table("targets").to_pandas()
    start, end = (pd.to_datetime(rows[name]) for name in ("period_start", "period_end"))
    segment = rows.segment.fillna("") if "segment" in rows.columns else ""
    rows = rows.assign(segment=segment, start=start.dt.date, end=end.dt.date, days=(end - start).dt.days + 1)
    return rows[["metric", "segment", "start", "end", "days", "value"]].sort_values(["start", "days"], ignore_index=True)


def _tiles(rows: pd.DataFrame, period: Period) -> pd.DataFrame | None:
    """The rows that cover the period day by day, none twice, the shortest first; None when there are none."""
    following = period.start
    chosen = []
    for row in rows.itertuples():
        if row.start == following and row.end <= period.end:
            chosen.append(row.Index)
            following = row.end + timedelta(days=1)
    return rows.loc[chosen] if following == period.end + timedelta(days=1) and chosen else None


def _over(metric: Metric, rows: pd.DataFrame) -> float:
    if metric.additive:
        return float(rows.value.sum())
    if metric.stock:
        return float(rows.value.iloc[-1])
    return float((rows.value * rows.days).sum() / rows.days.sum())
