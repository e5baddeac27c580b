"""The tables that metrics count in: money in reporting cents at plan rates, deals, recurring revenue by customer. All lazy."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from datetime import date

import ibis

from revops_helpers.metrics.kept import kept, there
from revops_helpers.metrics.reading import Part, Reading, wanted
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.as_of import Rows
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.model.identity import customers
from revops_helpers.model.tables import TABLES
from revops_helpers.periods import Period, fiscal_year_start

LINE = ("subscription_id", "account_id", "starts_on", "ends_on", "product", "change_reason", "mrr", "currency")
PAUSE = "pause"
WHO = ("customer", "account_id", "product")
DEAL_IDS = ("opportunity_id", "status", "kind", "account_id", "owner_id", "lead_id", "product", "motion")
DEAL_DATES = ("created_at", "closed_at", "close_date")
CLOSING = ("status", "closed_at", "close_date")
OF_ALL_DEALS = ("opportunity_id", "kind", "account_id", "lead_id", "created_at", "amount", *CLOSING)  # what facts read unasked
STATES = {column.name for column in TABLES["opportunity_history"].columns} - {"opportunity_id", "changed_at"}
NOT_A_DEAL = ("duplicate", "disqualified")
GROUPING = ("account_id", "tax_id", "parent_id")


def zero() -> ibis.IntegerScalar:
    return ibis.literal(0, type="int64")


# --- what is on record ---------------------------------------------------------------------------------------------------


def records_begin(company: Company, *tables: str) -> date:
    """The day from which on all of the tables are on record, as company.yml says; the first of all days where it says nothing."""
    return max((company.settings.records_start.get(table, date.min) for table in tables), default=date.min)


def since_records(company: Company, windows: Windows, rows: ibis.Table, column: str, *tables: str) -> ibis.Table:
    """The rows whose `column` lies in the records of the tables: of what began before them only what lasted is there."""
    begin = records_begin(company, *tables)
    return rows if begin == date.min else rows.filter(windows.within(rows[column], Period(begin, windows.span.end)))


# --- money ---------------------------------------------------------------------------------------------------------------


def plan_rates(company: Company, table: str) -> dict[str, float]:
    """Reporting units for one unit of every foreign currency in a table: the plan's, else those of the fiscal year's first month.

    One rate for all dates, so that currency never makes a movement. Unavailable when a currency has neither.
    """
    return company.once(("rates", table), lambda: _plan_rates(company, table))


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


def deals(company: Company, read: Reading | None = None, *needed: str, ends: bool = False) -> ibis.Table:
    """One row per deal: its ids, dates, status, kind and amount in reporting cents; columns that the company lacks are absent.

    Deals lost as duplicate or disqualified were never deals and are left out; "no decision" is a loss like another.
    read, needed: the query that they are for, and what its facts need besides; it may then lack other columns.
    ends: its facts read `close_date` only of deals that are closed, as the day of it where no moment is known.
    """

    asked = wanted(read, *needed)
    shared = read.together.columns if read else asked
    shared = asked.union(shared, OF_ALL_DEALS) if asked and shared else frozenset()

    def narrow() -> ibis.Table:
        only_ends = ends and STATES & asked == {"close_date"} and "close_date" not in read.columns
        return deals_with(company, asked, closed_without_moment if only_ends else None)

    return kept(company, "deals", lambda: deals_with(company, shared), read, narrow, None, Part(asked), Part(shared))


def few_of_deals(company: Company, columns: Collection[str], past: Rows | None = None) -> ibis.Table:
    """`deals_with` these columns, or the deals that are kept already where they have them: for what is asked beside metrics."""
    found = there(company, "deals", Part(frozenset(columns)))
    return deals_with(company, columns, past) if found is None else found.select(*columns)


def closed_without_moment(rows: ibis.Table) -> ibis.BooleanValue:
    """Deals whose end only close_date tells."""
    return (rows.status != "open") & (rows.closed_at.isnull() if "closed_at" in rows.columns else True)


def deals_with(company: Company, columns: Collection[str] = (), past: Rows | None = None) -> ibis.Table:
    """`deals` with only those of `columns` (all of them when none is named), not kept; past: see `Company.table`."""
    own = [name for name in (*DEAL_IDS, *DEAL_DATES, "amount") if not columns or name in columns]
    asked = (*own, "status", "lost_reason", *(["currency"] if "amount" in own else []))
    rows = company.table("opportunities", asked, past=past)
    if {"status", "lost_reason"} <= set(rows.columns):
        rows = rows.filter((rows.status != "lost") | ~rows.lost_reason.lower().isin(NOT_A_DEAL).fill_null(False))
    amount = {"amount": reporting(company, rows, "opportunities", "amount")} if {"amount"} & {*own} & {*rows.columns} else {}
    return rows.select(*(name for name in own if name in rows.columns and name != "amount"), **amount)


def closed_on(rows: ibis.Table, windows: Windows) -> ibis.DateValue:
    """The company's day on which a deal was won or lost, and empty for the others."""
    ends = [windows.day(rows[name]) for name in ("closed_at", "close_date") if name in rows.columns]
    return ibis.ifelse(rows.status != "open", ibis.coalesce(*ends), ibis.null())


