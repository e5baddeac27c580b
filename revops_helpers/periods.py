"""The fiscal calendar: periods that a review is about, and the windows that a metric is measured in."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

Every = Literal["month", "quarter", "year"]
PeriodName = Literal["quarter", "ytd", "t12m"]
PERIODS: tuple[str, ...] = get_args(PeriodName)
MONTHS_IN: dict[str, int] = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, order=True)
class Period:
    """The days from start to end, both included."""

    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    def year_before(self) -> Period:
        """The same months one year earlier; a month end stays a month end."""
        end = month_end(add_months(self.end, -12)) if self.end == month_end(self.end) else add_months(self.end, -12)
        return Period(add_months(self.start, -12), end)

    def just_before(self) -> Period:
        """As many months up to the day before, of a period of whole months."""
        after = self.end + timedelta(days=1)
        months = (after.year - self.start.year) * 12 + after.month - self.start.month
        return Period(add_months(self.start, -months), self.start - timedelta(days=1))


def month_start(day: date) -> date:
    return day.replace(day=1)


def month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def add_months(day: date, months: int) -> date:
    """The same day `months` later; the 31st becomes the last day of a shorter month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def fiscal_year_start(day: date, first_month: int = 1) -> date:
    """First day of the fiscal year that holds `day`."""
    return date(day.year if day.month >= first_month else day.year - 1, first_month, 1)


def start_of(every: Every, day: date, first_month: int = 1) -> date:
    """First day of the fiscal month, quarter or year that holds `day`."""
    if every == "month":
        return month_start(day)
    year = fiscal_year_start(day, first_month)
    months = (day.year - year.year) * 12 + day.month - year.month
    return add_months(year, months - months % MONTHS_IN[every])


def last_closed_month_end(as_of: date) -> date:
    """The last day of the newest month that is over on `as_of` (a month is over on its last day)."""
    return as_of if as_of == month_end(as_of) else month_start(as_of) - timedelta(days=1)


def named_period(name: PeriodName, as_of: date, first_month: int = 1) -> Period:
    """The period a review is about, made of closed months only.

    quarter: the newest fiscal quarter's closed months; ytd: from the start of the fiscal year; t12m: twelve closed months.
    """
    end = last_closed_month_end(as_of)
    if name == "quarter":
        return Period(start_of("quarter", end, first_month), end)
    if name == "ytd":
        return Period(fiscal_year_start(end, first_month), end)
    if name == "t12m":
        return Period(add_months(month_start(end), -11), end)
    raise ValueError(f"unknown period {name!r}; one of {', '.join(PERIODS)}")


def windows(period: Period, every: Every, first_month: int = 1) -> list[Period]:
    """The fiscal months, quarters or years that touch `period`, each clipped to it, oldest first."""
    result, start = [], start_of(every, period.start, first_month)
    while start <= period.end:
        after = add_months(start, MONTHS_IN[every])
        result.append(Period(max(start, period.start), min(after - timedelta(days=1), period.end)))
        start = after
    return result
