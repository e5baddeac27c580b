"""Sellers: who sells, how they ramp and leave, what is asked of them, how they forecast; hand-worked and bad companies."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from revops_helpers.measurement import Measurement
from revops_helpers.metrics import sellers
from revops_helpers.metrics.measure import measurement, measurements
from revops_helpers.model.company import Unavailable
from revops_helpers.periods import Period
from revops_helpers.planning.capacity import Team, capacity, ramp_curve, simulate, team, yearly
from revops_helpers.planning.habits import habits, judged, under_way
from revops_helpers.planning.quotas import quota_of, quotas
from tests.support import company_of
from tests.test_planning_cascade import cascade, months_of

RECORDS = {"records_start": {"opportunities": "2025-01-01"}}
HOURS = {"working_hours": {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "09:00", "end": "17:00", "country": "BR"}}


def user(id, hired, left=None, role="ae", team="A"):
    return {"user_id": id, "role": role, "team": team, "hired_on": hired, "left_on": left}


def won(n, owner, closed, amount=100_00, status="won", kind="new"):
    return {"opportunity_id": f"d{n}", "owner_id": owner, "status": status, "kind": kind, "amount": amount,
            "created_at": "2025-01-02", "closed_at": f"{closed} 12:00", "close_date": closed,
            "account_id": f"a{n}", "lost_reason": None}  # fmt: skip


def a_deal_a_month(owner, first, months, start=0, amount=100_00):
    days = pd.date_range(first, periods=months, freq="MS") + pd.Timedelta(days=9)
    return [won(start + i, owner, str(day.date()), amount) for i, day in enumerate(days)]


# --- who and how fast ----------------------------------------------------------------------------------------------------


def test_a_role_sells_when_half_of_it_has_owned_new_business():
    people = [user("u1", "2020-01-01"), user("u2", "2026-09-01"), user("u3", "2020-01-01", role="csm"),
              user("u4", "2020-01-01", role="csm"), user("u5", "2020-01-01", role="csm"),
              user("u6", "2020-01-01", role="boss")]  # fmt: skip
    deals = [
        won(1, "u1", "2026-02-01"),
        won(2, "u3", "2026-02-01"),
        won(3, "u4", "2026-02-01", kind="expansion"),
        won(4, "u6", "2026-02-01"),
    ]
    found = sellers.sellers(company_of(users=people, opportunities=deals)).to_pandas()
    assert sorted(found.user_id) == ["u1", "u2", "u6"]


def test_without_roles_those_who_owned_new_business_sell():
    people = [{"user_id": u, "hired_on": "2020-01-01", "left_on": None} for u in ("u1", "u2")]
    assert sellers.sellers(company_of(users=people, opportunities=[won(1, "u1", "2026-02-01")])).to_pandas().user_id.tolist() == [
        "u1"
    ]


def ramping():
    """Two tenured with a deal each month of 2026; one of January 2026 with none, none, one in March and each month after."""
    people = [user("old1", "2020-01-01"), user("old2", "2020-05-01"), user("new", "2026-01-15")]
    deals = [
        *a_deal_a_month("old1", "2026-01-01", 9),
        *a_deal_a_month("old2", "2026-01-01", 9, 20),
        *a_deal_a_month("new", "2026-04-01", 6, 40),
    ]
    return company_of(settings=RECORDS, users=people, opportunities=deals)


def test_ramp_is_what_the_tenured_won_in_the_same_months():
    months = sellers.seller_months(ramping()).to_pandas()
    curve = ramp_curve(months).set_index("tenure")
    assert curve["share"].tolist()[:8] == [0, 0, 1, 1, 1, 1, 1, 1]
    assert curve.expected.tolist()[:8] == [1] * 8 and np.isnan(curve["share"][9])
    known = curve.dropna()
    assert ((known.low <= known["share"]) & (known["share"] <= known.high)).all()


def test_months_to_ramp_need_three_months_in_a_row():
    """None, none, one, one, one: the first three months with 80 % of three end in the fifth."""
    found = sellers.ramps(
        ramping(), sellers.Windows.of(ramping().settings, Period(date(2026, 9, 1), date(2026, 9, 30)))
    ).to_pandas()
    assert (found.user_id.tolist(), found.months.tolist(), found.ramped.tolist()) == (["new"], [5], [True])
    early = measurement(ramping(), "ramp_months", Period(date(2026, 4, 1), date(2026, 4, 30)))
    assert early.status == "insufficient" and early.value == 3  # still ramping: a lower bound


def test_leavers_and_part_months_do_not_count_as_full_ones():
    people = [user("u1", "2025-03-10", "2025-06-20"), user("u2", "2020-01-01")]
    rows = company_of(
        settings=RECORDS, users=people, opportunities=[*a_deal_a_month("u2", "2025-01-01", 21), won(90, "u1", "2025-04-02")]
    )
    months = sellers.seller_months(rows).to_pandas()
    assert sorted(months[months.user_id == "u1"].tenure) == [1, 2]
    assert team(rows).leavers == 1 and team(rows).people.user_id.tolist() == ["u2"]


def test_leaving_is_exact_poisson():
    found = yearly(10, 500.0)
    assert found.value == pytest.approx(1 - np.exp(-12 * 10 / 500)) and found.low < found.value < found.high
    nobody = yearly(0, 100.0)
    assert (nobody.value, nobody.low) == (0, 0) and nobody.high == pytest.approx(1 - np.exp(-12 * 3.6889 / 100), rel=1e-3)
    assert yearly(0, 0.0).status == "not_applicable"


# --- capacity ------------------------------------------------------------------------------------------------------------


def certain(people=2, arr=100_00.0, leavers=0, exposure=1e12):
    """A team without any uncertainty: tenured people, nobody leaves, each wins the same each month."""
    held = pd.DataFrame({"user_id": [f"u{i}" for i in range(people)], "team": "A", "hired_on": date(2020, 1, 1), "tenure": 60})
    ramp = pd.DataFrame(
        {"tenure": range(1, 12), "sellers": 1, "deals": 10**9, "expected": 1e9, "share": 1.0, "low": 1.0, "high": 1.0}
    )
    worth = Measurement(arr, n=99, unit="money", currency="BRL")
    none = Measurement(0.0, unit="percent")
    return Team(held, ramp, Measurement(5.0, unit="months"), none, leavers, exposure, worth, pd.DataFrame(), 0.0)


def test_capacity_without_uncertainty_is_people_times_months_times_arr():
    found = simulate(certain(people=3), cascade(), date(2026, 9, 30))
    assert found.won.value == pytest.approx(3 * 12 * 100_00, rel=1e-9)
    assert found.shortfall.value == pytest.approx(found.needed.value - 3 * 12 * 100_00)
    assert found.chance.value == 0 and found.months["median"].iloc[-1] == pytest.approx(found.won.value)


def test_hires_without_uncertainty_are_a_division_and_later_ones_are_more():
    """9,000,000 to be won; each tenured month 75,010. Hired in October they ramp at once here and have twelve full months."""
    found = simulate(certain(people=8, arr=75_010_00.0), cascade(), date(2026, 9, 30))
    hires = found.hires_for(0.5)
    assert hires.start[0] == date(2026, 10, 1) and hires.hires[0] == 2  # 8 + 2 people × 12 months × 75,010
    assert hires.hires.dropna().is_monotonic_increasing
    assert found.latest(0.5) == (2, date(2026, 12, 1))  # begun in December, the first full month is January
    assert found.chance.value == 0
    enough = simulate(certain(people=10, arr=75_000_01.0), cascade(), date(2026, 9, 30))
    assert enough.chance.value == 1 and enough.latest(0.8)[0] == 0


def test_more_people_never_lower_the_chance():
    chances = [simulate(replace(certain(people=n, arr=75_000_00.0), leavers=9, exposure=600.0, dispersion=5e6), cascade(),
                        date(2026, 9, 30)).chance.value for n in (0, 5, 10, 15, 20)]  # fmt: skip
    assert chances == sorted(chances) and chances[0] == 0 and chances[-1] > 0.5


def planned(**tables):
    return company_of(settings=RECORDS, targets=months_of(2026, new_arr_won=50.0, win_rate=0.5), **tables)


@pytest.mark.parametrize(
    ("people", "deals", "needed"),
    [
        (None, [won(1, "u1", "2026-02-01")], "users"),
        ([], [won(1, "u1", "2026-02-01")], "sellers who were there"),
        (
            [user("u1", "2020-01-01", "2021-01-01")],
            [won(1, "u1", "2026-02-01"), won(2, "u1", "2026-02-01", status="lost")],
            "sellers who",
        ),
        (
            [user("u1", "2020-01-01")],
            [won(1, "u1", "2026-02-01", status="lost"), won(2, "u1", "2026-02-01", status="lost")],
            "deals",
        ),
    ],
    ids=["no users", "nobody", "all left", "no win"],
)
def test_a_company_without_people_or_wins_is_told_what_is_missing(people, deals, needed):
    tables = {"opportunities": deals} | ({} if people is None else {"users": people})
    answer = planned(**tables).ask(capacity)
    assert isinstance(answer, Unavailable) and needed in str(answer)


def test_one_seller_alone_has_a_capacity():
    lost = [won(100 + i, "u1", "2026-03-05", status="lost") for i in range(9)]
    company = planned(users=[user("u1", "2020-01-01")], opportunities=a_deal_a_month("u1", "2025-10-01", 12) + lost)
    found = capacity(company)
    assert found.won.low <= found.won.value <= found.won.high
    assert team(company).productivity.status == "insufficient"


# --- quotas --------------------------------------------------------------------------------------------------------------


def quota(id, start="2026-07-01", end="2026-09-30", amount=200_00, kind="new_arr"):
    return {"user_id": id, "period_start": start, "period_end": end, "amount": amount, "kind": kind}


def quota_company(rows, **more):
    people = [
        user("u1", "2020-01-01"),
        user("u2", "2026-08-16"),
        user("u3", "2020-01-01", "2026-07-31"),
        user("u4", "2020-01-01", "2026-05-01"),
    ]
    deals = [won(1, "u1", "2026-07-05"), won(2, "u1", "2026-08-05"), won(3, "u2", "2026-09-05"), won(4, "u1", "2026-06-30"),
             won(5, "u1", "2026-08-06", status="lost"), won(6, "u1", "2026-08-07", kind="expansion")]  # fmt: skip
    return company_of(users=people, quotas=rows, opportunities=deals, **more)


def test_quotas_count_for_the_days_that_people_were_there():
    """46 of 92 days for one who came, 31 for one who left, none for one who had left before."""
    found = quotas(quota_company([quota("u1"), quota("u2"), quota("u3"), quota("u4")]))
    each = found.people.set_index("user_id")
    assert each.quota.to_dict() == {"u1": 200_00, "u2": 100_00, "u3": round(200_00 * 31 / 92)}
    assert each.credited.to_dict() == {"u1": 200_00, "u2": 100_00, "u3": 0}
    assert each.left.to_dict() == {"u1": False, "u2": False, "u3": True}
    assert found.bands.quotas.tolist() == [1, 0, 0, 2] and found.met.value == pytest.approx(2 / 3)
    assert found.attainment.value == pytest.approx(300_00 / found.assigned.value) and found.over.status == "not_applicable"


def test_what_is_asked_of_one_person_counts_the_days_there_in_the_period():
    """A year's 365 asks for 273 by 30 September; of who came on 16 August 46 of 92 days; of who left in July 31."""
    year = [quota("u1", "2026-01-01", "2026-12-31", 365_00), *(quota(id) for id in ("u2", "u3", "u4"))]
    company = quota_company([*year, quota("u1", kind="renewals"), quota("u1", "2025-10-01", "2025-12-31")])
    asked = {id: quota_of(company, id) for id in ("u1", "u2", "u3", "u4", "nobody")}
    assert [m and m.value for m in asked.values()] == [273_00, 100_00, round(200_00 * 31 / 92), None, None]
    assert asked["u1"].n == 1 and quota_of(company_of(opportunities=[]), "u1") is None


