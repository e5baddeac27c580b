"""The landmark panel by hand, and the leak canary: nothing stamped after a landmark changes what was known on it."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revops_helpers.intelligence.features import design, features
from revops_helpers.intelligence.panel import landmarks, months_on_record, panel
from revops_helpers.model.company import Unavailable
from tests.support import company_of

T = date(2025, 6, 30)


def line(id="s", account="a", starts="2024-01-10", ends=None, mrr=100_00, **more):
    return {"subscription_id": id, "account_id": account, "starts_on": starts, "ends_on": ends, "mrr": mrr, **more}


def at(day=T, horizon=6, as_of="2026-01-31", **tables) -> pd.DataFrame:
    return panel(company_of(as_of=as_of, **tables), [day], horizon).set_index("customer")


def test_four_customers_by_hand():
    rows = at(
        subscriptions=[
            line("s1", "stays"),
            line("s2", "leaves", ends="2025-09-15"),
            line("s3", "grows", ends="2025-08-01"),
            line("s3", "grows", starts="2025-08-01", mrr=150_00, change_reason="expansion"),
            line("s4", "gone", ends="2025-06-30"),
            line("s5", "later", starts="2025-07-01"),
        ]
    )
    assert set(rows.index) == {"stays", "leaves", "grows"}
    assert rows.churned.to_dict() == {"stays": 0, "leaves": 1, "grows": 0}
    assert rows.expanded.to_dict() == {"stays": 0, "leaves": 0, "grows": 1}
    assert set(rows.arr) == {1200_00} and set(rows.tenure) == {17}


def test_indexation_is_no_purchase():
    lines = [line(ends="2025-08-01"), line(starts="2025-08-01", mrr=105_00, change_reason="indexation")]
    assert at(subscriptions=lines).expanded.tolist() == [0]


def test_an_outcome_whose_months_are_not_over_is_unknown():
    rows = at(as_of="2025-12-30", subscriptions=[line(ends="2025-09-15")])
    assert rows.churned.isna().all() and rows.expanded.isna().all()


def test_companies_of_one_legal_group_are_one_customer():
    accounts = [{"account_id": "a", "parent_id": None, "segment": "SMB"}, {"account_id": "b", "parent_id": "a", "segment": "SMB"}]
    rows = at(accounts=accounts, subscriptions=[line("s1", "a", ends="2025-09-15"), line("s2", "b")])
    assert rows.index.tolist() == ["a"] and rows.arr.tolist() == [2400_00]
    assert rows.churned.tolist() == [0], "one of its companies goes on"
    assert rows.segment.tolist() == ["SMB"]


def test_tenure_counts_from_when_it_came_back():
    lines = [line(starts="2020-01-10", ends="2021-01-10"), line(starts="2025-01-10")]
    assert at(subscriptions=lines).tenure.tolist() == [5]
    within_grace = [line(starts="2020-01-10", ends="2025-01-01"), line(starts="2025-01-20")]
    assert at(subscriptions=within_grace).tenure.tolist() == [65]


def test_a_gap_on_the_day_is_no_customer_even_if_it_restarts_later():
    """That it would come back was not known."""
    assert at(subscriptions=[line(ends="2025-06-20"), line(starts="2025-07-05")]).empty


def test_use_is_told_from_whole_weeks_before_the_day():
    weeks = [date(2025, 6, 23) - timedelta(weeks=i) for i in range(20)]
    usage = [{"account_id": "a", "week": w, "active_users": 2 if i < 4 else 8, "seats": 10} for i, w in enumerate(weeks)]
    usage.append({"account_id": "a", "week": date(2025, 6, 30), "active_users": 10, "seats": 10})  # not over on the day
    row = at(subscriptions=[line()], usage=usage).iloc[0]
    assert (row.usage, row.usage_before, row.usage_best) == pytest.approx((0.2, 0.8, 0.8))
    told = features(pd.DataFrame([row])).iloc[0]
    assert (told.low_usage, told.seats_full) == (1, 0) and told.usage_change == pytest.approx(-0.6)


def test_the_other_sources_by_hand():
    rows = at(
        subscriptions=[line()],
        onboardings=[
            {"onboarding_id": "o1", "account_id": "a", "handed_off_at": "2024-01-01", "items_required": 8, "items_done": 4},
            {"onboarding_id": "o2", "account_id": "a", "handed_off_at": "2025-08-01", "items_required": 8, "items_done": 8},
        ],
        tickets=[{"ticket_id": str(i), "account_id": "a", "opened_at": d} for i, d in
                 enumerate(["2024-01-01", "2025-06-01", "2025-06-30T12:00", "2025-07-02"])],
        invoices=[
            {"invoice_id": str(i), "account_id": "a", "issued_on": "2025-05-01", "due_on": due, "paid_on": paid, "amount": 1}
            for i, (due, paid) in enumerate(
                [("2025-05-15", "2025-05-14"), ("2025-05-15", None), ("2025-05-15", "2025-07-02"), ("2025-07-15", None)]
            )
        ] + [{"invoice_id": "old", "account_id": "a", "issued_on": "2024-01-01", "due_on": "2024-01-15", "paid_on": None}],
        health_scores=[{"account_id": "a", "scored_on": d, "score": s, "band": b} for d, s, b in
                       [("2025-05-01", 80, "green"), ("2025-06-01", 40, "red"), ("2025-07-01", 90, "green")]],
    )  # fmt: skip
    row = rows.iloc[0]
    assert (row.handoff, row.tickets, row.overdue, row.health, row.band) == (0.5, 2, 2, 40, "red")


def test_counts_are_unknown_before_their_source_begins():
    tickets = [{"ticket_id": "1", "account_id": "a", "opened_at": "2025-07-02"}]
    assert at(subscriptions=[line()], tickets=tickets).tickets.isna().all()


def test_landmarks_begin_with_the_records_and_end_where_the_outcome_is_known():
    lines = [line(starts="2020-01-10")]
    agreed = {"records_start": {"subscriptions": date(2024, 1, 15)}}
    company = company_of(as_of="2026-01-31", settings=agreed, subscriptions=lines)
    assert (landmarks(company)[0], landmarks(company)[-1], len(landmarks(company))) == (date(2024, 1, 31), date(2025, 7, 31), 19)
    assert months_on_record(company)[0] == date(2024, 1, 31) and months_on_record(company)[-1] == date(2025, 12, 31)
    assert len(landmarks(company_of(as_of="2026-01-31", subscriptions=lines))) == 36


def test_a_young_source_holds_no_landmark_up_and_an_older_one_begins_them():
    def begun(week):
        usage = [{"account_id": "a", "week": week, "active_users": 1, "seats": 1}]
        return landmarks(company_of(as_of="2026-01-31", subscriptions=[line(starts="2020-01-10")], usage=usage))[0]

    assert begun(date(2024, 2, 5)) == date(2024, 2, 29)
    assert begun(date(2025, 6, 2)) == date(2022, 8, 31)


def test_without_subscriptions_it_says_what_it_needs():
    with pytest.raises(Unavailable, match="subscriptions"):
        landmarks(company_of(opportunities=[]))


def test_nobody_pays():
    assert at(subscriptions=[line(ends="2025-01-01")]).empty
    assert design(at(subscriptions=[]).reset_index(), at(subscriptions=[]).reset_index()).empty


# --- the leak canary -----------------------------------------------------------------------------------------------------

KNOWN = {
    "subscriptions": [line("s1", "a"), line("s2", "b", starts="2025-03-01", seats=5), line("s3", "c", ends="2025-06-01")],
    "usage": [{"account_id": "a", "week": date(2025, 6, 16), "active_users": 3, "seats": 10}],
    "onboardings": [
        {"onboarding_id": "o", "account_id": "b", "handed_off_at": "2025-03-01", "items_required": 4, "items_done": 2}
    ],
    "tickets": [{"ticket_id": "t0", "account_id": "a", "opened_at": "2025-01-01"},
                {"ticket_id": "t", "account_id": "b", "opened_at": "2025-06-10"}],
    "invoices": [{"invoice_id": "i", "account_id": "a", "issued_on": "2025-05-01", "due_on": "2025-05-15", "paid_on": None}],
    "health_scores": [{"account_id": "b", "scored_on": "2025-06-01", "score": 55, "band": "yellow"}],
}  # fmt: skip
account, later = st.sampled_from("abcd"), st.dates(T + timedelta(days=1), date(2026, 1, 31))
earlier = st.dates(date(2024, 1, 1), T)


@st.composite
def afterwards(draw) -> dict[str, list[dict]]:
    """Rows of every source that are stamped after the landmark, some of them about a time before it."""
    day, before, who = draw(later), draw(earlier), draw(account)
    return {
        "subscriptions": [
            line("n1", who, starts=day, mrr=draw(st.integers(1, 10**6))),
            line("n2", draw(account), starts=before, signed_on=day),  # a back-dated contract
            line("s3", "c", starts=day),  # a restart
        ],
        "usage": [{"account_id": who, "week": day, "active_users": 99, "seats": 1}],
        "onboardings": [
            {"onboarding_id": "n", "account_id": who, "handed_off_at": f"{day}T12:00", "items_required": 4, "items_done": 4}
        ],
        "tickets": [{"ticket_id": "n", "account_id": who, "opened_at": f"{day}T12:00"}],
        "invoices": [{"invoice_id": "n", "account_id": who, "issued_on": day, "due_on": before, "paid_on": None, "amount": 1}],
        "health_scores": [{"account_id": who, "scored_on": day, "score": 1, "band": "red"}],
    }  # fmt: skip


@cache
def company_known() -> pd.DataFrame:
    return at(**KNOWN)


@given(afterwards())
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_rows_stamped_after_a_landmark_never_change_what_was_known_on_it(more):
    known = company_known()
    told = at(**{name: [*rows, *more[name]] for name, rows in KNOWN.items()})
    columns = [name for name in known if name not in ("churned", "expanded")]
    assert set(known.index) == {"a", "b"}
    pd.testing.assert_frame_equal(told[columns], known[columns])


def test_fields_stamped_after_a_landmark_never_change_what_was_known_on_it():
    """A line that ends, and an invoice that is paid, after the day."""
    known = company_known()
    ended = [line("s1", "a", ends="2025-07-01"), *KNOWN["subscriptions"][1:]]
    paid = [KNOWN["invoices"][0] | {"paid_on": "2025-07-01"}]
    told = at(**(KNOWN | {"subscriptions": ended, "invoices": paid}))
    columns = [name for name in known if name not in ("churned", "expanded")]
    pd.testing.assert_frame_equal(told[columns], known[columns])
    assert told.churned["a"] == 1


def test_the_canary_sings_when_a_feature_looks_ahead():
    """The same comparison, on a day after the rows: they do change what is known then."""
    extra = {"tickets": [*KNOWN["tickets"], {"ticket_id": "n", "account_id": "a", "opened_at": "2025-07-02T12:00"}]}
    day = date(2025, 7, 31)
    assert at(day, **(KNOWN | extra)).tickets["a"] == 1 and at(day, **KNOWN).tickets["a"] == 0
