"""The page of definitions: every metric has its place there, and what it says of where it is shown is true both ways."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup, SoupStrainer

from revops_helpers.measurement import Measurement
from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.metrics.measure import sql
from revops_helpers.review.collect import payloads
from revops_helpers.review.exports import queries_table
from revops_helpers.review.site import shown_on
from revops_helpers.words import parts
from revops_helpers.words.definitions import PAGE, name_cell, named
from revops_helpers.words.glossary import glossary, headline
from revops_helpers.words.language import Quantity, _, count, data, listing, percent, use, value_of, with_interval
from revops_helpers.words.markup import esc, plain, rich, unbolded
from revops_helpers.workspace import open_company
from tests.shared import sample_review
from tests.support import company_of

SUBS = [{"subscription_id": "s", "account_id": "a", "mrr": 100_000, "starts_on": "2025-01-01", "ends_on": None}]


@pytest.fixture(autouse=True)
def english():
    use("en")


def page_of(company, queries=None, shown=None) -> BeautifulSoup:
    return BeautifulSoup("".join(part.html for part in glossary(company, queries or {}, shown or {})), "html.parser")


def entry(page: BeautifulSoup, metric: str) -> BeautifulSoup:
    return page.select_one(f"#{metric}").find_parent("div")


def said(element) -> str:
    return element.get_text(" ", strip=True).replace("\u00a0", " ")


def shown_in(page: BeautifulSoup) -> dict[str, set[str]]:
    """Metric → the addresses after "Shown in"."""
    found = {}
    for head in page.select("h3[id]"):
        term = next(dt for dt in head.find_parent("div").select("dt") if dt.get_text() == "Shown in")
        found[head["id"]] = {link["href"] for link in term.find_next_sibling("dd").select("a")}
    return found


def test_every_metric_stands_there_once_with_all_that_its_record_says():
    page = page_of(company_of(subscriptions=SUBS))
    assert sorted(head["id"] for head in page.select("h3")) == sorted(catalogue())
    for metric in catalogue().values():
        text = said(entry(page, metric.id))
        for words in (metric.label, metric.definition, metric.formula, metric.grain, metric.owner, metric.source):
            assert words in text, (metric.id, words)
        assert metric.timing in text and metric.edge_cases in text
        assert all(b.text in text and b.source in text and str(b.year) in text for b in metric.benchmarks)
        assert all(entry(page, metric.id).select(f'a[href="#{part}"]') for part in metric.parts)


def test_what_cannot_be_measured_stands_there_with_what_it_needs():
    company = company_of(subscriptions=SUBS)
    page = page_of(company)
    absent = {head["id"] for head in page.select("h3") if head.find_parent("div").select(".none")}
    assert "win_rate" in absent and "arr" not in absent
    assert "Not available: needs opportunities" in said(entry(page, "win_rate"))
    assert f"{len(catalogue())} metrics, each defined once; {len(catalogue()) - len(absent)} can be measured" in headline(company)
    revenue = next(head for head in page.select("h2") if head["id"] == "family-revenue")
    assert re.fullmatch(r"Revenue: \d+ metrics, \d+ not measured here", said(revenue))


def test_a_derived_metric_lacks_what_its_parts_lack():
    page = page_of(company_of(subscriptions=SUBS))
    assert "spend" in said(entry(page, "ltv_cac").select_one(".none"))


def test_what_is_not_measured_by_the_segment_under_review_says_so():
    tools = [{"tool_id": "t", "name": "CRM", "seats_paid": 10, "seats_active": 5, "annual_cost": 100_000, "currency": "BRL"}]
    company = company_of(accounts=[{"account_id": "a", "segment": "smb"}], tools=tools, subscriptions=SUBS)
    whole, cut = page_of(company), page_of(replace(company, segment="smb"))
    assert not entry(whole, "tool_utilisation").select(".none") and not entry(cut, "arr").select(".none")
    assert "Not measured here: not measured by segment" in said(entry(cut, "tool_utilisation")).replace(" :", ":")


def understood(review: Path, company) -> list[str]:
    """The metrics whose query on the page the company's engine plans; AssertionError names those that it refuses."""
    page = BeautifulSoup((review / PAGE).read_text(encoding="utf-8"), "html.parser")
    shown = {head["id"]: head.find_parent("div").select_one("pre") for head in page.select("h3[id]")}
    own = [id for id, text in shown.items() if text and catalogue()[id].estimator != "derived"]
    (engine,), refused = {table.get_backend() for table in company.accepted.values()}, {}  # names every table there too
    for id in own:
        try:
            engine.raw_sql(f"EXPLAIN {shown[id].get_text()}").fetchall()
        except Exception as error:
            refused[id] = str(error).splitlines()[0]
    assert not refused, refused
    return own


