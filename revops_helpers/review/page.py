"""An executed notebook as one self-contained HTML page: no script, no request, our own template and style.

Markdown cells and the outputs are shown, code is not. Only the HTML of our own parts is trusted (they carry their own MIME
type); whatever else a cell prints is shown as escaped text.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import mistune
import nbformat
from jinja2 import Environment, FileSystemLoader

from revops_helpers.words.language import _, current, use
from revops_helpers.words.markup import MIME, Part, clean, esc, plain, rules, slug, tag, unwrap
from revops_helpers.words.theme import FONTS, style_sheet, tokens

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:"
IMAGES = ("image/svg+xml", "image/png", "image/jpeg")
_H2 = re.compile(r'<h2 id="([^"]*)"(?: data-short="([^"]*)")?>(.*?)</h2>', re.S)


def build_page(
    notebook: Path | nbformat.NotebookNode,
    *,
    title: str,
    nav: Sequence[tuple[str, str]] = (),
    language: str = "en",
    elsewhere: Sequence[tuple[str, str, str]] = (),
    extra_sections: Iterable[Part] = (),
    here: str = "",
    brand: str = "",
    when: str = "",
    footer: Sequence[str] = (),
) -> str:
    """The page of an executed notebook.

    title: of the browser's tab. nav: (name, href) of every page of the review; `here` is this page's href. brand: the company's
    name, which leads to index.html. when: the date and currency line. extra_sections: parts after the notebook's own.
    footer: lines with the fingerprint, versions and seeds. elsewhere: (language tag, name, address) of the page in other
    languages. All of them are plain text. The language is in use afterwards.
    """
    use(language)
    node = notebook if isinstance(notebook, Mapping) else nbformat.read(notebook, as_version=4)
    blocks = [*_blocks(node), *((part.kind, part.html) for part in extra_sections)]
    body = _no_level_skipped(_sections(_unique([html for _kind, html in _headed(blocks, title)])))
    contents = [(_("Bottom line"), "main")] if any(kind == "header" for kind, _html in blocks) else []
    contents += [(plain(unescape(short or re.sub(r"<[^>]+>", "", text))), anchor) for anchor, short, text in _H2.findall(body)]
    return _template().render(
        language=current().replace("_", "-"), policy=POLICY, title=clean(title), style=style(), home=_home(nav), here=here,
        brand=clean(brand), kind=_("Revenue operations review"), when=clean(when), contents=contents, nav=nav, body=body,
        footer=[clean(line) for line in footer], elsewhere=elsewhere, _=_,
    )  # fmt: skip


def _home(nav: Sequence[tuple[str, str]]) -> str:
    return nav[0][1] if nav else "#main"


@cache
def _template():
    folder = FileSystemLoader(Path(__file__).parent)
    return Environment(loader=folder, autoescape=True, trim_blocks=True, lstrip_blocks=True).get_template("page.html.j2")


@cache
def style() -> str:
    """Fonts, tokens, the parts' rules and the page's."""
    faces = "".join(
        f'@font-face{{font-family:"{family}";font-weight:{weight};font-display:block;'
        f'src:url(data:font/woff2;base64,{_base64(FONTS / file)}) format("woff2")}}'
        for family, weight, file in (
            ("Report Sans", 400, "sans-400.woff2"),
            ("Report Sans", 600, "sans-600.woff2"),
            ("Report Serif", 600, "serif-600.woff2"),
        )
    )
    return f"{faces}:root{{{tokens()}}}{rules()}{page_rules()}"


def page_rules() -> str:
    """The page's own style sheet, without comments and line breaks."""
    return style_sheet(Path(__file__).parent / "page.css")


def _base64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


class _Prose(mistune.HTMLRenderer):
    """Markdown of the notebooks: raw HTML is escaped, pictures from elsewhere are their words, no heading level is skipped."""

    def __init__(self) -> None:
        super().__init__(escape=True)
        self.level = 1

    def heading(self, text: str, level: int, **_attributes: Any) -> str:
        level = min(level, self.level + 1)
        self.level = max(level, 1)
        words = unescape(re.sub(r"<[^>]+>", "", text))
        return f'<h2 id="{slug(words)}">{text}</h2>\n' if level == 2 else f"<h{level}>{text}</h{level}>\n"

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return text if self.safe_url(url) == "#harmful-link" else super().link(text, url, title)

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return text


