"""The core of retention: what happens to every customer, month after month, and what was to be expected.

A contract binds for twelve months; from then on a customer may leave in any month. The price follows the IPCA on each
anniversary. A customer that has left may come back two to eighteen months later. At most one thing happens in a month.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from revops_helpers.sample import world as w
from revops_helpers.sample.funnel import DEAL_SIZE, SIZE_OF_YEAR, SIZE_SPREAD, UNSOLD_STARTS_PER_QUARTER, Funnel

LEGACY = 350  # customers in October 2021
IPCA = {2021: 0.0, 2022: 0.100, 2023: 0.058, 2024: 0.046, 2025: 0.048, 2026: 0.047}
TERM = 12  # months in which a new contract binds
SETTLED = 4  # months before a customer expands or contracts

PLAN_CHURN = 0.08  # of the opening ARR a year
ACTUAL_CHURN = 0.13
CHURN_BEFORE = 0.0055  # monthly hazard of an ordinary customer up to December 2025
EXPAND_BEFORE, EXPANSION_SIZE = 0.034, 0.25
CONTRACT, CONTRACTION_SIZE = 0.0045, 0.25
COMES_BACK = 0.012  # a month

# What multiplies the monthly hazards.
LOW_USAGE_ON_CHURN, LOW_USAGE_ON_EXPANSION = 2.8, 0.3
INCOMPLETE_ON_CHURN, INCOMPLETE_SHARE = 1.9, 0.30
TIGHT_ON_EXPANSION, TIGHT_SHARE = 2.2, 0.30  # nearly every seat in use
USAGE_FALLS, USAGE_RECOVERS = 0.025, 0.12

NEW, EXPANSION, CONTRACTION, INDEXATION, CHURN, REACTIVATION = range(6)
REASONS = ("new", "expansion", "contraction", "indexation", "churn", "reactivation")


@dataclass
class Book:
    """Customers and their events as arrays. event: customer, month, day, kind, mrr after (cents of the contract currency).

    customer: deal (index of the won deal, -1 where there was none), segment, start day, mrr, usd, incomplete, tight.
    low and alive: customers × months, whether usage was low, and whether the customer was live at month end.
    """

    customer: dict[str, np.ndarray]
    event: dict[str, np.ndarray]
    low: np.ndarray
    alive: np.ndarray
    opening_arr: int
    movements: dict[str, int]
    expected: dict[str, float]
    rates: dict[str, float]


def simulate_book(streams: w.Streams, funnel: Funnel, scale: float, wanted_expansion) -> Book:
    """Run all months. wanted_expansion(opening ARR in cents) is the share of it that January-September is to expand by."""
    customer = _customers(streams, funnel, scale)
    run = _Run(streams, customer)
    for month in range(w.YEAR_MONTH):
        run.step(month)
    opening = run.arr()
    rates, expected = _calibrate(run, wanted_expansion(opening))
    run.churn, run.expand = rates["churn_hazard"], rates["expansion_hazard"]
    movements = dict.fromkeys(REASONS, 0)
    for month in range(w.YEAR_MONTH, w.MONTHS):
        for reason, cents in run.step(month).items():
            movements[reason] += cents
    return Book(customer, run.events(), run.low, run.alive, opening, movements, expected, rates)


def _customers(streams: w.Streams, funnel: Funnel, scale: float) -> dict[str, np.ndarray]:
    rng = streams("customers")
    sold = np.flatnonzero(funnel.deal["won"] & funnel.deal["billed"])
    old, unsold = round(LEGACY * scale), max(1, round(UNSOLD_STARTS_PER_QUARTER * scale)) * (w.MONTHS // 3)
    quarter = np.arange(unsold) % (w.MONTHS // 3)
    segment = np.concatenate([w.choose(rng, w.SEGMENT_SHARES, old + unsold), funnel.deal["segment"][sold]])
    other_start = np.concatenate([-rng.integers(30, 1000, old), w.MONTH_STARTS[quarter * 3] + rng.integers(5, 85, unsold)])
    year = np.concatenate([np.full(old, 2021), w.MONTH_YEAR[quarter * 3]])
    size = DEAL_SIZE[segment[: old + unsold]] * np.array([SIZE_OF_YEAR.get(y, 1.0) for y in year])
    size = np.round(size * (1 + SIZE_SPREAD * (2 * rng.random(old + unsold) - 1)) / 12).astype(np.int64) * 100
    n = old + unsold + len(sold)
    return {
        "deal": np.concatenate([np.full(old + unsold, -1), sold]),
        "segment": segment,
        "start": np.concatenate([other_start, funnel.deal["live_on"][sold]]),
        "mrr": np.concatenate([size, funnel.deal["mrr"][sold]]),
        "usd": np.concatenate([np.zeros(old + unsold, dtype=bool), funnel.deal["usd"][sold]]),
        "incomplete": rng.random(n) < INCOMPLETE_SHARE,
        "tight": rng.random(n) < TIGHT_SHARE,
    }


def reporting_cents(mrr: np.ndarray, usd: np.ndarray) -> np.ndarray:
    """Cents of reais at the plan rate."""
    return np.where(usd, np.round(mrr * w.PLAN_USD), mrr).astype(np.int64)


class _Run:
    """The state of every customer, moved on one month at a time."""

    def __init__(self, streams: w.Streams, customer: dict[str, np.ndarray]):
        n = len(customer["start"])
        self.customer, self.rng, self.draw = customer, streams("book"), streams("events")
        self.start_month = w.month_of(customer["start"])
        self.since = self.start_month.copy()
        self.mrr = np.where(self.start_month < 0, customer["mrr"], 0)
        self.last, self.left = customer["mrr"].copy(), np.full(n, -999)
        self.low = np.zeros((n, w.MONTHS), dtype=bool)
        self.alive = np.zeros((n, w.MONTHS), dtype=bool)
        self.is_low = self.rng.random(n) < USAGE_FALLS / (USAGE_FALLS + USAGE_RECOVERS)
        self.churn, self.expand = CHURN_BEFORE, EXPAND_BEFORE
        self.on_churn = np.where(customer["incomplete"], INCOMPLETE_ON_CHURN, 1.0)
        self.on_expand = np.where(customer["tight"], TIGHT_ON_EXPANSION, 1.0)
        self.parts: list[dict[str, np.ndarray]] = []

    def arr(self) -> int:
        return 12 * int(reporting_cents(self.mrr, self.customer["usd"]).sum())

    def events(self) -> dict[str, np.ndarray]:
        return {name: np.concatenate([part[name] for part in self.parts]) for name in self.parts[0]}

    def age(self, month: int) -> np.ndarray:
        return month - self.since

    def step(self, month: int) -> dict[str, int]:
        """One month; ARR moved by each kind of event in reporting cents (losses positive)."""
        n = len(self.mrr)
        flip = self.rng.random(n)
        self.is_low = np.where(self.is_low, flip >= USAGE_RECOVERS, flip < USAGE_FALLS)
        self.low[:, month] = self.is_low
        kind, after = self._what_happens(month)
        hit = np.flatnonzero(kind >= 0)
        before = self.mrr.copy()
        self.mrr = np.where(kind >= 0, after, self.mrr)
        gone, back = kind == CHURN, kind == REACTIVATION
        self.alive[:, month] = self.mrr > 0
        self.last = np.where(gone, before, self.last)
        self.left = np.where(gone, month, np.where(back, -999, self.left))
        self.since = np.where(back, month, self.since)
        day = w.MONTH_STARTS[month] + self.draw.integers(0, 28, n)
        anniversary = (
            w.MONTH_STARTS[month] + np.minimum(self.customer["start"] - w.MONTH_STARTS[np.maximum(self.start_month, 0)], 27) % 28
        )
        day = np.where(kind == NEW, self.customer["start"], np.where(kind == INDEXATION, anniversary, day))
        self.parts.append(
            {"customer": hit, "month": np.full(len(hit), month), "day": day[hit], "kind": kind[hit], "mrr": after[hit]}
        )
        return self._moved(before, kind)

    def _what_happens(self, month: int) -> tuple[np.ndarray, np.ndarray]:
        age, alive, u = self.age(month), self.mrr > 0, self.rng.random(len(self.mrr))
        churn, expand, contract, uplift = self.hazards(month, self.is_low)
        kind = np.full(len(u), -1)
        kind[alive & (u < churn + expand + contract)] = CONTRACTION
        kind[alive & (u < churn + expand)] = EXPANSION
        kind[alive & (u < churn)] = CHURN
        kind[alive & (uplift > 0) & (kind != CHURN)] = INDEXATION
        away = month - self.left
        kind[~alive & (away >= 2) & (away <= 18) & (u < COMES_BACK)] = REACTIVATION
        kind[(age == 0) & (self.left == -999) & ~alive & (self.start_month == month)] = NEW
        grown = np.round(
            self.mrr * np.choose(np.maximum(kind, 0), (0, 1 + EXPANSION_SIZE, 1 - CONTRACTION_SIZE, 1 + uplift, 0, 0))
        )
        after = np.where(kind == NEW, self.customer["mrr"], np.where(kind == REACTIVATION, self.last, grown)).astype(np.int64)
        return kind, after

    def hazards(self, month: int, low: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Chance of churn, expansion and contraction in the month, and the price uplift due, per customer."""
        age = self.age(month)
        birthday = (age > 0) & (age % 12 == 0)
        churn = np.where(age > TERM, self.churn * self.on_churn * np.where(low, LOW_USAGE_ON_CHURN, 1.0), 0.0)
        settled = (age >= SETTLED) & ~birthday
        expand = np.where(settled, self.expand * self.on_expand * np.where(low, LOW_USAGE_ON_EXPANSION, 1.0), 0.0)
        contract = np.where(settled, CONTRACT, 0.0)
        return churn, expand, contract, np.where(birthday, IPCA[int(w.MONTH_YEAR[month])], 0.0)

    def _moved(self, before: np.ndarray, kind: np.ndarray) -> dict[str, int]:
        usd = self.customer["usd"]
        moved = np.abs(reporting_cents(self.mrr, usd) - reporting_cents(before, usd)) * 12
        return {reason: int(moved[kind == code].sum()) for code, reason in enumerate(REASONS)}


