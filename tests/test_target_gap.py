"""The gap to plan: our known table, hand-worked companies with and without tables, and what acting jointly is worth."""

import math
from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revops_helpers.finding import Finding
from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.model.company import Unavailable
from revops_helpers.optimization.drivers import CHAINS
from revops_helpers.optimization.target_gap import assemble, gap_to_plan, joint_value, whole_cents
from revops_helpers.periods import Period
from tests.support import company_of

NINE_MONTHS = Period(date(2026, 1, 1), date(2026, 9, 30))
# Shared known answers, "Plan gap (ours)", in whole units; deals are all decided and nothing is indexed or reactivated.
PLAN = {
    "leads": 6000,
    "lead_to_opportunity": 0.10,
    "decided_share": 1,
    "win_rate": 0.25,
    "deal_size": 60_000,
    "live_share": 0.80,
    "expansion": 0.14,
    "indexation": 0,
    "reactivation": 0,
    "contraction": 0.02,
    "churn": 0.08,
}
ACTUAL = PLAN | {
    "leads": 6300,
    "lead_to_opportunity": 0.088,
    "win_rate": 0.235,
    "deal_size": 58_000,
    "live_share": 0.76,
    "expansion": 0.125,
    "churn": 0.10,
}
OUTCOME = Measurement(5_842_919, unit="money", currency="BRL", definition_id="net_new_arr")


def gap_of(actual=None, plan=None, outcome=OUTCOME, total=8_000_000, basis="plan"):
    compared = {name: ((plan or PLAN)[name], measured(value), "plan") for name, value in (actual or ACTUAL).items()}
    planned = None if total is None else Measurement(total, unit="money", currency="BRL", definition_id="net_new_arr")
    return assemble(NINE_MONTHS, basis, compared, outcome, planned, 20_000_000, pd.DataFrame())


def measured(value):
    return value if isinstance(value, Measurement) else Measurement(value, n=100)


def effects(gap):
    return {driver.id: driver.effect.value for driver in gap.drivers}


def test_the_known_table():
    gap = gap_of()
    expected = {
        "leads": 315_384,
        "lead_to_opportunity": -823_586,
        "decided_share": 0,
        "win_rate": -399_137,
        "deal_size": -218_802,
        "live_share": -330_941,
        "expansion": -300_000,
        "indexation": 0,
        "reactivation": 0,
        "contraction": 0,
        "churn": -400_000,
    }
    assert effects(gap) == pytest.approx(expected, abs=1)
    assert gap.difference.value == -2_157_081
    assert gap.subtotals["retention"].value == -700_000
    assert gap.subtotals["new_business"].value == -1_457_081
    assert (gap.plan_mismatch.value, gap.unexplained.value) == (0, 0)


def sums_up(gap):
    parts = [gap.plan.value, gap.plan_mismatch.value, *effects(gap).values(), gap.unexplained.value]
    return sum(parts) == gap.actual.value and sum(s.value for s in gap.subtotals.values()) == sum(effects(gap).values())


shares = st.floats(0, 2).map(lambda x: round(x, 4))
sides = st.fixed_dictionaries(
    dict.fromkeys(PLAN, shares) | {"leads": st.integers(0, 9000), "deal_size": st.integers(0, 9_000_000)}
)


@given(sides, sides, st.integers(-(10**9), 10**9), st.none() | st.integers(-(10**9), 10**9))
@settings(max_examples=40, deadline=None)
def test_every_cent_is_on_some_line(plan, actual, outcome, total):
    gap = gap_of(actual, plan, Measurement(outcome, unit="money", currency="BRL", definition_id="net_new_arr"), total)
    assert sums_up(gap)
    if total is None:
        assert gap.plan_mismatch.value == 0


def test_what_the_drivers_do_not_make_has_its_own_lines():
    outcome = Measurement(5_842_999, unit="money", currency="BRL", definition_id="net_new_arr")
    gap = gap_of(outcome=outcome, total=8_000_500)
    assert gap.plan_mismatch.value == -500
    assert gap.unexplained.value == 80
    assert sums_up(gap)


