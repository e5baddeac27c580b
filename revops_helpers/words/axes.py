"""What the charts share: gridlines with their values, months under an axis, labels at the ends of lines, curves made lighter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from babel.dates import format_date

from revops_helpers.words.canvas import Axis, Sheet
from revops_helpers.words.language import number, scale_of
from revops_helpers.words.messages import locale_now
from revops_helpers.words.theme import HAIR, INK, NORMAL, SECOND, SMALL, THIRD

Write = Callable[[float], str]
MOST_POINTS, APART = 150, 18


@dataclass(frozen=True)
class End:
    """A direct label at the right end of a line; the value is where the line ends."""

    value: float
    words: str
    colour: str = INK
    bold: bool = True


def thinned(frame: pd.DataFrame, most: int = MOST_POINTS) -> pd.DataFrame:
    """At most `most` rows, the first and the last among them."""
    if len(frame) <= most:
        return frame
    return frame.iloc[np.unique(np.linspace(0, len(frame) - 1, most).round().astype(int))]


def money_writer(largest: float) -> Write:
    """Writes cents in one scale for a whole axis, without the unit: 6, 8, 10."""
    divisor, _letter, _digits = scale_of(largest / 100)
    return lambda cents: number(cents / 100 / divisor, 1)


def _ticks_written(ticks: Sequence[float], write: Write) -> list[str]:
    """Tick labels without a needless last zero."""
    texts = [write(tick) for tick in ticks]
    needless = tuple(f"{mark}0" for mark in ".,")
    return [text[:-2] for text in texts] if texts and all(text.endswith(needless) for text in texts) else texts


def levels(sheet: Sheet, y: Axis, right: float, write: Write) -> None:
    """Gridlines with their value above, on the left, legible over what is drawn there; the lowest is the ink line."""
    ticks = y.ticks(5)
    for tick, words in zip(ticks, _ticks_written(ticks, write), strict=True):
        base = tick == min(ticks)
        sheet.line([0, right], [y(tick)] * 2, THIRD if base else HAIR, over=0.5)
        if not base or tick != 0:
            sheet.text(0, y(tick) - 9, words, size=SMALL, color=THIRD, halo=True)


def month_names(sheet: Sheet, months: Sequence[pd.Timestamp], x: Axis) -> None:
    """Names under the axis, as many as fit; the last one always, January with its year when there is more than one year."""
    several = len({m.year for m in months}) > 1
    pattern = "MMM yy" if several else "LLL"
    names = [format_date(m.date(), pattern, locale=locale_now()).rstrip(".") for m in months]
    every = max(1, int(np.ceil(sheet.widest(names, SMALL) * 1.5 / max((x.end - x.start) / max(len(months) - 1, 1), 1))))
    for i in range(len(months) - 1, -1, -every):
        align = "left" if x(i) < 12 else "center"
        sheet.text(max(x(i), 0), sheet.height - 12, names[i], size=SMALL, color=SECOND, align=align)


def ends_written(sheet: Sheet, x: float, y: Axis, ends: Iterable[End]) -> None:
    """Labels at the right end, moved apart where they would touch, nearest to their line's end."""
    order = sorted(ends, key=lambda end: y(end.value))
    places = [y(end.value) for end in order]
    for _turn in range(50):
        for i in range(1, len(places)):
            short = APART - (places[i] - places[i - 1])
            if short > 0:
                places[i - 1], places[i] = places[i - 1] - short / 2, places[i] + short / 2
    lift = max(0.0, places[-1] - (sheet.height - 36)) if places else 0.0
    for end, place in zip(order, places, strict=True):
        sheet.text(x + 10, max(place - lift, 10), end.words, color=end.colour, bold=end.bold, size=NORMAL if end.bold else SMALL)
