"""The tables that metrics count in: money in reporting cents at plan rates, deals, recurring revenue by customer. All lazy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import ibis

from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.model.identity import customers
from revops_helpers.periods import Period, add_months, fiscal_year_start, month_end

LINE = ("subscription_id", "account_id", "starts_on", "ends_on", "product", "change_reason", "mrr", "currency")
DEAL_IDS = ("opportunity_id", "status", "kind", "account_id", "owner_id", "lead_id", "product", "motion")
DEAL_DATES = ("created_at", "closed_at", "close_date")
NOT_A_DEAL = ("duplicate", "disqualified")
WRITTEN_OUT = "written out"
GROUPING = ("account_id", "tax_id", "parent_id")
MOVEMENTS = ("new", "reactivation", "expansion", "indexation", "contraction", "churn")


def zero() -> ibis.IntegerScalar:
    return ibis.literal(0, type="int64")


def kept(company: Company, name: str, make: Callable[[], ibis.Table]) -> ibis.Table:
    """A table that many metrics read: the engine makes it once for a company and keeps it. `written_out` ones stay lazy."""
    if company.once(WRITTEN_OUT, bool):
        return make()
    return company.once(f"kept {name}", lambda: make().cache())


def written_out(company: Company) -> Company:
    """The same company with nothing kept, so that a query's SQL goes down to the canonical tables."""
    return replace(company, _made={WRITTEN_OUT: True})


# --- money ---------------------------------------------------------------------------------------------------------------


def plan_rates(company: Company, table: str) -> dict[str, float]:
    """Reporting units for one unit of every foreign currency in a table: the plan's, else those of the fiscal year's first month.

    One rate for all dates, so that currency never makes a movement. Unavailable when a currency has neither.
    """
    return company.once(f"plan rates {table}", lambda: _plan_rates(company, table))


def _plan_rates(company: Company, table: str) -> dict[str, float]:
    if company.missing([f"{table}.currency"]):
        return {}
    used = company.table(table, ("currency",)).distinct().to_pyarrow()["currency"].to_pylist()
    foreign = sorted({c for c in used if c} - {company.settings.currency})
    found = {c: company.settings.plan_rates[c] for c in foreign if c in company.settings.plan_rates}
    if missing := [c for c in foreign if c not in found]:
        found |= _rates_of_the_year(company, missing)
    if missing := [c for c in foreign if c not in found]:
        raise Unavailable([f"fx_rates.rate_to_reporting of {c}" for c in missing])
    return found


def _rates_of_the_year(company: Company, currencies: list[str]) -> dict[str, float]:
    """Each currency's rate in the first month of the fiscal year, else in the newest month before it."""
    if company.missing(["fx_rates"]):
        return {}
    start = fiscal_year_start(company.as_of, company.settings.fiscal_year_start)
    rates = company.table("fx_rates")
    known = rates.filter(rates.currency.isin(currencies), rates.month <= start)
    newest = known.group_by("currency").agg(rate=known.rate_to_reporting.argmax(known.month)).to_pyarrow()
    return dict(zip(newest["currency"].to_pylist(), newest["rate"].to_pylist(), strict=True))


def reporting(company: Company, rows: ibis.Table, table: str, column: str) -> ibis.IntegerValue:
    """A money column in whole cents of the reporting currency."""
    rates = plan_rates(company, table)
    if not rates:
        return rows[column]
    rate = rows.currency.cases(*rates.items(), else_=1.0)
    return ibis.ifelse(rows.currency.isin(list(rates)), (rows[column] * rate).round().cast("int64"), rows[column])


# --- deals ---------------------------------------------------------------------------------------------------------------


def deals(company: Company) -> ibis.Table:
    """One row per deal: its ids, dates, status, kind and amount in reporting cents; columns that the company lacks are absent.

    Deals lost as duplicate or disqualified were never deals and are left out; "no decision" is a loss like another.
    """
    return kept(company, "deals", lambda: _deals(company))


def _deals(company: Company) -> ibis.Table:
    rows = company.table("opportunities", (*DEAL_IDS, *DEAL_DATES, "amount", "currency", "lost_reason"))
    if {"status", "lost_reason"} <= set(rows.columns):
        rows = rows.filter((rows.status != "lost") | ~rows.lost_reason.lower().isin(NOT_A_DEAL).fill_null(False))
    amount = {"amount": reporting(company, rows, "opportunities", "amount")} if "amount" in rows.columns else {}
    return rows.select(*(n for n in (*DEAL_IDS, *DEAL_DATES) if n in rows.columns), **amount)


def closed_on(rows: ibis.Table, windows: Windows) -> ibis.DateValue:
    """The company's day on which a deal was won or lost, and empty for the others."""
    ends = [windows.day(rows[name]) for name in ("closed_at", "close_date") if name in rows.columns]
    return ibis.ifelse(rows.status != "open", ibis.coalesce(*ends), ibis.null())