def test_quotas_against_the_plan():
    plan = [{"period_start": "2026-07-01", "period_end": "2026-09-30", "metric": "new_arr_won", "value": 160.0}]
    assert quotas(quota_company([quota("u1")], targets=plan)).over.value == pytest.approx(0.25)


def test_quotas_of_another_kind_or_still_running_do_not_count():
    rows = [quota("u1", kind="renewals"), quota("u1", "2026-10-01", "2026-12-31")]
    assert isinstance(quota_company(rows).ask(quotas), Unavailable)
    whole = quotas(quota_company([*rows, quota("u1")]))
    assert whole.assigned.value == 200_00 and len(whole.people) == 1


# --- time and effort -----------------------------------------------------------------------------------------------------


def test_time_is_shares_of_what_was_logged_and_of_what_was_worked():
    """September 2026 has 21 working days of eight hours (the 7th is a holiday)."""
    acts = [
        {"activity_id": "x1", "user_id": "u1", "occurred_at": "2026-09-02 15:00", "minutes": 300.0, "customer_facing": True},
        {"activity_id": "x2", "user_id": "u1", "occurred_at": "2026-09-03 15:00", "minutes": 100.0, "customer_facing": False},
        {"activity_id": "x3", "user_id": "u1", "occurred_at": "2026-09-04 15:00", "minutes": 999.0, "automated": True},
        {"activity_id": "x4", "user_id": "boss", "occurred_at": "2026-09-04 15:00", "minutes": 999.0, "customer_facing": True},
    ]
    people = [user("u1", "2020-01-01"), user("boss", "2020-01-01", role="boss")]
    company = company_of(settings=HOURS, users=people, activities=acts, opportunities=[won(1, "u1", "2026-09-05")])
    found = measurements(company, ["selling_time", "admin_time", "logged_time"], Period(date(2026, 9, 1), date(2026, 9, 30)))
    assert found["admin_time"].value == pytest.approx(0.25)
    assert found["selling_time"].value == pytest.approx(0.75)
    assert found["logged_time"].value == pytest.approx(400 / (21 * 480))