def test_a_driver_without_a_value_takes_none_of_the_gap():
    nothing_won = ACTUAL | {"win_rate": 0, "deal_size": not_applicable("nothing was won"), "live_share": not_applicable("none")}
    gap = gap_of(nothing_won)
    assert gap.driver("deal_size").effect.value == 0
    assert gap.driver("deal_size").effect.status == "not_applicable"
    assert gap.driver("deal_size").effect.reason == "nothing was won"
    assert sums_up(gap)


def test_only_what_is_clear_of_noise_is_a_shortfall():
    noisy = ACTUAL | {
        "lead_to_opportunity": Measurement(0.088, n=6300, low=0.081, high=0.095),
        "win_rate": Measurement(0.235, n=550, low=0.20, high=0.272),
        "churn": Measurement(0.10, n=9, low=0.09, high=0.11, status="insufficient", reason="fewer than 20 events"),
    }
    gap = gap_of(noisy)
    names = [driver.id for driver in gap.shortfalls()]
    assert names[0] == "lead_to_opportunity"
    assert "win_rate" not in names
    assert "churn" not in names
    assert gap.driver("churn").effect.status == "insufficient"
    assert gap.driver("win_rate").effect.low < gap.driver("win_rate").effect.value < gap.driver("win_rate").effect.high


def test_a_stake_is_the_effect_over_twelve_months():
    stake = gap_of(ACTUAL | {"churn": Measurement(0.10, n=90, low=0.09, high=0.12)}).stake("churn")
    assert stake.value == round(400_000 * 12 / 9)
    assert (stake.low, stake.high) == pytest.approx((200_000 * 12 / 9, 800_000 * 12 / 9))


def finding(kind="growth", **levers):
    known = Measurement(1, unit="money", currency="BRL")
    words = {"headline": "h", "action": "a", "confidence": "high", "evidence": "e", "owner": "o", "metric": "m"}
    return Finding(id="f", phase="p", stake=known, review_on=date(2026, 12, 31), kind=kind, levers=levers, **words)


def test_one_lever_is_worth_what_it_changes():
    gap = gap_of(ACTUAL | {"churn": Measurement(0.10, n=90, low=0.09, high=0.11)})
    worth = joint_value(gap, [finding(churn=0.08)])
    assert worth.value == round(400_000 * 12 / 9)
    assert worth.low == pytest.approx(200_000 * 12 / 9)
    assert worth.high == pytest.approx(400_000 * 12 / 9)  # never more than the shortfall


def test_overlapping_levers_count_once_and_the_best_wins():
    gap = gap_of()
    once = joint_value(gap, [finding(churn=0.09)])
    assert joint_value(gap, [finding(churn=0.09), finding(churn=0.095), finding(churn=0.12)]) == once
    assert once.value == round(200_000 * 12 / 9)


def test_actions_never_add_up_to_more_than_the_gap():
    gap = gap_of()
    everything = joint_value(gap, [finding(**{name: value}) for name, value in PLAN.items()])
    assert everything.value == round(2_157_081 * 12 / 9)
    beyond = joint_value(gap, [finding(churn=0.0)])
    assert beyond.value == round(400_000 * 12 / 9)


def test_cost_findings_unknown_levers_and_levers_that_are_worse_add_nothing():
    gap = gap_of()
    assert joint_value(gap, []).value == 0
    assert joint_value(gap, [finding("cost", churn=0.08), finding(headcount=3), finding(churn=0.2)]).value == 0


@given(st.dictionaries(st.sampled_from(sorted(PLAN)), shares, max_size=5))
@settings(max_examples=30, deadline=None)
def test_joint_value_is_never_negative_nor_above_the_gap(levers):
    gap = gap_of()
    worth = joint_value(gap, [finding(**levers)]).value
    assert 0 <= worth <= round(-gap.difference.value * gap.per_year)


def test_whole_cents_keep_the_sum():
    assert whole_cents({"a": 1.5, "b": 1.5, "c": -1.0}, 2) == {"a": 2, "b": 1, "c": -1}
    assert whole_cents({"a": 0.4, "b": 0.4, "c": 0.2}, 1) == {"a": 1, "b": 0, "c": 0}


# --- from tables ---------------------------------------------------------------------------------------------------------

