"""The review of the sample company, from the shipped exports and the project's own notebooks."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from revops_helpers.review.collect import payloads
from revops_helpers.review.gates import read_page
from revops_helpers.review.kernels import EVERY_KERNEL, EVERY_NOTEBOOK
from revops_helpers.review.run import NOTEBOOKS
from revops_helpers.words.readiness import GATES
from revops_helpers.words.roles import roles
from tests.seen import phrases, seen_in
from tests.shared import LOADED, sample_review

# Libraries that take long to load, and the notebooks whose analyses and figures use them. Nothing else may load them.
DRAWS = {"matplotlib", "seaborn"}
USES = {
    "00_executive_review": {*DRAWS, "scipy", "statsmodels", "lifelines", "sklearn"},
    "01_foundation_audit": {"scipy", "lifelines"},
    "02_process_alignment": {*DRAWS, "scipy", "statsmodels", "lifelines"},
    "03_optimization": {*DRAWS, "scipy", "statsmodels", "lifelines"},
    "04_predictive_intelligence": {*DRAWS, "scipy", "statsmodels", "sklearn"},
    "05_growth_planning": {*DRAWS, "scipy", "statsmodels", "lifelines"},
}


def loaded_by(code: str) -> set[str]:
    ended = subprocess.run([sys.executable, "-c", f"{code}\n{LOADED}"], capture_output=True, text=True, check=True)
    return set(ast.literal_eval(ended.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    return sample_review(tmp_path_factory)


@pytest.mark.slow
def test_the_sample_company_is_published_with_every_gate_held(published):
    made_of = json.loads((published / "manifest.json").read_text())
    assert published.name == "2026-09-30" and all(gate["held"] for gate in made_of["gates"])
    assert {path.stem for path in published.glob("*.html")} == {"index", "definitions", *USES}


@pytest.mark.slow
def test_the_index_says_how_far_behind_plan_and_why_before_anything_else(published):
    index = (published / "index.html").read_text()
    first = index[index.index("<h1>") : index.index("<figure>")]
    assert "behind plan" in first and "clear of noise" in first
    assert read_page(index).problems == []


@pytest.mark.slow
def test_no_portuguese_message_is_on_an_english_page(published):
    """The sample's data are Portuguese; sentences of ours are longer than what they have in common with them."""
    pages = {path.stem: seen_in(path.read_text(encoding="utf-8")) for path in published.rglob("*.html")}
    ours = phrases("pt_BR", longer=20)
    assert len(ours) > 500 and {(name, text) for name, page in pages.items() for text in ours if text in page} == set()


@pytest.mark.slow
def test_every_page_shows_the_numbers_of_the_table_of_metrics(published):
    metrics = pd.read_csv(published / "tables/metrics.csv", keep_default_na=False)
    whole = metrics[(metrics.dimension == "") & (metrics.period_start == "2026-01-01") & (metrics.period_end == "2026-09-30")]
    told, seen = dict(zip(whole.metric, whole.value, strict=True)), {}
    for file in sorted((published / "notebooks").rglob("*.ipynb")):
        for part in payloads(nbformat.read(file, as_version=4)):
            if part["kind"] in ("scorecard", "tiles"):
                seen |= {(file.stem, row["metric"]): row["value"] for row in part["rows"] if row["metric"] not in GATES}
    of_checks = {"revops"}  # whose numbers are the checks of the roadmap
    assert {page for page, _metric in seen} >= {*roles(), "00_executive_review", "03_optimization"} - of_checks
    differ = {
        at: value for at, value in seen.items() if value is not None and float(told[at[1]]) != pytest.approx(value, rel=1e-9)
    }
    assert differ == {} and len(seen) > 100


@pytest.mark.slow
def test_every_role_has_a_page_that_the_index_leads_to(published):
    index = (published / "index.html").read_text()
    assert {path.stem for path in (published / "dashboards").glob("*.html")} == set(roles())
    assert all(f'href="dashboards/{role}.html"' in index for role in roles())


@pytest.mark.slow
def test_findings_are_ranked_by_money_and_each_stands_on_a_page(published):
    findings = json.loads((published / "findings.json").read_text())
    stakes = [f["stake"]["value"] for f in findings if f["stake"]["value"] is not None]
    assert len(stakes) >= 3 and stakes == sorted(stakes, reverse=True)
    assert all(f["owner"] and f["action"] and f["evidence"].partition("#")[2] for f in findings)


@pytest.mark.slow
def test_the_table_of_metrics_has_one_row_per_metric_member_and_period(published):
    metrics = pd.read_csv(published / "tables/metrics.csv")
    assert not metrics.duplicated(["metric", "dimension", "member", "period_start", "period_end"]).any()
    months = metrics[(metrics["metric"] == "new_arr") & metrics["dimension"].isna()]
    whole = months[(months["period_start"] == "2026-01-01") & (months["period_end"] == "2026-09-30")]
    parts = months[pd.to_datetime(months["period_end"]) - pd.to_datetime(months["period_start"]) < pd.Timedelta(days=31)]
    assert len(parts) == 9 and parts["value"].sum() == whole["value"].item()


@pytest.mark.slow
def test_no_kernel_loads_a_library_that_its_notebook_does_not_use(published):
    for name, used in USES.items():
        notebook = nbformat.read(published / "notebooks" / f"{name}.ipynb", as_version=4)
        assert set(ast.literal_eval(notebook.cells[-1].outputs[0].text)) <= used, name


def test_what_kernels_are_forked_from_has_loaded_nothing_heavy():
    assert loaded_by("\n".join(f"import {name}" for name in (*EVERY_KERNEL, *EVERY_NOTEBOOK))) == set()


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_importing_what_a_notebook_imports_loads_nothing_heavy_that_it_does_not_name(path):
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    lines = [line for cell in cells for line in cell.splitlines() if not line.startswith(("%", "!"))]
    imports = [node for node in ast.parse("\n".join(lines)).body if isinstance(node, ast.Import | ast.ImportFrom)]
    code = "\n".join(ast.unparse(node) for node in imports)
    named = {"seaborn": {*DRAWS, "scipy", "statsmodels"}, "matplotlib": {"matplotlib"}}
    allowed = set().union(*(libraries for name, libraries in named.items() if name in code))
    assert loaded_by(code) <= allowed
