"""Does billing's ARR agree with finance's? Month end by month end, to the cent, with the causes that can be told.

Finance reports one total per month, so a difference has no customer of its own. Two things can be told. A cause that finance
counts always (say, contracts from their signature) closes the differences of all months at once. A few contracts counted
otherwise at the last month end show themselves when exactly one small set of candidates adds up to the difference, to the
cent, and chance would hardly bring that about. The rest is called unexplained.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import combinations
from math import comb

import ibis
import numpy as np
import pandas as pd

from revops_helpers.metrics.facts import PAUSE, changes, reporting
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import month_end, windows

LINES = tuple(f"subscriptions.{name}" for name in ("subscription_id", "account_id", "mrr", "starts_on", "ends_on"))
CENTS_OF_TWELVE = 12  # ARR is twelve times an MRR in whole cents: this much can be rounding of the month
CAUSES = ("signed_not_live", "not_booked", "just_ended", "credit_notes", "month_rates")
# A cause is accepted only if it closes at least this share of all differences: a coincidence does not, in every month at once.
WORTH_A_CAUSE = 0.05
# Single lines are named when one set of them fits and sets as many as were tried would fit by chance less often than this.
CHANCE = 0.01
MOST_SETS = 200_000


@dataclass(frozen=True)
class ArrTie:
    """ARR by billing against ARR by finance at each month end of the period; all money in cents.

    months: one row per month end: month_end, billing, finance, difference (finance − billing), one column per accepted
        cause, rounding, unexplained. difference = causes + rounding + unexplained, to the cent.
    causes: the accepted causes, largest first; `named` are those of them that are single lines found by their sum.
    lines: one row per subscription line behind an accepted cause at the last month end: cause, account_id,
        subscription_id, amount.
    tried: how many sets of lines were tried to name them; 0 where that was not needed.
    step: the unit that finance rounds to, in cents; 1 where it does not round.
    """

    months: pd.DataFrame
    causes: tuple[str, ...]
    lines: pd.DataFrame
    step: int
    named: tuple[str, ...] = ()
    tried: int = 0

    @property
    def last(self) -> pd.Series:
        """The newest month end."""
        return self.months.iloc[-1]


def arr_tie(company: Company) -> ArrTie:
    """ARR by billing against `financials.arr`. Unavailable without subscriptions or without finance's ARR in the period."""
    company.require([*LINES, "financials.arr", "financials.month"])
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
    """The differences taken apart into accepted causes, named lines, rounding and the rest."""
    causes, step = _accepted(months.difference, by_cause), _step(months.finance)
    months = months.assign(**{cause: by_cause[cause] for cause in causes})
    left = months.difference - by_cause[list(causes)].sum(axis=1).astype("int64")
    at_end = lines.filter((lines.month_end == ibis.literal(months.month_end.iloc[-1])) & (lines.cause != "billing"))
    listed = at_end.select("cause", "account_id", "subscription_id", "amount").order_by("cause", "subscription_id").execute()
    close = max(step // 2, CENTS_OF_TWELVE)
    found, tried = _named(listed[~listed.cause.isin(causes)], int(left.iloc[-1]), close)
    named = tuple(dict.fromkeys(found.cause))
    for cause in named:
        months[cause] = [0] * (len(months) - 1) + [int(found.amount[found.cause == cause].sum())]
        left = left - months[cause]
    rounded = left.abs() <= close
    months = months.assign(rounding=left.where(rounded, 0), unexplained=left.where(~rounded, 0))
    shown = pd.concat([listed[listed.cause.isin(causes)], found]).sort_values(
        "amount", key=abs, ascending=False, ignore_index=True
    )
    columns = ["month_end", "billing", "finance", "difference", *causes, *named, "rounding", "unexplained"]
    return ArrTie(months[columns], (*causes, *named), shown, step, named, tried)


def _named(lines: pd.DataFrame, difference: int, close: int) -> tuple[pd.DataFrame, int]:
    """The smallest set of lines that adds up to the difference, and how many sets were tried to find it.

    Empty when none fits, when two sets of the same size do, or when so many were tried that chance could have found one.
    """
    amounts, tried = lines.amount.to_numpy(dtype="int64"), 0
    for size in range(1, len(lines) + 1) if abs(difference) > close else ():
        tried += comb(len(lines), size)
        if tried > MOST_SETS:
            break
        sets = np.array(list(combinations(range(len(lines)), size)))
        sums = amounts[sets].sum(axis=1)
        fits = np.flatnonzero(np.abs(sums - difference) <= close)
        if len(fits):
            by_chance = tried * (2 * close + 1) / max(int(np.ptp(sums)), 1)
            return (lines.iloc[sets[fits[0]]] if len(fits) == 1 and by_chance <= CHANCE else lines.iloc[:0]), tried
    return lines.iloc[:0], tried


def _at_month_ends(company: Company, ends: list[date]) -> ibis.Table:
    """month_end, cause, account_id, subscription_id, amount (cents of ARR): billing's ARR, and what each cause would add."""
    moves = changes(company).mutate(subscription_id=ibis.null("string"))
    days = ibis.memtable(pd.DataFrame({"month_end": pd.to_datetime(ends)})).mutate(month_end=ibis._.month_end.cast("date"))
    billed = moves.cross_join(days).filter(ibis._.on <= ibis._.month_end)
    at = priced(company).cross_join(days)
    begun, over = at.starts_on <= at.month_end, at.ends_on.notnull() & (at.ends_on <= at.month_end)
    live, recently = begun & ~over, at.month_end < at.ends_on + ibis.interval(days=company.settings.grace_days)
    cut = live & (at.starts_on >= at.month_end.truncate("M")) & (at.mrr < at.before)
    pieces = [
        _piece(billed, "billing", billed.delta),
        _piece(at.filter(begun & over & recently & at.next_on.isnull()), "just_ended", at.mrr),
        _piece(
            at.filter(cut),
            "not_booked",
            at.before - at.mrr,
        ),
        _piece(at.filter(~begun & (at.signed_on <= at.month_end)), "signed_not_live", at.mrr - at.before),
    ]
    for extra in (_at_month_rates(company, at.filter(live)), _credit_notes(company, days)):
        if extra is not None:
            pieces.append(extra)
    return ibis.union(*pieces)


def _piece(rows: ibis.Table, cause: str, mrr: ibis.IntegerValue) -> ibis.Table:
    named = rows.mutate(cause=ibis.literal(cause), amount=(mrr * 12).cast("int64"))
    return named.select("month_end", "cause", "account_id", "subscription_id", "amount").filter(ibis._.amount != 0)


def priced(company: Company) -> ibis.Table:
    """One row per subscription line with mrr in reporting cents, what the same subscription paid before, whether that
    was a pause (resumes), and its next start."""
    rows = company.table("subscriptions")
    optional = {"signed_on": "date", "ends_on": "date", "currency": "string", "change_reason": "string"}
    more = {name: rows[name] if name in rows.columns else ibis.null(type) for name, type in optional.items()}
    own = rows.mrr.name("own_mrr")
    rows = rows.select(
        "subscription_id", "account_id", "starts_on", own, **more, mrr=reporting(company, rows, "subscriptions", "mrr")
    )
    order = ibis.window(group_by="subscription_id", order_by="starts_on")
    before = {"before": rows.mrr.lag().over(order).fill_null(0), "resumes": rows.change_reason.lag().over(order) == PAUSE}
    return rows.mutate(**before, next_on=rows.starts_on.lead().over(order)).fill_null({"resumes": False})


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
