"""The landmark panel: every customer on past month ends, with what was known then and what happened after.

A feature at a landmark reads nothing stamped after it: rows added later never change it. An outcome is read from the months
after the landmark. Attributes that keep no history (segment, legal group) are as the export has them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import ibis
import pandas as pd

from revops_helpers.metrics import facts
from revops_helpers.metrics.recurring import held, states, was_held
from revops_helpers.metrics.revenue import SUBSCRIPTIONS
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company
from revops_helpers.model.tables import TABLES
from revops_helpers.periods import Period, add_months, last_closed_month_end, month_end

HORIZON = 6  # months
TERM = 12  # months that a first contract is taken to bind
LONGEST = 36  # months of landmarks: older ones tell of another company
WEEKS, BEFORE, YEAR = 4, 16, 52  # weeks of use: now, what it is compared with, and its best
TICKET_DAYS, OVERDUE_DAYS, HEALTH_DAYS = 90, 180, 100
BEST = 0.9  # the quantile of the weeks of a year that is a customer's best use

# What each source tells of a customer, and the columns that it needs.
SOURCES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "usage": (("usage", "usage_before", "usage_best"), ("usage.account_id", "usage.active_users", "usage.seats")),
    "onboardings": (("handoff",), ("onboardings.account_id", "onboardings.items_required", "onboardings.items_done")),
    "tickets": (("tickets",), ("tickets.account_id", "tickets.opened_at")),
    "invoices": (("overdue",), ("invoices.account_id", "invoices.due_on", "invoices.paid_on")),
    "health_scores": (("health", "band"), ("health_scores.account_id", "health_scores.score")),
}
PERIODIC = ("usage", "tickets", "invoices", "health_scores")  # sources that say nothing of a time before their first record


def landmarks(company: Company, horizon: int = HORIZON) -> list[date]:
    """Month ends whose `horizon` months are over, oldest first: from when the records begin, at most 36.

    A source that leaves too few of them to train and to test (2 × horizon + 3 months) does not hold them up; its features
    are unknown before it begins. Unavailable without subscriptions.
    """
    company.require(SUBSCRIPTIONS)
    last = month_end(add_months(last_closed_month_end(company.as_of), -horizon))
    enough = month_end(add_months(last, -2 * horizon - 2))
    begins = [begin for name in PERIODIC if (begin := source_begins(company, name)) and begin <= enough]
    first = max([_records_begin(company), month_end(add_months(last, 1 - LONGEST)), *begins])
    return _month_ends(first, last)


def months_on_record(company: Company) -> list[date]:
    """Every month end from which the month after is over, since the records of subscriptions begin."""
    company.require(SUBSCRIPTIONS)
    return _month_ends(_records_begin(company), month_end(add_months(last_closed_month_end(company.as_of), -1)))


def _month_ends(first: date, last: date) -> list[date]:
    months = (last.year - first.year) * 12 + last.month - first.month
    return [month_end(add_months(first, i)) for i in range(months + 1)]


def _records_begin(company: Company) -> date:
    """The first month end from which departures are on record: those who left before the records began are not in them."""
    if agreed := company.settings.records_start.get("subscriptions"):
        return month_end(agreed)
    first = facts.lines(company).starts_on.min().to_pandas()
    return month_end(company.as_of if pd.isna(first) else pd.Timestamp(first).date())


def source_begins(company: Company, name: str) -> date | None:
    """The month end after a source's first record; None where the company lacks it or it is empty."""
    if company.missing(SOURCES[name][1]):
        return None
    stamp = TABLES[name].stamp[0]
    first = company.once(f"first of {name}", lambda: company.table(name, (stamp,))[stamp].min().to_pandas())
    agreed = company.settings.records_start.get(name)
    return None if pd.isna(first) else month_end(max(pd.Timestamp(first).date(), agreed or date.min))


def history(company: Company, horizon: int = HORIZON) -> pd.DataFrame:
    """The panel on all landmarks, made once for a company."""
    return company.once(f"panel {horizon}", lambda: panel(company, landmarks(company, horizon), horizon))


