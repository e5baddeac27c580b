"""How far from plan, and why: the gap in net new ARR split over its drivers, in money.

The identity: net new ARR = leads × lead_to_opportunity × decided_share × win_rate × deal_size × live_share
+ opening ARR × (expansion + indexation + reactivation − contraction − churn). It holds for the actual numbers because
each driver is measured over the same period and the ratios telescope; what does not is shown as a line of its own.
A company that lacks tables has fewer drivers: no leads, then the deals opened are the first; no deals, then new ARR is one
driver; no subscriptions, then the outcome is the ARR won.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd

from revops_helpers.finding import Finding
from revops_helpers.measurement import Measurement
from revops_helpers.methods.decomposition import propagate, shapley
from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.metrics.measure import measure
from revops_helpers.metrics.plan import target
from revops_helpers.metrics.reasons import N_
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.optimization.drivers import (
    SIGNS,
    Basis,
    Compared,
    Group,
    compare,
    drivers_of,
    group_of,
    identity_of,
    number,
    opening_arr,
)
from revops_helpers.periods import Period, add_months, fiscal_year_start, month_end, windows


@dataclass(frozen=True)
class GapDriver:
    """One driver: what was planned (or was, a year before), what it is, and what the difference did to the outcome in cents.

    basis: where `plan` comes from; `none` when there is neither a plan nor a year before, and then the effect is 0 and
    not_applicable, as it is where the driver itself has no value (no deal won: no deal size).
    """

    id: str
    label: str
    group: Group
    unit: str
    plan: float
    actual: Measurement
    effect: Measurement
    basis: Basis = "plan"

    @property
    def shortfall(self) -> bool:
        """Whether the driver has cost the outcome something beyond noise."""
        return bool(self.effect.value) and self.effect.value < 0 and self.effect.clear_of(0)


@dataclass(frozen=True)
class Gap:
    """The gap of a period; money in cents.

    plan + plan_mismatch + the drivers' effects + unexplained = actual, to the cent.
    basis: `plan`, or `last_year` when neither the total nor any driver has a plan. outcome: the metric that the plan is
        about: net_new_arr, or new_arr_won in a company without subscriptions.
    plan_mismatch: what the planned drivers make beyond the planned total. unexplained: what the outcome is beyond what the
        actual drivers make. opening_arr: ARR before the fiscal year, on which the retention shares count.
    progress: one row per month of the fiscal year: month (its last day), plan and actual, both cumulative from the start of
        the year; no value where there is no plan or the month is not over.
    """

    period: Period
    basis: Basis
    outcome: str
    plan: Measurement
    actual: Measurement
    drivers: tuple[GapDriver, ...]
    subtotals: Mapping[str, Measurement]
    plan_mismatch: Measurement
    unexplained: Measurement
    opening_arr: float
    progress: pd.DataFrame

    @property
    def difference(self) -> Measurement:
        """Actual minus plan, exact; below zero is behind."""
        return replace(self.actual, value=round(self.actual.value - self.plan.value), low=None, high=None)

    @property
    def per_year(self) -> float:
        """What turns an effect in the period into one over twelve months: 12 ÷ the months of the period."""
        first, last = self.period.start, self.period.end
        return 12 / ((last.year - first.year) * 12 + last.month - first.month + 1)

    def driver(self, driver_id: str) -> GapDriver:
        """KeyError when the gap has no such driver."""
        return {driver.id: driver for driver in self.drivers}[driver_id]

    def shortfalls(self) -> list[GapDriver]:
        """The drivers that have cost something beyond noise, the largest loss first."""
        return sorted((d for d in self.drivers if d.shortfall), key=lambda d: (d.effect.value, d.id))

    def stake(self, driver_id: str) -> Measurement:
        """Net new ARR over the next twelve months of bringing one driver back to plan: minus its effect, scaled to a year.

        It takes the next twelve months to go on as the period went, and so claims nothing about how fast a driver recovers.
        """
        return scaled(self.driver(driver_id).effect, -self.per_year)


def scaled(amount: Measurement, factor: float) -> Measurement:
    """The money times a factor, in whole cents; the interval is turned round when the factor is negative."""
    if amount.value is None:
        return amount
    low, high = (None if end is None else end * factor for end in (amount.low, amount.high))
    low, high = (low, high) if factor >= 0 else (high, low)
    return replace(amount, value=round(amount.value * factor), low=low, high=high)


def gap_to_plan(company: Company) -> Gap:
    """The gap of the period under review. Unavailable when there is no outcome, or neither a plan nor a year before."""
    chain, retention = drivers_of(company)
    outcome = "net_new_arr" if retention else "new_arr_won"
    period, before = company.period, company.period.year_before()
    compared = compare(company, (*chain, *retention, outcome), period)
    total, actual, whence = compared.pop(outcome)
    if actual.value is None:
        raise Unavailable([f"{outcome} of the period: {actual.reason}"])
    bases = {whence, *(basis for _, _, basis in compared.values())}
    if bases == {"none"}:
        raise Unavailable(["targets"])
    opened = opening_arr(company, period) if retention else Measurement(0)
    opening = number(opened)
    basis = "plan" if "plan" in bases else "last_year"
    if whence == "last_year" == basis and retention:
        compared["opening_arr"] = (opening_arr(company, before), opened, "last_year")
    plan = replace(actual, value=round(number(total)), status="ok", reason="") if whence == basis else None
    return assemble(period, basis, compared, actual, plan, opening, _progress(company, outcome))


def assemble(
    period: Period,
    basis: Basis,
    compared: Mapping[str, Compared],
    actual: Measurement,
    plan: Measurement | None,
    opening: float,
    progress: pd.DataFrame,
) -> Gap:
    """The gap from what was measured: arithmetic only. plan: of the outcome; None when only drivers are planned."""
    base = {name: past for name, (past, _, _) in compared.items()}
    now = {name: here if here.value is not None else Measurement(number(base[name])) for name, (_, here, _) in compared.items()}
    identity = identity_of(compared, opening)
    planned, made = (round(identity(**{name: number(value) for name, value in side.items()})) for side in (base, now))
    found = shapley(base, now, identity, {name: group_of(name) for name in compared})
    effects = whole_cents({name: effect.value for name, effect in found.items()}, made - planned)
    money = partial(replace, actual, low=None, high=None, status="ok", reason="")
    plan = plan or money(value=planned)
    drivers = tuple(
        _driver(name, compared[name], money(value=effects[name], n=found[name].n, low=found[name].low, high=found[name].high))
        for name in compared
    )
    subtotals = {
        group: money(value=sum(d.effect.value for d in drivers if d.group == group), n=total.n, low=total.low, high=total.high)
        for group, total in found.groups.items()
    }
    return Gap(
        period=period,
        basis=basis,
        outcome=actual.definition_id,
        plan=plan,
        actual=actual,
        drivers=drivers,
        subtotals=subtotals,
        plan_mismatch=money(value=planned - round(plan.value)),
        unexplained=money(value=round(actual.value) - made),
        opening_arr=opening,
        progress=progress,
    )


def _driver(name: str, compared: Compared, effect: Measurement) -> GapDriver:
    past, actual, basis = compared
    metric = catalogue()["arr" if name == "opening_arr" else name]
    if actual.value is None:
        effect = replace(effect, value=0, low=None, high=None, status="not_applicable", reason=actual.reason)
    elif basis == "none":
        reason = N_("neither a plan nor a year before to compare with")
        effect = replace(effect, value=0, low=None, high=None, status="not_applicable", reason=reason)
    else:
        effect = replace(effect, status=actual.status, reason=actual.reason)
    return GapDriver(name, metric.label, group_of(name), metric.unit, number(past), actual, effect, basis)


def whole_cents(parts: Mapping[str, float], total: int) -> dict[str, int]:
    """The parts rounded to whole cents so that they sum to `total`: the largest remainders are rounded up (Hamilton)."""
    whole = {name: math.floor(value) for name, value in parts.items()}
    first = sorted(parts, key=lambda name: (whole[name] - parts[name], name))
    for name in first[: max(0, total - sum(whole.values()))]:
        whole[name] += 1
    return whole


def _progress(company: Company, outcome: str) -> pd.DataFrame:
    """Cumulative plan and actual by month of the fiscal year that holds the period's end."""
    start = fiscal_year_start(company.period.end, company.settings.fiscal_year_start)
    months = windows(Period(start, month_end(add_months(start, 11))), "month", company.settings.fiscal_year_start)
    plans = [target(company, outcome, month) for month in months]
    actual = measure(company, outcome, every="month", period=Period(start, company.period.end))
    return pd.DataFrame(
        {
            "month": [month.end for month in months],
            "plan": pd.Series([plan.value if plan else math.nan for plan in plans], dtype=float).cumsum(skipna=False),
            "actual": pd.Series(actual.value.tolist(), dtype=float).reindex(range(12)).cumsum(skipna=False),
        }
    )


