"""From the won deal to the customer's first value: the tables that handoff metrics count in. All lazy, one row per won deal."""

from __future__ import annotations

from datetime import date, timedelta

import ibis

from revops_helpers.methods.business_time import business_minutes, opening, working_days_after, working_days_before
from revops_helpers.metrics.facts import closed_deals, since_records
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.as_of import cut_off
from revops_helpers.model.company import Company
from revops_helpers.settings import Settings

STEPS = ("opportunity_id", "handed_off_at", "accepted_at", "items_required", "items_done", "first_value_at")


def agreed_days_over(settings: Settings, end: date) -> date:
    """The day on which the agreed days of the newest deal of a window are over."""
    return working_days_after(settings.working_hours, end, settings.slas.handoff_days)


def first_handoffs(company: Company) -> ibis.Table:
    """One row per deal with its first handoff: the columns of STEPS that the company has, and complete (items_done reach the
    agreed share of items_required; empty where no item is required)."""
    rows = company.table("onboardings", (*STEPS, "onboarding_id"))
    rows = rows.filter(rows.opportunity_id.notnull())
    order = ibis.window(group_by="opportunity_id", order_by=["handed_off_at", "onboarding_id"])
    rows = rows.mutate(_place=ibis.row_number().over(order))
    rows = rows.filter(rows._place == 0).drop("_place", "onboarding_id")
    if {"items_required", "items_done"} <= set(rows.columns):
        share = company.settings.slas.handoff_complete
        enough = rows.items_done.fill_null(0) >= rows.items_required * share - 1e-9
        rows = rows.mutate(complete=ibis.ifelse(rows.items_required > 0, enough, ibis.null()))
    return rows


def won_and_handed_off(company: Company, windows: Windows) -> ibis.Table:
    """One row per new-business deal won in a window with its first handoff (empty where there is none), and

    minutes: working minutes from the win to the acceptance, or to the as-of date's end where there is none.
    ripe: the agreed days are over, whether it was accepted or not, so that the quick ones do not count before the others.
    on_time: accepted within them. done: on_time and complete, as far as told.
    days: from the win to the first value, or to the as-of date; valued: there was one.
    """
    deals = since_records(company, windows, closed_deals(company, windows), "closed_on", "onboardings")
    deals = deals.filter((deals.status == "won") & (deals.kind == "new"))
    handed = first_handoffs(company).rename(_deal="opportunity_id")
    rows = deals.left_join(handed, deals.opportunity_id == handed._deal)
    absent = {name: ibis.null("timestamp") for name in ("accepted_at", "first_value_at") if name not in rows.columns}
    rows = rows.mutate(**absent, won_at=_won_at(rows))
    cut = ibis.literal(cut_off(company.as_of, company.settings) - timedelta(minutes=1))
    rows = rows.filter(rows.won_at <= cut).mutate(until=rows.accepted_at.fill_null(cut))
    settings, hours = company.settings, company.settings.working_hours
    first = windows.span.start - timedelta(days=1)
    rows = business_minutes(rows, "won_at", "until", hours, settings.zone, first, company.as_of)
    begins, ends = opening(hours)
    limit = settings.slas.handoff_days * (ends - begins)
    accepted = rows.accepted_at.notnull()
    on_time = accepted & (rows.business_minutes <= limit)
    complete = rows.complete.fill_null(False) if "complete" in rows.columns else ibis.literal(True)
    valued = rows.first_value_at.notnull() & (rows.first_value_at >= rows.won_at)
    later = ibis.ifelse(valued, rows.first_value_at, cut)
    return rows.mutate(
        minutes=rows.business_minutes,
        ripe=rows.closed_on <= ibis.literal(working_days_before(hours, company.as_of, settings.slas.handoff_days)),
        on_time=on_time,
        done=on_time & complete,
        days=ibis.greatest((later.epoch_seconds() - rows.won_at.epoch_seconds()) // 86_400, 0),
        valued=valued,
    )


def _won_at(rows: ibis.Table) -> ibis.TimestampValue:
    """When a deal was won: to the minute where the company keeps it, else the day's beginning."""
    return ibis.coalesce(*(rows[name].cast("timestamp") for name in ("closed_at", "close_date") if name in rows.columns))
