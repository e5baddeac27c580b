"""What can these records not tell, however often they are counted? General checks of time, outcomes, amounts and values.

Each check asks one thing of leads or deals and gives at most a few limits: outcomes that begin later than the records, cohorts
too young to be judged, deals without losses or amounts, names that are one name, fields empty only on open deals.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd

from revops_helpers.foundation.alike import alike
from revops_helpers.measurement import Measurement
from revops_helpers.methods.intervals import wilson
from revops_helpers.methods.survival import kaplan_meier
from revops_helpers.metrics.facts import closed_on, deals
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company
from revops_helpers.model.tables import TABLES
from revops_helpers.periods import Period

EXPECTED = 10  # outcomes that should have been recorded in a stretch that has none; chance leaves it empty once in 22,000
MANY = 20  # outcomes below which nothing is said of when they come
RIPE = 0.95  # a cohort is whole when this share of the wins seen came within its age
SERIOUS = 0.2  # share of won deals without an amount from which no size can be read
SINCE = date(2000, 1, 1)
ENDS = ("closed_at", "close_date", "lost_reason")  # empty on open deals by their nature


@dataclass(frozen=True)
class Limit:
    """One thing that the records cannot tell.

    kind: late_outcomes, young, won_before_lead, no_losses, unpriced_won, unpriced_lost, unpriced_open, alike, typo or
        only_when_open. share: of `n` records, how many it touches. serious: it changes what may be concluded.
    facts: what the sentence about it needs: days, counts, names, cents.
    """

    kind: str
    table: str
    column: str
    share: Measurement
    serious: bool = False
    facts: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """What was found, the serious first, and every kind that could be asked of this company's tables."""

    found: tuple[Limit, ...]
    asked: tuple[str, ...]

    def of(self, kind: str) -> list[Limit]:
        """The limits of one kind."""
        return [limit for limit in self.found if limit.kind == kind]


def record_limits(company: Company) -> Limits:
    """Every check that the tables allow. Unavailable when there are neither leads nor deals."""
    if len(company.missing(["leads", "opportunities"])) == 2:
        company.require(["opportunities"])
    found: list[Limit] = []
    asked: list[str] = []
    for kinds, check in CHECKS:
        limits = check(company)
        if limits is not None:
            asked += kinds
            found += limits
    return Limits(tuple(sorted(found, key=lambda limit: not limit.serious)), tuple(dict.fromkeys(asked)))


# --- time ----------------------------------------------------------------------------------------------------------------


def _in_time(company: Company) -> list[Limit] | None:
    lives = {name: made for name, make in LIVES.items() if (made := make(company)) is not None}
    found = []
    for name, rows in lives.items():
        rows = rows[rows.born >= pd.Timestamp(company.settings.records_start.get(name, SINCE))]
        found += [limit for limit in (late_outcomes(name, rows, company.as_of), young(name, rows, company.as_of)) if limit]
    return found if lives else None


def late_outcomes(table: str, lives: pd.DataFrame, as_of: date) -> Limit | None:
    """Left truncation: by what later records did, EXPECTED outcomes or more should lie before the first one on record.

    lives: born and ended (days; NaT while it goes on), n. What is expected is read from the Kaplan-Meier curve of the records
    born since the first outcome, at the age that each earlier record had on that day.
    """
    first = lives.ended.min()
    before, since = lives[lives.born < first], lives[lives.born >= first]
    if before.empty or since[since.ended.notna()].n.sum() < MANY:
        return None
    ages = (since.ended.fillna(pd.Timestamp(as_of)) - since.born).dt.days
    seen = since.ended.notna() & (ages >= 0)
    curve = kaplan_meier(ages.clip(lower=0), seen, weights=since.n)
    place = np.searchsorted(curve.times, (first - before.born).dt.days, side="right")
    expected = float((before.n * (1 - np.concatenate([[1.0], curve.survival])[place])).sum())
    if expected < EXPECTED:
        return None
    facts = {"first": lives.born.min().date(), "outcome": first.date(), "expected": expected, "before": int(before.n.sum())}
    return Limit("late_outcomes", table, "", _share(before.n.sum(), lives.n.sum()), True, facts)


def young(table: str, lives: pd.DataFrame, as_of: date) -> Limit | None:
    """The cohorts that are not whole: born less than the RIPE share of the times to an outcome before the day of the report."""
    ended = lives[lives.ended.notna() & (lives.ended >= lives.born)]
    if ended.n.sum() < MANY:
        return None
    times = np.repeat((ended.ended - ended.born).dt.days, ended.n)
    days = int(np.quantile(times, RIPE))
    late = lives[lives.born > pd.Timestamp(as_of - timedelta(days=days))]
    if late.empty:
        return None
    months = sorted({date(day.year, day.month, 1) for day in late.born})
    facts = {"days": days, "first": months[0], "last": months[-1], "records": int(late.n.sum())}
    return Limit("young", table, "", _share(late.n.sum(), lives.n.sum()), False, facts)


