"""From a target of net new ARR backwards to leads: what it needs at the plan's rates, and what it needs at today's.

The identity is that of the gap to plan, read backwards: new ARR needed = target − opening ARR × (expansion + indexation +
reactivation − contraction − churn), and each step of the chain is the one after it divided by its rate. Read forwards again it
gives the target.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

import numpy as np
import pandas as pd

from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.methods.simulation import drawn
from revops_helpers.metrics.measure import measure, measurement, measurements
from revops_helpers.metrics.plan import target
from revops_helpers.metrics.reasons import N_, PART_MISSING, ZERO
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.optimization.drivers import SIGNS, drivers_of, identity_of, number, opening_arr, planned
from revops_helpers.periods import Period, add_months, fiscal_year_start, month_end, windows

DRAWS, SEED = 4000, 50
SCENARIOS = ("favourable", "likely", "unfavourable")
Whence = Literal["own", "this_year", "rest"]
# What stands before a rate: dividing by the rate gives it.
BEFORE = {
    "live_share": "new_arr_won",
    "deal_size": "deals_won",
    "win_rate": "deals_decided",
    "decided_share": "opportunities_opened",
    "lead_to_opportunity": "leads",
}
MONEY = ("new_arr", "new_arr_won", "retention")
ENOUGH = N_("what customers add meets the target alone")


@dataclass(frozen=True)
class Step:
    """One step of the chain, from net new ARR back to leads. needed_plan, needed_now: at planned and at today's rates.

    rate, plan_rate, rate_now: the driver whose rate leads from this step to the one after it; empty for the last.
    """

    id: str
    needed_plan: Measurement
    needed_now: Measurement
    rate: str = ""
    plan_rate: float | None = None
    rate_now: Measurement | None = None


@dataclass(frozen=True)
class Cascade:
    """What a horizon's target needs; money in cents.

    whence: `own` target of the horizon, `this_year`: the present year's plan once more, `rest`: what is left of it.
    opening: ARR that the retention shares count on. retention_plan, retention_now: what the customers there are bring.
    steps: from leads to new ARR. scenarios: one row per scenario (favourable, likely, unfavourable: 10 %, 50 % and 90 % of the
        draws from the rates' intervals) with one column per step. draws: step → what each draw needs.
    months: month_end, share (of the horizon's target), and each step at today's rates and at the plan's (now_<id>, plan_<id>).
    """

    horizon: Period
    observed: Period
    whence: Whence
    target: Measurement
    opening: float
    retention_plan: Measurement
    retention_now: Measurement
    steps: tuple[Step, ...]
    scenarios: pd.DataFrame
    draws: Mapping[str, np.ndarray]
    months: pd.DataFrame
    unplanned: tuple[str, ...]

    @property
    def first(self) -> Step:
        """Where the chain begins: leads, or the deals opened where leads are not kept, or new ARR."""
        return self.steps[0]

    def step(self, step_id: str) -> Step | None:
        return {step.id: step for step in self.steps}.get(step_id)


def next_year(company: Company) -> Cascade:
    """What the coming fiscal year's target needs: its own target, else this year's plan once more. Unavailable without either."""
    _whole_company(company)
    start = add_months(fiscal_year_start(company.period.end, company.settings.fiscal_year_start), 12)
    year = Period(start, month_end(add_months(start, 11)))
    now = year.year_before()
    own = target(company, _outcome(company), year)
    goal = own or target(company, _outcome(company), now)
    if goal is None:
        raise Unavailable([f"targets of {_outcome(company)}, for a whole fiscal year"])
    whence: Whence = "own" if own else "this_year"
    return _cascade(company, year, whence, goal, year if own else now, _opening_to_be(company, year))


def rest_of_year(company: Company) -> Cascade:
    """What is left of this fiscal year's target needs, from the months that are left. Unavailable without a month left or one."""
    _whole_company(company)
    start = fiscal_year_start(company.period.end, company.settings.fiscal_year_start)
    year = Period(start, month_end(add_months(start, 11)))
    goal = target(company, _outcome(company), year)
    if goal is None:
        raise Unavailable([f"targets of {_outcome(company)}, for a whole fiscal year"])
    if company.period.end >= year.end:
        raise Unavailable(["months that are left in the fiscal year"])
    done = measurement(company, _outcome(company), Period(start, company.period.end))
    rest = Period(company.period.end + timedelta(days=1), year.end)
    left = replace(goal, value=round(goal.value - number(done)))
    return _cascade(company, rest, "rest", left, rest, number(opening_arr(company, rest)))


def _whole_company(company: Company) -> None:
    if company.segment and target(company, _outcome(company)) is None:
        raise Unavailable([f"targets of the segment {company.segment}"])


def _outcome(company: Company) -> str:
    return "net_new_arr" if drivers_of(company)[1] else "new_arr_won"


def _opening_to_be(company: Company, year: Period) -> float:
    """ARR at the year's start if the months until then go on as the period under review did, in cents."""
    if not drivers_of(company)[1]:
        return 0.0
    last, period = company.period.end, company.period
    held, grown = (number(measurement(company, name, period)) for name in ("arr", "net_new_arr"))
    to_come = _months(Period(last + timedelta(days=1), year.start - timedelta(days=1)))
    return held + grown / _months(period) * to_come


def _months(period: Period) -> int:
    """Months from the first day to the last; 0 where the last is before the first."""
    return max(0, (period.end.year - period.start.year) * 12 + period.end.month - period.start.month + 1)


def _cascade(company: Company, horizon: Period, whence: Whence, goal: Measurement, plan_of: Period, opening: float) -> Cascade:
    chain, retention = drivers_of(company)
    names = (*chain[1:], *retention)
    period = company.period
    now = measurements(company, names, period) if names else {}
    now |= {name: _per_horizon(now[name], _months(horizon) / _months(period)) for name in retention}
    plans = planned(company, (*chain, *retention), plan_of)
    unplanned = tuple(name for name in names if name not in plans)
    plan = {name: plans.get(name, now[name].value) for name in names}
    more = {"horizon": horizon, "observed": period, "whence": whence, "unplanned": unplanned}
    return assemble(chain, retention, goal, opening, plan, now, profile=_profile(company, horizon, goal), **more)


def _per_horizon(share: Measurement, factor: float) -> Measurement:
    """A share of opening ARR that gathers over months, over the horizon's months instead of the period's."""
    if share.value is None:
        return share
    return replace(
        share, **{n: None if getattr(share, n) is None else getattr(share, n) * factor for n in ("value", "low", "high")}
    )


def assemble(
    chain: tuple[str, ...],
    retention: tuple[str, ...],
    goal: Measurement,
    opening: float,
    plan: Mapping[str, float | None],
    now: Mapping[str, Measurement],
    **more,
) -> Cascade:
    """The cascade from what is planned and measured: arithmetic and draws only. more: horizon, observed, whence and unplanned of
    the Cascade, and profile: month_end and share (which sum to 1)."""
    at_plan, at_now, many = (
        backwards(chain, retention, goal.value, opening, rates)
        for rates in ({n: _array(plan[n]) for n in plan}, {n: _array(now[n].value) for n in now}, drawn(now, DRAWS, SEED))
    )
    n = min((m.n for m in now.values() if m.value is not None), default=0)

    def step(id: str, rate: str) -> Step:
        needed_plan = _told(id, None, at_plan[id], 0, goal.currency, _lacking(chain, id, plan))
        needed_now = _told(id, many[id], at_now[id], n, goal.currency, _lacking(chain, id, now))
        return Step(id, needed_plan, needed_now, rate, plan.get(rate), now.get(rate))

    levels, profile = _levels(chain), more.pop("profile")
    spread = {f"{side}_{id}": profile["share"] * at[id][0] for side, at in (("now", at_now), ("plan", at_plan)) for id in levels}
    return Cascade(
        target=goal,
        opening=opening,
        retention_plan=_told("retention", None, at_plan["retention"], 0, goal.currency),
        retention_now=_told("retention", many["retention"], at_now["retention"], n, goal.currency),
        steps=tuple(step(id, rate) for id, rate in zip(levels, (*chain[1:], ""), strict=True)),
        scenarios=pd.DataFrame({"scenario": SCENARIOS, **{id: np.quantile(many[id], [0.1, 0.5, 0.9]) for id in levels}}),
        draws=many,
        months=profile.assign(**spread),
        **more,
    )


def _array(value: float | None) -> np.ndarray:
    return np.array([math.nan if value is None else float(value)])


def _levels(chain: tuple[str, ...]) -> list[str]:
    """The steps in the order of the chain: leads, deals opened, decided and won, ARR won, new ARR."""
    last = "new_arr" if chain[-1] in ("live_share", "new_arr") else "new_arr_won"
    return [*(BEFORE[rate] for rate in chain[1:]), last]


def backwards(
    chain: tuple[str, ...], retention: tuple[str, ...], goal: float, opening: float, rates: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """What each step needs, for arrays of rates; `retention` is what customers bring. Nothing is needed of a target that they
    meet alone; NaN where a rate on the way is zero or unknown. Forwards again, new ARR + retention is the goal."""
    size = len(next(iter(rates.values()), np.ones(1)))
    kept = sum((SIGNS[n] * np.nan_to_num(rates[n]) for n in retention), np.zeros(size)) * opening
    needed = np.maximum(goal - kept, 0.0)
    found = {"retention": kept, _levels(chain)[-1]: needed}
    for rate in reversed(chain[1:]):
        share = rates[rate]
        needed = np.where(needed == 0, 0.0, np.divide(needed, share, out=np.full(size, math.nan), where=share > 0))
        found[BEFORE[rate]] = needed
    return found


def _lacking(chain: tuple[str, ...], id: str, rates: Mapping[str, float | Measurement | None]) -> str:
    """Why a step cannot be told: the last rate between it and new ARR that is zero or unknown."""
    place = _levels(chain).index(id)
    ill = [rate for rate in chain[place + 1 :] if not number(rates[rate] or 0)]
    return PART_MISSING.format(metric=ill[-1], why=ZERO) if ill else ""


def _told(id: str, draws: np.ndarray | None, found: np.ndarray, n: int, currency: str | None, why: str = "") -> Measurement:
    value = float(found[0])
    unit = ({"unit": "money", "currency": currency} if id in MONEY else {"unit": "count"}) | {"definition_id": id}
    if not math.isfinite(value):
        return not_applicable(why, **unit)
    low = high = None
    if draws is not None and np.isfinite(draws).all() and np.ptp(draws) > 0:
        low, high = (float(q) for q in np.quantile(draws, [0.025, 0.975]))
    return Measurement(value, n=n, low=low, high=high, reason=ENOUGH if value == 0 else "", **unit)


def forwards(cascade: Cascade, planned_rates: bool = True) -> float:
    """The target again, from the first step's volume along the rates, in cents."""
    first = cascade.first
    level = (first.needed_plan if planned_rates else first.needed_now).value
    rates = [(s.plan_rate if planned_rates else number(s.rate_now)) or 0.0 for s in cascade.steps if s.rate]
    kept = cascade.retention_plan if planned_rates else cascade.retention_now
    return identity_of(("volume", *map(str, range(len(rates)))), 0.0)(
        volume=level, **{str(i): rate for i, rate in enumerate(rates)}
    ) + number(kept)


def _profile(company: Company, horizon: Period, goal: Measurement) -> pd.DataFrame:
    """month_end and share of the horizon's target: as the months of its own plan, else of the year before's, else all alike."""
    months = windows(horizon, "month", company.settings.fiscal_year_start)
    for shifted in (months, [month.year_before() for month in months]):
        plans = [target(company, goal.definition_id, month) for month in shifted]
        if all(plan is not None and plan.value > 0 for plan in plans):
            total = math.fsum(plan.value for plan in plans)
            return pd.DataFrame({"month_end": [m.end for m in months], "share": [plan.value / total for plan in plans]})
    return pd.DataFrame({"month_end": [m.end for m in months], "share": [1 / len(months)] * len(months)})


def by_member(company: Company, cascade: Cascade, step_id: str, dimension: str) -> pd.DataFrame:
    """A step's need at today's rates split as the period's own volume was: member, share, had (in the period), needed_plan and
    needed_now (over the horizon). Unavailable where the step cannot be cut, or nothing is recorded."""
    step = cascade.step(step_id)
    rows = measure(company, step_id, by=dimension)
    had = rows[rows.value > 0]
    if step is None or step.needed_now.value is None or had.empty:
        raise Unavailable([f"{step_id} by {dimension}"])
    share = had.value / had.value.sum()
    frame = pd.DataFrame({"member": had.member.tolist(), "share": share.tolist(), "had": had.value.tolist()})
    needs = {"needed_plan": frame["share"] * number(step.needed_plan), "needed_now": frame["share"] * step.needed_now.value}
    return frame.assign(**needs).sort_values("share", ascending=False, kind="stable", ignore_index=True)