def test_every_query_on_the_page_of_the_sample_is_one_that_the_engine_understands(tmp_path_factory):
    assert len(understood(sample_review(tmp_path_factory), open_company("sample"))) > 80


def test_the_query_is_folded_and_is_the_one_that_ran():
    company = company_of(subscriptions=SUBS)
    made = queries_table(company)
    queries = dict(zip(made["metric"], made["query"], strict=True))
    page = page_of(company, queries)
    folded = entry(page, "arr").select_one("details")
    assert not folded.has_attr("open") and folded.select_one("pre").get_text() == sql(company, "arr")
    assert {head["id"] for head in page.select("h3") if head.find_parent("div").select("pre")} == set(queries)
    assert "win_rate" not in queries and not entry(page, "win_rate").select("details")
    assert len(queries_table(company_of(users=[{"user_id": "u"}]), ["arr"])) == 0


def test_a_name_leads_to_its_definition_and_stays_words_where_there_is_none():
    assert named("win_rate") == f'<a href="{PAGE}#win_rate" class="q">Win rate</a>'
    assert named("no_such_metric") == "No such metric"
    row = parts.ScoreRow("win_rate", Measurement(0.2, 100, 0.1, 0.3, unit="percent"))
    for part in (parts.scorecard([row]), parts.tiles([row], {})):
        assert f'href="{PAGE}#win_rate"' in part.html
    gate = parts.ScoreRow("gate", Measurement(0.2, 100, 0.1, 0.3, unit="percent"), name="A gate")
    assert PAGE not in parts.scorecard([gate]).html
    assert 'href="01.html"' in parts.tiles([gate], {"gate": "01.html"}).html


def links_of(part) -> list[str]:
    return re.findall(r"<th[^>]*><a[^>]*#(\w+)", part.html)


def test_the_head_of_a_column_or_else_of_a_row_leads_to_the_one_metric_that_is_measured_there():
    rate, size, other = (Measurement(0.2, 9, definition_id=name) for name in ("win_rate", "deal_size", "no_such_metric"))
    assert links_of(parts.table(["Segment", "Rate", "Size"], [("SMB", rate, size), ("Other", rate, size)])) == [
        "win_rate",
        "deal_size",
    ]
    assert links_of(parts.table(["Measure", "Now", "Before"], [("Rate", rate, rate), ("Size", size, size)])) == [
        "win_rate",
        "deal_size",
    ]
    assert links_of(parts.table(["Step", "Both"], [("Rate", rate), ("Neither", "words")])) == ["win_rate"]
    assert links_of(parts.table(["Measure", "Now"], [("Other", other), ("Plain", Measurement(1, 9))])) == []
    assert links_of(parts.table(["Measure", "Now"], [])) == []
    own = parts.table(["Measure", "Now"], [(name_cell("deal_size"), rate)])
    assert links_of(own) == ["deal_size"]  # a row that has its own link keeps it, and no other is added


def test_a_head_that_is_data_stays_text_and_is_linked():
    part = parts.table(["Person", "<b>**x**"], [("a", Measurement(0.2, 9, definition_id="win_rate"))])
    assert "&lt;b&gt;**x**</a>" in part.html and part.text.startswith("Person | ")


def test_a_page_shows_a_metric_when_it_leads_to_its_definition():
    one = f'<a href="{PAGE}#arr">ARR</a> <a href="{PAGE}#arr">ARR</a>'
    two = f'<a href="{PAGE}">all</a> <a href="x.html#nrr">x</a>'
    assert shown_on([("One", one, "one.html"), ("Two", two, "two.html")]) == {"arr": [("One", "one.html")]}
    assert shown_on([]) == {}
    shown = shown_in(page_of(company_of(subscriptions=SUBS), shown={"arr": [("One", "one.html"), ("Two", "two.html")]}))
    assert shown["arr"] == {"one.html", "two.html"} and shown["mrr"] == {"tables/metrics.csv"}


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    return sample_review(tmp_path_factory)


