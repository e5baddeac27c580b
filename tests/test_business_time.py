"""Working minutes and local days, against a clock that walks minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revops_helpers.methods.business_time import business_minutes, local_day, local_time, offsets, utc_midnight, works_on
from revops_helpers.settings import WorkingHours

SAO_PAULO, NEW_YORK = ZoneInfo("America/Sao_Paulo"), ZoneInfo("America/New_York")
HOURS = WorkingHours()


def times(*pairs: tuple[datetime | None, datetime | None]) -> ibis.Table:
    stamp = pa.timestamp("us")
    starts, ends = pa.array([p[0] for p in pairs], stamp), pa.array([p[1] for p in pairs], stamp)
    return ibis.memtable(pa.table({"row": range(len(pairs)), "start": starts, "end": ends}))


def utc(text: str, zone: ZoneInfo = SAO_PAULO) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)


def minutes(*pairs, hours=HOURS, zone=SAO_PAULO, first=date(2026, 1, 1), last=date(2026, 12, 31)) -> list:
    found = business_minutes(times(*pairs), "start", "end", hours, zone, first, last).order_by("row")
    return found.business_minutes.to_pyarrow().to_pylist()


def walked(start: datetime, end: datetime, hours: WorkingHours, zone: ZoneInfo) -> int:
    """The oracle: every minute from start to end is asked whether the teams work in it."""
    opens, closes = (int(t[:2]) * 60 + int(t[3:]) for t in (hours.start, hours.end))
    at, count = start.replace(second=0, microsecond=0), 0
    while at < end.replace(second=0, microsecond=0):
        local = at.replace(tzinfo=UTC).astimezone(zone)
        count += works_on(hours, local.date()) and opens <= local.hour * 60 + local.minute < closes
        at += timedelta(minutes=1)
    return count


def test_a_holiday_weekend_holds_thirty_working_minutes():
    # Source: the known answers. 20 November 2026 is a holiday (Consciência Negra), a Friday; 4,290 minutes elapse.
    start, end = utc("2026-11-20 10:00"), utc("2026-11-23 09:30")
    assert (end - start) / timedelta(minutes=1) == 4290
    assert minutes((start, end)) == [30]


def test_hand_worked_cases():
    within = (utc("2026-09-14 09:10"), utc("2026-09-14 10:00"))
    overnight = (utc("2026-09-14 17:50"), utc("2026-09-15 09:05"))
    before_and_after = (utc("2026-09-14 03:00"), utc("2026-09-14 23:00"))
    weekend = (utc("2026-09-12 10:00"), utc("2026-09-13 16:00"))
    backwards = (utc("2026-09-15 09:05"), utc("2026-09-14 17:50"))
    unknown = (utc("2026-09-14 09:10"), None)
    outside = (utc("2019-09-14 09:10"), utc("2026-09-14 10:00"))
    cases = (within, overnight, before_and_after, weekend, backwards, unknown, outside)
    assert minutes(*cases) == [50, 15, 540, 0, -15, None, None]


def test_the_company_may_work_on_a_holiday_and_rest_on_a_working_day():
    hours = WorkingHours(worked_holidays=(date(2026, 9, 7),), extra_holidays=(date(2026, 9, 8),))
    monday = (utc("2026-09-07 09:00"), utc("2026-09-07 10:00"))
    tuesday = (utc("2026-09-08 09:00"), utc("2026-09-08 10:00"))
    assert minutes(monday, tuesday) == [0, 60]
    assert minutes(monday, tuesday, hours=hours) == [60, 0]


moments = st.datetimes(datetime(2026, 3, 5), datetime(2026, 3, 11))


@given(st.lists(st.tuples(moments, moments), min_size=1, max_size=3))
@settings(max_examples=12, deadline=None)
def test_the_engine_agrees_with_a_clock_that_walks(pairs):
    # New York turns its clocks on 8 March 2026, inside the range.
    hours = WorkingHours(days=("mon", "tue", "wed", "thu", "fri", "sat"), start="08:30", end="17:15", country="US")
    pairs = [tuple(sorted(pair)) for pair in pairs]
    found = minutes(*pairs, hours=hours, zone=NEW_YORK, first=date(2026, 2, 25), last=date(2026, 3, 25))
    assert found == [walked(start, end, hours, NEW_YORK) for start, end in pairs]


@given(st.datetimes(datetime(2026, 1, 2), datetime(2026, 12, 30)))
@settings(max_examples=25, deadline=None)
def test_local_time_follows_the_clock_changes_of_the_zone(moment):
    table = times((moment, None))
    found = table.select(local=local_time(table.start, NEW_YORK, date(2026, 1, 1), date(2026, 12, 31))).to_pyarrow()
    expected = moment.replace(tzinfo=UTC).astimezone(NEW_YORK).replace(tzinfo=None)
    assert found["local"].to_pylist() == [expected]


def test_local_days_turn_at_the_companys_midnight():
    table = times((datetime(2026, 10, 1, 2, 59), datetime(2026, 10, 1, 3, 0)))
    span = date(2026, 1, 1), date(2026, 12, 31)
    days = table.select(a=local_day(table.start, SAO_PAULO, *span), b=local_day(table.end, SAO_PAULO, *span)).to_pyarrow()
    assert days.to_pylist() == [{"a": date(2026, 9, 30), "b": date(2026, 10, 1)}]
    assert utc_midnight(date(2026, 10, 1), SAO_PAULO) == datetime(2026, 10, 1, 3)


def test_sao_paulo_has_kept_one_clock_since_2019_and_new_york_turns_twice_a_year():
    assert [ahead for _, ahead in offsets(SAO_PAULO, date(2021, 10, 1), date(2026, 9, 30))] == [-180]
    changes = offsets(NEW_YORK, date(2026, 1, 1), date(2026, 12, 31))
    assert changes[1:] == ((datetime(2026, 3, 8, 7), -240), (datetime(2026, 11, 1, 6), -300))


def test_hours_that_end_before_they_begin_are_refused():
    with pytest.raises(ValueError, match=r"end .* before they begin"):
        minutes((utc("2026-09-14 09:10"), utc("2026-09-14 10:00")), hours=WorkingHours(start="18:00", end="09:00"))
