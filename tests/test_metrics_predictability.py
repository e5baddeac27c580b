"""Pipeline as it stood, coverage of what is still to be won, and attainment."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from revops_helpers.metrics.journey import deals_as_they_stood
from revops_helpers.metrics.measure import measure, measurement
from revops_helpers.metrics.predictability import quarter_to_win
from revops_helpers.metrics.windows import Windows
from revops_helpers.periods import Period, month_end
from tests.support import company_of

NEXT_QUARTER = [{"period_start": "2026-10-01", "period_end": "2026-12-31", "metric": "new_arr_won", "segment": None}]


def deal(number, opened="2026-03-10 12:00", status="open", closed=None, due="2026-11-15", **more):
    return {
        "opportunity_id": f"d{number}",
        "account_id": f"a{number}",
        "owner_id": "u1",
        "kind": "new",
        "status": status,
        "amount": 1000_00,
        "currency": "BRL",
        "created_at": opened,
        "closed_at": closed and f"{closed} 15:00",
        "close_date": closed or due,
        "lost_reason": None,
        **more,
    }


def state(number, changed, amount=1000_00, due="2026-11-15"):
    return {"opportunity_id": f"d{number}", "changed_at": changed, "stage": "s", "amount": amount, "close_date": due}


DEALS = [
    deal(1),
    deal(2, status="won", closed="2026-08-10"),
    deal(3, status="lost", closed="2026-06-20", lost_reason="duplicate"),
    deal(4, opened="2026-08-15 12:00", kind="expansion"),
    deal(5, opened="2026-09-30 12:00", amount=None),
    deal(6, opened=None),
    deal(7, opened="2026-05-01 12:00", currency="USD", amount=500_00),
]
HISTORY = [
    state(1, "2026-03-10 12:00", 4000_00, "2026-06-30"),
    state(1, "2026-07-01 12:00", 2000_00, "2026-11-15"),
    state(2, "2026-03-10 12:00", 700_00, "2026-09-30"),
    state(7, "2026-05-01 12:00", 300_00, "2026-12-20"),
]
RATES = {"plan_rates": {"USD": 5.0}}


def test_the_pipeline_of_a_past_month_is_that_of_the_day_not_of_today():
    company = company_of(opportunities=DEALS, opportunity_history=HISTORY, settings=RATES)
    frame = measure(company, "pipeline", every="month").set_index("period_end")
    # May: d1 at 4,000, d2 at 700, d3 (a duplicate, but nobody knew), d6 without a date, d7 at 300 × 5.
    assert frame.value[date(2026, 5, 31)] == (4000 + 700 + 1000 + 1000 + 1500) * 100
    assert frame.value[date(2026, 7, 31)] == (2000 + 700 + 1000 + 1500) * 100
    assert frame.value[date(2026, 9, 30)] == (2000 + 1000 + 1500) * 100


def test_many_days_in_one_pass_are_the_company_seen_from_each_of_them():
    company = company_of(opportunities=DEALS, opportunity_history=HISTORY, settings=RATES)
    months = tuple(Period(date(2026, m, 1), month_end(date(2026, m, 1))) for m in (3, 5, 6, 8, 9))
    together = deals_as_they_stood(company, Windows.of(company.settings, months)).to_pandas()
    for number, month in enumerate(months):
        then = company.on(month.end)
        alone = deals_as_they_stood(then, Windows.of(company.settings, month)).to_pandas()
        here = together[together.window == number].sort_values("opportunity_id", ignore_index=True)
        alone = alone.sort_values("opportunity_id", ignore_index=True).assign(window=number)[here.columns]
        pd.testing.assert_frame_equal(here, alone, check_dtype=False)


def test_coverage_is_open_pipeline_due_in_the_quarter_over_what_is_still_to_be_won():
    rows = [deal(1), deal(2, due="2027-01-10"), deal(3, kind="renewal"), deal(4, status="won", closed="2026-09-10")]
    company = company_of(opportunities=rows, targets=[{**NEXT_QUARTER[0], "value": 500}])
    found = measurement(company, "pipeline_coverage")
    assert quarter_to_win(company, company.period) == Period(date(2026, 10, 1), date(2026, 12, 31))
    assert (found.value, found.n, found.status) == (2.0, 1, "insufficient")


def test_inside_a_quarter_what_is_won_already_is_no_longer_to_be_won():
    rows = [deal(1, due="2026-09-20"), deal(2, status="won", closed="2026-07-10", amount=400_00), deal(3, due="2026-10-02")]
    goal = {"period_start": "2026-07-01", "period_end": "2026-09-30", "metric": "new_arr_won", "segment": None, "value": 900}
    company = company_of(as_of="2026-08-20", opportunities=rows, targets=[goal])
    assert measurement(company, "pipeline_coverage").value == pytest.approx(1000 / (900 - 400))
    met = company_of(as_of="2026-08-20", opportunities=rows, targets=[{**goal, "value": 400}])
    found = measurement(met, "pipeline_coverage")
    assert (found.value, found.status, found.reason) == (None, "not_applicable", "target already met")


def test_the_plan_of_wins_may_be_given_by_its_drivers():
    drivers = {"leads": 100, "lead_to_opportunity": 0.2, "decided_share": 1, "win_rate": 0.25, "deal_size": 100}
    rows = [{**NEXT_QUARTER[0], "metric": name, "value": v} for name, v in drivers.items()]
    assert measurement(company_of(opportunities=[deal(1)], targets=rows), "pipeline_coverage").value == 2.0
    lacking = measurement(company_of(opportunities=[deal(1)], targets=rows[:-1]), "pipeline_coverage")
    assert lacking.reason.startswith("needs targets")


def test_attainment_is_actual_over_plan_and_exact():
    line = {
        "subscription_id": "s",
        "account_id": "A",
        "mrr": 100_00,
        "starts_on": "2026-02-01",
        "ends_on": None,
        "currency": "BRL",
    }
    goal = {"period_start": "2026-01-01", "period_end": "2026-09-30", "metric": "net_new_arr", "segment": None}
    company = company_of(subscriptions=[line], targets=[{**goal, "value": 1600}])
    found = measurement(company, "arr_attainment")
    assert (found.value, found.exact, found.status) == (0.75, True, "ok")
    none = measurement(company_of(subscriptions=[line], targets=[{**goal, "value": 0}]), "arr_attainment")
    assert (none.value, none.status) == (None, "not_applicable")
