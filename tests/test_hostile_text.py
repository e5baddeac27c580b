"""Data is text: a company with markup, formulas, paths and marks in every text column comes out as text, wherever it is shown."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from revops_helpers.model.tables import TABLES
from revops_helpers.review.exports import FORMULA, write_actions, write_table
from revops_helpers.review.gates import read_page
from revops_helpers.review.publish import name_of
from revops_helpers.words import parts
from revops_helpers.words.language import _, data
from revops_helpers.words.markup import esc
from tests.hostile import AS_WRITTEN, KNOWN_BY_NAME, PAYLOADS
from tests.shared import SAID, hostile_review

TURNED = re.compile("[\u202a-\u202e\u2066\u2067]")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# Everything that the templates and parts write. Anything else in a page came from the data.
TAGS = {
    "html", "head", "meta", "title", "style", "body", "a", "header", "div", "span", "nav", "p", "ul", "ol", "li", "main",
    "footer", "section", "h1", "h2", "h3", "h4", "table", "caption", "thead", "tbody", "tr", "th", "td", "b", "strong", "em",
    "code", "i", "small", "pre", "details", "summary", "dl", "dt", "dd", "figure", "figcaption", "picture", "source", "img",
    "svg", "path", "rect", "circle", "br", "hr", "blockquote",
}  # fmt: skip
DRAWN = {"svg", "defs", "style", "g", "use", "path", "clipPath", "rect"}


class Page(HTMLParser):
    """The elements, attributes and texts of a page."""

    def __init__(self, html: str):
        super().__init__()
        self.tags, self.attributes, self.links, self.images, self.texts = set(), set(), [], [], []
        self.feed(html)
        self.close()
        self.text = "".join(self.texts)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _value in attributes}
        held = dict(attributes)
        self.links += [held["href"]] if "href" in held else []
        self.images += [held[name] for name in ("src", "srcset") if name in held]

    def handle_data(self, text):
        self.texts.append(text)


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory) -> Path:
    return hostile_review(tmp_path_factory)


@pytest.fixture(scope="module")
def published(reviewed) -> Path:
    said = (reviewed / SAID).read_text()
    assert said.startswith("0\n"), said
    return (reviewed / "reports/latest").resolve()


@pytest.fixture(scope="module")
def pages(published) -> dict[str, Page]:
    return {str(file.relative_to(published)): Page(file.read_text(encoding="utf-8")) for file in published.rglob("*.html")}


@pytest.mark.slow
def test_every_text_column_of_every_table_is_hostile(reviewed):
    for table in TABLES.values():
        held = pd.read_csv(reviewed / "data" / f"{table.name}.csv", dtype=str, keep_default_na=False, lineterminator="\n")
        for column in table.columns:
            kept = column.allowed or column.name in AS_WRITTEN or f"{table.name}.{column.name}" in KNOWN_BY_NAME
            if column.type == "text" and not kept and held[column.name].any():
                assert held[column.name].str.startswith(PAYLOADS).any(), f"{table.name}.{column.name}"


@pytest.mark.slow
def test_pages_hold_the_elements_of_the_templates_and_nothing_else(pages):
    assert len(pages) >= 4
    for name, page in pages.items():
        assert page.tags <= TAGS, f"{name}: {page.tags - TAGS}"
        assert not {attribute for attribute in page.attributes if attribute.startswith("on")}, name
        assert [link for link in page.links if re.match(r"[a-z]+:|//", link, re.I)] == [], name
        assert all(image.startswith("data:image/") for image in page.images), name


@pytest.mark.slow
def test_hostile_names_are_read_as_they_were_written(pages):
    read = "\n".join(page.text for page in pages.values())
    shown = [payload for payload in PAYLOADS if payload.strip().split("\n")[0] in read]
    assert len(shown) >= len(PAYLOADS) / 2
    assert "**bold**" in read and "[link](http://evil.example/x)" in read and "{placeholder} {0} {{x}}" in read


@pytest.mark.slow
def test_nothing_turns_the_direction_of_a_page_or_controls_a_terminal(published):
    for file in published.rglob("*"):
        if file.suffix in (".html", ".csv", ".json"):
            text = file.read_text(encoding="utf-8")
            assert not TURNED.search(text) and not CONTROL.search(text), file.name


@pytest.mark.slow
def test_markdown_of_the_data_stays_as_it_is(published):
    for file in published.rglob("*.html"):
        assert not re.search(r"<(strong|em|code|b)>(bold|it|code)<", file.read_text(encoding="utf-8")), file.name


@pytest.mark.slow
def test_drawings_are_paths_that_hold_no_text_and_no_address(pages):
    drawn = {image for page in pages.values() for image in page.images}
    assert drawn
    for image in drawn:
        svg = ET.fromstring(base64.b64decode(image.partition("base64,")[2]))
        for element in svg.iter():
            assert element.tag.rpartition("}")[2] in DRAWN
            assert element.tag.rpartition("}")[2] != "style" or element.text == "*{stroke-linejoin: round; stroke-linecap: butt}"
            assert all(value.startswith("#") for name, value in element.attrib.items() if name.endswith("href"))


@pytest.mark.slow
def test_no_cell_of_a_csv_is_a_formula_and_every_row_has_its_columns(published):
    files = sorted(published.rglob("*.csv"))
    assert files
    for file in files:
        rows = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8"), newline=""), strict=True))
        assert {len(row) for row in rows} == {len(rows[0])}, file.name
        cells = [cell for row in rows for cell in row if cell.startswith(FORMULA)]
        assert [cell for cell in cells if not re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", cell)] == [], file.name


@pytest.mark.slow
def test_file_names_come_from_the_project_never_from_the_data(published):
    assert [str(file) for file in published.rglob("*") if not re.fullmatch(r"[A-Za-z0-9_.-]+", file.name)] == []
    assert {file.name for file in published.parent.iterdir()} <= {"latest", published.name}


@pytest.mark.slow
def test_the_manifest_and_the_findings_are_json_and_the_command_said_one_line(published, reviewed):
    assert "<script>" in json.loads((published / "manifest.json").read_text())["review"]["company"]
    assert isinstance(json.loads((published / "findings.json").read_text()), list)
    assert len((reviewed / SAID).read_text().splitlines()) == 2


# ---- each payload in each kind of place


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_a_segment_is_no_path_in_the_name_of_a_review(tmp_path, payload):
    name = name_of(date(2026, 9, 30), [f"segment-{payload}"])
    assert re.fullmatch(r"2026-09-30[A-Za-z0-9_-]*", name) and (tmp_path / name).resolve().parent == tmp_path.resolve()


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_a_name_is_text_in_sentences_tables_and_headings(payload):
    told = _("{name} is behind; **{name}** leads.", name=payload)
    shown = [
        parts.header(data(payload), told, data(payload), [data(payload)]), parts.section(data(payload), short=payload),
        parts.reading(told),
        parts.table(["Name", data(payload)], [(payload, 1), (data(payload), payload)], caption=data(payload), name=payload),
        parts.bottom_line([told]), parts.points(data(payload), [told]), parts.unavailable([data(payload)], told),
        parts.details(data(payload), parts.note(told)),
    ]  # fmt: skip
    ours = "".join(part.html for part in shown)
    plain = "".join(
        part.html
        for part in (
            parts.header("k", _("{name} is behind; **{name}** leads.", name="x"), "d", ["f"]), parts.section("s"),
            parts.reading("r"), parts.table(["Name", "n"], [("x", 1), ("y", "z")], caption="c"), parts.bottom_line(["b"]),
            parts.points("p", ["l"]), parts.unavailable(["n"], "u"), parts.details("s", parts.note("n")),
        )
    )  # fmt: skip
    assert Page(ours).tags <= Page(plain).tags | {"strong"}
    assert Page(ours).attributes == Page(plain).attributes
    assert "<strong>bold</strong>" not in ours and not Page(ours).links
    assert read_page(f'<html lang="en"><body>{ours}').problems == ["has no policy that forbids scripts and requests"]
    assert not TURNED.search(ours) and not CONTROL.search(ours.replace("\n", ""))
    assert esc(payload) == esc(esc(payload)) or "&" in esc(payload)


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_a_name_is_text_in_a_table_and_in_a_task(tmp_path, payload):
    write_table(tmp_path, "t", pd.DataFrame({"name": [payload, f"x{payload}"], payload: ["a", "b"]}))
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as stream:
        text = stream.read()
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert len(rows) == 3 and not any(cell.startswith(FORMULA) for row in rows for cell in row)
    assert not CONTROL.search(text) and not TURNED.search(text)
    assert pd.read_parquet(tmp_path / "t.parquet")["name"][1] == f"x{payload}"
    told = {
        "headline": payload,
        "owner": payload,
        "metric": payload,
        "evidence": payload,
        "phase": "x",
        "id": "x",
        "action": payload,
    }
    write_actions(tmp_path / "a.csv", [{**told, "confidence": "high", "review_on": "2026-01-01"}])
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as stream:
        assert not any(cell.startswith(FORMULA) for row in csv.reader(stream, strict=True) for cell in row)
