"""Do billing, finance and the CRM tell the same story? ARR against finance's, won deals against billing starts, to the cent.

Finance reports one total per month, so a difference has no customer of its own. What can be told is which known causes, if
finance counted so, would close the differences of all months at once; the customers behind those causes are listed and the
rest is called unexplained.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations

import ibis
import pandas as pd

from revops_helpers.metrics.facts import changes, closed_deals, reporting
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import Period, month_end, windows

EARLY, LATE = timedelta(days=30), timedelta(days=120)  # billing may start this long before or after a deal is won
SIDES = {"new": "new", "reactivation": "new", "expansion": "expansion"}  # why a line differs → the kind of deal that sells it
CENTS_OF_TWELVE = 12  # ARR is twelve times an MRR in whole cents: this much can be rounding of the month
CAUSES = ("signed_not_live", "just_ended", "negative_lines", "credit_notes", "month_rates")
# A cause is accepted only if it closes at least this share of all differences: a coincidence does not, in every month at once.
WORTH_A_CAUSE = 0.05


@dataclass(frozen=True)
class ArrTie:
    """ARR by billing against ARR by finance at each month end of the period; all money in cents.

    months: one row per month end: month_end, billing, finance, difference (finance − billing), one column per accepted
        cause, rounding, unexplained. difference = causes + rounding + unexplained, to the cent.
    causes: the accepted causes, largest first.
    lines: one row per subscription line behind an accepted cause at the last month end: cause, account_id,
        subscription_id, amount.
    step: the unit that finance rounds to, in cents; 1 where it does not round.
    """

    months: pd.DataFrame
    causes: tuple[str, ...]
    lines: pd.DataFrame
    step: int

    @property
    def last(self) -> pd.Series:
        """The newest month end."""
        return self.months.iloc[-1]


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


def arr_tie(company: Company) -> ArrTie:
    """ARR by billing against `financials.arr`. Unavailable without subscriptions or without finance's ARR in the period."""
    company.require(["subscriptions", "financials.arr"])
    finance = company.table("financials").filter(ibis._.arr.notnull()).select("month", finance="arr").execute()
    finance["month_end"] = [month_end(pd.Timestamp(month).date()) for month in finance.pop("month")]
    reported = set(finance.month_end)
    ends = [window.end for window in windows(company.period, "month") if window.end in reported]
    if not ends:
        raise Unavailable(["financials.arr"])
    lines = _at_month_ends(company, ends)
    months = pd.DataFrame({"month_end": ends}).merge(finance, on="month_end")
    sums = lines.group_by("month_end", "cause").aggregate(amount=lines.amount.sum()).execute()
    by_cause = sums.pivot_table(index="month_end", columns="cause", values="amount", aggfunc="sum")
    by_cause.index = [pd.Timestamp(day).date() for day in by_cause.index]
    by_cause = by_cause.reindex(index=ends, columns=["billing", *CAUSES]).fillna(0).astype("int64").reset_index(drop=True)
    months = months.assign(billing=by_cause.billing, finance=months.finance.astype("int64"))
    return _explained(months.assign(difference=months.finance - months.billing), by_cause[list(CAUSES)], lines)


def _explained(months: pd.DataFrame, by_cause: pd.DataFrame, lines: ibis.Table) -> ArrTie:
    """The differences taken apart into accepted causes, rounding and the rest."""
    causes, step = _accepted(months.difference, by_cause), _step(months.finance)
    left = months.difference - by_cause[list(causes)].sum(axis=1).astype("int64")
    rounded = left.abs() * 2 <= max(step, CENTS_OF_TWELVE)
    months = months.assign(**{cause: by_cause[cause] for cause in causes})
    months = months.assign(rounding=left.where(rounded, 0), unexplained=left.where(~rounded, 0))
    last = months.month_end.iloc[-1]
    shown = lines.filter((lines.month_end == ibis.literal(last)) & lines.cause.isin([*causes, ""]))
    listed = shown.select("cause", "account_id", "subscription_id", "amount").execute()
    listed = listed.sort_values("amount", key=abs, ascending=False, ignore_index=True)
    columns = ["month_end", "billing", "finance", "difference", *causes, "rounding", "unexplained"]
    return ArrTie(months[columns], causes, listed, step)


