"""The pipeline: conserved to the cent, covered or not, and its standing deals, on hand-worked companies."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revops_helpers.model.company import Unavailable
from revops_helpers.optimization.coverage import coverage
from revops_helpers.optimization.pipeline import pipeline_flow
from revops_helpers.optimization.standing import standing_deals
from tests.support import company_of


def deal(id, created, amount=100, status="open", closed=None, due="2026-11-30", **more):
    row = {"opportunity_id": id, "created_at": created, "amount": amount, "currency": "BRL", "kind": "new", "stage": "Proposal"}
    return row | {"status": status, "closed_at": closed, "close_date": due} | more


def state(id, at, amount=100, due="2026-11-30", stage="Proposal"):
    return {"opportunity_id": id, "changed_at": at, "amount": amount, "close_date": due, "stage": stage}


def amounts(flow):
    return dict(zip(flow.lines.line, flow.lines.amount, strict=True))


def balanced(flow):
    return flow.lines.amount[:-1].sum() == flow.amount("closing")


def test_every_line_of_a_hand_worked_year():
    deals = [
        deal("stays", "2025-06-01", 130),
        deal("won", "2025-06-01", 90, "won", "2026-03-01", "2026-03-01"),
        deal("lost", "2025-06-01", 100, "lost", "2026-04-01", "2026-04-01"),
        deal("pushed", "2025-06-01", 100, due="2027-03-31"),
        deal("pulled", "2025-06-01", 100),
        deal("fresh", "2026-02-01", 70),
        deal("fresh won", "2026-02-01", 40, "won", "2026-05-01", "2026-05-01"),
        deal("long gone", "2025-01-01", 999, "lost", "2025-02-01", "2025-02-01"),
        deal("far", "2025-06-01", 100, due="2027-06-30"),
        deal("renewal", "2026-02-01", 500, kind="renewal"),
    ]
    history = [
        state("stays", "2025-06-01", 100),
        state("stays", "2026-02-01", 130),
        state("won", "2025-06-01", 100),
        state("won", "2026-02-15", 90, "2026-03-01"),
        state("lost", "2025-06-01", 100),
        state("pushed", "2025-06-01", 100),
        state("pushed", "2026-07-01", 100, "2027-03-31"),
        state("pulled", "2025-06-01", 100, "2027-03-31"),
        state("pulled", "2026-07-01", 100),
        state("far", "2025-06-01", 100, "2027-06-30"),
    ]
    for row in history:
        if row["opportunity_id"] in ("stays", "won", "lost", "pushed") and row["changed_at"] == "2025-06-01":
            row["close_date"] = "2026-06-30"
    flow = pipeline_flow(company_of(opportunities=deals, opportunity_history=history))
    assert amounts(flow) == {
        "opening": 400,
        "created": 110,
        "pulled_in": 100,
        "amount_up": 30,
        "won": -130,
        "lost": -100,
        "pushed_out": -100,
        "amount_down": -10,
        "closing": 300,
    }
    assert flow.lines.set_index("line").deals.to_dict()["won"] == 2
    assert flow.due_by == date(2026, 12, 31)
    assert balanced(flow)


def test_without_history_all_open_deals_count_and_none_is_pushed():
    deals = [deal("a", "2025-06-01", due="2029-01-01"), deal("b", "2026-06-01", 40, "lost", "2026-07-01")]
    flow = pipeline_flow(company_of(opportunities=deals))
    assert flow.due_by is None
    assert amounts(flow)["opening"] == amounts(flow)["closing"] == 100
    assert (amounts(flow)["created"], amounts(flow)["lost"]) == (40, -40)
    assert balanced(flow)


def test_no_deal_and_a_deal_without_an_amount_are_zero():
    flow = pipeline_flow(company_of(opportunities=[]))
    assert flow.lines.amount.tolist() == [0] * 9
    flow = pipeline_flow(company_of(opportunities=[deal("a", "2026-06-01", None), deal("b", "2026-06-01", 5)]))
    assert flow.amount("closing") == 5


def test_open_deals_of_unknown_worth_are_not_worth_nothing():
    """Only won deals have an amount in some exports."""
    deals = [
        deal("won", "2026-01-01", 100, "won", "2026-02-01"),
        deal("open", "2026-01-01", None),
        deal("other", "2026-01-01", None),
    ]
    for analysis in (pipeline_flow, standing_deals):
        with pytest.raises(Unavailable, match="amount of open deals"):
            analysis(company_of(opportunities=deals))
    some = [*deals, deal("free", "2026-01-01", 0)]
    assert pipeline_flow(company_of(opportunities=some)).unpriced == 2
    assert standing_deals(company_of(opportunities=some)).unpriced == 2


def test_a_pipeline_needs_to_know_when_deals_were_opened():
    rows = [{"opportunity_id": "a", "status": "open", "amount": 1}]
    with pytest.raises(Unavailable, match=r"opportunities\.created_at"):
        pipeline_flow(company_of(opportunities=rows))


def test_deals_without_amounts_at_all_are_named():
    rows = [{"opportunity_id": "a", "status": "open", "created_at": "2026-01-01"}]
    with pytest.raises(Unavailable, match=r"opportunities\.amount"):
        pipeline_flow(company_of(opportunities=rows))


def test_a_segment_has_its_own_pipeline():
    deals = [deal("a", "2026-01-01", 100, account_id="big"), deal("b", "2026-01-01", 7, account_id="small")]
    accounts = [{"account_id": "big", "segment": "Enterprise"}, {"account_id": "small", "segment": "SMB"}]
    company = replace(company_of(opportunities=deals, accounts=accounts), segment="SMB")
    assert pipeline_flow(company).amount("closing") == 7
    assert standing_deals(company).open.value == 7


def quarter_deals(year, quarter, won, later, lost):
    """Deals open at the start of a quarter and due in it, of which `won` are won and `lost` lost; `later` come and win in it."""
    month = 3 * quarter - 2
    before = date(year, month, 1).replace(day=1).toordinal() - 20
    opened, ends = date.fromordinal(before), date(year, month + 1, 15)
    name = f"{year}q{quarter}"
    rows = [(f"{name}won{i}", opened, "won") for i in range(won)] + [(f"{name}lost{i}", opened, "lost") for i in range(lost)]
    rows += [(f"{name}later{i}", date(year, month, 5), "won") for i in range(later)]
    deals = [deal(id, created, 100, status, ends, ends) for id, created, status in rows]
    return deals, [state(id, created, 100, ends) for id, created, _ in rows]


def covered_company(targets=(), won=6):
    """Eight quarters in which a quarter of the pipeline was won and as much came later; 10 deals are open for the next."""
    past = [
        quarter_deals(y, q, won, won, 24 - won)
        for y, q in [(2024, 4), *((2025, q) for q in range(1, 5)), (2026, 1), (2026, 2), (2026, 3)]
    ]
    deals, history = ([row for part in past for row in part[side]] for side in (0, 1))
    deals += [deal(f"open{i}", "2026-09-01", 100, due="2026-11-15") for i in range(10)]
    deals += [deal("overdue", "2026-08-01", 100, due="2026-09-15"), deal("next year", "2026-06-01", 100, due="2027-02-15")]
    history += [state(d["opportunity_id"], d["created_at"], 100, d["close_date"]) for d in deals[-12:]]
    return company_of(opportunities=deals, opportunity_history=history, targets=list(targets))


def test_coverage_is_judged_by_what_past_pipelines_won():
    plan = {"period_start": "2026-10-01", "period_end": "2026-12-31", "metric": "new_arr_won", "value": 5.0}
    found = coverage(covered_company([plan]))
    assert (found.quarter.start, found.elapsed) == (date(2026, 10, 1), 0)
    assert (found.open.value, found.open.n) == (1000, 10)
    assert found.to_win.value == 500
    assert found.coverage.value == 2
    assert found.win_share.value == 0.25
    assert found.win_share.low < 0.25 < found.win_share.high
    assert found.later_share.value == 0.5
    assert (found.needed.value, found.needed_alone.value) == (2, 4)
    assert found.needed.low < 2 < found.needed.high
    assert found.expected.value == 500
    assert found.past.open.tolist() == [2400] * 8


def test_coverage_without_a_plan_and_with_a_plan_already_met_says_so():
    assert "no target" in coverage(covered_company()).coverage.reason
    met = {"period_start": "2026-10-01", "period_end": "2026-12-31", "metric": "new_arr_won", "value": 0.0}
    assert "already met" in coverage(covered_company([met])).coverage.reason


def test_coverage_without_past_wins_cannot_say_what_is_needed():
    found = coverage(covered_company(won=0))
    assert found.needed.status == "not_applicable"
    young = coverage(company_of(opportunities=[deal("a", "2026-09-01")], opportunity_history=[state("a", "2026-09-01")]))
    assert young.win_share.status == "not_applicable"
    assert young.past.empty


def test_coverage_without_history_is_refused():
    with pytest.raises(Unavailable, match=r"needs opportunity_history"):
        coverage(company_of(opportunities=[deal("a", "2026-09-01")]))


def test_deals_that_stand_still_by_every_rule():
    deals = [
        deal("fine", "2026-09-01", 10, next_step="call", owner_id="u1"),
        deal("late", "2026-09-01", 20, due="2026-09-01", next_step="call", owner_id="u1"),
        deal("idle", "2026-08-01", 30, next_step=" ", owner_id="u2"),
        deal("gone", "2026-01-01", 99, "lost", "2026-02-01", next_step=None),
    ]
    calls = [{"activity_id": n, "opportunity_id": n, "occurred_at": "2026-09-20"} for n in ("fine", "late")]
    calls += [{"activity_id": "old", "opportunity_id": "idle", "occurred_at": "2026-08-02"}]
    found = standing_deals(company_of(opportunities=deals, activities=calls))
    assert found.open.value == 60
    rules = found.rules.set_index("rule")
    assert rules.amount.to_dict() == {"overdue": 20, "no_next_step": 30, "no_activity": 30}
    assert rules.share["overdue"] == pytest.approx(1 / 3)
    assert (found.any.value, found.any.n) == (50, 2)
    assert found.deals[["opportunity_id", "rules"]].values.tolist() == [["idle", "no_next_step;no_activity"], ["late", "overdue"]]


def test_a_stay_longer_than_nine_in_ten_is_too_long():
    deals, history = [], []
    for i in range(30):
        deals.append(deal(f"d{i}", "2026-01-01", 1, "lost", date(2026, 2, 1)))
        history.append(state(f"d{i}", date(2026, 1, 1 + i % 10)))
    deals += [deal("slow", "2026-03-01", 50), deal("new", "2026-09-20", 5)]
    history += [state("slow", "2026-03-01"), state("new", "2026-09-20")]
    found = standing_deals(company_of(opportunities=deals, opportunity_history=history))
    assert found.deals.opportunity_id.tolist() == ["slow"]
    assert found.rules.rule.tolist() == ["overdue", "too_long_in_stage"]


def test_no_open_deal_stands_still():
    found = standing_deals(company_of(opportunities=[deal("won", "2026-01-01", 1, "won", "2026-02-01")]))
    assert found.open.value == found.any.value == 0
    assert found.deals.empty
    assert found.rules.share.isna().all()


days = st.dates(date(2025, 1, 1), date(2026, 9, 30))
lives = st.tuples(days, days, st.sampled_from(["open", "won", "lost"]), st.lists(st.tuples(days, st.integers(0, 500), days)))


@given(st.lists(lives, max_size=6))
@settings(max_examples=12, deadline=None)
def test_the_pipeline_is_conserved_whatever_happened(rows):
    deals, history = [], []
    for i, (one, two, status, states) in enumerate(rows):
        created, closed = sorted((one, two))
        deals.append(deal(f"d{i}", created, 100, status, None if status == "open" else closed, closed))
        seen = {max(created, at): (amount, due) for at, amount, due in states}
        history += [state(f"d{i}", at, amount, due) for at, (amount, due) in seen.items()]
    company = company_of(opportunities=deals, opportunity_history=history)
    flow = pipeline_flow(company, due_by=date(2026, 3, 31))
    assert balanced(flow)
    assert balanced(pipeline_flow(company, due_by=date(2027, 12, 31)))
