"""What growth costs, on one P&L each: the known answers, and what happens where there is nothing to divide by."""

from __future__ import annotations

from datetime import date

import pytest

from revops_helpers.metrics import counting
from revops_helpers.metrics.measure import measurement, measurements
from revops_helpers.periods import Period
from tests.support import company_of

Q2, Q3 = Period(date(2026, 4, 1), date(2026, 6, 30)), Period(date(2026, 7, 1), date(2026, 9, 30))


def spend(month, amount, function="sales", category="people"):
    return {"month": f"2026-{month:02d}-01", "function": function, "category": category, "amount": amount, "currency": "BRL"}


def line(account, mrr, start="2026-07-15", end=None):
    return {"subscription_id": account, "account_id": account, "mrr": mrr, "starts_on": start, "ends_on": end, "currency": "BRL"}


def result(month, revenue=0, ebitda=0, burn=0, profit=0, year=2026):
    return {"month": f"{year}-{month:02d}-01", "revenue": revenue, "ebitda": ebitda, "net_burn": burn, "gross_profit": profit}


QUIET = [spend(month, 0) for month in range(1, 10)]


def test_cac_by_definition():
    # Source: the known answers. Media 400k, sales 900k, tools 120k, CSM 180k, cash commission 260k; 40 new logos and 25
    # expansions: fully loaded new-logo CAC 42,000 (Finance), blended 28,615.38.
    paid = [
        spend(4, 400_000_00, "marketing", "program"),
        spend(4, 900_000_00, "sales"),
        spend(5, 120_000_00, "marketing", "tools"),
        spend(5, 180_000_00, "customer_success"),
        spend(6, 260_000_00, "sales", "commission"),
    ]
    closed = {"status": "won", "close_date": "2026-07-10", "closed_at": "2026-07-10 12:00", "created_at": "2026-06-01"}
    kinds = ["new"] * 40 + ["expansion"] * 25 + ["renewal"] * 9
    deals = [{"opportunity_id": str(i), "account_id": str(i), "kind": kind, **closed} for i, kind in enumerate(kinds)]
    lines = [line(f"new{i}", 100_00) for i in range(40)] + [line("old", 100_00, "2024-01-01")]
    company = company_of(spend=paid, subscriptions=lines, opportunities=deals)
    found = measurements(company, ["cac", "cac_blended"], Q3)
    assert found["cac"].value == 42_000_00
    assert found["cac_blended"].value == pytest.approx(28_615.38 * 100, abs=1)
    assert (found["cac"].n, found["cac"].status) == (40, "ok")
    # Forty departures of a Poisson process: between 28.6 and 54.5.
    assert (found["cac"].low, found["cac"].high) == pytest.approx((168_000_000 / 54.47, 168_000_000 / 28.58), rel=1e-3)


def test_the_cac_ratios_set_each_cost_against_the_arr_that_it_is_spent_on():
    """Spent in the second quarter: 300 by marketing and sales, 120 by customer success. ARR of the third: 240 new, 60 added."""
    paid = [*QUIET, spend(4, 100_00, "marketing"), spend(5, 200_00), spend(6, 120_00, "customer_success")]
    grown = [line("old", 100_00, "2024-01-01"), line("old", 5_00, "2026-08-01") | {"subscription_id": "more"}]
    ratios = ["cac_ratio", "cac_ratio_blended", "cac_ratio_expansion"]
    found = measurements(company_of(spend=paid, subscriptions=[*grown, line("new", 20_00)]), ratios, Q3)
    assert [m.value for m in found.values()] == [300 / 240, 420 / 300, 120 / 60]
    assert {m.status for m in found.values()} == {"insufficient"}  # one customer each
    none = measurements(company_of(spend=paid, subscriptions=grown[:1]), ratios, Q3)
    assert {(m.value, m.status) for m in none.values()} == {(None, "not_applicable")}
    assert [m.reason for m in none.values()] == ["no new ARR", "no new ARR and no expansion", "no expansion"]
    free = measurements(company_of(spend=QUIET, subscriptions=[*grown, line("new", 20_00)]), ratios, Q3)
    assert {(m.value, m.reason) for m in free.values()} == {(None, "nothing was spent")}


def test_no_new_customer_is_not_applicable_and_never_free():
    company = company_of(spend=[*QUIET, spend(5, 1000_00)], subscriptions=[line("old", 100_00, "2024-01-01")])
    found = measurement(company, "cac", Q3)
    assert (found.value, found.status) == (None, "not_applicable")


