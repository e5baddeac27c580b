"""What a new customer cost, by segment and source: shares worked by hand, sums that close, and prices that never come back."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from revops_helpers.methods.survival import expected_lifetime, staying
from revops_helpers.metrics.measure import measure, measurement
from revops_helpers.periods import Period
from tests.support import company_of
from tests.test_metrics_marketing import EARLIER, PATHS, paid, won

Q3 = Period(date(2026, 7, 1), date(2026, 9, 30))


def by(company, metric, dimension, column="value"):
    found = measure(company, metric, by=dimension, period=Q3)
    return dict(zip(found.member, found[column], strict=True))


def line(account, start="2026-07-15", end=None, mrr=100_00):
    return {"subscription_id": account, "account_id": account, "mrr": mrr, "starts_on": start, "ends_on": end, "currency": "BRL"}


def deal(n, status, lead):
    return {"opportunity_id": f"d{n}", "account_id": f"a{n}", "lead_id": lead, "kind": "new", "status": status,
            "created_at": "2026-06-01 12:00", "closed_at": "2026-07-10 12:00", "close_date": "2026-07-10"}  # fmt: skip


# 1,000.00 shared and 200.00 on ads. Four deals were decided: SMB by ads (won), SMB by mail (lost, won), Big by ads (won).
SPEND = [paid(4, 700_00, None, "people", "sales"), paid(5, 300_00, None, "tools"), paid(6, 200_00, "ads")]
DEALS = [deal(1, "won", "ads"), deal(2, "lost", "mail"), deal(3, "won", "mail"), deal(4, "won", "ads")]
TABLES = {
    "opportunities": DEALS,
    "leads": [{"lead_id": name, "source": name, "created_at": "2026-05-01 12:00"} for name in ("ads", "mail")],
    "accounts": [{"account_id": f"a{n}", "segment": "Big" if n == 4 else "SMB"} for n in range(1, 6)],
    "subscriptions": [line(f"a{n}") for n in (1, 3, 4)],
}


def company(spend=SPEND, **more):
    return company_of(**{"spend": spend, **TABLES, **more})


def test_what_is_shared_follows_the_deals_decided_and_what_is_booked_stays_with_its_source():
    # Ads: 200 + half of 1,000 over two customers; mail: the other half over one.
    assert by(company(), "cac_allocated", "source") == {"ads": 350_00, "mail": 500_00}
    # SMB: three deals of four are 750, one of two on ads is 100; two customers. Big: 250 + 100 over one.
    assert by(company(), "cac_allocated", "segment") == {"SMB": 425_00, "Big": 350_00}


def test_in_total_it_is_cac():
    assert measurement(company(), "cac_allocated", Q3).value == measurement(company(), "cac", Q3).value == 400_00


def test_what_a_customer_brings_is_set_against_what_one_of_its_own_segment_cost():
    # Nobody left: 60 months × 100 × 80 % is 4,800; SMB paid 425 a customer and Big 350.
    made = company(settings={"gross_margin": 0.8})
    assert by(made, "ltv_cac_allocated", "segment") == pytest.approx({"SMB": 4800 / 425, "Big": 4800 / 350})
    assert measurement(made, "ltv_cac_allocated", Q3).value == measurement(made, "ltv_cac", Q3).value == pytest.approx(4800 / 400)
    no_new = company(settings={"gross_margin": 0.8}, subscriptions=[line("a1", "2024-01-01")])
    found = measurement(no_new, "ltv_cac_allocated", Q3)
    assert (found.value, found.status) == (None, "not_applicable")
    assert found.reason == "cac_allocated is not known: no new customer"


def test_money_on_a_source_without_a_deal_stays_there_and_falls_on_the_segments():
    made = company([*SPEND, paid(6, 400_00, "event")])
    reasons = by(made, "cac_allocated", "source", "reason")
    assert (by(made, "cac_allocated", "source")["ads"], reasons["event"]) == (350_00, "no new customer")
    assert by(made, "cac_allocated", "segment") == {"SMB": 425_00 + 150_00, "Big": 350_00 + 100_00}


def test_what_a_campaign_costs_falls_on_the_segment_that_it_is_aimed_at():
    aimed = paid(6, 300_00, "ads") | {"campaign_id": "c1"}
    tool = paid(5, 120_00, None) | {"campaign_id": "c1"}
    nobody = paid(5, 60_00, "mail") | {"campaign_id": "c2"}
    campaigns = [{"campaign_id": "c1", "segment": "Big"}, {"campaign_id": "c2", "segment": None}]
    made = company([*SPEND, aimed, tool, nobody], campaigns=campaigns)
    # Big: 350 and all of 300 + 120. SMB: 850 and all of 60, for every deal by mail is SMB's; over two customers.
    assert by(made, "cac_allocated", "segment") == {"SMB": 455_00, "Big": 770_00}
    # Big's only source is ads: 120 falls there too.
    assert by(made, "cac_allocated", "source") == {"ads": (700_00 + 420_00) / 2, "mail": 560_00}
    assert measurement(made, "cac_allocated", Q3).value == measurement(made, "cac", Q3).value


def test_without_deals_to_spread_by_nothing_is_allocated_but_the_total_stands():
    made = company(opportunities=[], subscriptions=[line("a1"), line("a4")])
    assert measurement(made, "cac_allocated", Q3).value == 600_00
    assert set(by(made, "cac_allocated", "segment", "status").values()) == {"not_applicable"}


def test_no_new_customer_has_no_price_and_a_refund_is_no_gain():
    nobody = measurement(company(subscriptions=[line("a1", "2024-01-01")]), "cac_allocated", Q3)
    assert (nobody.value, nobody.status) == (None, "not_applicable")
    refunded = measurement(company([paid(4, 10_00), paid(5, -90_00, "ads"), paid(6, 0)]), "cac_allocated", Q3)
    assert (refunded.value, refunded.reason) == (None, "nothing was spent")


def test_what_the_records_cannot_cut_by_is_named():
    bare = company([{key: v for key, v in row.items() if key != "channel"} for row in SPEND])
    assert measure(bare, "cac_allocated", by="source").reason[0] == "needs spend.channel"
    assert by(bare, "cac_allocated", "segment") == {"SMB": 450_00, "Big": 300_00}


# --- media only -----------------------------------------------------------------------------------------------------------


def test_paid_cac_is_media_by_the_deals_credited_to_it():
    # 700.00 of media. d1 went by ads and an event, d2 by the website, which cost nothing, and ads: one and a half deals.
    made = company_of(spend=EARLIER, opportunities=[won(1), won(2)], touches=PATHS)
    assert measurement(made, "paid_cac", Q3).value == pytest.approx(700_00 / 1.5)
    assert by(made, "paid_cac", "channel") == pytest.approx({"ads": 500_00, "event": 400_00})


def test_media_without_a_deal_and_deals_without_media_have_no_price():
    lost = measurement(company_of(spend=EARLIER, opportunities=[won(1)], touches=[]), "paid_cac", Q3)
    assert (lost.value, lost.status) == (None, "not_applicable")
    free = [paid(month, 0, "ads") for month in (4, 5, 6)]
    unpaid = measurement(company_of(spend=free, opportunities=[won(1)], touches=PATHS), "paid_cac", Q3)
    assert (unpaid.value, unpaid.reason) == (None, "nothing was spent")


# --- payback when customers leave -----------------------------------------------------------------------------------------


def payback(lines, cost=300_00, margin=0.5, metric="cac_payback_survival"):
    spend = [paid(4, cost, None, "people", "sales"), paid(5, 0), paid(6, 0)]
    return measurement(company_of(spend=spend, subscriptions=lines, settings={"gross_margin": margin}), metric, Q3)


STAYED = [line(f"old{n}", "2025-01-01") for n in range(9)]


def test_where_nobody_leaves_it_is_the_payback_rounded_up_to_a_whole_month():
    assert payback([line("a"), *STAYED], 320_00, metric="cac_payback").value == pytest.approx(6.4)
    assert payback([line("a"), *STAYED], 320_00).value == 7
    assert payback([line("a"), *STAYED], 300_00).value == 6


def test_who_leaves_early_pays_nothing_back():
    # Of three that came in July two are gone in August: S = 1, then 1/3 flat; six months of margin take 16 months.
    lines = [line("a"), line("b", end="2026-08-01"), line("c", end="2026-08-01")]
    found = payback(lines, 900_00)
    assert (payback(lines, 900_00, metric="cac_payback").value, found.value) == (pytest.approx(6), 16)


def test_it_is_never_back_when_all_leave_before():
    gone = payback([line(f"c{n}", end="2026-08-01") for n in range(3)], 900_00)
    assert (gone.value, gone.status, gone.reason) == (None, "not_applicable", "never: too many leave before it is paid back")
    assert (gone.low, gone.high) == (None, None)


def test_what_has_no_payback_has_none_with_departures_either():
    assert payback(STAYED).value is None
    assert "gross_margin" in payback([line("a")], margin=None).reason


def test_the_curve_of_those_who_stay_is_the_one_that_the_lifetime_adds_up():
    duration, left, entry = np.array([3, 5, 8, 8, 12]), np.array([1, 0, 1, 1, 0]), np.array([0, 2, 0, 1, 0])
    curve = staying(duration, left, entry, horizon=24)
    assert curve[0] == 1 and (np.diff(curve) <= 0).all()
    assert curve.sum() == pytest.approx(expected_lifetime(duration, left, entry, horizon=24)[0])