def panel(company: Company, days: Sequence[date], horizon: int = HORIZON) -> pd.DataFrame:
    """One row per customer that pays on each of the days, with what was known on it.

    landmark, customer, account_id (which stands for the customer), arr (cents), tenure (months since it last began to pay),
    segment and product where the company has them; per source: usage, usage_before (active users per seat in the 4 weeks to
    the day, in the 12 before), usage_best (its better weeks of a year), handoff (share of the checklist done), tickets (of 90
    days), overdue (invoices of 180 days past due), health and band (newest score of 100 days); no value where none is known.
    churned, expanded: whether it left, or bought more (indexation aside), in the `horizon` months after the day; no value
    where those are not over. Unavailable without subscriptions. Empty where nobody pays.
    """
    company.require(SUBSCRIPTIONS)
    if not days:
        return panel(company, [company.as_of], horizon).head(0)
    windows = Windows.of(company.settings, tuple(Period(day, day) for day in days))
    ends = windows.days(
        day=list(days),
        until=[month_end(add_months(day, horizon)) for day in days],
        newest=[day - timedelta(days=6) for day in days],  # the Monday of the newest week that is over
    )
    rows = _paying(company, ends)
    for name, (_features, needs) in SOURCES.items():
        if not company.missing(needs):
            found = _READ[name](company, windows, ends).rename(_window="window", _customer="customer")
            rows = rows.left_join(found, [rows.window == found._window, rows.customer == found._customer])
            rows = rows.drop("_window", "_customer")
    for label, happened in _events(company).items():
        hits = happened.join(ends, [happened.on > ends.day, happened.on <= ends.until]).select("customer", "window").distinct()
        hits = hits.rename(_window="window", _customer="customer")
        rows = rows.left_join(hits, [rows.window == hits._window, rows.customer == hits._customer])
        rows = rows.mutate(**{label: rows._window.notnull()}).drop("_window", "_customer")
    frame = rows.order_by("window", "customer").to_pandas()
    frame.insert(0, "landmark", [days[i] for i in frame.pop("window")])
    return _unknown(company, frame, horizon)


