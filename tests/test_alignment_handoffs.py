"""Handoffs, who leaves after them, and credit by channel, on hand-worked companies."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from revops_helpers.alignment.closed_loop import closed_loop
from revops_helpers.alignment.handoffs import first_value, leaving
from revops_helpers.metrics.measure import measurements
from revops_helpers.model.company import Unavailable
from revops_helpers.periods import Period
from revops_helpers.words.checks import credit_adds_up
from tests.support import company_of

METRICS = ("handoff_completion", "handoff_on_time", "handoff_completeness", "time_to_first_value")
WON = "2026-03-02 15:00"  # a Monday, noon in São Paulo


def deal(i, **more):
    row = {
        "opportunity_id": f"d{i}",
        "account_id": f"a{i}",
        "kind": "new",
        "status": "won",
        "closed_at": WON,
        "close_date": WON[:10],
    }
    return row | {"lead_id": None, "created_at": "2026-02-01", "amount": 100_000, "currency": "BRL", "owner_id": "u"} | more


def handoff(i, done=4, accepted="2026-03-03 15:00", **more):
    row = {"onboarding_id": f"o{i}", "opportunity_id": f"d{i}", "account_id": f"a{i}", "handed_off_at": "2026-03-02 16:00"}
    return row | {"accepted_at": accepted, "items_required": 4, "items_done": done, "first_value_at": "2026-04-01 15:00"} | more


def line(i, starts="2025-01-01", ends=None, **more):
    row = {"subscription_id": f"s{i}", "account_id": f"a{i}", "mrr": 10_000, "currency": "BRL", "starts_on": starts}
    return row | {"ends_on": ends} | more


# Done and in time; incomplete; accepted after five working days; never handed off; and one won yesterday, not due yet.
FIVE = [deal(i) for i in range(4)] + [deal(4, closed_at="2026-09-29 15:00", close_date="2026-09-29")]
HANDED = [handoff(0), handoff(1, done=3), handoff(2, accepted="2026-03-09 15:01"), handoff(4, accepted=None, first_value_at=None)]


def test_handoffs_are_counted_when_their_days_are_over():
    found = measurements(company_of(opportunities=FIVE, onboardings=HANDED), METRICS)
    assert (found["handoff_completion"].value, found["handoff_completion"].n) == (1 / 4, 4)
    assert found["handoff_on_time"].value == 2 / 4  # five working days end on the next Monday at noon, a minute too early
    assert found["handoff_completeness"].value == pytest.approx(15 / 16)


def test_a_deal_counts_when_its_days_are_over_and_not_before_however_quick_its_handoff():
    quick = [handoff(i, accepted=f"2026-09-{day} 18:00") for i, day in ((0, 23), (1, 24))]
    deals = [deal(i, closed_at=f"2026-09-{day} 15:00", close_date=f"2026-09-{day}") for i, day in ((0, 23), (1, 24), (2, 23))]
    found = measurements(company_of(opportunities=deals, onboardings=quick), METRICS)
    assert [found[name].n for name in METRICS] == [2, 2, 2, 3]  # five working days from the 24th end on 1 October
    assert (found["handoff_completion"].value, found["handoff_completeness"].value) == (1 / 2, 1)


@pytest.mark.parametrize("tables", [FIVE, FIVE[4:], FIVE[:1], []], ids=["several", "only a young one", "one old enough", "none"])
def test_a_period_with_deals_too_young_is_censored_with_the_day_on_which_all_is_known(tables):
    company = company_of(opportunities=tables, onboardings=HANDED)
    for name in METRICS[:3]:
        found = measurements(company, [name])[name]
        assert (found.status, found.reason) == ("censored", "complete on 2026-10-07")
        assert (found.value is None) == (not tables or (tables == FIVE[4:] and name != "handoff_completeness"))


def test_the_day_on_which_handoffs_are_known_keeps_the_agreement_and_its_holidays():
    before = Period(date(2026, 8, 1), date(2026, 9, 4))  # the 7th is a holiday
    by_day = {day: measurements(company_of(day, opportunities=FIVE, onboardings=HANDED), METRICS, before) for day in
              ("2026-09-13", "2026-09-14")}  # fmt: skip
    assert by_day["2026-09-13"]["handoff_on_time"].reason == "complete on 2026-09-14"
    assert by_day["2026-09-14"]["handoff_on_time"].status == "not_applicable"  # none was won in it
    longer = company_of(opportunities=FIVE, onboardings=HANDED, settings={"slas": {"handoff_days": 8}})
    assert measurements(longer, METRICS)["handoff_completion"].reason == "complete on 2026-10-13"  # the 12th is one too


def test_the_agreement_says_what_share_of_items_is_enough():
    agreed = {"slas": {"handoff_complete": 0.75}}
    found = measurements(company_of(opportunities=FIVE, onboardings=HANDED, settings=agreed), METRICS)
    assert found["handoff_completion"].value == 2 / 4


def test_customers_without_value_yet_count_as_waiting():
    deals, handed = [deal(i) for i in range(40)], [handoff(i, first_value_at=None) for i in range(15)]
    handed += [handoff(i) for i in range(15, 40)]
    found = measurements(company_of(opportunities=deals, onboardings=handed), METRICS)["time_to_first_value"]
    assert (found.value, found.n) == (30, 40)
    none = [handoff(i, first_value_at=None) for i in range(40)]
    waiting = measurements(company_of(opportunities=deals, onboardings=none), METRICS)["time_to_first_value"]
    assert waiting.status == "censored" and waiting.value == 212  # to 30 September


def test_value_comes_apart_by_complete_and_incomplete():
    handed = [
        handoff(i, done=4 if i % 2 else 1, first_value_at="2026-03-22 15:00" if i % 2 else "2026-04-11 15:00") for i in range(8)
    ]
    found = first_value(company_of(opportunities=[deal(i) for i in range(8)], onboardings=handed))
    assert {arm: (curve.n, curve.median) for arm, curve in found.curves.items()} == {"complete": (4, 20), "incomplete": (4, 40)}


def customers(n=60, complete_leave=6, incomplete_leave=18, **settings):
    """n customers with a complete handoff and n with an incomplete one, of whom so many left, one a day from the 101st day on."""
    deals, handed, lines = [], [], []
    for i in range(2 * n):
        left = (i - (i >= n) * n) < (complete_leave if i < n else incomplete_leave)
        ends = (date(2025, 1, 1) + timedelta(days=100 + i % n)).isoformat() if left else None
        deals.append(deal(i, closed_at="2024-12-20", close_date="2024-12-20"))
        handed.append(handoff(i, done=4 if i < n else 1, handed_off_at="2024-12-21"))
        lines.append(line(i, ends=ends))
    return {"opportunities": deals, "onboardings": handed, "subscriptions": lines, "settings": settings}


def test_who_left_is_counted_by_arm_with_the_years_watched():
    found = leaving(company_of(**customers()))
    complete, incomplete = found.arms.itertuples(index=False)
    assert (complete.customers, complete.left, incomplete.customers, incomplete.left) == (60, 6, 60, 18)
    stayed = (date(2026, 9, 30) - date(2025, 1, 1)).days
    assert complete.years == pytest.approx((54 * stayed + sum(range(100, 106))) / 365.25)
    assert complete.rate == pytest.approx(6 / complete.years)
    assert (incomplete.live, incomplete.arr) == (42, 42 * 12 * 10_000)
    assert found.ratio.value == pytest.approx(18 / 6, rel=0.15) and found.ratio.low > 1
    by_hand = incomplete.arr * incomplete.rate * (1 - 1 / found.ratio.value)
    assert found.avoidable.value == round(by_hand) and found.avoidable.low < by_hand < found.avoidable.high
    assert found.by_items.missing.tolist() == [0, 3]


def test_a_customer_counts_from_its_handoff_where_that_came_later_and_from_when_records_begin():
    late = customers()
    late["onboardings"] = [row | {"handed_off_at": "2025-04-11"} for row in late["onboardings"]]  # the 100th day
    arms = leaving(company_of(**late)).arms
    assert arms["left"].sum() == 24 - 2  # one in each arm left on that day, before it was watched
    begun = customers(records_start={"subscriptions": "2026-01-01"})
    assert leaving(company_of(**begun)).arms["left"].sum() == 0


def test_too_few_departures_give_no_ratio():
    for few in (customers(complete_leave=0, incomplete_leave=0), customers(complete_leave=0), customers(6, 3, 3)):
        found = leaving(company_of(**few))
        assert found.ratio is None and found.avoidable.value is None


def test_a_departure_after_the_date_has_not_happened_on_it():
    before, after = customers(), customers()
    before["subscriptions"] = [row | {"ends_on": None} for row in before["subscriptions"]]
    on = date(2025, 3, 31)
    assert leaving(company_of(on, **after)).arms.equals(leaving(company_of(on, **before)).arms)


def test_what_lacks_is_named():
    with pytest.raises(Unavailable, match="onboardings"):
        leaving(company_of(opportunities=[deal(1)]))
    with pytest.raises(Unavailable, match="subscriptions"):
        leaving(company_of(opportunities=[deal(1)], onboardings=[handoff(1)]))
    with pytest.raises(Unavailable, match="touches"):
        closed_loop(company_of(opportunities=[deal(1)]))


# --- credit --------------------------------------------------------------------------------------------------------------


def touches(i, *channels):
    stamps = [f"2026-02-{10 + k} 12:00" for k in range(len(channels))]
    return [{"touch_id": f"{i}-{k}", "account_id": f"a{i}", "lead_id": None, "channel": c, "occurred_at": at}
            for k, (c, at) in enumerate(zip(channels, stamps, strict=True))]  # fmt: skip


def test_each_way_of_giving_credit_adds_up_and_what_is_unknown_is_a_channel():
    rows = touches(0, "event", "mail") + touches(1, "mail", None, "mail", "mail")
    found = closed_loop(company_of(opportunities=[deal(0), deal(1), deal(2)], touches=rows))
    by = found.channels.set_index("channel")
    assert by["first"].to_dict() == {"mail": 1, "event": 1, "(not recorded)": 1}
    assert by["last"].to_dict() == {"mail": 2, "event": 0, "(not recorded)": 1}
    assert by["linear"].to_dict() == pytest.approx({"mail": 1.25, "event": 0.5, "(not recorded)": 1.25})
    assert (found.won, found.traced, found.arr) == (3, 2, 300_000)
    assert by.arr_last.astype(int).to_dict() == {"mail": 200_000, "event": 0, "(not recorded)": 100_000}
    assert credit_adds_up(found) and found.moving.empty  # too few deals to be ranked


def test_a_channel_whose_place_depends_on_the_model_is_named():
    rows = [t for i in range(30) for t in touches(i, "a", "b", "c", "d")] + [
        t for i in range(30, 40) for t in touches(i, "b", "c")
    ]
    rows += [t for i in range(40, 45) for t in touches(i, "c", "b")]
    found = closed_loop(company_of(opportunities=[deal(i) for i in range(45)], touches=rows))
    assert found.moving.channel.tolist() == ["a", "d", "b", "c"]
    assert found.moving[["best", "worst"]].to_numpy().tolist() == [[1, 4], [1, 4], [1, 3], [1, 3]]


def test_no_deal_won_is_no_credit():
    found = closed_loop(company_of(opportunities=[], touches=touches(0, "mail")))
    assert found.won == 0 and found.channels.empty and found.moving.empty and credit_adds_up(found)
