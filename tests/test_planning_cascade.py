"""The cascade: hand-worked numbers, the identity both ways, what cannot be told; simulations that are closed forms at rest."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.methods.simulation import drawn, people_at_work, random_totals
from revops_helpers.model.company import Unavailable
from revops_helpers.optimization.drivers import CHAINS, SIGNS
from revops_helpers.periods import Period
from revops_helpers.planning.cascade import assemble, by_member, forwards, next_year, rest_of_year
from revops_helpers.words.checks import cascade_gives_the_target
from tests.support import company_of
from tests.test_target_gap import DEALS, LEADS, RECORDS, SUBSCRIPTIONS

YEAR = Period(date(2027, 1, 1), date(2027, 12, 31))
SEEN = Period(date(2026, 1, 1), date(2026, 9, 30))
CHAIN, KEPT = CHAINS[0], tuple(SIGNS)
PLAN = {
    "lead_to_opportunity": 0.1,
    "decided_share": 1.0,
    "win_rate": 0.25,
    "deal_size": 60_000_00,
    "live_share": 0.8,
    "expansion": 0.14,
    "indexation": 0.0,
    "reactivation": 0.0,
    "contraction": 0.02,
    "churn": 0.08,
}
MONTHS = pd.period_range("2027-01", "2027-12", freq="M")
PROFILE = pd.DataFrame({"month_end": [m.end_time.date() for m in MONTHS], "share": [0.1] * 6 + [1 / 15] * 6})


def goal_of(units: float) -> Measurement:
    return Measurement(round(units * 100), unit="money", currency="BRL", definition_id="net_new_arr")


def cascade(goal=8_000_000, now=None, plan=None, chain=CHAIN, kept=KEPT, opening=20_000_000_00):
    today = {
        name: Measurement(value, n=100) for name, value in (PLAN | (now or {})).items() if not isinstance(value, Measurement)
    }
    today |= {name: value for name, value in (now or {}).items() if isinstance(value, Measurement)}
    today = {name: today[name] for name in (*chain[1:], *kept)}
    more = {"profile": PROFILE, "horizon": YEAR, "observed": SEEN, "whence": "own", "unplanned": ()}
    return assemble(chain, kept, goal_of(goal), opening, PLAN | (plan or {}), today, **more)


def needs(plan, side="needed_plan"):
    return {step.id: getattr(step, side).value for step in plan.steps}


def test_a_hand_worked_cascade():
    """Customers bring 4 % of 20 M; 7.2 M of new ARR ÷ .8 ÷ 60 k ÷ .25 ÷ 1 ÷ .1 is 6,000 leads."""
    plan = cascade()
    assert plan.retention_plan.value == pytest.approx(800_000_00)
    assert needs(plan) == pytest.approx(
        {"new_arr": 7_200_000_00, "new_arr_won": 9_000_000_00, "deals_won": 150, "deals_decided": 600,
         "opportunities_opened": 600, "leads": 6_000}
    )  # fmt: skip
    assert needs(plan, "needed_now") == needs(plan)
    assert plan.first.id == "leads" and plan.months.plan_leads.tolist() == pytest.approx([600] * 6 + [400] * 6)


def test_halving_a_rate_doubles_what_stands_before_it_and_nothing_after():
    plan = cascade(now={"win_rate": 0.125})
    assert needs(plan, "needed_now")["leads"] == pytest.approx(12_000)
    assert needs(plan, "needed_now")["deals_won"] == pytest.approx(150)


rates = st.floats(0.01, 3).map(lambda x: round(x, 4))


@given(st.fixed_dictionaries(dict.fromkeys(PLAN, rates) | {"deal_size": st.integers(1, 10**9)}), st.integers(-(10**7), 10**8))
@settings(max_examples=50, deadline=None)
def test_forwards_gives_the_target_again(now, goal):
    plan = cascade(goal, now=now)
    assert cascade_gives_the_target(plan)
    if plan.first.needed_now.value:
        assert forwards(plan, planned_rates=False) == pytest.approx(plan.target.value, abs=1, rel=1e-9)


def test_a_target_that_customers_meet_alone_needs_nothing():
    plan = cascade(700_000)
    assert set(needs(plan).values()) == {0.0}
    assert plan.first.needed_plan.reason == "what customers add meets the target alone"
    assert forwards(plan) > plan.target.value


@pytest.mark.parametrize("rate", [0.0, not_applicable("nothing was won")])
def test_no_win_reaches_no_target_and_says_why(rate):
    plan = cascade(now={"win_rate": rate})
    assert plan.first.needed_now.value is None
    assert "win_rate is not known" in plan.first.needed_now.reason
    assert plan.step("deals_won").needed_now.value == pytest.approx(150)
    assert plan.first.needed_plan.value == pytest.approx(6_000)
    assert cascade_gives_the_target(plan)


def test_today_s_rates_carry_their_intervals_into_the_need():
    plan = cascade(now={"win_rate": Measurement(0.25, n=400, low=0.21, high=0.295)})
    leads = plan.first.needed_now
    assert leads.low == pytest.approx(6_000 * 0.25 / 0.295, rel=0.03) and leads.high == pytest.approx(
        6_000 * 0.25 / 0.21, rel=0.03
    )
    assert plan.step("deals_won").needed_now.exact
    order = plan.scenarios.leads.tolist()
    assert order == sorted(order) and leads.low < order[0] and order[2] < leads.high


def test_a_rate_is_drawn_the_same_whatever_else_is():
    wide = Measurement(0.5, n=9, low=0.2, high=0.8)
    assert (drawn({"a": wide}, 50, 1)["a"] == drawn({"b": wide, "a": wide}, 50, 1)["a"]).all()
    assert (drawn({"a": 3.0}, 5, 1)["a"] == 3.0).all()
    assert np.isnan(drawn({"a": not_applicable("no")}, 5, 1)["a"]).all()


def test_draws_have_the_interval_that_they_are_drawn_from():
    found = drawn(
        {"rate": Measurement(0.2, n=50, low=0.1, high=0.3), "share": Measurement(0.1, n=50, low=0.0, high=0.3)}, 40_000, 3
    )
    assert np.quantile(found["rate"], [0.025, 0.5, 0.975]) == pytest.approx([0.1, 0.2, 0.3], rel=0.03)
    assert found["share"].min() == 0 and np.quantile(found["share"], 0.975) == pytest.approx(0.3, rel=0.03)


# --- people --------------------------------------------------------------------------------------------------------------

RAMP = np.array([0.0, 0.25, 0.5, 0.75])[:, None]


def at_work(starts, months=range(1, 13), ramp=RAMP, hazard=0.0, draws=3):
    return people_at_work(starts, months, np.repeat(ramp, draws, axis=1), np.full(draws, hazard), seed=5)


def test_without_uncertainty_capacity_is_a_sum():
    """One tenured (12 full months), one of two months, one who begins in the third month."""
    found = at_work([-40, -2, 3])
    assert found.shape == (3, 12, 3)
    assert found.sum(axis=1)[:, 0].tolist() == [12.0, 0.75 + 11, 0.25 + 0.5 + 0.75 + 6]
    assert (found == found[:, :, :1]).all()
    assert random_totals(found.sum(axis=0), 0, 1).tolist() == found.sum(axis=0).tolist()


def test_leaving_is_geometric():
    found = at_work([-99] * 4000, hazard=0.1, draws=20).mean(axis=(0, 2))
    assert found == pytest.approx(np.exp(-0.1 * np.arange(1, 13)), abs=0.01)


def test_nobody_works_before_they_begin_and_a_negative_hazard_is_refused():
    assert at_work([8])[:, :7].sum() == 0
    with pytest.raises(ValueError, match="below zero"):
        at_work([1], hazard=-0.1)


@given(st.lists(st.integers(-30, 10), max_size=6), st.integers(-30, 10), st.floats(0, 0.5), st.floats(0, 50))
@settings(max_examples=40, deadline=None)
def test_one_more_person_never_wins_less_in_any_draw(starts, another, hazard, dispersion):
    fewer, more = (
        random_totals(at_work(people, hazard=hazard, draws=40).sum(axis=(0, 1)), dispersion, 7)
        for people in (starts, [*starts, another])
    )
    assert (more >= fewer - 1e-9).all()


def test_random_totals_have_their_mean_and_variance():
    total = random_totals(np.full(100_000, 600.0), 20.0, 1)
    assert total.mean() == pytest.approx(600, rel=0.005) and total.var() == pytest.approx(20 * 600, rel=0.02)
    assert random_totals(np.zeros(4), 20.0, 1).tolist() == [0, 0, 0, 0]


# --- from tables ---------------------------------------------------------------------------------------------------------


def months_of(year, **values):
    rows = [(pd.Timestamp(year, m, 1).date(), (pd.Timestamp(year, m, 1) + pd.offsets.MonthEnd()).date()) for m in range(1, 13)]
    return [{"period_start": a, "period_end": b, "metric": n, "value": v} for a, b in rows for n, v in values.items()]


def company(targets=(), **more):
    tables = {"subscriptions": SUBSCRIPTIONS, "opportunities": DEALS, "leads": LEADS, "targets": list(targets)} | more
    return company_of(settings=RECORDS, **{n: rows for n, rows in tables.items() if rows is not None})


def test_next_year_takes_its_own_target_else_this_year_s_once_more():
    own = next_year(company(months_of(2027, net_new_arr=1_000.0)))
    assert (own.whence, own.target.value, own.horizon) == ("own", 1_200_000, YEAR)
    again = next_year(company(months_of(2026, net_new_arr=500.0)))
    assert (again.whence, again.target.value) == ("this_year", 600_000)
    assert again.unplanned and again.months["share"].sum() == pytest.approx(1)


def test_the_rest_of_the_year_is_what_is_left_of_its_target():
    rest = rest_of_year(company(months_of(2026, net_new_arr=500.0)))
    assert rest.target.value == 600_000 - (360_000 - 600_000)  # the year has lost 240,000 so far
    assert rest.horizon == Period(date(2026, 10, 1), date(2026, 12, 31))
    assert rest.opening == 12 * 160_000
    over = company_of(as_of="2025-12-31", settings=RECORDS, subscriptions=SUBSCRIPTIONS, opportunities=DEALS,
                      targets=months_of(2025, net_new_arr=1.0))  # fmt: skip
    with pytest.raises(Unavailable, match="months that are left"):
        rest_of_year(over)


def test_without_a_target_it_says_so_and_without_leads_it_begins_with_deals():
    with pytest.raises(Unavailable, match="needs targets of net_new_arr"):
        next_year(company())
    plan = next_year(company(months_of(2026, net_new_arr=500.0), leads=None))
    assert plan.first.id == "opportunities_opened"
    bare = next_year(company(months_of(2026, net_new_arr=500.0), leads=None, opportunities=None))
    assert [step.id for step in bare.steps] == ["new_arr"]
    won = next_year(company(months_of(2026, new_arr_won=500.0), subscriptions=None))
    assert won.steps[-1].id == "new_arr_won" and won.opening == 0


def test_a_split_adds_up_to_the_need():
    leads = [lead | {"source": "web" if i % 3 else "event"} for i, lead in enumerate(LEADS)]
    whole = company(months_of(2026, net_new_arr=500.0), leads=leads)
    plan = next_year(whole)
    frame = by_member(whole, plan, "leads", "source")
    assert frame["share"].sum() == pytest.approx(1) and frame.needed_now.sum() == pytest.approx(plan.first.needed_now.value)
    with pytest.raises(Unavailable):
        by_member(whole, plan, "leads", "campaign")


def test_rows_stamped_later_change_nothing():
    before = next_year(company(months_of(2026, net_new_arr=500.0)))
    later = [{"lead_id": "new", "created_at": "2026-10-05"}]
    after = next_year(company(months_of(2026, net_new_arr=500.0), leads=[*LEADS, *later]))
    assert needs(before, "needed_now") == needs(after, "needed_now")
    assert not math.isnan(before.first.needed_now.value)
