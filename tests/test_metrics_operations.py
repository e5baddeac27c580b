"""Tools, work and what customers say: hand-worked tables of each measure."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from revops_helpers.metrics.measure import measure, measurement
from tests.support import company_of

AUGUST = "2026-08-10 12:00"


def value(company, metric):
    return measurement(company, metric).value


def item(n, promised, done=None, due=None, began=None):
    dates = {"original_due_on": promised, "due_on": due or promised, "done_at": done, "started_at": began}
    return {"item_id": f"i{n}", "created_at": "2026-01-05 12:00", **dates}


def test_work_is_on_time_by_its_first_date_only():
    made = company_of(
        work_items=[
            item(1, "2026-08-10", AUGUST),
            item(2, "2026-08-01", AUGUST, due="2026-08-20"),  # late by the first date, on time by the second
            item(3, "2026-08-20"),  # open and overdue
            item(4, "2026-12-20"),  # not due yet
        ]
    )
    assert value(made, "on_time_rate") == 1 / 3
    assert value(made, "redated_share") == 1 / 3


def test_nothing_promised_has_no_rate_and_all_late_is_zero():
    assert value(company_of(work_items=[item(1, "2026-12-20")]), "on_time_rate") is None
    late = company_of(work_items=[item(n, "2026-03-01", AUGUST) for n in range(30)])
    found = measurement(late, "on_time_rate")
    assert found.value == 0 and found.high > 0.1


def test_open_work_lengthens_the_cycle_instead_of_being_dropped():
    done = [item(n, "2026-12-20", done="2026-08-12 12:00", began=AUGUST) for n in range(20)]
    still = [item(n, "2026-12-20", began=AUGUST) for n in range(20, 60)]
    assert value(company_of(work_items=done), "work_cycle_days") == 2
    assert measurement(company_of(work_items=done + still), "work_cycle_days").status == "censored"


def test_work_done_before_it_began_is_no_time_below_zero():
    early = [item(n, "2026-12-20", done="2026-08-05 12:00", began=AUGUST) for n in range(30)]
    assert measurement(company_of(work_items=early), "work_cycle_days").status == "not_applicable"
    late = [item(30 + n, "2026-12-20", done="2026-08-12 12:00", began=AUGUST) for n in range(20)]
    found = measurement(company_of(work_items=early + late), "work_cycle_days")
    assert (found.value, found.n) == (2, 20)


def took(*days, still=()):
    """Items done after so many days, and items begun so many days before the date's end that are still open."""
    done = [item(n, "2026-12-20", f"{date(2026, 8, 10) + timedelta(days=d)} 12:00", began=AUGUST) for n, d in enumerate(days)]
    ends = date(2026, 10, 1)
    waits = [item(100 + n, "2026-12-20", began=f"{ends - timedelta(days=d)} 03:00") for n, d in enumerate(still)]
    return company_of(work_items=done + waits)


def test_the_time_that_holds_for_85_of_100_items_stands_beside_the_median():
    found = measurement(took(*range(1, 41)), "work_cycle_days_p85")
    assert (found.value, found.n, found.status) == (34, 40, "ok") and found.low < 34 < found.high
    flat = measurement(took(*[3] * 30), "work_cycle_days_p85")
    assert (flat.value, value(took(*[3] * 30), "work_cycle_days")) == (3, 3)
    one = measurement(took(5), "work_cycle_days_p85")
    assert (one.value, one.status) == (5, "insufficient")
    assert measurement(took(), "work_cycle_days_p85").status == "not_applicable"


def test_where_fewer_than_85_of_100_are_done_the_time_watched_is_a_lower_bound_and_said_to_be_one():
    found = measurement(took(*[2] * 24, still=[20] * 6), "work_cycle_days_p85")
    assert (found.value, found.status, found.high) == (20, "censored", None)
    assert found.reason == "fewer than 85% have got there; the value is a lower bound"
    assert value(took(*[2] * 24, still=[20] * 6), "work_cycle_days") == 2
    none = measurement(took(still=[9] * 30), "work_cycle_days_p85")
    assert (none.value, none.status) == (9, "censored")


