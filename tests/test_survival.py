"""Survival curves against classic tables and simulation."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revops_helpers.methods.survival import (
    Unwatched,
    aalen_johansen,
    annualised,
    cure_model,
    expected_lifetime,
    kaplan_meier,
    months_told,
    time_to_win,
)

REMISSION = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
RELAPSED = [1] * 9 + [0] * 12


def test_freireichs_remissions_give_the_classic_table():
    # Source: 6-MP arm of Freireich et al. 1963, as in every textbook.
    curve = kaplan_meier(REMISSION, RELAPSED)
    assert curve.times.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert curve.survival == pytest.approx([0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482], abs=5e-5)
    assert (curve.median, curve.median_low, curve.median_high) == (23, 13, None)
    assert (curve.n, curve.events, curve.longest) == (21, 9, 35)
    assert (curve.low < curve.survival).all() and (curve.survival < curve.high).all()


def test_counted_rows_give_the_curve_of_the_rows_themselves():
    rng = np.random.default_rng(2)
    duration, seen = rng.integers(1, 12, 500), rng.random(500) < 0.6
    grouped = {}
    for key in zip(duration.tolist(), seen.tolist(), strict=True):
        grouped[key] = grouped.get(key, 0) + 1
    once, counted = kaplan_meier(duration, seen), kaplan_meier(*zip(*grouped, strict=True), weights=list(grouped.values()))
    assert counted.survival == pytest.approx(once.survival)
    assert counted.low == pytest.approx(once.low)
    assert (counted.n, counted.events, counted.median) == (once.n, once.events, once.median)


def test_a_curve_of_nothing_is_empty():
    curve = kaplan_meier([], [])
    assert (curve.n, curve.median, len(curve.times)) == (0, None, 0)


def test_nobody_there_yet_leaves_the_median_open_and_says_how_long_was_watched():
    curve = kaplan_meier([5, 9, 12], [0, 0, 0])
    assert (curve.median, curve.longest, curve.events) == (None, 12, 0)


def test_all_at_once_is_one_step_to_zero():
    curve = kaplan_meier([4, 4, 4], [1, 1, 1])
    assert (curve.times.tolist(), curve.survival.tolist(), curve.median) == ([4], [0], 4)


def test_late_entry_takes_records_out_of_the_risk_before_they_were_watched():
    # Watched from 3 on, the two late records were not at risk at 2: one of two left there, then one of three at 5.
    curve = kaplan_meier([2, 7, 5, 6], [1, 0, 1, 0], entry=[0, 0, 3, 3])
    assert curve.survival == pytest.approx([1 / 2, 1 / 2 * 2 / 3])


def test_what_was_over_when_it_came_under_watch_was_never_at_risk():
    # The fifth came under watch at 5, when it ended, the sixth after its end at 3: four are left, of which one goes each time.
    duration, entry = [5, 6, 7, 8, 5, 3], [0, 0, 0, 0, 5, 4]
    curve = kaplan_meier(duration, [1] * 6, entry)
    assert (curve.times.tolist(), curve.n, curve.events) == ([5, 6, 7, 8], 4, 4)
    assert curve.survival == pytest.approx([3 / 4, 1 / 2, 1 / 4, 0])
    won = time_to_win(duration, [1] * 6, entry)
    assert (won.n, won.wins, won.median) == (4, 4, 6)
    assert expected_lifetime(duration, [1] * 6, entry) == expected_lifetime([5, 6, 7, 8], [1] * 4)


def test_the_median_has_no_upper_end_where_the_last_one_watched_takes_the_curve_to_zero():
    # R: survfit(Surv(c(2, 3, 9), c(1, 0, 1)) ~ 1, conf.type = "log-log") gives median 9, upper NA.
    curve = kaplan_meier([2, 3, 9], [1, 0, 1])
    assert (curve.median, curve.median_high) == (9, None)
    assert curve.within(0.9) == (9, 2, None)
    # Thirty at once are no chance: for the half it takes six, for nine of ten 36.
    assert kaplan_meier([3] * 30, [1] * 30).within(0.5) == (3, 3, 3)
    assert [kaplan_meier([3] * n, [1] * n).median_high for n in (5, 6)] == [None, 3]
    assert kaplan_meier([3] * 30, [1] * 30).within(0.9)[2] is None


def test_what_happens_at_once_counts_beside_competing_ends_too():
    curve = aalen_johansen([0, 0, 3], [1, 2, 1])
    assert curve.incidence == pytest.approx([1 / 3, 2 / 3])
    assert np.isfinite([curve.low, curve.high]).all()


def test_a_curve_that_ends_before_the_late_ones_enter_is_refused():
    with pytest.raises(ValueError, match="watched early"):
        kaplan_meier([2, 5, 6], [1, 1, 0], entry=[0, 3, 3])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 30), st.booleans(), st.integers(1, 9)), min_size=1, max_size=40),
    st.booleans(),
)
def test_the_curve_and_its_interval_are_those_of_lifelines(rows, late):
    from lifelines import KaplanMeierFitter
    from lifelines.exceptions import StatError

    entry, watched, seen, weights = map(np.array, zip(*rows, strict=True))
    entry = entry if late else np.zeros(len(rows), int)
    duration = entry + watched + (1 if late else 0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            oracle = KaplanMeierFitter().fit(duration, seen, entry=entry if late else None, weights=weights)
    except StatError:
        with pytest.raises(ValueError, match="watched early"):
            kaplan_meier(duration, seen, entry, weights)
        return
    curve = kaplan_meier(duration, seen, entry if late else None, weights)
    band = oracle.confidence_interval_.loc[curve.times]
    assert curve.survival == pytest.approx(oracle.survival_function_.loc[curve.times].iloc[:, 0].to_numpy(), abs=1e-12)
    assert curve.low == pytest.approx(band.iloc[:, 0].to_numpy(), abs=1e-9)
    assert curve.high == pytest.approx(band.iloc[:, 1].to_numpy(), abs=1e-9)
    assert (curve.n, curve.events) == (weights.sum(), weights[seen].sum())


def won_lost_and_open(rng, n=400, horizon=270):
    start, won = rng.uniform(0, horizon, n), rng.random(n) < 0.25
    duration = np.where(won, 90 * rng.weibull(1.3, n), rng.exponential(70, n))
    watched = np.minimum(start + duration, horizon) - start
    ending = np.where(start + duration < horizon, np.where(won, 1, 2), 0)
    return np.floor(watched) + 0.5, ending


def test_the_time_to_win_is_not_shortened_by_deals_still_open():
    # Truth: median of a Weibull(1.3) with scale 90 = 67.9 days. The median of the won alone is biased down.
    rng = np.random.default_rng(1)
    truth = 90 * np.log(2) ** (1 / 1.3)
    medians, naive, covered = [], [], 0
    for _ in range(200):
        duration, ending = won_lost_and_open(rng)
        found = time_to_win(duration, ending)
        medians.append(found.median)
        naive.append(np.median(duration[ending == 1]))
        covered += found.low - 1 <= truth <= (found.high or np.inf) + 1
    assert abs(np.mean(medians) - truth) < 0.5 * abs(np.mean(naive) - truth)
    assert covered / 200 >= 0.9


def test_without_open_deals_the_time_to_win_is_the_median_of_the_won():
    found = time_to_win([1, 2, 3, 10, 20], [1, 1, 1, 2, 2])
    assert (found.median, found.wins, found.n) == (2, 3, 5)
    assert found.share == pytest.approx(0.6)


def test_deals_that_entered_late_are_at_risk_from_then_on():
    # At age 4 only the deal watched from 3 on and the old one are at risk: the same curve as if the early ones had never been.
    late = time_to_win([4, 6, 8], [1, 2, 1], entry=[3, 3, 3])
    assert late.share == pytest.approx(1 / 3 + 1 / 3)


def test_wins_after_an_age_at_which_nobody_was_watched_say_nothing_of_the_time_to_win():
    found = time_to_win([1, 1, 5, 6, 7], [1, 2, 1, 1, 1], entry=[0, 0, 3, 3, 3])
    assert (found.n, found.wins, found.share, found.median) == (5, 1, 0.5, 1)
    with pytest.raises(Unwatched):
        time_to_win([1, 5, 6, 7], [2, 1, 1, 1], entry=[0, 3, 3, 3])


@pytest.mark.parametrize("ending", [[0, 0], [2, 2], []])
def test_no_win_no_time_to_win(ending):
    found = time_to_win([3] * len(ending), ending)
    assert (found.wins, found.median, found.low, found.high) == (0, None, None, None)


def test_counted_deals_give_the_same_time_to_win():
    duration, ending = [1, 1, 2, 2, 2, 3, 5], [1, 1, 2, 2, 1, 1, 0]
    counted = time_to_win([1, 2, 2, 3, 5], [1, 2, 1, 1, 0], weights=[2, 2, 1, 1, 1])
    assert counted == time_to_win(duration, ending)


def test_lifetime_at_three_percent_a_month_is_28_months_within_five_years():
    # Source: the known answers. 33.3 months without a cap, 28.0 within 60.
    duration, left, weights = [], [], []
    alive = 1_000_000
    for month in range(1, 61):
        gone = round(alive * 0.03)
        duration, left, weights = [*duration, month], [*left, 1], [*weights, gone]
        alive -= gone
    months, error = expected_lifetime([*duration, 60], [*left, 0], weights=[*weights, alive])
    assert months == pytest.approx(28.0, abs=0.03)
    assert pytest.approx(33.3, abs=0.05) == 1 / 0.03
    assert error < 0.1


def test_lifetime_error_agrees_with_repeated_samples():
    rng = np.random.default_rng(9)
    found = []
    for _ in range(300):
        months = rng.geometric(0.05, 200)
        found.append(expected_lifetime(np.minimum(months, 40), months <= 40, horizon=40))
    spread = np.std([months for months, _ in found])
    assert np.mean([error for _, error in found]) == pytest.approx(spread, rel=0.12)


def test_a_curve_tells_of_the_months_at_which_somebody_is_watched_or_nobody_is_left():
    each = {"entry": [0, 0], "weights": [1, 1]}
    assert months_told([12, 9], [0, 1], **each) == 13
    assert months_told([12, 9], [1, 1], **each) == 60
    assert months_told([60, 9], [0, 1], **each) == 60
    assert months_told([60, 70], [0, 1], entry=[3, 5], weights=[1, 1]) == 1


def test_nobody_leaves_is_the_whole_horizon_and_discount_shortens_it():
    assert expected_lifetime([12, 12], [0, 0], horizon=60) == (60, 0)
    discounted, _ = expected_lifetime([12], [0], horizon=60, monthly_discount=0.01)
    assert discounted == pytest.approx(sum(1.01**-t for t in range(60)))


def test_three_percent_a_month_is_thirty_a_year_not_thirty_six():
    assert annualised(0.03) == pytest.approx(0.306, abs=5e-4)
    assert annualised([0.0, 1.0]).tolist() == [0.0, 1.0]


def test_without_competing_ends_the_incidence_is_one_minus_kaplan_meier():
    curve, incidence = kaplan_meier(REMISSION, RELAPSED), aalen_johansen(REMISSION, RELAPSED)
    assert incidence.times == pytest.approx(curve.times)
    assert incidence.incidence == pytest.approx(1 - curve.survival)
    assert incidence.low == pytest.approx(1 - curve.high) and incidence.high == pytest.approx(1 - curve.low)


def test_the_incidence_and_its_errors_are_those_of_lifelines_where_no_times_tie():
    from lifelines import AalenJohansenFitter

    rng = np.random.default_rng(4)
    duration, ending = rng.exponential(10, 300).round(6), rng.integers(0, 3, 300)
    oracle = AalenJohansenFitter(calculate_variance=True).fit(duration, ending, event_of_interest=1)
    found = aalen_johansen(duration, ending)
    there = oracle.cumulative_density_.iloc[:, 0].reindex(found.times)
    assert found.incidence == pytest.approx(there.to_numpy())
    band = oracle.confidence_interval_.reindex(found.times).to_numpy()
    own = ending[np.argsort(duration)][ending[np.argsort(duration)] > 0] == 1
    after = np.flatnonzero(own)[0]
    assert found.low[after:] == pytest.approx(band[after:, 0], abs=0.01)
    assert found.high[after:] == pytest.approx(band[after:, 1], abs=0.01)


def test_incidences_of_all_endings_and_survival_add_up_to_one():
    rng = np.random.default_rng(5)
    duration, ending, weights = rng.integers(1, 9, 200), rng.integers(0, 4, 200), rng.integers(1, 5, 200)
    each = [aalen_johansen(duration, ending, weights=weights, event_of_interest=kind) for kind in (1, 2, 3)]
    survival = kaplan_meier(duration, ending > 0, weights=weights).survival
    assert sum(one.incidence for one in each) + survival == pytest.approx(1)


def test_the_incidence_of_nothing_is_empty():
    curve = aalen_johansen([], [])
    assert (curve.n, curve.events, len(curve.times)) == (0, 0, 0)


def test_the_ultimate_share_is_found_although_half_of_the_leads_are_young():
    # METHODS, "Funnel with censoring": truth 20 %, Weibull shape 1.3 and scale 90; the naive share is far below.
    rng = np.random.default_rng(7)
    n, horizon = 8000, 365
    since, will = rng.uniform(0, horizon, n), rng.random(n) < 0.2
    when = np.where(will, 90 * rng.weibull(1.3, n), np.inf)
    seen = since + when < horizon
    found = cure_model(np.where(seen, when, horizon - since), seen)
    assert found.low <= 0.2 <= found.high and found.high - found.low < 0.05
    assert found.shape == pytest.approx(1.3, abs=0.1) and found.scale == pytest.approx(90, abs=10)
    assert seen.mean() < found.low


def test_too_few_events_tell_no_ultimate_share():
    assert cure_model([1, 2, 3], [1, 1, 0]) is None
