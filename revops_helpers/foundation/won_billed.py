"""Is what was won billed? Won deals against billing starts, matched one to one, to the cent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import pandas as pd

from revops_helpers.foundation.tie_out import CENTS_OF_TWELVE, LINES, priced
from revops_helpers.metrics.facts import closed_deals
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company
from revops_helpers.periods import Period

EARLY, LATE = timedelta(days=30), timedelta(days=120)  # billing may start this long before or after a deal is won
SIDES = {"new": "new", "reactivation": "new", "expansion": "expansion"}  # why a line differs → the kind of deal that sells it


@dataclass(frozen=True)
class DealTie:
    """Won deals against billing starts; all money is first-year ARR in cents at plan rates.

    pairs: one row per deal, billing start, or matched pair: opportunity_id, account_id, kind, closed_on, starts_on, won,
        billed, difference (billed − won), case.
        case: `matched`, `differs` (matched, other amount), `waiting` (won, billing may still start), `unbilled` (won, and
        billing did not start within LATE), `no_deal` (billing started without a won deal).
    totals: one row per case: case, records, won, billed. Σ won is all deals won in the period, Σ billed all starts matched
        to them and all starts in the period without a deal.
    """

    pairs: pd.DataFrame
    totals: pd.DataFrame

    def total(self, case: str) -> pd.Series:
        """records, won and billed of one case; zeros where there is none."""
        found = self.totals[self.totals.case == case]
        return found.iloc[0] if len(found) else pd.Series({"case": case, "records": 0, "won": 0, "billed": 0})

    def of(self, case: str) -> pd.DataFrame:
        """The rows of one case, largest first."""
        rows = self.pairs[self.pairs.case == case]
        size = rows[["won", "billed"]].fillna(0).max(axis=1)
        return rows.assign(_size=size).sort_values("_size", ascending=False, ignore_index=True).drop(columns="_size")


def deal_tie(company: Company) -> DealTie:
    """Deals won in the period against billing starts. Unavailable without won deals' accounts, amounts and dates, or billing."""
    company.require(["opportunities.account_id", "opportunities.amount", "opportunities.status", "opportunities.closed_at"])
    company.require(LINES)
    period = company.period
    won, billed = _won(company), _billed(company)
    matched = _match(won, billed)
    deals = won.merge(matched, on="deal", how="left").merge(billed, on="start", how="outer", suffixes=("", "_billed"))
    counts = deals.closed_on.between(period.start, period.end)
    alone = deals.deal.isna() & deals.starts_on.between(period.start, period.end)
    pairs = deals[counts | alone].copy()
    pairs["account_id"] = pairs.account_id.fillna(pairs.account_id_billed)
    pairs["kind"] = pairs.kind.fillna(pairs.kind_billed)
    pairs["difference"] = pairs.billed - pairs.won
    pairs["case"] = [_case(row, company.as_of) for row in pairs.itertuples()]
    columns = ["opportunity_id", "account_id", "kind", "closed_on", "starts_on", "won", "billed", "difference", "case"]
    pairs = pairs[columns].astype({"won": "Int64", "billed": "Int64", "difference": "Int64"})
    pairs = pairs.sort_values(["closed_on", "starts_on", "account_id", "opportunity_id"], na_position="last", ignore_index=True)
    totals = pairs.groupby("case", as_index=False).agg(records=("case", "size"), won=("won", "sum"), billed=("billed", "sum"))
    return DealTie(pairs, totals)


def _case(row, as_of: date) -> str:
    if pd.isna(row.opportunity_id):
        return "no_deal"
    if pd.isna(row.starts_on):
        return "waiting" if row.closed_on + LATE >= as_of else "unbilled"
    return "matched" if abs(row.difference) <= CENTS_OF_TWELVE else "differs"


def _won(company: Company) -> pd.DataFrame:
    """Deals won from LATE before the period on: deal (number), opportunity_id, account_id, kind, closed_on, won (cents)."""
    window = Windows.of(company.settings, Period(company.period.start - LATE, company.period.end))
    rows = closed_deals(company, window)
    kind = rows.kind if "kind" in rows.columns else ibis.literal("new")
    won = rows.filter((rows.status == "won") & rows.amount.notnull() & rows.account_id.notnull())
    won = won.select("opportunity_id", "account_id", "closed_on", kind=kind.fill_null("new"), won="amount").execute()
    won = won[won.kind != "renewal"].sort_values(["closed_on", "opportunity_id"], ignore_index=True)
    return won.assign(deal=range(len(won)), closed_on=_days(won.closed_on))


def _billed(company: Company) -> pd.DataFrame:
    """Billing starts around the period: start (number), account_id, kind, starts_on, billed (cents of first-year ARR).

    The lines of one account, kind and day are one start; what an expansion adds is its MRR less what the line paid before.
    """
    lines = priced(company)
    sides = lines.change_reason.cases(*SIDES.items(), else_=None)
    first = lines.starts_on == lines.starts_on.min().over(group_by="account_id")
    guessed = ibis.ifelse(
        first, "new", ibis.ifelse((lines.mrr > lines.before) & ~lines.resumes, "expansion", ibis.null("string"))
    )
    lines = lines.mutate(kind=ibis.ifelse(lines.change_reason.isnull(), guessed, sides), added=(lines.mrr - lines.before) * 12)
    around = lines.starts_on.between(company.period.start - LATE - EARLY, company.as_of)
    starts = lines.filter(around & lines.kind.notnull() & (lines.added > 0))
    starts = starts.group_by("account_id", "kind", "starts_on").aggregate(billed=starts.added.sum()).execute()
    starts = starts.sort_values(["starts_on", "account_id", "kind"], ignore_index=True)
    return starts.assign(start=range(len(starts)), starts_on=_days(starts.starts_on))


def _days(column: pd.Series) -> pd.Series:
    return pd.Series([pd.Timestamp(day).date() for day in column], index=column.index, dtype=object)


def _match(won: pd.DataFrame, billed: pd.DataFrame) -> pd.DataFrame:
    """Deal and start numbers, one to one: same account and kind, within the window, the closest amount and then day first."""
    near = won.merge(billed, on=["account_id", "kind"])
    gap = pd.to_datetime(near.starts_on) - pd.to_datetime(near.closed_on)
    near = near.assign(off=(near.billed - near.won).abs(), gap=gap.abs())[(gap >= -EARLY) & (gap <= LATE)]
    near = near.sort_values(["off", "gap", "deal", "start"])
    taken = []
    while len(near):
        best = near.drop_duplicates("deal").drop_duplicates("start")
        taken.append(best[["deal", "start"]])
        near = near[~near.deal.isin(best.deal) & ~near.start.isin(best.start)]
    return pd.concat(taken) if taken else pd.DataFrame({"deal": [], "start": []}, dtype="int64")
