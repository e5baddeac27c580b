"""Planted ramp, quotas and forecast habits, recovered: checks for tests.truth, and the ramp's coverage by month of tenure."""

from __future__ import annotations

from revops_helpers.model.company import Company
from revops_helpers.planning.capacity import team
from revops_helpers.planning.cascade import forwards, next_year, rest_of_year
from revops_helpers.planning.habits import habits
from revops_helpers.planning.quotas import quotas
from revops_helpers.sample.simulation import World

USED = ("users", "quotas", "forecasts", "spend")


def checks(world: World, company: Company, truth: dict) -> dict[str, bool]:
    """Name → whether that planted truth was recovered. The company needs the tables of USED beside those of tests.truth."""
    told = habits(company)
    named = {r.user_id: r.ratio for r in told.named.itertuples()}
    planted = truth["forecast_bias"]
    asked = quotas(company)
    ramped = team(company).ramp_months
    bounds = {r.user_id: (r.low, r.high) for r in told.people.itertuples()}
    return {
        "both people with a forecast habit are named, each the right way": all(
            user in named and (named[user] > 1) == (bias > 1) for user, bias in planted.items()
        ),
        "intervals of both habits cover the planted bias": all(
            user in bounds and bounds[user][0] <= bias <= bounds[user][1] for user, bias in planted.items()
        ),
        "nobody else is named for a forecast habit": set(named) <= set(planted),
        "months to ramp: the interval holds the month in which three of the planted ramp reach 80%, or the one after": any(
            ramped.low <= month <= (ramped.high or month)
            for month in (planned_ramp(truth["ramp"]), planned_ramp(truth["ramp"]) + 1)
        ),
        "quotas ask for more than the plan": asked.over.value > 0,
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


def intervals(company: Company, truth: dict) -> list[tuple[str, float, float, float, float]]:
    """(name, planted, found, low, high) of the ramp's months of tenure."""
    planted = truth["ramp"]
    rows = team(company).ramp.dropna()
    return [
        (
            f"ramp, month {r.tenure}: share of a tenured seller's deals",
            planted[min(r.tenure, len(planted) - 1)],
            r.share,
            r.low,
            r.high,
        )
        for r in rows.itertuples()
    ]
