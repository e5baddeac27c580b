"""The pipeline: conserved to the cent, covered or not, and its standing deals, on hand-worked companies."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revops_helpers.model.company import Unavailable
from revops_helpers.optimization.pipeline import pipeline_flow
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


def test_deals_without_amounts_at_all_are_named():
    rows = [{"opportunity_id": "a", "status": "open", "created_at": "2026-01-01"}]
    with pytest.raises(Unavailable, match=r"opportunities\.amount"):
        pipeline_flow(company_of(opportunities=rows))


days = st.dates(date(2025, 1, 1), date(2026, 9, 30))
lives = st.tuples(days, days, st.sampled_from(["open", "won", "lost"]), st.lists(st.tuples(days, st.integers(0, 500), days)))


@given(st.lists(lives, max_size=6))
@settings(max_examples=25, deadline=None)
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