def tool(n, paid, active, cost=1200):
    return {"tool_id": f"t{n}", "name": f"T{n}", "seats_paid": paid, "seats_active": active, "annual_cost": cost * 100}


def test_seats_in_use_are_those_seen_in_the_month_before_else_those_listed():
    seen = [{"tool_id": "t1", "user_id": f"u{n}", "last_active_on": day} for n, day in enumerate(("2026-09-20", "2026-03-01"))]
    made = company_of(tools=[tool(1, 10, 9), tool(2, 10, 5), tool(3, 0, 0)], tool_users=seen)
    assert value(made, "tool_utilisation") == (1 + 5) / 20
    assert value(made, "cost_per_active_seat") == 240_000 / 6
    assert value(made, "unused_tool_cost") == pytest.approx((0.9 + 0.5) / 2)


def test_a_tool_list_tells_nothing_of_earlier_months():
    rows = measure(company_of(tools=[tool(1, 10, 5)]), "tool_utilisation", every="month")
    assert rows.value.notna().sum() == 1 and rows.value.iloc[-1] == 0.5


def test_nobody_on_any_tool_has_no_cost_a_seat():
    found = measurement(company_of(tools=[tool(1, 10, 0)]), "cost_per_active_seat")
    assert found.value is None and found.status == "not_applicable"


def run(n, minutes, succeeded=True):
    end = None if minutes is None else f"2026-09-01 10:{minutes:02d}"
    return {
        "integration_id": "x",
        "started_at": "2026-09-01 10:00",
        "finished_at": end,
        "succeeded": succeeded if end else None,
    } | {"integration_id": f"x{n}"}


def test_runs_under_way_do_not_count_as_failed():
    made = company_of(integration_runs=[run(1, 4), run(2, 6), run(3, 8, succeeded=False), run(4, None)])
    assert value(made, "integration_success") == 2 / 3
    assert value(made, "integration_latency") == 6


SUBS = [
    {"subscription_id": f"s{a}", "account_id": a, "mrr": mrr, "starts_on": "2025-01-01", "ends_on": None}
    for a, mrr in (("a", 300_000), ("b", 100_000), ("c", 600_000))
]


def score(account, day, nps=None, band=None):
    return {"account_id": account, "scored_on": day, "nps": nps, "band": band}


def test_the_newest_answer_of_an_account_counts_once():
    made = company_of(
        health_scores=[
            score("a", "2026-02-01", 3), score("a", "2026-08-01", 10),
            score("b", "2026-08-01", 7), score("c", "2026-08-01", 6), score("d", "2025-08-01", 0),
        ]
    )  # fmt: skip
    assert value(made, "nps") == pytest.approx((1 + 0 - 1) / 3)


def test_health_weighs_customers_by_what_they_pay_and_leaves_out_those_without_a_score():
    made = company_of(
        subscriptions=SUBS,
        health_scores=[
            score("a", "2026-02-01", band="red"),
            score("a", "2026-08-01", band="green"),
            score("b", "2026-08-01", band="red"),
        ],
    )
    assert value(made, "healthy_arr") == 0.75


def test_tickets_are_counted_per_customer_and_open_ones_stay():
    tickets = [
        {"ticket_id": f"k{n}", "account_id": "a", "opened_at": AUGUST, "closed_at": closed, "csat": csat}
        for n, (closed, csat) in enumerate((("2026-08-10 18:00", 5.0), ("2026-08-10 22:00", 2.0), (None, None)))
    ]
    made = company_of(subscriptions=SUBS, tickets=tickets)
    assert value(made, "tickets_per_customer") == 1
    assert value(made, "ticket_hours") == 10
    assert value(made, "csat") == 3.5
