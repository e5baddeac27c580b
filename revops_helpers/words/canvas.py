"""A drawing sheet in pixels over matplotlib, and the Figure that a report shows: SVG twice, wide and for the phone."""

from __future__ import annotations

import base64
import io
import math
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from revops_helpers.words.markup import esc, plain
from revops_helpers.words.theme import HAIR, INK, NORMAL, drawing

LONGEST = 400  # characters of one text that a figure draws


@dataclass(frozen=True)
class Drawing:
    """One SVG with its size in pixels."""

    svg: str
    width: int
    height: int

    @property
    def uri(self) -> str:
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg.encode()).decode()


@dataclass(frozen=True)
class Figure:
    """The same data drawn for a wide screen and for the phone."""

    wide: Drawing
    phone: Drawing

    @property
    def width(self) -> int:
        return self.wide.width

    def html(self, alt: str) -> str:
        """The picture element; the phone's drawing is taken at 620 px and below."""
        w, p = self.wide, self.phone
        source = f'<source media="(max-width:620px)" srcset="{p.uri}" width="{p.width}" height="{p.height}">'
        image = f'<img src="{w.uri}" width="{w.width}" height="{w.height}" alt="{esc(alt)}">'
        return f"<picture>{source}{image}</picture>"

    def small(self, alt: str) -> str:
        """The phone's drawing, on every screen."""
        return f'<img src="{self.phone.uri}" width="{self.phone.width}" height="{self.phone.height}" alt="{esc(alt)}">'


def figure(draw: Callable[[Sheet], None], wide: tuple[int, int], phone: tuple[int, int]) -> Figure:
    """Draw twice: `draw(sheet)` paints one sheet and asks `sheet.phone` where the two differ."""
    return Figure(_drawn(draw, *wide, phone=False), _drawn(draw, *phone, phone=True))


def _drawn(draw: Callable[[Sheet], None], width: int, height: int, phone: bool) -> Drawing:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Plot

    with drawing():
        plot = Plot(figsize=(width / 72, height / 72))
        FigureCanvasSVG(plot)
        draw(Sheet(plot, width, height, phone))
        out = io.StringIO()
        plot.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return Drawing(_small(out.getvalue()), width, height)


def _small(svg: str) -> str:
    """Without prolog, comments, metadata, unused names and line breaks; glyphs by short names; coordinates to 1/100 pixel."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r">\s+<", "><", re.sub(r"\s*\n\s*", " ", svg)).strip()
    svg = re.sub(r'<g id="[^"]*"', "<g", svg).replace("xlink:href", "href")
    svg = re.sub(r'(?<= d=")[^"]*|(?<=translate\()[^)]*', lambda m: _rounded(m[0]), svg)
    names = dict.fromkeys(re.findall(r'href="#([^"]+)"', svg))
    short = {name: f"g{i}" for i, name in enumerate(names)}
    return re.sub(r'(id="|href="#)([^"]+)"', lambda m: f'{m[1]}{short.get(m[2], m[2])}"', svg)


def _rounded(numbers: str) -> str:
    return re.sub(r"-?\d+\.\d+", lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), numbers).strip()


@cache
def _drawable() -> frozenset[int]:
    """The characters that the charts' fonts have."""
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    names = [font_manager.FontProperties(family=family) for family in ("Report Sans", "DejaVu Sans")]
    return frozenset(code for name in names for code in FT2Font(font_manager.findfont(name)).get_charmap())


def drawable(text: str) -> str:
    """The text as the fonts can draw it: no direction marks, one replacement mark for a character they lack, not endless."""
    shown = plain(text)[:LONGEST].replace("\u2068", "").replace("\u2069", "").replace("\n", " ").replace("\t", " ")
    return "".join(c if ord(c) in _drawable() else "\ufffd" for c in shown if ord(c) not in (0x200D, 0xFE0F))