def metrics_of(notebook: Path) -> set[str]:
    """The metrics that a report shows: in its scorecard, its tiles, its findings and its appendix."""
    found: set[str] = set()
    for part in payloads(nbformat.read(notebook, as_version=4)):
        found |= {row["metric"] for row in part.get("rows", ()) if part["kind"] in ("scorecard", "tiles")}
        found |= {finding["metric"] for finding in part.get("findings", ())}
        found |= {part["metric"]} if part["kind"] == "definition" else set()
    return found & set(catalogue())


@pytest.mark.slow
def test_every_metric_shown_leads_to_its_definition_and_where_it_is_shown_is_true_both_ways(published):
    told = shown_in(BeautifulSoup((published / PAGE).read_text(encoding="utf-8"), "html.parser"))
    assert set(told) == set(catalogue())
    shown: dict[str, set[str]] = {}
    for file in sorted((published / "notebooks").rglob("*.ipynb")):
        name = str(file.relative_to(published / "notebooks").with_suffix(".html"))
        page = BeautifulSoup((published / name).read_text(encoding="utf-8"), "html.parser")
        up = "../" * name.count("/")
        linked = {link["href"].partition("#")[2] for link in page.select(f'a[href^="{up}{PAGE}#"]')}
        assert linked and metrics_of(file) <= linked <= set(catalogue()), name
        for metric in linked:
            shown.setdefault(metric, set()).add("index.html" if name.startswith("00_") else name)
    assert {metric: pages for metric, pages in told.items() if pages != {"tables/metrics.csv"}} == shown
    assert len(shown) > 40


@pytest.mark.slow
def test_every_page_leads_to_the_definitions(published):
    for file in published.rglob("*.html"):
        assert f'href="{"../" * (len(file.relative_to(published).parts) - 1)}{PAGE}"' in file.read_text(encoding="utf-8"), file


# Tables that hold no metric of the catalogue: rows, fields and files of the data, checks, models, and plans for people.
APART = {
    *("Checks", "Control totals", "Limits of the records", "Tables of the revenue model", "References that find the fewest rows"),
    *("read = accepted + quarantined + excluded, for every table", "Refused rows by rule", "Records that stand twice"),
    *("Fields on which decisions hang", "Checks that records fail", "Fast against slow contact", "Customers by handoff"),
    *("Customers by items left out", "Stages of the pipeline", "Hazard by tenure and year", "Hires needed", "Forecast habits"),
    *("What the model of who leaves weighs", "What the model of who buys more weighs"),
}
TABLE = re.compile(r'(?:aria-label="([^"]*)">)?<table([^>]*)>(.*?)</table>', re.DOTALL)


def tables_of(page: str) -> list[tuple[str, str]]:
    """The name and the HTML of every table with heads; but the short ones, which stand on paper beside the whole."""
    found = TABLE.findall(page)
    names = [name or "".join(re.findall('aria-label="([^"]*)"', given)) for name, given, _rows in found]
    return [(n, rows) for n, (_name, given, rows) in zip(names, found, strict=True) if "<thead" in rows and "brief" not in given]


@pytest.mark.slow
def test_every_table_of_metrics_leads_to_their_definitions(published):
    """A table without any link is one of APART, and no head that is the name of a metric stands without its link."""
    pages = {file.name: file.read_text(encoding="utf-8") for file in published.rglob("*.html") if file.name != PAGE}
    tables = {(name, rows) for page in pages.values() for name, rows in tables_of(page)}
    assert len(tables) > 60 and all(name for name, _rows in tables)
    assert {name for name, rows in tables if f"{PAGE}#" not in rows} == APART
    labels = {metric.label for metric in catalogue().values()}
    heads = {(name, head) for name, rows in tables for head in re.findall(r"<th[^>]*>([^<]+)</th>", rows)}
    assert {(name, head) for name, head in heads if head.replace("\u00a0", " ") in labels and name not in APART} == set()


