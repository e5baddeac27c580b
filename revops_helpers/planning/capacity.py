"""Are there people enough for the target? Ramp and leaving as measured, and the coming year simulated from them.

Capacity is what sellers would win at the productivity that tenured sellers have had. It says nothing of whether there would be
deals enough to work on: that is the cascade's question.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.methods import intervals
from revops_helpers.methods.backtest import bands
from revops_helpers.methods.simulation import Z, people_at_work, random_totals
from revops_helpers.metrics.measure import measurement
from revops_helpers.metrics.process import CLOSED
from revops_helpers.metrics.reasons import N_, TOO_FEW
from revops_helpers.metrics.sellers import SELLERS, TENURED, closed_months, seller_months, sellers
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import Period, add_months, month_end
from revops_helpers.planning.cascade import Cascade, next_year

NEEDS = (*SELLERS, *CLOSED, "opportunities.amount")
FEW, YEAR = 20, 12
DRAWS, SEED = 4000, 51
LEVELS = (0.5, 0.8)
Uncertain = tuple[np.ndarray, np.ndarray, np.ndarray]
NOBODY_TENURED = N_("no seller of twelve months or more")


@dataclass(frozen=True)
class Team:
    """The sellers as measured.

    people: one row per seller there now: user_id, team, hired_on, tenure (months). left: how many left within the last year.
    ramp: one row per tenure month 1 to 11: tenure, sellers, deals, expected (deals of as many tenured sellers in those months),
        share, low, high (95 %; no number where nothing was expected). ramp_months: Kaplan-Meier median of the months to full.
    attrition: share of sellers that leave within a year; leavers and exposure (seller-months) are what it is from.
    productivity: ARR won per month by a tenured seller, in cents, over the last twelve closed months. each: one row per tenured
        seller of those months: user_id, months, arr. dispersion: Σ amount² ÷ Σ amount of what was won, in cents.
    """

    people: pd.DataFrame
    ramp: pd.DataFrame
    ramp_months: Measurement
    attrition: Measurement
    leavers: int
    exposure: float
    productivity: Measurement
    each: pd.DataFrame
    dispersion: float


def team(company: Company) -> Team:
    """Who sells now, how fast the new ones ramped, how many left, what the tenured win. Unavailable without sellers on record."""
    company.require(NEEDS)
    months = seller_months(company).to_pandas()
    if months.empty or closed_months(company) is None:
        raise Unavailable([N_("sellers who were there for a month")])
    now = sellers(company).to_pandas()
    now = now[pd.to_datetime(now.left_on).isna()].sort_values("user_id", ignore_index=True)
    hired = pd.to_datetime(now.hired_on)
    tenure = (company.as_of.year - hired.dt.year) * 12 + company.as_of.month - hired.dt.month
    leavers, exposure = attrition(company)
    recent = months[pd.to_datetime(months.month_end) > pd.Timestamp(month_end(add_months(months.month_end.max(), -YEAR)))]
    amounts = recent[["arr", "arr_arr"]].astype(float).sum()
    return Team(
        people=now.assign(tenure=tenure)[["user_id", "team", "hired_on", "tenure"]],
        ramp=ramp_curve(months),
        ramp_months=measurement(company, "ramp_months", Period(company.as_of.replace(day=1), company.as_of)),
        attrition=yearly(leavers, exposure),
        leavers=leavers,
        exposure=exposure,
        productivity=productivity(recent, company.settings.currency),
        each=_tenured(recent),
        dispersion=amounts.arr_arr / amounts.arr if amounts.arr else 0.0,
    )


def ramp_curve(months: pd.DataFrame) -> pd.DataFrame:
    """Deals of sellers in each month of tenure over those of as many tenured sellers in the same calendar months.

    months: as sellers.seller_months. Poisson counts on both sides, their quotient by MOVER-R.
    """
    young = months[(months.tenure >= 1) & (months.tenure < TENURED) & (months.peers > 0)].astype({"peer_deals": float})
    each = young.groupby(["tenure", "month_end"]).agg(sellers=("deals", "size"), deals=("deals", "sum"), peers=("peers", "first"),
                                                      won=("peer_deals", "first")).reset_index()  # fmt: skip
    weight = each.sellers / each.peers
    each = each.assign(expected=weight * each.won, spread=weight**2 * each.won)
    sums = each.groupby("tenure")[["sellers", "deals", "expected", "spread"]].sum().reindex(range(1, TENURED), fill_value=0.0)
    deals, expected = sums.deals.to_numpy(float), sums.expected.to_numpy(float)
    known = expected > 0
    low, high = intervals.quotient(
        np.maximum(deals, 0.5), intervals.poisson_exact(deals), expected, intervals.random_sum(expected, sums.spread)
    )
    share = np.divide(deals, expected, out=np.full(len(deals), math.nan), where=known)
    columns = {"tenure": sums.index, "sellers": sums.sellers.astype(int), "deals": sums.deals.astype(int), "expected": expected}
    bounds = {
        "low": np.where(known, np.where(deals == 0, 0.0, np.minimum(low, share)), math.nan),
        "high": np.where(known, high, math.nan),
    }
    return pd.DataFrame({**columns, "share": share, **bounds}).reset_index(drop=True)


def attrition(company: Company) -> tuple[int, float]:
    """How many sellers left since deals are on record, and the months that sellers were there."""
    record = closed_months(company)
    rows = sellers(company).to_pandas()
    start = pd.Timestamp(record.span.start)
    first = pd.to_datetime(rows.hired_on).clip(lower=start)
    last = pd.to_datetime(rows.left_on).fillna(pd.Timestamp(company.as_of))
    days = (last - first).dt.days + 1
    there = days > 0
    left = pd.to_datetime(rows.left_on).notna() & there
    return int(left.sum()), float(days[there].sum() / (365.25 / 12))


def yearly(leavers: int, exposure: float) -> Measurement:
    """The share that leaves within a year at a constant hazard, exact Poisson interval."""
    if not exposure:
        return not_applicable(NOBODY_TENURED, unit="percent")
    low, high = (float(end) for end in intervals.poisson_exact(leavers))
    value, low, high = (float(1 - math.exp(-12 * k / exposure)) for k in (leavers, low, high))
    few = leavers < FEW
    return Measurement(value, leavers, low, high, "insufficient" if few else "ok", TOO_FEW if few else "", "percent")


def _tenured(recent: pd.DataFrame) -> pd.DataFrame:
    rows = recent[recent.tenure >= TENURED]
    return rows.groupby("user_id", as_index=False).agg(months=("deals", "size"), deals=("deals", "sum"), arr=("arr", "sum"))


def productivity(recent: pd.DataFrame, currency: str) -> Measurement:
    """ARR won by tenured sellers over their months, cents; the delta method over sellers."""
    each = _tenured(recent)
    money = {"unit": "money", "currency": currency}
    if each.empty:
        return not_applicable(NOBODY_TENURED, **money)
    x, y = each.arr.to_numpy(float), each.months.to_numpy(float)
    low, high = intervals.ratio_of_sums(x.sum(), y.sum(), (x * x).sum(), (x * y).sum(), (y * y).sum(), len(each))
    few = len(each) < FEW
    bounds = (None, None) if len(each) < 2 else (max(float(low), 0.0), float(high))
    return Measurement(x.sum() / y.sum(), len(each), *bounds, "insufficient" if few else "ok", TOO_FEW if few else "", **money)


# --- the coming year -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Capacity:
    """What the sellers there now would win in the cascade's horizon if nobody were hired, against what its target needs.

    needed: new ARR to be won, at the plan's rates. won: median and 95 % of the simulated years. chance: share that reaches it.
    shortfall: needed − won, below zero is more than enough. needed_now, chance_now: the same at today's rates; None where they
        lead nowhere. months: month, median and bands of the cumulative ARR won, and plan.
    hires: one row per level and month in which all begin: chance, start, hires (no number where tripling the team is not enough).
    leaving: how many of those there now will have left by the end of the horizon.
    """

    horizon: Period
    needed: Measurement
    won: Measurement
    chance: Measurement
    shortfall: Measurement
    needed_now: Measurement
    chance_now: Measurement | None
    months: pd.DataFrame
    hires: pd.DataFrame
    leaving: Measurement

    def hires_for(self, chance: float) -> pd.DataFrame:
        """start and hires for one level, earliest start first."""
        return self.hires[self.hires.chance == chance].reset_index(drop=True)

    def latest(self, chance: float) -> tuple[int, date] | None:
        """The fewest hires that reach the level, and the latest month in which that many are still enough; None if none are."""
        rows = self.hires_for(chance).dropna()
        if rows.empty:
            return None
        fewest = int(rows.hires.min())
        return fewest, rows[rows.hires == fewest].start.iloc[-1]


def capacity(company: Company) -> Capacity:
    """Next year's capacity against its target. Unavailable without target, sellers, or wins of tenured ones."""
    known, plan = team(company), next_year(company)
    needed = plan.step("new_arr_won")
    if needed is None or needed.needed_plan.value is None:
        raise Unavailable([N_("rates that lead from the target to deals")])
    if not known.productivity.value:
        raise Unavailable([N_("deals won in the last year by sellers of twelve months or more")])
    return simulate(known, plan, company.as_of)


