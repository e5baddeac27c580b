"""Pipeline velocity: what is in the pipeline at once, how long it stays, and that the length of the period adds nothing."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from revops_helpers.metrics.measure import measure, measurement, measurements
from revops_helpers.periods import Period
from tests.support import company_of

PARTS = ["deals_in_pipeline", "days_in_pipeline", "win_rate", "deal_size"]
AS_OF = date(2026, 9, 30)
DAYS_120 = Period(AS_OF - timedelta(days=119), AS_OF)


def deal(number: int, opened: date, stay: int | None, won: bool, amount=20_000_00) -> dict:
    closed = opened + timedelta(days=stay) if stay is not None else None
    over = closed is not None and closed <= AS_OF
    return {
        "opportunity_id": f"d{number}",
        "kind": "new",
        "status": ("won" if won else "lost") if over else "open",
        "amount": amount,
        "created_at": f"{opened} 15:00",
        "close_date": closed or date(2026, 12, 31),
    }


def steady(stay=60) -> list[dict]:
    """Five deals every sixth day, each decided after `stay` days, every fourth one won for 20,000: 50 at once when it is 60."""
    begin = AS_OF - timedelta(days=12 * 50 + 5)
    return [deal(n, begin + timedelta(days=6 * (n // 5)), stay, n % 4 == 0) for n in range(5 * 101)]


@pytest.fixture(scope="module")
def company():
    return company_of(opportunities=steady())


def test_fifty_deals_a_quarter_won_for_twenty_thousand_in_sixty_days_turn_out_4166_67_a_day(company):
    parts = measurements(company, [*PARTS, "pipeline_velocity", "new_arr_won"], DAYS_120)
    assert [parts[name].value for name in PARTS] == [50, 60, 0.25, 20_000_00]
    found = parts["pipeline_velocity"]
    assert found.value == pytest.approx(4_166_67, abs=1)
    assert found.value == pytest.approx(parts["new_arr_won"].value / 120)
    assert (found.status, found.n, found.currency) == ("ok", 25, "BRL")


def test_its_interval_is_that_of_the_wins(company):
    found = measurement(company, "pipeline_velocity", DAYS_120)
    spread = np.exp(1.96 / np.sqrt(25))  # 25 wins of one size, a Poisson count
    assert found.low == pytest.approx(found.value / spread, rel=0.08)
    assert found.high == pytest.approx(found.value * spread, rel=0.08)


def test_in_a_steady_company_a_month_a_quarter_and_twelve_months_say_the_same(company):
    spans = tuple(Period(date(*day), AS_OF) for day in ((2026, 9, 1), (2026, 7, 1), (2026, 1, 1), (2025, 10, 1)))
    found = measure(company, ["pipeline_velocity", "deals_in_pipeline", "days_in_pipeline"], period=spans)
    values = found.pivot(index="metric", columns="period_start", values="value").loc
    assert values["deals_in_pipeline"].to_list() == pytest.approx([50] * 4, rel=0.02)
    assert values["days_in_pipeline"].to_list() == pytest.approx([60] * 4, rel=0.03)
    assert values["pipeline_velocity"].to_list() == pytest.approx([4_166_67] * 4, rel=0.06)


def test_a_deal_left_open_for_ever_adds_to_the_number_and_the_days_and_not_to_the_velocity(company):
    left = [deal(9000 + n, date(2025, 6, 1), None, False) for n in range(30)]
    littered = measurements(company_of(opportunities=steady() + left), [*PARTS, "pipeline_velocity"], DAYS_120)
    assert littered["deals_in_pipeline"].value == pytest.approx(80)
    assert littered["days_in_pipeline"].value == pytest.approx(60 * 80 / 50)
    assert littered["pipeline_velocity"].value == pytest.approx(measurement(company, "pipeline_velocity", DAYS_120).value)


def test_nights_are_counted_within_the_period_and_up_to_the_as_of_date():
    rows = [
        deal(1, date(2026, 7, 10), 5, True),  # five nights
        deal(2, date(2026, 6, 21), 20, False),  # ten of July, closed on the 11th
        deal(3, date(2026, 9, 29), None, False),  # still open: two nights
        deal(4, date(2026, 8, 3), 0, False),  # closed on the day it came
        {**deal(5, date(2026, 8, 1), 9, False), "kind": "renewal"},
    ]
    company = company_of(opportunities=rows)
    quarter = measurements(company, PARTS, Period(date(2026, 7, 1), date(2026, 12, 31)))
    assert quarter["deals_in_pipeline"].value == pytest.approx(17 / 92)  # the nights to the as-of date
    assert quarter["deals_in_pipeline"].status == "partial"
    assert (quarter["days_in_pipeline"].value, quarter["days_in_pipeline"].n) == (pytest.approx(17 / 3), 3)
    by_month = measure(company, "deals_in_pipeline", every="month", period=Period(date(2026, 6, 1), AS_OF)).value
    assert by_month.to_list() == pytest.approx([10 / 30, 15 / 31, 0, 2 / 30])


def test_no_deal_one_deal_none_decided_and_none_won():
    def found(*rows):
        return measurements(company_of(opportunities=list(rows)), [*PARTS, "pipeline_velocity"], DAYS_120)

    none = found(deal(1, date(2024, 1, 1), 9, True), deal(2, date(2024, 1, 1), 9, False))
    assert (none["deals_in_pipeline"].value, none["deals_in_pipeline"].status) == (0, "ok")
    assert (none["pipeline_velocity"].value, none["pipeline_velocity"].status) == (None, "not_applicable")
    one = found(deal(1, date(2026, 7, 1), 10, True), deal(2, date(2024, 1, 1), 9, False))
    assert one["pipeline_velocity"].value == pytest.approx(20_000_00 / 120)
    assert (one["pipeline_velocity"].status, one["pipeline_velocity"].n) == ("insufficient", 1)
    undecided = found(deal(1, date(2026, 7, 1), None, False), deal(2, date(2024, 1, 1), 9, False))
    assert undecided["days_in_pipeline"].reason == "no deal was won or lost"
    assert undecided["pipeline_velocity"].status == "not_applicable"
    lost = found(*(deal(n, date(2026, 7, 1), 10, False) for n in range(30)), deal(99, date(2024, 1, 1), 9, True))
    assert (lost["pipeline_velocity"].value, lost["win_rate"].value) == (None, 0)  # no won deal has a size
