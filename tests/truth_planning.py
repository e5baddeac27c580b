"""Planted ramp, quotas and forecast habits, recovered: checks for tests.truth, and the ramp's coverage by month of tenure."""

from __future__ import annotations

from revops_helpers.model.company import Company
from revops_helpers.planning.capacity import team
from revops_helpers.planning.cascade import forwards, next_year, rest_of_year
from revops_helpers.planning.habits import habits
from revops_helpers.planning.quotas import quotas
from revops_helpers.sample.operations import QUOTA_OVER_PLAN
from revops_helpers.sample.simulation import World

USED = ("users", "quotas", "forecasts", "spend")


def checks(world: World, company: Company, truth: dict) -> dict[str, bool]:
    """Name → whether that planted truth was recovered. The company needs the tables of USED beside those of tests.truth."""
    told = habits(company)
    named = {r.user_id: r.ratio for r in told.named.itertuples()}
    planted = truth["forecast_bias"]
    asked = quotas(company)
    ramped = team(company).ramp_months
    intervals = {r.user_id: (r.low, r.high) for r in told.people.itertuples()}
    return {
        "both people with a forecast habit are named, each the right way": all(
            user in named and (named[user] > 1) == (bias > 1) for user, bias in planted.items()
        ),
        "intervals of both habits cover the planted bias": all(
            user in intervals and intervals[user][0] <= bias <= intervals[user][1] for user, bias in planted.items()
        ),
        "nobody else is named for a forecast habit": set(named) <= set(planted),
        "half have ramped in the month in which three months of the planted ramp reach 80%, or the next": ramped.low
        <= planned_ramp(truth["ramp"])
        <= (ramped.high or 99) + 1,
        "quotas ask for more than the plan": asked.over.value > 0 and QUOTA_OVER_PLAN > 1,
        "cascades give the targets again": all(
            abs(forwards(plan, planned) - plan.target.value) < 1
            for plan in (next_year(company), rest_of_year(company))
            for planned in (True, False)
        ),
    }


def planned_ramp(ramp: list[float]) -> int:
    """The first month of tenure whose last three months have 80 % on average."""
    full = [*ramp, *[ramp[-1]] * 3]
    return next(i for i in range(2, len(full)) if sum(full[i - 2 : i + 1]) / 3 >= 0.8 - 1e-9)


def coverage(company: Company, truth: dict) -> dict[int, tuple[float, float, float, float]]:
    """Month of tenure → planted share, found share, low, high."""
    planted = truth["ramp"]
    rows = team(company).ramp
    return {int(r.tenure): (planted[min(int(r.tenure), len(planted) - 1)], r.share, r.low, r.high) for r in rows.itertuples()}
