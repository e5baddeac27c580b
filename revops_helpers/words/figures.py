"""The figures of the reports: pure functions from data to a Figure (two SVGs, wide and phone). Words stay in HTML: these draw
marks and direct labels only. Blue is good, orange is bad, grey is undecided; pale means that it could be chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from revops_helpers.measurement import Measurement
from revops_helpers.words.canvas import Axis, Figure, Sheet, figure
from revops_helpers.words.charts import bars, fan, lines, steps
from revops_helpers.words.language import GAP, Text, _, data, in_unit_of, money_unit, number, scale_of, value_of
from revops_helpers.words.marks import interval_bar, sparkline
from revops_helpers.words.theme import (
    BAD,
    BAD_TINT,
    GOOD,
    GOOD_TINT,
    HAIR,
    INK,
    PHONE,
    RULE,
    SECOND,
    SMALL,
    THIRD,
    WIDE,
)  # fmt: skip

if TYPE_CHECKING:
    from revops_helpers.optimization.target_gap import Gap, GapDriver

__all__ = ["Figure", "bars", "fan", "interval_bar", "lines", "sparkline", "steps", "waterfall"]

ROW, PHONE_ROW, HEAD, FOOT, THICK = 36, 46, 26, 24, 13
SIDE = 250  # pixels that name and change may take side by side


@dataclass(frozen=True)
class _Step:
    """One row between plan and actual; money in cents, start is the running total before it."""

    name: str
    change: str
    effect: Measurement
    start: float
    group: str = ""

    @property
    def end(self) -> float:
        return self.start + (self.effect.value or 0)

    @property
    def pale(self) -> bool:
        """Could be chance: drawn, but not clear of zero."""
        return bool(self.effect.value) and not self.effect.clear_of(0)

    @property
    def reach(self) -> tuple[float, float]:
        """From where to where bar and interval reach."""
        bounds = [self.start + bound for bound in (self.effect.low, self.effect.high) if bound is not None]
        return min(self.start, self.end, *bounds), max(self.start, self.end, *bounds)

    @property
    def colours(self) -> tuple[str, str | None, str]:
        """Fill, edge and the colour of the number: full when clear of zero, pale with an edge when it could be chance."""
        good = (self.effect.value or 0) >= 0
        full, tint = (GOOD, GOOD_TINT) if good else (BAD, BAD_TINT)
        return (full, None, full) if self.effect.clear_of(0) else (tint, full, SECOND)


def waterfall(gap: Gap) -> Figure:
    """From plan to actual, one row a driver: name, plan → actual, bar, effect, interval.

    A gap with no driver shows plan and actual only. The axis starts at zero where the rows need it, and then totals are bars.
    """
    largest = max((abs(driver.effect.value or 0) for driver in gap.drivers), default=0) / 100
    scale = 1000 if 1e3 <= largest < 1e7 else scale_of(largest)[0]
    found = _steps(gap, scale)
    rows = len(found) + 2
    return figure(
        lambda sheet: _paint(sheet, gap, found, scale),
        wide=(WIDE, HEAD + rows * ROW + FOOT),
        phone=(PHONE, HEAD + rows * PHONE_ROW + FOOT),
    )


def _steps(gap: Gap, scale: int) -> list[_Step]:
    """What the planned drivers make beyond the plan, the drivers, what they leave unexplained; nothing that reads as zero."""
    at, found = float(gap.plan.value or 0), []
    rows = [(_("Plan mismatch"), "", gap.plan_mismatch, "")]
    rows += [(_(d.label), _change(d), d.effect, d.group) for d in gap.drivers]
    rows += [(_("Unexplained"), "", gap.unexplained, "")]
    for name, change, effect, group in rows:
        reads = effect.value is not None and round(effect.value / 100 / scale) != 0
        if reads or (group and not effect.exact):
            found.append(_Step(name, change, effect, at, group))
        at += effect.value or 0
    return found


def _change(driver: GapDriver) -> str:
    """Plan → actual, in the driver's unit, with the digits that the actual's interval supports."""
    actual = driver.actual
    return f"{in_unit_of(actual, driver.plan)}{GAP}→{GAP}{value_of(actual)}"


@dataclass(frozen=True)
class _Layout:
    """Where the columns of the waterfall stand, in pixels. On the phone the name stands over the marks, across the row."""

    change: float
    axis: Axis
    right: float
    row: int
    lines: tuple[float, float]  # of the name and of plan → actual, from the row's middle
    bar: float  # of the bar, from the row's middle

    def middle(self, index: int) -> float:
        return HEAD + (index + 0.5) * self.row


def _layout(sheet: Sheet, gap: Gap, found: list[_Step], scale: int) -> _Layout:
    names = sheet.widest([step.name for step in found] + [_total_name(gap), _("Actual")], bold=True)
    changes = sheet.widest([step.change for step in found], SMALL)
    effects = [_effect(step, scale) for step in found]
    right = max(sheet.widest([e for e, _i in effects], bold=True), sheet.widest([i for _e, i in effects], SMALL))
    right = max(right, sheet.widest([value_of(gap.plan), value_of(gap.actual)], bold=True))
    end = sheet.width - right - 14
    low, high = _reach(gap, found)
    if sheet.phone:
        return _Layout(0, Axis(low, high, changes + 12, end), sheet.width, PHONE_ROW, (-12, 7), 6)
    if names + 14 + changes > SIDE:
        return _Layout(0, Axis(low, high, max(names, changes) + 16, end), sheet.width, ROW, (-8, 9), -4)
    return _Layout(names + 14, Axis(low, high, names + changes + 30, end), sheet.width, ROW, (0, 0), -4)


def _reach(gap: Gap, found: list[_Step]) -> tuple[float, float]:
    """The axis: all bars and intervals with some air; from zero when they come near it."""
    bounds = [gap.plan.value or 0, gap.actual.value or 0, *(x for step in found for x in step.reach)]
    low, high = min(bounds), max(bounds)
    air = (high - low or abs(high) or 100) * 0.04
    return (min(0, low - air if low < 0 else 0) if low < 0.25 * high or high <= 0 else low - air), high + air


def _total_name(gap: Gap) -> Text:
    return _("Plan") if gap.basis == "plan" else _("Year before")


def _effect(step: _Step, scale: int) -> tuple[str, str]:
    """The effect and its interval as shown in the column, in the column's scale."""
    effect = step.effect
    if effect.value is None or effect.status == "not_applicable":
        return _("n/a"), ""
    value, low, high = (None if x is None else x / 100 / scale for x in (effect.value, effect.low, effect.high))
    inside = "" if low is None or high is None else _("{low} to {high}", low=number(low, 0, True), high=number(high, 0, True))
    return number(value, 0, True), inside