def closed_deals(company: Company, windows: Windows) -> ibis.Table:
    """One row per deal won or lost in a window, with closed_on."""
    rows = deals(company)
    rows = rows.filter(rows.status != "open")
    return windows.assign(rows.mutate(closed_on=closed_on(rows, windows)), "closed_on")


# --- recurring revenue ---------------------------------------------------------------------------------------------------


def by_customer(company: Company, rows: ibis.Table) -> ibis.Table:
    """The rows with `customer` and `main_account` (the account that stands for the group in every cut)."""
    groups = None if company.missing(["accounts"]) else customers(company.table("accounts", GROUPING))
    if groups is None:
        return rows.mutate(customer=rows.account_id, main_account=rows.account_id)
    groups = kept(company, "customers", lambda: groups).rename(_account="account_id")
    joined = rows.left_join(groups, rows.account_id == groups._account).drop("_account")
    known = {name: ibis.coalesce(joined[name], joined.account_id) for name in ("customer", "main_account")}
    return joined.mutate(**known)


def lines(company: Company) -> ibis.Table:
    """One row per subscription line: customer, account, product, mrr in reporting cents, starts_on, ends_on, uplift.

    uplift is the part of the line's mrr that price indexation added over the line before it.
    """
    rows = company.table("subscriptions", LINE)
    indexed = "change_reason" in rows.columns
    picked = {name: rows[name] if name in rows.columns else ibis.null("string") for name in ("product", "change_reason")}
    mrr = reporting(company, rows, "subscriptions", "mrr")
    rows = rows.select("subscription_id", "account_id", "starts_on", "ends_on", **picked, mrr=mrr)
    if not indexed:
        return by_customer(company, rows.mutate(uplift=zero()))
    before = rows.mrr.lag().over(group_by=rows.subscription_id, order_by=rows.starts_on)
    uplift = ibis.ifelse(rows.change_reason == "indexation", (rows.mrr - before).fill_null(0), 0)
    return by_customer(company, rows.mutate(uplift=uplift))


def changes(company: Company) -> ibis.Table:
    """One row per start and end of a line: customer, main_account, account_id, product, on, delta (cents of mrr), gross, uplift.

    An end that the same customer and product starts again after within the grace period counts on the day of the restart:
    the subscription never stopped. Sums of delta up to a day are the mrr of that day.
    """
    rows = lines(company)
    who = ("customer", "main_account", "account_id", "product")
    starts = rows.select(*who, on=rows.starts_on, delta=rows.mrr, gross=rows.mrr, uplift=rows.uplift, restart=rows.starts_on)
    ended = rows.filter(rows.ends_on.notnull())
    ends = ended.select(*who, on=ended.ends_on, delta=-ended.mrr, gross=zero(), uplift=zero(), restart=ibis.null("date"))
    both = ibis.union(starts, ends)
    later = ibis.window(group_by=["customer", "product"], order_by=both.on.desc(), range=(None, 0))
    both = both.mutate(next_start=both.restart.min().over(later))
    soon = both.next_start <= both.on + ibis.interval(days=company.settings.grace_days)
    return both.mutate(on=ibis.ifelse(both.restart.isnull() & soon.fill_null(False), both.next_start, both.on)).drop(
        "restart", "next_start"
    )


def month_of(day: ibis.DateValue) -> ibis.IntegerValue:
    """Months since the year 0, so that consecutive months are consecutive numbers."""
    return (day.year() * 12 + day.month() - 1).cast("int64")


def months(company: Company) -> ibis.Table:
    """One row per customer and month in which its mrr changed: opening and closing mrr at the month ends around it, delta and
    uplift (cents a month), paid_before (it had a subscription before), and `on`, the first of the month."""
    return kept(company, "months", lambda: _months(company))


