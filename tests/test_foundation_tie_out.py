"""ARR against finance's, to the cent: the causes that fit every month, the lines that fit one, and what is left."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revops_helpers.foundation.tie_out import _named, arr_tie
from revops_helpers.model.company import Unavailable
from revops_helpers.words.checks import arr_adds_up
from tests.support import company_of

LIVE = {"subscription_id": "s1", "account_id": "a", "mrr": 100_000, "starts_on": "2025-01-01", "signed_on": "2024-12-10"}
SIGNED = {"subscription_id": "s2", "account_id": "b", "mrr": 50_000, "starts_on": "2026-10-15", "signed_on": "2026-07-10"}
ENDS = {"ends_on": None, "change_reason": None}


def finance(**arr_by_month) -> list[dict]:
    return [{"month": f"2026-{month[1:]}-01", "arr": arr} for month, arr in arr_by_month.items()]


def tie(subscriptions, financials, **more):
    return arr_tie(company_of(subscriptions=[ENDS | row for row in subscriptions], financials=financials, **more))


def test_the_same_arr_on_both_sides_leaves_nothing():
    found = tie([LIVE], finance(m08=1_200_000, m09=1_200_000))
    assert found.causes == () and (found.months.difference == 0).all() and found.last.unexplained == 0


def test_contracts_counted_from_their_signature_explain_every_month_at_once():
    found = tie([LIVE, SIGNED], finance(m06=1_200_000, m07=1_800_000, m08=1_800_000, m09=1_800_000))
    assert found.causes == ("signed_not_live",) and found.named == ()
    assert found.months.signed_not_live.tolist() == [0, 600_000, 600_000, 600_000]
    assert found.lines.subscription_id.tolist() == ["s2"]
    assert arr_adds_up(found)


def test_a_single_contract_counted_early_is_named_by_its_sum():
    others = [SIGNED | {"subscription_id": f"x{i}", "account_id": f"x{i}", "mrr": 40_000 + 1_713 * i * i} for i in range(1, 7)]
    early = 12 * others[3]["mrr"]
    found = tie([LIVE, *others], finance(m08=1_200_000, m09=1_200_000 + early))
    assert found.named == ("signed_not_live",) and found.lines.subscription_id.tolist() == ["x4"]
    assert found.last.unexplained == 0 and found.tried == len(others)


def test_two_lines_of_the_same_amount_are_not_told_apart():
    twins = [SIGNED | {"subscription_id": f"x{i}", "account_id": f"x{i}"} for i in range(2)]
    found = tie([LIVE, *twins], finance(m08=1_200_000, m09=1_800_000))
    assert found.named == () and found.last.unexplained == 600_000


def test_a_difference_without_a_cause_stays_unexplained():
    found = tie([LIVE], finance(m08=1_234_567, m09=1_250_000))
    assert found.causes == () and found.months.unexplained.tolist() == [34_567, 50_000]


def test_what_finance_rounds_away_is_rounding():
    odd = [LIVE | {"mrr": 100_003}, LIVE | {"subscription_id": "s9", "mrr": 7_777}]
    found = tie(odd, finance(m08=1_290_000, m09=1_290_000))
    assert found.step == 10_000
    assert found.last.difference == 1_290_000 - 12 * 107_780 and found.last.unexplained == 0


def test_only_month_ends_that_finance_reports_are_compared():
    found = tie([LIVE], finance(m03=1_200_000, m09=1_200_000))
    assert [day.month for day in found.months.month_end] == [3, 9]


@pytest.mark.parametrize("missing", ["subscriptions", "financials"])
def test_without_one_side_there_is_no_tie(missing):
    tables = {"subscriptions": [ENDS | LIVE], "financials": finance(m09=1)}
    tables.pop(missing)
    with pytest.raises(Unavailable):
        arr_tie(company_of(**tables))


def test_no_report_of_finance_in_the_period_is_unavailable():
    with pytest.raises(Unavailable):
        tie([LIVE], [{"month": "2024-01-01", "arr": 5}])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(10_000, 9_999_999), min_size=1, max_size=9, unique=True), st.data())
def test_named_lines_always_add_up_to_the_difference(amounts, data):
    chosen = data.draw(st.sets(st.sampled_from(range(len(amounts))), min_size=1, max_size=3))
    lines = pd.DataFrame({"amount": amounts})
    found, tried = _named(lines, sum(amounts[i] for i in chosen), 12)
    assert tried > 0
    assert not len(found) or abs(found.amount.sum() - sum(amounts[i] for i in chosen)) <= 12
