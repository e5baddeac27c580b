"""CAC by the lag from lead to win: in whole quarters, the same for every segment, and one quarter where it is unknown."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from revops_helpers.foundation.yardsticks import yardstick
from revops_helpers.metrics.costs import Lag, lag
from revops_helpers.metrics.measure import measure, measurement, measurements, sql
from revops_helpers.periods import Period
from revops_helpers.words.lags import is_lagged, lag_note
from revops_helpers.words.language import use
from revops_helpers.words.markup import plain
from tests.support import company_of

Q3 = Period(date(2026, 7, 1), date(2026, 9, 30))
WON = date(2026, 8, 10)
# A quarter's spend, in units: 100 in the first, 300 in the second, 900 in the third.
SPEND = [
    {"month": f"2026-0{month}-01", "function": "sales", "category": "people", "channel": None, "amount": amount * 100}
    for month, amount in zip(range(1, 10), (100, 0, 0, 300, 0, 0, 900, 0, 0), strict=True)
]
LINES = [
    {"subscription_id": f"a{n}", "account_id": f"a{n}", "mrr": 1000, "starts_on": "2026-08-15", "ends_on": None} for n in range(2)
]


@pytest.fixture(autouse=True)
def english():
    use("en")


def company(*days, won=WON, status="won", **more):
    """A company that won a deal for each of the days between its lead's coming and the win; two customers went live."""
    ids = [{"opportunity_id": f"d{i}", "lead_id": f"l{i}", "account_id": f"a{i}"} for i in range(len(days))]
    end = {"kind": "new", "status": status, "closed_at": f"{won} 12:00", "close_date": str(won)}
    leads = [{"lead_id": f"l{i}", "created_at": f"{won - timedelta(days=d)} 12:00", "source": "ads"} for i, d in enumerate(days)]
    accounts = [{"account_id": f"a{i}", "segment": "Big" if i % 2 else "Small"} for i in range(max(len(days), 2))]
    rows = {"opportunities": [{**row, **end} for row in ids], "leads": leads, "accounts": accounts}
    return company_of(**{"spend": SPEND, "subscriptions": LINES, **rows, **more})


@pytest.mark.parametrize(("days", "months"), [(45, 0), (46, 3), (136, 3), (137, 6)], ids=str)
def test_the_lag_is_the_median_from_lead_to_win_rounded_to_whole_quarters(days, months):
    assert lag(company(*[days] * 15, *[0] * 5, *[400] * 5)) == Lag(months, days, 25)


@pytest.mark.parametrize(("days", "cac"), [(0, 450_00), (180, 50_00)], ids=str)
def test_cac_and_its_ratio_read_the_spend_of_the_lag_and_the_magic_number_that_of_a_quarter_before(days, cac):
    found = measurements(company(*[days] * 20), ["cac", "cac_ratio", "magic_number_lag"], Q3)
    arr = 2 * 10_00 * 12
    assert [m.value for m in found.values()] == pytest.approx([cac, 2 * cac / arr, arr / 300_00])


def test_without_enough_wins_that_name_their_lead_the_lag_is_one_quarter():
    for made in (
        company(),
        company(200),
        company(*[200] * 19),
        company(*[200] * 30, status="lost"),
        company(*[200] * 30, won=date(2025, 9, 30)),  # more than twelve months ago
        company(*[200] * 30, won=date(2026, 10, 1)),  # not yet
        company(*[-5] * 30),  # each win before its lead
        company(*[200] * 30, leads=[{"lead_id": "l0", "source": "ads"}]),
    ):
        assert (lag(made).months, lag(made).days) == (3, None)


def test_segments_and_sources_add_up_to_the_spend_of_the_company_whose_lag_they_share():
    """Small is won from young leads, Big from old ones; apart, their lags would be 0 and 6 months."""
    made = company(10, 180, *[10, 180] * 10, 180)
    assert lag(made) == Lag(6, 180, 23)
    by = measure(made, "cac_allocated", by=["segment", "source"], period=Q3).groupby("dimension")
    assert measurement(made, "cac_allocated", Q3).value == measurement(made, "cac", Q3).value == 50_00
    assert {name: (rows.value * rows.n).sum() for name, rows in by}["segment"] == pytest.approx(100_00)


def test_spend_of_the_lag_has_to_have_arrived():
    early = measurement(company(*[180] * 20), "cac", Period(date(2026, 4, 1), date(2026, 6, 30)))
    assert early.reason == "spend of 2025-12 has not arrived"


def test_a_claim_is_led_back_from_the_lag_to_the_quarter_before_and_the_same():
    found = yardstick(company(*[180] * 20), "cac", Q3)
    start = found.canonical()
    assert [found.value(start | {"quarter": option}) for option in ("2 before", "before", "same")] == [50_00, 150_00, 450_00]
    assert [switch.options for switch in found.switches if switch.id == "quarter"] == [("2 before", "before", "same")]
    same = yardstick(company(*[10] * 20), "cac", Q3)
    assert [switch.options for switch in same.switches if switch.id == "quarter"] == [("same", "before")]


def test_the_lag_stands_in_words_beside_what_uses_it():
    def note(made, *metrics):
        return plain(lag_note(made, metrics)).replace("\u00a0", " ")

    assert note(company(*[180] * 20), "arr", "ltv_cac") == (
        "Lag from lead to win: 2 quarters. Half of the 20 deals won in twelve months took 180 d or less."
    )
    assert note(company(*[80] * 20), "cac").startswith("Lag from lead to win: one quarter. Half of")
    assert note(company(*[0] * 20), "cac").startswith("Lag from lead to win: none, spend is that of the same period.")
    assert "It is the default: fewer than 20 deals" in note(company(), "paid_cac")
    assert lag_note(company(), ["arr", "magic_number_lag"]) is None
    assert [is_lagged(name) for name in ("cac_payback_survival", "linear_roi", "cost_per_lead", "no metric")] == [1, 1, 0, 0]


def test_the_query_that_is_shown_reads_the_lag_that_was_used():
    assert "MAKE_DATE(2025, 7, 1)" in sql(company(*[180] * 20), "cac")


def test_how_long_before_a_win_its_lead_came_is_a_metric_of_each_segment():
    made = company(10, 180, 20, 90, 30, 400)
    found = measure(made, "lead_to_win_days", by="segment", period=Q3).set_index("member")
    assert dict(found.value) == {"Small": 20, "Big": 180} and set(found.status) == {"insufficient"}
    assert measurement(company(7), "lead_to_win_days", Q3).value == 7
    assert measurement(company(-1), "lead_to_win_days", Q3).status == "not_applicable"
