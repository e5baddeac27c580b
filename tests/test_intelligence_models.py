"""Passports, outlooks, hazards and the health score: a planted signal is used, no signal and too little data are refused."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revops_helpers.intelligence.features import design
from revops_helpers.intelligence.hazards import churn_hazards, expansion_hazards
from revops_helpers.intelligence.health import health_validity
from revops_helpers.intelligence.outlook import churn_outlook, expansion_outlook, held_by
from revops_helpers.intelligence.passport import LEAST, Examined, examine, split
from revops_helpers.model.company import Unavailable
from revops_helpers.periods import add_months, month_end
from tests.support import company_of

FIRST = date(2024, 1, 31)


def months(n: int, first: date = FIRST) -> list[date]:
    return [month_end(add_months(first, i)) for i in range(n)]


def panel_of(customers=600, landmarks=18, odds=6.0, base=0.06, seed=1, **more) -> pd.DataFrame:
    """A panel in which low usage multiplies the odds of leaving."""
    rng = np.random.default_rng(seed)
    days = months(landmarks)
    who = np.tile(np.arange(customers), landmarks)
    low = rng.random(customers) < 0.3
    logit = math.log(base / (1 - base)) + math.log(odds) * low
    rows = pd.DataFrame(
        {
            "landmark": np.repeat(days, customers),
            "customer": [f"c{i}" for i in who],
            "account_id": [f"a{i}" for i in who],
            "arr": rng.integers(1_000_00, 90_000_00, customers)[who],
            "tenure": rng.integers(12, 80, customers)[who] + np.repeat(np.arange(landmarks), customers),
            "segment": np.where(who % 3 == 0, "SMB", "Enterprise"),
            "usage": np.where(low, 0.3, 0.7)[who] + 0.05 * rng.random(len(who)),
            "usage_before": np.where(low, 0.3, 0.7)[who],
            "usage_best": np.where(low, 0.35, 0.8)[who],
            "tickets": rng.integers(0, 4, len(who)).astype(float),
            "health": rng.integers(20, 100, len(who)).astype(float),
            "churned": (rng.random(len(who)) < 1 / (1 + np.exp(-logit[who]))).astype(float),
        }
    )
    return rows.assign(**more)


def examined(rows: pd.DataFrame) -> Examined:
    return examine(rows, rows[rows.landmark == rows.landmark.max()], "churned")


@given(st.integers(1, 60), st.integers(1, 12))
@settings(deadline=None)
def test_no_month_after_a_training_landmark_is_a_month_after_a_test_landmark(n, horizon):
    early, late = split(months(n), horizon)
    assert len(late) >= 1
    if early:
        assert month_end(add_months(early[-1], horizon)) <= late[0]


def test_a_planted_signal_is_found_used_and_beats_what_is_simpler():
    found = examined(panel_of())
    passport = found.passport
    assert passport.use and found.model is not None
    assert passport.features.feature[0] == "low_usage" and passport.features.low[0] > 1
    assert passport.auc.low > 0.6 and passport.slope.low < 1 < passport.slope.high
    assert set(passport.baselines.name) == {"tenure", "health"} and (passport.baselines.gain_low > 0).all()
    assert passport.in_the_large.low < 1 < passport.in_the_large.high
    assert passport.trained[1] < passport.tested[0]


@pytest.mark.parametrize("seed", range(4))
def test_shuffled_outcomes_are_refused(seed):
    """The same customers leave, and nothing that is known of them goes with it."""
    found = examined(panel_of(odds=1.0, base=0.1, seed=seed))
    assert not found.passport.use and found.model is None
    assert abs(found.passport.auc.value - 0.5) < 0.06
    assert {"chance", "tenure", "health"} & set(found.passport.reasons)
    assert found.tested.chance.isna().all(), "nothing that it says leaves the room"


def test_too_few_events_are_refused_with_what_is_needed():
    passport = examined(panel_of(customers=40, base=0.01, odds=1)).passport
    assert "few_events" in passport.reasons and passport.auc.value is None
    assert passport.needed > passport.seen.events["train"]


@pytest.mark.parametrize(("churned", "reason"), [(0.0, "no_events"), (1.0, "all_events")])
def test_nobody_and_everybody_leaving_is_refused(churned, reason):
    assert examined(panel_of(customers=50, churned=churned)).passport.reasons == (reason,)


def test_too_few_months_are_refused():
    assert examined(panel_of(landmarks=5)).passport.reasons == ("no_months",)
    assert examined(panel_of()[:0]).passport.reasons == ("no_months",)


def test_a_health_score_that_ranks_better_refuses_the_model():
    rows = panel_of(odds=1.5, base=0.1)
    rng = np.random.default_rng(0)
    good = rows.assign(health=50 - 30 * rows.churned + rng.normal(0, 5, len(rows)))
    late = good.landmark.isin(months(18)[-4:])
    found = examined(good.assign(health=good.health.where(late, 50.0)))  # the score learned it only lately
    assert "health" in found.passport.reasons


def test_chances_that_no_longer_hold_are_refused():
    rows = panel_of(odds=8)
    late = rows.landmark.isin(months(18)[-4:])
    rng = np.random.default_rng(0)
    rows["churned"] = np.where(late, rng.random(len(rows)) < 0.1 + 0.04 * (rows.usage < 0.5), rows.churned)
    assert "slope" in examined(rows).passport.reasons


def test_few_events_afford_few_features_in_their_fixed_order():
    rows = panel_of(customers=200, base=0.012)
    passport = examined(rows).passport
    used, columns = set(passport.features.feature), list(design(rows, rows))
    assert LEAST <= len(used) < len(columns)
    assert used == set(columns[: len(used)]) and set(passport.left_out) == set(columns[len(used) :])


def test_the_order_of_rows_changes_nothing():
    rows = panel_of(customers=200)
    mixed = rows.sample(frac=1, random_state=1)
    first, second = (examined(r).passport for r in (rows, mixed))
    assert first.auc.value == pytest.approx(second.auc.value)
    pd.testing.assert_frame_equal(first.features, second.features)


# --- whole companies -----------------------------------------------------------------------------------------------------


def company(customers=300, low=6.0, seed=4, with_usage=True, churn=0.012, grow=0.03, **more):
    """Three years of customers that may leave or grow in any month; low usage multiplies the hazard of leaving."""
    rng = np.random.default_rng(seed)
    lines, usage = [], []
    weeks = [date(2023, 1, 2) + timedelta(weeks=i) for i in range(156)]
    for i in range(customers):
        is_low, mrr, start = rng.random() < 0.3, 100_00, date(2022, 6, 1)
        for month in range(36):
            day = add_months(date(2023, 1, 15), month)
            if rng.random() < churn * (low if is_low else 1):
                lines.append({"starts_on": start, "ends_on": day, "mrr": mrr, "n": i})
                break
            if rng.random() < grow:
                lines.append({"starts_on": start, "ends_on": day, "mrr": mrr, "n": i})
                start, mrr = day, mrr + 25_00
        else:
            day = date(2026, 1, 1)
            lines.append({"starts_on": start, "ends_on": None, "mrr": mrr, "n": i})
        if with_usage:
            usage += [
                {"account_id": f"a{i}", "week": w, "active_users": 3 if is_low else 7, "seats": 10} for w in weeks if w < day
            ]
    subscriptions = [
        {"subscription_id": f"s{r['n']}", "account_id": f"a{r['n']}", "change_reason": None, **{k: r[k] for k in r if k != "n"}}
        for r in lines
    ]
    tables = {"subscriptions": subscriptions, **({"usage": usage} if with_usage else {}), **more}
    return company_of(as_of="2025-12-31", settings={"records_start": {"subscriptions": date(2023, 1, 1)}}, **tables)


@pytest.fixture(scope="module")
def planted():
    return company()


def test_an_outlook_adds_up_and_lists_the_largest_expected_loss_first(planted):
    outlook = churn_outlook(planted)
    assert outlook.passport.use
    assert outlook.expected.low < outlook.expected.value < outlook.expected.high < outlook.arr.value
    assert outlook.customers.expected.is_monotonic_decreasing
    assert outlook.customers.reasons.map(lambda names: names[:1] == ("low_usage",)).any()
    assert (outlook.customers.low <= outlook.customers.chance).all() and (
        outlook.customers.chance <= outlook.customers.high
    ).all()
    assert outlook.excess.low > 0 and outlook.proof["low"] <= outlook.proof["expected"] <= outlook.proof["high"]
    assert churn_outlook(planted).expected == outlook.expected, "the same inputs, the same numbers"


def test_hazards_find_what_was_planted(planted):
    hazards = churn_hazards(planted)
    low = hazards.clear("low_usage")
    assert low.low < 6 < low.high and low.low > 1
    assert hazards.by_tenure.months.sum() == hazards.months and hazards.by_tenure.events.sum() == hazards.events
    assert churn_hazards(company(customers=120, low=1.0)).clear("low_usage") is None


def test_traits_of_today_are_counted_with_their_arr(planted):
    held = held_by(planted, "low_usage")
    assert 0 < held.n < 90 and held.value >= held.n * 1200_00
    assert held_by(planted, "incomplete_handoff").n == 0


@pytest.mark.parametrize("analysis", [churn_outlook, expansion_outlook, churn_hazards, expansion_hazards, health_validity])
def test_without_subscriptions_each_says_what_it_needs(analysis):
    with pytest.raises(Unavailable):
        analysis(company_of(opportunities=[]))


def test_the_health_score_needs_scores(planted):
    with pytest.raises(Unavailable, match="health_scores"):
        health_validity(planted)


ODD = {
    "nobody": [],
    "one": [("a", "2024-01-01", None)],
    "one that left": [("a", "2024-01-01", "2025-03-01")],
    "nobody leaves": [(str(i), "2024-01-01", None) for i in range(30)],
    "all left": [(str(i), "2024-01-01", "2025-03-01") for i in range(30)],
    "all came yesterday": [(str(i), "2025-12-30", None) for i in range(30)],
}


@pytest.mark.parametrize("shape", ODD)
def test_odd_companies_are_refused_and_show_nothing(shape):
    lines = [{"subscription_id": f"s{a}", "account_id": a, "starts_on": s, "ends_on": e, "mrr": 100_00} for a, s, e in ODD[shape]]
    odd = company_of(as_of="2025-12-31", subscriptions=lines)
    for analysis in (churn_outlook, expansion_outlook):
        outlook = analysis(odd)
        assert not outlook.passport.use and outlook.expected.value is None
        assert outlook.customers.empty and outlook.by_segment.empty
    for analysis in (churn_hazards, expansion_hazards):
        assert (analysis(odd).ratios.status != "ok").all()


def test_a_score_that_falls_before_customers_leave_is_valid_and_a_random_one_is_not():
    def scored(tells: bool):
        rng, base = np.random.default_rng(0), company(customers=250, with_usage=False, churn=0.02)
        rows = base.table("subscriptions").to_pandas()
        ends = rows.groupby("account_id").ends_on.last()
        scores = [
            {"account_id": a, "scored_on": day, "score": (40 if tells and end == end and end is not None and
             (pd.Timestamp(end) - pd.Timestamp(day)).days < 180 else 70) + float(rng.integers(-9, 9)), "band": "green"}
            for a, end in ends.items() for day in months(36, date(2023, 1, 31))
        ]  # fmt: skip
        return health_validity(company(customers=250, with_usage=False, churn=0.02, health_scores=scores))

    told, random = scored(True), scored(False)
    assert told.auc.low > 0.7 and random.auc.low < 0.5 < random.auc.high
    assert told.bands.band.tolist() == ["green"]