def closed_deals(company: Company, windows: Windows, read: Reading | None = None, *needed: str) -> ibis.Table:
    """One row per deal won or lost in a window, with closed_on."""
    rows = deals(company, read, *CLOSING, *needed, ends=True)
    rows = rows.filter(rows.status != "open")
    return windows.assign(rows.mutate(closed_on=closed_on(rows, windows)), "closed_on")


def new_business_closed(company: Company, windows: Windows, read: Reading | None = None) -> ibis.Table:
    """closed_deals of new business only."""
    rows = closed_deals(company, windows, read, "kind")
    return rows.filter(rows.kind == "new")


# --- recurring revenue ---------------------------------------------------------------------------------------------------


def customers_of(company: Company, read: Hashable = None) -> ibis.Table | None:
    """account_id and its customer: `model.identity.customers`. None where accounts say nothing of groups."""
    if company.missing(["accounts"]):
        return None
    groups = customers(company.table("accounts", GROUPING))
    return None if groups is None else kept(company, "customers", lambda: groups, read, lambda: groups)


def by_customer(company: Company, rows: ibis.Table, read: Hashable = None) -> ibis.Table:
    """The rows with the `customer` of their account."""
    groups = customers_of(company, read)
    if groups is None:
        return rows.mutate(customer=rows.account_id)
    groups = groups.rename(_account="account_id", _customer="customer")
    joined = rows.left_join(groups, rows.account_id == groups._account).select(*rows.columns, "_customer")
    # A step of its own: else Ibis adds the next join to this one, where `customer` has no name yet.
    return joined.mutate(customer=ibis.coalesce(joined._customer, joined.account_id)).drop("_customer")


def with_account(company: Company, rows: ibis.Table) -> ibis.Table:
    """The rows with `account_id`, the first account of their customer's group, which stands for it in every cut."""
    own = [name for name in rows.columns if name != "account_id"]
    groups = customers_of(company)
    if groups is None:
        return rows.select(*own, account_id=rows.customer)
    first = kept(company, "groups", lambda: groups.group_by(_group="customer").agg(_first=groups.account_id.min()))
    joined = rows.left_join(first, rows.customer == first._group).select(*own, "_first")
    return joined.mutate(account_id=ibis.coalesce(joined._first, joined.customer)).drop("_first")


def pauses(company: Company) -> bool:
    """Whether any subscription line is a pause. Where none is, no query looks for them."""

    def found() -> bool:
        rows = company.table("subscriptions", ("change_reason",))
        return bool(rows.filter(rows.change_reason == PAUSE).count().to_pyarrow().as_py())

    return company.once(("pauses",), lambda: not company.missing(["subscriptions.change_reason"]) and found())


def lines(company: Company, read: Hashable = None, *needed: str) -> ibis.Table:
    """One row per subscription line: customer, account_id, product, mrr in reporting cents, starts_on, ends_on, uplift (the part
    of mrr that price indexation added over the line before), carried (mrr of the line that it takes over from on the day that
    one ends, else 0) and goes_on: another takes over from it. Only lines of one subscription, account and product follow each
    other. Where there are pauses, also paused (1 for a pause, else 0) and carried_pause (that of the line before); a pause of
    more than a year ends then.

    read, needed: the query that they are for, and what it needs beside; it may then lack uplift.
    """
    return kept(company, "lines", lambda: _lines(company), read, lambda: _lines(company, read, needed))