def _blocks(node: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(kind, HTML) of everything that is shown, in order; kind is a part's kind, "markdown" or "other"."""
    prose = _Prose()
    render = mistune.create_markdown(renderer=prose, plugins=["table"])
    for cell in node["cells"]:
        if cell["cell_type"] == "markdown" and "analyst" not in _tags(cell):
            yield "markdown", _anchored(render(clean(cell["source"])), _tags(cell))
        for output in cell.get("outputs", ()):
            kind, html = _output(output)
            if html:
                prose.level = 2 if "<h2" in html else prose.level
                yield kind, html


def _tags(cell: Mapping[str, Any]) -> Sequence[str]:
    """Tags of a cell. `analyst`: only for who has the notebook open; `anchor:name`: the id of its h2 in every language."""
    return cell.get("metadata", {}).get("tags", ())


def _anchored(html: str, tags: Iterable[str]) -> str:
    names = [name.removeprefix("anchor:") for name in tags if name.startswith("anchor:")]
    return re.sub(r'<h2 id="[^"]*"', f'<h2 id="{esc(names[0])}"', html, count=1) if names else html


def _output(output: Mapping[str, Any]) -> tuple[str, str]:
    """One output: our own part as it is, a picture with its words, the rest as escaped text; no stderr."""
    if output["output_type"] == "stream":
        return "other", _pre(output["text"]) if output["name"] == "stdout" else ""
    if output["output_type"] == "error":
        return "other", _pre(f"{output['ename']}: {output['evalue']}")
    held = output["data"]
    if MIME in held:
        return held[MIME]["kind"], unwrap(_joined(held["text/html"]))
    for image in IMAGES:
        if image in held:
            return "other", _image(image, _joined(held[image]), _joined(held.get("text/plain", "")))
    return "other", _pre(_joined(held.get("text/plain", "")))


def _joined(text: str | Sequence[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def _pre(text: str) -> str:
    shown = re.sub(r"\x1b\[[0-9;]*m", "", _joined(text)).strip("\n")
    return tag("pre", esc(shown), tabindex="0") if shown else ""


def _image(kind: str, content: str, alt: str) -> str:
    encoded = base64.b64encode(content.encode()).decode() if kind == "image/svg+xml" else "".join(content.split())
    return f'<img src="data:{kind};base64,{encoded}" alt="{esc(alt)}">'


def _headed(blocks: Sequence[tuple[str, str]], title: str) -> list[tuple[str, str]]:
    """The blocks with exactly one h1, first: the header part, else the first Markdown heading, else the title.

    What stands before the header part (the question, the audience, the decision) comes right after it.
    """
    kinds = [kind for kind, _html in blocks]
    if "header" in kinds:
        at = kinds.index("header")
        before = [(kind, re.sub(r"<h1>.*?</h1>\s*", "", html, flags=re.S)) for kind, html in blocks[:at]]
        rest = [(kind, html if kind == "header" else _lower(html)) for kind, html in blocks[at + 1 :]]
        return [blocks[at], *_prosed(before), *_prosed(rest)]
    first = next((i for i, (_kind, html) in enumerate(blocks) if "<h1>" in html), None)
    if first is None:
        return [("header", tag("h1", esc(title))), *_prosed(blocks)]
    heading, _end, rest_of_it = blocks[first][1].partition("</h1>")
    rest = [(kind, _lower(html)) for kind, html in [*blocks[:first], ("markdown", rest_of_it), *blocks[first + 1 :]]]
    return [("header", heading + "</h1>"), *_prosed(rest)]


def _lower(html: str) -> str:
    """A second h1 of the Markdown becomes an h2."""
    return re.sub(r"<h1>(.*?)</h1>", lambda m: f'<h2 id="{slug(re.sub("<[^>]+>", "", m[1]))}">{m[1]}</h2>', html, flags=re.S)


def _no_level_skipped(body: str) -> str:
    """Small heads that stand before the first section are words in bold: no h3 comes right after the h1."""
    before, section, rest = body.partition("<h2 ")
    return re.sub(r"<h3>(.*?)</h3>", r"<p><b>\1</b></p>", before, flags=re.S) + section + rest


def _prosed(blocks: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Markdown in its frame, cut before every h2; empty blocks left out."""
    found = []
    for kind, html in blocks:
        if kind == "markdown":
            pieces = re.split(r"(?=<h2 )", html)
            found += [(kind, f'<div class="prose">{piece.strip()}</div>') for piece in pieces if piece.strip()]
        elif html:
            found.append((kind, html))
    return found


def _unique(blocks: Iterable[str]) -> list[str]:
    """Every id once: a second `findings` becomes `findings-2`."""
    seen: set[str] = {"main"}

    def once(match: re.Match[str]) -> str:
        name, n = match[1], 2
        while name in seen:
            name, n = f"{match[1]}-{n}", n + 1
        seen.add(name)
        return f'<h2 id="{name}"'

    return [re.sub(r'<h2 id="([^"]*)"', once, block) for block in blocks]


def _sections(blocks: Iterable[str]) -> str:
    """A section from every h2 to the next; what comes before the first one stands free."""
    whole, inside = [], False
    for block in blocks:
        head = re.match(r'(?:<div class="prose">)?<h2 id="([^"]*)"', block)
        if head:
            whole.append(f'{"</section>" if inside else ""}<section aria-labelledby="{head[1]}">')
            inside = True
        whole.append(block)
    return "\n".join([*whole, "</section>"] if inside else whole)
