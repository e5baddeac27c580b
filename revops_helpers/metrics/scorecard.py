"""The scorecard: each metric now, a year before, against its target and month by month, judged by its whole interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from revops_helpers.measurement import Measurement
from revops_helpers.metrics.measure import as_measurement, catalogue, measured, target
from revops_helpers.metrics.metric import Metric
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company
from revops_helpers.periods import Period, add_months, month_end, month_start

Standing = Literal["on_target", "behind", "within_noise", "too_few", "censored", "partial", "not_applicable", "no_target"]


@dataclass(frozen=True)
class ScorecardRow:
    """One metric of the scorecard. `year_before` is the same months a year earlier; `trend` the months to the period's end."""

    metric: Metric
    now: Measurement
    year_before: Measurement
    target: Measurement | None
    trend: tuple[Measurement, ...]
    standing: Standing


def scorecard(company: Company, ids: Sequence[str], months: int = 12) -> list[ScorecardRow]:
    """A row for each metric, in the order given. KeyError for an unknown metric."""
    now, before = company.period, company.period.year_before()
    settings = company.settings
    beside = measured(company, list(ids), (), Windows.of(settings, (now, before)))
    last = month_end(now.end) if now.end == month_end(now.end) else month_start(now.end) - timedelta(days=1)
    span = Period(add_months(month_start(last), 1 - months), last)
    monthly = measured(company, list(ids), (), Windows.of(settings, span, "month"))
    rows = []
    for id in ids:
        here = [as_measurement(row) for _, row in beside[beside.metric == id].iterrows()]
        trend = tuple(as_measurement(row) for _, row in monthly[monthly.metric == id].iterrows())
        goal = target(company, id)
        metric = catalogue()[id]
        rows.append(ScorecardRow(metric, here[0], here[-1], goal, trend, standing(metric, here[0], goal)))
    return rows


def standing(metric: Metric, value: Measurement, goal: Measurement | None) -> Standing:
    """Behind only when the whole interval misses the target, on target only when the whole interval meets it."""
    if value.value is None:
        return "not_applicable" if value.status == "not_applicable" else "partial"
    if value.status != "ok":
        return {"insufficient": "too_few", "censored": "censored", "partial": "partial", "not_applicable": "not_applicable"}[
            value.status
        ]
    if goal is None or goal.value is None or metric.direction == "neither":
        return "no_target"
    ends = [value.value if end is None else end for end in (value.low, value.high)]
    sign = 1 if metric.direction == "higher" else -1
    worst, best = sorted(sign * end for end in ends)
    aim = sign * goal.value
    return "on_target" if worst >= aim else "behind" if best < aim else "within_noise"
