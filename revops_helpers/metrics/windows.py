"""The windows that a metric is measured in, and how rows find theirs inside the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import ibis

from revops_helpers.methods.business_time import local_day, utc_midnight
from revops_helpers.periods import MONTHS_IN, Every, Period, add_months, start_of, windows
from revops_helpers.settings import Settings


@dataclass(frozen=True)
class Windows:
    """Periods numbered from 0. `every` is set when they are consecutive fiscal months, quarters or years (clipped at the ends).

    Rows carry the number of their window in the integer column `window`.
    """

    periods: tuple[Period, ...]
    zone: ZoneInfo
    first_month: int = 1
    every: Every | None = None

    @classmethod
    def of(cls, settings: Settings, period: Period | tuple[Period, ...], every: Every | None = None) -> Windows:
        """The fiscal windows of a period, the period itself, or the periods given."""
        if isinstance(period, tuple):
            periods = period
        else:
            periods = tuple(windows(period, every, settings.fiscal_year_start)) if every else (period,)
        return cls(periods, settings.zone, settings.fiscal_year_start, every)

    @property
    def span(self) -> Period:
        """From the first day of any window to the last day of any."""
        return Period(min(p.start for p in self.periods), max(p.end for p in self.periods))

    def last_twelve_months(self) -> Windows:
        """The twelve months to the end of each window."""
        years = tuple(Period(add_months(p.end + timedelta(days=1), -12), p.end) for p in self.periods)
        return Windows(years, self.zone, self.first_month)

    def day(self, column: ibis.Value) -> ibis.Value:
        """The company's calendar day of a date column or a UTC time column, exact within the windows and five years before."""
        return local_day(column, self.zone, add_months(self.span.start, -60), self.span.end)

    def within(self, column: ibis.Value, span: Period) -> ibis.BooleanValue:
        """Whether a date or UTC time falls in the span: a comparison with constants, which the engine pushes into the scan."""
        if column.type().is_timestamp():
            after = utc_midnight(span.end + timedelta(days=1), self.zone)
            return (column >= ibis.literal(utc_midnight(span.start, self.zone))) & (column < ibis.literal(after))
        return (column >= ibis.literal(span.start)) & (column <= ibis.literal(span.end))

    def assign(self, table: ibis.Table, column: str, lag: int = 0) -> ibis.Table:
        """The rows whose date or UTC time `column` falls in a window, with `window`.

        `lag` months later is when a row counts: spend of June counts in July with lag=1. A row in two windows comes twice.
        """
        when = table[column]
        periods = [_earlier(p, lag) for p in self.periods]
        if len(periods) == 1:
            return table.filter(self.within(when, periods[0])).mutate(window=ibis.literal(0, type="int64"))
        span = Period(min(p.start for p in periods), max(p.end for p in periods))
        rows = table.filter(self.within(when, span))
        day = local_day(rows[column], self.zone, span.start, span.end)
        if self.every:
            first = start_of(self.every, periods[0].start, self.first_month)
            months = (day.year() - first.year) * 12 + day.month() - first.month
            return rows.mutate(window=(months // MONTHS_IN[self.every]).cast("int64"))
        rows = rows.mutate(_day=day)
        spans = self.days(start=[p.start for p in periods], end=[p.end for p in periods])
        return rows.join(spans, [rows._day >= spans.start, rows._day <= spans.end]).drop("_day", "start", "end")

    def days(self, **days: list[date]) -> ibis.Table:
        """A small table `window` and one date column per name, a date for each window."""
        return self._table("date", days)

    def not_before(self, day: date) -> ibis.Table:
        """`window` of those that hold the day or end after it: where records tell how things are, and not how they were."""
        days = self.days(end=[p.end for p in self.periods])
        return days.filter(days.end >= ibis.literal(day)).select("window")

    def moments(self, **moments: list[datetime]) -> ibis.Table:
        """A small table `window` and one UTC time column per name, a time for each window."""
        return self._table("timestamp", moments)

    def numbers(self, **numbers: list[float]) -> ibis.Table:
        """A small table `window` and one number column per name, a number for each window."""
        return self._table("float64", numbers)

    def _table(self, kind: str, columns: Mapping[str, Sequence[date | datetime | float]]) -> ibis.Table:
        numbers = ibis.range(len(self.periods)).unnest().name("window").as_table()
        lists = {name: ibis.array([ibis.literal(value, type=kind) for value in values]) for name, values in columns.items()}
        picked = {name: values[numbers.window] for name, values in lists.items()}
        return numbers.select(window=numbers.window.cast("int64"), **picked)


def _earlier(period: Period, months: int) -> Period:
    if not months:
        return period
    after = add_months(period.end + timedelta(days=1), -months)
    return Period(add_months(period.start, -months), after - timedelta(days=1))