def _at_month_ends(company: Company, ends: list[date]) -> ibis.Table:
    """month_end, cause, account_id, subscription_id, amount (cents of ARR): billing's ARR, and what each cause would add to it."""
    moves = changes(company).mutate(subscription_id=ibis.null("string"))
    days = ibis.memtable(pd.DataFrame({"month_end": pd.to_datetime(ends)})).mutate(month_end=ibis._.month_end.cast("date"))
    billed = moves.cross_join(days).filter(ibis._.on <= ibis._.month_end)
    at = _priced(company).cross_join(days)
    begun, over = at.starts_on <= at.month_end, at.ends_on.notnull() & (at.ends_on <= at.month_end)
    live, recently = begun & ~over, at.month_end < at.ends_on + ibis.interval(days=company.settings.grace_days)
    pieces = [
        _piece(billed, "billing", billed.delta),
        _piece(at.filter(begun & over & recently & at.next_on.isnull()), "just_ended", at.mrr),
        _piece(at.filter(live & (at.mrr < 0)), "negative_lines", -at.mrr),
        _piece(at.filter(~begun & (at.signed_on <= at.month_end)), "signed_not_live", at.mrr - at.before),
    ]
    for extra in (_at_month_rates(company, at.filter(live)), _credit_notes(company, days)):
        if extra is not None:
            pieces.append(extra)
    return ibis.union(*pieces)


def _piece(rows: ibis.Table, cause: str, mrr: ibis.IntegerValue) -> ibis.Table:
    named = rows.mutate(cause=ibis.literal(cause), amount=(mrr * 12).cast("int64"))
    return named.select("month_end", "cause", "account_id", "subscription_id", "amount").filter(ibis._.amount != 0)


def _priced(company: Company) -> ibis.Table:
    """One row per subscription line with mrr in reporting cents, what the same subscription paid before, and its next start."""
    rows = company.table("subscriptions")
    optional = {"signed_on": "date", "ends_on": "date", "currency": "string", "change_reason": "string"}
    more = {name: rows[name] if name in rows.columns else ibis.null(type) for name, type in optional.items()}
    own = rows.mrr.name("own_mrr")
    rows = rows.select(
        "subscription_id", "account_id", "starts_on", own, **more, mrr=reporting(company, rows, "subscriptions", "mrr")
    )
    order = ibis.window(group_by="subscription_id", order_by="starts_on")
    return rows.mutate(before=rows.mrr.lag().over(order).fill_null(0), next_on=rows.starts_on.lead().over(order))


def _at_month_rates(company: Company, live: ibis.Table) -> ibis.Table | None:
    """Foreign contracts at the rate of the month instead of the plan's."""
    if company.missing(["fx_rates", "subscriptions.currency"]):
        return None
    rates = company.table("fx_rates").select(_code="currency", _month="month", _rate="rate_to_reporting")
    foreign = live.filter(live.currency != company.settings.currency)
    rated = foreign.join(rates, [foreign.currency == rates._code, foreign.month_end.truncate("M") == rates._month.cast("date")])
    return _piece(rated, "month_rates", (rated.own_mrr * rated._rate).round().cast("int64") - rated.mrr)


def _credit_notes(company: Company, days: ibis.Table) -> ibis.Table | None:
    """Negative invoices of the month, taken off the ARR once."""
    if company.missing(["invoices.amount", "invoices.account_id"]):
        return None
    rows = company.table("invoices")
    line = rows.subscription_id if "subscription_id" in rows.columns else ibis.null("string")
    rows = rows.select("account_id", "issued_on", subscription_id=line, amount=reporting(company, rows, "invoices", "amount"))
    notes = rows.filter(rows.amount < 0).cross_join(days)
    notes = notes.filter(notes.issued_on.truncate("M") == notes.month_end.truncate("M"))
    return notes.mutate(cause=ibis.literal("credit_notes")).select(
        "month_end", "cause", "account_id", "subscription_id", "amount"
    )


def _accepted(difference: pd.Series, by_cause: pd.DataFrame) -> tuple[str, ...]:
    """The causes that together leave the least difference over all months, each worth its place; largest first."""
    known = [cause for cause in by_cause if by_cause[cause].any()]
    whole = int(difference.abs().sum())

    def cost(chosen: tuple[str, ...]) -> float:
        left = (difference - by_cause[list(chosen)].sum(axis=1)).abs().sum()
        return float(left) + WORTH_A_CAUSE * whole * len(chosen)

    sets = [chosen for size in range(len(known) + 1) for chosen in combinations(known, size)]
    best = min(sets, key=cost)
    return tuple(sorted(best, key=lambda cause: (-by_cause[cause].abs().sum(), cause)))


def _step(amounts: pd.Series) -> int:
    """The largest power of ten, in cents, of which every amount is a multiple; 1 where that is below one whole unit."""
    step = 10**9
    while step > 1 and (amounts % step).any():
        step //= 10
    return step if step > 100 and amounts.any() else 1


def deal_tie(company: Company) -> DealTie:
    """Deals won in the period against billing starts. Unavailable without won deals' accounts, amounts and dates, or billing."""
    company.require(["opportunities.account_id", "opportunities.amount", "opportunities.status", "opportunities.closed_at"])
    company.require(["subscriptions"])
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
    lines = _priced(company)
    sides = lines.change_reason.cases(*SIDES.items(), else_=None)
    first = lines.starts_on == lines.starts_on.min().over(group_by="account_id")
    guessed = ibis.ifelse(first, "new", ibis.ifelse(lines.mrr > lines.before, "expansion", ibis.null("string")))
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
