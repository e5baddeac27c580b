"""Local time and working minutes, as engine expressions: UTC columns in, no per-row Python and no time-zone extension needed.

Source: the company's agreement (zone, working hours, holidays); time-zone rules from the system's tz database (zoneinfo).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import ibis

from revops_helpers.settings import WorkingHours


def utc_midnight(day: date, zone: ZoneInfo) -> datetime:
    """The UTC instant (naive) at which `day` begins where the company is."""
    return datetime.combine(day, time(), zone).astimezone(UTC).replace(tzinfo=None)


@lru_cache(maxsize=256)
def offsets(zone: ZoneInfo, first: date, last: date) -> tuple[tuple[datetime, int], ...]:
    """(UTC instant, minutes ahead of UTC from then on) for each change of the zone's clock from `first` to `last`.

    The first entry holds the offset at the start of `first`. Changes fall on whole quarter hours.
    """

    def ahead(instant: datetime) -> int:
        return int(instant.replace(tzinfo=UTC).astimezone(zone).utcoffset().total_seconds() // 60)

    at = datetime.combine(first, time()) - timedelta(days=1)
    found = [(at, ahead(at))]
    while at <= datetime.combine(last, time()) + timedelta(days=1):
        if ahead(at + timedelta(days=1)) != ahead(at):
            quarter = next(i for i in range(1, 97) if ahead(at + timedelta(minutes=15 * i)) != ahead(at))
            change = at + timedelta(minutes=15 * quarter)
            found.append((change, ahead(change)))
        at += timedelta(days=1)
    return tuple(found)


def local_time(column: ibis.Value, zone: ZoneInfo, first: date, last: date) -> ibis.Value:
    """A UTC time column on the company's clock. Exact for instants from `first` to `last`; beyond, the nearest offset holds."""
    changes = offsets(zone, first, last)
    minutes: ibis.Value = ibis.literal(changes[-1][1])
    if len(changes) == 1:
        return column + ibis.interval(minutes=changes[0][1])
    for (start, _), (_, before) in zip(reversed(changes[1:]), reversed(changes[:-1]), strict=True):
        minutes = ibis.ifelse(column < ibis.literal(start), ibis.literal(before), minutes)
    return column + minutes.as_interval("m")


def local_day(column: ibis.Value, zone: ZoneInfo, first: date, last: date) -> ibis.Value:
    """The company's calendar day of a UTC time column; a date column is returned as it is."""
    return local_time(column, zone, first, last).date() if column.type().is_timestamp() else column


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@lru_cache(maxsize=64)
def holidays_of(country: str, subdivision: str | None, years: tuple[int, ...]) -> frozenset[date]:
    """Public holidays. ValueError for a country or subdivision that the `holidays` package does not know."""
    import holidays

    try:
        return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=years))
    except NotImplementedError as unknown:
        raise ValueError(f"no holidays known for {country} {subdivision or ''}: {unknown}") from None


def works_on(hours: WorkingHours, day: date) -> bool:
    """Whether the teams work on that day."""
    return day in hours.worked_holidays or (DAYS[day.weekday()] in hours.days and day not in free_days(hours, day, day))


def working_days_after(hours: WorkingHours, day: date, days: int) -> date:
    """The last of so many working days after a day. ValueError where no day of the week is worked."""
    if not hours.days:
        raise ValueError("no day of the week is worked")
    while days:
        day += timedelta(days=1)
        days -= works_on(hours, day)
    return day


def working_days_before(hours: WorkingHours, day: date, days: int) -> date:
    """The newest day after which so many working days are over when `day` is. ValueError where no day of the week is worked."""
    if not hours.days:
        raise ValueError("no day of the week is worked")
    while days:
        days -= works_on(hours, day)
        day -= timedelta(days=1)
    return day


def free_days(hours: WorkingHours, first: date, last: date) -> list[date]:
    """Days off from first to last that are not off by their weekday alone: public holidays and the company's own."""
    years = tuple(range(first.year, last.year + 1))
    days = (holidays_of(hours.country, hours.subdivision, years) | set(hours.extra_holidays)) - set(hours.worked_holidays)
    return sorted(d for d in days if first <= d <= last)


def opening(hours: WorkingHours) -> tuple[int, int]:
    """Minute of the day at which work begins, and at which it ends."""
    begins, ends = (int(text[:2]) * 60 + int(text[3:]) for text in (hours.start, hours.end))
    if ends <= begins:
        raise ValueError(f"working hours end ({hours.end}) before they begin ({hours.start})")
    return begins, ends


def working_calendar(hours: WorkingHours, first: date, last: date) -> ibis.Table:
    """One row per day from first to last: day, open (minutes of work on it) and worked (minutes of work before it).

    The engine makes it from the weekdays and a list of holidays.
    """
    begins, ends = opening(hours)
    days = ibis.range((last - first).days + 1).unnest().name("i").as_table()
    days = days.select(day=(ibis.literal(first) + days.i.as_interval("D")).cast("date"))
    works = days.day.day_of_week.index().isin([DAYS.index(d) for d in hours.days])
    if free := free_days(hours, first, last):
        works &= days.day.notin([ibis.literal(d) for d in free])
    if extra := [d for d in hours.worked_holidays if first <= d <= last]:
        works |= days.day.isin([ibis.literal(d) for d in extra])
    days = days.mutate(open=ibis.ifelse(works, ends - begins, 0).cast("int64"))
    so_far = days.open.sum().over(ibis.window(order_by=days.day, rows=(None, 0)))
    return days.mutate(worked=so_far - days.open)


def business_minutes(
    rows: ibis.Table, start: str, end: str, hours: WorkingHours, zone: ZoneInfo, first: date, last: date
) -> ibis.Table:
    """The rows with `business_minutes`: minutes of working hours between two UTC times, by joins to a table of days.

    Empty where either time is, or where it lies outside first … last. Negative when end comes before start.
    """
    calendar = working_calendar(hours, first, last)
    begins, _ = opening(hours)
    for name, column in (("_from", start), ("_to", end)):
        local = local_time(rows[column], zone, first, last)
        days = calendar.view()
        joined = rows.mutate(_day=local.date(), _minute=local.hour() * 60 + local.minute()).left_join(
            days, ibis._._day == days.day
        )
        within = ibis.greatest(ibis.least(joined["_minute"] - begins, joined.open), 0)
        rows = joined.mutate(**{name: joined.worked + within}).drop("_day", "_minute", "day", "worked", "open")
    return rows.mutate(business_minutes=rows["_to"] - rows["_from"]).drop("_from", "_to")
