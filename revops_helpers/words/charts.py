"""Charts of the reports beside the waterfall: fan, steps, bars, lines. Pure functions from small frames to a Figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from revops_helpers.measurement import Measurement
from revops_helpers.words.axes import End, Write, ends_written, levels, money_writer, month_names, thinned
from revops_helpers.words.canvas import Axis, Figure, Sheet, figure
from revops_helpers.words.language import _, data, in_unit_of, interval_of, number, percent, value_of
from revops_helpers.words.messages import Text
from revops_helpers.words.theme import (
    BAD,
    FULL,
    GOOD,
    HAIR,
    INK,
    NARROW,
    PHONE,
    SECOND,
    SERIES,
    SMALL,
    THIRD,
)  # fmt: skip

# From the outside in: the bands of a forecast.
BANDS = {"95": "#e1eef7", "80": "#bfdcee", "50": "#93c1df"}


def fan(progress: pd.DataFrame, forecast: pd.DataFrame | None = None, height: int = 450) -> Figure:
    """Cumulative actual against plan by month, and the forecast's bands to the end of the year. Money in cents.

    progress: month (date), plan, actual (cumulative; no value where there is none). forecast: month, median, and for each level
    that is known low_50, high_50, low_80, high_80, low_95, high_95; months after the last actual.
    height: of the wide drawing in pixels, such as that of the waterfall beside it.
    """
    return figure(lambda sheet: _fan(sheet, progress.reset_index(drop=True), forecast), wide=(NARROW, height), phone=(PHONE, 260))


def _fan(sheet: Sheet, rows: pd.DataFrame, forecast: pd.DataFrame | None) -> None:
    ahead = forecast if forecast is not None and len(forecast) else None
    months = [pd.Timestamp(m) for m in rows["month"]]
    months += [m for m in map(pd.Timestamp, ahead["month"] if ahead is not None else ()) if m not in months]
    columns = [rows["plan"], rows["actual"], *(() if ahead is None else (ahead[c] for c in ahead.columns if c != "month"))]
    values = [float(v) for column in columns for v in column.dropna()]
    if not values:
        return
    write = money_writer(max(abs(v) for v in values))
    ends = _fan_ends(rows, ahead, write)
    room = sheet.widest((end.words for end in ends), bold=True)
    x = Axis(0, max(len(months) - 1, 1), 6, sheet.width - room - 12)
    y = Axis(min(0.0, *values), max(values), sheet.height - 30, 20)
    levels(sheet, y, x.end, write)
    month_names(sheet, months, x)
    _fan_lines(sheet, x, y, rows, ahead, months, write)
    ends_written(sheet, x.end, y, ends)


def _fan_ends(rows: pd.DataFrame, ahead: pd.DataFrame | None, write: Write) -> list[End]:
    plan = rows["plan"].dropna()
    found = [End(plan.iloc[-1], _("Plan {value}", value=write(plan.iloc[-1])))] if len(plan) else []
    if ahead is None:
        return found
    last = ahead.iloc[-1]
    found.append(End(last["median"], _("Likely {value}", value=write(last["median"])), GOOD))
    for level in ("80", "95"):
        if f"low_{level}" in ahead:
            inside = f"{level}%: {write(last[f'low_{level}'])}–{write(last[f'high_{level}'])}"
            found.append(End(last["median"] - 1e-6 * len(found) * abs(last["median"] or 1), inside, SECOND, False))
    return found


def _fan_lines(sheet, x: Axis, y: Axis, rows, ahead, months: list[pd.Timestamp], write: Write) -> None:
    plan, actual = rows["plan"].dropna(), rows["actual"].dropna()
    sheet.curve([x(i) for i in plan.index], [y(v) for v in plan], SECOND, 1.4)
    if len(plan):
        sheet.dot(x(plan.index[-1]), y(plan.iloc[-1]), SECOND, 7, hollow=True)
    if ahead is not None:
        _fan_bands(sheet, x, y, ahead, months, actual)
    sheet.curve([x(i) for i in actual.index], [y(v) for v in actual], GOOD, 2.8)
    if not len(actual):
        return
    last, now = actual.index[-1], float(actual.iloc[-1])
    sheet.dot(x(last), y(now), GOOD)
    planned = rows["plan"][last]
    if planned == planned and now < planned:
        sheet.line([x(last)] * 2, [y(planned), y(now)], BAD, 1.6)
        sheet.text(x(last) + 6, (y(planned) * 2 + y(now)) / 3, write(now - planned), color=BAD, bold=True)
    below = min(y(now) + 24, y.start - 10)
    sheet.text(x(last) + 2, below, _("Actual {value}", value=write(now)), color=GOOD, bold=True)


def _fan_bands(sheet: Sheet, x: Axis, y: Axis, ahead: pd.DataFrame, months: list[pd.Timestamp], actual: pd.Series) -> None:
    """The bands open from the last actual."""
    places = [months.index(pd.Timestamp(m)) for m in ahead["month"]]
    start = ([actual.index[-1]], [float(actual.iloc[-1])]) if len(actual) else ([], [])
    xs = [x(i) for i in (*start[0], *places)]
    for level, colour in BANDS.items():
        if f"low_{level}" in ahead:
            low, high = ([y(v) for v in (*start[1], *ahead[f"{side}_{level}"])] for side in ("low", "high"))
            sheet.band(xs, low, high, colour)
    sheet.line(xs, [y(v) for v in (*start[1], *ahead["median"])], GOOD, 1.8, dashes=(4, 3))


def steps(
    curves: Mapping[str, pd.DataFrame],
    ticks: Mapping[float, str],
    marks: Mapping[float, str] | None = None,
    notes: Mapping[str, str] | None = None,
) -> Figure:
    """Shares reached over time as steps with their 95 % band (Kaplan-Meier, 1 − S), on a logarithmic clock.

    curves: name → frame of time (> 0, in one unit), share, low, high, sorted by time. ticks: time → name on the clock, whose
    first and last are the ends of the axis. marks: dashed verticals, such as an SLA. notes: a second line under a curve's name.
    """
    shown = {name: thinned(frame[frame["time"] > 0]) for name, frame in curves.items()}
    return figure(lambda s: _steps(s, shown, ticks, marks or {}, notes or {}), wide=(FULL, 380), phone=(PHONE, 240))


def _steps(sheet: Sheet, curves: Mapping[str, pd.DataFrame], ticks: Mapping, marks: Mapping, notes: Mapping) -> None:
    labels = [data(name) for name in curves] + [_note(notes, name) for name in curves]
    x = Axis(min(ticks), max(ticks), 4, sheet.width - sheet.widest(labels, bold=True) - 14, log=True)
    y = Axis(0.0, 1.0, sheet.height - 34, 36 if marks else 20)
    levels(sheet, y, x.end, lambda share: percent(share, 0))
    for i, (time, name) in enumerate(sorted(ticks.items())):
        align = "left" if i == 0 else "right" if i == len(ticks) - 1 else "center"
        if not sheet.phone or i % 2 == 0 or i == len(ticks) - 1:
            sheet.text(x(time), sheet.height - 16, name, size=SMALL, color=SECOND, align=align)
    for time, name in marks.items():
        sheet.line([x(time)] * 2, [y.start, 18], INK, 1.1, dashes=(2, 3))
        sheet.text(x(time), 9, name, size=SMALL, bold=True, align="center")
    ends = []
    for (name, frame), colour in zip(curves.items(), _colours(len(curves)), strict=True):
        inside = frame[(frame["time"] >= x.low) & (frame["time"] <= x.high)]
        xs = [x(t) for t in inside["time"]]
        sheet.band(xs, [y(v) for v in inside["low"]], [y(v) for v in inside["high"]], colour, step=True, alpha=0.15)
        sheet.curve(xs, [y(v) for v in inside["share"]], colour, 2.2, step=True)
        end = float(inside["share"].iloc[-1]) if len(inside) else 0.0
        ends.append(End(end, data(name), colour))
        ends += [End(end - 1e-6, _note(notes, name), SECOND, False)] if name in notes else []
    ends_written(sheet, x.end, y, ends)


def _note(notes: Mapping[str, str], name: str) -> Text:
    note = notes.get(name, "")
    return note if isinstance(note, Text) else data(note)


def _colours(n: int) -> list[str]:
    return [SERIES[i % len(SERIES)] for i in range(n)]


def bars(
    items: Sequence[tuple[str, Measurement]], reference: float | None = None, better: str = "higher", name: str = ""
) -> Figure:
    """One row per item: name, bar from zero, value, interval. With a reference (dashed), colour says which rows are clear of it.

    items: (name, measurement) in the order they are drawn; one unit. better: "higher", "lower" or "neither". name: what the
    reference is called; else it is a number only.
    """
    size = 30 * len(items) + (22 if reference is not None else 6)
    return figure(
        lambda sheet: _bars(sheet, items, reference, better, name), wide=(FULL, max(size, 30)), phone=(PHONE, max(size, 30))
    )


def _bars(sheet: Sheet, items: Sequence[tuple[str, Measurement]], reference: float | None, better: str, name: str) -> None:
    bounds = [b for _n, m in items for b in (m.value, m.low, m.high, 0.0, reference) if b is not None]
    names = min(sheet.widest(data(row) for row, _m in items), sheet.width * 0.4)
    values = sheet.widest((value_of(m) for _n, m in items), bold=True)
    inside = sheet.widest((interval_of(m) for _n, m in items), SMALL)
    right = sheet.width - inside - 12
    x = Axis(min(bounds, default=0), max(bounds, default=1), names + 14, right - values - 12)
    top = 22 if reference is not None else 6
    for i, (row, m) in enumerate(items):
        middle = top + 30 * i + 12
        _name(sheet, middle, data(row), names)
        sheet.text(right, middle, value_of(m), bold=True, align="right")
        sheet.text(sheet.width, middle, interval_of(m), size=SMALL, color=THIRD, align="right")
        _bar(sheet, x, middle, m, reference, better)
    sheet.line([x(0)] * 2, [top - 2, sheet.height], THIRD, over=3)
    if reference is not None and items:
        sheet.line([x(reference)] * 2, [top - 4, sheet.height], INK, 1.2, dashes=(2, 3), over=3)
        words = name or in_unit_of(items[0][1], reference)
        beside = min(x(reference), sheet.width - sheet.width_of(words, SMALL, True) / 2)
        sheet.text(beside, 9, words, size=SMALL, bold=True, align="center")


def _name(sheet: Sheet, middle: float, name: str, room: float) -> None:
    """The name beside a bar; one that is too long and has a joint, as table.column has, on two lines."""
    first, joint, second = next((parts for mark in (".", " ") if (parts := name.rpartition(mark))[0]), ("", "", name))
    if sheet.widest([name]) <= room or not joint:
        return sheet.text(0, middle, sheet.fitted(name, room))
    for words, place in ((first + joint.strip(), middle - 7), (second, middle + 7)):
        sheet.text(0, place, sheet.fitted(words, room), size=SMALL)
    return None


def _bar(sheet: Sheet, x: Axis, middle: float, m: Measurement, reference: float | None, better: str) -> None:
    if m.value is None:
        return
    fill, edge = GOOD, None
    if m.status in ("insufficient", "partial", "censored"):
        fill, edge = "white", THIRD
    elif reference is not None and better != "neither":
        ahead = (m.value > reference) == (better == "higher")
        fill, edge = (GOOD if ahead else BAD, None) if m.clear_of(reference) else (HAIR, THIRD)
    start, end = sorted((x(0), x(m.value)))
    sheet.box(start, middle - 9, max(end - start, 1.5), 12, fill, edge)
    if m.low is not None and m.high is not None:
        sheet.line([x(m.low), x(m.high)], [middle + 8] * 2, THIRD, 1.6)


def lines(measured: pd.DataFrame, target: float | None = None, incomplete: int = 0) -> Figure:
    """A measure over time, one line a member with its 95 % band, named at its end; the `incomplete` last periods dashed.

    measured: what metrics.measure(..., every=...) returns for one metric (member, period_end, value, low, high, unit, currency).
    """
    return figure(lambda sheet: _lines(sheet, measured, target, incomplete), wide=(FULL, 340), phone=(PHONE, 240))


def _lines(sheet: Sheet, measured: pd.DataFrame, target: float | None, incomplete: int) -> None:
    known = measured[measured["value"].notna()]
    if known.empty:
        return
    dates = sorted({pd.Timestamp(d) for d in measured["period_end"]})
    bounds = [float(b) for c in ("value", "low", "high") for b in known[c].dropna()] + ([] if target is None else [float(target)])
    write = _writer(known, bounds)
    members = list(dict.fromkeys(known["member"]))
    ends, drawn = [], []
    for member, colour in zip(members, _colours(len(members)), strict=True):
        rows = known[known["member"] == member].sort_values("period_end")
        last = float(rows["value"].iloc[-1])
        ends.append(End(last, Text(f"{data(member)} {write(last)}".strip()), colour))
        drawn.append((rows, colour))
    ends += [] if target is None else [End(float(target), _("Target {value}", value=write(target)), INK)]
    x = Axis(0, max(len(dates) - 1, 1), 6, sheet.width - sheet.widest((e.words for e in ends), bold=True) - 12)
    y = Axis(min(0.0, *bounds), max(bounds) or 1.0, sheet.height - 30, 20)
    levels(sheet, y, x.end, write)
    month_names(sheet, dates, x)
    if target is not None:
        sheet.line([x.start, x.end], [y(target)] * 2, INK, 1.2, dashes=(2, 3))
    for rows, colour in drawn:
        _line_of(sheet, x, y, rows, [dates.index(pd.Timestamp(d)) for d in rows["period_end"]], colour, incomplete)
    ends_written(sheet, x.end, y, ends)


def _line_of(sheet: Sheet, x: Axis, y: Axis, rows: pd.DataFrame, places: list[int], colour: str, incomplete: int) -> None:
    xs, ys = [x(i) for i in places], [y(v) for v in rows["value"]]
    if rows["low"].notna().all() and rows["high"].notna().all():
        sheet.band(xs, [y(v) for v in rows["low"]], [y(v) for v in rows["high"]], colour, alpha=0.15)
    whole = max(len(xs) - incomplete, 1)
    sheet.curve(xs[:whole], ys[:whole], colour, 2.4)
    sheet.line(xs[whole - 1 :], ys[whole - 1 :], colour, 1.8, dashes=(3, 3))
    sheet.dot(xs[-1], ys[-1], colour, hollow=incomplete > 0)


def _writer(known: pd.DataFrame, bounds: Sequence[float]) -> Write:
    unit = known["unit"].iloc[0]
    if unit == "money":
        return money_writer(max(abs(b) for b in bounds))
    if unit == "percent":
        return lambda share: percent(share, 0 if max(bounds) > 0.2 else 1)
    return lambda value: number(value, 0 if max(abs(b) for b in bounds) >= 20 else 1)
