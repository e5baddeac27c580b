"""Exact Shapley: published cases, our plan-gap table, properties, and intervals against simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.methods.decomposition import kitagawa, propagate, shapley


def product(**drivers):
    return math.prod(drivers.values())


def net_new_arr(leads, lead_to_opportunity, win_rate, deal_size, timing, expansion, churn, contraction):
    new = leads * lead_to_opportunity * win_rate * deal_size * timing
    return new + 20_000_000 * (expansion - churn - contraction)


PLAN = {
    "leads": 6000,
    "lead_to_opportunity": 0.10,
    "win_rate": 0.25,
    "deal_size": 60_000,
    "timing": 0.80,
    "expansion": 0.14,
    "churn": 0.08,
    "contraction": 0.02,
}
ACTUAL = {
    "leads": 6300,
    "lead_to_opportunity": 0.088,
    "win_rate": 0.235,
    "deal_size": 58_000,
    "timing": 0.76,
    "expansion": 0.125,
    "churn": 0.10,
    "contraction": 0.02,
}
GROUPS = {
    "new_business": ["leads", "lead_to_opportunity", "win_rate", "deal_size", "timing"],
    "retention": ["expansion", "churn", "contraction"],
}


def test_two_factors_of_das_gupta():  # Das Gupta 1993, example 2.1
    result = shapley({"a": 10930, "b": 0.717892}, {"a": 16591, "b": 0.825974}, product)
    assert result["a"] == pytest.approx(4369.913, abs=5e-4)
    assert result["b"] == pytest.approx(1487.262, abs=5e-4)
    assert result.total == pytest.approx(5857.175, abs=5e-4)


def test_three_factors_of_das_gupta():  # Das Gupta 1993, example 2.2
    base = {"a": 51.78746, "b": 0.45919, "c": 0.52638}
    result = shapley(base, {"a": 84.90502, "b": 0.75756, "c": 0.51065}, product)
    assert [result[d] for d in "abc"] == pytest.approx([10.4340333, 10.5608476, -0.6670084], abs=5e-8)
    assert result.total == pytest.approx(20.3278726, abs=5e-8)


def test_plan_gap_table():  # shared known answers, "Plan gap (ours)"
    result = shapley(PLAN, ACTUAL, net_new_arr, GROUPS)
    expected = {
        "leads": 315_384,
        "lead_to_opportunity": -823_586,
        "win_rate": -399_137,
        "deal_size": -218_802,
        "timing": -330_941,
        "expansion": -300_000,
        "churn": -400_000,
        "contraction": 0,
    }
    assert {driver: round(effect) for driver, effect in result.items()} == expected
    assert result["contraction"] == 0
    assert round(result.total) == -2_157_081
    assert result.groups["retention"] == pytest.approx(-700_000)
    assert result.groups["new_business"] + result.groups["retention"] == pytest.approx(result.total)


def test_groups_read_both_ways_and_change_no_effect():
    by_driver = {driver: group for group, drivers in GROUPS.items() for driver in drivers}
    plain, one, other = (shapley(PLAN, ACTUAL, net_new_arr, groups) for groups in (None, GROUPS, by_driver))
    assert dict(plain) == dict(one) == dict(other)
    assert one.groups == other.groups
    assert plain.groups == {}


def test_one_driver_takes_all():
    assert dict(shapley({"a": 2}, {"a": 5}, lambda a: a**2)) == {"a": 21}


def test_zeros_and_negatives_are_ordinary_values():
    result = shapley({"a": 0, "b": -3}, {"a": 4, "b": 0}, product)
    assert result["a"] == pytest.approx(-6)
    assert result["b"] == pytest.approx(6)
    assert result.total == 0


def test_each_state_is_evaluated_once():
    seen = []

    def identity(**drivers):
        seen.append(tuple(sorted(drivers.items())))
        return product(**drivers)

    shapley(dict.fromkeys("abcde", 1), dict.fromkeys("abcde", 2), identity)
    assert len(seen) == len(set(seen)) == 2**5


def test_twelve_drivers_are_decomposed_and_thirteen_refused():
    names = "abcdefghijklm"
    result = shapley(dict.fromkeys(names[:12], 1.0), dict.fromkeys(names[:12], 1.1), product)
    assert list(result.values()) == pytest.approx([(1.1**12 - 1) / 12] * 12)
    with pytest.raises(ValueError, match="13 drivers"):
        shapley(dict.fromkeys(names, 1.0), dict.fromkeys(names, 1.1), product)


@pytest.mark.parametrize(
    ("base", "actual", "groups", "message"),
    [
        ({}, {}, None, "0 drivers"),
        ({"a": 1}, {"b": 1}, None, "different drivers: a, b"),
        ({"a": math.nan}, {"a": 1}, None, "driver a is nan"),
        ({"a": 1}, {"a": math.inf}, None, "driver a is inf"),
        ({"a": 1}, {"a": None}, None, "driver a has no value"),
        ({"a": 1}, {"a": not_applicable("no leads")}, None, "no leads"),
        ({"a": 1}, {"a": 2}, {"x": ["z"]}, "not there: z"),
        ({"a": 1}, {"a": 2}, {"x": ["a"], "y": ["a"]}, "more than one group"),
    ],
)
def test_what_cannot_be_decomposed_is_refused_with_the_reason(base, actual, groups, message):
    with pytest.raises(ValueError, match=message):
        shapley(base, actual, product, groups)


def test_an_identity_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="identity is inf"):
        shapley({"a": 1}, {"a": 2}, lambda a: math.inf if a > 1 else 0)


values = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 6))
pairs = st.integers(1, 6).flatmap(lambda k: st.tuples(*[st.lists(values, min_size=k, max_size=k)] * 2))


def curved(**drivers):
    """Product plus a term that is not multilinear."""
    return product(**drivers) + sum(v * abs(v) for v in drivers.values())


@given(pairs, st.randoms())
@settings(max_examples=60, deadline=None)
def test_effects_sum_to_the_difference_whatever_the_order(pair, random):
    names = "abcdef"[: len(pair[0])]
    base, actual = (dict(zip(names, side, strict=True)) for side in pair)
    result = shapley(base, actual, curved)
    size = max(map(abs, result.values()))
    assert math.fsum(result.values()) == pytest.approx(curved(**actual) - curved(**base), rel=1e-6, abs=1e-9 * size)
    order = list(names)
    random.shuffle(order)
    assert dict(shapley({d: base[d] for d in order}, {d: actual[d] for d in order}, curved)) == dict(result)
    still = shapley(base | {"a": actual["a"]}, actual, curved)
    assert still["a"] == 0


def measured(value, half):
    return Measurement(value, n=100, low=value - half, high=value + half)


def test_intervals_agree_with_simulation():
    base = {"a": 100.0, "b": 0.5, "c": 3.0}
    actual = {"a": measured(90, 8), "b": measured(0.45, 0.05), "c": 3.2}
    result = shapley(base, actual, product, {"both": ["a", "b"]})
    rng = np.random.default_rng(7)
    draws = [
        shapley(base, {"a": rng.normal(90, 8 / 1.96), "b": rng.normal(0.45, 0.05 / 1.96), "c": 3.2}, product) for _ in range(4000)
    ]
    for driver in "abc":
        low, high = np.percentile([draw[driver] for draw in draws], [2.5, 97.5])
        width = result[driver].high - result[driver].low
        assert result[driver].low == pytest.approx(low, abs=0.05 * width)
        assert result[driver].high == pytest.approx(high, abs=0.05 * width)
    low, high = np.percentile([draw["a"] + draw["b"] for draw in draws], [2.5, 97.5])
    assert result.groups["both"].low == pytest.approx(low, rel=0.05)
    assert result.groups["both"].high == pytest.approx(high, rel=0.05)


def test_each_side_of_an_interval_is_carried_apart():
    rate = Measurement(0.1, n=40, low=0.05, high=0.2)
    up = shapley({"a": 100, "b": 0.1}, {"a": 100, "b": rate}, product)["b"]
    down = shapley({"a": 100, "b": 0.1}, {"a": 100, "b": rate}, lambda a, b: -a * b)["b"]
    assert (up.value, up.n) == (0, 40)
    assert (up.low, up.high) == pytest.approx((-5, 10))
    assert (down.low, down.high) == pytest.approx((-10, 5))


def test_a_measured_base_adds_its_own_noise():
    result = shapley({"a": measured(10, 3)}, {"a": measured(10, 4)}, lambda a: 2 * a)
    assert (result["a"].low, result["a"].high) == pytest.approx((-10, 10))
    assert (result.total.low, result.total.high) == pytest.approx((-10, 10))


def test_exact_measurements_stay_exact_and_weak_ones_stay_marked():
    weak = Measurement(0.5, n=8, low=0.2, high=0.8, status="insufficient", reason="8 deals")
    exact = shapley({"a": 1}, {"a": Measurement(3, n=3)}, product)["a"]
    assert exact.exact
    assert exact.value == 2
    result = shapley({"a": 1, "b": 0.5}, {"a": Measurement(3, n=3), "b": weak}, product)
    assert (result["b"].status, result["b"].reason) == ("insufficient", "8 deals")
    assert result["a"].status == "ok"
    assert result.total.n == 3


def test_an_open_side_stays_open():
    result = shapley({"a": 1}, {"a": Measurement(3, n=3, low=2, status="censored", reason="still open")}, product)["a"]
    assert result.low == pytest.approx(1)
    assert result.high is None


def test_propagated_interval_is_the_delta_method():
    result = propagate({"a": measured(10, 3), "b": measured(4, 1), "c": 2}, lambda a, b, c: c * a * b)
    assert result.value == 80
    half = math.hypot(2 * 4 * 3, 2 * 10 * 1)
    assert (result.low, result.high) == pytest.approx((80 - half, 80 + half))


def test_mix_and_rate_of_a_hand_worked_change():
    before = {"small": (60, 0.10), "large": (40, 0.30)}  # total .18
    after = {"small": (80, measured(0.10, 0.02)), "large": (20, measured(0.20, 0.10))}  # total .12
    frame = kitagawa(before, after).set_index("member")
    assert frame.rate_effect.to_dict() == pytest.approx({"large": -0.03, "small": 0.0})
    assert frame.mix_effect.sum() == pytest.approx(-0.03)
    assert (frame.rate_effect.sum() + frame.mix_effect.sum()) == pytest.approx(0.12 - 0.18)
    assert frame.loc["large", ["low", "high"]].tolist() == pytest.approx([-0.06, 0.0])


def test_a_member_that_is_new_or_gone_changes_only_the_mix():
    frame = kitagawa(
        {"a": (10, 0.5), "gone": (10, 0.1)},
        {"a": (10, 0.5), "new": (10, 0.3), "none": (0, None), "gone": (0, None)} | {"none": (0, 0.9)},
    ).set_index("member")
    assert (frame.rate_effect == 0).all()
    assert frame.mix_effect.sum() == pytest.approx(0.4 - 0.3)


@pytest.mark.parametrize("before", [{}, {"a": (0, 0.5)}])
def test_a_split_without_weight_is_refused(before):
    with pytest.raises(ValueError, match="no weight"):
        kitagawa(before, {"a": (1, 0.5)})


def test_a_member_without_any_rate_is_refused():
    with pytest.raises(ValueError, match="member a has no rate"):
        kitagawa({"a": (1, None)}, {"a": (1, not_applicable("none"))})