def _unknown(company: Company, frame: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """No outcome where its months are not over; no count where the source had not begun."""
    closed = last_closed_month_end(company.as_of)
    over = frame.landmark.map(lambda day: month_end(add_months(day, horizon)) <= closed)
    for label in ("churned", "expanded"):
        frame[label] = frame[label].astype(float).where(over)
    for name, column in (("tickets", "tickets"), ("invoices", "overdue")):
        if column in frame:
            begun = (frame.landmark > (source_begins(company, name) or date.max)).astype(bool)
            frame[column] = frame[column].fillna(0).astype(float).where(begun)
    return frame


def _lines(company: Company) -> ibis.Table:
    """Subscription lines with known_on (from when the line was both signed and running) and begins: it starts a new stay,
    more than the grace period after everything known before it had ended."""
    more = company.table("subscriptions", ("subscription_id", "starts_on", "signed_on", "seats"))
    signed = more.signed_on if "signed_on" in more.columns else more.starts_on
    more = more.select(_id=more.subscription_id, _from=more.starts_on, known=ibis.greatest(more.starts_on, signed))
    rows = facts.lines(company)
    rows = rows.left_join(more, [rows.subscription_id == more._id, rows.starts_on == more._from]).drop("_id", "_from")
    rows = rows.mutate(known_on=ibis.coalesce(rows.known, rows.starts_on), over=rows.ends_on.fill_null(date(9000, 1, 1)))
    before = ibis.window(group_by="customer", order_by=["known_on", "starts_on", "subscription_id"], preceding=(None, 1))
    latest = rows.over.max().over(before) + ibis.interval(days=company.settings.grace_days)
    return rows.mutate(begins=(rows.starts_on > latest.cast("date")).fill_null(True))


def _paying(company: Company, ends: ibis.Table) -> ibis.Table:
    """window, customer, account_id, arr, tenure, product, segment of everyone with recurring revenue on each day."""
    rows = _lines(company)
    rows = rows.join(ends, [rows.known_on <= ends.day])
    rows = rows.mutate(runs=(rows.over > rows.day) & (rows.mrr > 0))
    rows = rows.group_by("window", "day", "customer").agg(
        arr=rows.mrr.sum(where=rows.runs) * 12,
        since=rows.starts_on.max(where=rows.begins),
        product=rows["product"].argmax(rows.mrr, where=rows.runs),
    )
    rows = rows.filter(rows.arr > 0)
    months = (rows.day.year() - rows.since.year()) * 12 + rows.day.month() - rows.since.month()
    rows = rows.select("window", "customer", "arr", "product", tenure=months.cast("float64"))
    rows = facts.with_account(company, rows)
    if company.missing(["accounts.segment"]):
        return rows
    named = company.table("accounts", ("account_id", "segment"))
    named = named.select(_account=named.account_id, segment=named.segment)
    return rows.left_join(named, rows.account_id == named._account).drop("_account")


def _events(company: Company) -> dict[str, ibis.Table]:
    """customer and `on` (first day of the month) of every departure and every expansion."""
    rows = states(company)
    stays = (rows.opening > 0) & (rows.closing > 0)
    return {
        "churned": rows.filter(was_held(rows), ~held(rows)).select("customer", "on"),
        "expanded": rows.filter(stays, rows.delta - rows.uplift > 0).select("customer", "on"),
    }


# --- sources: what each tells of every customer and day -------------------------------------------------------------------


def _usage(company: Company, windows: Windows, ends: ibis.Table) -> ibis.Table:
    rows = facts.by_customer(company, company.table("usage", ("account_id", "week", "active_users", "seats")))
    rows = rows.filter(rows.seats > 0, rows.active_users.notnull())
    rows = rows.group_by("customer", "week").agg(active=rows.active_users.sum(), seats=rows.seats.sum())
    rows = rows.join(ends, rows.week <= ends.newest)
    rows = rows.mutate(age=rows.newest.delta(rows.week, unit="day")).filter(ibis._.age < YEAR * 7)
    now, before = rows.age < WEEKS * 7, (rows.age >= WEEKS * 7) & (rows.age < BEFORE * 7)
    found = rows.group_by("window", "customer").agg(
        usage=rows.active.sum(where=now) / rows.seats.sum(where=now),
        usage_before=rows.active.sum(where=before) / rows.seats.sum(where=before),
        usage_best=(rows.active / rows.seats).quantile(BEST),
    )
    return found.filter(found.usage.notnull())


def _handoff(company: Company, windows: Windows, ends: ibis.Table) -> ibis.Table:
    names = ("account_id", "handed_off_at", "items_required", "items_done")
    rows = facts.by_customer(company, company.table("onboardings", names))
    rows = rows.mutate(on=windows.day(rows.handed_off_at), share=rows.items_done / rows.items_required.nullif(0))
    rows = rows.filter(rows.share.notnull())
    rows = rows.join(ends, rows.on <= ends.day)
    return rows.group_by("window", "customer").agg(handoff=rows.share.argmax(rows.handed_off_at))


def _tickets(company: Company, windows: Windows, ends: ibis.Table) -> ibis.Table:
    rows = facts.by_customer(company, company.table("tickets", ("account_id", "opened_at")))
    rows = rows.mutate(on=windows.day(rows.opened_at))
    rows = rows.join(ends, [rows.on <= ends.day, rows.on > ends.day - ibis.interval(days=TICKET_DAYS)])
    return rows.group_by("window", "customer").agg(tickets=rows.count())


def _overdue(company: Company, windows: Windows, ends: ibis.Table) -> ibis.Table:
    rows = facts.by_customer(company, company.table("invoices", ("account_id", "issued_on", "due_on", "paid_on")))
    late = [rows.due_on < ends.day, rows.issued_on <= ends.day, rows.due_on > ends.day - ibis.interval(days=OVERDUE_DAYS)]
    rows = rows.join(ends, late)
    rows = rows.filter(rows.paid_on.isnull() | (rows.paid_on > rows.day))
    return rows.group_by("window", "customer").agg(overdue=rows.count())


def _health(company: Company, windows: Windows, ends: ibis.Table) -> ibis.Table:
    rows = facts.by_customer(company, company.table("health_scores", ("account_id", "scored_on", "score", "band")))
    rows = rows.filter(rows.score.notnull())
    band = rows.band if "band" in rows.columns else ibis.null("string")
    rows = rows.mutate(band=band)
    rows = rows.join(ends, [rows.scored_on <= ends.day, rows.scored_on > ends.day - ibis.interval(days=HEALTH_DAYS)])
    return rows.group_by("window", "customer").agg(
        health=rows.score.argmax(rows.scored_on).cast("float64"), band=rows.band.argmax(rows.scored_on)
    )


_READ: dict[str, Callable[[Company, Windows, ibis.Table], ibis.Table]] = {
    "usage": _usage,
    "onboardings": _handoff,
    "tickets": _tickets,
    "invoices": _overdue,
    "health_scores": _health,
}