@lru_cache(maxsize=4096)
def _width(text: str, size: float, bold: bool) -> float:
    """How wide the ink of the text is: outlines of these fonts have points where they are widest, so no curve is followed."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    font = FontProperties(family=["Report Sans", "DejaVu Sans"], weight=600 if bold else 400, size=size)
    path = TextPath((0, 0), text, prop=font)
    across = path.vertices[path.codes != path.CLOSEPOLY, 0]
    return float(across.max() - across.min()) if len(across) else 0.0


class Sheet:
    """A sheet measured in pixels from the top left. Everything is drawn through it, so that all figures look alike."""

    def __init__(self, plot, width: int, height: int, phone: bool):
        self.plot, self.width, self.height, self.phone = plot, width, height, phone
        self.ax = plot.add_axes((0, 0, 1, 1))
        self.ax.set(xlim=(0, width), ylim=(height, 0))
        self.ax.axis("off")

    def text(self, x: float, y: float, words: str, size: float = NORMAL, color: str = INK, bold=False, align="left", halo=False):
        """Text whose middle is at y. A halo, a white ground, keeps it legible over lines."""
        ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.5} if halo else None
        look = {"size": size, "color": color, "weight": 600 if bold else 400, "bbox": ground}
        self.ax.text(x, y, drawable(words), ha=align, va="center_baseline", zorder=5, **look)

    def width_of(self, words: str, size: float = NORMAL, bold: bool = False) -> float:
        """Width of the text in pixels."""
        return _width(drawable(words), size, bold) if words.strip() else 0.0

    def widest(self, texts: Iterable[str], size: float = NORMAL, bold: bool = False) -> float:
        """Width of the widest of the texts; 0 for none."""
        return max((self.width_of(text, size, bold) for text in texts), default=0.0)

    def line(self, xs: Iterable[float], ys: Iterable[float], color: str = HAIR, width=1.0, dashes=(), step=False, over=2.0):
        """A line through the points; `step` holds each value until the next; `dashes` are lengths of line and gap."""
        look = {"color": color, "linewidth": width, "drawstyle": "steps-post" if step else "default", "zorder": over}
        self.ax.plot(list(xs), list(ys), **look, **({"linestyle": (0, dashes)} if dashes else {}))

    def curve(self, xs: Iterable[float], ys: Iterable[float], color: str, width: float, step=False):
        """A line of data, by seaborn."""
        import seaborn as sns

        look = {"color": color, "linewidth": width, "drawstyle": "steps-post" if step else "default", "zorder": 3}
        sns.lineplot(x=list(xs), y=list(ys), ax=self.ax, estimator=None, sort=False, legend=False, **look)

    def fitted(self, words: str, room: float) -> str:
        """The words, cut with an ellipsis where they are wider than `room` pixels."""
        if len(words) <= room and self.width_of(words) <= room + 1:
            return words
        lengths = range(1, min(len(words), max(int(room), 0)) + 1)
        most = bisect_left(lengths, True, key=lambda n: self.width_of(words[:n] + "…") > room)
        return words[:most].rstrip() + "…"

    def band(self, xs: Iterable[float], low: Iterable[float], high: Iterable[float], color: str, step=False, alpha=1.0):
        """The area between two lines."""
        look = {"color": color, "linewidth": 0, "alpha": alpha, "zorder": 1}
        self.ax.fill_between(list(xs), list(low), list(high), step="post" if step else None, **look)

    def box(self, x: float, y: float, width: float, height: float, fill: str, edge: str | None = None):
        """A rectangle from its top left corner."""
        from matplotlib.patches import Rectangle

        look = {"facecolor": fill, "edgecolor": edge or "none", "linewidth": 1 if edge else 0, "zorder": 2.5}
        self.ax.add_patch(Rectangle((x, y), width, height, **look))

    def dot(self, x: float, y: float, color: str, size: float = 8, hollow=False, shape="o"):
        """A mark of `size` pixels across: round, or < or > for a triangle that points there."""
        look = {"color": "white" if hollow else color, "markeredgecolor": color if hollow else "white"}
        self.ax.plot([x], [y], shape, markersize=size, markeredgewidth=1.6 if hollow else 1.0, zorder=4, **look)


@dataclass(frozen=True)
class Axis:
    """Values to pixels, straight or logarithmic."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high, at = (math.log10(x) for x in (self.low, self.high, value)) if self.log else (self.low, self.high, value)
        return self.start + (self.end - self.start) * (at - low) / ((high - low) or 1)

    def ticks(self, most: int = 5) -> list[float]:
        """Round values inside the axis, at most `most`."""
        room = (self.high - self.low) or 1.0
        power = 10 ** math.floor(math.log10(room / most))
        step = next(power * m for m in (1, 2, 2.5, 5, 10, 20) if room / (power * m) <= most)
        first = math.ceil(self.low / step - 1e-9)
        return [i * step for i in range(first, math.floor(self.high / step + 1e-9) + 1)]
