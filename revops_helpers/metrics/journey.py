"""From lead to closed deal: the tables that process metrics count in. All lazy, one row per lead, deal or step of one."""

from __future__ import annotations

from datetime import date, timedelta

import ibis

from revops_helpers.methods.business_time import business_minutes
from revops_helpers.metrics.facts import DEAL_DATES, DEAL_IDS, NOT_A_DEAL, closed_on, deals, reporting, zero
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.as_of import cut_off
from revops_helpers.model.company import Company

COHORT_DAYS = 90
LEAD_COLUMNS = ("lead_id", "account_id", "source", "campaign_id", "owner_id", "created_at", "first_contact_at")


def leads_created(company: Company, windows: Windows) -> ibis.Table:
    """One row per lead created in a window."""
    return windows.assign(company.table("leads", LEAD_COLUMNS), "created_at")


def lead_outcomes(company: Company, windows: Windows) -> ibis.Table:
    """leads_created with what became of them: ripe (created COHORT_DAYS or more before the as-of date's end), converted (a deal
    was opened within COHORT_DAYS of the lead) and won (that deal has been won by now)."""
    rows = windows.assign(company.table("leads", (*LEAD_COLUMNS, "opportunity_id")), "created_at")
    sold = company.table("opportunities", ("opportunity_id", "status", "created_at", "closed_at"))
    opened = sold.created_at if "created_at" in sold.columns else ibis.null("timestamp")
    sold = sold.select(_deal=sold.opportunity_id, _opened=opened, _status=sold.status)
    joined = rows.left_join(sold, rows.opportunity_id == sold._deal)
    ripe = cut_off(company.as_of, company.settings) - timedelta(days=COHORT_DAYS)
    soon = joined._opened <= joined.created_at + ibis.interval(days=COHORT_DAYS)
    return joined.mutate(
        ripe=joined.created_at <= ibis.literal(ripe),
        converted=soon.fill_null(False),
        won=(joined._status == "won").fill_null(False),
    ).drop("_deal", "_opened", "_status")


def leads_and_deals(company: Company, windows: Windows) -> ibis.Table:
    """Leads created (`lead` 1) and new-business deals opened (`deal` 1) in a window; `origin` joins a lead to its own deals."""
    one = ibis.literal(1, type="int64")
    created = leads_created(company, windows)
    opened = deals_opened(company, windows)
    opened = opened.filter(opened.kind == "new")
    from_lead = opened.lead_id if "lead_id" in opened.columns else ibis.null("string")
    account = opened.account_id if "account_id" in opened.columns else ibis.null("string")
    own_account = created.account_id if "account_id" in created.columns else ibis.null("string")
    return ibis.union(
        created.select("window", "lead_id", account_id=own_account, origin=created.lead_id, lead=one, deal=zero()),
        opened.select(
            "window",
            lead_id=from_lead,
            account_id=account,
            origin=ibis.coalesce(from_lead, ibis.literal("deal ") + opened.opportunity_id),
            lead=zero(),
            deal=one,
        ),
    )


def first_contacts(company: Company, windows: Windows) -> ibis.Table:
    """leads_created with contacted, and minutes from creation to first contact, or to the as-of date's end where there is none.

    Leads whose first contact is stamped before their creation (imports) are left out: hygiene lists them.
    """
    rows = leads_created(company, windows)
    rows = rows.filter(rows.first_contact_at.isnull() | (rows.first_contact_at >= rows.created_at))
    until = rows.first_contact_at.fill_null(ibis.literal(cut_off(company.as_of, company.settings) - timedelta(minutes=1)))
    minutes = until.delta(rows.created_at, unit="minute")
    return rows.mutate(contacted=rows.first_contact_at.notnull(), until=until, minutes=minutes)


def first_contacts_at_work(company: Company, windows: Windows) -> ibis.Table:
    """first_contacts with the minutes counted in working hours only, and `late`: the service level is over, contacted or not."""
    settings = company.settings
    span = windows.span
    last = max(span.end, company.as_of)
    rows = first_contacts(company, windows)
    rows = business_minutes(rows, "created_at", "until", settings.working_hours, settings.zone, span.start, last)
    sla = settings.slas.first_contact_minutes
    return rows.mutate(
        on_time=rows.contacted & (rows.business_minutes <= sla), due=rows.contacted | (rows.business_minutes > sla)
    )


def deals_opened(company: Company, windows: Windows) -> ibis.Table:
    """One row per deal opened in a window; deals without an opening date are in none."""
    return windows.assign(deals(company), "created_at")


def opened_and_decided(company: Company, windows: Windows) -> ibis.Table:
    """Deals opened (`opened` 1) and deals won or lost (`decided` 1) in a window; a deal may come as both."""
    one = ibis.literal(1, type="int64")
    rows = deals(company)
    keys = [n for n in ("opportunity_id", "account_id", "lead_id", "owner_id", "motion", "product", "kind") if n in rows.columns]
    opened = windows.assign(rows, "created_at")
    decided = rows.filter(rows.status != "open")
    decided = windows.assign(decided.mutate(closed_on=closed_on(decided, windows)), "closed_on")
    return ibis.union(
        opened.select("window", *keys, opened=one, decided=zero()), decided.select("window", *keys, opened=zero(), decided=one)
    )


