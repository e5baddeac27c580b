"""From lead to closed deal: the tables that process metrics count in. All lazy, one row per lead, deal or step of one."""

from __future__ import annotations

from datetime import date, timedelta

import ibis

from revops_helpers.methods.business_time import business_minutes
from revops_helpers.metrics.facts import (
    CLOSING,
    DEAL_DATES,
    DEAL_IDS,
    NOT_A_DEAL,
    closed_on,
    closed_without_moment,
    deals,
    records_begin,
    reporting,
    since_records,
    zero,
)
from revops_helpers.metrics.reading import Reading, wanted
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.as_of import cut_off
from revops_helpers.model.company import Company
from revops_helpers.settings import Settings

COHORT_DAYS = 90
DEAL_DAYS = 180
FROM_ACTIVITIES = " Where no lead says when, its first outbound activity from creation on that no machine sent is the contact."
RECENT = 92  # no fiscal quarter is longer
OUTCOMES = {"ripe", "converted", "followed", "won"}
LEAD_COLUMNS = ("lead_id", "account_id", "source", "campaign_id", "owner_id", "created_at", "first_contact_at")


def cohort_known(settings: Settings, end: date) -> date:
    """The day on which what entered by the end of a window has been followed for COHORT_DAYS."""
    return end + timedelta(days=COHORT_DAYS)


def deal_known(settings: Settings, end: date) -> date:
    """The day on which what entered by the end of a window has been followed for DEAL_DAYS, long enough to be won."""
    return end + timedelta(days=DEAL_DAYS)


def leads_created(company: Company, windows: Windows, read: Reading | None = None, *needed: str) -> ibis.Table:
    """One row per lead created in a window."""
    narrow = wanted(read, "created_at", *needed)
    columns = [name for name in LEAD_COLUMNS if not narrow or name in narrow]
    return windows.assign(company.table("leads", columns), "created_at")


def lead_outcomes(company: Company, windows: Windows, read: Reading | None = None) -> ibis.Table:
    """leads_created with what became of them, where the company's leads name deals: ripe and followed (created COHORT_DAYS and
    DEAL_DAYS or more before the as-of date's end), converted (a deal was opened within COHORT_DAYS of the lead) and won (that
    deal was won within DEAL_DAYS of the lead)."""
    if (read and not OUTCOMES & read.columns) or company.missing(["leads.opportunity_id", "opportunities.status"]):
        return leads_created(company, windows, read)
    narrow = wanted(read, "created_at")
    columns = [name for name in LEAD_COLUMNS if not narrow or name in narrow]
    # A deal that did not exist yet is not found below, so its name need not be hidden before.
    rows = windows.assign(company.table("leads", [*columns, "opportunity_id"], found=["opportunity_id"]), "created_at")
    sold = _moments_of_deals(company, read)
    joined = rows.left_join(sold, rows.opportunity_id == sold._deal)
    now, came = cut_off(company.as_of, company.settings), joined.created_at
    return joined.select(
        *rows.columns,
        ripe=came <= ibis.literal(now - timedelta(days=COHORT_DAYS)),
        converted=(joined._opened <= came + ibis.interval(days=COHORT_DAYS)).fill_null(False),
        followed=came <= ibis.literal(now - timedelta(days=DEAL_DAYS)),
        won=(joined._won <= came + ibis.interval(days=DEAL_DAYS)).fill_null(False),
    )


def _moments_of_deals(company: Company, read: Reading | None) -> ibis.Table:
    """One row per deal: _deal, when it was _opened and, where that is read, _won (as the day began if no moment is told)."""
    ends = ("closed_at", "close_date") if read is None or "won" in read.columns else ()
    own = ("opportunity_id", "status", "created_at", *ends)
    sold = company.table("opportunities", own, past=closed_without_moment if ends else None)
    opened = sold.created_at if "created_at" in sold.columns else ibis.null("timestamp")
    told = [sold[name].cast("timestamp") for name in ends if name in sold.columns]
    won = ibis.ifelse(sold.status == "won", ibis.coalesce(*told), ibis.null()) if told else ibis.null("timestamp")
    return sold.select(_deal=sold.opportunity_id, _opened=opened, _won=won)


def leads_and_deals(company: Company, windows: Windows, read: Reading | None = None) -> ibis.Table:
    """Leads created in a window (`lead` 1) with the new-business deals opened from them in it (`deal`), one row per lead; and the
    deals of the window that stem from no lead of it. The rows are independent of each other."""
    one = ibis.literal(1, type="int64")
    created = leads_created(company, windows, read, "lead_id")
    opened = deals_opened(company, windows, read, "kind", "lead_id")
    opened = opened.filter(opened.kind == "new")
    if "lead_id" not in opened.columns:
        opened = opened.mutate(lead_id=ibis.null("string"))
    if "account_id" not in opened.columns:
        opened = opened.mutate(account_id=ibis.null("string"))
    of_leads = opened.filter(opened.lead_id.notnull()).group_by("window", "lead_id")
    of_leads = of_leads.agg(deal=ibis._.count(), account=ibis._.account_id.min())
    of_leads = of_leads.rename(_window="window", _lead="lead_id")
    joined = created.outer_join(of_leads, [created.window == of_leads["_window"], created.lead_id == of_leads["_lead"]])
    own = joined.account_id if "account_id" in created.columns else ibis.null("string")
    found = joined.select(
        window=ibis.coalesce(joined.window, joined["_window"]),
        lead_id=ibis.coalesce(joined.lead_id, joined["_lead"]),
        account_id=ibis.coalesce(own, joined.account),
        lead=joined.lead_id.notnull().cast("int64"),
        deal=joined.deal.fill_null(0),
    )
    alone = opened.filter(opened.lead_id.isnull())
    return ibis.union(found, alone.select("window", "lead_id", "account_id", lead=zero(), deal=one))


