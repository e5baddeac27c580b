"""How long deals stay in a stage, and what cover turned out to be needed: a few deals each, worked by hand."""

from __future__ import annotations

from datetime import date

import pytest

from revops_helpers.metrics.measure import measure, measurement
from revops_helpers.periods import Period
from tests.support import company_of


def deal(n, status="open", closed=None, amount=100_00, kind="new"):
    return {"opportunity_id": f"o{n}", "account_id": "a", "kind": kind, "status": status, "amount": amount, "currency": "BRL",
            "created_at": "2026-01-10 12:00", "closed_at": closed and f"{closed} 12:00",
            "close_date": closed or "2026-12-10"}  # fmt: skip


def entered(n, day, stage, **more):
    return {"opportunity_id": f"o{n}", "changed_at": f"{day} 12:00", "stage": stage, **more}


def by_stage(company, column="value"):
    found = measure(company, "stage_days", by="stage")
    return dict(zip(found.member, found[column], strict=True))


def test_a_stay_ends_with_the_next_stage_or_with_the_deal():
    company = company_of(
        opportunities=[deal(1, "won", "2026-07-15"), deal(2, "lost", "2026-07-05"),
                       deal(3, "won", "2026-07-05", kind="expansion")],
        opportunity_history=[
            entered(1, "2026-07-01", "first"), entered(1, "2026-07-02", "first"), entered(1, "2026-07-04", "second"),
            entered(2, "2026-07-01", "second"), entered(3, "2026-02-01", "first"),
        ],
    )  # fmt: skip
    assert by_stage(company) == {"first": 3, "second": 4}
    assert by_stage(company, "n") == {"first": 1, "second": 2}
    assert measurement(company, "stage_days").n == 3


def test_deals_that_wait_lengthen_the_stay_instead_of_being_dropped():
    gone = [deal(n, "lost", "2026-07-11") for n in range(20)]
    stuck = [deal(n) for n in range(20, 60)]
    history = [entered(n, "2026-07-01", "first") for n in range(60)]
    assert measurement(company_of(opportunities=gone, opportunity_history=history[:20]), "stage_days").value == 10
    found = measurement(company_of(opportunities=gone + stuck, opportunity_history=history), "stage_days")
    assert (found.status, found.value) == ("censored", pytest.approx(91.5, abs=0.6))


def test_one_deal_that_waits_is_too_few_and_no_stay_has_no_days():
    one = company_of(opportunities=[deal(1)], opportunity_history=[entered(1, "2026-09-29", "first")])
    assert measurement(one, "stage_days").status == "insufficient"
    for history in ([], [entered(1, "2026-07-01", None)], [entered(1, "2025-07-01", "first")]):
        made = company_of(opportunities=[deal(1)], opportunity_history=history)
        assert measurement(made, "stage_days").value is None


def test_a_stay_that_ended_on_no_known_day_is_left_out():
    undated = {name: value for name, value in deal(1, "lost", "2026-07-11").items() if name != "closed_at"}
    made = company_of(opportunities=[undated], opportunity_history=[entered(1, "2026-07-01", "first")])
    assert measurement(made, "stage_days").value is None


# --- cover ----------------------------------------------------------------------------------------------------------------


def due(n, amount, day="2026-08-31"):
    return entered(n, "2026-01-10", "first", close_date=day, amount=amount)


def cover(deals, history):
    return measurement(company_of(period_name="quarter", opportunities=deals, opportunity_history=history), "coverage_needed")


def test_cover_needed_is_what_was_due_by_what_was_won_of_it():
    # 400 due in the quarter when it began: 100 won in it, 100 lost, 200 still open. What was due later and won does not count.
    deals = [deal(1, "won", "2026-08-20"), deal(2, "lost", "2026-08-20"), deal(3, amount=200_00), deal(4, "won", "2026-09-01")]
    history = [due(1, 100_00), due(2, 100_00), due(3, 200_00), due(4, 900_00, "2026-12-31")]
    found = cover(deals, history)
    assert (found.value, found.n, found.status) == (4, 1, "insufficient")


def test_all_won_needs_one_and_nothing_won_or_nothing_due_has_no_number():
    won = [deal(n, "won", "2026-08-20") for n in range(25)]
    assert cover(won, [due(n, 100_00) for n in range(25)]).value == 1
    lost = cover([deal(1, "lost", "2026-08-20")], [due(1, 100_00)])
    assert (lost.value, lost.reason) == (None, "nothing was won")
    assert cover([deal(1)], [due(1, 100_00, "2026-12-31")]).value is None


def test_a_deal_won_after_the_period_was_not_won_in_it():
    deals = [deal(1, "won", "2026-10-05"), deal(2, "won", "2026-08-01")]
    late = company_of("2026-10-31", opportunities=deals, opportunity_history=[due(1, 100_00), due(2, 100_00)])
    assert measurement(late, "coverage_needed", Period(date(2026, 7, 1), date(2026, 9, 30))).value == 2


def test_cover_is_judged_from_the_same_day_of_past_quarters():
    # On 10 November, 40 days into the quarter: of the third quarter counts what was open on 10 August, 200, of which 100 won.
    deals = [deal(1, "won", "2026-08-05"), deal(2, "won", "2026-08-20"), deal(3, amount=100_00)]
    history = [due(n, 100_00) for n in (1, 2, 3)]
    made = company_of("2026-11-10", period_name="quarter", opportunities=deals, opportunity_history=history)
    assert measurement(made, "coverage_needed", Period(date(2026, 11, 10), date(2026, 11, 10))).value == 2
    assert measurement(made, "coverage_needed", Period(date(2026, 7, 1), date(2026, 9, 30))).value == 1.5
