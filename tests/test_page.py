"""The built page: one file, no request, no script, accessible, and only our own parts' HTML is trusted."""

import re
from html.parser import HTMLParser
from itertools import pairwise

import nbformat.v4 as nb
import pytest

from revops_helpers.measurement import Measurement
from revops_helpers.review.page import build_page, page_rules
from revops_helpers.words import figures, parts
from revops_helpers.words.language import use
from revops_helpers.words.markup import rules
from revops_helpers.words.theme import tokens

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def shows(*held: parts.Part):
    """A cell that shows parts."""
    return nb.new_code_cell("secret_code()", outputs=[nb.new_output("display_data", data=p._repr_mimebundle_()) for p in held])


def prints(text: str):
    return nb.new_code_cell("", outputs=[nb.new_output("stream", name="stdout", text=text)])


RATE = Measurement(0.2, 100, 0.1, 0.3, unit="percent")
CELLS = [
    nb.new_markdown_cell("# Executive review\n\nWho decides, and **what**?"),
    shows(parts.header("Kicker", "The gap is R$ 2 M", "Deck")),
    shows(parts.beside(parts.picture(figures.bars([("A", RATE)]), "Title", "Note", "Bars: A 20%"), parts.reading("So."))),
    nb.new_markdown_cell(
        "## Why?\n\n#### Deep\n\n<b onclick=x>raw</b> ![out](https://example.org/x.png) [go](javascript:alert(1))"
    ),
    shows(parts.section("Findings", anchor="findings")),
    shows(
        parts.section("Findings again", anchor="findings", short="Again"), parts.scorecard([parts.ScoreRow("x", RATE, name="X")])
    ),
]


