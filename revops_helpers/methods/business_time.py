"""Local time and working minutes, as engine expressions: UTC columns in, no per-row Python and no time-zone extension needed.

Source: the company's agreement (zone, working hours, holidays); time-zone rules from the system's tz database (zoneinfo).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import ibis


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