def first_contacts(company: Company, windows: Windows, read: Reading | None = None) -> ibis.Table:
    """leads_created with contacted, and minutes from creation to first contact, or to the as-of date's end where there is none.

    Leads whose first contact is stamped before their creation (imports) are left out: hygiene lists them.
    """
    rows = since_records(company, windows, leads_created(company, windows, read, "first_contact_at"), "created_at", "leads")
    rows = rows.filter(rows.first_contact_at.isnull() | (rows.first_contact_at >= rows.created_at))
    until = rows.first_contact_at.fill_null(ibis.literal(cut_off(company.as_of, company.settings) - timedelta(minutes=1)))
    minutes = until.delta(rows.created_at, unit="minute")
    return rows.mutate(contacted=rows.first_contact_at.notnull(), until=until, minutes=minutes)


def first_contacts_at_work(company: Company, windows: Windows, read: Reading | None = None) -> ibis.Table:
    """first_contacts with the minutes counted in working hours only, and `late`: the service level is over, contacted or not."""
    settings = company.settings
    span = windows.span
    last = max(span.end, company.as_of)
    rows = first_contacts(company, windows, read)
    rows = business_minutes(rows, "created_at", "until", settings.working_hours, settings.zone, span.start, last)
    sla = settings.slas.first_contact_minutes
    return rows.mutate(
        on_time=rows.contacted & (rows.business_minutes <= sla), due=rows.contacted | (rows.business_minutes > sla)
    )


def deals_opened(company: Company, windows: Windows, read: Reading | None = None, *needed: str) -> ibis.Table:
    """One row per deal opened in a window; deals without an opening date are in none."""
    return windows.assign(deals(company, read, "created_at", *needed), "created_at")


def opened_and_decided(company: Company, windows: Windows, read: Reading | None = None) -> ibis.Table:
    """One row per deal and window in which it was opened (`opened` 1), won or lost (`decided` 1), or both."""
    rows = deals(company, read, "opportunity_id", "created_at", *CLOSING)
    keys = [n for n in ("opportunity_id", "account_id", "lead_id", "owner_id", "motion", "product", "kind") if n in rows.columns]
    if len(windows.periods) == 1:
        days = (rows.created_at, closed_on(rows, windows))
        opened, decided = (windows.within(day, windows.span).fill_null(False).cast("int64") for day in days)
        rows = rows.select(*keys, window=zero(), opened=opened, decided=decided)
        return rows.filter((rows.opened == 1) | (rows.decided == 1))
    one = ibis.literal(1, type="int64")
    opened = windows.assign(rows, "created_at").select("window", *keys, opened=one, decided=zero())
    decided = rows.filter(rows.status != "open")
    decided = windows.assign(decided.mutate(closed_on=closed_on(decided, windows)), "closed_on")
    both = ibis.union(opened, decided.select("window", *keys, opened=zero(), decided=one))
    return both.group_by("window", *keys).agg(opened=both.opened.max(), decided=both.decided.max())


def deals_at_risk(company: Company, windows: Windows, read: Reading | None = None) -> ibis.Table:
    """One row per deal that was open on some day of the window, or of that part of it of which deals are on record.

    entry, age: days since its opening on the first of these days, and at its end or the window's. ending: 1 won, 2 lost, 0 still
    open at the window's end or the as-of date. nights: those over which it was open; share: of all nights to the as-of date.
    """
    rows = deals(company, read, "created_at", *CLOSING)
    opened = windows.day(rows.created_at)
    rows = rows.mutate(opened_on=opened, closed_on=closed_on(rows, windows))
    ends = [min(p.end, company.as_of) for p in windows.periods]
    starts = [max(p.start, records_begin(company, "opportunities")) for p in windows.periods]
    rows = _spans(rows.filter(rows.opened_on.notnull()), windows, starts, ends)
    in_time = (rows.opened_on <= rows.last) & (rows.closed_on.isnull() | (rows.closed_on >= rows.first))
    rows = rows.filter(in_time, rows.closed_on.isnull() | (rows.closed_on >= rows.opened_on))
    closed = rows.closed_on <= rows["last"]
    end = ibis.ifelse(closed.fill_null(False), rows.closed_on, rows["last"])
    ending = ibis.ifelse(closed.fill_null(False), ibis.ifelse(rows.status == "won", 1, 2), 0)
    age = end.delta(rows.opened_on, unit="day")
    entry = ibis.greatest(rows["first"].delta(rows.opened_on, unit="day"), 0)
    nights = age - entry + (ending == 0).cast("int64")
    whole = ibis.greatest(rows["last"].delta(rows["first"], unit="day") + 1, 1)
    return rows.mutate(age=age, entry=entry, ending=ending, nights=nights, share=nights / whole)


