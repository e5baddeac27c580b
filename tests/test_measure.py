"""The machinery: windows, dimensions, statuses, shared queries, and the SQL behind a number."""

from __future__ import annotations

from datetime import date

import ibis
import pandas as pd
import pytest

from revops_helpers.measurement import STATUSES
from revops_helpers.metrics import estimate
from revops_helpers.metrics.measure import COLUMNS, catalogue, measure, measured, measurement, sql, target, tidy
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import Period, month_end
from revops_helpers.settings import Settings
from tests.support import company_of

YEAR = Period(date(2026, 1, 1), date(2026, 9, 30))


def deal(number, status="won", closed="2026-03-10", **more):
    return {
        "opportunity_id": f"d{number}",
        "account_id": f"a{number}",
        "kind": "new",
        "status": status,
        "amount": 1000_00,
        "currency": "BRL",
        "created_at": "2026-01-10 12:00",
        "closed_at": None if status == "open" else f"{closed} 15:00",
        "close_date": closed,
        "lost_reason": None,
        **more,
    }


def deals(won, lost, **more):
    return [deal(i, "won" if i < won else "lost", **more) for i in range(won + lost)]


def only(frame: pd.DataFrame) -> pd.Series:
    assert len(frame) == 1
    return frame.iloc[0]


def test_the_frame_has_exactly_the_columns_that_the_review_writes():
    frame = measure(company_of(opportunities=deals(2, 2)), ["win_rate", "deal_size", "deals_won"])
    assert list(frame.columns) == COLUMNS
    assert frame.metric.tolist() == ["win_rate", "deal_size", "deals_won"]
    assert (frame.period_start == YEAR.start).all() and (frame.period_end == YEAR.end).all()
    assert frame.unit.tolist() == ["percent", "money", "count"]
    assert frame.currency.tolist() == ["", "BRL", ""]
    assert set(frame.status) <= set(STATUSES)


def test_an_unknown_metric_or_dimension_is_a_key_error():
    company = company_of(opportunities=deals(1, 1))
    with pytest.raises(KeyError):
        measure(company, "vibes")
    with pytest.raises(KeyError, match="unknown dimension moon"):
        measure(company, "win_rate", by="moon")


# --- statuses -------------------------------------------------------------------------------------------------------------


def test_a_rate_of_enough_events_is_ok_with_its_wilson_interval():
    row = only(measure(company_of(opportunities=deals(20, 80)), "win_rate"))
    assert (row.value, row.n, row.status, row.reason) == (0.2, 100, "ok", "")
    assert (row.low, row.high) == pytest.approx((0.1334, 0.2888), abs=5e-5)


def test_every_metric_that_divides_says_in_words_what_there_was_none_of():
    without = ("sum", "median", "lifetime", "derived")  # nothing is divided, or its parts say it
    assert [m.id for m in catalogue().values() if m.estimator not in without and not m.zero_reason] == []


def test_too_few_events_are_shown_but_said_to_be_few():
    row = only(measure(company_of(opportunities=deals(19, 81)), "win_rate"))
    assert (row.value, row.status, row.reason) == (0.19, "insufficient", "fewer than 20 events")
    assert row.low < 0.19 < row.high


@pytest.mark.parametrize("rows", [[], [deal(1, "open")]])
def test_nothing_to_divide_by_is_not_applicable_and_never_zero(rows):
    row = only(measure(company_of(opportunities=rows), "win_rate"))
    assert pd.isna(row.value) and pd.isna(row.low)
    assert (row.n, row.status, row.reason) == (0, "not_applicable", "no deal was won or lost")


def test_a_sum_of_nothing_is_zero_and_exact():
    found = measurement(company_of(opportunities=[]), "deals_won")
    assert (found.value, found.status, found.exact) == (0, "ok", True)


def test_what_is_needed_and_absent_is_named():
    company = company_of(opportunities=[{"opportunity_id": "d", "kind": "new"}])
    for metric, reason in (
        ("win_rate", "needs opportunities.status, opportunities.close_date"),
        ("cac", "needs spend, subscriptions"),
    ):
        row = only(measure(company, metric))
        assert (row.status, pd.isna(row.value), row.reason) == ("not_applicable", True, reason)


