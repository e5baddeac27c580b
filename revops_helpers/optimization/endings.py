"""How deals end: counts and value by status of all new business on record, the win rate, and the time to win, told twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import ibis
import numpy as np
import pandas as pd

from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.methods.intervals import mean_interval, wilson
from revops_helpers.methods.survival import Unwatched, time_to_win
from revops_helpers.metrics.dimensions import in_segment
from revops_helpers.metrics.facts import closed_on, deals, records_begin
from revops_helpers.metrics.reasons import N_, TOO_FEW, UNWATCHED
from revops_helpers.metrics.untold import no_losses
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company
from revops_helpers.periods import Period

NEEDS = ("opportunities.status",)
STATUSES = ("won", "lost", "open")
FEW = 20
SINCE = date(2000, 1, 1)
NO_DATES = N_("no won deal has both its dates")


@dataclass(frozen=True)
class Endings:
    """Every new-business deal on record as it stood, whatever the period; all deals where their kind is not told.

    statuses: one row per status (won, lost, open): status, deals, priced (with an amount above zero), amount (cents; none where
        no deal is priced).
    win_rate: won of won and lost. mean: days from opening to winning of the won deals alone. median: days within which half of
        those that win have won, with open deals watched as long as they were and losses as a competing end (Aalen-Johansen).
    undated: deals that are in no time, because they have no opening day or end before it.
    """

    statuses: pd.DataFrame
    win_rate: Measurement
    mean: Measurement
    median: Measurement
    undated: int

    def deals(self, status: str) -> int:
        """How many deals have the status."""
        return int(self.statuses.set_index("status").deals[status])


def endings(company: Company) -> Endings:
    """How deals end. Unavailable without the status of deals."""
    company.require(NEEDS)
    rows = in_segment(company, deals(company))
    if "kind" in rows.columns:
        rows = rows.filter((rows.kind == "new") | rows.kind.isnull())
    statuses = _statuses(rows)
    counts = statuses.set_index("status").deals
    lives = _lives(company, rows)
    known = int(lives.n.sum()) if lives is not None else 0
    return Endings(statuses, _win_rate(company, int(counts.won), int(counts.lost)), *_times(lives), int(counts.sum()) - known)


def _statuses(rows: ibis.Table) -> pd.DataFrame:
    sums = {"deals": rows.count()}
    if "amount" in rows.columns:
        sums |= {"priced": (rows.amount > 0).sum(), "amount": rows.amount.sum()}
    found = rows.group_by("status").agg(**sums).to_pandas().set_index("status")
    found = found.reindex(list(STATUSES), columns=["deals", "priced", "amount"]).fillna(0).astype("int64")
    found["amount"] = found.amount.where(found.priced > 0).astype("Int64")
    return found.reset_index()


def _win_rate(company: Company, won: int, lost: int) -> Measurement:
    if reason := no_losses(company) or ("" if won + lost else N_("no deal is decided")):
        return not_applicable(reason, unit="percent")
    low, high = (float(bound) for bound in wilson(won, won + lost))
    few = min(won, lost) < FEW
    state = {"status": "insufficient", "reason": TOO_FEW} if few else {}
    return Measurement(won / (won + lost), n=won + lost, low=low, high=high, unit="percent", definition_id="win_rate", **state)


def _lives(company: Company, rows: ibis.Table) -> pd.DataFrame | None:
    """days, ending (1 won, 2 lost, 0 open), entry (the age at which records begin), n: how many deals share them."""
    ends = {"closed_at", "close_date"} & set(rows.columns)
    if "created_at" not in rows.columns or not ends:
        return None
    windows = Windows.of(company.settings, (Period(SINCE, company.as_of),))
    opened, over = windows.day(rows.created_at), closed_on(rows, windows)
    until = ibis.coalesce(over, ibis.literal(company.as_of))
    ending = ibis.cases((rows.status == "won", 1), (rows.status == "lost", 2), else_=0)
    begin = ibis.literal(max(records_begin(company, "opportunities"), SINCE))
    entry = ibis.greatest(begin.delta(opened, unit="day"), 0)
    lives = rows.mutate(days=until.delta(opened, unit="day"), ending=ending, entry=entry)
    lives = lives.filter(lives.days >= 0)
    return lives.group_by("days", "ending", "entry").agg(n=lives.count()).to_pandas()


def _times(lives: pd.DataFrame | None) -> tuple[Measurement, Measurement]:
    won = None if lives is None else lives[lives.ending == 1]
    n = 0 if won is None else int(won.n.sum())
    if not n:
        nothing = not_applicable(NO_DATES, unit="days")
        return nothing, nothing
    total, squares = float((won.days * won.n).sum()), float((won.days**2 * won.n).sum())
    low, high = (float(bound) for bound in mean_interval(n, total, squares))
    state = {"status": "insufficient", "reason": TOO_FEW} if n < FEW else {}
    bounds = {"low": low, "high": high} if np.isfinite(high) else {}
    mean = Measurement(total / n, n=n, unit="days", **bounds, **state)
    try:
        found = time_to_win(lives.days + 0.5, lives.ending, lives.entry, lives.n)
    except Unwatched:
        return mean, not_applicable(UNWATCHED, unit="days")
    if found.median is None:
        return mean, not_applicable(UNWATCHED, unit="days")
    low, high = (None if bound is None else bound - 0.5 for bound in (found.low, found.high))
    of = {"unit": "days", "definition_id": "cycle_days"}
    return mean, Measurement(found.median - 0.5, n=found.n, low=low, high=high, **of, **state)
