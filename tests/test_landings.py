"""Raw tables in a database: what SELECTs ask for comes over and means what it means in files; nothing else does."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import yaml

from revops_helpers import ingest
from revops_helpers.settings import InputError
from tests.folders import ledger_of, rules_of
from tests.test_systems import SYSTEMS, by_key, rows_of, wanted_of

SOME = [("hubspot", "fivetran"), ("jira", "rest"), ("workato", "api")]  # PostgreSQL is asked them all
SOURCE = '  {name}: {{landing: "{url}", time_zone: UTC, decimal: ".", dates: ymd}}\n'
COMPANY = "name: Test S.A.\ncurrency: BRL\nplan_rates: {USD: 5}\nsources:\n"


def land(file: Path, *statements: str) -> str:
    """A DuckDB file with tables; its address."""
    with duckdb.connect(str(file)) as connection:
        for statement in statements:
            connection.execute(statement)
    return f"duckdb://{file}"


def as_tables(folder: Path) -> list[str]:
    """Statements that make a table of every file, typed and nested as DuckDB sees fit."""
    made = []
    for one in sorted(folder.iterdir()):
        read = f"read_json_auto('{one}')" if one.suffix == ".jsonl" else f"read_csv('{one}', all_varchar = true, header = true)"
        made.append(f'CREATE TABLE "{one.stem}" AS SELECT * FROM {read}')
    return made


def same_as_expected(company, system: str, shape: str) -> None:
    """Assert that the company holds the rows that its system's fixtures mean, in a shape."""
    told = yaml.safe_load((SYSTEMS / system / "expected.yml").read_text(encoding="utf-8"))
    expected = told["shapes"][shape]
    assert set(company.accepted) == set(expected["tables"])
    for table in expected["tables"]:
        wanted = by_key(table, wanted_of(told, expected, table))
        assert [{c: row.get(c) for c in wanted[0]} for row in by_key(table, rows_of(company, table))] == wanted, table
    aside = company.quarantine.groupby(["table", "rule"]).size()
    assert aside.to_dict() == {(t, rule): n for t, rules in expected.get("aside", {}).items() for rule, n in rules.items()}


@pytest.mark.parametrize(("system", "shape"), SOME)
def test_tables_of_a_database_mean_the_rows_that_they_mean_as_files(system, shape, opened, tmp_path):
    url = land(tmp_path / "landing.duckdb", *as_tables(SYSTEMS / system / shape))
    same_as_expected(opened({}, COMPANY + SOURCE.format(name=system, url=url), as_of="2026-06-30"), system, shape)


@pytest.fixture
def landed(opened, tmp_path):
    """landed(statements …) opens a company whose CRM lies in a DuckDB file with those tables."""

    def open_(*statements: str, name: str = "salesforce"):
        url = land(tmp_path / "landing.duckdb", *statements)
        return opened({}, COMPANY + f'  {name}: {{landing: "{url}", time_zone: UTC}}\n', as_of="2026-06-30")

    return open_


def test_only_what_selects_name_comes_over_and_typed_values_read_in_one_way(landed, monkeypatch):
    copied = {}
    monkeypatch.setattr("revops_helpers.landings._copy", spy(copied))
    company = landed(
        "CREATE TABLE opportunity (id TEXT, account_id TEXT, amount DECIMAL(12, 3), created_date TIMESTAMPTZ, close_date DATE,"
        " is_won BOOLEAN, is_closed BOOLEAN, stage_name TEXT, secret TEXT, _fivetran_synced DATE, _fivetran_deleted BOOLEAN)",
        "INSERT INTO opportunity SELECT id, '001A', amount, '2026-01-05 12:00:00-03', '2026-05-01', false, false, 'Open', 'x',"
        " NULL, gone FROM (VALUES ('006A', 1.234, false), ('006B', 9, true)) t (id, amount, gone)",
        "CREATE TABLE payroll (id TEXT, salary DOUBLE)",
    )
    assert set(copied) == {"opportunity"} and not {"secret", "fivetran_synced"} & set(copied["opportunity"])
    (deal,) = rows_of(company, "opportunities")
    assert (deal["amount"], deal["created_at"], deal["close_date"]) == (123, "2026-01-05 15:00:00", "2026-05-01")  # cents
    assert "salesforce: 1 deleted rows of salesforce/opportunity are left out" in company.notes
    told = company.mapping.set_index("table").loc["opportunities"]
    assert told["status"] == "partial" and "salesforce.opportunity.type" in told["missing"].split(", ")


