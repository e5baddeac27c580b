"""Recurring revenue: movements that are conserved to the cent, retention by snapshot, and the rules about who and when."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revops_helpers.metrics.measure import measure, measurement, measurements
from revops_helpers.periods import Period, add_months, month_end, windows
from tests.support import company_of

PLAYBOOK = Path(__file__).parent.parent.parent / "shared" / "data" / "dbt_mrr_playbook" / "subscription_periods.csv"
UP, DOWN = ("new_arr", "reactivation_arr", "expansion_arr", "indexation_arr"), ("contraction_arr", "churned_arr")
YEAR = Period(date(2026, 1, 1), date(2026, 9, 30))


def line(account="A", mrr=100_00, start="2025-01-01", end=None, product="p", **more):
    key = more.pop("subscription_id", f"{account}/{product}")
    return {
        "subscription_id": key, "account_id": account, "mrr": mrr, "starts_on": start, "ends_on": end, "product": product,
        "currency": "BRL", "change_reason": None, **more,
    }  # fmt: skip


def of(*lines, **more):
    return company_of(subscriptions=list(lines), **more)


def value(company, metric, period=None):
    return measurement(company, metric, period).value


def moved(company, period=None):
    found = measurements(company, [*UP, *DOWN], period)
    return {name.removesuffix("_arr"): m.value for name, m in found.items() if m.value}


def test_chartmoguls_example_of_movements():
    # Source: ChartMogul help, the Syncalytics example, in MRR: new 166.67, expansion 60, contraction −60, churn −166.67,
    # reactivation 150; it ends with 150.
    company = of(
        line(product="Gold", mrr=166_67, start="2026-01-10", end="2026-05-20"),
        line(product="Silver", mrr=60_00, start="2026-02-10", end="2026-03-15"),
        line(product="Gold", mrr=150_00, start="2026-07-10", subscription_id="again"),
    )
    by_month = measure(company, [*UP, *DOWN, "mrr"], every="month")
    by_month = by_month[by_month.value != 0].set_index(["metric", "period_start"]).value / 12
    assert by_month.loc["new_arr"].to_dict() == {date(2026, 1, 1): 166_67}
    assert by_month.loc["expansion_arr"].to_dict() == {date(2026, 2, 1): 60_00}
    assert by_month.loc["contraction_arr"].to_dict() == {date(2026, 3, 1): 60_00}
    assert by_month.loc["churned_arr"].to_dict() == {date(2026, 5, 1): 166_67}
    assert by_month.loc["reactivation_arr"].to_dict() == {date(2026, 7, 1): 150_00}
    assert value(company, "mrr") == 150_00


def test_a_line_is_live_from_its_first_day_until_the_day_before_it_ends():
    company = of(line(start="2026-03-31", end="2026-04-30"))
    ends = [date(2026, 3, 30), date(2026, 3, 31), date(2026, 4, 29), date(2026, 4, 30)]
    assert [value(company, "mrr", Period(day, day)) for day in ends] == [0, 100_00, 100_00, 0]


def test_an_end_after_the_as_of_date_is_not_known():
    assert value(of(line(end="2026-10-01"), as_of="2026-09-30"), "arr") == 1200_00
    assert value(of(line(end="2026-09-30"), as_of="2026-09-30"), "arr") == 0


def test_a_gap_within_the_grace_period_never_stopped_once_the_restart_is_known():
    lines = (line(end="2026-08-20"), line(start="2026-09-15", mrr=130_00, subscription_id="again"))
    before, after = of(*lines, as_of="2026-08-31"), of(*lines, as_of="2026-09-30")
    assert moved(before) == {"churned": 1200_00}
    assert moved(after) == {"expansion": 360_00}
    assert value(after, "arr", Period(date(2026, 8, 1), date(2026, 8, 31))) == 1200_00


def test_a_gap_longer_than_the_grace_period_is_churn_and_reactivation():
    company = of(line(end="2026-05-20"), line(start="2026-06-20", subscription_id="again"))
    assert moved(company) == {"churned": 1200_00, "reactivation": 1200_00}


def test_the_gap_of_another_product_is_not_bridged():
    company = of(line(), line(product="q", mrr=40_00, end="2026-04-20"), line(product="r", mrr=30_00, start="2026-05-10"))
    april = Period(date(2026, 4, 1), date(2026, 4, 30))
    assert moved(company, april) == {"contraction": 480_00}


def test_cancelling_one_of_two_subscriptions_is_contraction():
    assert moved(of(line(), line(product="q", mrr=40_00, end="2026-04-20"))) == {"contraction": 480_00}


def test_new_and_lost_inside_a_month_is_in_neither():
    company = of(line(), line("B", start="2026-04-02", end="2026-04-25"))
    assert moved(company) == {}
    assert value(company, "net_new_arr") == 0


def test_indexation_is_apart_from_what_the_customer_chose():
    company = of(
        line(end="2026-04-01"),
        line(mrr=105_00, start="2026-04-01", change_reason="indexation", end="2026-06-01"),
        line(mrr=125_00, start="2026-06-01", change_reason="expansion"),
    )
    assert moved(company) == {"indexation": 60_00, "expansion": 240_00}
    # In one month: five by the index, and then less than before.
    both = of(
        line(end="2026-04-01"),
        line(mrr=105_00, start="2026-04-01", change_reason="indexation", end="2026-04-20"),
        line(mrr=95_00, start="2026-04-20", change_reason="contraction"),
    )
    assert moved(both) == {"indexation": 60_00, "contraction": 120_00}


def test_companies_of_one_legal_group_are_one_customer():
    accounts = [
        {"account_id": "A", "tax_id": "12.345.678/0001-10"},
        {"account_id": "B", "tax_id": "12345678000291"},
        {"account_id": "C", "tax_id": None, "parent_id": "A"},
        {"account_id": "D", "tax_id": "99.999.999/0001-91"},
    ]
    lines = (line("A", end="2026-05-01"), line("B", start="2026-05-01"), line("C", start="2026-06-01"), line("D"))
    assert moved(of(*lines, accounts=accounts)) == {"expansion": 1200_00}
    assert value(of(*lines, accounts=accounts), "customers") == 2
    assert moved(of(*lines)) == {"churned": 1200_00, "new": 2400_00}


def test_currency_makes_no_movement_and_counts_at_the_plans_rate():
    company = of(line(currency="USD"), line("B"), settings={"plan_rates": {"USD": 5.5}})
    assert value(company, "arr") == 1200_00 * 5.5 + 1200_00
    rates = [{"currency": "USD", "month": f"2026-0{m}-01", "rate_to_reporting": 4.0 + m} for m in range(1, 9)]
    company = of(line(currency="USD"), fx_rates=rates)
    assert value(company, "arr") == 1200_00 * 5
    assert moved(company) == {}


def test_a_currency_without_any_rate_is_named_and_not_dropped():
    found = measurement(of(line(currency="USD"), line("B")), "arr")
    assert (found.value, found.status, found.reason) == (None, "not_applicable", "needs fx_rates.rate_to_reporting of USD")


def test_retention_of_a_customer_that_rose_and_fell_is_by_the_two_snapshots():
    # Source: the known answers. 100 → 130 → 90 within the year: snapshot GRR 90 %, not the event-sum's 60 %.
    company = of(
        line(end="2026-02-01"), line(mrr=130_00, start="2026-02-01", end="2026-07-01"), line(mrr=90_00, start="2026-07-01")
    )
    assert (value(company, "grr"), value(company, "nrr"), value(company, "logo_churn")) == (0.9, 0.9, 0)


def test_retention_follows_the_customers_of_a_year_before_only():
    company = of(
        line("A", end="2026-03-01"),
        line("B", end="2025-12-01"),
        line("B", mrr=150_00, start="2025-12-01"),
        line("C", mrr=500_00, start="2026-01-01"),
        line("D", end="2026-01-01"),
        line("D", mrr=110_00, start="2026-06-01", subscription_id="back"),
        line("E", mrr=50_00, start="2025-11-01", end="2026-02-01"),
    )
    found = measurements(company, ["nrr", "grr", "logo_churn", "arr_growth"])
    assert found["nrr"].value == pytest.approx((150 + 110) / 300)
    assert found["grr"].value == pytest.approx(200 / 300)
    assert found["logo_churn"].value == pytest.approx(1 / 3)
    assert found["arr_growth"].value == pytest.approx(760 / 300 - 1)
    assert {m.n for m in found.values()} == {3}
    assert {m.status for m in found.values()} == {"insufficient"}


def test_that_nobody_left_among_thirty_is_no_proof_that_nobody_leaves():
    found = measurements(of(*(line(f"c{n}") for n in range(30))), ["grr", "nrr", "logo_churn"])
    assert {m.status for m in found.values()} == {"insufficient"}
    assert (found["grr"].value, found["grr"].high) == (1, 1)
    assert found["grr"].low == pytest.approx(1 - found["logo_churn"].high)


def test_retention_without_indexation_takes_the_uplift_out():
    company = of(line(end="2026-04-01"), line(mrr=105_00, start="2026-04-01", change_reason="indexation"))
    assert value(company, "nrr") == pytest.approx(1.05)
    assert value(company, "nrr_before_indexation") == 1


def test_nobody_a_year_before_is_not_applicable():
    found = measurement(of(line(start="2026-01-01")), "nrr")
    assert (found.value, found.status, found.n) == (None, "not_applicable", 0)


def test_shares_of_opening_arr_add_up_to_growth_since_the_start_of_the_fiscal_year():
    company = of(
        line("A", mrr=300_00, end="2026-03-01"),
        line("B", mrr=700_00, end="2026-04-01"),
        line("B", mrr=735_00, start="2026-04-01", change_reason="indexation"),
        line("C", start="2026-02-01"),
        line("D", mrr=50_00, start="2024-01-01", end="2025-06-01"),
        line("D", mrr=50_00, start="2026-05-01", subscription_id="back"),
    )
    found = measurements(company, ["expansion", "indexation", "reactivation", "contraction", "churn"])
    assert {name: m.value for name, m in found.items() if m.value} == {"indexation": 0.035, "reactivation": 0.05, "churn": 0.3}
    quarter = Period(date(2026, 4, 1), date(2026, 6, 30))
    assert value(company, "churn", quarter) == 0
    assert value(company, "indexation", quarter) == 0.035


def test_a_fiscal_year_that_begins_in_july_has_its_own_opening():
    company = of(line(mrr=200_00, end="2026-08-01"), line("B"), settings={"fiscal_year_start": 7})
    assert company.period == Period(date(2026, 7, 1), date(2026, 9, 30))
    assert value(company, "churn") == pytest.approx(2 / 3)


def test_quick_ratio_and_mean_revenue_per_customer():
    company = of(line("A"), line("B", mrr=300_00, start="2026-02-01"), line("C", mrr=150_00, end="2026-05-01"))
    assert value(company, "quick_ratio") == 2
    assert value(company, "arpa") == 200_00


def test_lifetime_is_the_departures_of_twelve_months_by_age():
    # Twenty customers of age 11 months at the start of the window; five leave in the window's fourth month, at age 15.
    lines = [line(f"stay{i}", start="2024-11-01") for i in range(15)]
    lines += [line(f"go{i}", start="2024-11-01", end="2026-02-01") for i in range(5)]
    found = measurement(of(*lines), "customer_lifetime")
    assert found.value == pytest.approx(15 + 45 * 0.75)
    assert (found.n, found.status) == (20, "insufficient")


def test_a_lifetime_of_five_years_is_not_known_from_customers_of_fourteen_months():
    # Of 80 customers that came 14 months ago a quarter left after ten: 10 + 4 × ¾ months are known, 46 × ¾ more are not.
    lines = [line(f"stay{i}", start="2025-07-01") for i in range(60)]
    lines += [line(f"go{i}", start="2025-07-01", end="2026-05-01") for i in range(20)]
    lines += [line(f"young{i}", start="2026-06-01") for i in range(30)]
    found = measurement(of(*lines), "customer_lifetime")
    assert found.value == pytest.approx(10 + 50 * 0.75)
    assert (found.status, found.reason) == (
        "censored", "nobody was watched at an age of 15 months; the curve is carried on from there"
    )  # fmt: skip
    assert 12 < found.low < 10 + 5 * 0.75 and found.high > found.value


# --- conservation, by Hypothesis ------------------------------------------------------------------------------------------

days = st.integers(0, 800).map(lambda n: date(2024, 7, 1) + timedelta(days=n))


def paused(start, end=None, account="A", **more):
    return line(account, 0, start, end, change_reason="pause", **more)


def by_month(company, *metrics, start=date(2026, 4, 1)):
    frame = measure(company, metrics, every="month", period=Period(start, company.as_of))
    return {name: rows.value.tolist() for name, rows in frame.groupby("metric", sort=False)}


def test_a_pause_takes_the_money_and_not_the_customer():
    # A pays 100, pauses for May to July and pays 120 again; B pays 50 throughout.
    company = of(
        line(end="2026-05-01"), paused("2026-05-01", "2026-08-01"), line(mrr=120_00, start="2026-08-01"), line("B", 50_00)
    )
    found = by_month(company, "mrr", "customers", "logo_churn", "nrr")
    assert found["mrr"] == [150_00, 50_00, 50_00, 50_00, 170_00, 170_00]
    assert found["customers"] == [2] * 6 and found["logo_churn"] == [0] * 6
    assert found["nrr"] == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3, 170 / 150, 170 / 150])
    assert moved(company) == {"contraction": 1200_00, "expansion": 1440_00}
    assert measurement(company, "customer_lifetime").value == pytest.approx(
        measurement(of(line(), line("B")), "customer_lifetime").value
    )
    assert value(company, "expansion_by_cohort", Period(date(2026, 1, 1), date(2026, 1, 31))) == 0, "paying again is no growth"


def test_a_customer_that_leaves_from_a_pause_is_lost_when_the_pause_ends():
    company = of(line(end="2026-05-01"), paused("2026-05-01", "2026-07-01"), line("B", 50_00))
    found = by_month(company, "customers", "logo_churn", "contraction_arr", "churned_arr")
    assert found["customers"] == [2, 2, 2, 1, 1, 1] and found["logo_churn"] == [0, 0, 0, 0.5, 0.5, 0.5]
    assert sum(found["contraction_arr"]) == 1200_00 and sum(found["churned_arr"]) == 0, "its money was gone before"
    assert measurement(company, "churned_arr").n == 1


def test_a_pause_of_more_than_a_year_is_a_departure_and_paying_after_it_a_return():
    lines = (line(end="2025-06-01"), paused("2025-06-01", "2026-08-01"), line(start="2026-08-01"), line("B"))
    company = of(*lines)
    assert by_month(company, "customers")["customers"] == [2, 2, 1, 1, 2, 2]
    assert moved(company) == {"reactivation": 1200_00} and measurement(company, "churned_arr").n == 1
    still = of(*lines, as_of="2026-05-31")
    assert by_month(still, "customers")["customers"] == [2, 2] and value(still, "logo_churn") == 0


def test_only_who_has_paid_can_pause():
    never = of(paused("2026-05-01"), line("B"))
    assert by_month(never, "customers")["customers"] == [1] * 6 and measurement(never, "new_arr").n == 0
    at_once = of(line(start="2026-05-02", end="2026-05-20"), paused("2026-05-20", "2026-08-01"), line(start="2026-08-01"))
    assert by_month(at_once, "customers")["customers"] == [0, 1, 1, 1, 1, 1] and measurement(at_once, "new_arr").n == 1
    other = of(line(), line(product="q", end="2026-05-01"), paused("2026-05-01", product="q"))
    assert moved(other) == {"contraction": 1200_00} and by_month(other, "customers")["customers"] == [1] * 6


def test_a_price_index_at_the_end_of_a_pause_is_not_all_that_is_paid():
    again = line(mrr=105_00, start="2026-08-01", change_reason="indexation")
    assert moved(of(line(end="2026-05-01"), paused("2026-05-01", "2026-08-01"), again)) == {
        "contraction": 1200_00,
        "expansion": 1260_00,
    }


@st.composite
def books(draw):
    """Subscription lines of a few customers: overlapping, gapped, indexed, ended or not."""
    lines = []
    for number in range(draw(st.integers(1, 20))):
        start = draw(days)
        end = draw(st.none() | st.integers(1, 400).map(lambda n, s=start: s + timedelta(days=n)))
        lines.append(
            line(
                draw(st.sampled_from("ABCDE")), draw(st.integers(1, 99_999)), start.isoformat(), end and end.isoformat(),
                draw(st.sampled_from("pq")), subscription_id=f"s{number % 5}",
                change_reason=draw(st.sampled_from([None, "indexation", "expansion", "pause"])),
            )
        )  # fmt: skip
        lines[-1]["mrr"] *= lines[-1]["change_reason"] != "pause"
    unique = {(each["subscription_id"], each["starts_on"]): each for each in lines}
    return list(unique.values())


@given(books())
@settings(max_examples=8, deadline=None)
def test_opening_and_movements_make_closing_to_the_cent_in_total_and_by_segment(lines):
    accounts = [{"account_id": a, "segment": "SMB" if a in "AB" else "Enterprise"} for a in "ABCDE"]
    company = company_of(subscriptions=lines, accounts=accounts)
    span = Period(date(2024, 7, 1), date(2026, 9, 30))
    for by in ("", "segment"):
        frame = measure(company, ["arr", "net_new_arr", *UP, *DOWN], by=by, every="quarter", period=span)
        wide = frame.pivot(index=["member", "period_end"], columns="metric", values="value")
        wide = wide.reindex(columns=["arr", "net_new_arr", *UP, *DOWN]).fillna(0)  # where nothing lasts to a quarter's end
        sums = sum(wide[name] for name in UP) - sum(wide[name] for name in DOWN)
        assert (sums == wide.net_new_arr).all()
        for _, member in wide.groupby(level="member"):
            assert (member.arr.diff().iloc[1:] == member.net_new_arr.iloc[1:]).all()
            assert member.arr.iloc[0] == member.net_new_arr.iloc[0]


def live(lines, day, grace=30):
    """The oracle: MRR of each customer on a day, line by line, with gaps bridged."""
    total = {}
    for each in lines:
        start, end = date.fromisoformat(each["starts_on"]), each["ends_on"] and date.fromisoformat(each["ends_on"])
        if end and end > date(2026, 9, 30):
            end = None
        if end:
            same = [
                date.fromisoformat(o["starts_on"])
                for o in lines
                if (o["account_id"], o["product"]) == (each["account_id"], each["product"])
            ]
            restarts = [s for s in same if end <= s <= end + timedelta(days=grace) and s <= date(2026, 9, 30)]
            end = min(restarts, default=end)
        if start <= day and (end is None or day < end):
            total[each["account_id"]] = total.get(each["account_id"], 0) + each["mrr"]
    return {account: mrr for account, mrr in total.items() if mrr}


@given(books())
@settings(max_examples=15, deadline=None)
def test_arr_and_retention_agree_with_a_plain_reading_of_the_lines(lines):
    company = company_of(subscriptions=lines)
    months = windows(Period(date(2026, 1, 1), date(2026, 9, 30)), "month")
    frame = measure(company, ["mrr", "nrr", "grr"], every="month").set_index(["metric", "period_end"])
    for month in months:
        now, then = live(lines, month.end), live(lines, month_end(add_months(month.end, -12)))
        assert frame.value["mrr", month.end] == sum(now.values())
        if then:
            kept, base = sum(now.get(c, 0) for c in then), sum(then.values())
            assert frame.value["nrr", month.end] == pytest.approx(float(Fraction(kept, base)))
            assert frame.value["grr", month.end] == pytest.approx(sum(min(now.get(c, 0), m) for c, m in then.items()) / base)
        else:
            assert frame.status["nrr", month.end] == "not_applicable"


@given(books())
@settings(max_examples=8, deadline=None)
def test_lines_that_start_or_end_later_never_change_an_earlier_report(lines):
    early = date(2026, 3, 31)
    known = [
        {**each, "ends_on": each["ends_on"] if each["ends_on"] and each["ends_on"] <= early.isoformat() else None}
        for each in lines
        if each["starts_on"] <= early.isoformat()
    ]
    if known:
        ids = ["arr", *UP, *DOWN, "nrr"]
        full, cut = (measure(company_of(as_of=early, subscriptions=rows), ids) for rows in (lines, known))
        assert full.equals(cut)


# --- third-party data -----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not PLAYBOOK.is_file(), reason="third-party data folder ../shared/data/dbt_mrr_playbook is absent")
def test_a_peak_is_found_and_ends_after_the_date_are_no_churn():
    # Source: the known answers, dbt-labs' MRR playbook. MRR peaks at 1,840 in November 2019; the fall in January 2020 is the end
    # of the extract, and nothing of it is known on the last day before.
    rows = pd.read_csv(PLAYBOOK, dtype=str)
    lines = [line(r.customer_id, int(r.monthly_amount) * 100, r.start_date, r.end_date, subscription_id=r.subscription_id)
             for r in rows.itertuples()]  # fmt: skip
    company = of(*lines, as_of="2019-12-31")
    months = measure(company, "mrr", every="month", period=Period(date(2018, 1, 1), date(2019, 12, 31)))
    months = months.set_index("period_end").value
    assert (months.idxmax(), months.max(), months.iloc[-1]) == (date(2019, 11, 30), 1840_00, 1255_00)
    after = measurement(company, "churned_arr", Period(date(2020, 1, 1), date(2020, 1, 31)))
    assert (after.value, after.reason) == (None, "the period has not begun")