def _lines(company: Company, read: Hashable = None, needed: Collection[str] = ("uplift",)) -> ibis.Table:
    rows = company.table("subscriptions", LINE)
    indexed = "change_reason" in rows.columns
    picked = {name: rows[name] if name in rows.columns else ibis.null("string") for name in ("product", "change_reason")}
    mrr = reporting(company, rows, "subscriptions", "mrr")
    rows = rows.select("subscription_id", "account_id", "starts_on", "ends_on", **picked, mrr=mrr)
    rows = _with_pauses(company, rows) if pauses(company) else rows
    rows = by_customer(company, rows, read if isinstance(read, Reading) else None)  # else others need the customers too
    # Windows last: Ibis then makes the lines one step that every reader shares, not one copy of all before them for each.
    order = ibis.window(group_by=("subscription_id", "account_id", "product"), order_by="starts_on")
    before = rows.mrr.lag().over(order)
    raised = ibis.ifelse(rows.change_reason == "indexation", (rows.mrr - before).fill_null(0), 0)
    if "paused" in rows.columns:
        resumes = rows.paused.lag().over(order).fill_null(0)
        raised = ibis.ifelse(resumes == 1, 0, raised)  # what it paid before the pause is no line that it takes over from
        rows = rows.mutate(carried_pause=ibis.ifelse(rows.ends_on.lag().over(order) == rows.starts_on, resumes, 0))
    return rows.mutate(
        goes_on=(rows.starts_on.lead().over(order) == rows.ends_on).fill_null(False),
        carried=ibis.ifelse(rows.ends_on.lag().over(order) == rows.starts_on, before, 0),
        **({"uplift": raised if indexed else zero()} if "uplift" in needed else {}),
    )


def _with_pauses(company: Company, rows: ibis.Table) -> ibis.Table:
    paused = (rows.change_reason == PAUSE).fill_null(False) & (rows.mrr == 0)
    year = (rows.starts_on + ibis.interval(months=12)).cast("date")
    ends = ibis.ifelse(paused & (year <= company.as_of), ibis.least(ibis.coalesce(rows.ends_on, year), year), rows.ends_on)
    return rows.mutate(paused=paused.cast("int64"), ends_on=ends)


def changes(company: Company, read: Hashable = None, *needed: str) -> ibis.Table:
    """One row per line, on the day it starts, with what it changes, and one per end that nothing follows: customer, account_id,
    product, on, delta (cents of mrr), gross (mrr that starts), uplift, and paused (pauses that begin less those that end) where
    it is needed and there are any.

    An end that the same customer and product starts again after within the grace period counts on the day of the restart:
    the subscription never stopped. Sums of delta up to a day are the mrr of that day.
    read, needed: the query that they are for, and the columns that it needs beside on and delta; all of them when none is named.
    """
    needed = needed or (*WHO, "gross", "uplift")
    rows = lines(company, read, *needed)
    who = [name for name in WHO if name in needed]
    starts = {name: rows[of] for name, of in (("gross", "mrr"), ("uplift", "uplift")) if name in needed}
    rest = ["paused"] if "paused" in needed and "paused" in rows.columns else []
    loose = bridged(rows.filter(rows.ends_on.notnull(), ~rows.goes_on), rows, company.settings.grace_days, (*who, *rest))
    begun, over = ({"paused": rows.paused - rows.carried_pause}, {"paused": -loose.paused}) if rest else ({}, {})
    return ibis.union(
        rows.select(*who, on=rows.starts_on, delta=rows.mrr - rows.carried, **starts, **begun),
        loose.select(*who, "on", delta=-loose.mrr, **{name: zero() for name in starts}, **over),
    )


def bridged(loose: ibis.Table, rows: ibis.Table, grace: int, kept: Collection[str]) -> ibis.Table:
    """The lines that nothing of their own follows, with `on`: the first restart within the grace period, else the end."""
    starts = rows.select(_customer="customer", _product="product", restart="starts_on").view()
    same = [loose.customer == starts._customer, loose["product"].identical_to(starts._product)]
    limit = (loose.ends_on + ibis.interval(days=grace)).cast("date")
    soon = [starts.restart >= loose.ends_on, starts.restart <= limit]
    own = ("subscription_id", "starts_on", *kept, "mrr", "ends_on")
    found = loose.left_join(starts, same + soon)
    found = found.group_by(own).agg(restart=found.restart.min())
    return found.mutate(on=ibis.coalesce(found.restart, found.ends_on))