def _paint(sheet: Sheet, gap: Gap, found: list[_Step], scale: int) -> None:
    at = _layout(sheet, gap, found, scale)
    _grid(sheet, gap, at, len(found) + 2)
    heading = _("Effect, {unit}", unit=money_unit(scale * 100.0, gap.plan.currency))
    sheet.text(at.change, 10, _("Plan → actual"), size=SMALL, color=THIRD)
    sheet.text(at.right, 10, heading, size=SMALL, color=THIRD, align="right")
    _total(sheet, at, 0, _total_name(gap), gap.plan)
    for index, step in enumerate(found, 1):
        _row(sheet, at, index, step, scale)
    _total(sheet, at, len(found) + 1, _("Actual"), gap.actual)
    _connect(sheet, at, [float(gap.plan.value or 0), *(step.end for step in found)])
    _say(sheet, gap, at, found, scale)


def _grid(sheet: Sheet, gap: Gap, at: _Layout, rows: int) -> None:
    bottom = HEAD + rows * at.row
    scale, _letter, _digits = scale_of(max(abs(at.axis.low), abs(at.axis.high)) / 100)
    ticks = at.axis.ticks(3 if sheet.phone else 5)
    digits = 0 if all(abs(t / 100 / scale - round(t / 100 / scale)) < 1e-6 for t in ticks) else 1
    for tick in ticks:
        sheet.line([at.axis(tick)] * 2, [HEAD, bottom], HAIR, over=0.5)
        sheet.text(at.axis(tick), bottom + 13, number(tick / 100 / scale, digits), size=SMALL, color=THIRD, align="center")
    for index in range(1, rows):
        edge = index in (1, rows - 1)
        sheet.line([0, sheet.width], [HEAD + index * at.row] * 2, RULE if edge else HAIR, over=0.6)


