"""Recurring revenue by product: a move from one product to another is told, and nothing appears or is lost by it."""

from __future__ import annotations

from datetime import date

import pytest

from revops_helpers.metrics.measure import measure, measurements
from revops_helpers.metrics.rows import rows
from revops_helpers.periods import Period
from tests.support import company_of

YEAR = Period(date(2026, 1, 1), date(2026, 9, 30))
ADD_UP = ("net_new_arr", "new_arr", "reactivation_arr", "indexation_arr", "churned_arr", "arr", "mrr")
MOVES = (*ADD_UP, "expansion_arr", "contraction_arr")


def line(account, product, mrr, starts="2024-01-01", ends=None, **more):
    ids = {"subscription_id": f"{account} {product}", "account_id": account, "product": product, "mrr": mrr}
    return ids | {"starts_on": starts, "ends_on": ends, **more}


def by_product(company, *metrics, column="value"):
    found = measure(company, list(metrics), by="product", period=YEAR)
    return {name: dict(zip(rows.member, rows[column], strict=True)) for name, rows in found.groupby("metric")}


MOVED = company_of(
    subscriptions=[
        line("mover", "core", 100, ends="2026-04-01"), line("mover", "plus", 100, "2026-04-01"),  # from core to plus
        line("grower", "core", 50, ends="2026-05-01"), line("grower", "core", 55, "2026-05-01", ends="2026-06-01"),
        line("grower", "core", 65, "2026-06-01"), line("grower", "plus", 30, "2026-06-10"),  # indexed, then more of both
        line("leaver", "core", 40, ends="2026-07-01"), line("leaver", "plus", 5, ends="2026-07-15"),  # both in one month
        line("comer", None, 20, "2026-08-01"),  # no product on record
        line("back", "plus", 7, ends="2025-12-01"), line("back", "core", 9, "2026-03-01"),  # came back to another product
    ]
)  # fmt: skip


def test_each_product_tells_its_own_movements_of_the_customers_that_stay():
    found = by_product(MOVED, *MOVES)
    assert found["mrr"] == {"core": 65 + 9, "plus": 100 + 30, "(not recorded)": 20}
    assert found["contraction_arr"] == {"core": 12 * 100, "plus": 0, "(not recorded)": 0}
    assert found["expansion_arr"] == {"core": 12 * (5 + 10), "plus": 12 * (100 + 30), "(not recorded)": 0}
    assert found["new_arr"] == {"core": 0, "plus": 0, "(not recorded)": 12 * 20}
    assert found["reactivation_arr"] == {"core": 12 * 9, "plus": 0, "(not recorded)": 0}
    assert found["churned_arr"] == {"core": 12 * 40, "plus": 12 * 5, "(not recorded)": 0}


def adds_up(company):
    found = by_product(company, *MOVES)
    whole = measurements(company, MOVES, YEAR)
    more = {name: sum(found.get(name, {}).values()) - whole[name].value for name in MOVES}
    assert {name: more[name] for name in ADD_UP} == dict.fromkeys(ADD_UP, 0)
    gained, given_up = more["expansion_arr"], more["contraction_arr"]
    assert gained == given_up  # what moved between products
    return gained


def test_a_move_is_contraction_there_and_expansion_here_and_none_in_total():
    assert adds_up(MOVED) == 12 * 100


def test_a_customer_that_moved_is_lost_to_the_product_it_left_and_no_gain_to_the_base_of_the_other():
    found = by_product(MOVED, "nrr", "grr", "arr_growth")
    # A year before: core mover 100, grower 50, leaver 40; plus leaver 5, back 7.
    assert (found["nrr"]["core"], found["nrr"]["plus"]) == (pytest.approx(65 / 190), 0)
    assert by_product(MOVED, "nrr", column="status")["nrr"]["(not recorded)"] == "not_applicable"
    assert found["grr"]["core"] == pytest.approx(50 / 190)
    assert found["arr_growth"]["plus"] == pytest.approx((130 - 12) / 12)


def test_of_nothing_of_one_and_of_what_stays_flat():
    assert adds_up(company_of(subscriptions=[])) == 0
    flat = company_of(subscriptions=[line("a", "core", 10), line("b", "core", 5), line("b", "plus", 5)])
    assert by_product(flat, "mrr", "grr") == {"mrr": {"core": 15, "plus": 5}, "grr": {"core": 1, "plus": 1}}
    gone = company_of(subscriptions=[line("a", "core", 10, ends="2026-02-01"), line("a", "plus", 5, ends="2026-02-01")])
    assert by_product(gone, "churned_arr")["churned_arr"] == {"core": 120, "plus": 60} and adds_up(gone) == 0


def test_without_a_product_on_the_lines_it_is_not_measured_by_product():
    bare = {name: value for name, value in line("a", "core", 10).items() if name != "product"}
    (found,) = measure(company_of(subscriptions=[bare]), "mrr", by="product", period=YEAR).itertuples()
    assert (found.status, found.reason) == ("not_applicable", "needs subscriptions.product")


def test_the_rows_behind_a_product_add_up_to_its_number():
    assert rows(MOVED, "mrr", "plus", YEAR, by="product").num.sum().to_pyarrow().as_py() == 130