def simulate(known: Team, plan: Cascade, as_of: date) -> Capacity:
    """The simulation: people, ramp, leaving, productivity and the luck of deals, each with its own stream of one seed."""
    goal = float(plan.step("new_arr_won").needed_plan.value)
    first = _ahead(as_of, plan.horizon.start)
    months = range(first, _ahead(as_of, plan.horizon.end) + 1)
    ramp, hazard, worth = uncertain(known)
    there = people_at_work(-known.people.tenure.to_numpy(int), months, ramp, hazard, SEED)
    mean = (there.sum(axis=0) * worth).cumsum(axis=0)
    paths = random_totals(mean, known.dispersion, SEED + 1)
    total = paths[-1]
    low, middle, high = (float(q) for q in np.quantile(total, [0.025, 0.5, 0.975]))
    money = {"unit": "money", "currency": plan.target.currency, "n": len(known.people), "definition_id": "new_arr_won"}
    ends = [month_end(add_months(as_of.replace(day=1), m)) for m in months]
    needed_now = plan.step("new_arr_won").needed_now
    profile = plan.months["share"].cumsum().to_numpy() * goal
    return Capacity(
        horizon=plan.horizon,
        needed=plan.step("new_arr_won").needed_plan,
        won=Measurement(middle, low=low, high=high, **money),
        chance=_chance(total, goal),
        shortfall=Measurement(goal - middle, low=goal - high, high=goal - low, **money),
        needed_now=needed_now,
        chance_now=None if needed_now.value is None else _chance(total, needed_now.value),
        months=bands(paths).assign(month=ends, plan=profile),
        hires=hires_needed(known, mean[-1], (ramp, hazard, worth), months, goal, as_of),
        leaving=_leaving(known, hazard, months[-1]),
    )


