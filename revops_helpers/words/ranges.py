"""The dot-range figure: what several models say of each member, drawn as the range between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from revops_helpers.words.canvas import Axis, Figure, Sheet, figure
from revops_helpers.words.language import number
from revops_helpers.words.theme import BAD, FULL, GOOD, HAIR, INK, PHONE, RULE, SECOND, SMALL, THIRD

ROW, PHONE_ROW, SHORT_ROW, HEAD, FOOT = 34, 42, 29, 26, 24
SHORT = 14  # letters of a name that stands beside the marks on the phone too; longer ones stand over them


@dataclass(frozen=True)
class Ranged:
    """One member: what first touch, last touch and the other models credit it with; a note on the right, such as its places."""

    name: str
    first: float
    last: float
    rest: tuple[float, ...]
    note: str
    far: bool = False

    @property
    def reach(self) -> tuple[float, float]:
        """The least and the most that any model gives it."""
        every = (self.first, self.last, *self.rest)
        return min(every), max(every)


def dot_range(rows: Sequence[Ranged], heading: str, right: str) -> Figure:
    """One row a member: name, grey bar from least to most, ◀ first touch, ▶ last touch, a dot for each other model, note.

    heading: what the axis counts. right: head of the notes. Rows with `far` carry their note in the colour of what is bad.
    """
    over = max((len(row.name) for row in rows), default=0) > SHORT
    return figure(
        lambda sheet: _paint(sheet, rows, heading, right, over and sheet.phone),
        wide=(FULL, HEAD + ROW * len(rows) + FOOT),
        phone=(PHONE, HEAD + _height(True, over) * len(rows) + FOOT),
    )


def _height(phone: bool, over: bool) -> int:
    return ROW if not phone else PHONE_ROW if over else SHORT_ROW


def _paint(sheet: Sheet, rows: Sequence[Ranged], heading: str, right: str, over: bool) -> None:
    height = _height(sheet.phone, over)
    names = 0 if over else min(sheet.widest(row.name for row in rows), sheet.width * 0.35) + 16
    notes = max(sheet.widest((row.note for row in rows), bold=True), sheet.width_of(right, SMALL))
    x = Axis(0.0, max((row.reach[1] for row in rows), default=1.0) or 1.0, names + 6, sheet.width - notes - 22)
    bottom = HEAD + height * len(rows)
    for tick in x.ticks(4 if sheet.phone else 6):
        sheet.line([x(tick)] * 2, [HEAD, bottom], HAIR, over=0.5)
        sheet.text(x(tick), bottom + 13, number(tick, 0 if tick == int(tick) else 1), size=SMALL, color=THIRD, align="center")
    sheet.text(x.start - 6, 10, heading, size=SMALL, color=THIRD)
    sheet.text(sheet.width, 10, right, size=SMALL, color=THIRD, align="right")
    for i, row in enumerate(rows):
        _row(sheet, x, HEAD + height * i, height, row, names)


def _row(sheet: Sheet, x: Axis, top: float, height: float, row: Ranged, names: float) -> None:
    """names: the width of their column; 0 where they stand over the marks."""
    y = top + (height / 2 if names else height * 0.68)
    name_y = y if names else top + 11
    sheet.text(0, name_y, sheet.fitted(row.name, names - 16 if names else sheet.width * 0.7))
    low, high = (x(end) for end in row.reach)
    sheet.box(low, y - 4, max(high - low, 1), 8, RULE)
    for value in row.rest:
        sheet.dot(x(value), y, SECOND, 6)
    sheet.dot(x(row.first), y, GOOD, 11, shape="<")
    sheet.dot(x(row.last), y, INK, 11, shape=">")
    sheet.text(sheet.width, name_y, row.note, color=BAD if row.far else SECOND, bold=row.far, align="right")
    sheet.line([0, sheet.width], [top + height] * 2, HAIR, over=0.4)
