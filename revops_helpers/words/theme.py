"""Colours, type and the one plotting style. Nothing happens on import; matplotlib is loaded when a figure is drawn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

FONTS = Path(__file__).parent / "fonts"

INK, SECOND, THIRD = "#15202b", "#46525f", "#5f6b78"
RULE, HAIR, WASH = "#c9d1d9", "#e4e8ec", "#f3f5f7"
GOOD, GOOD_TINT, GOOD_WASH = "#0068a5", "#9cc7e2", "#e8f2f9"
BAD, BAD_TINT, BAD_WASH = "#b64600", "#efc3a4", "#fcf0e8"
SERIES = (GOOD, "#00785a", "#8a3f74", BAD, SECOND)

# Pixel widths: beside a second figure, beside readings, the narrow one of a pair, and the phone.
WIDE, FULL, NARROW, PHONE = 608, 660, 360, 358
SMALL, NORMAL, LARGE = 13, 14, 14.5

COLOURS = {
    "ink": INK, "ink2": SECOND, "ink3": THIRD, "rule": RULE, "hair": HAIR, "wash": WASH,
    "good": GOOD, "good2": GOOD_TINT, "good3": GOOD_WASH, "bad": BAD, "bad2": BAD_TINT, "bad3": BAD_WASH,
}  # fmt: skip
FACES = {
    "sans": '"Report Sans","Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif',
    "serif": '"Report Serif",Charter,Georgia,"Times New Roman",serif',
}


def tokens() -> str:
    """The typefaces as CSS custom properties."""
    return "".join(f"--{name}:{value};" for name, value in FACES.items())


def style_sheet(file: Path) -> str:
    """The rules of a CSS file without comments and line breaks, its colours written in: they are shorter than their names."""
    text = re.sub(r"\s*\n\s*", "", re.sub(r"/\*.*?\*/", "", file.read_text(encoding="utf-8"), flags=re.S))
    return re.sub(r"var\(--(\w+)\)", lambda name: COLOURS.get(name[1], name[0]), text)


RC = {
    "font.family": ["Report Sans", "DejaVu Sans"],
    "font.size": NORMAL,
    "text.color": INK,
    "text.parse_math": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "revops",
    "figure.dpi": 72,
    "savefig.dpi": 72,
    "path.simplify": True,
    "lines.solid_capstyle": "butt",
    "figure.facecolor": "white",
    "axes.facecolor": "none",
}


@cache
def _register_fonts() -> None:
    from matplotlib import font_manager

    for file in sorted(FONTS.glob("sans-*.ttf")):
        font_manager.fontManager.addfont(file)


@contextmanager
def drawing() -> Iterator[None]:
    """The style of every figure, inside this block only."""
    import seaborn as sns

    _register_fonts()
    with sns.axes_style("white", rc=RC), sns.plotting_context(rc={"font.size": NORMAL}), _rc():
        yield


@contextmanager
def _rc() -> Iterator[None]:
    """What seaborn's context managers leave out; and quiet about a weight that the fallback font lacks."""
    import logging

    import matplotlib

    log = logging.getLogger("matplotlib.font_manager")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with matplotlib.rc_context(RC):
            yield
    finally:
        log.setLevel(before)


def contrast(first: str, second: str) -> float:
    """WCAG 2 contrast ratio of two colours such as "#15202b"."""

    def light(colour: str) -> float:
        parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(first), light(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)
