"""The first contact of a lead from activities: outbound, by a person, not before its creation; a field of the lead goes first."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from revops_helpers.metrics.measure import measurements
from revops_helpers.model.company import Unavailable
from revops_helpers.words.phase import needs
from tests.support import company_of

MADE = "2026-03-02 12:00"
IDS = ("time_to_first_contact", "never_contacted", "contacted_within_sla")


def leads(n, **more):
    return [{"lead_id": f"l{i}", "created_at": MADE} | more for i in range(n)]


def call(at, lead="l0", direction="outbound", automated=False, id=""):
    row = {"activity_id": f"{id or at}-{lead}", "lead_id": lead, "kind": "call", "occurred_at": f"2026-{at}"}
    return row | {"direction": direction, "automated": automated}


def contact(*activities, as_of="2026-09-30", **more):
    found = company_of(as_of, leads=leads(1, **more), activities=[*activities]).table("leads").to_pandas()
    when = found.first_contact_at.iloc[0]
    return None if when != when or when is None else when.to_pydatetime()


def test_the_first_outbound_activity_of_a_person_is_the_first_contact():
    assert contact(call("03-02 15:00"), call("03-02 12:30"), call("03-05 12:00")) == datetime(2026, 3, 2, 12, 30)
    assert contact(call("03-02 12:00")) == datetime(2026, 3, 2, 12, 0)  # in the moment of its creation


@pytest.mark.parametrize(
    "other",
    [
        call("03-02 12:10", direction="inbound"),
        call("03-02 12:10", direction="internal"),
        call("03-02 12:10", direction=None),
        call("03-02 12:10", automated=True),
        call("03-02 11:59"),
        call("03-02 12:10", lead="l9"),
        call("03-02 12:10", lead=None),
    ],
    ids=["inbound", "internal", "unknown direction", "automated", "before creation", "another lead", "no lead"],
)
def test_nothing_else_is_a_contact(other):
    assert contact(other) is None
    assert contact(other, call("03-02 13:00", id="later")) == datetime(2026, 3, 2, 13)


def test_what_is_not_marked_as_sent_by_a_machine_is_a_persons():
    unmarked = {key: value for key, value in call("03-02 12:30").items() if key != "automated"}
    assert contact(unmarked) == contact(call("03-02 12:30", automated=None)) == datetime(2026, 3, 2, 12, 30)


def test_a_contact_of_later_has_not_happened_and_an_earlier_one_stays():
    first, second = call("03-10 12:00"), call("04-20 12:00")
    days = {day: contact(first, second, as_of=f"2026-{day}") for day in ("03-09", "03-10", "04-19", "04-20", "09-30")}
    assert days.pop("03-09") is None
    assert set(days.values()) == {datetime(2026, 3, 10, 12)}


def test_a_field_of_the_leads_goes_first_and_an_empty_one_tells_nothing():
    filled = company_of(
        leads=[*leads(1, first_contact_at="2026-03-03 12:00"), {"lead_id": "l1", "created_at": MADE}],
        activities=[call("03-02 12:30"), call("03-02 12:30", lead="l1")],
    )
    at = filled.table("leads").to_pandas().set_index("lead_id").first_contact_at
    assert at["l0"] == datetime(2026, 3, 3, 12) and at.isna()["l1"]
    assert contact(call("03-02 12:30"), first_contact_at=None) == datetime(2026, 3, 2, 12, 30)
    # On the day before its only value comes, the field is as empty as one that nobody fills.
    assert contact(call("03-02 12:30"), as_of="2026-03-02", first_contact_at="2026-03-03 12:00") == datetime(2026, 3, 2, 12, 30)


def test_the_columns_asked_for_come_and_no_others():
    company = company_of(leads=leads(1), activities=[call("03-02 12:30")])
    assert company.table("leads", ("first_contact_at",)).columns == ("first_contact_at",)
    assert company.table("leads", ("lead_id", "created_at")).columns == ("lead_id", "created_at")
    assert set(company.table("leads").columns) == {"lead_id", "created_at", "first_contact_at"}


def test_speed_to_lead_is_measured_from_calls_alone():
    """25 of 30 leads were called after half an hour of working time, 9 to 18 o'clock in São Paulo, and five never."""
    company = company_of(leads=leads(30), activities=[call("03-02 12:30", lead=f"l{i}") for i in range(25)])
    found = measurements(company, IDS)
    assert [found[id].value for id in IDS] == [30, 5 / 30, 25 / 30]
    assert {m.n for m in found.values()} == {30}
    early = measurements(company.on(date(2026, 3, 1)), IDS[:1])
    assert early[IDS[0]].n == 0


def test_no_activities_leave_every_lead_waiting_and_no_leads_nothing():
    assert measurements(company_of(leads=leads(30), activities=[]), IDS)["never_contacted"].value == 1
    assert {m.status for m in measurements(company_of(leads=[], activities=[call("03-02 12:30")]), IDS).values()} == {
        "not_applicable"
    }


def test_what_is_needed_names_both_ways():
    for tables in ({}, {"activities": [{"activity_id": "a", "lead_id": "l0", "occurred_at": "2026-03-02 12:30"}]}):
        company = company_of(leads=leads(1), **tables)
        assert company.missing(["leads.first_contact_at"]) == ("leads.first_contact_at",)
        with pytest.raises(Unavailable) as lacking:
            company.require(["leads.created_at", "leads.first_contact_at"])
        assert needs(lacking.value) == "leads.first_contact_at (or activities with lead_id and direction)"
    assert not company_of(leads=leads(1), activities=[call("03-02 12:30")]).missing(["leads.first_contact_at"])
