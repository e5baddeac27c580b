"""Are quotas in line with the plan, and who meets them? Everybody who had one counts, for the days they were there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import ibis
import pandas as pd

from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.methods import intervals
from revops_helpers.metrics.measure import measurements
from revops_helpers.metrics.predictability import planned_wins
from revops_helpers.metrics.reasons import N_, NO_TARGET, TOO_FEW
from revops_helpers.metrics.sellers import quota_periods
from revops_helpers.metrics.sellers import quotas as sellers_quotas
from revops_helpers.metrics.team import QUOTAS
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import Period, add_months

FEW, YEAR = 20, 12
BANDS = ((0.0, 0.5), (0.5, 0.8), (0.8, 1.0), (1.0, math.inf))


@dataclass(frozen=True)
class Quotas:
    """The quotas of the last twelve closed months (whole quota periods in them). Money in cents.

    period: from the first quota's first day to the last one's last. assigned, credited: sums, prorated for days there.
    attainment: credited ÷ assigned. met: share of quotas that were reached. planned: new ARR that the plan has won.
    over: assigned ÷ planned − 1; above zero more is asked of people than the plan needs.
    people: one row per person, by id: user_id, team, periods, quota, credited, attainment, left (has left since).
    bands: one row per attainment band: low, high, quotas, share, share_low, share_high.
    teams: one row per team when there are several: team, people, quota, credited, attainment, and n of quotas.
    """

    period: Period
    assigned: Measurement
    credited: Measurement
    attainment: Measurement
    met: Measurement
    planned: Measurement
    over: Measurement
    people: pd.DataFrame
    bands: pd.DataFrame
    teams: pd.DataFrame


def quotas(company: Company) -> Quotas:
    """Quotas against plan and against what was won. Unavailable without quotas of new ARR that have ended."""
    company.require((*QUOTAS, "opportunities.amount"))
    end = company.period.end
    year = Period(add_months(end.replace(day=1), 1 - YEAR), end)
    rows = quota_periods(company, Windows.of(company.settings, year)).to_pandas()
    if rows.empty:
        raise Unavailable([N_("quotas of new ARR whose period has ended")])
    period = Period(pd.to_datetime(rows.period_start).min().date(), pd.to_datetime(rows.period_end).max().date())
    found = measurements(company, ["quota_attainment", "quota_met"], period)
    assigned, credited = int(rows.quota.sum()), int(rows.credited.sum())
    money = {"unit": "money", "currency": company.settings.currency}
    goal = planned_wins(company, period)
    planned = Measurement(round(goal), n=1, **money, definition_id="new_arr_won") if goal else not_applicable(NO_TARGET, **money)
    return Quotas(
        period=period,
        assigned=Measurement(assigned, n=len(rows), **money),
        credited=Measurement(credited, n=len(rows), **money),
        attainment=found["quota_attainment"],
        met=found["quota_met"],
        planned=planned,
        over=Measurement(assigned / goal - 1, n=len(rows), unit="percent") if goal else not_applicable(NO_TARGET, unit="percent"),
        people=_people(rows),
        bands=_bands(rows.credited / rows.quota),
        teams=_teams(rows),
    )


def quota_of(company: Company, user_id: str) -> Measurement | None:
    """What was asked of one person in the company's period: the quotas of new ARR, in cents, each for the days of it that lie in
    the period and on which the person was there. None without one."""
    if company.missing(QUOTAS):
        return None
    there = company.table("users", ("user_id", "hired_on", "left_on")).filter(ibis._.user_id == user_id).to_pandas()
    rows = sellers_quotas(company).filter(ibis._.user_id == user_id).to_pandas()
    starts, ends = (pd.to_datetime(rows[name]) for name in ("period_start", "period_end"))
    first = pd.to_datetime([company.period.start, *there.hired_on]).max()
    last = pd.to_datetime([company.period.end, *there.left_on]).min()
    inside = ((ends.clip(upper=last) - starts.clip(lower=first)).dt.days + 1).clip(lower=0)
    if not inside.sum():
        return None
    asked = float((rows.amount * inside / ((ends - starts).dt.days + 1)).sum())
    return Measurement(round(asked), n=int((inside > 0).sum()), unit="money", currency=company.settings.currency)


def _people(rows: pd.DataFrame) -> pd.DataFrame:
    """By id and not by attainment: a few quarters of one person do not make a ranking."""
    each = rows.groupby("user_id", as_index=False).agg(
        team=("team", "first"),
        periods=("quota", "size"),
        quota=("quota", "sum"),
        credited=("credited", "sum"),
        left=("left_on", "max"),
    )
    return each.assign(attainment=each.credited / each.quota, left=pd.to_datetime(each.left).notna())


def _bands(attained: pd.Series) -> pd.DataFrame:
    """Each quota in one band; Wilson."""
    counts = [int(((attained >= low) & (attained < high)).sum()) for low, high in BANDS]
    low, high = intervals.wilson(counts, [len(attained)] * len(counts))
    lows, highs = zip(*BANDS, strict=True)
    shares = [n / len(attained) for n in counts]
    return pd.DataFrame({"low": lows, "high": highs, "quotas": counts, "share": shares, "share_low": low, "share_high": high})


def _teams(rows: pd.DataFrame) -> pd.DataFrame:
    named = rows.assign(team=rows.team.fillna(""))
    sums = named.groupby("team", as_index=False).agg(
        people=("user_id", "nunique"), n=("quota", "size"), quota=("quota", "sum"), credited=("credited", "sum")
    )
    return sums.assign(attainment=sums.credited / sums.quota) if len(sums) > 1 else sums.iloc[:0].assign(attainment=[])


def team_attainment(row, few: int = FEW) -> Measurement:
    """A team's attainment as a measurement: booked totals, and too few where there are fewer than 20 quotas."""
    status = ("insufficient", TOO_FEW) if row.n < few else ("ok", "")
    return Measurement(float(row.attainment), int(row.n), status=status[0], reason=status[1], unit="percent")