def _leads_to_won(company: Company) -> pd.DataFrame | None:
    linked = [need for need in ("opportunities.lead_id", "leads.opportunity_id") if not company.missing([need])]
    if not linked or company.missing(["leads.created_at", "opportunities.status"]) or not _has_ends(company):
        return None
    windows = all_time(company)
    leads, sold = company.table("leads"), deals(company)
    sold = sold.filter(sold.status == "won")
    won = sold.mutate(ended=closed_on(sold, windows))
    if linked[0] == "opportunities.lead_id":
        won = won.filter(won.lead_id.notnull()).group_by(key="lead_id").agg(ended=won.ended.min())
        joined = leads.left_join(won, leads.lead_id == won.key)
    else:
        won = won.select(key="opportunity_id", ended="ended")
        joined = leads.left_join(won, leads.opportunity_id == won.key)
    return _counted(joined.select(born=windows.day(joined.created_at), ended=joined.ended))


def _deals_to_end(company: Company) -> pd.DataFrame | None:
    if company.missing(["opportunities.created_at", "opportunities.status"]) or not _has_ends(company):
        return None
    windows, rows = all_time(company), deals(company)
    rows = rows.filter(rows.created_at.notnull())
    return _counted(rows.select(born=windows.day(rows.created_at), ended=closed_on(rows, windows)))


def all_time(company: Company) -> Windows:
    """One window that holds every record, so that every day in it is the company's own."""
    return Windows.of(company.settings, (Period(SINCE, company.as_of),))


LIVES = {"leads": _leads_to_won, "opportunities": _deals_to_end}


def _has_ends(company: Company) -> bool:
    return len(company.missing(["opportunities.closed_at", "opportunities.close_date"])) < 2


def _counted(rows: ibis.Table) -> pd.DataFrame:
    """born, ended, n: how many records share both days."""
    found = rows.group_by("born", "ended").agg(n=rows.count()).to_pandas()
    return found.assign(born=pd.to_datetime(found.born), ended=pd.to_datetime(found.ended)).dropna(subset="born")


# --- outcomes and amounts ------------------------------------------------------------------------------------------------


def _won_before_lead(company: Company) -> list[Limit] | None:
    lives = _leads_to_won(company)
    if lives is None:
        return None
    won = lives[lives.ended.notna()]
    early = won[won.ended < won.born]
    return [Limit("won_before_lead", "leads", "created_at", _share(early.n.sum(), won.n.sum()))] if len(early) else []


def _outcomes(company: Company) -> list[Limit] | None:
    if company.missing(["opportunities.status"]):
        return None
    rows, priced = deals(company), not company.missing(["opportunities.amount"])
    sums = {"deals": rows.count()}
    if priced:
        sums |= {"unpriced": ((rows.amount == 0) | rows.amount.isnull()).sum(), "worth": rows.amount.sum()}
    held = rows.group_by("status").agg(**sums).to_pandas().fillna(0).set_index("status")
    counts = held.deals.astype(int).to_dict()
    found = []
    if counts.get("won") and not counts.get("lost"):
        found.append(Limit("no_losses", "opportunities", "status", _share(counts["won"], counts["won"]), True))
    for status in ("won", "lost", "open") if priced else ():
        n, lacking = counts.get(status, 0), int(held.unpriced.get(status, 0))
        if lacking and (status == "won" or lacking == n):
            share = _share(lacking, n)
            facts = {"lacking": lacking, "worth": int(held.worth[status])}
            serious = status == "open" or share.value >= SERIOUS
            found.append(Limit(f"unpriced_{status}", "opportunities", "amount", share, serious, facts))
    return found


def _only_when_open(company: Company) -> list[Limit] | None:
    """Fields that are empty on open deals, on none of the closed, and not by chance: a closed deal without them was expected."""
    if company.missing(["opportunities.status"]):
        return None
    rows = company.table("opportunities")
    names = [c.name for c in TABLES["opportunities"].columns if c.name in rows.columns and c.name not in ENDS]
    is_open = rows.status == "open"
    sums = {f"open_{name}": (rows[name].isnull() & is_open).sum() for name in names}
    sums |= {f"over_{name}": (rows[name].isnull() & ~is_open).sum() for name in names}
    found = rows.agg(open=is_open.sum(), over=(~is_open).sum(), **sums).to_pandas().fillna(0).iloc[0]
    limits = []
    for name in names:
        empty = int(found[f"open_{name}"])
        if empty and not found[f"over_{name}"] and empty / found.open * found.over >= EXPECTED:
            facts = {"empty": empty, "closed": int(found.over)}
            limits.append(Limit("only_when_open", "opportunities", name, _share(empty, found.open), False, facts))
    return limits


def _alike(company: Company) -> list[Limit]:
    pairs = alike(company)
    return [
        Limit(
            x.kind,
            x.table,
            x.column,
            _share(x.rare, x.rare + x.often),
            False,
            {"rare": x.left, "often": x.right, "where": x.there},
        )
        for x in pairs.itertuples()
    ]


def _share(part: float, whole: float) -> Measurement:
    low, high = wilson(part, whole)
    return Measurement(float(part / whole), n=int(whole), low=float(low), high=float(high), unit="percent")


CHECKS = (
    (("late_outcomes", "young"), _in_time),
    (("no_losses", "unpriced_won"), _outcomes),
    (("won_before_lead",), _won_before_lead),
    (("only_when_open",), _only_when_open),
    (("alike", "typo"), _alike),
)
