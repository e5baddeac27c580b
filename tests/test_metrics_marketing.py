"""What marketing spends, on one quarter each: hand-worked costs, budgets and returns, and what has no number."""

from __future__ import annotations

from datetime import date

import pytest

from revops_helpers.metrics.measure import measure, measurement
from revops_helpers.periods import Period
from tests.support import company_of

Q3 = Period(date(2026, 7, 1), date(2026, 9, 30))
SOURCES = (("ads", 25), ("event", 5), ("website", 10))


def value(company, metric, period=Q3):
    return measurement(company, metric, period).value


def by(company, metric, dimension, column="value"):
    found = measure(company, metric, by=dimension, period=Q3)
    return dict(zip(found.member, found[column], strict=True))


def paid(month, amount, channel=None, category="program", function="marketing", currency="BRL"):
    return {"month": f"2026-{month:02d}-01", "function": function, "category": category, "channel": channel,
            "amount": amount, "currency": currency}  # fmt: skip


# A quarter earlier than Q3: 800.00 of marketing, 500.00 of them on ads; and sales, which is none of it.
EARLIER = [
    paid(4, 500_00, "ads"),
    paid(5, 200_00, "event"),
    paid(6, 100_00, None, "people"),
    paid(6, 9_999_00, function="sales"),
]
NOW = [paid(month, 0) for month in (7, 8, 9)]


def leads(stamps=()):
    names = [source for source, count in SOURCES for _one in range(count)]
    return [
        {"lead_id": f"l{n}", "created_at": "2026-07-05 12:00", "source": source}
        | dict.fromkeys(stamps, "2026-07-06 12:00" if n % 2 == 0 else None)
        for n, source in enumerate(names)
    ]


def test_a_lead_costs_what_marketing_spent_a_quarter_earlier_shared_by_all_that_came():
    found = measurement(company_of(spend=EARLIER, leads=leads()), "cost_per_lead", Q3)
    assert (found.value, found.n, found.status) == (800_00 / 40, 40, "ok")
    assert found.low < found.value < found.high


def test_each_stage_is_counted_at_its_first_time():
    company = company_of(spend=EARLIER, leads=leads(("mql_at", "sql_at")))
    assert value(company, "cost_per_mql") == value(company, "cost_per_sql") == 800_00 / 20
    late = [{**lead, "mql_at": "2026-02-01 12:00"} for lead in leads()]
    assert value(company_of(spend=EARLIER, leads=late), "cost_per_mql") is None


def test_a_source_bears_what_was_booked_to_its_channel_and_one_without_spend_is_not_free():
    company = company_of(spend=EARLIER, leads=leads())
    found = by(company, "cost_per_lead", "source")
    assert found["ads"] == 500_00 / 25 and found["event"] == 200_00 / 5
    reasons = by(company, "cost_per_lead", "source", "reason")
    assert (reasons["website"], reasons["(not recorded)"]) == ("nothing was spent", "no lead was created")


def test_spend_without_channels_cannot_be_cut_by_source_and_says_so():
    bare = [{key: v for key, v in row.items() if key != "channel"} for row in EARLIER]
    company = company_of(spend=bare, leads=leads())
    assert value(company, "cost_per_lead") == 800_00 / 40
    assert measure(company, "cost_per_lead", by="source").reason[0] == "needs spend.channel"


def test_only_new_business_is_bought_by_marketing():
    deals = [
        {"opportunity_id": f"d{n}", "kind": kind, "created_at": "2026-08-01 12:00", "lead_id": f"l{n}"}
        for n, kind in enumerate(["new"] * 4 + ["expansion", "renewal"])
    ]
    company = company_of(spend=EARLIER, opportunities=deals, leads=leads())
    assert value(company, "cost_per_opportunity") == 800_00 / 4
    assert by(company, "cost_per_opportunity", "source")["ads"] == 500_00 / 4


@pytest.mark.parametrize("spend", [[paid(m, 0) for m in (4, 5, 6)], [paid(4, 10_00), paid(5, -90_00), paid(6, 0)]])
def test_no_spend_or_more_credited_than_spent_has_no_cost(spend):
    found = measurement(company_of(spend=spend, leads=leads()), "cost_per_lead", Q3)
    assert (found.value, found.status, found.reason) == (None, "not_applicable", "nothing was spent")


