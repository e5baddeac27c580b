"""Expansion by start quarter on hand-worked customers: who stays in the base, what is not known yet, and that nothing is lost."""

from __future__ import annotations

from datetime import date

import pytest

from revops_helpers.metrics.measure import measured, measurement
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Unavailable
from revops_helpers.optimization.cohorts import AGES, expansion_by_start
from revops_helpers.periods import Period
from revops_helpers.words.language import GAP, use
from revops_helpers.words.optimization import growth_section
from tests.support import company_of

FIRST, LATER = date(2025, 1, 1), date(2025, 10, 1)
Q1 = Period(date(2026, 1, 1), date(2026, 3, 31))


def line(account, mrr, starts, ends=None):
    row = {"subscription_id": f"{account}/{starts}", "account_id": account, "mrr": mrr, "starts_on": starts, "ends_on": ends}
    return row | {"product": None}


def grown(*lines, **more):
    return expansion_by_start(company_of(subscriptions=list(lines), **more))


@pytest.fixture(scope="module")
def company():
    """Three start in the first quarter of 2025 with 100 each: one adds 20 after three months, one leaves, one adds 50 after
    twelve. One starts in October with 200 and adds 30 in the month after."""
    return company_of(
        subscriptions=[
            line("a", 100, "2025-01-10"), line("a", 20, "2025-04-20"),
            line("b", 100, "2025-02-10", "2025-08-01"),
            line("c", 100, "2025-03-10"), line("c", 50, "2026-03-05"),
            line("d", 200, "2025-10-10"), line("d", 30, "2025-11-10"),
        ]
    )  # fmt: skip


@pytest.fixture(scope="module")
def triangle(company):
    return expansion_by_start(company)


def test_those_that_left_stay_in_the_base(triangle):
    assert triangle.cohorts.to_dict("records") == [
        {"start": FIRST, "customers": 3, "initial": 300}, {"start": LATER, "customers": 1, "initial": 200}
    ]  # fmt: skip
    shares = [triangle.cells[FIRST, age].value for age in (3, 6, 9, 12, 18)]
    assert shares == pytest.approx([20 / 300, 20 / 300, 20 / 300, 70 / 300, 70 / 300])


def test_a_cell_is_empty_until_its_last_customer_is_that_old_and_says_from_when(triangle):
    young = {age: triangle.cells[LATER, age] for age in AGES}
    assert [age for age, cell in young.items() if cell.value is not None] == [3, 6, 9]
    assert (young[12].status, young[12].reason) == ("censored", "complete on 2026-12-31")
    assert triangle.cells[FIRST, 24].reason == "complete on 2027-03-31"


def test_the_triangle_holds_every_expansion_that_the_movements_hold(company, triangle):
    ever = measurement(company, "expansion_arr", Period(date(2025, 1, 1), date(2026, 9, 30)))
    assert (triangle.moved * 12, triangle.moved) == (ever.value, 20 + 50 + 30)


def test_the_measure_follows_those_that_started_a_year_before_for_twelve_months(company):
    found = measurement(company, "expansion_by_cohort", Q1)
    assert (found.value, found.n) == (pytest.approx(70 / 300), 3)
    assert measurement(company, "expansion_by_cohort", Period(date(2026, 4, 1), date(2026, 6, 30))).status == "not_applicable"


def test_the_metric_and_the_cell_of_its_quarter_are_one_number(company, triangle):
    metric, cell = measurement(company, "expansion_by_cohort", Q1), triangle.cells[FIRST, 12]
    assert (metric.value, metric.low, metric.high, metric.n) == (cell.value, cell.low, cell.high, cell.n)


def test_one_customer_none_and_only_leavers():
    flat = grown(line("a", 100, "2025-01-10"))
    cell = flat.cells[FIRST, 12]
    assert (cell.value, cell.low, cell.high, cell.status) == (0, 0, None, "insufficient")
    assert expansion_by_start(company_of(subscriptions=[line("a", 100, "2026-10-10")])).cohorts.empty  # signed for later
    gone = grown(*(line(name, 100, "2025-01-10", "2025-02-10") for name in "ab"))
    assert (gone.cells[FIRST, 12].value, gone.cohorts.customers.tolist()) == (0, [2])
    assert grown().cohorts.empty
    with pytest.raises(Unavailable):
        expansion_by_start(company_of(users=[]))


def test_the_page_shows_when_an_empty_cell_is_known(company, triangle):
    use("en")
    said = growth_section(triangle, company).text
    assert f"→{GAP}Dec{GAP}2026" in said and "23%" in said and "Jan–Mar" in said
    assert "No customer has started yet" in growth_section(grown(), company).text


def test_periods_of_any_length_are_measured_side_by_side(company):
    spans = (Q1, Period(date(2026, 8, 1), date(2026, 10, 31)), Period(date(2026, 1, 1), date(2026, 9, 30)))
    found = measured(company, "expansion_by_cohort", "", Windows.of(company.settings, spans))
    assert dict(zip(found.period_end, found.n, strict=True)) == {
        date(2026, 3, 31): 3,
        date(2026, 10, 31): 1,
        date(2026, 9, 30): 3,
    }