# ---- numbers in sentences


def test_a_number_in_a_sentence_leads_to_its_definition_and_its_interval_does_not():
    m = Measurement(0.24, 200, 0.2, 0.28, unit="percent", definition_id="win_rate")
    told = _("**Of {n} deals {rate} are won**, not {goal}.", n=count(200), rate=with_interval(m), goal=percent(0.3))
    link = f'<a href="{PAGE}#win_rate" class="m">24%</a>'
    assert rich(told) == f'<strong>Of 200 deals {link} <span class="n">[20–28]</span> are won</strong>, not 30%.'
    assert plain(told) == "Of 200 deals 24% [20–28] are won, not 30%." and "definitions" not in esc(told)
    listed = _("{both}.", both=listing([value_of(m), Quantity("9", "arr")]))
    assert rich(listed).count("<a ") == rich(_("{within}", within=listed)).count("<a ") == 2
    assert rich(unbolded(told)) == rich(told).replace("<strong>", "").replace("</strong>", "")


def test_a_number_of_no_metric_or_alone_stays_as_it_is():
    none, unknown = (Measurement(0.24, 200, unit="percent", definition_id=name) for name in ("", "no_such_metric"))
    for m in (none, unknown):
        assert rich(_("{rate} are won", rate=value_of(m))) == "24% are won"
        assert plain(_("{rate} are won", rate=value_of(m))) == "24% are won"
    absent = Measurement(None, status="not_applicable", reason="none", definition_id="win_rate")
    assert rich(_("{rate}", rate=value_of(absent))) == "n/a"
    assert value_of(replace(none, definition_id="win_rate")) == "24%"  # no mark outside of a sentence: cells, axes, files


@pytest.mark.parametrize(
    "text", ["\ue001win_rate\ue0029%\ue003", "\ue001arr\ue002", "\ue003x\ue002", "[\ue001arr\ue002<b>\ue003]"]
)
def test_data_cannot_make_a_link_of_itself_or_of_a_number_beside_it(text):
    m = Measurement(0.24, 200, unit="percent", definition_id="win_rate")
    told = _("{name} and {names}: {rate}", name=text, names=listing([text, text]), rate=value_of(m))
    assert rich(told).count("<a ") == 1 and rich(told).endswith(f'<a href="{PAGE}#win_rate" class="m">24%</a>')
    assert not re.search("[\ue001-\ue003]", rich(told) + plain(told) + esc(text) + data(text))


@pytest.mark.slow
def test_the_numbers_of_metrics_in_sentences_lead_to_what_the_page_of_definitions_holds(published):
    """On every page; no link stands within another, no mark is left over, and the headline's numbers are all links."""
    held = {head["id"] for head in BeautifulSoup((published / PAGE).read_text(encoding="utf-8"), "html.parser").select("h3[id]")}
    found: dict[str, list[tuple[str, str]]] = {}
    for file in sorted(published.rglob("*.html")):
        text = file.read_text(encoding="utf-8")
        links = BeautifulSoup(text, "html.parser", parse_only=SoupStrainer(["main"])).select("a.m")
        found[file.stem] = [(link["href"].rpartition("#")[2], said(link)) for link in links]
        assert not re.search("[\ue000-\ue003]", text) and not any(link.find_parent("a") or link.select("a") for link in links)
        assert all(re.search(r"\d", words) for _metric, words in found[file.stem]), file
    assert {metric for links in found.values() for metric, _words in links} <= held
    assert all(len(links) > 2 for stem, links in found.items() if stem != "definitions"), {s: len(x) for s, x in found.items()}
    assert {"net_new_arr", "win_rate", "churn", "pipeline_at_risk", "contacted_within_sla"} <= {m for m, _w in found["index"]}
    page = BeautifulSoup((published / "index.html").read_text(encoding="utf-8"), "html.parser")
    for place in ("h1", ".deck", ".cards th b", ".links td", "h2"):
        assert page.select(f"{place} a.m"), place
    (head,) = page.select("h1")
    assert all(link in [said(a) for a in head.select("a.m")] for link in re.findall(r"R\$ [\d.]+ [Mk]|\d+%", said(head)))