def test_a_month_without_spend_on_record_leaves_the_cost_without_a_value():
    found = measurement(company_of(spend=[EARLIER[0], *EARLIER[2:]], leads=leads()), "cost_per_lead", Q3)
    assert (found.value, found.reason) == (None, "spend of 2026-05 has not arrived")
    found = measurement(company_of(spend=EARLIER, leads=leads()), "cost_per_lead", Period(date(2026, 6, 1), date(2026, 9, 30)))
    assert (found.value, found.reason) == (None, "spend of 2026-03 has not arrived")


def test_leads_before_their_records_begin_have_no_cost():
    company = company_of(spend=EARLIER, leads=leads(), settings={"records_start": {"leads": date(2026, 10, 1)}})
    assert (value(company, "cost_per_lead"), measurement(company, "cost_per_lead", Q3).status) == (None, "not_applicable")


def test_spend_in_a_currency_without_a_rate_says_what_it_needs():
    company = company_of(spend=[*EARLIER[:3], paid(6, 1_00, currency="USD")], leads=leads())
    assert "USD" in measurement(company, "cost_per_lead", Q3).reason
    rated = company_of(spend=[*EARLIER[:3], paid(6, 1_00, currency="USD")], leads=leads(), settings={"plan_rates": {"USD": 5.0}})
    assert value(rated, "cost_per_lead") == 805_00 / 40


def test_marketing_spend_adds_up_by_channel_and_credits_are_taken_off():
    company = company_of(spend=[*EARLIER, *NOW, paid(7, 300_00, "ads"), paid(8, -50_00, "ads"), paid(9, 70_00, None, "tools")])
    assert value(company, "marketing_spend") == 320_00
    assert by(company, "marketing_spend", "channel") == {"(not recorded)": 70_00, "ads": 250_00}


# --- budget ---------------------------------------------------------------------------------------------------------------


def campaign(n, budget, starts="2026-07-01", ends="2026-09-30", channel="ads"):
    return {"campaign_id": f"c{n}", "budget": budget, "starts_on": starts, "ends_on": ends, "channel": channel}


def test_a_budget_counts_by_the_days_of_the_campaign_that_fall_in_the_period():
    # 122 days from June to September, 92 of them in the quarter; people are in no campaign's budget.
    company = company_of(
        spend=[paid(7, 400_00, "ads"), paid(8, 60_00, "ads"), paid(9, 0), paid(9, 5_000_00, None, "people")],
        campaigns=[campaign(1, 1220_00, starts="2026-06-01")],
    )
    assert value(company, "spend_against_budget") == pytest.approx(460 / 920)


def test_a_campaign_of_one_day_counts_whole_and_a_channel_without_budget_has_no_share():
    company = company_of(spend=[paid(7, 90_00, "ads"), paid(8, 30_00, "event"), paid(9, 0)],
                         campaigns=[campaign(1, 60_00), campaign(2, 40_00, "2026-08-05", "2026-08-05")])  # fmt: skip
    assert value(company, "spend_against_budget") == pytest.approx(1.2)
    assert by(company, "spend_against_budget", "channel")["ads"] == pytest.approx(0.9)
    assert by(company, "spend_against_budget", "channel", "reason")["event"] == "no campaign budget for the period"


def test_months_in_which_no_campaign_ran_are_left_out_on_both_sides():
    company = company_of(spend=[paid(7, 10_00, "ads"), paid(8, 999_00, "ads"), paid(9, 0)],
                         campaigns=[campaign(1, 20_00, ends="2026-07-31")])  # fmt: skip
    assert value(company, "spend_against_budget") == 0.5


@pytest.mark.parametrize("planned", [[], [campaign(1, None)], [campaign(1, 0)], [campaign(1, 10_00, ends=None)]])
def test_without_a_budget_on_days_there_is_nothing_to_compare_with(planned):
    found = measurement(company_of(spend=NOW, campaigns=planned), "spend_against_budget", Q3)
    assert (found.value, found.status) == (None, "not_applicable")


# --- returns --------------------------------------------------------------------------------------------------------------


def won(n, amount=1000_00):
    return {"opportunity_id": f"d{n}", "account_id": f"a{n}", "lead_id": f"l{n}", "kind": "new", "status": "won",
            "amount": amount, "currency": "BRL", "created_at": "2026-07-20 12:00", "closed_at": "2026-08-01 12:00",
            "close_date": "2026-08-01", "lost_reason": None}  # fmt: skip


def touch(n, channel, day, lead):
    return {"touch_id": f"t{n}", "lead_id": lead, "channel": channel, "occurred_at": f"2026-07-{day:02d} 12:00"}


