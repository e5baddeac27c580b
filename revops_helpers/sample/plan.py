"""What was planned, what is planted, and the choice of a company whose realised gap is near the planted one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from revops_helpers.sample import world as w
from revops_helpers.sample.book import ACTUAL_CHURN, PLAN_CHURN, Book, simulate_book
from revops_helpers.sample.funnel import (
    ACTUAL_CONVERSION,
    ACTUAL_LEADS,
    ACTUAL_WIN,
    PLAN_CONVERSION,
    PLAN_LEADS,
    PLAN_WIN,
    SEASON,
    Funnel,
    simulate_funnel,
)

GAP = 0.27
TOLERANCE = 0.02
CHAIN = ("leads", "lead_to_opportunity", "decided_share", "win_rate", "deal_size", "live_share")
SHARES = {"expansion": 1, "indexation": 1, "reactivation": 1, "contraction": -1, "churn": -1}


@dataclass
class Core:
    """The part of the company that decides the gap. plan and actual are driver → value over January-September 2026
    (deal_size in cents); gap is the realised shortfall as a share of the plan."""

    funnel: Funnel
    book: Book
    plan: dict[str, float]
    actual: dict[str, float]
    plan_arr: int
    realised_arr: int
    sub_seed: int

    @property
    def gap(self) -> float:
        return 1 - self.realised_arr / self.plan_arr


def net_new_arr(drivers: dict[str, float], opening_arr: float) -> float:
    """The identity, in cents."""
    new = float(np.prod([drivers[name] for name in CHAIN]))
    return new + opening_arr * sum(sign * drivers[name] for name, sign in SHARES.items())


def simulate_core(seed: int, scale: float) -> Core:
    """The first sub-seed (0, 1, 2 …) whose realised gap lies within 2 points of 27 %, so that every seed tells the story.

    Chance alone moves the gap of a company of this size by about six points; the drivers' own noise stays in the data.
    """
    for sub_seed in range(1000):
        core = _draw(seed, sub_seed, scale)
        if abs(core.gap - GAP) <= TOLERANCE:
            return core
    raise ValueError(f"seed {seed}: no company near the planted gap")


def _draw(seed: int, sub_seed: int, scale: float) -> Core:
    streams = w.Streams(seed, sub_seed)
    funnel = simulate_funnel(streams, scale)
    chain = _chain(funnel, scale)

    def wanted_expansion(opening_arr: int) -> float:
        """Churn and new business are given; expansion is what makes the expected gap 27 % of the plan."""
        others = {"expansion": 0.0, **OTHER_SHARES}
        planned = net_new_arr({**chain[0], **others, "churn": PLAN_CHURN * 9 / 12}, opening_arr)
        expected = net_new_arr({**chain[1], **others, "churn": ACTUAL_CHURN * 9 / 12}, opening_arr)
        return ((planned - expected) / GAP - planned) / opening_arr

    book = simulate_book(streams, funnel, scale, wanted_expansion)
    actual = chain[1] | {name: book.expected[name] for name in SHARES}
    plan = chain[0] | {name: 9 * round(book.expected[name] / 9, 6) for name in SHARES} | {"churn": 9 * round(PLAN_CHURN / 12, 6)}
    realised = sum(SHARES.get(kind, 1) * cents for kind, cents in book.movements.items())
    return Core(funnel, book, plan, actual, round(net_new_arr(plan, book.opening_arr)), realised, sub_seed)


# Roughly what indexation, reactivation and contraction come to; only the choice of the expansion rate leans on it.
OTHER_SHARES = {"indexation": 0.0352, "reactivation": 0.0105, "contraction": 0.0097}


def _chain(funnel: Funnel, scale: float) -> tuple[dict[str, float], dict[str, float]]:
    on_plan = {
        "decided_share": round(funnel.expected["decided_share"], 4),
        "deal_size": round(funnel.expected["deal_size"]) * 100.0,
        "live_share": round(funnel.expected["live_share"], 4),
    }
    plan = {"leads": float(round(PLAN_LEADS * scale)), "lead_to_opportunity": PLAN_CONVERSION, "win_rate": PLAN_WIN} | on_plan
    actual = {"leads": float(round(ACTUAL_LEADS * scale)), "lead_to_opportunity": ACTUAL_CONVERSION, "win_rate": ACTUAL_WIN}
    expected = {k: v * (100 if k == "deal_size" else 1) for k, v in funnel.expected.items()}
    return {k: plan[k] for k in CHAIN}, {k: (actual | expected)[k] for k in CHAIN}


def monthly_leads(scale: float) -> np.ndarray:
    """Planned leads of each month of 2026."""
    nine = w.allocate(round(PLAN_LEADS * scale), SEASON[:9])
    three = w.allocate(round(PLAN_LEADS * scale * SEASON[9:].sum() / SEASON[:9].sum()), SEASON[9:])
    return np.concatenate([nine, three])
