"""Reported numbers against the catalogue's: which choices of definition lead from one to the other, to the cent."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revops_helpers.foundation.definitions import Switch, Yardstick, claims, reconcile
from revops_helpers.foundation.yardsticks import YARDSTICKS, yardstick
from revops_helpers.metrics.measure import measurement
from revops_helpers.periods import Period
from revops_helpers.review.build import Request, review
from revops_helpers.words.claims import claims_section
from revops_helpers.words.markup import plain
from tests.folders import company_folder
from tests.seen import seen_in
from tests.support import company_of

QUARTER = Period(date(2026, 7, 1), date(2026, 9, 30))


def spent(amount: int, function: str, category: str, month: str = "2026-05-01") -> dict:
    return {"month": month, "function": function, "category": category, "amount": amount * 100, "currency": "BRL"}


def line(n: int, mrr: int = 1000, starts: str = "2026-08-05", ends: str | None = None) -> dict:
    return {"subscription_id": f"s{n}", "account_id": f"a{n}", "mrr": mrr * 100, "starts_on": starts, "ends_on": ends}


def deal(n: int, kind: str = "new", motion: str = "sales_led") -> dict:
    ids = {"opportunity_id": f"o{n}", "account_id": f"a{n}", "kind": kind, "motion": motion, "status": "won"}
    return ids | {"close_date": "2026-08-01", "amount": 1_200_000}


def one_p_and_l(*reports: tuple[str, str, float], more: Sequence[dict] = ()):
    """The P&L of METRICS.md, the "one CAC" bridge: 40 new logos, 60 self-serve, 25 expansions."""
    spend = [
        spent(400_000, "marketing", "program"),
        spent(120_000, "marketing", "tools"),
        spent(900_000, "sales", "people"),
        spent(260_000, "sales", "commission"),
        spent(180_000, "customer_success", "people"),
        *(spent(0, "sales", "people", f"2026-0{month}-01") for month in (4, 6, 7, 8, 9)),
    ]
    new = [deal(n, motion="sales_led" if n < 40 else "product_led") for n in range(100)]
    rows = [{"team": t, "metric": m, "value": v, "period_start": "2026-07-01", "definition": ""} for t, m, v in reports]
    return company_of(
        spend=spend,
        subscriptions=[*(line(n) for n in range(100)), *more],
        opportunities=new + [deal(n, "expansion") for n in range(100, 125)],
        metric_claims=rows,
    )


@pytest.mark.parametrize(
    ("value", "choices"),
    [
        (4_000.00, {"kinds": ("program",)}),
        (29_000.00, {"functions": ("sales",), "self_serve": "left out"}),
        (42_000.00, {"self_serve": "left out"}),
        (
            28_615.38,
            {"functions": ("customer_success", "marketing", "sales"), "self_serve": "left out", "expansions": "counted"},
        ),
    ],
)
def test_four_cacs_of_one_p_and_l_are_told_apart(value, choices):
    # METRICS, the "one CAC" bridge: marketing 4,000, sales 29,000, finance 42,000, blended 28,615.38.
    bridge = claims(one_p_and_l(("t", "cac", value)))[0].bridge
    assert bridge.canonical == 1_680_000_00 / 100
    assert bridge.explained
    assert {move.switch: move.option for move in bridge.moves} == choices
    assert sum(bridge.in_cents()) == round(value * 100)


def test_the_catalogues_own_number_needs_no_change():
    bridge = claims(one_p_and_l(("t", "cac", 16_800.0)))[0].bridge
    assert bridge.explained and bridge.moves == () and bridge.remainder == 0


def test_unpaid_trials_are_a_choice_only_where_there_are_some():
    """100 customers and 20 who try it unpaid: who pays by the end of the quarter, or paid before, is no trial."""
    tries = [line(n, 0, "2026-08-10") for n in range(200, 220)]
    converted = [line(0, 0, "2026-07-10"), line(1, 0, "2026-09-10") | {"subscription_id": "a free extra"}]
    earlier, later = line(300, 0, "2026-06-10"), [line(301, 0, "2026-06-10"), line(301, 500, "2026-10-10")]
    company = one_p_and_l(("t", "cac", 14_000.0), more=[*tries, *converted, earlier, *later])
    bridge = claims(company)[0].bridge
    assert bridge.canonical == 1_680_000 and bridge.explained
    assert [(move.switch, move.option) for move in bridge.moves] == [("trials", "counted")]
    assert "unpaid trials count as customers" in plain(claims_section(claims(company)).text)
    switches = {switch.id: switch.options for switch in yardstick(one_p_and_l(), "cac", QUARTER).switches}
    assert switches["trials"] == ("left out",)


@pytest.mark.slow
def test_the_audit_shows_a_number_that_no_choice_gives_with_what_is_left(tmp_path):
    leads = "".join(f"l{n},2026-08-01 12:00,2026-08-02 12:00\n" for n in range(5))
    files = {
        "leads.csv": f"lead_id,created_at,mql_at\n{leads}",
        "metric_claims.csv": "team,metric,period_start,value,definition\nmarketing,mqls,2026-07-01,123,all we counted\n",
    }
    data = company_folder(tmp_path / "data", files)
    page = (
        review(Request(str(data), as_of="2026-09-30", out=tmp_path / "reports", notebooks=("01",))) / "01_foundation_audit.html"
    )
    seen = seen_in(page.read_text(encoding="utf-8"))
    assert "Marketing: unexplained. None of 2 combinations of choices gives it; the nearest leaves +118." in seen
    assert re.search(r"Unexplained\s+\+118", seen)


def test_a_number_that_no_choice_gives_is_unexplained_with_what_is_left():
    claim = claims(one_p_and_l(("t", "cac", 123_456.78)))[0]
    assert not claim.bridge.explained and claim.bridge.chance == 0
    assert math.isclose(claim.bridge.canonical + sum(m.effect for m in claim.bridge.moves) + claim.bridge.remainder, 12_345_678)
    said = plain(claims_section((claim,)).text)
    assert "unexplained. None of" in said and "Unexplained |" in said


def test_a_coarse_number_that_many_combinations_come_near_cannot_be_told():
    steps = tuple(f"o{i}" for i in range(50))
    many = Yardstick((Switch("what", steps),), lambda choices: 1_000_000 + 1_007.0 * int(choices["what"][1:]))
    to_the_cent, to_the_real = reconcile(1_013_091, many), reconcile(1_013_100, many)
    assert to_the_cent.explained and to_the_cent.chance < 0.001
    assert not to_the_real.explained or to_the_real.chance <= 0.05
    dense = Yardstick((Switch("what", steps),), lambda choices: 0.9 + 0.001 * int(choices["what"][1:]))
    bridge = reconcile(0.93, dense, "percent")
    assert not bridge.explained and bridge.chance > 0.05 and bridge.others > 1
    moved = replace(bridge, moves=(replace(bridge.moves[0], switch="lost", option="left out"),))
    claim = replace(claims(one_p_and_l(("t", "nrr", 0.93)))[0], bridge=moved)
    assert "cannot be told" in plain(claims_section((claim,)).text)


def test_a_state_without_a_value_on_the_way_leaves_the_effects_together():
    def value(choices):
        return {("a", "a"): 10.0, ("b", "b"): 30.0}.get((choices["x"], choices["y"]))

    bridge = reconcile(30.0, Yardstick((Switch("x", ("a", "b")), Switch("y", ("a", "b"))), value), "count")
    assert bridge.explained and [move.effect for move in bridge.moves] == [20.0, 0.0]


def test_without_a_canonical_value_there_is_nothing_to_bridge_from():
    with pytest.raises(ValueError, match="no value"):
        reconcile(1.0, Yardstick((Switch("x", ("a",)),), lambda choices: None))
    unwon = company_of(spend=[spent(1, "sales", "people")], subscriptions=[line(1, starts="2020-01-01")])
    found = yardstick(unwon, "cac", QUARTER)
    assert found.value(found.canonical()) is None


@given(
    st.lists(st.integers(-50_000, 50_000), min_size=1, max_size=4),
    st.integers(1, 400),
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 2)),
)
def test_effects_and_remainder_always_lead_from_the_catalogue_to_the_claim(steps, den, claimed):
    switches = tuple(Switch(f"s{i}", ("no", "yes")) for i in range(len(steps)))

    def value(choices):
        return (100_000 + sum(step for i, step in enumerate(steps) if choices[f"s{i}"] == "yes")) / den

    bridge = reconcile(claimed, Yardstick(switches, value))
    assert math.isclose(bridge.canonical + sum(m.effect for m in bridge.moves) + bridge.remainder, claimed, abs_tol=1e-6)
    assert sum(bridge.in_cents()) == round(claimed)
    assert bridge.tried == 2 ** len(steps)


@given(st.sets(st.integers(0, 2)))
def test_whatever_choices_a_team_made_are_found_again(changed):
    steps = (70_123, 11_057, -23_456)
    switches = tuple(Switch(f"s{i}", ("no", "yes")) for i in range(3))

    def value(choices):
        return (300_000 + sum(step for i, step in enumerate(steps) if choices[f"s{i}"] == "yes")) / 7

    told = round(value({f"s{i}": "yes" if i in changed else "no" for i in range(3)}))
    bridge = reconcile(told, Yardstick(switches, value))
    assert bridge.explained and {int(m.switch[1:]) for m in bridge.moves} == changed


def book():
    """Four customers: one that grows with indexation, one that shrinks, one that leaves, one that comes."""
    grown = [line(1, 1000, "2025-01-01", "2026-08-01"), line(1, 1300, "2026-08-01") | {"change_reason": "indexation"}]
    shrunk = [line(2, 900, "2025-01-01", "2026-07-15"), line(2, 700, "2026-07-15")]
    gone, come = [line(3, 500, "2025-03-01", "2026-09-01")], [line(4, 400, "2026-08-20")]
    deals = [deal(1), deal(2) | {"status": "open", "close_date": "2026-08-30"}, deal(3, "expansion") | {"status": "open"}]
    return company_of(
        subscriptions=[*grown, *shrunk, *gone, *come],
        spend=[
            spent(100, "marketing", "commission", "2024-01-01"),
            *(spent(900, "sales", "people", f"2026-0{month}-01") for month in (4, 5, 6, 7, 8, 9)),
        ],
        opportunities=deals,
        leads=[lead(1, "a@x.com"), lead(2, "a@x.com", created_at="2026-05-01 12:00", qualified="2026-07-04")],
    )


@pytest.mark.parametrize("metric", YARDSTICKS)
@pytest.mark.parametrize("company", [book, one_p_and_l], ids=["a book", "one quarter"])
def test_the_first_choices_are_the_catalogues_definition(metric, company):
    made = company()
    found = yardstick(made, metric, QUARTER)
    ours = measurement(made, metric, QUARTER).value
    own = found.value(found.canonical()) if found else None
    assert (own is None and ours is None) or math.isclose(own, ours)


def test_nrr_of_survivors_with_new_customers_is_another_number():
    found = yardstick(book(), "nrr", QUARTER)
    plain_nrr = found.canonical()
    assert found.value(plain_nrr) == (1300 + 700) / 2400
    assert found.value(plain_nrr | {"lost": "left out"}) == 2000 / 1900
    assert found.value(plain_nrr | {"new_customers": "counted"}) == 2400 / 2400
    assert found.value(plain_nrr | {"indexation": "left out"}) == 1700 / 2400
    assert found.value(plain_nrr | {"contraction": "left out"}) == 2200 / 2400


def test_churn_by_customers_or_by_revenue_start_or_average_is_told_apart():
    found = yardstick(book(), "logo_churn", QUARTER)
    own = found.canonical()
    assert found.value(own) == 1 / 3
    assert found.value(own | {"of": "ARR"}) == 500 / 2400
    assert found.value(own | {"of": "ARR", "downgrades": "counted"}) == 700 / 2400
    assert found.value(own | {"downgrades": "counted"}) is None
    assert found.value(own | {"window": "month of the quarter", "departures": "every departure"}) == pytest.approx(1 / 9)


def test_spread_commissions_count_by_the_months_they_cover():
    months = [f"2024-{m:02d}-01" for m in range(1, 13)] + [f"2025-{m:02d}-01" for m in range(1, 13)]
    spend = [spent(1200, "sales", "commission", month) for month in months]
    made = company_of(spend=spend, subscriptions=[line(1)])
    found = yardstick(made, "cac", QUARTER)
    own = found.canonical()
    assert found.value(own) == 0
    # R$ 100 a month for twelve months: in April 2026 the commissions of May to December 2025 still run, then one less a month.
    assert found.value(own | {"commissions": "over 12"}) == pytest.approx((8 + 7 + 6) * 100_00)


def test_empty_spend_or_none_has_no_yardstick():
    assert yardstick(company_of(subscriptions=[line(1)]), "cac", QUARTER) is None
    assert yardstick(book(), "happiness", QUARTER) is None


def lead(n: int, email: str, qualified: str | None = "2026-08-02", **more) -> dict:
    return {
        "lead_id": f"l{n}",
        "email": email,
        "created_at": "2026-08-01 12:00",
        "mql_at": qualified and f"{qualified} 12:00",
    } | more


def test_a_count_of_mqls_that_leaves_out_rejected_leads_and_twins_is_told_apart():
    leads = [
        lead(1, "a@x.com"),
        lead(2, "A@x.com"),
        lead(3, "b@x.com", rejected_at="2026-08-09 12:00"),
        lead(4, "c@x.com", sal_at="2026-08-05 12:00"),
        lead(5, "d@x.com", created_at="2026-05-01 12:00"),
        lead(6, "e@x.com", qualified=None),
    ]
    found = yardstick(company_of(leads=leads), "mqls", QUARTER)
    own = found.canonical()
    assert found.value(own) == 5
    assert found.value(own | {"rejected": "left out"}) == 4
    assert found.value(own | {"rejected": "left out", "same_email": "one"}) == 3
    assert found.value(own | {"accepted": "accepted"}) == 1
    assert found.value(own | {"day": "created"}) == 4
