"""The tables that metrics count in: money in reporting cents at plan rates, customers as legal groups. All lazy."""

from __future__ import annotations

from datetime import date

import ibis
from ibis import _

from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import fiscal_year_start

NOT_A_LOSS = ("duplicate", "disqualified")


def plan_rates(company: Company, table: str) -> dict[str, float]:
    """Reporting units for one unit of every foreign currency in a table: the plan's, else those of the fiscal year's first month.

    One rate for all dates, so that currency never makes a movement. Unavailable when a currency has neither.
    """
    return company.once(f"plan rates {table}", lambda: _plan_rates(company, table))


def _plan_rates(company: Company, table: str) -> dict[str, float]:
    rows = company.table(table)
    if "currency" not in rows.columns:
        return {}
    used = rows.select("currency").distinct().to_pyarrow()["currency"].to_pylist()
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


def text_or_null(rows: ibis.Table, *names: str) -> dict[str, ibis.Value]:
    """The named columns, empty where the company has none: for columns that only sharpen a metric."""
    return {name: rows[name] if name in rows.columns else ibis.null("string") for name in names}


# --- deals ---------------------------------------------------------------------------------------------------------------


def deals(company: Company) -> ibis.Table:
    """One row per deal: opened_at, closed_on (company day, empty while open), amount in reporting cents, and what it points at."""
    rows = company.table("opportunities")
    names = ("opportunity_id", "status", "kind", "account_id", "owner_id", "lead_id", "product", "motion", "lost_reason")
    there = [n for n in names if n in rows.columns]
    amount = {"amount": reporting(company, rows, "opportunities", "amount")} if "amount" in rows.columns else {}
    dates = {n: rows[n] for n in ("created_at", "closed_at", "close_date") if n in rows.columns}
    return rows.select(*there, **dates, **amount)


def closed_deals(company: Company, windows: Windows) -> ibis.Table:
    """One row per deal won or lost in a window. Duplicates and disqualified deals were never deals; "no decision" is a loss."""
    rows = deals(company)
    rows = rows.filter(rows.status != "open")
    if "lost_reason" in rows.columns:
        rows = rows.filter((rows.status == "won") | ~rows.lost_reason.lower().isin(NOT_A_LOSS).fill_null(False))
    return windows.assign(_with_end(rows, windows), "closed_on")


def _with_end(rows: ibis.Table, windows: Windows) -> ibis.Table:
    ends = [windows.day(rows[name]) for name in ("closed_at", "close_date") if name in rows.columns]
    return rows.mutate(closed_on=ibis.coalesce(*ends))


# --- recurring revenue ---------------------------------------------------------------------------------------------------


def lines(company: Company) -> ibis.Table:
    """One row per subscription line: customer, account_id, product, mrr in reporting cents, starts_on, ends_on, uplift.

    uplift is the part of the line's mrr that price indexation added over the line before it.
    """
    rows = company.table("subscriptions")
    mrr = reporting(company, rows, "subscriptions", "mrr")
    uplift = ibis.literal(0, type="int64")
    columns = ("subscription_id", "account_id", "starts_on", "ends_on")
    rows = rows.select(*columns, **text_or_null(rows, "product", "change_reason"), mrr=mrr)
    if "change_reason" in company.table("subscriptions").columns:
        before = rows.mrr.lag().over(group_by=rows.subscription_id, order_by=rows.starts_on)
        uplift = ibis.ifelse(rows.change_reason == "indexation", (rows.mrr - before).fill_null(0), 0)
    return rows.mutate(customer=rows.account_id, uplift=uplift)


def changes(company: Company) -> ibis.Table:
    """One row per start and end of a line: customer, account_id, product, on, delta (cents of mrr), gross, uplift.

    An end that the same customer and product starts again after within the grace period counts on the day of the restart:
    the subscription never stopped. Sums of delta up to a day are the mrr of that day.
    """
    rows = lines(company)
    zero = ibis.literal(0, type="int64")
    starts = rows.select(
        "customer", "account_id", "product", on=rows.starts_on, delta=rows.mrr, gross=rows.mrr, uplift=rows.uplift
    )
    ended = rows.filter(rows.ends_on.notnull())
    ends = ended.select("customer", "account_id", "product", on=ended.ends_on, delta=-ended.mrr, gross=zero, uplift=zero)
    both = ibis.union(starts.mutate(restart=starts.on), ends.mutate(restart=ibis.null("date")))
    later = ibis.window(group_by=["customer", "product"], order_by=both.on.desc(), range=(None, 0))
    restart = both.restart.min().over(later)
    grace = restart.delta(both.on, unit="day") <= company.settings.grace_days
    return both.mutate(on=ibis.ifelse((both.delta < 0) & restart.notnull() & grace, restart, both.on)).drop("restart")


def customer_months(company: Company, windows: Windows) -> ibis.Table:
    """One row per customer and month in which its mrr changed, by the snapshots at the two month ends around it.

    opening and closing mrr, and its six movements (cents a month, losses positive). closing − opening is always
    new + reactivation + expansion + indexation − contraction − churn.
    """
    rows = changes(company)
    month = (rows.on.year() * 12 + rows.on.month() - 1).cast("int64")
    rows = rows.filter(rows.on <= ibis.literal(windows.span.end))
    monthly = rows.group_by(customer=rows.customer, month=month).agg(
        account_id=rows.account_id.min(), delta=rows.delta.sum(), gross=rows.gross.sum(), uplift=rows.uplift.sum()
    )
    so_far = ibis.window(group_by="customer", order_by="month", rows=(None, 0))
    account = monthly.account_id.min().over(group_by="customer")
    monthly = monthly.mutate(
        account_id=account, closing=monthly.delta.sum().over(so_far), paid_before=monthly.gross.sum().over(so_far) > monthly.gross
    )
    monthly = monthly.mutate(opening=monthly.closing - monthly.delta)
    monthly = monthly.mutate(on=ibis.date(monthly.month // 12, monthly.month % 12 + 1, 1))
    return _moved(windows.assign(monthly, "on"))


def _moved(rows: ibis.Table) -> ibis.Table:
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


def customers_at_end(company: Company, windows: Windows) -> ibis.Table:
    """One row per customer and window: its mrr (cents) on the window's last day, where it has any."""
    rows = changes(company)
    ends = windows.days(end=[p.end for p in windows.periods])
    if len(windows.periods) == 1:
        live = rows.filter(rows.on <= ibis.literal(windows.periods[0].end)).mutate(window=ibis.literal(0, type="int64"))
    else:
        live = rows.join(ends, rows.on <= ends.end)
    held = live.group_by("window", "customer").agg(mrr=live.delta.sum(), account_id=live.account_id.min())
    return held.filter(_.mrr != 0)


def first_day(company: Company, table: str) -> date | None:
    """The day from which a table's records are known to be whole, where the agreement says so."""
    return company.settings.records_start.get(table)
