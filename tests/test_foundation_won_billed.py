"""Won deals against billing starts: one to one, nothing twice, every cent in one case."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revops_helpers.foundation.won_billed import deal_tie
from revops_helpers.model.company import Unavailable
from revops_helpers.words.checks import deals_add_up
from tests.support import company_of


def won(key, account, amount, closed, kind="new"):
    return {
        "opportunity_id": key, "account_id": account, "amount": amount, "kind": kind, "status": "won", "created_at": "2025-11-01",
        "closed_at": f"{closed}T12:00", "close_date": closed,
    }  # fmt: skip


def line(key, account, mrr, starts, reason="new"):
    return {
        "subscription_id": key,
        "account_id": account,
        "mrr": mrr,
        "starts_on": starts,
        "ends_on": None,
        "change_reason": reason,
    }


def tie(deals, lines):
    return deal_tie(company_of(opportunities=deals, subscriptions=lines))


def test_each_deal_falls_into_the_case_that_billing_shows():
    found = tie(
        [
            won("equal", "a", 1_200_000, "2026-02-01"),
            won("less", "b", 1_200_000, "2026-02-01"),
            won("never", "c", 500_000, "2026-02-01"),
            won("soon", "d", 700_000, "2026-09-20"),
        ],
        [line("s1", "a", 100_000, "2026-02-15"), line("s2", "b", 90_000, "2026-03-01"), line("s3", "e", 10_000, "2026-05-01")],
    )
    cases = dict(zip(found.pairs.opportunity_id.fillna("none"), found.pairs.case, strict=True))
    assert cases == {"equal": "matched", "less": "differs", "never": "unbilled", "soon": "waiting", "none": "no_deal"}
    assert found.total("differs").billed - found.total("differs").won == -120_000
    assert deals_add_up(found)


def test_an_expansion_bills_what_it_adds_not_the_whole_line():
    found = tie(
        [won("more", "a", 240_000, "2026-04-01", kind="expansion")],
        [line("s1", "a", 50_000, "2025-01-01"), line("s1", "a", 70_000, "2026-04-10", reason="expansion")],
    )
    assert found.pairs.case.tolist() == ["matched"] and found.pairs.billed.tolist() == [240_000]


def test_paying_again_after_a_pause_is_no_sale():
    paid, rest = line("s1", "a", 50_000, "2025-01-01", reason=None), line("s1", "a", 0, "2026-03-01", reason="pause")
    again = line("s1", "a", 50_000, "2026-06-01", reason=None)
    assert tie([won("x", "b", 1, "2026-09-20")], [paid, rest, again]).pairs.case.tolist() == ["waiting"]


def test_a_deal_won_before_the_period_takes_its_start_and_is_not_counted():
    found = tie([won("old", "a", 120_000, "2025-12-20")], [line("s1", "a", 10_000, "2026-01-10")])
    assert found.pairs.empty


def test_one_start_is_never_given_to_two_deals():
    found = tie(
        [won("one", "a", 120_000, "2026-02-01"), won("two", "a", 120_000, "2026-02-02")], [line("s1", "a", 10_000, "2026-02-10")]
    )
    assert sorted(found.pairs.case) == ["matched", "unbilled"]


def test_the_first_line_of_a_customer_is_new_business_where_no_reason_is_kept():
    found = tie([won("one", "a", 120_000, "2026-02-01")], [line("s1", "a", 10_000, "2026-02-10", reason=None)])
    assert found.pairs.case.tolist() == ["matched"]


def test_a_renewal_is_not_looked_for_in_billing():
    assert tie([won("keep", "a", 120_000, "2026-02-01", kind="renewal")], [line("s1", "b", 1, "2024-01-01")]).pairs.empty


def test_without_billing_there_is_no_tie():
    with pytest.raises(Unavailable):
        deal_tie(company_of(opportunities=[won("one", "a", 1, "2026-02-01")]))


days = st.dates(min_value=date(2026, 1, 1), max_value=date(2026, 9, 29))


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9), days), max_size=6),
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9), days), max_size=6),
)
def test_every_won_deal_and_every_cent_stands_in_exactly_one_case(deals, starts):
    won_deals = [won(f"o{i}", account, size * 12, str(day)) for i, (account, size, day) in enumerate(deals)]
    lines = [line(f"s{i}", account, size, str(day)) for i, (account, size, day) in enumerate(starts)]
    if not won_deals or not lines:
        return
    found = tie(won_deals, lines)
    assert sorted(found.pairs.opportunity_id.dropna()) == sorted(deal["opportunity_id"] for deal in won_deals)
    assert found.totals.won.sum() == sum(deal["amount"] for deal in won_deals)
    assert deals_add_up(found)
