"""Intervals against published numbers, scipy, the bootstrap and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from revops_helpers.methods import intervals


@pytest.mark.parametrize(("k", "n", "low", "high"), [(0, 20, 0.0, 0.161), (10, 100, 0.055, 0.174)])
def test_wilson_gives_the_published_intervals(k, n, low, high):
    # Source: Wilson 1927, as in the known answers.
    found = intervals.wilson(k, n)
    assert found[0] == pytest.approx(low, abs=5e-4)
    assert found[1] == pytest.approx(high, abs=5e-4)


@given(n=st.integers(1, 10_000), share=st.floats(0, 1))
@settings(max_examples=80, deadline=None)
def test_wilson_agrees_with_scipy_and_holds_its_share(n, share):
    k = round(n * share)
    low, high = intervals.wilson(k, n)
    oracle = stats.binomtest(k, n).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((oracle.low, oracle.high), abs=1e-9)
    assert 0 <= low <= k / n <= high <= 1


def test_wilson_of_nothing_is_no_number():
    low, high = intervals.wilson([0, 5], [0, 10])
    assert np.isnan(low[0]) and np.isnan(high[0])
    assert low[1] < 0.5 < high[1]


def test_ratio_of_sums_agrees_with_the_bootstrap_over_clusters():
    rng = np.random.default_rng(7)
    y = rng.gamma(2, 100, 400)
    x = y * rng.beta(2, 6, 400)
    low, high = intervals.ratio_of_sums(x.sum(), y.sum(), (x * x).sum(), (x * y).sum(), (y * y).sum(), len(x))
    drawn = rng.integers(0, 400, (4000, 400))
    ratios = x[drawn].sum(axis=1) / y[drawn].sum(axis=1)
    assert (low, high) == pytest.approx(tuple(np.percentile(ratios, [2.5, 97.5])), abs=0.1 * (high - low))


def test_ratio_of_sums_covers_the_truth_in_repeated_samples():
    rng = np.random.default_rng(11)
    covered = 0
    for _ in range(600):
        sizes = rng.poisson(3, 150) + 1
        y = sizes * 100.0
        x = rng.binomial(sizes, 0.3) * 100.0
        low, high = intervals.ratio_of_sums(x.sum(), y.sum(), (x * x).sum(), (x * y).sum(), (y * y).sum(), len(x))
        covered += low <= 0.3 <= high
    assert 0.92 <= covered / 600 <= 0.98


@pytest.mark.parametrize("sums", [(1, 0, 1, 0, 0, 5), (3, 4, 9, 12, 16, 1)])
def test_ratio_of_sums_says_nothing_without_denominator_or_second_cluster(sums):
    assert np.isnan(intervals.ratio_of_sums(*sums)).all()


def moments(x, y):
    return x.sum(-1), y.sum(-1), (x * x).sum(-1), (x * y).sum(-1), (y * y).sum(-1), x.shape[-1]


def share_of(x, y):
    return intervals.weighted_share(*moments(x, y), (x * x / y).sum(-1))


def test_a_share_of_equal_amounts_has_the_interval_of_their_count():
    for kept in (0, 3, 24, 25):
        x, y = 5.0 * (np.arange(25) < kept), np.full(25, 5.0)
        assert np.allclose(share_of(x, y), intervals.wilson(kept, 25))


def test_a_share_of_unequal_amounts_holds_its_level_where_little_is_lost():
    # Forty customers, three of a hundred leave: the delta method covers half, since nobody or one small one has left.
    rng = np.random.default_rng(4)
    y = rng.lognormal(0, 1, (1000, 40))
    x = y * (rng.random(y.shape) >= 0.03)
    low, high = share_of(x, y)
    assert high.max() <= 1 and ((low <= 0.97) & (high >= 0.97)).mean() > 0.93
    low, high = intervals.ratio_of_sums(*moments(x, y))
    assert ((low <= 0.97) & (high >= 0.97)).mean() < 0.7


@pytest.mark.parametrize("clusters", [30, 200])
@pytest.mark.parametrize("whole", [True, False])
def test_a_share_holds_its_level_where_few_hold_most_and_one_in_five_loses_all_or_a_part(clusters, whole):
    rng = np.random.default_rng(5)
    y = rng.lognormal(0, 1.2, (2000, clusters))
    lost = (rng.random(y.shape) < 0.2) * (1.0 if whole else rng.random(y.shape))
    low, high = share_of(y * (1 - lost), y)
    true = 0.8 if whole else 0.9
    assert 0.92 <= ((low <= true) & (true <= high)).mean() <= 0.985


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 1e6)), min_size=2, max_size=40))
def test_a_share_lies_within_its_interval_and_that_within_nothing_and_all(clusters):
    kept, y = (np.array(each) for each in zip(*clusters, strict=True))
    low, high = share_of(kept * y, y)
    share = (kept * y).sum() / y.sum()
    assert 0 <= low <= share + 1e-9 and share - 1e-9 <= high <= 1


def test_a_share_that_is_none_has_the_interval_of_a_ratio_and_one_amount_has_none():
    over = moments(np.array([3.0, 0, 2]), np.array([2.0, -1, 2]))
    assert intervals.weighted_share(*over, 9.0) == intervals.ratio_of_sums(*over)
    assert np.isnan(share_of(np.array([2.0]), np.array([2.0]))).all()


@given(st.integers(0, 3000))
@settings(max_examples=60, deadline=None)
def test_poisson_exact_is_garwoods(k):
    low, high = intervals.poisson_exact(k)
    assert low == pytest.approx(stats.chi2.ppf(0.025, 2 * k) / 2 if k else 0.0, rel=1e-9)
    assert high == pytest.approx(stats.chi2.ppf(0.975, 2 * k + 2) / 2, rel=1e-9)


def test_a_count_that_is_none_has_no_interval():
    low, high = intervals.poisson_exact([-1, np.nan, 0.5])
    assert np.isnan(low[:2]).all() and np.isnan(high[:2]).all() and 0 < low[2] < 0.5 < high[2]


def test_mean_interval_is_students():
    values = np.array([3.0, 5.0, 8.0, 9.0, 1.0])
    found = intervals.mean_interval(5, values.sum(), (values**2).sum())
    oracle = stats.t.interval(0.95, 4, values.mean(), stats.sem(values))
    assert found == pytest.approx(oracle)
    assert np.isnan(intervals.mean_interval(1, 3.0, 9.0)).all()


def test_mean_interval_of_equal_values_has_no_width():
    low, high = intervals.mean_interval(4, 20.0, 100.0)
    assert low == high == 5.0


def test_random_sum_covers_a_compound_poisson_total():
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(800):
        x = rng.gamma(2, 50, rng.poisson(60))
        low, high = intervals.random_sum(x.sum(), (x * x).sum())
        covered += low <= 60 * 100 <= high
    assert 0.92 <= covered / 800 <= 0.98


def test_quotient_product_and_total_agree_with_simulation():
    rng = np.random.default_rng(3)
    a, b = rng.normal(50, 4, 200_000), rng.normal(20, 1.2, 200_000)
    ends = {"a": (50 - 1.96 * 4, 50 + 1.96 * 4), "b": (20 - 1.96 * 1.2, 20 + 1.96 * 1.2)}
    for combine, oracle in ((intervals.quotient, a / b), (intervals.product, a * b), (intervals.total, a + b)):
        found = combine(50, ends["a"], 20, ends["b"])
        assert found == pytest.approx(tuple(np.percentile(oracle, [2.5, 97.5])), rel=0.02)


def test_the_unit_of_the_denominator_changes_no_interval_of_a_quotient():
    inside = [intervals.quotient(2, (1, 4), b, (0.5 * b, 1.6 * b)) for b in (1e-4, 1.0, 1e9)]
    assert [low * b for (low, _), b in zip(inside, (1e-4, 1.0, 1e9), strict=True)] == pytest.approx([0.8715304528] * 3)


def test_quotient_says_nothing_when_the_denominator_may_be_zero():
    assert np.isnan(intervals.quotient(10, (8, 12), 1, (-0.5, 2.5))).all()


def test_lifetime_value_of_one_departure_among_forty_customers_is_known_only_roughly():
    # Source: the known answers. ARPA 1,000, gross margin 80 %, one of 40 left: point 32,000, 95 % [7,210; 295,114].
    low, high = intervals.jeffreys(1, 40)
    assert 1000 * 0.8 / (1 / 40) == 32_000
    assert (800 / high, 800 / low) == pytest.approx((7_210, 295_114), abs=0.6)


def test_numbers_are_told_without_the_digits_that_the_order_of_adding_makes():
    found = intervals.as_told([30.504309110134333, 30.504309110134336, -1 / 3e9, 0.0, np.nan, np.inf, 1e-300])
    assert found[0] == found[1] == 30.50430911013
    assert list(found[2:4]) == [-3.333333333333e-10, 0.0] and np.isnan(found[4]) and found[5] == np.inf and found[6] == 1e-300
    for exact in (4142614861.0, 123456789012345678.0, 123456789012345.5):
        assert intervals.as_told([exact])[0] == exact
