"""Fiscal months, quarters and years, at the edges of months and years."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revops_helpers.periods import (
    Period,
    add_months,
    fiscal_year_start,
    last_closed_month_end,
    month_end,
    named_period,
    start_of,
    windows,
)

days = st.dates(date(1990, 1, 1), date(2100, 1, 1))
first_months = st.integers(1, 12)


@pytest.mark.parametrize(
    ("name", "first", "start", "end"),
    [
        ("ytd", 1, "2026-01-01", "2026-09-30"),
        ("ytd", 10, "2025-10-01", "2026-09-30"),
        ("quarter", 1, "2026-07-01", "2026-09-30"),
        ("quarter", 2, "2026-08-01", "2026-09-30"),
        ("t12m", 1, "2025-10-01", "2026-09-30"),
    ],
)
def test_a_review_period_is_made_of_closed_months(name, first, start, end):
    expected = Period(date.fromisoformat(start), date.fromisoformat(end))
    assert named_period(name, date(2026, 9, 30), first) == expected
    assert named_period(name, date(2026, 10, 15), first).end == (date(2026, 9, 30))


def test_a_month_is_closed_on_its_last_day():
    assert last_closed_month_end(date(2026, 2, 28)) == date(2026, 2, 28)
    assert last_closed_month_end(date(2026, 2, 27)) == date(2026, 1, 31)


def test_months_are_added_without_falling_off_a_short_one():
    assert add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert add_months(date(2026, 3, 31), -1) == date(2026, 2, 28)
    assert add_months(date(2026, 1, 15), -13) == date(2024, 12, 15)


def test_the_year_before_keeps_month_ends():
    assert Period(date(2024, 2, 1), date(2024, 2, 29)).year_before() == Period(date(2023, 2, 1), date(2023, 2, 28))
    assert Period(date(2023, 2, 1), date(2023, 2, 28)).year_before().end == date(2022, 2, 28)


def test_an_unknown_period_is_refused():
    with pytest.raises(ValueError, match="unknown period 'decade'"):
        named_period("decade", date(2026, 9, 30))


@given(days, first_months, st.sampled_from(["month", "quarter", "year"]))
def test_a_fiscal_period_starts_on_a_first_and_holds_its_day(day, first, every):
    start = start_of(every, day, first)
    assert start.day == 1
    assert start <= day
    assert start_of(every, start, first) == start
    assert fiscal_year_start(day, first).month == first


@given(days, st.integers(0, 800), first_months, st.sampled_from(["month", "quarter", "year"]))
def test_windows_cover_a_period_once(start, length, first, every):
    period = Period(start, date.fromordinal(start.toordinal() + length))
    parts = windows(period, every, first)
    assert parts[0].start == period.start
    assert parts[-1].end == period.end
    assert sum(part.days for part in parts) == period.days


@given(days)
def test_a_month_end_is_the_last_of_its_month(day):
    assert month_end(day).month == day.month
    assert date.fromordinal(month_end(day).toordinal() + 1).day == 1


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        (date(2026, 1, 1), date(2026, 9, 30), date(2025, 4, 1), date(2025, 12, 31)),
        (date(2026, 1, 1), date(2026, 3, 31), date(2025, 10, 1), date(2025, 12, 31)),
        (date(2024, 3, 1), date(2024, 3, 31), date(2024, 2, 1), date(2024, 2, 29)),
    ],
)
def test_the_period_just_before_has_as_many_months(start, end, first, last):
    assert Period(start, end).just_before() == Period(first, last)


def test_twelve_months_just_before_are_those_of_the_year_before():
    year = Period(date(2025, 10, 1), date(2026, 9, 30))
    assert year.just_before() == year.year_before()
