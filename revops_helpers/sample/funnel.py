"""The core of new business: which leads convert, when deals are decided, which are won and for how much.

Everything the gap's new-business drivers are made of is drawn here, and their expected values are worked out beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from revops_helpers.sample import world as w

# Leads per month before scaling: months 0-35 only feed deals (their lead records are gone), months 36-59 are kept.
LEADS_PER_MONTH = {2021: 240, 2022: 280, 2023: 350, 2024: 420, 2025: 500}
PLAN_LEADS = 5000  # January-September 2026
ACTUAL_LEADS = 5400
SEASON = np.array([0.85, 0.90, 1.08, 1.02, 1.06, 1.00, 0.98, 1.08, 1.03, 1.06, 1.04, 0.80])

PLAN_CONVERSION, ACTUAL_CONVERSION = 0.20, 0.178
PLAN_WIN, ACTUAL_WIN = 0.25, 0.20

# The logit of conversion of a contacted lead: what heat does, what a fast answer does, what channels do.
HEAT_ON_CONVERSION = 0.70
FAST_ON_CONVERSION = 0.50
FAST_MINUTES = 60
CHANNELS = ("email", "webinar", "content", "paid_social", "event")
CHANNEL_ON_CONVERSION = {"email": 0.10, "webinar": 0.45, "content": 0.20, "paid_social": 0.0, "event": 0.35}
CHANNEL_REACH = {"email": 0.55, "webinar": 0.18, "content": 0.35, "paid_social": 0.27, "event": 0.08}
CHANNEL_FOLLOWS_HEAT = {"paid_social": 0.8}  # retargeting is shown to those who are warm anyway
NULL_CHANNEL = "paid_social"

# Working minutes to the first human contact: warm leads are called sooner; the new SLA for website leads halves the wait.
MEDIAN_RESPONSE, HEAT_ON_RESPONSE, SPREAD_OF_RESPONSE = 150, -0.45, 0.9
SLA_MONTH, SLA_SOURCE, SLA_ON_RESPONSE = 54, "website", -0.60
NEVER_CONTACTED, HEAT_ON_NEVER = -0.70, -0.40

# First-year ARR by segment in reais of 2026, and how it grew there.
DEAL_SIZE = np.array([20_000, 33_000, 55_000])
SIZE_SPREAD = 0.30
SIZE_OF_YEAR = {2021: 0.64, 2022: 0.69, 2023: 0.76, 2024: 0.84, 2025: 0.93, 2026: 1.0}
USD_SHARE = 0.08
# Days from opening to the decision and from the win to go-live: a fixed part and three (two) uniform parts.
CYCLE_FIXED, CYCLE_PARTS = np.array([9, 16, 30]), np.array([14, 22, 34])
LIVE_FIXED, LIVE_PART = 3, 14
NEVER_BILLED = 0.015
UNSOLD_STARTS_PER_QUARTER = 1  # customers that billing starts without a deal in the CRM


@dataclass
class Funnel:
    """Leads and new-business deals as arrays; a deal's `lead` is -1 where its lead record is gone."""

    lead: dict[str, np.ndarray]
    deal: dict[str, np.ndarray]
    expected: dict[str, float]


def leads_per_month(scale: float) -> np.ndarray:
    """Exact number of leads that each of the 60 months gets."""
    counts = np.zeros(w.MONTHS, dtype=np.int64)
    for year in (2021, 2022, 2023, 2024, 2025):
        here = np.flatnonzero(w.MONTH_YEAR[: w.MONTHS] == year)
        counts[here] = w.allocate(round(LEADS_PER_MONTH[year] * len(here) * scale), SEASON[w.MONTH_NUMBER[here] - 1])
    counts[w.YEAR_MONTH :] = w.allocate(round(ACTUAL_LEADS * scale), SEASON[:9])
    return counts


