"""Recurring revenue by customer: what changed when, what was held on a day, a year apart, and since the fiscal year began.

All lazy; MRR in reporting cents. One table, `states`, carries it all: a row says what a customer paid from one day until the next
change, so that the snapshot of any day is one row per customer and no sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial

import ibis

from revops_helpers.metrics.facts import by_customer, changes, closed_deals, pauses, records_begin, reporting, with_account, zero
from revops_helpers.metrics.kept import kept
from revops_helpers.metrics.reading import Part, Reading, wanted
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company
from revops_helpers.periods import add_months, fiscal_year_start, month_end

MOVEMENTS = ("new", "reactivation", "expansion", "indexation", "contraction", "churn")
NEVER = date(9999, 12, 31)
REST = ("paused", "was_paused")
SUMMED = {
    "gross": {"paid_before", *REST},
    "uplift": {"uplift", "uplifted"},
    "paused": {*REST},
}  # beside delta, and what it is for
MOVED = ("delta", "uplift", "opening", "closing", "paid_before", *REST)


def states(
    company: Company, by_month: bool = True, read: Reading | None = None, since: date | None = None, *needed: str
) -> ibis.Table:
    """One row per customer and month (or day) in which its mrr changed: what it was before and since.

    on, until: first day of the month (or the day) and that of the customer's next change. opening, closing, delta: mrr before,
    after and the difference, as of month ends. uplift, uplifted: indexation then, and up to then. paid_before: it had a
    subscription before. paused, was_paused: it is paused since, or was before; only where there are pauses, which `held` and
    `was_held` know. first: its first `on`. account_id: the account that stands for the customer.
    read, since, needed: the query that they are for; all up to the month (or day) of `since` may then be one change in it, and
    columns be absent that are neither read nor needed.
    """
    name = "states" if by_month else "states_by_day"
    shared = min(since, read.together.since) if read and since and read.together.since else None
    make, narrow = partial(_states, company, by_month, None, shared), partial(_states, company, by_month, read, since, needed)
    asked = Part(since=since if read else None)
    rows = kept(company, name, make, read, narrow, None, asked, Part(since=shared))
    return with_account(company, rows) if read is None or "account_id" in read.columns else rows


def _states(
    company: Company, by_month: bool, read: Reading | None = None, since: date | None = None, needed: Sequence[str] = ()
) -> ibis.Table:
    never = set() if pauses(company) else {*REST}
    asked = wanted(read, *needed) - never
    summed = {name: of for name, of in SUMMED.items() if of - never and (not asked or asked & of)}
    # Alone, and not cut by account, the query is the only one that reads the customers of accounts.
    only = read if read and "account_id" not in read.columns else ("states", by_month)
    rows = changes(company, only, "customer", *summed)
    on = _first(rows.on, by_month)
    first = {}
    if since:
        first = {"first": on.min()} if not asked or "first" in asked else {}
        on = ibis.greatest(on, _first(ibis.literal(since), by_month))
    sums = {name: rows[name].sum() for name in ("delta", *summed)}
    changed = rows.group_by(customer=rows.customer, on=on).agg(**sums, **first)
    so_far = ibis.window(group_by="customer", order_by="on", rows=(None, 0))
    closing = changed.delta.sum().over(so_far)
    made = {
        "until": lambda: changed.on.lead().over(group_by="customer", order_by="on").fill_null(ibis.literal(NEVER)),
        "first": lambda: (changed["first"] if first else changed.on).min().over(so_far),
        "closing": lambda: closing,
        "opening": lambda: closing - changed.delta,
        "uplifted": lambda: changed.uplift.sum().over(so_far),
        "paid_before": lambda: changed.gross.sum().over(so_far) > changed.gross,
        "paused": lambda: (changed.paused.sum().over(so_far) > 0) & (changed.gross.sum().over(so_far) > 0),
        "was_paused": lambda: (
            (changed.paused.sum().over(so_far) > changed.paused) & (changed.gross.sum().over(so_far) > changed.gross)
        ),
    }
    own = [name for name in changed.columns if name not in ("gross", "first", "paused")]
    made = {name: make() for name, make in made.items() if name not in never and (not asked or name in asked)}
    return changed.select(*own, **made)


def held(rows: ibis.Table) -> ibis.BooleanValue:
    """Of states: whether one is a customer since the change, because it pays or is paused."""
    return (rows.closing != 0) | rows.paused if "paused" in rows.columns else rows.closing != 0


def was_held(rows: ibis.Table) -> ibis.BooleanValue:
    """Of states: whether one was a customer before the change."""
    return (rows.opening != 0) | rows.was_paused if "was_paused" in rows.columns else rows.opening != 0


def _first(day: ibis.DateValue, by_month: bool) -> ibis.DateValue:
    return day.truncate("M").cast("date") if by_month else day


def snapshots(
    company: Company, windows: Windows, days: Sequence[date], read: Reading | None = None, since: date | None = None, *needed: str
) -> ibis.Table:
    """The state of every customer on the day of each window, with `window`; customers that do not pay any more among them.

    read, since, needed: the query that they are for, the first day that it asks of, and what it needs beside closing.
    """
    by_month = all(day == month_end(day) for day in days)
    # A view of its own: Ibis then makes the states one step that all snapshots of a query share.
    rows = states(company, by_month, read, since or min(days), "until", "closing", *needed).view()
    if len(days) == 1:
        day = ibis.literal(days[0])
        return rows.filter(rows.on <= day, rows.until > day).mutate(window=zero())
    spans = windows.days(day=list(days))
    return rows.join(spans, [rows.on <= spans.day, rows.until > spans.day]).drop("day")


def customer_months(company: Company, windows: Windows, read: Reading | None = None) -> ibis.Table:
    """One row per customer and month of the windows in which its mrr changed, with its six movements (losses positive), and
    whether it came (for the first time), returned or left, which whoever is paused did not.

    closing − opening is always new + reactivation + expansion + indexation − contraction − churn, in cents a month.
    """
    return _moved(windows.assign(states(company, True, read, windows.span.start - timedelta(days=1), *MOVED), "on"))


def _moved(rows: ibis.Table) -> ibis.Table:
    was, now = was_held(rows), held(rows)
    stays, begins, leaves = was & now, ~was & now, was & ~now
    sold = rows.delta - rows.uplift

    def when(condition: ibis.BooleanValue, value: ibis.IntegerValue) -> ibis.IntegerValue:
        return ibis.ifelse(condition, value, 0)

    return rows.mutate(
        came=begins & ~rows.paid_before,
        returned=begins & rows.paid_before,
        left=leaves,
        new=when(begins & ~rows.paid_before, rows.closing),
        reactivation=when(begins & rows.paid_before, rows.closing),
        indexation=when(stays, rows.uplift),
        expansion=when(stays & (sold > 0), sold),
        contraction=when(stays & (sold < 0), -sold),
        churn=when(leaves, rows.opening),
    )


def expansion_since_start(company: Company) -> ibis.Table:
    """One row per customer and month in which it expanded, and one without expansion: started (its first month), initial (mrr
    then), age (months since), expansion. What is signed for later than the as-of date is none yet, and the end of a pause is
    none."""
    rows = _moved(states(company))
    rows = rows.filter(rows.on <= ibis.literal(company.as_of))
    starts = rows.filter(rows.new > 0).select("customer", "account_id", started="on", initial="new")
    grown = rows.filter(rows.expansion > 0, rows.opening > 0).select(_customer="customer", on="on", expansion="expansion").view()
    grown = starts.join(grown, starts.customer == grown["_customer"])
    own = ("customer", "account_id", "started", "initial")
    return ibis.union(
        starts.select(*own, age=zero(), expansion=zero()),
        grown.select(*own, age=_month(grown.on) - _month(grown.started), expansion=grown.expansion.cast("int64")),
    )


def grown_in_a_year(company: Company, windows: Windows) -> ibis.Table:
    """One row per customer that started in the window a year before: initial, and the expansion of its twelve months since."""
    rows = expansion_since_start(company)
    rows = windows.assign(rows.filter(rows.age <= 12), "started", lag=12)
    return rows.group_by("window", "customer", "account_id", "started", "initial").agg(expansion=rows.expansion.sum())


def customers_at_end(company: Company, windows: Windows, read: Reading | None = None) -> ibis.Table:
    """One row per customer and window: its mrr (cents) on the window's last day, where it has any or is paused."""
    rows = snapshots(company, windows, [p.end for p in windows.periods], read, None, "paused")
    return rows.filter(held(rows)).select("window", *_who(rows), mrr="closing")


