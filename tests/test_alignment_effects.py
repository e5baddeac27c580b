"""Adjusted effects and hazard ratios against published and hand-worked answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revops_helpers.measurement import Measurement
from revops_helpers.methods.effects import e_value, e_value_of, effect_of, hazard_ratio
from tests.test_survival import RELAPSED, REMISSION

PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def cells(*rows) -> pd.DataFrame:
    """(stratum, exposed, outcome, how many) rows."""
    return pd.DataFrame(rows, columns=["stratum", "on", "out", "n"])


TABLE = cells(("a", 1, 1, 30), ("a", 1, 0, 20), ("a", 0, 1, 40), ("a", 0, 0, 110))
# Odds ratio 3 in each stratum; the exposed are mostly in the stratum where the outcome is common anyway.
CONFOUNDED = cells(
    ("hot", 1, 1, 90), ("hot", 1, 0, 30), ("hot", 0, 1, 30), ("hot", 0, 0, 30),
    ("cold", 1, 1, 30), ("cold", 1, 0, 90), ("cold", 0, 1, 40), ("cold", 0, 0, 360),
)  # fmt: skip


def test_without_covariates_it_is_the_plain_two_by_two_table():
    # 30·110 ÷ (20·40) = 4.125; Woolf's interval exp(ln 4.125 ± 1.96·√(1/30 + 1/20 + 1/40 + 1/110)).
    found = effect_of(TABLE, "on", "out", weights="n")
    assert found.odds_ratio.value == pytest.approx(4.125)
    half = 1.959964 * np.sqrt(1 / 30 + 1 / 20 + 1 / 40 + 1 / 110)
    assert (found.odds_ratio.low, found.odds_ratio.high) == pytest.approx((4.125 * np.exp(-half), 4.125 * np.exp(half)))
    assert (found.exposed.value, found.unexposed.value) == pytest.approx((30 / 50, 40 / 150))
    assert found.difference.value == pytest.approx(1 / 3)
    wald = 1.959964 * np.sqrt(0.6 * 0.4 / 50 + (4 / 15) * (11 / 15) / 150)
    assert found.difference.low == pytest.approx(1 / 3 - wald)
    assert found.ratio.value == pytest.approx(0.6 / (4 / 15))
    assert (found.exposed.n, found.unexposed.n, found.odds_ratio.n) == (50, 150, 200)


def test_what_goes_with_both_is_held_constant():
    plain, adjusted = (effect_of(CONFOUNDED, "on", "out", held, "n") for held in ((), ("stratum",)))
    assert plain.odds_ratio.value == pytest.approx(120 / 120 * 390 / 70)
    assert adjusted.odds_ratio.value == pytest.approx(3)
    hot, cold = 180 / 700, 520 / 700  # everybody exposed: 3/4 of the hot and 1/4 of the cold; nobody: 1/2 and 1/10
    assert adjusted.exposed.value == pytest.approx(hot * 0.75 + cold * 0.25)
    assert adjusted.difference.value == pytest.approx(hot * 0.25 + cold * 0.15)
    assert adjusted.missed.value == pytest.approx((60 * 0.25 + 400 * 0.15) / 460)
    assert adjusted.missed.n == 460


@pytest.mark.parametrize("rows", [
    (("a", 1, 1, 30), ("a", 0, 0, 30)),  # perfectly told apart
    (("a", 1, 1, 40), ("a", 0, 1, 40)),  # everybody has the outcome
    (("a", 1, 1, 40), ("a", 1, 0, 40)),  # nobody unexposed
    (("a", 1, 1, 3), ("a", 1, 0, 3), ("a", 0, 1, 3), ("a", 0, 0, 3)),
])  # fmt: skip
def test_too_little_is_no_effect_at_all(rows):
    assert effect_of(cells(*rows), "on", "out", ("stratum",), "n") is None


def test_no_rows_are_no_effect():
    assert effect_of(cells(), "on", "out", ("stratum",), "n") is None


def test_levels_with_hardly_any_outcome_are_pooled_and_do_not_break_the_fit():
    rare = [(f"r{i}", i % 2, 1, 1) for i in range(9)]
    found = effect_of(cells(*CONFOUNDED.itertuples(index=False), *rare), "on", "out", ("stratum",), "n")
    assert found.odds_ratio.value == pytest.approx(3, rel=0.1)


def test_a_number_is_held_constant_wherever_its_zero_is_and_missing_ones_have_a_level():
    frame = CONFOUNDED.assign(heat=np.where(CONFOUNDED.stratum == "hot", 1070.0, 1050.0))
    assert effect_of(frame, "on", "out", ("heat",), "n").odds_ratio.value == pytest.approx(3)
    frame = CONFOUNDED.assign(heat=np.where(CONFOUNDED.stratum == "hot", 1.0, np.nan))
    assert effect_of(frame, "on", "out", ("heat",), "n").odds_ratio.value == pytest.approx(3)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(12, 60), min_size=4, max_size=4))
def test_counted_rows_are_the_rows_themselves_and_turning_the_exposure_round_turns_the_effect_round(counts):
    rows = cells(*[("a", on, out, n) for (on, out), n in zip([(1, 1), (1, 0), (0, 1), (0, 0)], counts, strict=True)])
    each = rows.loc[np.repeat(rows.index, rows.n)].assign(n=1)
    found, turned = effect_of(rows, "on", "out", weights="n"), effect_of(rows.assign(on=1 - rows.on), "on", "out", weights="n")
    assert effect_of(each, "on", "out").odds_ratio.value == pytest.approx(found.odds_ratio.value)
    assert turned.difference.value == pytest.approx(-found.difference.value)
    assert turned.odds_ratio.low == pytest.approx(1 / found.odds_ratio.high)


def test_the_e_value_of_the_published_example():
    # Source: VanderWeele and Ding 2017: maternal breastfeeding, risk ratio 3.9 [1.8–8.7].
    found = e_value_of(Measurement(3.9, low=1.8, high=8.7, unit="ratio"))
    assert (round(found.value, 2), round(found.low, 2)) == (7.26, 3.0)
    assert e_value(1) == 1 and e_value(0.5) == pytest.approx(e_value(2))
    assert e_value_of(Measurement(1.2, low=0.9, high=1.6, unit="ratio")).low == 1


def remissions() -> pd.DataFrame:
    days = [*REMISSION, *PLACEBO]
    return pd.DataFrame(
        {"age": days, "left": [*RELAPSED, *[1] * 21], "on": [0] * 21 + [1] * 21, "entry": 0, "group": "g", "n": 1}
    )


def test_freireichs_remissions_give_the_hazard_ratio_of_every_textbook():
    # Source: coxph on the same data, Efron's ties: coefficient 1.5721, exp 4.817 [2.147–10.81].
    found = hazard_ratio(remissions(), "on", "age", "left", "entry", "group", "n")
    assert found.value == pytest.approx(4.817, abs=2e-3)
    assert (found.low, found.high) == pytest.approx((2.147, 10.81), rel=2e-3)


def test_whoever_left_before_being_watched_is_not_counted():
    late = pd.DataFrame({"age": [3] * 30, "left": [1] * 30, "on": [0] * 30, "entry": 5, "group": "g", "n": 1})
    rows = remissions()
    assert hazard_ratio(pd.concat([rows, late]), "on", "age", "left", "entry").value == pytest.approx(
        hazard_ratio(rows, "on", "age", "left", "entry").value
    )


def test_an_arm_that_nobody_leaves_has_no_ratio():
    rows = remissions()
    assert hazard_ratio(rows.assign(left=rows["left"] * rows.on), "on", "age", "left", "entry") is None