PATHS = [touch(1, "ads", 1, "l1"), touch(2, "event", 2, "l1"), touch(3, "website", 1, "l2"), touch(4, "ads", 2, "l2")]
WORKED = {"spend": EARLIER, "opportunities": [won(1), won(2)], "touches": PATHS, "settings": {"gross_margin": 0.8}}


def test_the_return_of_a_channel_depends_on_the_model_and_what_was_free_is_left_out():
    # Of 700.00 of programme money 500.00 went to ads. First touch: d1 to ads, d2 to the website, on which nothing was spent.
    company = company_of(**WORKED)
    models = ("first_touch_return", "last_touch_return", "linear_return")
    assert [value(company, name) for name in models] == pytest.approx([1000 / 700, 2000 / 700, 1500 / 700])
    assert [by(company, name, "channel")["ads"] for name in models] == pytest.approx([2, 2, 2])
    assert by(company, "linear_return", "channel")["event"] == pytest.approx(2.5)


def test_campaign_roi_is_gross_profit_less_cost_by_cost_as_worked_by_hand():
    company = company_of(**WORKED)
    assert value(company, "first_touch_roi") == pytest.approx((800 - 700) / 700)
    assert by(company, "linear_roi", "channel")["ads"] == pytest.approx((800 - 500) / 500)
    assert measurement(company, "first_touch_roi", Q3).status == "insufficient"


def test_all_the_money_is_lost_where_nothing_is_credited_and_no_interval_is_made_up():
    company = company_of(**{**WORKED, "touches": [touch(1, "website", 1, "l1"), touch(2, "ads", 2, "l9")]})
    found = measurement(company, "last_touch_roi", Q3)
    assert (found.value, found.low, found.high, found.status) == (-1, None, None, "insufficient")


def test_no_programme_money_or_no_amounts_or_no_margin_has_no_return():
    free = measurement(company_of(**{**WORKED, "spend": [paid(m, 0, "ads") for m in (4, 5, 6)]}), "linear_return", Q3)
    assert (free.value, free.reason) == (None, "nothing was spent")
    unpriced = measurement(company_of(**{**WORKED, "opportunities": [won(1, 0), won(2, None)]}), "linear_return", Q3)
    assert (unpriced.value, unpriced.reason) == (None, "most won deals have no amount")
    marginless = measurement(company_of(**{**WORKED, "settings": {}}), "linear_roi", Q3)
    assert marginless.value is None and "gross_margin" in marginless.reason


# --- work -----------------------------------------------------------------------------------------------------------------


def item(n, kind="request", created="2026-07-01 12:00", due="2026-08-10", done=None, approved=None):
    return {"item_id": f"i{n}", "kind": kind, "created_at": created, "due_on": due, "done_at": done, "approved_at": approved}


def test_a_request_is_met_or_missed_and_one_not_due_yet_is_neither():
    made = company_of(
        work_items=[
            item(1, done="2026-08-10 20:00"),
            item(2, " Solicitação", done="2026-08-11 12:00"),
            item(3),  # open and overdue
            item(4, due="2026-10-20"),  # not due yet
            item(5, "task"),
            item(6, due=None),
        ]
    )
    found = measurement(made, "request_sla")
    assert (found.value, found.n) == (1 / 3, 3)


def test_no_request_on_record_is_said_and_all_late_is_zero():
    assert measurement(company_of(work_items=[item(1, "task")]), "request_sla").reason == "no work item is a request"
    late = measurement(company_of(work_items=[item(n) for n in range(30)]), "request_sla")
    assert late.value == 0 and late.high > 0.1


def test_what_waits_for_approval_is_censored_and_what_needed_none_is_left_out():
    done = [item(n, "ad", done="2026-07-09 12:00", approved="2026-07-04 12:00") for n in range(20)]
    plain = [item(n, "task", done="2026-07-02 12:00") for n in range(20, 40)] + [item(n, "task") for n in range(40, 80)]
    assert value(company_of(work_items=done + plain), "approval_wait") == 3
    waiting = [item(n, "ad") for n in range(80, 140)]
    assert measurement(company_of(work_items=done + plain + waiting), "approval_wait", Q3).status == "censored"


def test_nothing_to_approve_and_an_approval_before_the_item_have_no_wait():
    early = item(1, "ad", done="2026-07-09 12:00", approved="2026-06-01 12:00")
    for made in ([], [item(1, "task")], [early]):
        assert value(company_of(work_items=made), "approval_wait") is None
    one = measurement(company_of(work_items=[item(1, "ad", approved="2026-07-03 12:00")]), "approval_wait", Q3)
    assert (one.value, one.status) == (2, "insufficient")