def test_nothing_spent_is_not_a_cac_of_zero():
    found = measurement(company_of(spend=QUIET, subscriptions=[line("a", 100_00)]), "cac", Q3)
    assert (found.value, found.status) == (None, "not_applicable")


def test_spend_that_has_not_arrived_leaves_cac_without_a_value():
    company = company_of(spend=[spend(m, 1000_00) for m in (1, 2, 3, 4, 5)], subscriptions=[line("a", 100_00)])
    found = measurement(company, "cac", Q3)
    assert (found.value, found.status, found.reason) == (None, "partial", "spend of 2026-06 has not arrived")
    assert measurement(company, "cac", Q2).reason != found.reason


def test_magic_numbers_three_ways():
    # Source: the known answers, one P&L: 0.667 / 0.800 / 0.667. ARR grows by 2.0 M on 3.0 M spent in the quarter and 2.5 M in
    # the one before; quarterly revenue grows from 10.0 M to 10.41667 M.
    paid = [spend(4, 250_000_000), *(spend(m, 0) for m in (5, 6)), spend(7, 300_000_000), *(spend(m, 0) for m in (8, 9))]
    lines = [line("old", 100_000_00, "2024-01-01"), line("a", 200_000_000 // 12)]
    books = [result(m, 1_000_000_000 // 3) for m in (4, 5, 6)] + [result(m, 1_041_666_667 // 3) for m in (7, 8, 9)]
    company = company_of(spend=paid, subscriptions=lines, financials=books)
    found = measurements(company, ["magic_number_seed", "magic_number_lag", "magic_number_svp"], Q3)
    assert [round(m.value, 3) for m in found.values()] == [0.667, 0.8, 0.667]
    assert found["magic_number_svp"].exact and not found["magic_number_lag"].exact


def test_payback_of_twelve_thousand_at_a_thousand_a_month_is_fifteen_months():
    # Source: METRICS. CAC 12k, MRR 1k, gross margin 80 % → 15 months.
    lines = [line(f"c{i}", 1000_00) for i in range(25)]
    company = company_of(spend=[*QUIET, spend(5, 300_000_00)], subscriptions=lines, settings={"gross_margin": 0.8})
    found = measurement(company, "cac_payback", Q3)
    assert (found.value, found.unit, found.status) == (pytest.approx(15), "months", "ok")
    assert found.low < 15 < found.high


def test_the_margin_comes_from_the_books_where_the_agreement_is_silent():
    lines = [line(f"c{i}", 1000_00) for i in range(25)]
    books = [result(m, revenue=100_00, profit=60_00) for m in range(1, 10)] + [result(9, 900_00, profit=0, year=2025)]
    tables = {"spend": [*QUIET, spend(5, 300_000_00)], "subscriptions": lines}
    assert measurement(company_of(financials=books, **tables), "cac_payback", Q3).value == pytest.approx(20)
    absent = measurement(company_of(**tables), "cac_payback", Q3)
    assert absent.reason == "needs gross_margin in company.yml, or financials.gross_profit"
    losing = [result(m, revenue=100_00, profit=-10_00) for m in range(1, 10)]
    never = measurement(company_of(financials=losing, **tables), "cac_payback", Q3)
    assert (never.value, never.status, never.reason) == (None, "not_applicable", "never: no margin is earned")


def test_lifetime_value_is_capped_and_never_infinite():
    lines = [line(f"c{i}", 1000_00, "2024-01-01") for i in range(40)]
    company = company_of(spend=[*QUIET, spend(5, 500_000_00)], subscriptions=lines, settings={"gross_margin": 0.8})
    found = measurement(company, "ltv")
    assert (found.value, found.status) == (60 * 800_00, "insufficient")
    discounted = company_of(subscriptions=lines, settings={"gross_margin": 0.8, "discount_rate": 0.12})
    assert measurement(discounted, "ltv").value == pytest.approx(800_00 * sum(1.12 ** (-t / 12) for t in range(60)))


def test_a_customer_that_costs_more_to_serve_than_it_pays_is_worth_less_than_nothing():
    lines = [line(f"c{i}", 1000_00 + i, "2024-01-01") for i in range(40)]
    books = [result(m, revenue=100_00, profit=-10_00) for m in range(1, 10)]
    company = company_of(financials=books, spend=[*QUIET, spend(5, 500_000_00)], subscriptions=lines)
    found = measurement(company, "ltv")
    assert found.value == pytest.approx(-0.1 * 60 * 100_019.5)
    assert found.low < found.value < found.high < 0


def test_cac_and_its_payback_are_one_query_and_a_margin_that_is_missing_keeps_back_the_payback_alone(monkeypatch):
    asked, query = [], counting.query
    monkeypatch.setattr(counting, "query", lambda *given: (asked.append([m.id for m in given[1]]), query(*given))[1])
    ids, lines = ["cac", "cac_payback"], [line(f"n{i}", 1_000_00, "2026-07-01") for i in range(25)]
    told = {"spend": [*QUIET, spend(5, 300_000_00)], "subscriptions": lines}
    both = measurements(company_of(**told, settings={"gross_margin": 0.8}), ids, Q3)
    assert asked == [["cac_payback", "cac"]]
    for id in ids:
        assert both[id] == measurement(company_of(**told, settings={"gross_margin": 0.8}), id, Q3)
    without = measurements(company_of(**told), ids, Q3)
    assert without["cac"] == both["cac"] and both["cac"].value == 12_000_00
    assert without["cac_payback"].reason == "needs gross_margin in company.yml, or financials.gross_profit"


def test_payback_by_a_booked_margin_of_many_digits_does_not_overflow():
    booked = [{"month": f"2026-0{m}-01", "gross_profit": 7_654_321_01 + m, "revenue": 9_876_543_21} for m in range(1, 10)]
    lines = [line(f"c{i}", 1000_00) for i in range(25)]
    found = measurement(
        company_of(spend=[*QUIET, spend(5, 300_000_00)], subscriptions=lines, financials=booked), "cac_payback", Q3
    )
    assert found.value == pytest.approx(12 * 9_876_543_21 / 7_654_321_06, rel=1e-6) and found.low < found.value < found.high


def test_ltv_to_cac_divides_its_parts_and_says_which_one_is_missing():
    lines = [line(f"c{i}", 1000_00, "2024-01-01", f"2026-0{1 + i % 6}-20") for i in range(30)]
    lines += [line(f"n{i}", 1000_00) for i in range(30)]
    company = company_of(spend=[*QUIET, spend(5, 300_000_00)], subscriptions=lines, settings={"gross_margin": 0.8})
    worth, cost, both = (measurement(company, name, Q3) for name in ("ltv", "cac", "ltv_cac"))
    assert both.value == pytest.approx(worth.value / cost.value)
    assert both.low < both.value < both.high
    without = measurement(company_of(spend=QUIET, subscriptions=lines, settings={"gross_margin": 0.8}), "ltv_cac", Q3)
    assert (without.value, without.status) == (None, "not_applicable")
    assert without.reason.startswith("cac is not known: ")


def test_rule_of_40_adds_growth_and_margin_of_the_same_twelve_months():
    lines = [line(f"c{i}", 1000_00, "2024-01-01") for i in range(20)] + [line(f"n{i}", 1000_00) for i in range(6)]
    books = [result(m, 100_00, 10_00) for m in range(1, 10)] + [result(m, 100_00, 10_00, year=2025) for m in (10, 11, 12)]
    books.append(result(9, 900_00, -900_00, year=2025))
    found = measurements(company_of(subscriptions=lines, financials=books), ["arr_growth", "ebitda_margin", "rule_of_40"])
    assert [round(m.value, 6) for m in found.values()] == [0.3, 0.1, 0.4]


def test_burn_multiple_only_where_cash_burns_and_arr_grows():
    growing, old = [line(f"n{i}", 1000_00) for i in range(20)], line("old", 100_00, "2024-01-01")
    burning = [result(m, burn=80_000_00) for m in range(1, 10)]
    found = measurement(company_of(subscriptions=growing, financials=burning), "burn_multiple", Q3)
    assert (found.value, found.status) == (pytest.approx(1.0), "ok")
    flat = measurement(company_of(subscriptions=[old], financials=burning), "burn_multiple", Q3)
    assert (flat.value, flat.status, flat.reason) == (None, "not_applicable", "ARR did not grow")
    earning = measurement(
        company_of(subscriptions=growing, financials=[result(m, burn=-1) for m in range(1, 10)]), "burn_multiple", Q3
    )
    assert (earning.value, earning.status, earning.reason) == (None, "not_applicable", "no cash was burnt")