def _chance(total: np.ndarray, goal: float) -> Measurement:
    """The share of the simulated years that reach the goal; its interval is that of the finite number of draws."""
    reached = int((total >= goal).sum())
    return Measurement(
        reached / len(total), len(total), *(float(b) for b in intervals.wilson(reached, len(total))), unit="percent"
    )


def _ahead(as_of: date, day: date) -> int:
    """How many calendar months `day` lies after the as-of date's."""
    return (day.year - as_of.year) * 12 + day.month - as_of.month


def uncertain(known: Team, draws: int = DRAWS) -> Uncertain:
    """Ramp (tenure × draws, month 0 is nothing), hazard of leaving a month, and tenured ARR a month, as draws.

    Ramp and hazard are gamma (Jeffreys' prior), the ARR is lognormal with its own mean and spread; what is exact does not vary.
    A month of tenure that nobody was seen in is taken as unknown between nothing and full.
    """
    stream = np.random.default_rng(SEED + 2)
    rows = known.ramp
    chance = stream.random((len(rows), draws))
    seen = rows.expected.to_numpy(float)[:, None] > 0
    shape = rows.deals.to_numpy(float)[:, None] + 0.5
    grown = stream.gamma(np.broadcast_to(shape, chance.shape)) / np.maximum(rows.expected.to_numpy(float), 1e-9)[:, None]
    ramp = np.concatenate([np.zeros((1, draws)), np.where(seen, grown, chance)])
    hazard = stream.gamma(known.leavers + 0.5, size=draws) / max(known.exposure, 1e-9)
    m = known.productivity
    spread = 0.0 if m.low is None or m.high is None or not m.value else (m.high - m.low) / 2 / Z / m.value
    sigma = math.sqrt(math.log1p(spread**2))
    return ramp, hazard, m.value * np.exp(sigma * stream.standard_normal(draws) - sigma**2 / 2)


def hires_needed(known: Team, mean: np.ndarray, drawn: Uncertain, months: range, goal: float, as_of: date) -> pd.DataFrame:
    """For each level of chance and each month in which hires could all begin: how many it takes, by bisection."""
    rows, (ramp, hazard, worth) = [], drawn
    most = max(10, 2 * len(known.people))
    for start in range(1, months[-1]):
        each = people_at_work([start] * most, months, ramp, hazard, SEED + 3).sum(axis=1)
        added = np.concatenate([np.zeros((1, len(hazard))), each.cumsum(axis=0)]) * worth

        def reached(hires: int, added: np.ndarray = added) -> float:
            return float((random_totals(mean + added[hires], known.dispersion, SEED + 1) >= goal).mean())

        for level in LEVELS:
            rows.append((level, add_months(as_of.replace(day=1), start), _fewest(reached, level, most)))
    return pd.DataFrame(rows, columns=["chance", "start", "hires"]).sort_values(["chance", "start"], ignore_index=True)


def _fewest(reached: Callable[[int], float], level: float, most: int) -> float:
    """The smallest number of hires whose chance is at least the level; NaN when `most` fall short."""
    if reached(most) < level:
        return math.nan
    low, high = -1, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) >= level else (middle, high)
    return float(high)


def _leaving(known: Team, hazard: np.ndarray, last: int) -> Measurement:
    """How many of those there now will have left by the end of the horizon, expected, with its 95 % interval of the draws."""
    people = len(known.people)
    gone = people * (1 - np.exp(-hazard * last))
    low, high = (float(q) for q in np.quantile(gone, [0.025, 0.975]))
    return Measurement(float(np.median(gone)), people, low, high, unit="count")
