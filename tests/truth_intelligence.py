"""What was planted about leaving and growing, against what the analyses find; for tests/truth.py.

Planted are hazard ratios within a month. What can be known of a customer is its use before the month begins: use falls in 2.5% of
months and recovers in 12%, so that a customer seen low at a month's end is low in the next one in 88% of cases, and one that was
not in 2.5%. The ratio that any analysis can find is therefore (0.88 r + 0.12) / (0.025 r + 0.975): 2.47 for the 2.8 of churn and
0.39 for the 0.3 of expansion. The use in the month of a departure itself is on no record: who leaves has no weeks in it.
"""

from __future__ import annotations

import numpy as np

from revops_helpers.intelligence.hazards import Hazards, churn_hazards, expansion_hazards
from revops_helpers.intelligence.outlook import Outlook, churn_outlook, expansion_outlook
from revops_helpers.intelligence.panel import TERM
from revops_helpers.intelligence.passport import Passport
from revops_helpers.model.company import Company
from revops_helpers.sample import book
from revops_helpers.sample.plan import Core
from revops_helpers.sample.simulation import World
from revops_helpers.sample.world import MONTHS, month_of

TABLES = ("accounts", "subscriptions", "usage", "onboardings", "tickets", "invoices", "health_scores")


def checks(world: World, company: Company, truth: dict) -> dict[str, bool]:
    """Name → whether that truth was recovered."""
    leaving, growing = churn_hazards(company), expansion_hazards(company)
    churn, growth = churn_outlook(company), expansion_outlook(company)
    planted, rates = truth["hazards"], truth["hazards"]["monthly_churn"]
    before = seen_before(planted["expansion_ratio"]["low usage"])
    young = leaving.by_tenure[leaving.by_tenure["last"] <= TERM]
    return {
        **_ratio(leaving, "low_usage", planted["churn_ratio"]["low usage"], "churn, low usage"),
        **_ratio(leaving, "incomplete_handoff", planted["churn_ratio"]["incomplete handoff"], "churn, incomplete handoff"),
        **_ratio(growing, "low_usage", before, "expansion, low usage the month before"),
        **_ratio(growing, "seats_full", planted["expansion_ratio"]["seats nearly full"], "expansion, seats nearly full"),
        f"nobody leaves before month {planted['no_churn_before_month']}": not young.events.sum() and young.months.sum() > 0,
        "monthly churn of ordinary customers, 2026: inside its interval": _monthly(leaving, 2026, rates["2026"]),
        "churn: the model passes its own test": churn.passport.use,
        "churn: low usage and incomplete handoff raise the odds": _raises(churn.passport, "low_usage", "incomplete_handoff"),
        "ARR at risk: the planted expectation is inside its interval": _expected(churn, world.core),
        "expansion: the model passes its own test": growth.passport.use,
        "expansion: full seats raise the odds": _raises(growth.passport, "seats_full"),
    }


def seen_before(ratio: float) -> float:
    """The hazard ratio by what was seen at the end of the month before, when `ratio` acts within the month."""
    stays, falls = 1 - book.USAGE_RECOVERS, book.USAGE_FALLS
    return (stays * ratio + 1 - stays) / (falls * ratio + 1 - falls)


def _ratio(hazards: Hazards, factor: str, planted: float, name: str) -> dict[str, bool]:
    row = hazards.ratios.set_index("factor").loc[factor]
    clear = hazards.clear(factor) is not None and (row.ratio > 1) == (planted > 1)
    return {f"{name}: planted hazard ratio inside its interval": bool(row.low <= planted <= row.high), f"{name}: detected": clear}


def _monthly(hazards: Hazards, year: int, planted: float) -> bool:
    row = hazards.by_year.set_index("year").loc[year]
    return bool(row.low <= planted <= row.high)


def _raises(passport: Passport, *names: str) -> bool:
    known = passport.features.set_index("feature").odds
    return all(name in known and known[name] > 1 for name in names)


def _expected(churn: Outlook, core: Core) -> bool:
    """Whether the interval of what will leave holds the ARR that the planted hazards are expected to lose in the months ahead."""
    low, high = churn.expected.low, churn.expected.high
    return low is not None and low <= planted_loss(core, churn.passport.horizon) <= high


def planted_loss(core: Core, months: int) -> float:
    """ARR in cents that leaves within `months` after the last month, in expectation: use moves on as it always did."""
    customer, event = core.book.customer, core.book.event
    mrr, since = np.zeros(len(customer["start"])), np.full(len(customer["start"]), 0)
    mrr[customer["start"] < 0] = customer["mrr"][customer["start"] < 0]
    since[:] = month_of(customer["start"])
    for who, month, kind, after in zip(event["customer"], event["month"], event["kind"], event["mrr"], strict=True):
        mrr[who] = after
        since[who] = month if kind == book.REACTIVATION else since[who]
    chance_low = core.book.low[:, -1].astype(float)
    hazard = core.book.rates["churn_hazard"] * np.where(customer["incomplete"], book.INCOMPLETE_ON_CHURN, 1.0)
    alive = np.column_stack([1 - chance_low, chance_low])
    for ahead in range(MONTHS, MONTHS + months):
        falls, recovers = book.USAGE_FALLS, book.USAGE_RECOVERS
        alive = alive @ np.array([[1 - falls, falls], [recovers, 1 - recovers]])
        leaves = np.where(ahead - since > book.TERM, hazard, 0.0)[:, None] * np.array([1.0, book.LOW_USAGE_ON_CHURN])
        alive = alive * (1 - leaves)
    arr = 12 * book.reporting_cents(mrr, customer["usd"])
    return float(arr @ (1 - alive.sum(axis=1)))