def test_a_window_that_is_not_over_is_partial_and_one_to_come_has_no_value():
    company = company_of(opportunities=deals(25, 25), as_of="2026-08-15")
    span = Period(date(2026, 1, 1), date(2026, 12, 31))
    frame = measure(company, ["win_rate", "deals_won"], every="quarter", period=span)
    assert frame.status.tolist() == [
        *("ok", "not_applicable", "not_applicable", "not_applicable"),
        *("ok", "ok", "partial", "not_applicable"),
    ]
    assert frame.reason.tolist()[6:] == ["the period is not over", "the period has not begun"]
    assert pd.isna(frame.value.iloc[-1])


def test_a_window_before_the_records_has_no_value_and_one_across_their_start_is_partial():
    company = company_of(opportunities=deals(25, 25), settings={"records_start": {"opportunities": "2026-03-05"}})
    frame = measure(company, "deals_won", every="month").set_index("period_start")
    january, march, april = (frame.loc[date(2026, m, 1)] for m in (1, 3, 4))
    assert (pd.isna(january.value), january.reason) == (True, "records begin on 2026-03-05, after the period")
    assert (march.value, march.status) == (25, "partial")
    assert (april.value, april.status) == (0, "ok")


# --- windows --------------------------------------------------------------------------------------------------------------


def test_a_deal_counts_on_the_companys_day_not_on_utcs():
    late = [deal(1, closed_at="2026-04-01 02:59"), deal(2, closed_at="2026-04-01 03:00")]
    frame = measure(company_of(opportunities=late), "deals_won", every="quarter")
    assert frame.value.tolist() == [1, 1, 0]


def test_fiscal_quarters_follow_the_companys_year():
    company = company_of(opportunities=deals(3, 0, closed="2026-03-10"), settings={"fiscal_year_start": 2}, period_name="t12m")
    frame = measure(company, "deals_won", every="quarter")
    assert [(r.period_start, r.period_end) for r in frame.itertuples()][1:3] == [
        (date(2025, 11, 1), date(2026, 1, 31)),
        (date(2026, 2, 1), date(2026, 4, 30)),
    ]
    assert frame.value.tolist() == [0, 0, 3, 0, 0]


def test_windows_by_arithmetic_and_by_join_agree():
    rows = [deal(i, "won" if i % 3 else "lost", closed=f"2026-0{1 + i % 9}-{1 + i % 28:02d}") for i in range(120)]
    company = company_of(opportunities=rows)
    every = Windows.of(company.settings, YEAR, "month")
    joined = Windows.of(company.settings, every.periods)
    ids = ["win_rate", "deals_won", "deal_size", "win_rate_value"]
    pd.testing.assert_frame_equal(measured(company, ids, (), every), measured(company, ids, (), joined))


def test_windows_may_overlap():
    company = company_of(opportunities=deals(5, 0))
    windows = Windows.of(company.settings, (YEAR, Period(date(2026, 3, 1), date(2026, 3, 31)), YEAR.year_before()))
    assert measured(company, "deals_won", (), windows).value.tolist() == [5, 5, 0]


# --- dimensions and segment -----------------------------------------------------------------------------------------------

SEGMENTS = [{"account_id": f"a{i}", "segment": ["SMB", "Enterprise", None][i % 3], "region": "Sul"} for i in range(9)]


def test_by_a_dimension_there_is_a_row_per_member_and_what_no_record_says_is_a_member_too():
    frame = measure(company_of(opportunities=deals(6, 3), accounts=SEGMENTS), "deals_won", by="segment")
    assert frame.member.tolist() == ["(not recorded)", "Enterprise", "SMB"]
    assert frame.value.tolist() == [2, 2, 2]
    assert (frame.dimension == "segment").all()


def test_several_dimensions_come_one_at_a_time_and_sum_to_the_total():
    company = company_of(opportunities=deals(6, 3), accounts=SEGMENTS)
    frame = measure(company, "deals_won", by=["segment", "region"], every="quarter")
    assert frame.groupby("dimension").value.sum().to_dict() == {"region": 6, "segment": 6}