def _spans(rows: ibis.Table, windows: Windows, first: list[date], last: list[date]) -> ibis.Table:
    """The rows once for each window, with its first and last day."""
    if len(windows.periods) == 1:
        return rows.mutate(window=zero(), first=ibis.literal(first[0]), last=ibis.literal(last[0]))
    return rows.cross_join(windows.days(first=first, last=last))


def deals_as_they_stood(company: Company, windows: Windows, read: Reading | None = None, *needed: str) -> ibis.Table:
    """One row per deal and window, as it stood at the window's end: status, amount, close_date, closed_on and its references.

    Deals that were open then, or closed in the RECENT days before. The rules are those of model.as_of, for many days in one pass;
    without history amounts are the export's.
    """
    ends = [min(p.end, company.as_of) for p in windows.periods]
    if all(end == company.as_of for end in ends):
        rows = deals(company, read, *CLOSING, *needed).cross_join(windows.days(end=ends))
        rows = rows.mutate(closed_on=closed_on(rows, windows))
        return rows.filter(_recent(rows)).drop("end", *({"created_at", "closed_at"} & set(rows.columns)))
    rows = _at_ends(company, windows, ends)
    if not company.missing(["opportunity_history"]):
        rows = _with_state(rows, company.table("opportunity_history"))
    amount = {"amount": reporting(company, rows, "opportunities", "amount")} if "amount" in rows.columns else {}
    return rows.select("window", *(n for n in (*DEAL_IDS, "close_date", "closed_on") if n in rows.columns), **amount)


def _recent(rows: ibis.Table) -> ibis.BooleanValue:
    return rows.closed_on.isnull() | (rows.closed_on > rows.end - ibis.interval(days=RECENT))


def _at_ends(company: Company, windows: Windows, ends: list[date]) -> ibis.Table:
    """The deals that existed at each end (with `end`, and `cut`, the UTC instant after it), open unless closed by then."""
    rows = company.table("opportunities", (*DEAL_IDS, *DEAL_DATES, "amount", "currency", "lost_reason"))
    rows = rows.mutate(closed_on=closed_on(rows, windows))
    first = ibis.literal(min(ends) - timedelta(days=RECENT))
    rows = rows.filter(rows.closed_on.isnull() | (rows.closed_on > first))
    spans = windows.moments(cut=[cut_off(end, company.settings) for end in ends]).join(windows.days(end=ends), "window")
    rows = rows.cross_join(spans)
    if "created_at" in rows.columns:
        rows = rows.filter((rows.created_at < rows.cut) | rows.created_at.isnull())
    over = rows.close_date <= rows.end
    if "closed_at" in rows.columns:
        over = ibis.ifelse(rows.closed_at.notnull(), rows.closed_at < rows.cut, over)
    reopened = (rows.status != "open") & ~over.fill_null(False)
    rows = rows.mutate(reopened=reopened, closed_on=ibis.ifelse(reopened, ibis.null(), rows.closed_on))
    if "lost_reason" in rows.columns:
        rows = rows.filter(rows.reopened | (rows.status != "lost") | ~rows.lost_reason.lower().isin(NOT_A_DEAL).fill_null(False))
    rows = rows.filter(_recent(rows))
    state = {"status": ibis.ifelse(rows.reopened, "open", rows.status), "close_date": _unless(rows.reopened, rows.close_date)}
    return rows.mutate(**state)


def _unless(condition: ibis.BooleanValue, value: ibis.Value) -> ibis.Value:
    return ibis.ifelse(condition, ibis.null(), value)


def _with_state(rows: ibis.Table, history: ibis.Table) -> ibis.Table:
    """The rows with what their newest history by `cut` says of them; nothing is known of a deal whose history begins later."""
    own = [n for n in ("amount", "close_date", "owner_id") if n in history.columns and n in rows.columns]
    if not own:
        return rows
    past = history.select(_deal="opportunity_id", _changed="changed_at", **{f"_then_{n}": n for n in own})
    dated = rows.select("window", "cut", "opportunity_id").join(past, ibis._.opportunity_id == past._deal)
    then = ibis.struct({n: dated[f"_then_{n}"] for n in own}).argmax(dated._changed, where=dated._changed < dated.cut)
    state = dated.group_by(_window=dated.window, _deal=dated.opportunity_id).agg(_then=then)
    joined = rows.left_join(state, [rows.opportunity_id == state._deal, rows.window == state._window])
    return joined.mutate(**{n: ibis.ifelse(joined._deal.notnull(), joined._then[n], joined[n]) for n in own})