def simulate_funnel(streams: w.Streams, scale: float) -> Funnel:
    """Leads since October 2024 and deals since October 2021."""
    counts = leads_per_month(scale)
    lead = _leads(streams, counts)
    recent = np.flatnonzero(lead["converted"])
    rng = streams("early deals")
    early_month = np.repeat(np.arange(w.RECENT_MONTH), np.round(counts[: w.RECENT_MONTH] * PLAN_CONVERSION).astype(np.int64))
    early_day = w.next_workday(_day_in_month(rng, early_month))
    deal = {
        "lead": np.concatenate([np.full(len(early_day), -1), recent]),
        "opened": np.concatenate([early_day * 86400 + w.business_clock(rng, len(early_day)), lead["converts"][recent]]),
        "segment": np.concatenate([w.choose(rng, w.SEGMENT_SHARES, len(early_day)), lead["segment"][recent]]),
    }
    _decide(streams, deal)
    return Funnel(lead, deal, _expected(lead, deal, scale))


def _day_in_month(rng: np.random.Generator, month: np.ndarray) -> np.ndarray:
    length = w.MONTH_STARTS[month + 1] - w.MONTH_STARTS[month]
    return w.MONTH_STARTS[month] + (rng.random(len(month)) * length).astype(np.int64)


def _leads(streams: w.Streams, counts: np.ndarray) -> dict[str, np.ndarray]:
    month = np.repeat(np.arange(w.RECENT_MONTH, w.MONTHS), counts[w.RECENT_MONTH :])
    n, rng = len(month), streams("leads")
    day = np.sort(_day_in_month(rng, month), kind="stable")
    office = rng.random(n) < 0.72
    created = day * 86400 + np.where(office, rng.integers(8 * 3600, 19 * 3600, n), rng.integers(0, 86400, n))
    heat = np.round(np.clip(w.bell(rng, n), -2.5, 2.5) * 20) / 20  # the score shows it: 50 + 20 × heat
    lead = {
        "created": created,
        "month": month,
        "heat": heat,
        "segment": w.choose(rng, w.SEGMENT_SHARES, n),
        "source": w.choose(rng, w.SOURCE_SHARES, n),
    }
    wait = np.log(MEDIAN_RESPONSE) + HEAT_ON_RESPONSE * heat + SPREAD_OF_RESPONSE * w.bell(rng, n)
    wait += SLA_ON_RESPONSE * ((lead["source"] == w.SOURCES.index(SLA_SOURCE)) & (month >= SLA_MONTH))
    lead["response"] = np.clip(np.round(np.exp(wait)), 2, 2700).astype(np.int64)
    lead["contact"] = w.after_business_minutes(created, lead["response"])
    lead["reached"] = rng.random(n) >= w.logistic(NEVER_CONTACTED + HEAT_ON_NEVER * heat)
    for channel in CHANNELS:
        lift = CHANNEL_FOLLOWS_HEAT.get(channel, 0.0) * heat
        reach = CHANNEL_REACH[channel]
        lead[f"saw_{channel}"] = rng.random(n) < w.logistic(np.log(reach / (1 - reach)) + lift)
    _convert(rng, lead)
    return lead