class Page(HTMLParser):
    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.faults: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, {name: value or "" for name, value in attributes}))
        if tag not in ("img", "source", "br", "meta"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def named(self, name: str) -> list[dict]:
        return [held for tag, held in self.tags if tag == name]


def built(cells=CELLS, **more) -> str:
    given = {"title": "Test", "nav": [("Review", "index.html"), ("1 Audit", "01.html")], "here": "index.html", **more}
    return build_page(nb.new_notebook(cells=cells), **given)


@pytest.fixture(autouse=True)
def in_english():
    use("en")
    yield
    use("en")


@pytest.fixture(scope="module")
def page() -> str:
    return built(
        brand="Acme",
        when="As of 30 Sep 2026",
        footer=["Inputs 9d20", EVIL],
        extra_sections=[parts.section("Data", anchor="data")],
    )


def test_tags_close_in_order(page):
    found = Page(page)
    assert found.faults == [] and found.open == []


def test_one_h1_and_no_level_skipped(page):
    levels = [int(tag[1]) for tag, _held in Page(page).tags if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_language_policy_and_a_skip_link_to_main(page):
    found = Page(page)
    assert found.named("html") == [{"lang": "en"}]
    policy = next(m["content"] for m in found.named("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:"
    assert found.named("a")[0] == {"class": "skip", "href": "#main"}
    assert found.named("main") == [{"id": "main"}]


def test_no_script_no_handler_and_no_request(page):
    found = Page(page)
    assert not {"script", "link", "iframe", "object", "base"} & {tag for tag, _held in found.tags}
    assert not [name for _tag, held in found.tags for name in held if name.startswith("on")]
    fetched = [held[name] for _tag, held in found.tags for name in ("src", "srcset") if name in held]
    assert fetched and all(url.startswith("data:image/") for url in fetched)
    style = re.search(r"<style>(.*?)</style>", page, re.S)[1]
    assert "@import" not in style and all(url.startswith("data:font/woff2") for url in re.findall(r"url\(([^)]*)", style))
    assert "javascript:" not in page and "https://example.org" not in page


def test_every_picture_has_its_words(page):
    assert [image.get("alt") for image in Page(page).named("img")] == ["Bars: A 20%"]


def test_ids_are_unique_and_every_inner_link_leads_somewhere(page):
    found = Page(page)
    ids = [held["id"] for _tag, held in found.tags if "id" in held]
    assert len(ids) == len(set(ids)) and {"findings", "findings-2", "data", "why"} <= set(ids)
    assert {a["href"][1:] for a in found.named("a") if a["href"].startswith("#")} <= set(ids)


def test_contents_name_the_sections_and_mark_this_page(page):
    contents = re.findall(r'<li><a href="#([^"]+)">([^<]+)</a></li>', page)
    assert contents == [
        ("main", "Bottom line"),
        ("why", "Why?"),
        ("findings", "Findings"),
        ("findings-2", "Again"),
        ("data", "Data"),
    ]
    assert [a["href"] for a in Page(page).named("a") if "aria-current" in a] == ["index.html"]


def test_sections_are_named_by_their_heads(page):
    found = Page(page)
    assert [s["aria-labelledby"] for s in found.named("section")] == ["why", "findings", "findings-2", "data"]


def test_the_header_comes_first_and_the_question_after_it(page):
    main = page[page.index("<main") :]
    assert "Executive review" not in main
    assert main.index("The gap is R$ 2 M") < main.index("Who decides, and <strong>what</strong>?") < main.index("Bars: A")


def test_code_is_hidden_and_the_notebook_frame_is_gone(page):
    assert "secret_code" not in page and "revops.revops" not in page


def test_raw_html_in_markdown_is_text(page):
    assert "&lt;b onclick=x&gt;raw&lt;/b&gt;" in page


@pytest.mark.parametrize(
    "output",
    [
        nb.new_output("display_data", data={"text/html": EVIL, "text/plain": "frame " + EVIL}),
        nb.new_output("stream", name="stdout", text=EVIL),
        nb.new_output("error", ename="E", evalue=EVIL, traceback=[]),
        nb.new_output("execute_result", data={"text/markdown": EVIL, "text/plain": EVIL}, execution_count=1),
        nb.new_output("display_data", data={"image/png": "AAAA", "text/plain": f'"{EVIL}'}),
        nb.new_output("display_data", data={"application/javascript": "alert(1)", "text/plain": EVIL}),
    ],
)
def test_what_is_not_our_own_part_is_shown_as_text(output):
    html = built([nb.new_code_cell("", outputs=[output])])
    assert "<script" not in html and "&lt;script&gt;" in html
    assert not any("onerror" in held for _tag, held in Page(html).tags)


def test_standard_error_stays_in_the_notebook():
    assert "warned" not in built([nb.new_code_cell("", outputs=[nb.new_output("stream", name="stderr", text="warned")])])


def test_brand_footer_and_navigation_are_text():
    html = built(brand=EVIL, when=EVIL, footer=[EVIL], title=EVIL, nav=[(EVIL, '"><script>')])
    assert "<script" not in html


def test_a_notebook_without_a_header_part_takes_its_first_heading_or_the_title():
    first = built([nb.new_markdown_cell("# Explore\n\n# Again"), prints("x")])
    assert re.findall(r"<h1>(.*?)</h1>", first) == ["Explore"] and '<h2 id="again">Again</h2>' in first
    assert re.findall(r"<h1>(.*?)</h1>", built([prints("x")])) == ["Test"]
    assert re.findall(r"<h1>(.*?)</h1>", built([])) == ["Test"]


def test_a_cell_names_its_anchor_or_speaks_to_the_analyst_only():
    named = nb.new_markdown_cell("## A question?", metadata={"tags": ["anchor:wins"]})
    hidden = nb.new_markdown_cell("For who has it open", metadata={"tags": ["analyst"]})
    html = built([named, hidden])
    assert '<h2 id="wins">' in html and "who has it open" not in html


def test_the_page_speaks_the_language_asked_for():
    assert '<html lang="pt-BR">' in built(language="pt_BR")


def test_a_notebook_file_gives_the_same_page(tmp_path):
    import nbformat

    file = tmp_path / "a.ipynb"
    nbformat.write(nb.new_notebook(cells=CELLS), file)
    assert build_page(file, title="T") == build_page(nb.new_notebook(cells=CELLS), title="T")


def test_the_style_sheet_is_under_12_kb():
    assert len(tokens() + rules() + page_rules()) < 12 * 1024


def test_the_style_uses_only_colours_and_classes_that_exist():
    style = rules() + page_rules()
    used = set(re.findall(r"var\(--([a-z0-9]+)\)", style))
    assert used <= set(re.findall(r"--([a-z0-9]+):", tokens()))
    assert style.count("{") == style.count("}")
