"""The notebooks as kept: short cells that read as sentences, one cell of parameters, no outputs, words before pictures."""

from __future__ import annotations

import ast
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

from revops_helpers.metrics.measure import catalogue
from revops_helpers.words import alignment, executive, foundation, intelligence, optimization, planning

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = {path.stem: nbformat.read(path, as_version=4) for path in sorted(FOLDER.glob("*.ipynb"))}
PHASES = {
    "00_executive_review": executive,
    "01_foundation_audit": foundation,
    "02_process_alignment": alignment,
    "03_optimization": optimization,
    "04_predictive_intelligence": intelligence,
    "05_growth_planning": planning,
}
ALLOWED = ("revops_helpers", "ibis", "pandas", "seaborn")  # what a notebook may import: the package, and what explore shows
each = pytest.mark.parametrize("name", sorted(NOTEBOOKS))


def code(name) -> list:
    return [cell for cell in NOTEBOOKS[name].cells if cell.cell_type == "code"]


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def test_the_notebooks_of_this_issue_are_there():
    assert {*PHASES, "explore"} <= set(NOTEBOOKS)


@each
def test_a_cell_is_no_longer_than_fifteen_lines(name):
    assert [cell.id for cell in code(name) if len(cell.source.splitlines()) > 15] == []


@each
def test_no_cell_defines_catches_or_imports_what_is_not_shown(name):
    for cell in code(name):
        for node in ast.walk(ast.parse(cell.source)):
            assert not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Try | ast.Lambda), f"{cell.id}: {cell.source}"
            if isinstance(node, ast.Import | ast.ImportFrom):
                module = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
                assert module.partition(".")[0] in ALLOWED


@each
def test_exactly_one_cell_holds_the_parameters_first_those_of_every_review(name):
    held = [cell for cell in NOTEBOOKS[name].cells if "parameters" in tags(cell)]
    assert len(held) == 1
    names = [line.partition(" = ")[0] for line in held[0].source.splitlines()]
    assert names[:6] == ["data", "as_of", "period", "segment", "language", "show_people"]
    assert set(names[6:]) <= {"role", "member", "horizon"}
    kinds = [line.rpartition("  # ")[2] for line in held[0].source.splitlines()]
    assert kinds == ["bool" if name == "show_people" else "str" for name in names]


@each
def test_it_is_kept_without_outputs_and_runs_on_plain_python(name):
    assert all(not cell.outputs and cell.execution_count is None for cell in code(name))
    assert NOTEBOOKS[name].metadata.kernelspec.name == "python3"


@each
def test_no_cell_names_a_path(name):
    paths = (str(Path(__file__).parents[1]), "/tmp/")
    assert not [cell.id for cell in NOTEBOOKS[name].cells if any(path in cell.source for path in paths)]


@pytest.mark.parametrize("name", sorted(PHASES))
def test_a_report_asks_before_it_answers(name):
    """Every section's picture, table or reading has words about what is asked right before it, or heads itself."""
    cells = NOTEBOOKS[name].cells
    itself = (".head(", "bottom_line(", "score_section(", "gates_card(", "definitions(")
    for before, cell in pairwise(cells):
        shows = cell.cell_type == "code" and "_section(" in cell.source
        goes_on = before.cell_type == "code" and "_section(" in before.source
        if shows and not any(part in cell.source for part in itself):
            assert before.cell_type == "markdown" or goes_on, f"{name} {cell.id} shows without having asked"


@pytest.mark.parametrize("name", sorted(PHASES))
def test_a_report_has_its_head_findings_doubts_checks_and_definitions_in_order(name):
    whole = "\n".join(cell.source for cell in NOTEBOOKS[name].cells)
    marks = ["open_company(", ".head(", "findings" if name != "00_executive_review" else "actions_section(", "changes_of_mind(",
             "assert ", "definitions("]  # fmt: skip
    places = [whole.rindex(mark) if mark == "findings" else whole.index(mark) for mark in marks]
    assert places == sorted(places)


@pytest.mark.parametrize("name", sorted(PHASES))
def test_the_phase_words_that_a_report_calls_exist(name):
    module = PHASES[name]
    alias = module.__name__.rpartition(".")[2]
    called = {
        node.attr
        for cell in code(name)
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == alias
    }
    assert called and called <= set(dir(module))


@pytest.mark.parametrize("name", sorted(PHASES))
def test_what_findings_point_at_is_an_anchor_of_the_report(name):
    anchors = {tag.removeprefix("anchor:") for cell in NOTEBOOKS[name].cells for tag in tags(cell) if tag.startswith("anchor:")}
    wanted = {"01_foundation_audit": {"arr", "billing", "checks", "quarantine", "duplicates"},
              "02_process_alignment": {"response", "speed", "agreements", "leaving", "credit"},
              "03_optimization": {"gap", "stages", "standing", "coverage"},
              "04_predictive_intelligence": {"accounts", "hazards", "growing"},
              "05_growth_planning": {"cascade", "capacity", "quotas", "habits"}}.get(name, set())  # fmt: skip
    assert wanted <= anchors


def test_the_metrics_that_findings_should_move_are_in_the_catalogue():
    phases = (foundation, alignment, optimization, intelligence, planning)
    source = "".join(Path(module.__file__).read_text(encoding="utf-8") for module in phases)
    named = {node.value.value for node in ast.walk(ast.parse(source.replace("from __future__ import annotations", "")))
             if isinstance(node, ast.keyword) and node.arg == "metric" and isinstance(node.value, ast.Constant)}  # fmt: skip
    assert named <= set(catalogue())