def spy(copied: dict):
    from revops_helpers.landings import _copy

    def copying(table, columns, to):
        copied[to.stem] = columns
        return _copy(table, columns, to)

    return copying


def test_a_row_that_is_refused_is_told_with_its_table_and_canonical_tables_need_no_select(landed):
    company = landed(
        "CREATE TABLE leads (lead_id TEXT, created_at DATE, score BIGINT, unknown TEXT)",
        "INSERT INTO leads VALUES ('l1', '2026-01-01', 3, 'x'), ('l1', '2026-01-02', 4, 'y'), (NULL, '2026-01-03', 5, 'z')",
        "CREATE TABLE empty (id TEXT)",
        name="own",
    )
    assert [row["score"] for row in rows_of(company, "leads")] == [3]
    assert ledger_of(company, "leads") == (3, 1, 2, 0)
    assert {(file, rule) for file, _line, _column, rule in rules_of(company)} == {
        ("own/leads", "duplicate key"), ("own/leads", "required value missing"),
    }  # fmt: skip


def test_the_same_content_is_the_same_input_in_whatever_order_it_lies(landed):
    rows = ["('l1', DATE '2026-01-01')", "('l2', DATE '2026-01-02')"]
    made = "CREATE OR REPLACE TABLE leads AS SELECT * FROM (VALUES {}) t (lead_id, created_at)"
    first, turned, fewer = (landed(made.format(", ".join(held)), name="own").fingerprint for held in (rows, rows[::-1], rows[:1]))
    assert first == turned != fewer


def test_what_a_review_has_read_is_what_its_notebooks_see(landed, monkeypatch):
    made = "CREATE OR REPLACE TABLE leads AS SELECT '{}' AS lead_id, DATE '2026-01-01' AS created_at"
    first = landed(made.format("l1"), name="own")
    monkeypatch.setenv(ingest.READ, first.fingerprint)
    assert rows_of(landed(made.format("l2"), name="own"), "leads") == rows_of(first, "leads")
    monkeypatch.setenv(ingest.READ, "../elsewhere")
    assert [row["lead_id"] for row in rows_of(landed(made.format("l3"), name="own"), "leads")] == ["l3"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('{landing: "postgres://ana:hunter2@db/x"}', "holds a password: leave it out and give it in PGPASSWORD"),
        ('{landing: "duckdb:///nowhere/else.duckdb"}', "DuckDB cannot be used"),
        ('{landing: "/srv/files"}', "no engine has the address"),
        ('{landing: "duckdb://x", path: there}', "give either the path of its files, or the address"),
        ("{}", "give either the path of its files, or the address"),
    ],
)
def test_a_landing_that_cannot_be_read_is_one_line_with_its_place_and_no_secret(source, said, opened):
    with pytest.raises(InputError, match=said) as refused:
        opened({}, COMPANY + f"  salesforce: {source}\n")
    assert "company.yml, line " in str(refused.value) and "\n" not in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_landing_without_tables_and_two_tables_of_one_name_are_refused(landed):
    with pytest.raises(InputError, match="holds no tables"):
        landed()
    with pytest.raises(InputError, match="are both table 'open_deals'; keep one"):
        landed("CREATE TABLE open_deals (id TEXT)", 'CREATE TABLE "OpenDeals" (id TEXT)')


def test_a_view_of_a_landing_reads_no_file_of_this_machine(landed, tmp_path):
    (tmp_path / "secret.csv").write_text("lead_id,created_at\nhunter2,2026-01-01\n")
    with pytest.raises(InputError, match="cannot be read: Permission Error") as refused:
        landed(f"CREATE VIEW leads AS SELECT * FROM read_csv('{tmp_path / 'secret.csv'}')", name="own")
    assert "\n" not in str(refused.value) and "hunter2" not in str(refused.value)


def test_nothing_that_was_brought_over_is_kept_but_what_was_read(landed, tmp_path):
    landed("CREATE TABLE leads AS SELECT 'l1' AS lead_id, DATE '2026-01-01' AS created_at", name="own")
    left = [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert "leads.parquet" in left and not [path for path in (tmp_path / "cache").iterdir() if path.name.startswith(".")]
