"""The first contact of a lead from what was done, where no system says it in a field of the lead."""

from __future__ import annotations

from collections.abc import Mapping

import ibis

CONTACT = "first_contact_at"
OF_LEADS = ("lead_id", "created_at")
OF_ACTIVITIES = ("lead_id", "direction", "occurred_at", "automated")
INSTEAD = tuple(f"activities.{name}" for name in OF_ACTIVITIES[:3])


def told_by_activities(accepted: Mapping[str, ibis.Table]) -> bool:
    """Whether the columns are there that a first contact can be taken from."""
    leads, done = (accepted[name].columns if name in accepted else () for name in ("leads", "activities"))
    return {*OF_LEADS} <= {*leads} and {*OF_ACTIVITIES[:3]} <= {*done}


def with_first_contact(leads: ibis.Table, activities: ibis.Table) -> ibis.Table:
    """The leads with first_contact_at: their first outbound activity, not before their creation, that no machine sent.

    An activity of unknown direction is none; one that is not marked as a machine's is a person's.
    """
    by_people = ~activities.automated.fill_null(False) if "automated" in activities.columns else ibis.literal(True)
    calls = activities.filter(activities.direction == "outbound", by_people)
    calls = calls.select(_lead=calls.lead_id, _at=calls.occurred_at)
    met = leads.select(*OF_LEADS).inner_join(calls, ibis._.lead_id == calls._lead)
    first = met.filter(met._at >= met.created_at).group_by("_lead").agg(_first=ibis._["_at"].min())
    joined = leads.left_join(first, leads.lead_id == first._lead)
    return joined.select(*(name for name in leads.columns if name != CONTACT), **{CONTACT: joined._first})