SUBSCRIPTIONS = [
    {"subscription_id": "s1", "account_id": "a1", "mrr": 100_000, "starts_on": "2024-03-01", "ends_on": None},
    {"subscription_id": "s2", "account_id": "a2", "mrr": 50_000, "starts_on": "2024-03-01", "ends_on": "2026-05-01"},
    {"subscription_id": "s3", "account_id": "a3", "mrr": 30_000, "starts_on": "2026-03-01", "ends_on": None},
    {"subscription_id": "s4", "account_id": "a4", "mrr": 10_000, "starts_on": "2025-03-01", "ends_on": None},
]
DEALS = [
    {"opportunity_id": "d1", "account_id": "a3", "created_at": "2026-01-10", "closed_at": "2026-02-10", "status": "won"},
    {"opportunity_id": "d2", "account_id": "a5", "created_at": "2026-01-10", "closed_at": "2026-02-20", "status": "lost"},
    {"opportunity_id": "d3", "account_id": "a4", "created_at": "2025-01-10", "closed_at": "2025-02-20", "status": "won"},
    {"opportunity_id": "d4", "account_id": "a6", "created_at": "2026-08-10", "closed_at": None, "status": "open"},
]
DEALS = [deal | {"kind": "new", "amount": 360_000, "close_date": deal["closed_at"]} for deal in DEALS]
LEADS = [{"lead_id": f"l{i}", "created_at": f"2026-0{i}-05"} for i in range(1, 7)]
LEADS += [{"lead_id": f"m{i}", "created_at": f"2025-0{i}-05"} for i in range(1, 5)]
RECORDS = {"records_start": {"leads": "2025-01-01", "opportunities": "2025-01-01", "subscriptions": "2024-03-01"}}


def targets(**values):
    return [{"period_start": "2026-01-01", "period_end": "2026-09-30", "metric": m, "value": v} for m, v in values.items()]


def company(**tables):
    everything = {"subscriptions": SUBSCRIPTIONS, "opportunities": DEALS, "leads": LEADS} | tables
    return company_of(settings=RECORDS, **{name: rows for name, rows in everything.items() if rows is not None})


def test_a_hand_worked_company_against_its_plan():
    """1,920,000 opening ARR a year; 360,000 new; 600,000 churned."""
    plan = targets(leads=8, lead_to_opportunity=0.5, win_rate=0.5, churn=0.1, net_new_arr=5_000)
    gap = gap_to_plan(company(targets=plan))
    assert gap.basis == "plan"
    assert gap.plan.value == 500_000
    assert gap.actual.value == 360_000 - 600_000
    assert gap.opening_arr == 12 * 160_000
    assert gap.driver("leads").actual.value == 6
    assert gap.driver("lead_to_opportunity").actual.value == 0.5
    assert gap.driver("decided_share").basis == "last_year"
    assert gap.driver("deal_size").plan == 360_000
    assert gap.unexplained.value == 0
    assert sums_up(gap)
    assert gap.progress.actual.tolist()[:5] == [0, 0, 360_000, 360_000, -240_000]
    assert gap.progress.actual.isna().tolist() == [False] * 9 + [True] * 3
    assert gap.progress.plan.isna().all()


def test_monthly_plans_make_the_plan_line():
    months = pd.period_range("2026-01", "2026-12", freq="M")
    plan = [
        {"period_start": m.start_time.date(), "period_end": m.end_time.date(), "metric": "net_new_arr", "value": 100.0}
        for m in months
    ]
    gap = gap_to_plan(company(targets=plan))
    assert gap.plan.value == 90_000
    assert gap.progress.plan.tolist() == [10_000 * (i + 1) for i in range(12)]


