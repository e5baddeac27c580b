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

USED = ("usage", "onboardings", "tickets", "invoices", "health_scores")


def checks(world: World, company: Company, truth: dict) -> dict[str, bool]:
    """Name → whether that truth was recovered. The company needs the tables of USED beside those of tests.truth."""
    leaving, growing = company.ask(churn_hazards), company.ask(expansion_hazards)
    churn, growth = company.ask(churn_outlook), company.ask(expansion_outlook)
    young = leaving.by_tenure[leaving.by_tenure["last"] <= TERM]
    return {
        "churn: low usage is told from chance": _told(leaving, "low_usage", more=True),
        "churn: an incomplete handoff is told from chance": _told(leaving, "incomplete_handoff", more=True),
        "expansion: low usage is told from chance": _told(growing, "low_usage", more=False),
        "expansion: nearly full seats are told from chance": _told(growing, "seats_full", more=True),
        f"nobody leaves before month {truth['hazards']['no_churn_before_month']}": not young.events.sum()
        and young.months.sum() > 0,
        "churn: the model passes its own test": churn.passport.use,
        "churn: low usage and incomplete handoff raise the odds": _raises(churn.passport, "low_usage", "incomplete_handoff"),
        "ARR at risk: the planted expectation is inside its interval": _expected(churn, world.core),
        "expansion: the model passes its own test": growth.passport.use,
        "expansion: full seats raise the odds": _raises(growth.passport, "seats_full"),
    }


def intervals(company: Company, truth: dict) -> list[tuple[str, float, float, float, float]]:
    """(name, planted, found, low, high) of the hazard ratios, and of the monthly churn of ordinary customers in percent."""
    leaving, growing = company.ask(churn_hazards), company.ask(expansion_hazards)
    churn, expansion = truth["hazards"]["churn_ratio"], truth["hazards"]["expansion_ratio"]
    asked = (
        ("churn: hazard ratio of low usage", leaving, "low_usage", churn["low usage"]),
        ("churn: hazard ratio of an incomplete handoff", leaving, "incomplete_handoff", churn["incomplete handoff"]),
        ("expansion: hazard ratio of low usage the month before", growing, "low_usage", seen_before(expansion["low usage"])),
        ("expansion: hazard ratio of nearly full seats", growing, "seats_full", expansion["seats nearly full"]),
    )
    rows = [(name, planted, hazards.ratios.set_index("factor").loc[factor]) for name, hazards, factor, planted in asked]
    found = [(name, planted, row.ratio, row.low, row.high) for name, planted, row in rows]
    year = leaving.by_year.set_index("year").loc[2026]
    ordinary = (truth["hazards"]["monthly_churn"]["2026"], year.hazard, year.low, year.high)
    return [*found, ("monthly churn of ordinary customers in 2026, in percent", *(100 * share for share in ordinary))]


def seen_before(ratio: float) -> float:
    """The hazard ratio by what was seen at the end of the month before, when `ratio` acts within the month."""
    stays, falls = 1 - book.USAGE_RECOVERS, book.USAGE_FALLS
    return (stays * ratio + 1 - stays) / (falls * ratio + 1 - falls)


def _told(hazards: Hazards, factor: str, more: bool) -> bool:
    """Whether the factor stands clear of chance, on the planted side."""
    row = hazards.clear(factor)
    return row is not None and (row.ratio > 1) == more


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
