"""Stage cohorts of leads, deals that slip, signed revenue: hand-worked tables."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revops_helpers.metrics.measure import measurement
from revops_helpers.periods import Period
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


# Five leads: two qualified in February of whom one is accepted in March; two created in March, both qualified and accepted then.
PACE = [
    lead(1, mql_at="2026-02-03 12:00", sal_at="2026-03-05 12:00", sql_at="2026-03-06 12:00"),
    lead(2, mql_at="2026-02-03 12:00"),
    lead(3),
    *(lead(n, "2026-03-01 12:00", mql_at="2026-03-02 12:00", sal_at="2026-03-03 12:00") for n in (4, 5)),
]


def test_the_pace_of_a_month_sets_what_entered_a_stage_against_what_entered_the_one_before_whichever_leads_they_are():
    made, february, march = (
        company_of(leads=PACE),
        Period(date(2026, 2, 1), date(2026, 2, 28)),
        Period(date(2026, 3, 1), date(2026, 3, 31)),
    )
    paces = ("lead_to_mql", "mql_to_sal", "sal_to_sql")
    assert [measurement(made, name, february).value for name in paces] == [2 / 3, 0, None]
    assert [measurement(made, name, march).value for name in paces] == [1, 3 / 2, 1 / 3]
    assert measurement(made, "sal_to_sql", february).reason == "no lead was accepted by sales"
    assert {measurement(company_of(leads=[]), name).status for name in paces} == {"not_applicable"}


def test_the_pace_lies_below_the_cohorts_rate_while_volume_grows():
    # Source: the known answers. p 20 %, growth 6 % a month, lag 4 months: 20 % × 1.06^-4 = 15.8 %.
    made, months = [], [date(2026, m, 1) for m in range(1, 9)]
    for place, month in enumerate(months):
        for n in range(round(1000 * 1.06**place)):
            later = f"2026-{month.month + 4:02d}-20 12:00" if n % 5 == 0 and month.month <= 8 else None
            made.append(lead(f"{place}-{n}", f"{month.isoformat()} 12:00", mql_at=later))
    august = Period(date(2026, 8, 1), date(2026, 8, 31))
    assert measurement(company_of(leads=made, as_of="2026-12-31"), "lead_to_mql", august).value == pytest.approx(0.158, abs=1e-3)


def opened(n, day="2026-01-10", won=None, **more):
    row = {
        "opportunity_id": f"d{n}",
        "account_id": "a",
        "kind": "new",
        "created_at": f"{day} 15:00",
        "status": "won" if won else "open",
    }
    return row | {"closed_at": won and f"{won} 15:00", "close_date": won} | more


def test_deals_are_followed_for_the_same_time_from_their_opening():
    deals = [
        opened(1, won="2026-07-09"),  # on the 180th day
        opened(2, won="2026-07-10"),  # a day late
        opened(3),
        opened(4, won="2026-02-01", kind="expansion"),
        opened(5, "2026-04-04", won="2026-04-05"),  # 179 days old: too young, however quick
    ]
    found = measurement(company_of(opportunities=deals), "won_within_180d")
    assert (found.value, found.n) == (1 / 3, 3)
    assert (found.status, found.reason) == ("censored", "complete on 2027-03-29")
    first = Period(date(2026, 1, 1), date(2026, 1, 31))
    assert measurement(company_of(opportunities=deals), "won_within_180d", first).status == "insufficient"
    lost = [opened(n, status="lost", closed_at="2026-02-01 12:00", close_date="2026-02-01") for n in range(30)]
    assert measurement(company_of(opportunities=lost), "won_within_180d", first).value == 0
    assert measurement(company_of(opportunities=[]), "won_within_180d", first).status == "not_applicable"


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


def noticed(n, day, starts="2025-01-01", ends=None, **more):
    return line(n, starts, ends, **more) | {"notice_on": day}


def contracted(*lines, **more):
    return value(company_of(subscriptions=list(lines)), "carr", **more)


def test_churn_of_which_notice_was_given_comes_off_contracted_revenue_before_it_happens():
    lines = [
        noticed(1, "2026-06-15", ends="2026-12-01"),  # leaves in December, which nobody knows of yet but by the notice
        noticed(2, "2026-06-15", ends="2026-11-01"), noticed(2, None, "2026-11-01", signed="2026-09-01", mrr=60_00),  # signs anew
        noticed(3, "2026-10-15"),  # tells us after the date
        noticed(4, None, "2026-12-01", signed="2026-09-15", mrr=40_00),  # signed, not live
    ]  # fmt: skip
    assert contracted(*lines) == 12 * (60_00 + 100_00 + 40_00)
    assert contracted(*lines, period=Period(date(2026, 1, 1), date(2026, 6, 14))) == 12 * 300_00  # the day before the notices
    assert contracted(*lines, period=Period(date(2026, 1, 1), date(2026, 6, 15))) == 12 * 100_00


def test_contracted_revenue_of_nobody_of_one_and_of_none_but_leavers():
    assert contracted() == 0
    assert contracted(noticed(1, None)) == contracted(line(1, "2025-01-01")) == 12 * 100_00
    assert contracted(*(noticed(n, "2026-09-30", ends="2026-12-31") for n in range(3))) == 0


def test_churn_with_an_overdue_invoice_is_told_apart():
    made = company_of(
        subscriptions=[line(n, "2025-01-01", "2026-08-10", mrr=100_00 * n) for n in (1, 2, 3)],
        invoices=[
            {"invoice_id": f"i{n}", "account_id": f"a{n}", "issued_on": "2026-05-01", "due_on": due, "paid_on": paid}
            for n, due, paid in ((1, "2026-05-20", None), (2, "2026-05-20", "2026-06-01"), (3, "2026-08-25", None))
        ],
    )
    assert value(made, "involuntary_churn") == pytest.approx(100 / 600)
