"""A review from end to end on a tiny company and tiny notebooks: published whole, refused or failed in words."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from revops_helpers.review import manifest, run, site
from revops_helpers.review.build import Request, ReviewFailed, review
from revops_helpers.settings import InputError
from revops_helpers.words.messages import FOLDER, use
from revops_helpers.workspace import open_company
from tests.test_run import gone

ROOT = Path(__file__).parent.parent
HEADER = "metric,dimension,member,period_start,period_end,value,low,high,n,status,reason,unit,currency,definition_id"
PARAMETERS = "\n".join(
    f'{name} = "{value}"  # str'
    for name, value in {"data": "sample", "as_of": "", "period": "ytd", "segment": "", "language": ""}.items()
)
OPEN = """
from revops_helpers.workspace import open_company
from revops_helpers.words import parts
company = open_company(data, as_of, period, segment, language)
"""
HEAD = 'parts.header("Audit", f"{company.settings.name} as of {company.as_of}", "", [as_of, period, segment, language])'
LINE = 'parts.bottom_line(["We are behind.", "The data holds."])'
FINDING = """
from datetime import date
from revops_helpers.finding import Finding
from revops_helpers.measurement import Measurement
stake = Measurement(5_000_00, n=4, low=100_00, high=9_000_00, unit="money", currency="BRL")
parts.findings_table([Finding("win", "optimization", "Win rate is behind", "=Coach the team", stake, "high",
                              "01_audit#audit", "CRO", "win_rate", date(2026, 12, 31))])
"""


def notebook(*sources: str):
    cells = [new_markdown_cell("What is it? **Bold.**"), new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})]
    made = new_notebook(cells=[*cells, *(new_code_cell(source.strip()) for source in sources)])
    for number, cell in enumerate(made.cells):
        cell["id"] = f"cell-{number}"
    return made


@pytest.fixture(scope="module", autouse=True)
def one_commit():
    """Two runs are of the same code, also when somebody commits between them."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (manifest, site):
            patch.setattr(module, "commit", lambda: {"hash": "0" * 40, "changed": False})
        yield


