"""The lead funnel and the stages of the pipeline on hand-worked companies."""

from datetime import date

import pytest

from revops_helpers.model.company import Unavailable
from revops_helpers.optimization.funnel import lead_funnel
from revops_helpers.optimization.stages import stage_funnel, stays
from tests.support import company_of


def lead(id, created="2026-01-10", **stamps):
    return {"lead_id": id, "created_at": created, "mql_at": None, "sql_at": None, "opportunity_id": None} | stamps


def test_four_leads_and_one_too_young():
    leads = [
        lead("a", mql_at="2026-01-12", opportunity_id="d1"),
        lead("b", mql_at="2026-01-12"),
        lead("c", sql_at="2026-02-01"),  # skipped mql: counts as having been there
        lead("d", mql_at="2026-06-01"),  # later than 90 days
        lead("young", "2026-09-01", mql_at="2026-09-02"),
    ]
    deals = [{"opportunity_id": "d1", "created_at": "2026-01-20", "status": "won", "closed_at": "2026-03-01", "close_date": None}]
    funnel = lead_funnel(company_of(leads=leads, opportunities=deals))
    assert dict(zip(funnel.steps.stage, funnel.steps.reached, strict=True)) == {
        "lead": 4,
        "mql": 3,
        "sql": 2,
        "opportunity": 1,
        "customer": 1,
    }
    assert funnel.steps.of_before.tolist() == pytest.approx([1, 3 / 4, 2 / 3, 1 / 2, 1])
    assert funnel.steps.of_leads.tolist()[-1] == 0.25
    assert funnel.unripe == 1
    assert set(funnel.steps.status[1:]) == {"insufficient"}
    first = funnel.cohorts[funnel.cohorts.cohort == date(2026, 1, 1)]
    assert first.reached.tolist() == [4, 3, 2, 1, 1]
    last = funnel.cohorts[funnel.cohorts.cohort == date(2026, 7, 1)]
    assert set(last.status) == {"not_applicable"}


def test_wins_without_an_opening_date_are_a_step_of_their_own():
    leads = [{"lead_id": "a", "created_at": "2026-01-10", "opportunity_id": "d1"}, {"lead_id": "b", "created_at": "2026-01-10"}]
    deals = [{"opportunity_id": "d1", "status": "won", "closed_at": "2026-03-01"}]
    steps = lead_funnel(company_of(leads=leads, opportunities=deals)).steps
    assert dict(zip(steps.stage, steps.reached, strict=True)) == {"lead": 2, "customer": 1}


def test_leads_alone_have_a_funnel_of_one_step():
    funnel = lead_funnel(company_of(leads=[{"lead_id": "a", "created_at": "2026-01-10"}]))
    assert funnel.steps.stage.tolist() == ["lead"]
    assert funnel.steps.status.tolist() == ["ok"]


def test_no_lead_in_the_period_is_no_rate():
    funnel = lead_funnel(company_of(leads=[lead("a", "2025-01-10")]))
    assert funnel.steps.reached.tolist() == [0, 0, 0]
    assert set(funnel.steps.status) == {"not_applicable"}
    assert funnel.steps.of_before.isna().all()


def test_no_leads_table_is_named():
    with pytest.raises(Unavailable, match=r"needs leads$"):
        lead_funnel(company_of(opportunities=[]))


def deal(id, status="open", closed=None):
    row = {"opportunity_id": id, "created_at": "2026-01-01", "amount": 1, "currency": "BRL", "kind": "new"}
    return row | {"status": status, "closed_at": closed, "stage": "Won" if status == "won" else "x"}


def states(id, *changes):
    return [{"opportunity_id": id, "changed_at": at, "stage": stage} for at, stage in changes]


def test_stays_of_hand_worked_deals():
    history = [
        *states("won", ("2026-01-01", "First"), ("2026-01-11", "First"), ("2026-01-21", "Second"), ("2026-02-10", "Won")),
        *states("lost", ("2026-01-01", "First"), ("2026-01-05", "Second")),
        *states("open", ("2026-01-01", "First")),
    ]
    deals = [deal("won", "won", "2026-02-10"), deal("lost", "lost", "2026-01-25"), deal("open")]
    company = company_of(opportunities=deals, opportunity_history=history)
    rows = stays(company).order_by(["opportunity_id", "began"]).to_pandas()
    assert list(zip(rows.opportunity_id, rows.stage, rows.outcome, strict=True)) == [
        ("lost", "First", "moved_on"),
        ("lost", "Second", "lost"),
        ("open", "First", "waiting"),
        ("won", "First", "moved_on"),
        ("won", "Second", "won"),
    ]
    funnel = stage_funnel(company)
    assert funnel.stages.stage.tolist() == ["First", "Second"]
    assert funnel.stages.entered.tolist() == [3, 2]
    assert funnel.stages.moved_on.tolist() == [2, 1]
    assert funnel.stages.waiting.tolist() == [1, 0]
    assert funnel.stages.conversion.tolist() == [1.0, 0.5]
    assert set(funnel.stages.status) == {"insufficient"}
    assert funnel.bottleneck is None


def many(first_days, second_days, n=40):
    """n deals that stay so long in First and in Second (give or take a day) and are then won."""
    deals, history = [], []
    for i in range(n):
        one = date(2026, 1, 1).toordinal() + i
        two = one + first_days + i % 3 - 1
        end = two + second_days + i % 3 - 1
        on = [date.fromordinal(day) for day in (one, two, end)]
        deals.append(deal(f"d{i}", "won", on[2]))
        history += states(f"d{i}", (on[0], "First"), (on[1], "Second"))
    return company_of(opportunities=deals, opportunity_history=history)


def test_the_stage_in_which_deals_wait_longest_is_the_bottleneck():
    funnel = stage_funnel(many(10, 30))
    assert (funnel.bottleneck, funnel.clear) == ("Second", True)
    assert funnel.wait.value == pytest.approx(30, abs=1)
    assert stage_funnel(many(30, 10)).bottleneck == "First"


def test_two_equal_stages_have_no_clear_bottleneck():
    assert not stage_funnel(many(20, 20)).clear


def test_stages_without_history_are_named():
    with pytest.raises(Unavailable, match=r"needs opportunity_history$"):
        stage_funnel(company_of(opportunities=[deal("a")]))
