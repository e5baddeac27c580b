"""Forecasts beside what came of them, and targets beside what was reached: two people and two quarters worked by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.metrics.estimate import finish
from revops_helpers.metrics.measure import measure, measurement
from revops_helpers.periods import Period
from revops_helpers.settings import Settings
from tests.support import company_of

YEAR = Period(date(2026, 1, 1), date(2026, 9, 30))


def said(user, quarter, amount, category="commit", on=None):
    return {"submitted_on": on or f"{quarter[:7]}-05", "user_id": user, "period_start": quarter, "category": category,
            "amount": amount}  # fmt: skip


def won(n, user, day, amount, **more):
    return {"opportunity_id": f"d{n}", "account_id": f"a{n}", "owner_id": user, "kind": "new", "status": "won", "amount": amount,
            "currency": "BRL", "created_at": "2024-01-01 12:00", "closed_at": f"{day} 15:00", "close_date": day,
            "lost_reason": None, **more}  # fmt: skip


# Ana commits 100 and wins 80, then 50 and wins 100; Bia commits 60 and wins 60. The year before: 40 in Q2, 200 in Q1 of 2025.
DEALS = [
    won(1, "ana", "2026-02-10", 80_00), won(2, "ana", "2026-06-30", 100_00), won(3, "bia", "2026-03-31", 60_00),
    won(4, "ana", "2025-02-01", 200_00), won(5, "ana", "2025-05-01", 40_00), won(6, "ana", "2026-02-11", 9_00, kind="expansion"),
    won(7, "ana", "2026-02-12", 999_00, status="lost"), won(8, "ana", "2024-12-01", 0),
]  # fmt: skip
SAID = [said("ana", "2026-01-01", 100_00), said("ana", "2026-04-01", 50_00), said("bia", "2026-01-01", 60_00)]


def found(metric, forecasts=SAID, deals=DEALS, period=YEAR, **more):
    return measurement(company_of(forecasts=forecasts, opportunities=deals, **more), metric, period)


def by(metric, dimension, forecasts, deals=DEALS, column="value"):
    rows = measure(company_of(forecasts=forecasts, opportunities=deals), metric, by=dimension, period=YEAR)
    return dict(zip(rows.member, rows[column], strict=True))


def test_errors_add_up_in_the_wape_and_cancel_in_the_bias():
    assert found("forecast_wape").value == pytest.approx((20 + 50 + 0) / 240)
    assert found("forecast_bias").value == pytest.approx((20 - 50 + 0) / 240)
    assert found("forecast_wape").n == 3 and found("forecast_wape").status == "insufficient"


def test_the_variance_explained_is_what_commits_leave_of_the_differences_in_what_was_won():
    # Won 80, 100 and 60 around a mean of 80; missed by 20, 50 and 0: worse than the mean, which nobody knew.
    assert found("forecast_variance_explained").value == pytest.approx(1 - (400 + 2500 + 0) / (0 + 400 + 400))
    right = [said("ana", "2026-01-01", 80_00), said("ana", "2026-04-01", 90_00), said("bia", "2026-01-01", 60_00)]
    assert found("forecast_variance_explained", right).value == pytest.approx(1 - 100 / 800)
    twice = [*right, said("ana", "2026-01-01", 60_00, on="2025-12-20")]
    both = found("forecast_variance_explained", twice)  # of four forecasts two are one person's of one quarter
    assert (both.n, both.status) == (3, "insufficient") and both.value == pytest.approx(1 - 500 / 800)


def test_without_differences_in_what_was_won_there_is_no_variance_to_explain():
    flat = [won(1, "ana", "2026-02-10", 80_00), won(2, "bia", "2026-02-10", 80_00), won(3, "ana", "2025-02-10", 7_00)]
    for words, deals in ((SAID[:1], DEALS), ([SAID[0], SAID[2]], flat)):
        none = found("forecast_variance_explained", words, deals)
        assert (none.value, none.status, none.reason) == (None, "not_applicable", "what came was the same each time")
    assert found("forecast_variance_explained", []).status == "not_applicable"


def test_the_interval_of_the_variance_explained_is_that_of_the_bootstrap_over_people():
    rng = np.random.default_rng(4)
    came = rng.normal(100, 20, 400)
    rows = pd.DataFrame({"window": 0, "member": "", "came": came, "forecast": came + rng.normal(5, 10, 400)})
    rows["cluster"] = np.arange(400) // 2
    (one,) = finish(rows, catalogue()["forecast_variance_explained"], Settings(name="x", currency="BRL")).itertuples()
    draws = []
    for _draw in range(400):
        some = (2 * rng.integers(0, 200, 200)[:, None] + [0, 1]).ravel()
        y, x = came[some], rows.forecast.to_numpy()[some]
        draws.append(1 - ((y - x) ** 2).sum() / ((y - y.mean()) ** 2).sum())
    assert one.n == 200 and (one.low, one.high) == pytest.approx(np.quantile(draws, (0.025, 0.975)), abs=0.02)


def test_all_together_are_measured_against_repeating_the_year_before():
    # Q1: 160 said, 140 won, 200 a year before. Q2: 50 said, 100 won, 40 a year before.
    assert found("forecast_mase").value == pytest.approx((20 + 50) / (60 + 60))


def test_a_year_before_the_records_begin_is_no_yardstick():
    begun = found("forecast_mase", settings={"records_start": {"opportunities": date(2025, 4, 1)}})
    assert begun.value == pytest.approx(50 / 60)
    bare = found("forecast_mase", deals=[deal for deal in DEALS if deal["close_date"] > "2026"])
    assert (bare.value, bare.status) == (None, "not_applicable")
    steady = [won(1, "ana", "2026-02-01", 50_00), won(2, "ana", "2025-01-15", 50_00)]
    same = found("forecast_mase", [said("ana", "2026-01-01", 9_00)], steady)
    assert (same.value, same.reason) == (None, "nothing differs from the year before, or nothing is on record of it")


def test_the_last_word_of_each_month_counts_and_what_came_after_the_period_is_no_forecast():
    words = [
        said("ana", "2026-01-01", 500_00, on="2026-01-05"),
        said("ana", "2026-01-01", 100_00, on="2026-01-20"),
        said("ana", "2026-01-01", 80_00, on="2026-03-30"),
        said("ana", "2026-01-01", 0, on="2026-04-02"),
        said("ana", "2026-01-01", 40_00, on="2025-12-20"),
        said("ana", "2026-04-01", 100_00),
    ]
    assert by("forecast_wape", "horizon", words) == pytest.approx({"M0": 40 / 80, "M1": (20 + 0) / 180, "M3": 0})


def test_each_person_answers_for_the_own_commits():
    assert by("forecast_bias", "seller", SAID) == pytest.approx({"ana": -30 / 180, "bia": 0})


def test_the_range_from_commit_to_best_holds_its_ends():
    best = [said("ana", "2026-01-01", 110_00, "best"), said("ana", "2026-04-01", 100_00, "best")]
    both = found("forecast_range_held", [*SAID, *best, said("bia", "2026-01-01", 59_00, "best")])
    assert both.value == pytest.approx(1 / 3)
    assert found("forecast_range_held").value is None  # nobody named a best case


def test_a_period_under_way_or_before_the_records_is_not_judged():
    early, late = said("ana", "2024-10-01", 10_00), said("ana", "2026-07-01", 10_00)
    company = company_of("2026-08-31", forecasts=[early, late], opportunities=DEALS[:3])
    for period in (YEAR, Period(date(2024, 10, 1), date(2024, 12, 31))):
        assert measurement(company, "forecast_wape", period).value is None


@pytest.mark.parametrize("forecasts", [[], [said("ana", "2026-01-01", None)], [said("ana", "2026-01-01", 5_00, "pipeline")]])
def test_without_a_commit_there_is_no_error_to_tell(forecasts):
    for metric in ("forecast_wape", "forecast_bias", "forecast_mase"):
        assert found(metric, forecasts).value is None


def test_commits_to_nothing_won_have_no_share_and_unpriced_wins_say_so():
    lost = [won(1, "ana", "2026-02-10", 80_00, status="lost"), won(2, "ana", "2025-02-10", 10_00)]
    assert found("forecast_wape", SAID[:1], lost).reason == "nothing was won"
    unpriced = [won(n, "ana", "2026-02-10", None) for n in range(3)]
    assert found("forecast_wape", SAID, unpriced).reason == "most won deals have no amount"


def test_months_are_told_from_quarters_by_the_first_days():
    monthly = [said("ana", f"2026-0{m}-01", 80_00) for m in (1, 2, 3)]
    assert found("forecast_bias", monthly).value == pytest.approx((240 - 80) / 80)


# --- targets --------------------------------------------------------------------------------------------------------------


def goal(start, end, value, metric="net_new_arr"):
    return {"period_start": start, "period_end": end, "metric": metric, "value": value}


def line(account, mrr, start, end=None):
    return {"subscription_id": account, "account_id": account, "mrr": mrr, "starts_on": start, "ends_on": end, "currency": "BRL"}


BOOK = [line("old", 50_00, "2025-01-01"), line("a", 100_00, "2026-07-15"), line("b", 10_00, "2026-08-15")]
MONTHS = [goal("2026-07-01", "2026-07-31", 1200), goal("2026-08-01", "2026-08-31", 121), goal("2026-09-01", "2026-09-30", 0)]


def test_a_target_is_met_at_its_very_value_and_not_a_cent_below():
    company = company_of(subscriptions=BOOK, targets=MONTHS)
    assert measurement(company, "targets_met").value == pytest.approx(2 / 3)
    rows = measure(company, "targets_met", every="month", period=Period(date(2026, 7, 1), date(2026, 9, 30)))
    assert rows.value.tolist() == [1, 0, 1]


def test_a_quarter_over_its_own_months_is_not_judged_twice_and_other_targets_do_not_count():
    more = [goal("2026-07-01", "2026-09-30", 9_999_999), goal("2026-07-01", "2026-07-31", 9_999_999, "arr")]
    assert measurement(company_of(subscriptions=BOOK, targets=[*MONTHS, *more]), "targets_met").value == pytest.approx(2 / 3)


def test_shrinking_less_than_planned_meets_a_target_below_zero_and_missing_all_is_zero():
    leaving = [line(f"c{n}", 10_00, "2025-01-01", "2026-08-10") for n in range(3)]
    assert (
        measurement(company_of(subscriptions=leaving, targets=[goal("2026-08-01", "2026-08-31", -400)]), "targets_met").value == 1
    )
    missed = measurement(company_of(subscriptions=leaving, targets=[goal("2026-08-01", "2026-08-31", 0)]), "targets_met")
    assert (missed.value, missed.n, missed.status) == (0, 1, "insufficient")


@pytest.mark.parametrize("targets", [[], [goal("2026-10-01", "2026-10-31", 10)], [goal("2026-09-01", "2026-09-30", 1, "arr")]])
def test_no_period_with_a_target_that_is_over_is_said(targets):
    found = measurement(company_of(subscriptions=BOOK, targets=targets), "targets_met")
    assert found.value is None and found.reason.startswith("needs ")