def test_a_period_over_two_fiscal_years_holds_each_year_to_its_own_opening_arr():
    """The plans of both years add up although their openings, rates and deals differ: 1.8 M opens 2025, 1.92 M opens 2026."""
    months = pd.period_range("2025-10", "2026-09", freq="M")
    rows = []
    for number, month in enumerate(months):
        old = month.year == 2025
        drivers = {"leads": 10 + number, "lead_to_opportunity": 0.2 if old else 0.1, "decided_share": 1, "win_rate": 0.5}
        drivers |= {
            "deal_size": 1_000 if old else 3_000,
            "live_share": 0.8,
            "expansion": 0.01,
            "indexation": 0,
            "reactivation": 0,
        }
        drivers |= {"contraction": 0, "churn": 0.02 if old else 0.03}
        kept = (18_000 if old else 19_200) * (drivers["expansion"] - drivers["churn"])
        new = math.prod(drivers[n] for n in CHAINS[0])
        span = {"period_start": month.start_time.date(), "period_end": month.end_time.date()}
        rows += [span | {"metric": n, "value": v} for n, v in (drivers | {"net_new_arr": round(new + kept, 2)}).items()]
    known = {"subscriptions": SUBSCRIPTIONS, "opportunities": DEALS, "leads": LEADS, "targets": rows}
    gap = gap_to_plan(company_of(settings=RECORDS, period_name="t12m", **known))
    assert gap.period == Period(date(2025, 10, 1), date(2026, 9, 30))
    assert gap.plan.value == round(sum(row["value"] for row in rows if row["metric"] == "net_new_arr") * 100)
    assert abs(gap.plan_mismatch.value) <= 12  # each month's target is rounded to the cent
    assert gap.unexplained.value == 0 and sums_up(gap)
    assert gap.driver("leads").plan == sum(10 + n for n in range(12))


def test_without_a_plan_the_year_before_is_the_yardstick():
    gap = gap_to_plan(company())
    assert gap.basis == "last_year"
    assert gap.plan.value == 120_000  # s4 came in March 2025
    assert {driver.basis for driver in gap.drivers} == {"last_year"}
    opening = gap.driver("opening_arr")
    assert (opening.plan, opening.actual.value) == (12 * 150_000, 12 * 160_000)
    assert (opening.actual.unit, opening.actual.currency) == ("money", "BRL")
    assert len(gap.drivers) == 12
    assert gap.plan_mismatch.value == 0
    assert sums_up(gap)


def test_without_leads_the_deals_opened_come_first():
    gap = gap_to_plan(company(leads=None))
    assert gap.drivers[0].id == "opportunities_opened"
    assert "leads" not in effects(gap)
    assert gap.actual.value == -240_000
    assert sums_up(gap)


def test_without_deals_new_arr_is_one_driver():
    gap = gap_to_plan(company(leads=None, opportunities=None))
    assert gap.drivers[0].id == "new_arr"
    assert gap.driver("new_arr").effect.value == 360_000 - 120_000
    assert sums_up(gap)


def test_without_subscriptions_the_outcome_is_what_was_won():
    gap = gap_to_plan(company(subscriptions=None))
    assert gap.outcome == "new_arr_won"
    assert [driver.id for driver in gap.drivers] == ["leads", "lead_to_opportunity", "decided_share", "win_rate", "deal_size"]
    assert (gap.actual.value, gap.plan.value) == (360_000, 360_000)
    assert set(gap.subtotals) == {"new_business"}
    assert sums_up(gap)


def test_neither_a_plan_nor_a_year_before_is_said():
    young = company_of(settings={"records_start": {"opportunities": "2026-01-01", "leads": "2026-01-01"}}, opportunities=DEALS)
    with pytest.raises(Unavailable, match="targets"):
        gap_to_plan(young)


def test_a_driver_without_any_comparison_has_no_effect_and_says_so():
    """Leads were not kept a year before; the rest is planned."""
    late = {"records_start": RECORDS["records_start"] | {"leads": "2025-06-01"}}
    tables = {"subscriptions": SUBSCRIPTIONS, "opportunities": DEALS, "leads": LEADS, "targets": targets(win_rate=0.9)}
    gap = gap_to_plan(company_of(settings=late, **tables))
    assert gap.driver("leads").basis == "none"
    assert gap.driver("leads").effect.value == 0
    assert gap.driver("leads").effect.status == "not_applicable"
    assert gap.driver("win_rate").basis == "plan"
    assert sums_up(gap)


def test_a_company_without_deals_and_subscriptions_is_told_what_is_missing():
    with pytest.raises(Unavailable, match=r"needs subscriptions, opportunities"):
        gap_to_plan(company_of(leads=LEADS))