def test_activities_per_deal_count_people_s_work_on_closed_deals():
    acts = [{"activity_id": f"x{i}", "opportunity_id": "d1", "occurred_at": "2026-08-01", "automated": i > 3} for i in range(6)]
    company = company_of(opportunities=[won(1, "u1", "2026-09-05"), won(2, "u1", "2026-09-06", status="lost")], activities=acts)
    assert measurement(company, "activities_per_deal").value == 2.0


# --- habits --------------------------------------------------------------------------------------------------------------


def said(user_id, quarter, amount, category="commit", day=5):
    start = pd.Timestamp(2025, 1, 1) + pd.DateOffset(months=3 * quarter)
    when = (start + pd.Timedelta(days=day)).date()
    return {"user_id": user_id, "period_start": start.date(), "submitted_on": when, "category": category, "amount": amount}


def forecasting(bias, people=6, quarters=7, noise=0.1, as_of="2026-09-30", open_quarter=False):
    """Each person wins about the same each quarter and commits bias × that, give or take."""
    random = np.random.default_rng(3)
    deals, rows = [], []
    for p in range(people):
        for q in range(quarters):
            amount = int(random.integers(80_000, 160_000))
            closed = (pd.Timestamp(2025, 1, 20) + pd.DateOffset(months=3 * q)).date()
            deals.append(won(p * 100 + q, f"u{p}", str(closed), amount))
            rows.append(said(f"u{p}", q, round(amount * bias.get(p, 1.0) * (1 + noise * random.standard_normal()))))
        rows += [said(f"u{p}", quarters, 100_000)] if open_quarter else []
    return company_of(as_of, forecasts=rows, opportunities=deals)


