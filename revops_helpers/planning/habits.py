"""Do people forecast what comes? Bias by person, told from luck, and the current commit with habits taken out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import ibis
import numpy as np
import pandas as pd

from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.methods import intervals
from revops_helpers.methods.simulation import Z
from revops_helpers.metrics.facts import closed_on, deals
from revops_helpers.metrics.process import CLOSED
from revops_helpers.metrics.reasons import N_, ZERO
from revops_helpers.metrics.sellers import records_from
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import Period, add_months

NEEDS = ("forecasts.amount", *CLOSED, "opportunities.amount", "opportunities.owner_id")
LEAST, LEVEL = 4, 0.05  # periods of a person to be judged by; the chance of naming anybody by mistake
LENGTHS = (1, 3, 12)


@dataclass(frozen=True)
class Habits:
    """How forecasts and outcomes went together over the periods that are over. Money in cents.

    months: length of a forecast period. rows: one row per person and period: user_id, period_start, commit (mean of all
        submissions), won. people: one row per person of LEAST periods or more: user_id, periods, ratio (Σ commit ÷ Σ won), low,
        high (95 %), p (Holm over all people), named: p below LEVEL. too_few: people with fewer periods.
    everyone: Σ commit ÷ Σ won of all.
    current: the period whose commit is corrected: the one under way, else the newest; then `came` is what came of it.
    commit, corrected: what was last committed for it, and the same with habits of the periods before taken out.
    """

    months: int
    rows: pd.DataFrame
    people: pd.DataFrame
    too_few: int
    everyone: Measurement
    current: Period
    commit: Measurement
    corrected: Measurement
    came: Measurement | None

    @property
    def named(self) -> pd.DataFrame:
        """The people whose habit is clear of luck, furthest from true first."""
        found = self.people[self.people.named]
        return found.iloc[np.argsort(-np.abs(np.log(found.ratio.clip(lower=1e-6))), kind="stable")].reset_index(drop=True)


def habits(company: Company) -> Habits:
    """Commit against outcome by person. Unavailable without commits for a period that is over and on record."""
    company.require(NEEDS)
    said = _commits(company)
    months = _length(said)
    said = said.assign(end=[add_months(day, months) - timedelta(days=1) for day in said.period_start])
    since = records_from(company) or company.as_of
    over = said[(said.end <= company.as_of) & (said.period_start >= since)]
    if over.empty:
        raise Unavailable([N_("forecasts of category commit for a period that is over")])
    rows = over.groupby(["user_id", "period_start"], as_index=False).agg(commit=("amount", "mean"))
    rows = _with_outcome(company, rows, months)
    current = said.period_start.max()
    before = rows[rows.period_start < current]
    people = judged(before if len(before) else rows)
    last = said[said.period_start == current].sort_values("submitted_on", kind="stable").groupby("user_id", as_index=False).last()
    came = rows[rows.period_start == current]
    money = {"unit": "money", "currency": company.settings.currency, "n": len(last)}
    everyone = intervals_of(judged_as_one(rows))
    return Habits(
        months=months,
        rows=rows,
        people=judged(rows),
        too_few=int((rows.groupby("user_id").size() < LEAST).sum()),
        everyone=everyone,
        current=Period(current, add_months(current, months) - timedelta(days=1)),
        commit=Measurement(round(last.amount.sum()), **money),
        corrected=_corrected(before if len(before) else rows, people, last, money),
        came=Measurement(round(came.won.sum()), **money, definition_id="new_arr_won") if len(came) else None,
    )


def _commits(company: Company) -> pd.DataFrame:
    """Every commit submitted by the as-of date: user_id, period_start, submitted_on, amount."""
    rows = company.table("forecasts")
    rows = rows.filter(rows.category == "commit", rows.amount.notnull())
    frame = rows.select("user_id", "period_start", "submitted_on", "amount").to_pandas()
    if frame.empty:
        raise Unavailable([N_("forecasts of category commit")])
    return frame.assign(period_start=pd.to_datetime(frame.period_start).dt.date).sort_values(["submitted_on", "user_id"])


def _length(said: pd.DataFrame) -> int:
    """Months of a forecast period: the shortest step between their first days; a quarter where there is one only."""
    starts = sorted(set(said.period_start))
    steps = [(b.year - a.year) * 12 + b.month - a.month for a, b in pairwise(starts)]
    return min(LENGTHS, key=lambda length: abs(length - min(steps, default=3)))


def _with_outcome(company: Company, rows: pd.DataFrame, months: int) -> pd.DataFrame:
    """The rows with `won`: new business that the person won in the period, in reporting cents."""
    starts = sorted(set(rows.period_start))
    periods = tuple(Period(start, add_months(start, months) - timedelta(days=1)) for start in starts)
    windows = Windows.of(company.settings, periods)
    held = deals(company)
    held = held.filter(held.status == "won", held.kind == "new", held.owner_id.notnull())
    won = windows.assign(held.mutate(closed_on=closed_on(held, windows)), "closed_on")
    sums = won.group_by(user_id=won.owner_id, window=won.window).agg(won=ibis._.amount.sum()).to_pandas()
    sums = sums.assign(period_start=[starts[w] for w in sums.window]).drop(columns="window")
    return rows.merge(sums, how="left", on=["user_id", "period_start"]).fillna({"won": 0}).astype({"won": float, "commit": float})


def judged(rows: pd.DataFrame) -> pd.DataFrame:
    """Each person's Σ commit ÷ Σ won with interval (t, periods as clusters), and whether it differs from 1 beyond luck (Holm).

    People with fewer than LEAST periods, or who won nothing in any, are not judged.
    """
    from scipy.special import stdtr
    from statsmodels.stats.multitest import multipletests

    found = []
    for user, own in rows.groupby("user_id"):
        if len(own) < LEAST or own.won.sum() <= 0:
            continue
        one = judged_as_one(own)
        low, high = (float(end) for end in intervals.ratio_of_sums(*one))
        ratio, free = one[0] / one[1], len(own) - 1
        half = (high - low) / 2
        t = math.inf if half == 0 else abs(ratio - 1) / half * _t95(free)
        p = 1.0 if ratio == 1 else 0.0 if math.isinf(t) else float(2 * stdtr(free, -t))
        found.append((user, len(own), ratio, max(low, 0.0), high, p))
    frame = pd.DataFrame(found, columns=["user_id", "periods", "ratio", "low", "high", "p"])
    adjusted = multipletests(frame.p, alpha=LEVEL, method="holm")[1] if len(frame) else frame.p
    return frame.assign(p=adjusted, named=np.asarray(adjusted) < LEVEL)


def _t95(free: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(free, 0.975))


def judged_as_one(rows: pd.DataFrame) -> tuple[float, ...]:
    """Σx, Σy, Σxx, Σxy, Σyy and count of commit (x) and won (y): what intervals.ratio_of_sums takes."""
    x, y = rows.commit.to_numpy(float), rows.won.to_numpy(float)
    return x.sum(), y.sum(), (x * x).sum(), (x * y).sum(), (y * y).sum(), float(len(rows))


def intervals_of(sums: tuple[float, ...]) -> Measurement:
    """The ratio of all commits to all outcomes, with its interval."""
    if sums[1] <= 0:
        return not_applicable(ZERO, unit="ratio")
    low, high = (float(end) for end in intervals.ratio_of_sums(*sums))
    bounds = (max(low, 0.0), high) if math.isfinite(low) else (None, None)
    return Measurement(sums[0] / sums[1], int(sums[-1]), *bounds, unit="ratio")


def _corrected(rows: pd.DataFrame, people: pd.DataFrame, last: pd.DataFrame, money: dict) -> Measurement:
    """Σ commit ÷ habit, where the habit is a named person's own and everybody else's together.

    Interval: past errors of single commits corrected so, with variance in proportion to the square of the commit.
    """
    own = people[people.named & (people.ratio > 0)].set_index("user_id").ratio
    rest = rows[~rows.user_id.isin(own.index)]
    common = rest.commit.sum() / rest.won.sum() if rest.won.sum() > 0 and rest.commit.sum() > 0 else 1.0

    def habit(users: pd.Series) -> np.ndarray:
        return users.map(own).fillna(common).to_numpy(float)

    expected = last.amount.to_numpy(float) / habit(last.user_id)
    past = rows.commit.to_numpy(float) / habit(rows.user_id)
    spread = ((rows.won.to_numpy(float) - past) ** 2).sum() / max((past**2).sum(), 1e-9)
    half = Z * math.sqrt(spread * (expected**2).sum())
    return Measurement(round(expected.sum()), low=max(expected.sum() - half, 0.0), high=expected.sum() + half, **money)


def under_way(found: Habits, as_of: date) -> bool:
    """Whether the corrected period is not over."""
    return found.current.end > as_of
