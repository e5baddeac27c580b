"""Waits of leads, whose wait it is, whether speed goes with deals, and changes of agreements, on hand-worked companies."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from revops_helpers.alignment.response import PARTS, delays, response
from revops_helpers.alignment.service_levels import changes
from revops_helpers.alignment.speed import speed
from revops_helpers.metrics.measure import measurements
from revops_helpers.model.company import Unavailable
from tests.support import company_of

# Tuesday 3 March 2026, 10:00 in São Paulo (UTC−3), within working hours 9–18.
TEN = datetime(2026, 3, 3, 13)


def at(minutes: float) -> datetime:
    return TEN + timedelta(minutes=minutes)


def lead(id, contact=None, deal=None, **more):
    row = {"lead_id": f"l{id}", "created_at": TEN, "first_contact_at": contact, "assigned_at": None, "opportunity_id": deal}
    return row | {"source": "web", "owner_id": "u", "score": 50.0, "account_id": None} | more


def deal(id, opened=None, **more):
    row = {"opportunity_id": id, "created_at": opened or at(3000), "status": "open", "closed_at": None, "kind": "new"}
    return row | {"account_id": None} | more


FOUR = [
    lead(1, at(30)),
    lead(2, at(24 * 60 + 60)),  # the next day at 11: 9 + 1 working hours later
    lead(3),  # never
    lead(4, at(-60)),  # stamped before it was created
]


def test_four_leads_one_of_them_imported():
    found = response(company_of(leads=FOUR))
    assert found.leads == 3
    clock, work = found.curves["elapsed"], found.curves["working"]
    assert clock.times.tolist() == [30, 1500] and clock.survival == pytest.approx([2 / 3, 1 / 3])
    assert work.times.tolist() == [30, 600] and work.survival == pytest.approx([2 / 3, 1 / 3])
    assert found.measured["never_contacted"].value == pytest.approx(1 / 3)
    assert found.measured["contacted_within_sla"].value == pytest.approx(1 / 3)


def test_whoever_is_never_contacted_counts_as_waiting():
    found = response(company_of(leads=[lead(i) for i in range(30)]))
    assert found.measured["never_contacted"].value == 1
    assert (found.curves["elapsed"].events, found.curves["elapsed"].n) == (0, 30)


def test_an_answer_in_the_same_minute_takes_a_minute():
    found = response(company_of(leads=[lead(i, TEN) for i in range(30)]))
    assert found.curves["working"].times.tolist() == [1]
    assert found.measured["contacted_within_sla"].value == 1 and found.measured["never_contacted"].value == 0


def test_no_lead_in_the_period_is_no_curve():
    found = response(company_of(leads=[lead(1, created_at=datetime(2025, 3, 3, 13))]))
    assert found.leads == 0 and found.cuts == {}


def test_a_segment_known_only_of_leads_that_became_deals_is_no_cut():
    leads = [lead(i, at(30), account_id="a" if i == 0 else None) for i in range(10)]
    found = response(company_of(leads=leads, accounts=[{"account_id": "a", "segment": "SMB"}]))
    assert set(found.cuts) == {"source", "owner"}


def test_a_contact_after_the_date_has_not_happened_on_it():
    later = [*FOUR, lead(5, datetime(2026, 8, 3, 13)), lead(6, created_at=datetime(2026, 8, 1, 13))]
    before, after = (response(company_of("2026-06-30", leads=rows)) for rows in ([*FOUR, lead(5)], later))
    assert after.curves["elapsed"].survival.tolist() == before.curves["elapsed"].survival.tolist()
    assert after.measured == before.measured


def test_the_wait_is_split_into_the_systems_part_and_peoples():
    leads = [lead(i, at(100), assigned_at=at(10)) for i in range(25)]
    leads += [lead(30, at(400)), lead(31, assigned_at=at(20)), lead(32, at(15), assigned_at=at(-5))]
    found = delays(company_of(leads=leads))
    assert (found.system.value, found.human.value) == (10, 90)
    assert (found.leads, found.assigned, found.contacted) == (27, 26, 25)  # assigned before its creation: in neither


def test_the_two_parts_of_the_wait_are_metrics_of_their_own():
    found = measurements(company_of(leads=[lead(i, at(100), assigned_at=at(10)) for i in range(25)]), PARTS)
    assert {name: (m.value, m.n, m.status) for name, m in found.items()} == {PARTS[0]: (10, 25, "ok"), PARTS[1]: (90, 25, "ok")}
    nobody = measurements(company_of(leads=[lead(i, at(100)) for i in range(25)]), PARTS)
    assert (nobody[PARTS[0]].status, nobody[PARTS[1]].status) == ("censored", "not_applicable")
    one = measurements(company_of(leads=[lead(1, at(100), assigned_at=at(10))]), PARTS)
    assert {m.status for m in one.values()} == {"insufficient"}
    none = measurements(company_of(leads=[]), PARTS)
    assert {(m.value, m.status) for m in none.values()} == {(None, "not_applicable")}


def test_what_is_lacking_is_named():
    plain = [{"lead_id": "l", "created_at": TEN}]
    for analysis, lacks in ((response, "leads.first_contact_at"), (delays, "leads.assigned_at"), (speed, "opportunities")):
        with pytest.raises(Unavailable, match=lacks):
            analysis(company_of(leads=plain))


# --- speed ---------------------------------------------------------------------------------------------------------------


def many(fast=(40, 20), slow=(80, 20), first=0, **more) -> tuple[list, list]:
    """(leads, deals): so many contacted after half an hour and after five, of whom so many became a deal a day later."""
    leads, deals = [], []
    for wait, (n, won) in ((30, fast), (300, slow)):
        for i in range(n):
            id = f"{first}-{wait}-{i}"
            leads.append(lead(id, at(wait), f"d{id}" if i < won else None, **more))
            deals += [deal(f"d{id}", at(wait + 1440))] if i < won else []
    return leads, deals


def company(leads, deals, **tables):
    return company_of(leads=leads, opportunities=deals, **tables)


def test_fast_and_slow_are_compared_from_the_call():
    found = speed(company(*many()))
    assert (found.minutes, found.calls.fast, found.calls.slow) == (60, 40, 80)
    assert found.calls.naive.odds_ratio.value == pytest.approx((20 / 20) / (20 / 60))
    assert found.calls.naive.difference.value == pytest.approx(0.25)
    assert found.calls.adjusted.odds_ratio.value == pytest.approx(3, rel=1e-3)


def test_hot_leads_called_first_are_held_constant():
    hot = many((90, 60), (30, 20), score=80.0, first=1)  # alike fast and slow: two thirds of the hot, one third of the cold
    cold = many((30, 10), (90, 30), score=20.0, first=2)
    found = speed(company(hot[0] + cold[0], hot[1] + cold[1]))
    assert found.calls.naive.odds_ratio.low > 1
    assert found.calls.adjusted.odds_ratio.value == pytest.approx(1, abs=0.01)
    assert "score" in found.adjusted_for


def test_the_score_that_counts_is_the_one_the_lead_came_in_with():
    """A score raised after the call follows from the call: the first one on record is held constant."""
    leads, deals = many((60, 30), (60, 15))
    raised = [row | {"score": 90.0 if row["opportunity_id"] else 10.0} for row in leads]
    history = [{"lead_id": row["lead_id"], "changed_at": TEN, "score": 50.0, "owner_id": "u"} for row in leads]
    history += [{"lead_id": r["lead_id"], "changed_at": at(9000), "score": r["score"], "owner_id": "u"} for r in raised]
    found = speed(company(raised, deals, lead_history=history))
    assert found.calls.adjusted.odds_ratio.value == pytest.approx(3, rel=1e-3)


def test_a_segment_that_only_deals_have_is_left_out_and_said():
    leads, deals = many()
    leads = [row | {"account_id": "a" if row["opportunity_id"] else None} for row in leads]
    found = speed(company(leads, deals, accounts=[{"account_id": "a", "segment": "SMB"}]))
    assert "segment" not in found.adjusted_for and found.left_out == {"segment": 0.0}


def test_time_before_the_call_is_nobodys_advantage():
    """Deals opened before the call are in no arm; deals opened after the days are no success; young calls do not count yet."""
    leads, deals = many()
    early = lead("early", at(300), "early")
    late = lead("late", at(30), "late")
    young = lead("young", datetime(2026, 9, 1, 13, 10), created_at=datetime(2026, 9, 1, 13))
    rows = [*deals, deal("early", at(100)), deal("late", TEN + timedelta(days=120))]
    found = speed(company([*leads, early, late, young], rows))
    assert (found.calls.fast, found.calls.slow) == (41, 80)
    assert found.calls.naive.exposed.value == pytest.approx(20 / 41)


def test_from_the_deadline_the_late_include_those_never_called():
    leads, deals = many()
    found = speed(company([*leads, *(lead(f"never{i}") for i in range(40))], deals))
    assert (found.deadline.fast, found.deadline.slow) == (40, 120)
    assert found.deadline.naive.unexposed.value == pytest.approx(20 / 120)
    assert found.calls.slow == 80


@pytest.mark.parametrize(
    "rows", [[], [lead(1)], [lead(1, at(5))], [lead(i) for i in range(60)], [lead(i, at(5)) for i in range(60)]]
)
def test_without_two_arms_there_is_nothing_to_compare(rows):
    found = speed(company(rows, []))
    assert found.calls.naive is None and found.calls.adjusted is None and found.calls.e_value is None


def test_leads_that_come_after_the_date_change_nothing_on_it():
    leads, deals = many()
    more = many(first=9, created_at=datetime(2026, 9, 15, 13))
    before, after = (speed(company_of("2026-08-31", leads=a, opportunities=b)) for a, b in
                     ((leads, deals), (leads + more[0], deals + more[1])))  # fmt: skip
    assert after == before


# --- changes of agreements -----------------------------------------------------------------------------------------------

CHANGE = {
    "initiative_id": "i1", "name": "New agreement", "kind": "process", "starts_on": "2026-06-01", "treated_dimension": "source",
    "treated_value": "web", "metric": "time_to_first_contact_at_work",
}  # fmt: skip


def around(before: int, after: int, source: str, n: int = 40) -> list[dict]:
    """n leads on a Tuesday in May and n on one in July, contacted after so many minutes, give or take a tenth."""
    rows = []
    for day, wait in ((datetime(2026, 5, 5, 13), before), (datetime(2026, 7, 7, 13), after)):
        stamps = [day + timedelta(minutes=wait * (0.9 + 0.2 * i / n)) for i in range(n)]
        rows += [lead(f"{source}{day:%m}{i}", at_, source=source, created_at=day) for i, at_ in enumerate(stamps)]
    return rows


def test_a_wait_that_was_halved_beyond_the_others():
    found = changes(company_of(leads=around(200, 100, "web") + around(200, 200, "event"), initiatives=[CHANGE]))
    wait, share = found
    assert (wait.metric, share.metric) == ("time_to_first_contact_at_work", "contacted_within_sla")
    assert wait.effect.value == pytest.approx(0.5, abs=0.02) and wait.others.value == pytest.approx(1)
    assert wait.beyond.value == pytest.approx(0.5, abs=0.02) and wait.beyond.high < 1
    assert wait.days == 122  # June to September, and as many days before


def test_what_moved_for_everybody_is_not_the_change():
    wait = changes(company_of(leads=around(200, 100, "web") + around(200, 100, "event"), initiatives=[CHANGE]))[0]
    assert wait.effect.high < 1 and wait.beyond.low < 1 < wait.beyond.high


def test_a_change_of_last_week_or_without_leads_is_not_judged():
    early = changes(company_of("2026-06-10", leads=around(200, 100, "web"), initiatives=[CHANGE]))[0]
    assert early.beyond.value is None and "28 days" in early.beyond.reason
    assert all(x.beyond.value is None for x in changes(company_of(leads=[], initiatives=[CHANGE])))


def test_changes_about_anything_else_are_left_to_others():
    assert changes(company_of(leads=[], initiatives=[CHANGE | {"metric": "win_rate"}])) == []
    with pytest.raises(Unavailable, match="initiatives"):
        changes(company_of(leads=[]))