def test_a_sandbagger_and_an_over_promiser_are_named_and_nobody_else():
    found = habits(forecasting({1: 0.6, 4: 1.6}))
    assert sorted(found.named.user_id) == ["u1", "u4"]
    assert found.named.set_index("user_id").ratio["u1"] == pytest.approx(0.6, abs=0.1)
    assert found.too_few == 0 and found.months == 3


def test_nobody_is_named_by_luck_alone():
    assert habits(forecasting({}, people=30, noise=0.3)).named.empty


def test_three_quarters_name_nobody():
    found = habits(forecasting({1: 0.2}, quarters=3, noise=0.0))
    assert found.people.empty and found.too_few == 6


def test_without_noise_truth_is_not_named_and_a_fixed_habit_is():
    rows = pd.DataFrame(
        {"user_id": ["a"] * 4 + ["b"] * 4, "commit": [1.0, 2, 3, 4, 2, 4, 6, 8], "won": [1.0, 2, 3, 4, 1, 2, 3, 4]}
    )
    found = judged(rows).set_index("user_id")
    assert found.named.to_dict() == {"a": False, "b": True} and found.ratio["b"] == 2


def test_the_commit_under_way_is_read_through_the_habits():
    company = forecasting({1: 0.5, 4: 2.0}, quarters=6, noise=0.02, as_of="2026-08-31", open_quarter=True)
    found = habits(company)
    assert under_way(found, company.as_of) and found.came is None
    assert found.commit.value == 600_000
    assert found.corrected.value == pytest.approx(4 * 100_000 + 200_000 + 50_000, rel=0.03)
    assert found.corrected.low < found.corrected.value < found.corrected.high


def test_habits_of_a_period_that_is_over_are_tried_with_those_before():
    found = habits(forecasting({1: 0.6, 4: 1.6}))
    assert found.current == Period(date(2026, 7, 1), date(2026, 9, 30)) and found.came.value > 0


@pytest.mark.parametrize(
    "rows", [[], [said("u1", 0, 5, category="best")], [said("u1", 7, 5)]], ids=["none", "no commit", "not over"]
)
def test_without_a_commit_that_is_over_it_says_so(rows):
    answer = company_of("2026-09-30", forecasts=rows, opportunities=[won(1, "u1", "2026-02-01")]).ask(habits)
    assert isinstance(answer, Unavailable)


def test_people_who_won_nothing_are_not_judged():
    lost = [won(i, "u1", f"2025-0{i}-10", status="lost") for i in range(1, 9)]
    found = habits(company_of("2026-09-30", forecasts=[said("u1", q, 100) for q in range(6)], opportunities=lost))
    assert found.people.empty and found.everyone.status == "not_applicable"


def test_forecasts_submitted_later_change_nothing():
    before = habits(forecasting({1: 0.6}))
    company = forecasting({1: 0.6})
    later = [said("u1", 6, 10**9, day=300)]
    rows = company.accepted["forecasts"].to_pandas().to_dict("records") + later
    after = habits(
        replace(company, accepted={**company.accepted, "forecasts": company_of(forecasts=rows).accepted["forecasts"]}, _made={})
    )
    assert after.people.equals(before.people) and after.commit == before.commit