def deals_at_risk(company: Company, windows: Windows) -> ibis.Table:
    """One row per deal that was open on some day of the window: entry and age (days since its opening on the window's first day,
    and at its end or the window's), and ending (1 won, 2 lost, 0 still open at the window's end or the as-of date)."""
    rows = deals(company)
    opened = windows.day(rows.created_at)
    rows = rows.mutate(opened_on=opened, closed_on=closed_on(rows, windows))
    ends = [min(p.end, company.as_of) for p in windows.periods]
    rows = _spans(rows.filter(rows.opened_on.notnull()), windows, [p.start for p in windows.periods], ends)
    in_time = (rows.opened_on <= rows.last) & (rows.closed_on.isnull() | (rows.closed_on >= rows.first))
    rows = rows.filter(in_time, rows.closed_on.isnull() | (rows.closed_on >= rows.opened_on))
    closed = rows.closed_on <= rows["last"]
    end = ibis.ifelse(closed.fill_null(False), rows.closed_on, rows["last"])
    ending = ibis.ifelse(closed.fill_null(False), ibis.ifelse(rows.status == "won", 1, 2), 0)
    age = end.delta(rows.opened_on, unit="day")
    entry = ibis.greatest(rows["first"].delta(rows.opened_on, unit="day"), 0)
    return rows.mutate(age=age, entry=entry, ending=ending)


def _spans(rows: ibis.Table, windows: Windows, first: list[date], last: list[date]) -> ibis.Table:
    """The rows once for each window, with its first and last day."""
    if len(windows.periods) == 1:
        return rows.mutate(window=zero(), first=ibis.literal(first[0]), last=ibis.literal(last[0]))
    return rows.cross_join(windows.days(first=first, last=last))


def deals_as_they_stood(company: Company, windows: Windows) -> ibis.Table:
    """One row per deal and window, as it stood at the window's end: status, amount, close_date, closed_on and its references.

    The rules are those of model.as_of, for many days in one pass; without history amounts are the export's.
    """
    ends = [min(p.end, company.as_of) for p in windows.periods]
    if all(end == company.as_of for end in ends):
        rows = deals(company)
        rows = rows.mutate(closed_on=closed_on(rows, windows)).drop(*({"created_at", "closed_at"} & set(rows.columns)))
        return rows.cross_join(windows.days(end=ends)).drop("end")
    rows = company.table("opportunities", (*DEAL_IDS, *DEAL_DATES, "amount", "currency", "lost_reason"))
    spans = windows.moments(cut=[cut_off(end, company.settings) for end in ends]).join(windows.days(end=ends), "window")
    if "created_at" in rows.columns:
        rows = rows.cross_join(spans).filter((ibis._.created_at < ibis._.cut) | ibis._.created_at.isnull())
    else:
        rows = rows.cross_join(spans)
    over = rows.close_date <= rows.end
    if "closed_at" in rows.columns:
        over = ibis.ifelse(rows.closed_at.notnull(), rows.closed_at < rows.cut, over)
    closed = (rows.status != "open") & over.fill_null(False)
    rows = rows.mutate(
        reopened=(rows.status != "open") & ~closed, closed_on=ibis.ifelse(closed, closed_on(rows, windows), ibis.null())
    )
    if "lost_reason" in rows.columns:
        rows = rows.filter(rows.reopened | (rows.status != "lost") | ~rows.lost_reason.lower().isin(NOT_A_DEAL).fill_null(False))
    rows = rows.mutate(
        status=ibis.ifelse(rows.reopened, "open", rows.status),
        close_date=ibis.ifelse(rows.reopened, ibis.null(), rows.close_date),
    )
    if not company.missing(["opportunity_history"]):
        rows = _with_state(rows, company.table("opportunity_history"), spans)
    amount = {"amount": reporting(company, rows, "opportunities", "amount")} if "amount" in rows.columns else {}
    there = [n for n in (*DEAL_IDS, "close_date", "closed_on") if n in rows.columns]
    return rows.select("window", *there, **amount)


def _with_state(rows: ibis.Table, history: ibis.Table, spans: ibis.Table) -> ibis.Table:
    """The rows with what their newest history by the window's end says of them."""
    own = [n for n in ("amount", "close_date", "owner_id") if n in history.columns and n in rows.columns]
    dated = history.select("opportunity_id", "changed_at", *own).join(spans, ibis._.changed_at < spans.cut)
    newest = ibis.row_number().over(group_by=["window", "opportunity_id"], order_by=dated.changed_at.desc())
    state = dated.mutate(_rank=newest).filter(ibis._._rank == 0)
    state = state.select(_deal="opportunity_id", _window="window", **{f"_then_{n}": n for n in own})
    joined = rows.left_join(state, [rows.opportunity_id == state._deal, rows.window == state._window])
    return joined.mutate(**{n: ibis.ifelse(joined._deal.notnull(), joined[f"_then_{n}"], joined[n]) for n in own})
