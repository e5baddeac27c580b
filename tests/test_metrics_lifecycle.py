"""Stage cohorts of leads, deals that slip, signed revenue: hand-worked tables."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revops_helpers.metrics.measure import measurement
from tests.support import company_of


def value(company, metric, **more):
    return measurement(company, metric, **more).value


def lead(n, created="2026-02-01 12:00", **stamps):
    return {"lead_id": f"l{n}", "created_at": created} | stamps


def test_a_lead_seen_in_a_later_stage_has_been_in_the_earlier_ones():
    made = company_of(
        leads=[
            lead(1, mql_at="2026-02-03 12:00", sal_at="2026-02-05 12:00", sql_at=None),
            lead(2, mql_at=None, sal_at=None, sql_at="2026-02-09 12:00"),  # skipped two stages
            lead(3, mql_at="2026-02-03 12:00", sal_at="2026-07-05 12:00", sql_at=None),  # accepted after 90 days
            lead(4, mql_at=None, sal_at=None, sql_at=None),
        ]
    )
    assert value(made, "mqls") == 3
    assert value(made, "lead_to_mql_90d") == 3 / 4
    assert value(made, "mql_to_sal_90d") == 2 / 3
    assert value(made, "sal_to_sql_90d") == 1 / 2  # the third was accepted in July, which is not 90 days ago


def test_entries_younger_than_the_cohorts_time_do_not_count_and_say_when_they_will():
    made = company_of(leads=[lead(1, "2026-09-01 12:00", mql_at="2026-09-02 12:00", sal_at=None)])
    found = measurement(made, "mql_to_sal_90d")
    assert found.value is None or found.n == 0
    old = [lead(n, "2026-01-05 12:00", mql_at="2026-01-06 12:00", sal_at="2026-01-07 12:00") for n in range(30)]
    found = measurement(company_of(leads=[*old, lead(99, "2026-09-01 12:00", mql_at="2026-09-02 12:00")]), "mql_to_sal_90d")
    assert (found.value, found.n, found.status) == (1, 30, "censored") and "2026-12-29" in found.reason


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.booleans(), st.booleans()), min_size=1, max_size=12))
def test_no_stage_holds_more_leads_than_the_one_before(leads):
    rows = [
        lead(
            n,
            mql_at=f"2026-02-{1 + day % 28:02d} 12:00" if mql else None,
            sal_at=f"2026-03-{1 + day % 28:02d} 12:00" if sal else None,
        )
        for n, (day, mql, sal) in enumerate(leads)
    ]
    made = company_of(leads=rows)
    assert value(made, "mqls") == sum(mql or sal for _, mql, sal in leads)
    assert value(made, "mqls") <= value(made, "leads")


def deal(n, status="open", closed=None, amount=100_00, kind="new"):
    ids = {"opportunity_id": f"o{n}", "account_id": "a", "kind": kind, "created_at": "2026-01-10 12:00", "amount": amount}
    return ids | {"status": status, "closed_at": closed and f"{closed} 12:00", "close_date": closed or "2026-12-10"}


def told(n, when, close_date):
    return {"opportunity_id": f"o{n}", "changed_at": f"{when} 12:00", "close_date": close_date}


@pytest.fixture
def book():
    """Three deals due in the third quarter when it began: one won in it, one pushed twice, one pushed into it and lost later."""
    return company_of(
        period_name="quarter",
        opportunities=[deal(1, "won", "2026-08-20"), deal(2, amount=300_00), deal(3)],
        opportunity_history=[
            told(1, "2026-01-10", "2026-08-31"),
            told(2, "2026-01-10", "2026-07-31"), told(2, "2026-07-20", "2026-09-15"), told(2, "2026-09-01", "2026-12-10"),
            told(3, "2026-01-10", "2026-06-10"), told(3, "2026-06-09", "2026-12-10"),
        ],
    )  # fmt: skip


def test_what_was_due_and_is_not_closed_has_slipped(book):
    assert value(book, "slipped_share") == 1 / 2
    assert value(book, "slipped_value") == 300 / 400
    assert value(book, "pushes_per_deal") == 0


def line(n, starts, ends=None, signed=None, mrr=100_00):
    ids = {"subscription_id": f"s{n}", "account_id": f"a{n}", "mrr": mrr, "starts_on": starts, "ends_on": ends}
    return ids | {"signed_on": signed or starts}


def test_contracted_revenue_counts_the_newest_signed_line_once():
    made = company_of(
        subscriptions=[
            line(1, "2025-01-01", "2026-11-01"), line(1, "2026-11-01", signed="2026-09-01", mrr=150_00),  # signed upsell
            line(2, "2026-12-01", signed="2026-09-15", mrr=40_00),  # signed, not live
            line(3, "2025-01-01", "2026-08-01"),  # gone
        ]
    )  # fmt: skip
    assert value(made, "arr") == 12 * 100_00
    assert value(made, "carr") == 12 * (150_00 + 40_00)


def test_churn_with_an_overdue_invoice_is_told_apart():
    made = company_of(
        subscriptions=[line(n, "2025-01-01", "2026-08-10", mrr=100_00 * n) for n in (1, 2, 3)],
        invoices=[
            {"invoice_id": f"i{n}", "account_id": f"a{n}", "issued_on": "2026-05-01", "due_on": due, "paid_on": paid}
            for n, due, paid in ((1, "2026-05-20", None), (2, "2026-05-20", "2026-06-01"), (3, "2026-08-25", None))
        ],
    )
    assert value(made, "involuntary_churn") == pytest.approx(100 / 600)