def _calibrate(run: _Run, expansion: float) -> tuple[dict[str, float], dict[str, float]]:
    """The two hazards of 2026 that make expected churn and expansion what is planted, and all expected shares."""
    churn, expand = CHURN_BEFORE * 1.6, EXPAND_BEFORE
    for _ in range(40):
        expected = _expect(run, churn, expand)
        churn *= (ACTUAL_CHURN * 9 / 12) / expected["churn"]
        expand *= expansion / expected["expansion"]
        if abs(expected["churn"] - ACTUAL_CHURN * 9 / 12) < 1e-12 and abs(expected["expansion"] - expansion) < 1e-12:
            break
    return {"churn_hazard": float(churn), "expansion_hazard": float(expand)}, {k: float(v) for k, v in expected.items()}


def _expect(run: _Run, churn: float, expand: float) -> dict[str, float]:
    """Expected movements of January-September 2026 as shares of the opening ARR, given the customers and who starts."""
    before = run.churn, run.expand
    run.churn, run.expand = churn, expand
    usd, start = run.customer["usd"], run.start_month
    opening = reporting_cents(run.mrr, usd).astype(float)
    low, fine = np.where(run.is_low, opening, 0.0), np.where(run.is_low, 0.0, opening)
    total = opening.sum()
    shares = dict.fromkeys(("expansion", "contraction", "indexation", "churn", "reactivation"), 0.0)
    away = {m: float(reporting_cents(run.last, usd)[(run.left == m) & (run.mrr == 0)].sum()) for m in range(w.YEAR_MONTH)}
    for month in range(w.YEAR_MONTH, w.MONTHS):
        low, fine = low * (1 - USAGE_RECOVERS) + fine * USAGE_FALLS, fine * (1 - USAGE_FALLS) + low * USAGE_RECOVERS
        lost = 0.0
        moved = []
        for state, is_low in ((low, True), (fine, False)):
            c, e, k, uplift = run.hazards(month, np.full(len(state), is_low))
            parts = {"churn": c * state, "expansion": e * EXPANSION_SIZE * state, "contraction": k * CONTRACTION_SIZE * state}
            parts["indexation"] = uplift * (state - parts["churn"])
            for name, value in parts.items():
                shares[name] += float(value.sum()) / total
            lost += float(parts["churn"].sum())
            moved.append(state - parts["churn"] + parts["expansion"] - parts["contraction"] + parts["indexation"])
        low, fine = moved
        for left in [m for m in away if 2 <= month - m <= 18]:
            shares["reactivation"] += COMES_BACK * away[left] / total
            away[left] *= 1 - COMES_BACK
        away[month] = lost
        starting = (start == month) & (run.mrr == 0)
        first = np.where(starting, reporting_cents(run.customer["mrr"], usd), 0).astype(float)
        rest = USAGE_FALLS / (USAGE_FALLS + USAGE_RECOVERS)
        low, fine = low + rest * first, fine + (1 - rest) * first
    run.churn, run.expand = before
    return shares