def _convert(rng: np.random.Generator, lead: dict[str, np.ndarray]) -> None:
    n = len(lead["created"])
    push = HEAT_ON_CONVERSION * lead["heat"] + FAST_ON_CONVERSION * (lead["response"] <= FAST_MINUTES)
    for channel, effect in CHANNEL_ON_CONVERSION.items():
        push = push + effect * lead[f"saw_{channel}"]
    late = lead["month"] >= w.YEAR_MONTH
    chance = np.zeros(n)
    lead["intercept"] = np.zeros(2)
    for era, (mask, rate) in enumerate(((~late, PLAN_CONVERSION), (late, ACTUAL_CONVERSION))):
        lead["intercept"][era] = level = _level_for(push[mask], lead["reached"][mask], rate)
        chance[mask] = w.logistic(level + push[mask]) * lead["reached"][mask]
    lead["chance"] = chance
    opens = w.next_workday(lead["contact"] // 86400 + rng.integers(0, 3, n))
    lead["converts"] = np.maximum(opens * 86400 + w.business_clock(rng, n), lead["contact"] + 1800)
    lead["converted"] = (rng.random(n) < chance) & (lead["converts"] <= w.END_SECOND)


def _level_for(push: np.ndarray, reached: np.ndarray, rate: float) -> float:
    """The intercept that makes the mean chance exactly `rate`."""
    low, high = -12.0, 12.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if np.mean(w.logistic(middle + push) * reached) > rate else (middle, high)
    return (low + high) / 2


def _decide(streams: w.Streams, deal: dict[str, np.ndarray]) -> None:
    n, rng = len(deal["opened"]), streams("decisions")
    part = CYCLE_PARTS[deal["segment"]]
    cycle = CYCLE_FIXED[deal["segment"]] + sum((rng.random(n) * part).astype(np.int64) for _ in range(3))
    day = deal["opened"] // 86400 + cycle
    day += np.array([0, 0, 0, 0, 0, 2, 1])[(day + 4) % 7]  # DAY0 was a Friday; weekends wait for Monday
    deal["decided_on"] = day
    deal["decided"] = np.maximum(day * 86400 + w.business_clock(rng, n), deal["opened"] + 3600)
    deal["is_decided"] = day <= w.LAST_DAY
    deal["wins"] = rng.random(n) < np.where(day >= w.YEAR_DAY, ACTUAL_WIN, PLAN_WIN)
    deal["won"] = deal["is_decided"] & deal["wins"]
    growth = np.array([SIZE_OF_YEAR[min(y, 2026)] for y in w.MONTH_YEAR])[w.month_of(np.minimum(day, w.LAST_DAY))]
    size = DEAL_SIZE[deal["segment"]] * growth * (1 + SIZE_SPREAD * (2 * rng.random(n) - 1))
    deal["usd"] = rng.random(n) < USD_SHARE
    deal["mrr"] = np.where(deal["usd"], np.round(size / 12 / w.PLAN_USD), np.round(size / 12)).astype(np.int64) * 100
    deal["live_on"] = day + LIVE_FIXED + sum((rng.random(n) * LIVE_PART).astype(np.int64) for _ in range(2))
    deal["billed"] = rng.random(n) >= NEVER_BILLED


def _uniform(size: int) -> np.ndarray:
    return np.full(size, 1 / size)


def _cycle_chances() -> np.ndarray:
    """Chance of each cycle length in days, over the segments."""
    longest = int((CYCLE_FIXED + 3 * CYCLE_PARTS).max()) + 1
    total = np.zeros(longest)
    for share, fixed, part in zip(w.SEGMENT_SHARES, CYCLE_FIXED, CYCLE_PARTS, strict=True):
        three = np.convolve(np.convolve(_uniform(int(part)), _uniform(int(part))), _uniform(int(part)))
        total[fixed : fixed + len(three)] += share * three
    return total


def _expected(lead: dict[str, np.ndarray], deal: dict[str, np.ndarray], scale: float) -> dict[str, float]:
    """What the new-business drivers of January-September 2026 are expected to be, given the leads."""
    horizon = w.LAST_DAY + 1
    opens = np.bincount(deal["opened"][deal["lead"] < 0] // 86400, minlength=horizon).astype(float)[:horizon]
    day = lead["converts"] // 86400
    inside = day < horizon
    opens += np.bincount(day[inside], weights=lead["chance"][inside], minlength=horizon)
    decided = np.convolve(opens, _cycle_chances())[:horizon]
    year = slice(w.YEAR_DAY, horizon)
    rate = np.where(np.arange(horizon) >= w.YEAR_DAY, ACTUAL_WIN, PLAN_WIN)
    won = decided * rate * _mean_size(horizon)
    waits = np.concatenate([np.zeros(LIVE_FIXED), np.convolve(_uniform(LIVE_PART), _uniform(LIVE_PART))])
    live = np.convolve(won * (1 - NEVER_BILLED), waits)[:horizon]
    unsold = 3 * max(1, round(UNSOLD_STARTS_PER_QUARTER * scale)) * float(w.SEGMENT_SHARES @ DEAL_SIZE)
    return {
        "decided_share": float(decided[year].sum() / opens[year].sum()),
        "deal_size": float(w.SEGMENT_SHARES @ DEAL_SIZE),
        "live_share": float((live[year].sum() + unsold) / won[year].sum()),
    }


def _mean_size(horizon: int) -> np.ndarray:
    """Expected first-year ARR in reais of a deal decided on each day."""
    growth = np.array([SIZE_OF_YEAR[min(y, 2026)] for y in w.MONTH_YEAR])
    return growth[w.month_of(np.arange(horizon))] * float(w.SEGMENT_SHARES @ DEAL_SIZE)