def contracted_at_end(company: Company, windows: Windows) -> ibis.Table:
    """One row per subscription and window, signed by the window's end and not over then: mrr of its newest signed line, live or
    not yet, and 0 from the day on which notice of that line was given. Where no line says when it was signed, it was when it
    started."""
    wanted = ("subscription_id", "account_id", "starts_on", "ends_on", "signed_on", "notice_on", "mrr", "currency")
    rows = company.table("subscriptions", wanted)
    signed = ibis.coalesce(rows.signed_on, rows.starts_on) if "signed_on" in rows.columns else rows.starts_on
    notice = {"notice_on": rows.notice_on} if "notice_on" in rows.columns else {}
    rows = rows.select(*wanted[:4], **notice, signed=signed, mrr=reporting(company, rows, "subscriptions", "mrr"))
    rows = rows.cross_join(windows.days(day=[p.end for p in windows.periods]))
    rows = rows.filter(rows.signed <= rows.day, rows.ends_on.isnull() | (rows.ends_on > rows.day))
    if notice:
        rows = rows.mutate(mrr=ibis.ifelse((rows.notice_on <= rows.day).fill_null(False), 0, rows.mrr))
    newest = rows.group_by("window", "subscription_id")
    newest = newest.agg(account_id=ibis._.account_id.argmax(ibis._.starts_on), mrr=ibis._.mrr.argmax(ibis._.starts_on))
    return with_account(company, by_customer(company, newest))


