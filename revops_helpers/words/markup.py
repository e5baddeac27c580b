"""Text to HTML, once and for all: the only place where reports escape, and the record that every part is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from html import escape
from pathlib import Path

from revops_helpers.words.messages import END, IS, OF, STAR, clean
from revops_helpers.words.theme import INK, style_sheet, tokens

PAGE = "definitions.html"
MIME = "application/vnd.revops+json"
# JupyterLab sets what stands between two dollar signs as mathematics, and R$ 2 M of R$ 8 M holds two.
OPEN, CLOSE = '<div class="revops mathjax_ignore tex2jax_ignore">', "</div>"


@cache
def rules() -> str:
    """The style sheet of the parts, for the notebook view and the page alike."""
    return style_sheet(Path(__file__).parent / "parts.css")


@cache
def _scoped() -> str:
    """The same for one output of a notebook, strong enough to stand above JupyterLab's own."""
    ground = f"background:#fff;color:{INK};font:16px/1.5 var(--sans);padding:4px 8px;"
    ground += "table{table-layout:auto}tbody tr{background:none!important}svg{max-width:none}"
    return f"<style>.revops.revops{{{tokens()}{ground}{rules()}}}</style>"


@dataclass(frozen=True)
class Part:
    """One piece of a report: its kind, its HTML, the same as plain text, and what the review collects from it.

    inside: the parts that it was put together from. small: of a picture, its HTML in the drawing for the phone.
    """

    kind: str
    html: str
    text: str
    collected: Mapping[str, object] = field(default_factory=dict)
    inside: tuple[Part, ...] = ()
    small: str = ""

    def within(self) -> Iterator[Part]:
        """The part itself, then all that it holds, in their order."""
        yield self
        for part in self.inside:
            yield from part.within()

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, object]:
        return {
            "text/html": f"{_scoped()}{OPEN}{self.html}{CLOSE}",
            "text/plain": self.text,
            MIME: {"kind": self.kind, **self.collected},
        }


def unwrap(html: str) -> str:
    """The HTML of a part without the notebook's style and frame."""
    return html.partition("</style>" + OPEN)[2].removesuffix(CLOSE)


def esc(text: object) -> str:
    """Any value as HTML text; also safe inside a quoted attribute."""
    return escape(unmarked(clean(text)).replace(STAR, "*"))


_INTERVAL = re.compile(r"\[[−<>≥≤\d][^\[\]*]{0,16}(?:–|\u00a0)[^\[\]*]{1,16}\]")
_NUMBER = re.compile(f"{OF}(\\w+){IS}([^{OF}{IS}{END}]*){END}")
_MARKS = re.compile(f"{OF}\\w+{IS}|[{OF}{IS}{END}]")


def rich(text: str) -> str:
    """Text with **bold** as HTML, its numbers leading to their definitions; no line breaks inside an [interval]."""
    bold = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", escape(clean(text)))
    spaced = _INTERVAL.sub(r'<span class="n">\g<0></span>', bold)
    return unmarked(_NUMBER.sub(lambda found: linked(found[1], found[2], "m"), spaced)).replace(STAR, "*")


def linked(metric_id: str, said: str, look: str = "q") -> str:
    """HTML as a quiet link to the definition of a metric; as it is where the catalogue has no such metric."""
    from revops_helpers.metrics.catalogue import catalogue

    return tag("a", said, href=f"{PAGE}#{metric_id}", class_=look) if metric_id in catalogue() else said


def unmarked(text: str) -> str:
    """Text whose numbers lead nowhere, for where it is a link itself."""
    return _MARKS.sub("", text)


def plain(text: str) -> str:
    """Text with its markup taken off."""
    return unmarked(unbolded(text)).replace(STAR, "*")


def unbolded(text: str) -> str:
    """Text without **bold**, its data still guarded and its numbers marked: for `rich` in another place."""
    return re.sub(r"\*\*(.+?)\*\*", r"\1", clean(text))


def tag(name: str, content: str = "", **attributes: object) -> str:
    """An element: `content` is HTML already, attribute values are escaped, None and "" leave an attribute out.

    Python words take an underscore at the end (class_), hyphens are underscores (aria_label).
    """
    held = "".join(f' {k.rstrip("_").replace("_", "-")}="{esc(v)}"' for k, v in attributes.items() if v not in (None, ""))
    return f"<{name}{held}>{content}</{name}>"


def slug(text: str) -> str:
    """An id for an anchor: lower-case ASCII letters, digits and hyphens; never empty."""
    ascii_text = unicodedata.normalize("NFKD", plain(text)).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text).strip("-")[:60].strip("-") or "section"


def nested(parts: Iterable[Part]) -> list[dict[str, object]]:
    """What the review collects from parts inside a part."""
    return [{"kind": part.kind, **part.collected} for part in parts]
