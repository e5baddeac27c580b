"""The parts of a report: escaped at the source, semantic, and readable as plain text."""

import re
from datetime import date
from html.parser import HTMLParser

import pytest
from bs4 import BeautifulSoup

from revops_helpers.finding import Finding
from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.words import figures, parts
from revops_helpers.words.language import _, money, use
from revops_helpers.words.markup import MIME, unwrap
from revops_helpers.words.parts import ScoreRow
from revops_helpers.words.scorecard import judge

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "$\\frac{a$ and $b$",
    "**bold** [link](javascript:alert(1)) `x`",
    "\u202eevil\u202c \x00\x1b[31m",
    "شركة البرمجيات 😀",
    "{{ 7*7 }} {% x %} {0}",
    "=HYPERLINK(1)",
    "\ue001win_rate\ue00218%\ue003 \ue001x",
]


@pytest.fixture(autouse=True)
def in_english():
    use("en")


class Tags(HTMLParser):
    """Every tag with its attributes, and whether they close in order."""

    def __init__(self, html: str):
        super().__init__()
        self.tags, self.open, self.balanced = [], [], True
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("img", "source", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        self.balanced &= bool(self.open) and self.open.pop() == tag

    def named(self, name: str) -> list[dict]:
        return [attributes for tag, attributes in self.tags if tag == name]


def rate(value, low, high, **more):
    return Measurement(value, 100, low, high, unit="percent", **more)


def finding(id: str, value, low=None, high=None, **more) -> Finding:
    stake = Measurement(value, 50, low, high, unit="money", currency="BRL") if value is not None else not_applicable("no plan")
    texts = {
        "headline": f"**{id}** happens.",
        "action": "Act.",
        "owner": "Sales",
        "metric": "win_rate",
        "evidence": "03_optimization#x",
    }
    return Finding(id, "optimization", stake=stake, confidence="high", review_on=date(2026, 12, 15), **(texts | more))


def every_part(text: str) -> list[parts.Part]:
    """Each part with `text` wherever data may come in."""
    said = _("{x}", x=text)
    drawn = figures.bars([(text, rate(0.2, 0.1, 0.3))])
    row = ScoreRow("win_rate", rate(0.2, 0.1, 0.3), target=rate(0.3, None, None), trend=[1, 2, None, 3], group=text, name=text)
    return [
        parts.header(said, said, said, [said]),
        parts.section(said, said),
        parts.bottom_line([said]),
        parts.reading(said),
        parts.limit(said),
        parts.warning(said),
        parts.note(said),
        parts.picture(drawn, said, said, said),
        parts.table([said, "n"], [(text, 1), (text, rate(0.2, 0.1, 0.3))], caption=said),
        parts.table(["a"], [(not_applicable(text),)]),
        parts.scorecard([row, ScoreRow("x", not_applicable(text), name=text)]),
        parts.findings_table([finding("a", 100, 1, 200, headline=said, action=said, owner=text)]),
        parts.details(said, parts.reading(said)),
        parts.unavailable([text], text),
        parts.stack(parts.reading(said), parts.limit(said)),
        parts.beside(parts.picture(drawn, said, said, said), parts.reading(said)),
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_data_comes_out_as_text_in_every_part(text):
    allowed = {tag for part in every_part("plain") for tag, _a in Tags(part.html).tags}
    for part in every_part(text):
        found = Tags(part.html)
        assert {tag for tag, _a in found.tags} <= allowed, part.kind
        assert found.balanced and not found.open, part.kind
        assert not any(name.startswith("on") for _t, held in found.tags for name in held), part.kind
        assert not re.search("[\x00\x1b\u202e]", part.html + part.text), part.kind


def test_data_shows_its_own_asterisks_in_html_and_in_plain_text():
    part = parts.reading(_("{x}", x="**bold**"))
    assert part.html == '<p class="reading">**bold**</p>' and part.text == "**bold**"


def test_our_own_text_may_be_bold():
    assert parts.reading("**Stable:** yes").html == '<p class="reading"><strong>Stable:</strong> yes</p>'


def test_a_string_in_a_table_is_data_and_our_text_may_be_bold():
    html = parts.table(["a", "b"], [("**x**", _("**y**"))]).html
    assert ">**x**</th>" in html and "<strong>y</strong>" in html


def test_a_part_speaks_three_types_and_the_page_takes_it_out_of_its_frame():
    part = parts.reading("Now.")
    bundle = part._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain", MIME}
    assert bundle[MIME] == {"kind": "reading"}
    assert bundle["text/html"].startswith("<style>.revops.revops{--sans:")
    assert unwrap(bundle["text/html"]) == part.html


def test_two_sums_in_reais_are_no_mathematics_to_jupyterlab():
    html = parts.reading("R$ 10 of R$ 14")._repr_mimebundle_()["text/html"]
    around = html.partition("</style>")[2].partition(">")[0]
    assert {"mathjax_ignore", "tex2jax_ignore"} <= set(around.split('"')[1].split())


def test_the_review_finds_what_is_nested():
    held = parts.stack(parts.details("More", parts.bottom_line(["**One.**", "Two."])))._repr_mimebundle_()[MIME]
    assert held["parts"][0]["parts"][0] == {"kind": "bottom_line", "sentences": ["One.", "Two."]}


def test_a_table_has_row_heads_numbers_to_the_right_and_a_named_scroll_box():
    found = Tags(
        parts.table(["Team", "Rate", "Worth"], [("A", rate(0.2, 0.1, 0.3), money(100, "BRL")), ("B", None, "")], "Rates").html
    )
    assert [th.get("scope") for th in found.named("th")] == ["col", "col", "col", "row", "row"]
    assert [td.get("class") for td in found.named("td")] == ["n", "n", "n", "n"]
    box = found.named("div")[0]
    assert (box["role"], box["tabindex"], box["aria-label"]) == ("region", "0", "Rates")


def test_the_interval_stands_under_its_value():
    assert '<td class="n">20%<small>10–30</small></td>' in parts.table(["a", "b"], [("x", rate(0.2, 0.1, 0.3))]).html


def test_what_has_no_value_says_why_and_is_never_zero():
    assert "n/a<small>needs spend</small>" in parts.table(["a", "b"], [("x", not_applicable("needs spend"))]).html


@pytest.mark.parametrize("rows", [[("a",)], [("a", 1, 2)]])
def test_a_ragged_table_is_refused(rows):
    with pytest.raises(ValueError, match="as many cells"):
        parts.table(["a", "b"], rows)


def test_a_table_of_ten_columns_is_refused():
    with pytest.raises(ValueError, match="at most 9"):
        parts.table(list("abcdefghij"), [])


def test_a_table_without_rows_still_has_its_heads():
    assert Tags(parts.table(["a", "b"], []).html).named("th") == [{"scope": "col"}, {"scope": "col"}]


@pytest.mark.parametrize(
    ("value", "target", "direction", "verdict"),
    [
        (rate(0.2, 0.1, 0.24), 0.25, "higher", "bad"),
        (rate(0.2, 0.1, 0.25), 0.25, "higher", "noise"),
        (rate(0.3, 0.25, 0.4), 0.25, "higher", "ok"),
        (rate(0.3, 0.25, 0.4), 0.25, "lower", "noise"),
        (rate(0.3, 0.26, 0.4), 0.25, "lower", "bad"),
        (rate(0.2, 0.1, 0.25), 0.25, "lower", "ok"),
        (Measurement(5, 5, unit="count"), 6, "higher", "bad"),
        (rate(0.2, 0.1, 0.3, status="insufficient"), 0.25, "higher", "few"),
        (rate(0.2, 0.1, 0.3, status="partial"), 0.25, "higher", "partial"),
        (Measurement(7, 11, 6, None, status="censored", unit="months"), 5, "lower", "censored"),
        (rate(0.2, 0.1, 0.3), None, "higher", "none"),
        (rate(0.2, 0.1, 0.3), 0.5, "neither", "none"),
        (not_applicable("needs x"), 0.5, "higher", "absent"),
    ],
)
def test_a_measure_is_behind_only_when_its_whole_interval_misses(value, target, direction, verdict):
    aim = None if target is None else Measurement(target, unit=value.unit)
    assert judge(value, aim, direction) == verdict


def test_the_scorecard_gives_word_and_shape_bar_trend_and_groups():
    row = ScoreRow(
        "x", rate(0.2, 0.1, 0.24), rate(0.3, 0.2, 0.4), rate(0.25, None, None), [0.3, 0.25, 0.2], name="Rate", group="Team"
    )
    part = parts.scorecard([row])
    found = Tags(part.html)
    assert [svg.get("aria-label") for svg in found.named("svg")] == [None, "Rate, last 3 months"]
    assert '<span class="st bad">behind</span>' in part.html
    assert 'scope="rowgroup" colspan="9">Team</th>' in part.html
    assert part.text == "Rate: 20% [10–24] behind"
    assert part.collected["rows"] == [{"metric": "x", "label": "Rate", "verdict": "bad", "value": 0.2}]


def test_the_period_just_before_stands_beside_the_year_before_and_the_target():
    row = ScoreRow(
        "x", rate(0.2, 0.1, 0.24), rate(0.3, None, None), rate(0.25, None, None), prior=rate(0.22, None, None), name="R"
    )
    said = [cell.get_text() for cell in BeautifulSoup(parts.scorecard([row]).html, "html.parser").select("td.o")]
    assert said == ["22%", "30%", "25%"]
    heads = [head.get_text() for head in BeautifulSoup(parts.scorecard([row]).html, "html.parser").select("thead th")]
    assert heads[4:7] == ["Period before", "Year before", "Target"] and len(heads) == 9
    assert "target 25% · before 22% · a year ago 30%" in parts.tiles([row], {}).text.replace("\u00a0", " ")


def test_better_is_to_the_right_also_where_lower_is_better():
    def place(flip):
        bar = figures.interval_bar(2, 1, 3, target=4, flip=flip)
        return float(re.search(r'class="aim" d="M([\d.]+)', bar)[1])

    assert place(False) == 120 and place(True) == 8


def test_findings_are_ranked_by_money_and_what_overlaps_is_said():
    stakes = {"small": 10_000_000, "unknown": None, "large": 90_000_000, "middle": 50_000_000}
    held = [finding(id, value, *(() if value is None else (value / 2, value * 1.5))) for id, value in stakes.items()]
    part = parts.findings_table(held, Measurement(100_000_000, 9, 60_000_000, 140_000_000, unit="money", currency="BRL"))
    assert [f["id"] for f in part.collected["findings"]] == ["large", "middle", "small", "unknown"]
    assert part.collected["findings"][0]["review_on"] == "2026-12-15"
    overlap = "Amounts overlap: together they are worth R$ 1.0 M [0.6–1.4 M], not the sum of R$ 1.5 M."
    assert overlap in part.text.replace("\u00a0", " ")
    capped = parts.findings_table(held, Measurement(80_000_000, 9, 60_000_000, 80_000_000, unit="money", currency="BRL"))
    assert (
        "one goes beyond the plan: together no more than the shortfall that they close is counted, R$ 800 k"
        in capped.text.replace("\u00a0", " ")
    )
    assert 'href="03_optimization.html#x">3\u00a0Optimization</a>' in part.html


def test_no_finding_is_said_and_not_an_empty_table():
    part = parts.findings_table([])
    assert "<table" not in part.html and part.collected == {"findings": [], "joint": None}


def test_a_sparkline_breaks_where_a_month_is_missing_and_dashes_what_has_not_arrived():
    mark = figures.sparkline([1, 2, None, 3, 4, 5], "Trend", incomplete=1)
    assert re.findall("[ML]", re.search(r'<path d="([^"]*)"', mark)[1]) == ["M", "L", "M", "L"]
    assert 'class="part"' in mark
    assert figures.sparkline([None, 1], "Trend") == ""