def unpaid_losses(company: Company, windows: Windows) -> ibis.Table:
    """customer_months that lost a customer, with `unpaid`: an invoice was overdue by more than the grace period at the month's
    end, and has not been paid by then."""
    lost = customer_months(company, windows)
    lost = lost.filter(lost.churn > 0).select("window", "customer", "account_id", "on", "churn")
    lost = lost.mutate(end=(lost.on + ibis.interval(months=1)).cast("date"))
    bills = by_customer(company, company.table("invoices", ("invoice_id", "account_id", "due_on", "paid_on")))
    bills = bills.select(_customer="customer", due_on="due_on", paid_on="paid_on")
    overdue = bills.due_on + ibis.interval(days=company.settings.grace_days)
    bills = bills.mutate(overdue_on=overdue.cast("date"))
    late = [
        lost.customer == bills._customer,
        bills.overdue_on < lost.end,
        bills.paid_on.isnull() | (bills.paid_on >= lost.end),
    ]
    own = ("window", "customer", "account_id", "on", "churn")
    return ibis.union(
        lost.semi_join(bills, late).select(*own, unpaid=ibis.literal(True)),
        lost.anti_join(bills, late).select(*own, unpaid=ibis.literal(False)),
    )


def year_apart(company: Company, windows: Windows, read: Reading | None = None) -> ibis.Table:
    """apart from the same day a year before."""
    return apart(company, windows, [p.year_before().end for p in windows.periods], read)


