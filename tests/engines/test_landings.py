"""Raw tables in PostgreSQL mean what they mean as files, in every shape of every system; and what is loaded is forgotten."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import nbformat
import pytest
from click.testing import CliRunner

from revops_helpers.address import address_of
from revops_helpers.cli import main
from revops_helpers.engine import connect
from revops_helpers.review.build import Request, review
from revops_helpers.settings import InputError
from revops_helpers.workspace import open_company
from tests.folders import company_folder
from tests.test_landings import COMPANY, SOURCE, as_tables, same_as_expected
from tests.test_review import HEAD, LINE, OPEN, notebook
from tests.test_systems import CASES, SYSTEMS

pytestmark = pytest.mark.engines
URL = os.environ.get("REVOPS_TEST_POSTGRES", "")
TYPES = {"BIGINT": "bigint", "DOUBLE": "double precision", "BOOLEAN": "boolean", "DATE": "date", "TIMESTAMP": "timestamp"}
LEAD = ("l1", "ÉRICA ÇELIK", "erica@cliente.example", "2026-01-10")


def said(*statements: str) -> list[tuple]:
    """What PostgreSQL answers to the last of the statements."""
    backend = connect(URL)
    try:
        for statement in statements:
            asked = backend.con.execute(statement)
        rows = asked.fetchall() if asked.description else []
        backend.con.commit()
        return rows
    finally:
        backend.disconnect()


@pytest.fixture
def schema() -> str:
    """The address of an empty schema on a PostgreSQL that runs; gone at the end."""
    assert URL, "run by make test-engines, which starts the engines"
    said("DROP SCHEMA IF EXISTS landing CASCADE", "CREATE SCHEMA landing")
    yield f"{URL}/landing"
    said("DROP SCHEMA landing CASCADE")


def land(folder: Path) -> None:
    """The files of a folder as tables, with the types that DuckDB sees in them, and what is nested as jsonb."""
    with duckdb.connect() as read:
        for statement in as_tables(folder):
            read.execute(statement)
        for (table,) in read.execute("SHOW TABLES").fetchall():
            columns = [row[:2] for row in read.execute(f'DESCRIBE "{table}"').fetchall()]
            nested = {name for name, kind in columns if kind == "JSON" or kind.endswith((")", "[]"))}
            listed = ", ".join(f'to_json("{name}")::VARCHAR' if name in nested else f'"{name}"' for name, _ in columns)
            kinds = ", ".join(f'"{name}" {"jsonb" if name in nested else TYPES.get(kind, "text")}' for name, kind in columns)
            said(f'CREATE TABLE landing."{table}" ({kinds})')
            rows = read.execute(f'SELECT {listed} FROM "{table}"').fetchall()
            insert(f'landing."{table}"', rows)


def insert(table: str, rows: list[tuple]) -> None:
    backend = connect(URL)
    with backend.con.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(rows[0]))})", rows)
    backend.con.commit()
    backend.disconnect()


@pytest.mark.parametrize(("system", "shape"), CASES)
def test_tables_of_postgres_mean_the_rows_that_they_mean_as_files(system, shape, schema, opened):
    land(SYSTEMS / system / shape)
    same_as_expected(opened({}, COMPANY + SOURCE.format(name=system, url=schema), as_of="2026-06-30"), system, shape)


def test_types_that_only_postgres_has_are_read_as_text(schema, opened):
    said(
        "CREATE TYPE landing.mood AS ENUM ('good')",
        "CREATE TABLE landing.leads (lead_id uuid, created_at timestamptz, score numeric, title landing.mood, company char(1))",
        "INSERT INTO landing.leads VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '2026-01-05 12:00-03', 1.234, 'good', 'X')",
    )
    company = opened({}, COMPANY + f'  own: {{landing: "{schema}"}}\n', as_of="2026-06-30")
    (lead,) = company.accepted["leads"].to_pandas().to_dict("records")
    assert (lead["lead_id"], str(lead["created_at"])) == ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "2026-01-05 15:00:00")
    assert (lead["score"], lead["title"], lead["company"]) == (1.234, "good", "X")


@pytest.mark.parametrize(("wrong", "message"), [("password", "password authentication failed"), ("port", "Connection refused")])
def test_a_landing_that_does_not_let_us_in_is_one_line_without_the_secret(wrong, message, opened, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    url = URL if wrong == "password" else "postgres://revops@127.0.0.1:1/postgres"
    with pytest.raises(InputError, match=message) as refused:
        opened({}, COMPANY + SOURCE.format(name="salesforce", url=url), as_of="2026-06-30")
    assert "\n" not in str(refused.value) and "hunter2" not in str(refused.value)


def leads() -> None:
    said("CREATE TABLE landing.leads (lead_id text, name text, email text, created_at date)")
    insert("landing.leads", [LEAD])


def test_all_notebooks_of_a_review_see_what_it_read(schema, tmp_path, monkeypatch):
    monkeypatch.setenv("REVOPS_CACHE", str(tmp_path / "cache"))
    leads()
    data = company_folder(tmp_path / "data", {}, COMPANY + f'  own: {{landing: "{schema}"}}\n')
    (tmp_path / "notebooks").mkdir()
    see = "import os; assert os.environ['REVOPS_READ'] == company.fingerprint; print(company.table('leads').count().execute())"
    nbformat.write(notebook(OPEN, HEAD, LINE, see), tmp_path / "notebooks" / "01_audit.ipynb")
    folder = review(Request(str(data), as_of="2026-06-30", out=tmp_path / "reports", folder=tmp_path / "notebooks"))
    assert "own/leads" in (folder / "manifest.json").read_text()


# ---- what is loaded to an engine is forgotten with the rest


@pytest.fixture
def loaded(tmp_path, monkeypatch) -> tuple[Path, str]:
    """A company measured on PostgreSQL, and the schema of its tables there."""
    monkeypatch.setenv("REVOPS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "reports").mkdir()
    text = "lead_id,name,email,created_at\n" + ",".join(LEAD) + "\n"
    data = company_folder(tmp_path / "data", {"leads.csv": text}, f"name: Test S.A.\ncurrency: BRL\nengine: {URL}\n")
    name = f"revops_{open_company(data, as_of='2026-06-30').fingerprint}"
    yield data, name
    said(f"DROP SCHEMA IF EXISTS {name} CASCADE")


def run(*arguments: object, given: str = "") -> str:
    ended = CliRunner().invoke(main, [str(one) for one in arguments], input=given)
    assert ended.exit_code == 0, ended.output
    return ended.output


def there(name: str) -> bool:
    return said(f"SELECT count(*) FROM pg_namespace WHERE nspname = '{name}'") == [(1,)]


def test_purge_drops_old_loaded_tables_and_no_other_schema(loaded, tmp_path):
    data, name = loaded
    out = ("--out", tmp_path / "reports")
    assert name not in run("purge", data, "--older-than", "1d", *out)
    foreign = f"revops_{'0' * 24}"
    said(f"COMMENT ON SCHEMA {name} IS 'RevOps Workbook, loaded 2020-01-01'", f"CREATE SCHEMA {foreign}")
    try:
        assert f"schema {name} (2020-01-01)" in run("purge", data, "--older-than", "1d", *out) and there(name)
        assert "Removed: 1" in run("purge", data, "--older-than", "1d", *out, "--yes")
        assert not there(name) and there(foreign)
    finally:
        said(f"DROP SCHEMA {foreign}")


@pytest.mark.parametrize("subject", ["érica çelik", LEAD[2].upper()])
def test_erase_drops_the_loaded_tables_that_hold_a_person(loaded, subject, tmp_path):
    data, name = loaded
    told = run("erase", data, "--subject", "-", "--out", tmp_path / "reports", given=f"{subject}\n")
    assert f"schema {name}" in told and ": leads" in told and there(name)
    assert subject not in told
    run("erase", data, "--subject", "-", "--out", tmp_path / "reports", "--yes", given=f"{subject}\n")
    assert not there(name)


def test_somebody_else_leaves_what_is_loaded_and_no_engine_means_files_only(loaded, tmp_path):
    data, name = loaded
    told = run("erase", data, "--subject", "-", "--out", tmp_path / "reports", "--yes", given="rui@outra.example\n")
    assert "Nothing to remove." in told and "Files only" not in told and there(name)
    assert "Files only" in run("purge", "--older-than", "1d", "--out", tmp_path / "reports")


def test_an_engine_that_does_not_let_us_in_forgets_nothing_and_says_so(loaded, tmp_path):
    data, name = loaded
    given = ["purge", str(data), "--older-than", "1d", "--out", str(tmp_path / "reports"), "--yes"]
    ended = CliRunner().invoke(main, given, env={"PGPASSWORD": "hunter2"})
    assert there(name)
    assert ended.exit_code == 2 and ended.stderr.count("\n") == 1 and "hunter2" not in ended.output
    assert address_of(URL).host in ended.stderr