def test_members_are_data_and_stay_text():
    hostile = "'; DROP TABLE deals; --<b>$x$</b>"
    accounts = [{"account_id": "a0", "segment": hostile}]
    company = company_of(opportunities=deals(1, 0), accounts=accounts)
    assert measure(company, "deals_won", by="segment").member.tolist() == [hostile]
    narrowed = Company(**{**company.__dict__, "segment": hostile, "_made": {}})
    assert measurement(narrowed, "deals_won").value == 1


def test_a_dimension_that_the_company_lacks_or_the_metric_has_not_is_said():
    company = company_of(opportunities=deals(2, 2))
    assert only(measure(company, "win_rate", by="segment")).reason == "needs accounts"
    assert only(measure(company, "arr_attainment", by="segment")).reason == "not measured by segment"


def test_under_a_segment_only_its_records_count_and_what_has_no_segment_is_not_shown_as_its_own():
    company = company_of(
        opportunities=deals(6, 3),
        accounts=SEGMENTS,
        spend=[{"month": "2026-01-01", "function": "sales", "category": "people", "amount": 1}],
    )
    narrowed = Company(**{**company.__dict__, "segment": "SMB", "_made": {}})
    assert (measurement(company, "win_rate").n, measurement(narrowed, "win_rate").n) == (9, 3)
    assert measurement(narrowed, "cac_blended").reason == "not measured by segment"


# --- sharing and SQL ------------------------------------------------------------------------------------------------------


def test_measured_together_or_alone_the_numbers_are_the_same():
    company = company_of(opportunities=deals(30, 50), accounts=SEGMENTS)
    ids = ["win_rate", "win_rate_value", "deals_won", "deal_size", "new_arr_won", "opportunities_opened", "cycle_days"]
    together = measure(company, ids, every="quarter")
    alone = pd.concat([measure(company.on(company.as_of), one, every="quarter") for one in ids], ignore_index=True)
    pd.testing.assert_frame_equal(together, alone)


def test_metrics_over_the_same_facts_are_one_query(monkeypatch):
    asked = []
    real = estimate.statistics
    monkeypatch.setattr(estimate, "statistics", lambda facts, batch: asked.append(len(batch)) or real(facts, batch))
    company = company_of(opportunities=deals(3, 3))
    measure(company, ["win_rate", "win_rate_value", "deals_won", "deal_size", "new_arr_won"])
    assert asked == [5]
    measure(company, ["win_rate", "deals_won"])
    assert asked == [5], "what was measured once is not asked again"


def test_the_sql_of_a_metric_gives_its_number_and_goes_down_to_the_canonical_table():
    con = ibis.duckdb.connect()
    rows = company_of(opportunities=deals(30, 50)).accepted["opportunities"].to_pyarrow()
    table = con.create_table("opportunities", rows)
    company = Company(settings=Settings(name="T", currency="BRL"), as_of=date(2026, 9, 30), accepted={"opportunities": table})
    text = sql(company, "win_rate")
    assert 'FROM "memory"."main"."opportunities"' in text and "\n" in text and "ibis_cached" not in text
    row = con.raw_sql(text).fetchdf().iloc[0]
    assert row["win_rate_num"] / row["win_rate_den"] == measurement(company, "win_rate").value == 0.375


def test_the_sql_of_a_derived_metric_is_that_of_its_parts_and_of_an_unavailable_one_is_not_there():
    lines = [{"subscription_id": "s", "account_id": "A", "mrr": 1, "starts_on": "2025-01-01", "ends_on": None}]
    company = company_of(subscriptions=lines, settings={"gross_margin": 0.8})
    text = sql(company, "ltv")
    assert "-- arpa" in text and "-- customer_lifetime" in text
    with pytest.raises(Unavailable, match="needs opportunities"):
        sql(company, "win_rate")


