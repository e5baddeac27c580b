"""Credit for deals by channel: hand-worked paths, what counts as a touch before the conversion, and sums that always close."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revops_helpers.methods.attribution import MODELS, shared
from revops_helpers.metrics.credit import credited
from revops_helpers.metrics.measure import measure, measurement
from revops_helpers.model.company import Unavailable
from tests.support import company_of

PLAYBOOK = Path(__file__).parent.parent.parent / "shared" / "data" / "dbt_attribution_playbook"


def deal(number, closed="2026-03-20 15:00", status="won", **more):
    return {
        "opportunity_id": f"d{number}",
        "account_id": f"a{number}",
        "lead_id": f"l{number}",
        "kind": "new",
        "status": status,
        "amount": 100_00,
        "currency": "BRL",
        "created_at": "2026-03-10 12:00",
        "closed_at": closed,
        "close_date": str(closed or "2026-03-20")[:10],
        "lost_reason": None,
        **more,
    }


def touch(number, channel, when="2026-03-01 12:00", lead="l1", **more):
    return {"touch_id": f"t{number}", "lead_id": lead, "channel": channel, "occurred_at": when, **more}


def by_channel(company, model="linear", column="credit", **how):
    rows = credited(company, model, **how).execute()
    return dict(rows.groupby("channel")[column].sum())


PATH = [
    touch(1, "ads", "2026-03-01 12:00"),
    touch(2, "mail", "2026-03-02 12:00"),
    touch(3, "mail", "2026-03-03 12:00"),
    touch(4, "call", "2026-03-04 12:00"),
]


def test_first_last_and_linear_share_one_path_as_worked_by_hand():
    company = company_of(opportunities=[deal(1)], touches=PATH)
    assert by_channel(company, "first") == {"ads": 1}
    assert by_channel(company, "last") == {"call": 1}
    assert by_channel(company, "linear") == {"ads": 0.25, "mail": 0.5, "call": 0.25}
    assert by_channel(company, "linear", "amount") == {"ads": 25_00, "mail": 50_00, "call": 25_00}
    assert by_channel(company, "linear", "touches") == {"ads": 1, "mail": 2, "call": 1}


def test_a_touch_at_or_after_the_conversion_has_no_credit():
    late = [touch(8, "late", "2026-03-20 15:00"), touch(9, "later", "2026-03-21 09:00")]
    company = company_of(opportunities=[deal(1)], touches=[*PATH, *late])
    assert by_channel(company, "last") == {"call": 1}
    assert "late" not in by_channel(company) and "later" not in by_channel(company)


def test_where_only_the_day_of_closing_is_known_touches_of_earlier_days_count():
    # 2026-03-20 02:30 in UTC is still the 19th in São Paulo.
    touches = [touch(1, "eve", "2026-03-20 02:30"), touch(2, "same day", "2026-03-20 12:00")]
    company = company_of(opportunities=[deal(1, closed=None, close_date="2026-03-20")], touches=touches)
    assert by_channel(company) == {"eve": 1}


def test_what_no_record_says_is_a_channel_of_its_own():
    touches = [touch(1, None), touch(2, "mail", "2026-03-02 12:00")]
    company = company_of(opportunities=[deal(1), deal(2)], touches=touches)
    assert by_channel(company) == {"(not recorded)": 1.5, "mail": 0.5}
    assert by_channel(company, column="touches") == {"(not recorded)": 1, "mail": 1}


def test_touches_of_every_lead_of_a_deal_and_of_its_account_count_once():
    leads = [{"lead_id": "l1", "opportunity_id": "d1"}, {"lead_id": "l2", "opportunity_id": "d1"}]
    touches = [
        touch(1, "ads", lead="l1", account_id="a1"),
        touch(2, "mail", lead="l2", account_id=None),
        touch(3, "event", lead=None, account_id="a1"),
        touch(4, "other", lead="l9", account_id="a9"),
    ]
    company = company_of(opportunities=[deal(1)], leads=leads, touches=touches)
    assert by_channel(company) == pytest.approx({"ads": 1 / 3, "mail": 1 / 3, "event": 1 / 3})


def test_deals_opened_are_credited_to_the_touches_before_the_opening():
    company = company_of(opportunities=[deal(1, status="open", closed=None)], touches=[*PATH, touch(5, "meeting", "2026-03-11")])
    assert by_channel(company, "last", of="opened") == {"call": 1}
    assert by_channel(company, "last") == {}


def test_only_new_business_won_in_the_period_is_credited():
    others = [deal(2, status="lost"), deal(3, kind="expansion"), deal(4, closed="2025-03-20 15:00"), deal(5, closed=None)]
    others[-1]["status"] = "open"
    company = company_of(opportunities=[deal(1), *others], touches=PATH)
    assert set(credited(company, "first").execute().opportunity_id) == {"d1"}


def test_a_company_without_touches_or_without_a_link_to_them_says_what_it_needs():
    with pytest.raises(Unavailable, match="touches"):
        credited(company_of(opportunities=[deal(1)]), "first")
    loose = [{"touch_id": "t1", "channel": "mail", "occurred_at": "2026-03-01 12:00"}]
    with pytest.raises(Unavailable, match="lead_id"):
        credited(company_of(opportunities=[deal(1)], touches=loose), "first")
    assert measurement(company_of(opportunities=[deal(1)]), "first_touch_won").status == "not_applicable"


def test_a_company_without_deals_credits_nobody():
    assert by_channel(company_of(opportunities=[deal(1, status="lost")], touches=PATH)) == {}
    assert measurement(company_of(opportunities=[], touches=PATH), "linear_won").value == 0


def test_the_metrics_count_the_credit_by_channel():
    company = company_of(opportunities=[deal(1), deal(2)], touches=PATH)
    rows = measure(company, ["first_touch_won", "last_touch_won", "linear_won"], by="channel")
    found = {name: dict(zip(rows.member[of], rows.value[of], strict=True)) for name, of in rows.groupby("metric").groups.items()}
    assert found["first_touch_won"] == {"(not recorded)": 1, "ads": 1, "call": 0, "mail": 0}
    assert found["last_touch_won"] == {"(not recorded)": 1, "ads": 0, "call": 1, "mail": 0}
    assert found["linear_won"] == {"(not recorded)": 1, "ads": 0.25, "call": 0.25, "mail": 0.5}
    assert measurement(company, "linear_won").value == measurement(company, "deals_won").value == 2


# --- properties -----------------------------------------------------------------------------------------------------------

touches_of = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from(["ads", "mail", "call", None]), st.integers(0, 400)), max_size=25
)
deals_of = st.lists(st.tuples(st.integers(1, 10**7), st.integers(0, 180), st.booleans()), max_size=4)
START = datetime(2026, 1, 5, 12)


def company_from(deals, touches, as_of="2026-09-30"):
    sold = [
        deal(i, str(START + timedelta(days=day)) if timed else None, amount=amount, created_at="2026-01-02")
        | {"close_date": (START + timedelta(days=day)).date()}
        for i, (amount, day, timed) in enumerate(deals, 1)
    ]
    rows = [touch(i, channel, str(START + timedelta(days=d - 200)), f"l{lead}") for i, (lead, channel, d) in enumerate(touches)]
    return company_of(as_of=as_of, opportunities=sold, touches=rows)


@settings(max_examples=12, deadline=None)
@given(deals_of, touches_of, st.sampled_from(list(MODELS)))
def test_credit_sums_to_the_conversions_and_amounts_to_the_cent(deals, touches, model):
    rows = credited(company_from(deals, touches), model).execute()
    each = rows.groupby("opportunity_id").agg(credit=("credit", "sum"), amount=("amount", "sum"))
    assert each.credit.to_numpy() == pytest.approx(1)
    assert each.amount.to_dict() == {f"d{i}": amount for i, (amount, *_) in enumerate(deals, 1)}
    assert ((rows.credit > 0) & (rows.credit <= 1 + 1e-9)).all()


@settings(max_examples=8, deadline=None)
@given(deals_of, touches_of, touches_of, st.sampled_from(list(MODELS)))
def test_rows_stamped_after_the_date_never_change_the_credit_as_of_it(deals, touches, later, model):
    day = "2026-04-30"
    after = [(lead, channel, 320 + when) for lead, channel, when in later]  # from 2026-05-05 on
    each = [credited(company_from(deals, rows, day), model).execute() for rows in (touches, [*touches, *after])]
    old, new = (rows.sort_values(["opportunity_id", "channel"]).reset_index(drop=True) for rows in each)
    pd.testing.assert_frame_equal(old, new)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc"), st.integers(0, 5)), min_size=1, max_size=20))
def test_every_model_gives_each_path_one_credit(rows):
    frame = pd.DataFrame([(c, x, t, i) for i, (c, x, t) in enumerate(rows)], columns=["path", "channel", "when", "id"])
    found = shared(ibis.memtable(frame), "path", "channel", ["when", "id"]).execute()
    for model in MODELS:
        assert found.groupby("path")[model].sum().to_numpy() == pytest.approx(1)
    assert found.touches.sum() == len(rows)


# --- known answers --------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not PLAYBOOK.exists(), reason="the public example is not on this machine")
def test_linear_revenue_of_the_public_attribution_playbook():
    """dbt's attribution playbook: sessions of the 30 days before a conversion share its revenue."""
    sold = pd.read_csv(PLAYBOOK / "customer_conversions.csv", dtype={"customer_id": str}, parse_dates=["converted_at"])
    seen = pd.read_csv(PLAYBOOK / "sessions.csv", dtype=str, parse_dates=["started_at"])
    both = seen.merge(sold, on="customer_id")
    soon = both.started_at >= both.converted_at - pd.Timedelta(days=30)
    touches = [touch(r.session_id, r.utm_source, r.started_at, None, account_id=r.customer_id) for r in both[soon].itertuples()]
    deals = [
        deal(
            r.customer_id, r.converted_at, account_id=r.customer_id, lead_id=None, created_at="2020-02-01", amount=r.revenue * 100
        )
        | {"close_date": r.converted_at}
        for r in sold[sold.customer_id.isin(both.customer_id)].itertuples()
    ]
    company = company_of(as_of="2020-12-31", opportunities=deals, touches=touches)
    found = {channel: round(cents / 100, 1) for channel, cents in by_channel(company, column="amount").items()}
    expected = {"adwords": 19.11, "bing": 6.43, "direct": 141.43, "facebook_ads": 70.18, "google": 37.86}
    assert found == {channel: round(value, 1) for channel, value in expected.items()}