@pytest.fixture(scope="session")
def company(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("company")
    (folder / "company.yml").write_text("name: Tiny S.A.\ncurrency: BRL\n")
    (folder / "accounts.csv").write_text("account_id,name,segment\na1,=Acme,smb\na2,<b>Beta</b>,mid\n")
    (folder / "opportunities.csv").write_text(
        "opportunity_id,account_id,kind,amount,currency,created_at,close_date,status\n"
        "o1,a1,new,1000.00,BRL,2026-01-10,2026-03-31,won\n"
        "o2,a2,new,2000.00,BRL,2026-02-10,2026-04-30,lost\n"
        "o3,a9,new,2000.00,BRL,2026-02-10,2026-04-30,maybe\n"
        "o4,a2,new,3000.00,BRL,2026-07-02,2026-08-30,open\n"
    )
    (folder / "subscriptions.csv").write_text(
        "subscription_id,account_id,mrr,currency,starts_on,ends_on\ns1,a1,100.00,BRL,2026-04-01,\n"
    )
    return folder


def write_notebooks(folder: Path) -> Path:
    folder.mkdir()
    nbformat.write(notebook(OPEN, HEAD, LINE, FINDING), folder / "00_executive_review.ipynb")
    nbformat.write(notebook(OPEN, HEAD, 'parts.section("Audit")', LINE), folder / "01_audit.ipynb")
    return folder


@pytest.fixture
def notebooks(tmp_path, monkeypatch) -> Path:
    """Notebooks of a review whose table of metrics holds one metric, to be quick; `published` has the whole one."""
    quick = run.MAKE_METRICS.replace("metrics_table(company)", "measure(company, 'arr')").replace(
        "queries_table(company)", "queries_table(company, ['arr'])"
    )
    monkeypatch.setattr(run, "MAKE_METRICS", "from revops_helpers.metrics.measure import measure" + quick)
    return write_notebooks(tmp_path / "notebooks")


@pytest.fixture(scope="module")
def published(company, tmp_path_factory) -> Path:
    """One review, for the tests that only look at it."""
    return review(request(company, write_notebooks(tmp_path_factory.mktemp("published") / "notebooks")))


def request(company, folder, **more) -> Request:
    return Request(str(company), as_of="2026-06-30", out=folder.parent / "reports", folder=folder, **more)


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_review_is_published_with_all_its_files(published):
    folder = published
    assert (folder.name, folder.parent.name) == ("2026-06-30", "reports")
    assert set(files(folder)) == {
        "index.html", "00_executive_review.html", "01_audit.html", "definitions.html", "findings.json", "manifest.json",
        "exports/actions.csv",
        "notebooks/00_executive_review.ipynb", "notebooks/01_audit.ipynb", "tables/metrics.csv", "tables/metrics.parquet",
        "tables/ledger.csv", "tables/ledger.parquet", "tables/quarantine_summary.csv", "tables/quarantine_summary.parquet",
        "tables/quarantine.csv", "tables/quarantine.parquet",
    }  # fmt: skip
    index = (folder / "index.html").read_text()
    assert "Tiny S.A. as of 2026-06-30" in index and "We are behind." in index
    assert 'href="01_audit.html"' in index and 'id="pages"' in index and 'id="data"' in index
    assert "import" not in index and "open_company" not in index
    assert (folder / "tables/metrics.csv").read_text().splitlines()[0] == HEADER
    assert [finding["id"] for finding in json.loads((folder / "findings.json").read_text())] == ["win"]
    with (folder / "exports/actions.csv").open() as stream:
        assert next(csv.DictReader(stream))["Summary"] == "'=Coach the team"
    assert not [p for p in folder.parent.iterdir() if p.name.startswith(".")]


def test_the_manifest_says_what_the_review_was_made_of(published):
    made_of = json.loads((published / "manifest.json").read_text())
    assert {one["file"] for one in made_of["inputs"]} == {"company.yml", "accounts.csv", "opportunities.csv", "subscriptions.csv"}
    assert all(len(one["sha256"]) == 64 and one["bytes"] > 0 for one in made_of["inputs"])
    assert made_of["parameters"]["01_audit"]["as_of"] == "2026-06-30"
    assert made_of["review"]["period"] == {"name": "ytd", "start": "2026-01-01", "end": "2026-06-30"}
    assert all(line["read"] == line["accepted"] + line["quarantined"] + line["excluded"] for line in made_of["ledger"])
    assert len(made_of["gates"]) >= 6 and all(gate["held"] for gate in made_of["gates"])
    assert made_of["run"]["engine"] == "duckdb"
    assert made_of["versions"]["duckdb"] and set(made_of["run"]["seconds"]) >= {"01_audit", "whole"}


def test_nothing_of_the_data_becomes_markup_or_a_formula(published):
    assert not any("<b>Beta</b>" in page.read_text() for page in published.glob("*.html"))
    for table in (published / "tables").glob("*.csv"):
        with table.open(newline="") as stream:
            assert not [cell for row in csv.reader(stream) for cell in row if cell.startswith(("=", "@"))]


def test_what_was_measured_is_kept_for_the_next_review_of_the_same_data_and_date(company, notebooks, monkeypatch):
    first = review(request(company, notebooks))
    table = (first / "tables/metrics.csv").read_bytes()
    monkeypatch.setattr(run, "metrics_notebook", lambda: pytest.fail("measured anew"))
    assert (review(request(company, notebooks, language="pt_BR")) / "tables/metrics.csv").read_bytes() == table
    shelf = open_company(str(company), "2026-06-30").shelf
    for file in shelf.folder.glob("_kept-measured-*"):
        file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(pytest.fail.Exception):  # what cannot be read is not believed
        review(request(company, notebooks))


def test_some_notebooks_alone_still_have_an_index(company, notebooks):
    folder = review(request(company, notebooks, notebooks=("01",)))
    assert folder.name == "2026-06-30-only-01" and not (folder.parent / "latest").exists()
    assert not (folder / "00_executive_review.html").exists()
    assert 'href="01_audit.html"' in (folder / "index.html").read_text()


def test_links_to_reports_that_a_review_leaves_out_become_plain_words(company, notebooks):
    index = (review(request(company, notebooks, notebooks=("00",))) / "index.html").read_text()
    assert "Win rate is behind" in index and "01_audit" not in index


def test_links_become_plain_words_whatever_else_they_say():
    page = '<a href="01_audit.html">x</a> <a href="01_audit.html#rows" class="q">y</a> <a class="q" href="01_audit.html">z</a>'
    kept = '<a href="02_process.html#a">b</a> <a href="#01_audit.html">c</a>'
    assert site.without_links(f"{page} {kept}", ["01_audit"]) == f"x y z {kept}"


def test_parameters_reach_every_notebook(company, notebooks):
    folder = review(request(company, notebooks, period="quarter", segment="smb", language="pt_BR"))
    index = (folder / "index.html").read_text()
    assert folder.name == "2026-06-30-quarter-segment-smb-pt_BR" and not (folder.parent / "latest").exists()
    assert '<html lang="pt-BR">' in index
    assert ("no catalogue for pt_BR" in index) is not (FOLDER / "pt_BR/LC_MESSAGES/revops.mo").exists()
    assert "quarter" in (folder / "01_audit.html").read_text() and "smb" in (folder / "01_audit.html").read_text()


def test_a_review_in_two_languages_is_one_folder_whose_pages_lead_to_each_other(company, notebooks):
    folder = review(request(company, notebooks, notebooks=("00",), also=("pt_BR", "en")))
    assert folder.name == "2026-06-30-only-00"
    own, there = files(folder), files(folder / "pt_BR")
    assert set(own) == set(there) | {f"pt_BR/{name}" for name in there}
    assert own["tables/metrics.csv"] == there["tables/metrics.csv"]
    for name in ("index.html", "00_executive_review.html", "definitions.html"):
        one, other = own[name].decode(), there[name].decode()
        assert (
            f'<a class="fold" lang="pt-BR" hreflang="pt-BR" href="pt_BR/{name}">Português</a>' in one
            and '<html lang="en">' in one
        )
        assert f'<a class="fold" lang="en" hreflang="en" href="../{name}">English</a>' in other and '<html lang="pt-BR">' in other
    made_of = [json.loads(held["manifest.json"]) for held in (own, there)]
    assert [one["review"]["languages"] for one in made_of] == [["en", "pt_BR"]] * 2
    assert [one["parameters"]["00_executive_review"]["language"] for one in made_of] == ["en", "pt_BR"]
    assert made_of[0]["gates"] == made_of[1]["gates"] and all(gate["held"] for gate in made_of[0]["gates"])


def test_a_page_in_a_folder_leads_to_itself_in_another_language_and_one_language_to_none():
    use("pt_BR")
    assert site.elsewhere("dashboards/cro.html", ["en", "pt_BR"]) == [("en", "English", "../dashboards/cro.html")]
    use("en")
    assert site.elsewhere("dashboards/cro.html", ["en", "pt_BR"]) == [("pt-BR", "Português", "pt_BR/dashboards/cro.html")]
    assert site.elsewhere("index.html", ["en"]) == site.elsewhere("index.html", []) == []


def test_a_notebook_that_fails_leaves_the_published_review_and_keeps_its_copy_apart(company, notebooks):
    before = files(review(request(company, notebooks)))
    nbformat.write(notebook("x = 1", "1 / 0"), notebooks / "01_audit.ipynb")
    with pytest.raises(ReviewFailed, match=r"01_audit, cell 5 \(In \[4\]: 1 / 0\): ZeroDivisionError") as failure:
        review(request(company, notebooks))
    reports = notebooks.parent / "reports"
    assert str(reports / ".failed/2026-06-30") in str(failure.value)
    assert files(reports / "2026-06-30") == before
    assert set(files(reports / ".failed/2026-06-30")) == {"01_audit.ipynb", "error.txt"}
    assert "ZeroDivisionError" in (reports / ".failed/2026-06-30/01_audit.ipynb").read_text()
    assert {p.name for p in reports.iterdir()} == {"2026-06-30", "latest", ".failed"}


def test_a_gate_that_does_not_hold_publishes_nothing(company, notebooks):
    nbformat.write(
        notebook(OPEN, HEAD, FINDING.replace("01_audit#audit", "02_gone#here")), notebooks / "00_executive_review.ipynb"
    )
    with pytest.raises(ReviewFailed, match=r"links to '02_gone\.html#here', which is not there"):
        review(request(company, notebooks))
    assert not (notebooks.parent / "reports/2026-06-30").exists()
    assert (notebooks.parent / "reports/.failed/2026-06-30/index.html").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"as_of": "30/06/2026"}, "year-month-day"),
        ({"as_of": "2020-01-31"}, "before all data"),
        ({"segment": "smbb"}, "no account has it"),
        ({"more": {"segmnt": "smb"}}, "did you mean 'segment'"),
        ({"more": {"as_of": "2026-06-30"}}, "option of its own"),
        ({"notebooks": ("07",)}, "no notebook '07'"),
        ({"data": "/not/there"}, "no such folder"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_runs_or_is_written(company, notebooks, more, said):
    with pytest.raises(InputError, match=said):
        review(Request(**{"data": str(company), "out": notebooks.parent / "reports", "folder": notebooks} | more))
    assert not list(notebooks.parent.glob("reports/*"))


def test_a_notebook_that_does_not_take_the_parameters_of_every_review_is_refused(company, notebooks):
    path = notebooks / "01_audit.ipynb"
    path.write_text(path.read_text().replace("segment = ", "segmant = "))
    with pytest.raises(InputError, match="01_audit: does not declare the parameter 'segment'"):
        review(request(company, notebooks))


def test_an_as_of_after_the_data_is_published_with_where_the_data_ends_on_top(company, notebooks):
    out = notebooks.parent / "reports"
    folder = review(Request(str(company), as_of="2027-01-31", out=out, folder=notebooks, notebooks=("01",)))
    top = (folder / "01_audit.html").read_text().partition("<main")[0]
    assert "data ends on" in top
    assert "data ends on" in " ".join(json.loads((folder / "manifest.json").read_text())["review"]["notes"])


def test_without_a_date_the_review_is_about_the_newest_closed_month_of_the_data(company, notebooks):
    folder = review(Request(str(company), out=notebooks.parent / "reports", folder=notebooks))
    assert folder.name == "2026-06-30"


REVIEW = """
import sys
from pathlib import Path
from revops_helpers.review.build import Request, review
folder = Path(sys.argv[2])
review(Request(sys.argv[1], as_of="2026-06-30", out=folder.parent / "reports", folder=folder))
"""


def test_a_review_that_is_told_to_end_leaves_nothing_behind(company, notebooks):
    pid = notebooks.parent / "pid"
    sleep = f"import os, pathlib, time\npathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\ntime.sleep(120)"
    nbformat.write(notebook(sleep), notebooks / "01_audit.ipynb")
    running = subprocess.Popen([sys.executable, "-c", REVIEW, str(company), str(notebooks)], cwd=ROOT, stderr=subprocess.PIPE)
    end = time.monotonic() + 120
    while not (pid.exists() and pid.read_text()) and time.monotonic() < end:
        time.sleep(0.1)
    running.send_signal(signal.SIGTERM)
    _out, error = running.communicate(timeout=60)
    assert (running.returncode, error) == (128 + signal.SIGTERM, b"")
    assert gone(int(pid.read_text()))
    assert not list((notebooks.parent / "reports").iterdir())


def test_two_reviews_at_once_both_end_well(company, notebooks):
    command = [sys.executable, "-c", REVIEW, str(company), str(notebooks)]
    both = [subprocess.Popen(command, cwd=ROOT) for _turn in range(2)]
    assert [one.wait(300) for one in both] == [0, 0]
    reports = notebooks.parent / "reports"
    assert {p.name for p in reports.iterdir()} == {"2026-06-30", "latest", ".replaced"}
    assert os.readlink(reports / "latest") == "2026-06-30"


def test_every_page_says_of_a_simulated_company_that_it_is_one(company, notebooks, tmp_path):
    simulated = tmp_path / "simulated"
    shutil.copytree(company, simulated)
    with (simulated / "company.yml").open("a") as agreed:
        agreed.write("simulated: true\n")
    said = "This is a simulated company"
    pages = list(review(request(simulated, notebooks)).glob("*.html"))
    assert len(pages) == 4 and all(said in page.read_text().partition("<footer")[2] for page in pages)
