"""An accessibility check of every page of the built sample review: WCAG 2.2 AA as far as a program can tell."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup, Tag

from revops_helpers.review.page import style
from revops_helpers.review.run import find
from revops_helpers.words.theme import BAD, BAD_WASH, GOOD, INK, SECOND, SERIES, THIRD, WASH, contrast
from tests.shared import sample_review

LEAST = 4.5  # WCAG 1.4.3, text of any size
FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex='0']"


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    return sample_review(tmp_path_factory).resolve()


@pytest.fixture(scope="module")
def pages(published) -> dict[Path, BeautifulSoup]:
    return {file: BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser") for file in sorted(published.rglob("*.html"))}


def wrong(pages: dict[Path, BeautifulSoup], select: str, good) -> list[str]:
    """Where and what, of the elements that are selected and not good."""
    found = ((file, element) for file, page in pages.items() for element in page.select(select))
    return [f"{file.name}: {str(element)[:160]}" for file, element in found if not good(element)]


def words(element: Tag) -> str:
    return element.get_text(" ", strip=True)


pytestmark = pytest.mark.slow


def test_every_notebook_and_role_has_its_page(pages, published):
    names = {str(file.relative_to(published)) for file in pages}
    assert {"index.html", *(f"{name}.html" for name in find() if name[0].isdigit())} <= names
    ran = [file.relative_to(published / "notebooks") for file in published.rglob("*.ipynb")]
    assert len(ran) >= 6 and {str(file.with_suffix(".html")) for file in ran} <= names


def test_a_page_says_its_language_its_title_and_where_it_may_not_reach(pages):
    assert wrong(pages, "html", lambda html: re.fullmatch("en|pt-BR", html.get("lang", ""))) == []
    assert wrong(pages, "head", lambda head: head.title and words(head.title)) == []
    titles = [words(page.title) for file, page in pages.items() if file.name != "00_executive_review.html"]
    assert len(set(titles)) == len(titles)
    for page in pages.values():
        (policy,) = page.select('meta[http-equiv="Content-Security-Policy"]')
        assert "default-src 'none'" in policy["content"] and "script" not in policy["content"]
        assert page.find(["script", "iframe", "object", "embed", "link", "form", "base"]) is None
        assert re.search(r"https?:|url\((?!data:)|@import", str(page.style)) is None


def test_the_first_stop_of_the_keyboard_skips_to_the_report(pages):
    for file, page in pages.items():
        first = page.select_one(FOCUSABLE)
        assert first["href"] == "#main" and words(first) and page.select_one("main#main"), file.name
        assert len(page.find_all("main")) == 1 and page.select_one("nav[aria-label]")


def test_one_first_heading_no_level_skipped_and_none_empty(pages):
    for file, page in pages.items():
        heads = page.find_all(re.compile("^h[1-6]$"))
        levels = [int(head.name[1]) for head in heads]
        assert levels[0] == 1 and levels.count(1) == 1, file.name
        assert all(later - earlier <= 1 for earlier, later in pairwise(levels)), (file.name, levels)
        assert all(words(head) for head in heads), file.name


def test_every_picture_has_its_numbers_in_words(pages):
    assert wrong(pages, "img", lambda img: len(img.get("alt", "")) >= 20 and re.search(r"\d", img["alt"])) == []
    assert wrong(pages, "figure", lambda figure: figure.figcaption and words(figure.figcaption)) == []
    assert sum(len(page.find_all("img")) for page in pages.values()) >= 5


def test_marks_are_named_or_hidden(pages):
    def good(svg: Tag) -> bool:
        return svg.get("aria-hidden") == "true" or (svg.get("role") == "img" and bool(svg.get("aria-label", "").strip()))

    assert wrong(pages, "svg", good) == []
    assert wrong(pages, "[aria-hidden=true]", lambda hidden: not hidden.select(FOCUSABLE)) == []


def test_scroll_boxes_are_reached_by_keyboard_and_named(pages):
    def good(box: Tag) -> bool:
        return box.get("tabindex") == "0" and box.get("role") == "region" and bool(box.get("aria-label", "").strip())

    assert wrong(pages, ".scroll", good) == []
    assert wrong(pages, "pre", lambda box: box.get("tabindex") == "0") == []
    assert wrong(pages, "[tabindex]", lambda element: element["tabindex"] in ("0", "-1")) == []


def test_tables_have_heads_with_a_scope_and_even_rows(pages):
    assert wrong(pages, "th", lambda th: th.get("scope") in ("row", "col", "colgroup", "rowgroup")) == []
    assert wrong(pages, "thead th", lambda th: th.get("scope") == "col" and (words(th) or th.get("aria-label"))) == []
    assert wrong(pages, "table", lambda table: table.select_one("th")) == []

    def even(table: Tag) -> bool:
        widths = [sum(int(cell.get("colspan", 1)) for cell in row.find_all(["td", "th"])) for row in table.find_all("tr")]
        return len(set(widths)) == 1

    assert wrong(pages, "table", even) == []


def test_restacked_tables_keep_their_roles(pages):
    assert wrong(pages, "table.cards", lambda table: table.get("role") == "table") == []
    assert wrong(pages, "table.cards tr", lambda row: row.get("role") == "row") == []
    assert wrong(pages, "table.cards tbody td", lambda cell: cell.get("role") == "cell") == []


def test_ids_are_unique_and_every_reference_and_link_leads_somewhere(pages, published):
    ids = {file: [element["id"] for element in page.select("[id]")] for file, page in pages.items()}
    for file, page in pages.items():
        assert len(set(ids[file])) == len(ids[file]), file.name
        assert all(element["aria-labelledby"] in ids[file] for element in page.select("[aria-labelledby]")), file.name
        for link in page.select("a[href]"):
            assert words(link) or link.get("aria-label"), f"{file.name}: a link without words to {link['href']}"
            parts = urlsplit(link["href"])
            if parts.scheme == "https" and page.select_one("meta[name=referrer][content=no-referrer]"):
                continue  # a record in its own system, opened by the reader only, which does not hear where from
            assert not parts.scheme and not parts.netloc, link["href"]
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            assert target.is_file() and target.is_relative_to(published), f"{file.name}: {link['href']}"
            assert not parts.fragment or unquote(parts.fragment) in ids.get(target, [parts.fragment]), (
                f"{file.name}: {link['href']}"
            )


def test_folded_depth_has_a_summary_and_lists_hold_items_only(pages):
    assert wrong(pages, "details", lambda details: details.summary and words(details.summary)) == []
    assert wrong(pages, "ul, ol", lambda held: all(child.name == "li" for child in held.find_all(recursive=False))) == []
    assert wrong(pages, "dl", lambda held: {child.name for child in held.find_all(recursive=False)} <= {"dt", "dd", "div"}) == []


def test_this_page_is_marked_in_the_navigation(pages):
    for file, page in pages.items():
        if file.name not in ("00_executive_review.html",):
            assert len(page.select("nav [aria-current=page]")) == 1, file.name


# ---- the style sheet


def resolved(value: str) -> str | None:
    """A CSS colour as #rrggbb; None when it is none (inherit)."""
    assert not value.startswith("var("), f"{value} is no colour that the theme has"
    short = re.fullmatch(r"#(\w)(\w)(\w)", value)
    value = "#" + "".join(2 * digit for digit in short.groups()) if short else value
    return value if re.fullmatch(r"#[0-9a-f]{6}", value) else None


def test_every_colour_of_text_is_readable_on_its_ground():
    sheet = re.sub(r"@font-face\{[^}]*\}", "", style())
    seen = set()
    for body in re.findall(r"\{([^{}]*)\}", sheet):
        held = dict(part.split(":", 1) for part in body.split(";") if ":" in part)
        text, ground = resolved(held.get("color", "")), resolved(held.get("background", "#fff")) or "#ffffff"
        if text:
            seen.add(text)
            assert contrast(text, ground) >= LEAST, body
    assert {INK, SECOND, THIRD, GOOD, BAD} <= seen


@pytest.mark.parametrize("ground", ["#ffffff", WASH, BAD_WASH])
@pytest.mark.parametrize("text", [INK, SECOND, THIRD, GOOD, BAD, *SERIES])
def test_text_and_status_colours_are_readable_on_every_ground(text, ground):
    assert contrast(text, ground) >= LEAST


def test_focus_is_seen_and_motion_and_zoom_are_left_to_the_reader():
    sheet = style()
    assert f":focus-visible{{outline:3px solid {GOOD}" in sheet and "outline:0" not in sheet
    assert "animation" not in sheet and "transition" not in sheet and "user-scalable" not in sheet
    assert ".skip:focus{left:" in sheet
