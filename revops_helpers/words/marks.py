"""Small marks drawn straight as SVG, one unit a pixel: interval bars (128×20) and sparklines (84×20)."""

from __future__ import annotations

from collections.abc import Sequence

from revops_helpers.words.markup import tag

WIDTH, TREND, HEIGHT = 128, 84, 20


def interval_bar(
    value: float | None,
    low: float | None = None,
    high: float | None = None,
    *,
    before: float | None = None,
    target: float | None = None,
    span: tuple[float, float] | None = None,
    state: str = "open",
    flip: bool = False,
    zero: bool = False,
) -> str:
    """Band = interval, dot = value, hollow dot = year before, tick = target. Hidden from screen readers: the table has the
    numbers beside it.

    state: "good", "bad", "open" (undecided), "few" (too small a sample: dashed, hollow), "censored" (open arrow).
    span: the axis; by default what is drawn. flip: lower is better, so that better is always to the right.
    zero: an axis tick at 0.
    """
    if value is None:
        return ""
    drawn = [x for x in (value, low, high, before, target) if x is not None]
    start, end = span or (min(drawn), max(drawn))
    end += 0.15 * (end - start) if state == "censored" else 0
    room = (end - start) or abs(end) or 1.0

    def x(at: float) -> float:
        share = (at - start) / room if end > start else 0.5
        return round(8 + (WIDTH - 16) * ((1 - share) if flip else share), 1)

    marks = [f'<path class="ax" d="{f"M{x(0)} 0V20" if zero else "M4 10H124"}"/>']
    if low is not None or high is not None:
        left, right = sorted((x(low) if low is not None else x(value), x(high) if high is not None else x(value)))
        marks.append(f'<rect class="band" x="{left}" y="6.5" width="{max(right - left, 2):.1f}" height="7" rx="1"/>')
    if before is not None:
        marks.append(f'<circle class="was" cx="{x(before)}" cy="10" r="3.2"/>')
    if target is not None:
        marks.append(f'<path class="aim" d="M{x(target)} 2V18"/>')
    if state == "censored":
        ahead = -1 if flip else 1
        marks.append(f'<path d="M{x(value)} 10h{ahead * 14}m{-ahead * 4} -4l{ahead * 4} 4l{-ahead * 4} 4"/>')
    marks.append(f'<circle class="dot" cx="{x(value)}" cy="10" r="3.9"/>')
    return _svg("".join(marks), WIDTH, f"bar {state}", aria_hidden="true")


def sparkline(values: Sequence[float | None], name: str, state: str = "open", incomplete: int = 0) -> str:
    """The last months as a grey line with its last dot coloured; the `incomplete` last ones dashed. `name` is read aloud."""
    known = [(i, v) for i, v in enumerate(values) if v is not None]
    if len(known) < 2:
        return ""
    low, high = min(v for _i, v in known), max(v for _i, v in known)

    def at(i: int, v: float) -> str:
        return f"{4 + 76 * i / (len(values) - 1):.1f} {10 if high == low else 16 - 12 * (v - low) / (high - low):.1f}"

    whole = [p for p in known if p[0] < len(values) - incomplete]
    rest = known[max(len(whole) - 1, 0) :] if incomplete else []
    lines = f'<path d="{_line(whole, at)}"/>' + (f'<path class="part" d="{_line(rest, at)}"/>' if len(rest) > 1 else "")
    cx, cy = at(*known[-1]).split()
    dot = f'<circle class="dot" cx="{cx}" cy="{cy}" r="2.9"/>'
    return _svg(lines + dot, TREND, f"spark {state}", role="img", aria_label=name)


def _svg(inside: str, width: int, look: str, **attributes: str) -> str:
    return tag("svg", inside, class_=look, width=width, height=HEIGHT, viewBox=f"0 0 {width} {HEIGHT}", **attributes)


def _line(points: Sequence[tuple[int, float]], at) -> str:
    """A path through the points, broken where a month is missing."""
    steps = [("L" if k and points[k - 1][0] == i - 1 else "M") + at(i, v) for k, (i, v) in enumerate(points)]
    return "".join(steps)
