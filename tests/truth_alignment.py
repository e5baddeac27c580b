"""Planted fast contact, handoffs and change of the agreement, recovered: checks and intervals for tests.truth."""

from __future__ import annotations

import math

from revops_helpers.alignment.closed_loop import closed_loop
from revops_helpers.alignment.handoffs import leaving
from revops_helpers.alignment.service_levels import changes
from revops_helpers.alignment.speed import speed
from revops_helpers.measurement import Measurement
from revops_helpers.model.company import Company
from revops_helpers.sample.simulation import World
from revops_helpers.words.checks import credit_adds_up

USED = ("lead_history", "onboardings", "initiatives", "touches")
FAST, LEAVING = "fast contact: odds ratio of a deal", "incomplete handoff: hazard ratio of leaving"
CHANGED, BEYOND = "new service level: wait after ÷ before", "new service level: the same, beyond the other sources"


def estimates(company: Company, truth: dict) -> dict[str, tuple[float, Measurement]]:
    """Name → planted ratio and what was found. The company needs the tables of USED beside those of tests.truth."""
    planted = truth["sla_change"]["ratio_of_medians"]
    moved = next(x for x in company.ask(changes) if x.metric == "time_to_first_contact_at_work")
    return {
        FAST: (math.exp(truth["response"]["logit"]["fast"]), company.ask(speed).calls.adjusted.odds_ratio),
        LEAVING: (truth["handoffs"]["hazard_ratio"], company.ask(leaving).ratio),
        CHANGED: (planted, moved.effect),
        BEYOND: (planted, moved.beyond),
    }


def checks(world: World, company: Company, truth: dict) -> dict[str, bool]:
    """Name → whether that truth was recovered."""
    found = {f"{name} is told from chance": m.clear_of(1) for name, (_planted, m) in estimates(company, truth).items()}
    plain = company.ask(speed).calls.naive.odds_ratio
    found["plain odds of fast contact are more than the planted ones: hot leads are called first"] = (
        plain.low > estimates(company, truth)[FAST][0]
    )
    return found | {"credit adds up to the deals won, by every model": credit_adds_up(company.ask(closed_loop))}


def intervals(company: Company, truth: dict) -> list[tuple[str, float, float, float, float]]:
    """(name, planted, found, low, high) of the ratios."""
    return [(name, planted, m.value, m.low, m.high) for name, (planted, m) in estimates(company, truth).items()]
