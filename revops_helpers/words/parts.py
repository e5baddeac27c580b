"""The parts a report is made of. Each is a small object that shows itself in JupyterLab and in the published page.

Text is plain text with **bold** as the only markup; every value is escaped at the source (`markup`), and nowhere else.
A part carries `text/html`, `text/plain` and `application/vnd.revops+json`; only outputs with the last are trusted as HTML
by the page, everything else that a cell prints is shown as escaped text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from revops_helpers.words.definitions import definitions
from revops_helpers.words.language import _
from revops_helpers.words.markup import MIME, Part, esc, nested, plain, rich, slug, unbolded
from revops_helpers.words.scorecard import ScoreRow, scorecard, tiles
from revops_helpers.words.tables import findings_table, ledger_table, table
from revops_helpers.words.theme import NARROW, WIDE

__all__ = [
    "MIME", "Part", "ScoreRow", "beside", "bottom_line", "definitions", "details", "findings_table", "header", "ledger_table",
    "limit", "note", "pair", "picture", "plain", "points", "reading", "scorecard", "section", "stack", "table", "tiles",
    "unavailable", "warning",
]  # fmt: skip


def header(kicker: str, title: str, deck: str = "", facts: Iterable[str] = ()) -> Part:
    """The head of a report and its only h1. Facts are short texts, such as the ledger's totals."""
    facts = tuple(facts)
    html = f'<p class="kick">{rich(kicker)}</p><h1>{rich(title)}</h1>'
    html += f'<p class="deck">{rich(deck)}</p>' if deck else ""
    html += f'<ul class="facts">{"".join(f"<li>{rich(fact)}</li>" for fact in facts)}</ul>' if facts else ""
    text = "\n".join(plain(line) for line in (title, deck, *facts) if line)
    collected = {"kicker": plain(kicker), "title": unbolded(title), "deck": plain(deck), "facts": [plain(f) for f in facts]}
    return Part("header", html, text, collected)


def section(title: str, deck: str = "", anchor: str = "", short: str = "") -> Part:
    """A section's head (h2): a computed sentence. `short` is its name in the contents list, `anchor` a stable id."""
    name = anchor or slug(short or title)
    html = f'<h2 id="{esc(name)}" data-short="{esc(plain(short or title))}">{rich(title)}</h2>'
    html += f'<p class="sub">{rich(deck)}</p>' if deck else ""
    text = "\n".join(plain(line) for line in (title, deck) if line)
    return Part("section", html, text, {"title": plain(title), "short": plain(short), "anchor": name})


def bottom_line(sentences: Sequence[str]) -> Part:
    """Three to five computed sentences, worst first."""
    html = "".join(f"<li><p>{rich(sentence)}</p></li>" for sentence in sentences)
    text = "\n".join(f"{i}. {plain(sentence)}" for i, sentence in enumerate(sentences, 1))
    return Part("bottom_line", f'<ol class="bottom">{html}</ol>', text, {"sentences": [unbolded(one) for one in sentences]})


def reading(text: str) -> Part:
    """What the figure beside it says."""
    return Part("reading", f'<p class="reading">{rich(text)}</p>', plain(text))


def limit(text: str) -> Part:
    """The limit of the claim beside it."""
    return Part("limit", f'<p class="reading limit">{rich(text)}</p>', plain(text))


def warning(text: str) -> Part:
    """A limit that forbids a use, such as a model that failed its own test."""
    return Part("warning", f'<p class="warn">{rich(text)}</p>', plain(text), {"text": plain(text)})


def note(text: str) -> Part:
    """Small print under a table: what is exact, what overlaps, how it was split."""
    return Part("note", f'<p class="note">{rich(text)}</p>', plain(text))


def points(title: str, lines: Sequence[str]) -> Part:
    """A short list under a small head."""
    html = f'<h3>{rich(title)}</h3><ul class="points">{"".join(f"<li>{rich(line)}</li>" for line in lines)}</ul>'
    return Part("points", html, "\n".join([plain(title), *(f"- {plain(line)}" for line in lines)]))


def picture(figure, title: str, note: str, alt: str) -> Part:
    """A figure with its title (a computed sentence), what is drawn, and the numbers in words for who cannot see it."""
    head, words = f"<figcaption><b>{rich(title)}</b>{rich(note)}</figcaption>", plain(alt)
    html, small = (f"<figure>{head}{drawn}</figure>" for drawn in (figure.html(words), figure.small(words)))
    return Part("picture", html, f"{plain(title)}\n{words}", {"width": figure.width}, small=small)


def stack(*parts: Part) -> Part:
    """Parts one under another."""
    return Part("stack", "".join(p.html for p in parts), "\n\n".join(p.text for p in parts), {"parts": nested(parts)}, parts)


def beside(left: Part, *right: Part) -> Part:
    """A figure or table on the left; readings, limits or a second figure on the right (below it on the phone)."""
    pictures = all(part.kind == "picture" for part in right)
    tables = left.kind != "picture" and not all(map(_said, right))
    slim = left.collected.get("width", NARROW + 1) <= NARROW
    shape = "even" if tables else "duo" if pictures else "slim" if slim else "read"
    return _beside(shape, [left], right)


def _beside(shape: str, left: Sequence[Part], right: Sequence[Part]) -> Part:
    every = (*left, *right)
    columns = "".join(f"<div>{''.join(part.html for part in column)}</div>" for column in (left, right))
    text = "\n\n".join(part.text for part in every)
    return Part("beside", f'<div class="beside {shape}">{columns}</div>', text, {"parts": nested(every)}, every)


def pair(left: Part, right: Part) -> Part:
    """Two parts in one row, such as two figures with what is said of them.

    A figure is drawn small, as for the phone, and keeps the limits beside it; a wide figure on the left stays wide, and the
    small one beside it keeps its readings too. A part without a figure stays as it is.
    """
    first = _pictured(left)
    if first is not None and first.collected["width"] == WIDE:
        return _beside("duo", [first], _slim(right, ("reading", "limit", "warning")))
    return _beside("even", _slim(left), _slim(right))


def _pictured(part: Part) -> Part | None:
    return next((held for held in part.within() if held.kind == "picture"), None)


def _slim(part: Part, said: Sequence[str] = ("limit", "warning")) -> list[Part]:
    """The first figure of a part, small, and what is said beside it."""
    if (drawn := _pictured(part)) is None:
        return [part]
    return [replace(drawn, html=drawn.small), *(held for held in part.within() if held.kind in said)]


def _said(part: Part) -> bool:
    """Whether a part is only sentences, which need less room than a table."""
    inner = part.collected.get("parts")
    kinds = [held["kind"] for held in inner] if part.kind == "stack" else [part.kind]
    return all(kind in ("reading", "limit", "warning", "note", "unavailable") for kind in kinds)


def details(summary: str, *parts: Part) -> Part:
    """Depth for who wants it, folded; not printed."""
    html = f'<details class="fold"><summary>{rich(summary)}</summary>{"".join(part.html for part in parts)}</details>'
    text = "\n\n".join([plain(summary), *(part.text for part in parts)])
    return Part("details", html, text, {"parts": nested(parts)})


def unavailable(needs: Iterable[str] | str, unlocks: str) -> Part:
    """An analysis whose tables or columns the company lacks: what it needs and what it would show. Never a zero."""
    wanted = needs if isinstance(needs, str) else ", ".join(needs)
    text = _("**Not available: needs {needs}**, which would unlock {unlocks}.", needs=wanted, unlocks=unlocks)
    return Part("unavailable", f'<p class="none">{rich(text)}</p>', plain(text), {"needs": wanted, "unlocks": plain(unlocks)})
