"""What a change of an agreement did: response and handoff before and after it began, beside those it was not meant for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import ibis
import pandas as pd

from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.methods import intervals
from revops_helpers.metrics import estimate
from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.metrics.counting import absent, lacking
from revops_helpers.metrics.dimensions import DIMENSIONS, add_dimension, in_segment
from revops_helpers.metrics.metric import Metric
from revops_helpers.metrics.reasons import N_
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company
from revops_helpers.periods import Period

NEEDS = (*("initiatives.starts_on", "initiatives.metric"), "initiatives.treated_dimension", "initiatives.treated_value")
LONGEST, SHORTEST = 182, 28  # days on each side of the change
# What a change of an agreement can be about here, and what else then is looked at.
ABOUT = {
    "time_to_first_contact": ("time_to_first_contact_at_work", "contacted_within_sla"),
    "time_to_first_contact_at_work": ("contacted_within_sla",),
    "contacted_within_sla": ("time_to_first_contact_at_work",),
    "never_contacted": (),
    "handoff_completion": ("handoff_on_time",),
    "handoff_on_time": (),
    "time_to_first_value": (),
}
TREATED, OTHERS = "treated", "others"
TOO_SOON = N_("fewer than 28 days on one side of the change")


@dataclass(frozen=True)
class Change:
    """One metric around one change. before, after: of those it was meant for, over the same number of days on each side.

    effect: after ÷ before for a time (unit ratio), after − before for a share (unit points). others: the same for everybody
    else; beyond: the effect beyond theirs. not_applicable where a side has no value.
    """

    initiative: str
    name: str
    starts_on: date
    dimension: str
    treated: str
    metric: str
    days: int
    before: Measurement
    after: Measurement
    effect: Measurement
    others: Measurement
    beyond: Measurement


def changes(company: Company) -> list[Change]:
    """Every change on record that is about response or handoffs, oldest first. Unavailable without initiatives."""
    company.require(NEEDS)
    rows = company.table("initiatives")
    rows = rows.filter(rows.metric.isin(list(ABOUT)), rows.treated_dimension.isin(list(DIMENSIONS)))
    rows = rows.order_by(["starts_on", "initiative_id"]).to_pandas()
    found = []
    for row in rows.itertuples():
        metrics = [catalogue()[id] for id in (row.metric, *ABOUT[row.metric])]
        found += [_change(company, row, metric) for metric in metrics if not absent(company, metric, row.treated_dimension)]
    return found


def _change(company: Company, row, metric: Metric) -> Change:
    start = pd.Timestamp(row.starts_on).date()
    begun = max((company.settings.records_start.get(need.partition(".")[0], date.min) for need in metric.needs), default=date.min)
    days = min((company.as_of - start).days + 1, LONGEST, (start - max(begun, date(1900, 1, 1))).days)
    name = row.name if "name" in row._fields and isinstance(row.name, str) else row.initiative_id
    of = (row.initiative_id, name, start, row.treated_dimension, row.treated_value, metric.id, days)
    nothing = not_applicable(TOO_SOON, unit=metric.unit)
    if days < SHORTEST:
        return Change(*of, *[nothing] * 5)
    spans = (Period(start - timedelta(days=days), start - timedelta(days=1)), Period(start, start + timedelta(days=days - 1)))
    windows = Windows.of(company.settings, spans)
    if why := lacking(company, metric, row.treated_dimension, windows=windows):
        return Change(*of, *[not_applicable(why, unit=metric.unit)] * 5)
    found = _sides(company, metric, windows, row.treated_dimension, row.treated_value)
    before, after = found.get((0, TREATED), nothing), found.get((1, TREATED), nothing)
    effect = _moved(before, after, metric)
    others = _moved(found.get((0, OTHERS), nothing), found.get((1, OTHERS), nothing), metric)
    return Change(*of, before, after, effect, others, _beyond(effect, others))


def _sides(company: Company, metric: Metric, windows: Windows, dimension: str, treated: str) -> dict:
    """(window, treated or others) → Measurement."""
    facts = in_segment(company, metric.facts(company, windows))
    facts = add_dimension(company, facts, dimension)
    facts = facts.mutate(member=ibis.ifelse(facts.member == treated, TREATED, OTHERS))
    rows = estimate.finish(estimate.statistics(facts, [metric]).to_pandas(), metric, company.settings)
    return {(row.window, row.member): _measurement(row, metric) for row in rows.itertuples()}


def _measurement(row, metric: Metric) -> Measurement:
    value, low, high = (None if pd.isna(x) else float(x) for x in (row.value, row.low, row.high))
    return Measurement(value, int(row.n), low, high, row.status, row.reason, metric.unit, definition_id=metric.id)


def _whole(*sides: Measurement) -> str:
    """Why two sides cannot be compared; empty when they can."""
    for side in sides:
        if side.value is None or side.status != "ok" or side.low is None or side.high is None:
            return side.reason or N_("no interval")
    return ""


def _moved(before: Measurement, after: Measurement, metric: Metric) -> Measurement:
    unit = "points" if metric.unit == "percent" else "ratio"
    if why := _whole(before, after):
        return not_applicable(why, unit=unit)
    n = before.n + after.n
    if unit == "points":
        return _difference(after, before, n)
    return _quotient(after, before, n)


def _beyond(effect: Measurement, others: Measurement) -> Measurement:
    if why := _whole(effect, others):
        return replace(effect, value=None, low=None, high=None, status="not_applicable", reason=why)
    n = effect.n + others.n
    return _difference(effect, others, n) if effect.unit == "points" else _quotient(effect, others, n)


def _difference(a: Measurement, b: Measurement, n: int) -> Measurement:
    low, high = intervals.total(a.value, (a.low, a.high), -b.value, (-b.high, -b.low))
    return Measurement(a.value - b.value, n=n, low=float(low), high=float(high), unit="points", definition_id=a.definition_id)


def _quotient(a: Measurement, b: Measurement, n: int) -> Measurement:
    if not b.low > 0 or not a.low > 0:
        return not_applicable(N_("an interval that reaches zero"), unit="ratio")
    low, high = intervals.product(a.value, (a.low, a.high), 1 / b.value, (1 / b.high, 1 / b.low))
    return Measurement(a.value / b.value, n=n, low=float(low), high=float(high), unit="ratio", definition_id=a.definition_id)