def _total(sheet: Sheet, at: _Layout, index: int, name: str, total: Measurement) -> None:
    y, value = at.middle(index), float(total.value or 0)
    sheet.text(0, y, name, bold=True)
    sheet.text(at.right, y, value_of(total), bold=True, align="right")
    if at.axis.low <= 0:
        start, end = sorted((at.axis(0), at.axis(value)))
        sheet.box(start, y - THICK / 2, max(end - start, 2), THICK, INK)
    else:
        sheet.line([at.axis(value)] * 2, [y - 12, y + 12], INK, 3.2)


def _row(sheet: Sheet, at: _Layout, index: int, step: _Step, scale: int) -> None:
    y = at.middle(index)
    fill, edge, ink = step.colours
    effect, inside = _effect(step, scale)
    room = sheet.width - sheet.width_of(effect, bold=True) - 12 if sheet.phone else at.axis.start
    sheet.text(0, y + (at.lines[0] if step.change else 0), sheet.fitted(step.name, room))
    sheet.text(at.change, y + at.lines[1], step.change, SMALL, SECOND)
    start, end = sorted((at.axis(step.start), at.axis(step.end)))
    sheet.box(start, y + at.bar - THICK / 2, max(end - start, 1.5), THICK, fill, edge)
    if step.effect.low is not None and step.effect.high is not None:
        bounds = [at.axis(step.start + bound) for bound in (step.effect.low, step.effect.high)]
        sheet.line(bounds, [y + at.bar + 12] * 2, THIRD, 1.6)
    upper, lower = at.lines if sheet.phone else (-7, 9) if inside else (0, 0)
    sheet.text(at.right, y + upper, effect, bold=True, color=ink, align="right")
    sheet.text(at.right, y + lower, inside, SMALL, THIRD, align="right")


def _connect(sheet: Sheet, at: _Layout, ends: list[float]) -> None:
    """A thin line from the end of each row to the start of the next."""
    for index, end in enumerate(ends):
        top = at.middle(index) + (12 if index == 0 else at.bar + THICK / 2)
        low = at.middle(index + 1) + (-12 if index + 1 == len(ends) else at.bar - THICK / 2)
        sheet.line([at.axis(end)] * 2, [top, low], SECOND, 0.8)


def _say(sheet: Sheet, gap: Gap, at: _Layout, found: list[_Step], scale: int) -> None:
    """In the free side of a row: the group's subtotal on its first row, and what pale means on the longest pale bar with room."""
    names = {"new_business": _("New business"), "retention": _("Retention")}
    first: dict[str, int] = {}
    for index, step in enumerate(found, 1):
        if step.group in gap.subtotals and step.group not in first and not sheet.phone:
            first[step.group] = index
            total = number((gap.subtotals[step.group].value or 0) / 100 / scale, 0, True)
            _beside(sheet, at, index, step, f"{names.get(step.group, data(step.group))}{GAP}{total}")
    pale = [(index, step) for index, step in enumerate(found, 1) if step.pale and index not in first.values()]
    longest = sorted(pale, key=lambda row: -abs(row[1].effect.value or 0))
    any(_beside(sheet, at, index, step, _("could be chance")) for index, step in longest)


def _beside(sheet: Sheet, at: _Layout, index: int, step: _Step, words: str) -> bool:
    """Write beside the row's marks where there is room; False where there is none."""
    low, high = (at.axis(x) for x in step.reach)
    room = sheet.width_of(words, SMALL) + 10
    if high + room <= at.axis.end:
        x, align = high + 10, "left"
    elif low - room >= at.axis.start:
        x, align = low - 10, "right"
    else:
        return False
    sheet.text(x, at.middle(index) + at.bar, words, size=SMALL, color=THIRD, align=align, halo=True)
    return True