def _months(company: Company) -> ibis.Table:
    rows = changes(company)
    monthly = rows.group_by(customer=rows.customer, month=month_of(rows.on)).agg(
        account_id=rows.main_account.min(), delta=rows.delta.sum(), gross=rows.gross.sum(), uplift=rows.uplift.sum()
    )
    so_far = ibis.window(group_by="customer", order_by="month", rows=(None, 0))
    monthly = monthly.mutate(
        closing=monthly.delta.sum().over(so_far), paid_before=monthly.gross.sum().over(so_far) > monthly.gross
    ).drop("gross")
    first = ibis.date((monthly.month // 12).cast("int32"), (monthly.month % 12 + 1).cast("int32"), 1)
    return monthly.mutate(opening=monthly.closing - monthly.delta, on=first)


def customer_months(company: Company, windows: Windows) -> ibis.Table:
    """One row per customer and month of the windows in which its mrr changed, with its six movements (losses positive).

    closing − opening is always new + reactivation + expansion + indexation − contraction − churn, in cents a month.
    """
    rows = windows.assign(months(company), "on")
    begins, ends = rows.opening == 0, rows.closing == 0
    stays = ~begins & ~ends
    sold = rows.delta - rows.uplift

    def when(condition: ibis.BooleanValue, value: ibis.IntegerValue) -> ibis.IntegerValue:
        return ibis.ifelse(condition, value, 0)

    return rows.mutate(
        new=when(begins & ~rows.paid_before, rows.closing),
        reactivation=when(begins & rows.paid_before, rows.closing),
        indexation=when(stays, rows.uplift),
        expansion=when(stays & (sold > 0), sold),
        contraction=when(stays & (sold < 0), -sold),
        churn=when(~begins & ends, rows.opening),
    )


def movements(company: Company, *days: date) -> ibis.Table:
    """customer, account_id, on, delta and uplift whose sums up to any of the days hold: by month where all are month ends."""
    if all(day == month_end(day) for day in days):
        return months(company).select("customer", "account_id", "on", "delta", "uplift")
    rows = changes(company)
    return rows.select("customer", "on", "delta", "uplift", account_id=rows.main_account)


def customers_at_end(company: Company, windows: Windows) -> ibis.Table:
    """One row per customer and window: its mrr (cents) on the window's last day, where it has any."""
    ends = [p.end for p in windows.periods]
    rows = up_to(movements(company, *ends), windows, end=ends)
    held = rows.group_by("window", "customer").agg(mrr=rows.delta.sum(), account_id=rows.account_id.min())
    return held.filter(held.mrr != 0)


def up_to(rows: ibis.Table, windows: Windows, end: list, **days: list) -> ibis.Table:
    """The rows up to each window's `end`, with `window` and the further days of it as columns."""
    if len(windows.periods) == 1:
        constants = {name: ibis.literal(day[0]) for name, day in days.items()}
        return rows.filter(rows.on <= ibis.literal(end[0])).mutate(window=zero(), **constants)
    spans = windows.days(end=end, **days)
    return rows.join(spans, rows.on <= spans.end).drop("end")


def year_apart(company: Company, windows: Windows) -> ibis.Table:
    """One row per customer with mrr at the end of the window or a year before: m0 (before), m1 (at the end), uplift between."""
    ends, before = [p.end for p in windows.periods], [p.year_before().end for p in windows.periods]
    rows = up_to(movements(company, *ends, *before), windows, end=ends, before=before)
    since = rows.on > rows.before
    held = rows.group_by("window", "customer").agg(
        account_id=rows.account_id.min(),
        m1=rows.delta.sum(),
        m0=ibis.ifelse(since, 0, rows.delta).sum(),
        uplift=ibis.ifelse(since, rows.uplift, 0).sum(),
    )
    return held.filter((held.m0 != 0) | (held.m1 != 0))


def shares_of_opening(company: Company, windows: Windows) -> ibis.Table:
    """The movements of customer_months, and beside them rows with `base`: each customer's mrr at the start of the fiscal year."""
    moved = customer_months(company, windows)
    eves = [fiscal_year_start(p.start, windows.first_month) - timedelta(days=1) for p in windows.periods]
    opened = up_to(movements(company, *eves), windows, end=eves)
    opened = opened.group_by("window", "customer").agg(account_id=opened.account_id.min(), base=opened.delta.sum())
    return ibis.union(
        moved.select("window", "customer", "account_id", *MOVEMENTS, base=zero()),
        opened.select("window", "customer", "account_id", **{name: zero() for name in MOVEMENTS}, base="base"),
    )


def tenures(company: Company, windows: Windows) -> ibis.Table:
    """One row per customer that paid in the twelve months to the window's end: num (months paid until it left, or until the
    window's end), den (it left) and entry (its age in months a year before, 0 if it came since)."""
    rows = up_to(months(company), windows, end=[p.end for p in windows.periods], last=[p.end for p in windows.periods])
    held = rows.group_by("window", "customer").agg(
        account_id=rows.account_id.min(),
        last=month_of(rows.last.max()),
        first=rows.month.min(),
        gone=ibis.ifelse(rows.closing == 0, rows.month, ibis.null()).max(),
        mrr=rows.delta.sum(),
    )
    left = held.mrr == 0
    held = held.mutate(end=ibis.ifelse(left, held.gone, held.last), left=left)
    held = held.filter(~held.left | (held.end > held.last - 12))
    entry = ibis.greatest(held["last"] - 12 - held["first"], 0)
    return held.mutate(months_paid=held.end - held["first"], entry=entry)


def live_and_won(company: Company, windows: Windows) -> ibis.Table:
    """New ARR that went live (`live`) and first-year ARR of new business won (`won`) by customer and window, in cents a year."""
    moved = customer_months(company, windows)
    sold = closed_deals(company, windows)
    sold = by_customer(company, sold.filter((sold.status == "won") & (sold.kind == "new")))
    return ibis.union(
        moved.select("window", "customer", "account_id", live=moved.new * 12, won=zero()),
        sold.select("window", "customer", account_id=sold.main_account, live=zero(), won=sold.amount),
    )


def twelve_months(windows: Windows) -> Windows:
    """The twelve months to the end of each window."""
    year = tuple(Period(add_months(p.end + timedelta(days=1), -12), p.end) for p in windows.periods)
    return Windows(year, windows.zone, windows.first_month, None)