def joint_value(gap: Gap, findings: Iterable[Finding]) -> Measurement:
    """Net new ARR over twelve months of acting on all findings together, against going on as now.

    Every driver that a finding moves is set to the best value any finding gives it, all at once, and the identity is read
    again: overlaps count once. Never more than the shortfalls of the drivers moved, nor than the gap itself while there
    is one. Findings that save cost, and drivers that are not in this gap, add nothing. Interval from the drivers' own.
    """
    levers = _levers(gap, findings)
    money = replace(gap.actual, value=0, low=None, high=None, definition_id=gap.outcome)
    if not levers:
        return money
    more = _moved(gap, levers)
    most = -sum(min(0, gap.driver(name).effect.value) for name in levers)
    if gap.difference.value < 0:
        most = min(most, -gap.difference.value)
    low, high = (None if end is None else min(end, most) for end in (more.low, more.high))
    if low == high:  # at the cap whatever the noise: the gap itself, which is booked
        low = high = None
    n = min(gap.driver(name).actual.n for name in levers)
    joint = replace(money, value=min(more.value, most), n=n, low=low, high=high)
    return scaled(joint, gap.per_year)


def gain(gap: Gap, levers: Mapping[str, float]) -> Measurement:
    """Net new ARR over twelve months with these drivers at these values, against going on as now. KeyError for no such driver."""
    moved = _moved(gap, {gap.driver(name).id: value for name, value in levers.items()})
    money = replace(gap.actual, value=moved.value, low=moved.low, high=moved.high, definition_id=gap.outcome)
    return scaled(money, gap.per_year)


def _moved(gap: Gap, levers: Mapping[str, float]) -> Measurement:
    """What the period's outcome would have been more with the levers set; interval from the other drivers' own."""
    identity = identity_of([driver.id for driver in gap.drivers], gap.opening_arr)
    now = {d.id: d.actual if d.actual.value is not None else Measurement(d.plan) for d in gap.drivers}
    return propagate(now, lambda **drivers: identity(**(drivers | levers)) - identity(**drivers))


def _levers(gap: Gap, findings: Iterable[Finding]) -> dict[str, float]:
    """Driver → the best value that a growth finding sets it to, where that is better than now."""
    now = {driver.id: driver.actual.value for driver in gap.drivers}
    best: dict[str, float] = {}
    for finding in findings:
        for name, value in finding.levers.items() if finding.kind == "growth" else ():
            sign = SIGNS.get(name, 1)
            if now.get(name) is not None and sign * value > sign * best.get(name, now[name]):
                best[name] = value
    return best