def apart(company: Company, windows: Windows, days: Sequence[date], read: Reading | None = None) -> ibis.Table:
    """One row per customer at the end of the window or on its day before: m0 (mrr then), m1 (at the end), uplift between, and
    whether it was a customer then (held0) and at the end (held1), by paying or by a pause."""
    raised = ["uplifted"] if read is None or "uplift" in read.columns else []
    ends = [p.end for p in windows.periods]
    now, then = (snapshots(company, windows, on, read, min(*days, *ends), *raised, "paused") for on in (ends, days))
    then = then.select(
        _window="window", _customer="customer", m0="closing", held0=held(then), **{f"_{name}": name for name in raised}
    )
    both = now.left_join(then, [now.window == then._window, now.customer == then._customer])
    uplift = {"uplift": both.uplifted - both._uplifted.fill_null(0)} if raised else {}
    told = {"held0": both.held0.fill_null(False), "held1": held(both), **uplift}
    rows = both.select("window", *_who(now), m0=both.m0.fill_null(0), m1="closing", **told)
    return rows.filter(rows.held0 | rows.held1)


def shares_of_opening(company: Company, windows: Windows, read: Reading | None = None) -> ibis.Table:
    """The movements of customer_months, and beside them rows with `base`: each customer's mrr at the start of the fiscal year."""
    eves = [fiscal_year_start(p.start, windows.first_month) - timedelta(days=1) for p in windows.periods]
    moved = _moved(windows.assign(states(company, True, read, min(eves), "until", *MOVED), "on"))
    opened = snapshots(company, windows, eves, read, None, *MOVED)
    opened = opened.filter(opened.closing != 0)
    return ibis.union(
        moved.select("window", *_who(moved), *MOVEMENTS, base=zero()),
        opened.select("window", *_who(opened), **{name: zero() for name in MOVEMENTS}, base="closing"),
    )


def _who(rows: ibis.Table) -> list[str]:
    return [name for name in ("customer", "account_id") if name in rows.columns]


def tenures(company: Company, windows: Windows, read: Reading | None = None) -> ibis.Table:
    """One row per customer that paid in the twelve months to the window's end: months_paid (until it left, or until the window's
    end), left, and entry (its age in months a year before, or when the records begin; 0 if it came since)."""
    days = [p.end for p in windows.periods]
    # Who had left by a year before is not asked for, so that all changes until then may be one.
    since = add_months(min(days) + timedelta(days=1), -12) - timedelta(days=1)
    rows = snapshots(company, windows, days, read, since, "first", "paused")
    rows = rows.join(windows.days(end=days), "window")
    last, first, gone = _month(rows.end), _month(rows["first"]), _month(rows.on)
    left = ~held(rows)
    # Who left in the month in which the records begin is known if they begin on its first day.
    begin = max(records_begin(company, "subscriptions"), date(1, 1, 2)) - timedelta(days=1)
    before = ibis.greatest(last - 12, begin.year * 12 + begin.month - 1)
    until = ibis.ifelse(left, gone, last)
    rows = rows.mutate(left=left, months_paid=until - first, entry=ibis.greatest(before - first, 0), watched=until > before)
    return rows.filter(~rows.left | rows.watched)


def _month(day: ibis.DateValue) -> ibis.IntegerValue:
    """Months since the year 0, so that consecutive months are consecutive numbers."""
    return (day.year() * 12 + day.month() - 1).cast("int64")


def live_and_won(company: Company, windows: Windows, read: Reading | None = None) -> ibis.Table:
    """New ARR that went live (`live`) and first-year ARR of new business won (`won`) by customer and window, in cents a year."""
    sold = closed_deals(company, windows, read, "kind", "account_id", "amount")
    sold = by_customer(company, sold.filter((sold.status == "won") & (sold.kind == "new")))
    moved = customer_months(company, windows, read)
    if "account_id" in moved.columns:
        sold = with_account(company, sold)
    who = ("window", *_who(moved))
    return ibis.union(
        moved.select(*who, live=moved.new * 12, won=zero()),
        sold.select(*who, live=zero(), won=sold.amount),
    )
