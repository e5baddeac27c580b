"""The command: quick help, one message for what is wrong, and exit codes that a scheduler can act on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner

from revops_helpers import cli
from revops_helpers.cli import main
from tests.test_review import HEAD, LINE, OPEN, notebook

ROOT = Path(__file__).parent.parent
HEAVY = ("pandas", "ibis", "duckdb", "numpy", "matplotlib", "statsmodels", "sklearn", "papermill", "nbformat", "tqdm")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "revops_helpers.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | environment)


@pytest.fixture
def company(tmp_path) -> Path:
    folder = tmp_path / "company"
    folder.mkdir()
    (folder / "company.yml").write_text("name: Tiny S.A.\ncurrency: BRL\n")
    (folder / "opportunities.csv").write_text(
        "opportunity_id,account_id,kind,amount,currency,created_at,close_date,status\n"
        "o1,a1,new,1000.00,BRL,2026-01-10,2026-03-31,won\n"
        "o2,a2,new,2000.00,BRL,2026-02-10,2026-04-30,maybe\n"
    )
    return folder


@pytest.fixture
def notebooks(tmp_path, monkeypatch) -> Path:
    from revops_helpers.review import run as runner

    folder = tmp_path / "notebooks"
    folder.mkdir()
    nbformat.write(notebook(OPEN, HEAD, LINE), folder / "01_audit.ipynb")
    monkeypatch.setattr(runner, "NOTEBOOKS", folder)
    return folder


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from click.testing import CliRunner; from revops_helpers.cli import main\n"
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ended.stdout.strip() == "[]", ended.stderr


@pytest.mark.parametrize("command", ["review", "check", "sample", "docs"])
def test_every_command_explains_itself(command):
    shown = CliRunner().invoke(main, [command, "--help"])
    assert shown.exit_code == 0 and "Usage:" in shown.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["review", "/not/there"], "no such folder"),
        (["review", "sample", "--as-of", "30/09/2026"], "year-month-day"),
        (["review", "sample", "--period", "qarter"], "'qarter' is not one of"),
        (["review", "sample", "--notebooks", "77"], "no notebook '77'"),
        (["review", "sample", "--jobs", "0"], "0 is not in the range"),
        (["review", "sample", "--asof", "2026-09-30"], "No such option"),
        (["check", "/not/there"], "no such folder"),
        (["sample"], "Missing option '--out'"),
        (["nonsense"], "No such command"),
    ],
)
def test_what_is_wrong_is_said_once_on_stderr_and_exits_2(arguments, said):
    ended = run(*arguments)
    assert ended.returncode == 2
    assert said in ended.stderr and "Traceback" not in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("review", "postgres://reader:hunter2@db/crm"),
        ("review", "sample", "--segment", "password=hunter2"),
        ("review", "sample", "--period", "ghp_" + "hunter2" * 5),
        ("review", "sample", "--as-of=" + "token=hunter2"),
        ("review", "sample", "-p", "password", "hunter2"),
        ("compare", "2026-06-30", "https://u:hunter2@host/x"),
        ("check", "https://u:hunter2@host/x"),
    ],
)
def test_a_secret_given_by_mistake_is_refused_before_anything_runs_and_never_said_back(arguments):
    ended = CliRunner().invoke(main, arguments)
    assert ended.exit_code == 2 and "looks like" in ended.stderr
    assert "hunter2" not in ended.output


def test_a_review_prints_where_its_index_is_and_exits_0(company, notebooks, tmp_path, hook):
    file, out = company / "company.yml", tmp_path / "out"
    file.write_text(file.read_text() + "freshness: {opportunities: {fail: 7}}\n")
    asked = ["review", str(company), "--as-of", "2026-06-30", "--out", str(out), "--allow-stale"]
    ended = CliRunner().invoke(main, [*asked, "--notify", hook.address])
    assert ended.exit_code == 0, ended.output
    place = Path(ended.stdout.strip().removeprefix("Review published: "))
    assert place.name == "index.html" and place.is_absolute() and place.exists()
    assert ended.stderr == "" and hook.taken[0]["company"] == "Tiny S.A."
    made_of = (out / "latest" / "manifest.json").read_text()
    assert "171 days old" in made_of and "secret" not in made_of


def test_a_failed_notebook_is_named_with_its_cell_and_exits_1(company, notebooks, tmp_path):
    nbformat.write(notebook("1 / 0"), notebooks / "01_audit.ipynb")
    ended = CliRunner().invoke(main, ["review", str(company), "--out", str(tmp_path / "out")])
    assert ended.exit_code == 1
    assert "01_audit, cell 4 (In [3]: 1 / 0): ZeroDivisionError" in ended.stderr and "Traceback" not in ended.stderr


def test_parameters_of_notebooks_are_given_by_name_and_refused_when_misspelt(company, notebooks, tmp_path):
    path = notebooks / "01_audit.ipynb"
    path.write_text(path.read_text().replace('language = \\"\\"  # str', 'language = \\"\\"  # str\\nhorizon = 12  # int'))
    out = ["--out", str(tmp_path / "out")]
    ended = CliRunner().invoke(main, ["review", str(company), *out, "-p", "horizon", "6"])
    assert ended.exit_code == 0, ended.output
    made_of = json.loads(next((tmp_path / "out").glob("*-horizon-6/manifest.json")).read_text())
    assert made_of["parameters"]["01_audit"]["horizon"] == 6
    for given, said in ((("horizn", "6"), "did you mean 'horizon'"), (("horizon", "six"), "a whole number, not 'six'")):
        refused = CliRunner().invoke(main, ["review", str(company), *out, "-p", *given])
        assert refused.exit_code == 2 and said in refused.stderr


def test_a_review_of_old_records_stops_with_one_message(company, notebooks, tmp_path):
    file, out = company / "company.yml", tmp_path / "out"
    file.write_text(file.read_text() + "freshness: {opportunities: {warn: 2, fail: 7}}\n")
    asked = ["review", str(company), "--as-of", "2026-03-31", "--out", str(out)]
    stopped = CliRunner().invoke(main, asked)
    assert stopped.exit_code == 2 and "--allow-stale" in stopped.stderr
    assert "opportunities: the newest record is of 10 Jan 2026, 80 days old" in stopped.stderr.replace("\u00a0", " ")
    assert list(out.glob("*")) == []


def test_check_prints_the_ledger_and_the_refused_rows_by_rule(company):
    ended = CliRunner().invoke(main, ["check", str(company)])
    assert ended.exit_code == 0, ended.output
    lines = [line.split() for line in ended.stdout.splitlines()]
    assert any(line[:1] == ["opportunities"] and line[-4:] == ["2", "1", "1", "0"] for line in lines)
    assert "maybe" not in ended.stdout or "one of" in ended.stdout


def test_check_says_in_portuguese_how_each_table_was_come_by(company):
    (company / "company.yml").write_text("name: Tiny\ncurrency: BRL\nlocale: pt_BR\n")
    lines = CliRunner().invoke(main, ["check", str(company)]).stdout.splitlines()
    assert [*filter(lambda line: line.split() == ["opportunities", "files", "lida", "como", "está"], lines)], lines


def test_check_exits_2_when_no_row_of_a_table_was_accepted(company):
    file = company / "opportunities.csv"
    file.write_text(file.read_text().replace(",won", ",perhaps"))
    ended = CliRunner().invoke(main, ["check", str(company)])
    assert ended.exit_code == 2
    assert "opportunities: all 2 rows were refused" in ended.stderr


def test_check_exits_2_with_file_and_line_when_company_yml_is_wrong(company):
    (company / "company.yml").write_text("name: Tiny\ncurency: BRL\n")
    ended = CliRunner().invoke(main, ["check", str(company)])
    assert ended.exit_code == 2
    assert "company.yml, line 2: unknown key 'curency'; did you mean 'currency'?" in ended.stderr


def test_a_sample_is_not_written_over_anything(tmp_path):
    (tmp_path / "mine.txt").write_text("")
    ended = CliRunner().invoke(main, ["sample", "--out", str(tmp_path)])
    assert ended.exit_code == 2 and "is not empty" in ended.stderr


def test_docs_check_fails_when_a_page_is_stale_and_passes_when_it_is_written(tmp_path, monkeypatch):
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr(cli, "ROOT", tmp_path)
    monkeypatch.setattr(cli, "_pages", lambda: {"a.md": lambda: "new\n"})
    assert "stale: docs/a.md" in (stale := CliRunner().invoke(main, ["docs", "--check"])).stderr and stale.exit_code == 1
    assert CliRunner().invoke(main, ["docs"]).output == "Written: docs/a.md\n"
    assert CliRunner().invoke(main, ["docs", "--check"]).exit_code == 0


def test_the_committed_pages_are_what_model_and_metrics_say():
    ended = CliRunner().invoke(main, ["docs", "--check"])
    assert ended.exit_code == 0, ended.stderr
