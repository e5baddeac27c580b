"""Whose part of the wait for a first contact is the system's, until a person has the lead, and whose is that person's."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import ibis

from revops_helpers.methods.business_time import business_minutes
from revops_helpers.metrics.dimensions import LEAD
from revops_helpers.metrics.journey import FROM_ACTIVITIES, first_contacts
from revops_helpers.metrics.metric import Metric
from revops_helpers.metrics.process import CREATED
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.as_of import cut_off
from revops_helpers.model.company import Company


def assignments(company: Company, windows: Windows) -> ibis.Table:
    """first_contacts with assigned_at, `given` (to a person), and minutes from creation until then, or to the as-of date's end
    where nobody has the lead. Leads given before their creation (imports) are left out."""
    rows = first_contacts(company, windows).drop("minutes", "until")
    own = company.table("leads", ("lead_id", "assigned_at")).rename(_lead="lead_id")
    rows = rows.left_join(own, rows.lead_id == own["_lead"]).drop("_lead")
    rows = rows.filter(rows.assigned_at.isnull() | (rows.assigned_at >= rows.created_at))
    until = rows.assigned_at.fill_null(_end(company))
    return rows.mutate(given=rows.assigned_at.notnull(), minutes=until.delta(rows.created_at, unit="minute"))


def contacts_once_given(company: Company, windows: Windows) -> ibis.Table:
    """assignments of the leads given to a person, with business_minutes from then to the first contact, or to the as-of date's
    end where there is none. Leads contacted before they were given are left out: nobody waited."""
    settings = company.settings
    rows = assignments(company, windows)
    rows = rows.filter(rows.given, rows.first_contact_at.isnull() | (rows.first_contact_at >= rows.assigned_at))
    rows = rows.mutate(until=rows.first_contact_at.fill_null(_end(company)))
    last = max(windows.span.end, company.as_of)
    return business_minutes(rows, "assigned_at", "until", settings.working_hours, settings.zone, windows.span.start, last)


def _end(company: Company) -> ibis.TimestampScalar:
    return ibis.literal(cut_off(company.as_of, company.settings) - timedelta(minutes=1))


_wait = partial(
    Metric,
    family="process",
    unit="minutes",
    direction="lower",
    source="CRM and marketing automation: leads",
    needs=("leads.created_at", "leads.assigned_at", "leads.first_contact_at"),
    dimensions=LEAD,
    of_leads=True,
    timing=CREATED,
    estimator="median",
)

METRICS = (
    _wait(
        id="time_to_assignment",
        label="Wait for a person, the system's part",
        grain="lead created in the period",
        owner="Head of RevOps",
        definition="Minutes until half of the leads created in the period were given to a person.",
        formula="Kaplan-Meier median of assigned_at − created_at, elapsed",
        edge_cases="Leads that nobody has are censored, not dropped. Leads given before their creation are left out.",
        facts=assignments,
        num=lambda t: t.minutes,
        den=lambda t: t.given,
    ),
    _wait(
        id="assignment_to_contact",
        label="Wait for the contact, people's part",
        grain="lead created in the period and given to a person",
        owner="Head of Sales",
        definition="Working minutes from being given to a person until half of those leads had a first human outbound contact.",
        formula="Kaplan-Meier median of the working minutes from assigned_at to first_contact_at",
        edge_cases="Nights, weekends and holidays of the agreement stand still. Leads not contacted are censored, not dropped; "
        "those contacted before they were given are left out." + FROM_ACTIVITIES,
        facts=contacts_once_given,
        num=lambda t: t.business_minutes,
        den=lambda t: t.contacted,
    ),
)