def test_every_metric_of_an_empty_company_says_what_it_needs():
    frame = measure(company_of(), list(catalogue()))
    assert len(frame) == len(catalogue())
    assert (frame.status == "not_applicable").all() and frame.reason.str.startswith("needs ").all()


def test_every_metric_of_a_company_with_empty_tables_is_zero_or_not_applicable():
    tables = {need.partition(".")[0] for metric in catalogue().values() for need in metric.needs}
    company = company_of(settings={"gross_margin": 0.8}, accounts=[], **{name: [] for name in tables})
    frame = measure(company, list(catalogue()))
    sums = {m.id for m in catalogue().values() if m.estimator == "sum"} - {"marketing_spend", "fx_effect"}
    assert (frame[frame.metric.isin(sums)].value == 0).all()
    assert set(frame[frame.metric == "marketing_spend"].reason) == {"spend of 2026-09 has not arrived"}  # unknown is not zero
    assert set(frame[frame.metric == "fx_effect"].reason) == {"nothing recurs in a foreign currency"}
    others = frame[~frame.metric.isin(sums)]
    assert others.value.isna().all() and set(others.status) <= {"not_applicable", "partial", "censored"}
    young = others[others.status == "censored"]  # with the day on which its cohort will be known
    assert {catalogue()[name].known_on is None for name in young.metric} == {False}
    assert young.reason.str.contains(r"20\d\d-\d\d-\d\d").all()


def test_tidy_holds_each_metric_member_and_period_once():
    company = company_of(opportunities=deals(30, 50), accounts=SEGMENTS)
    frame = tidy(company, ["win_rate", "deals_won", "cac"], by=["segment"], every=["quarter"])
    assert list(frame.columns) == COLUMNS
    assert not frame.duplicated(COLUMNS[:5]).any()
    assert len(frame[frame.metric == "deals_won"]) == (1 + 3) * (1 + 3)
    assert frame[frame.metric == "cac"].reason.str.startswith("needs ").all()


# --- targets --------------------------------------------------------------------------------------------------------------


def plan(metric, *values, segment=None, start=1):
    months = [Period(date(2026, start + i, 1), month_end(date(2026, start + i, 1))) for i in range(len(values))]
    rows = [{"period_start": m.start, "period_end": m.end, "value": v} for m, v in zip(months, values, strict=True)]
    return [{**row, "metric": metric, "segment": segment} for row in rows]


def test_targets_add_up_or_average_by_days_or_take_the_last_as_the_metric_does():
    rows = [
        *plan("leads", *[100] * 9),
        *plan("win_rate", *[0.2] * 3, *[0.3] * 6),
        *plan("arr", *range(1, 10)),
        *plan("churn", *[0.01] * 9),
    ]
    company = company_of(targets=rows)
    assert target(company, "leads").value == 900
    assert target(company, "win_rate").value == pytest.approx((0.2 * 90 + 0.3 * 183) / 273)
    assert (target(company, "arr").value, target(company, "arr").unit) == (9_00, "money")
    assert target(company, "churn").value == pytest.approx(0.09)


def test_a_plan_that_does_not_cover_the_period_is_no_plan():
    company = company_of(targets=plan("leads", *[100] * 8))
    assert target(company, "leads") is None
    assert target(company, "leads", Period(date(2026, 1, 1), date(2026, 8, 31))).value == 800
    assert target(company, "win_rate") is None
    assert target(company_of(users=[]), "leads") is None


def test_a_year_beside_its_months_is_not_counted_twice():
    year = {"period_start": "2026-01-01", "period_end": "2026-09-30", "metric": "leads", "segment": None, "value": 5.0}
    assert target(company_of(targets=[year, *plan("leads", *[1] * 9)]), "leads").value == 9
    assert target(company_of(targets=[year]), "leads").value == 5


def test_under_a_segment_its_own_targets_count():
    company = company_of(targets=[*plan("leads", *[100] * 9), *plan("leads", *[10] * 9, segment="SMB")])
    narrowed = Company(**{**company.__dict__, "segment": "SMB", "_made": {}})
    assert (target(company, "leads").value, target(narrowed, "leads").value) == (900, 90)
