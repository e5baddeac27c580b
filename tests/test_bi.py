"""A published review in a database: typed rows, the same twice, all of it or nothing; and what a database refuses is one line."""

import json
import sys
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from click.testing import CliRunner

from revops_helpers.cli import main
from revops_helpers.review import bi, build
from revops_helpers.settings import InputError

HOSTILE = "Tiny'); DROP TABLE metrics; --"


def review_at(folder: Path, company: str = HOSTILE, value: float = 0.25, findings: int = 2) -> Path:
    """The files of a published review that the database is filled from."""
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    period = {"name": "ytd", "start": "2026-01-01", "end": "2026-09-30"}
    about = {"company": company, "as_of": "2026-09-30", "period": period, "segment": "", "currency": "BRL", "data_ends_on": None}
    told = {"00_executive_review": {"language": "pt_BR"}}
    versions = {"revops-workbook": "0.1.0"}
    made_of = {"review": about, "parameters": told, "versions": versions, "commit": {"hash": "abc", "changed": False}}
    (folder / "manifest.json").write_text(json.dumps(made_of))
    stake = {"value": 5_000_00, "n": 4, "low": 100.5, "high": None, "status": "ok", "currency": "BRL"}
    one = {
        "phase": "optimization",
        "kind": "growth",
        "headline": "Ganho % 'à toa'",
        "action": "=1+1",
        "owner": "CRO",
        "metric": "x",
    }
    more = {"confidence": "high", "evidence": "03#gap", "review_on": "2026-12-29", "levers": {}, "stake": stake}
    (folder / "findings.json").write_text(json.dumps([{"id": f"f{n}", **one, **more} for n in range(findings)]))
    day = date(2026, 1, 1)
    metric = {"metric": "win_rate", "dimension": None, "member": None, "period_start": day, "period_end": date(2026, 9, 30)}
    told = {"low": 0.2, "high": None, "n": 40, "status": "ok", "reason": "", "unit": "percent", "currency": ""}
    metrics = [metric | {"value": v, **told, "definition_id": "win_rate"} for v in (value, float("nan"))]
    pd.DataFrame(metrics).to_parquet(folder / "tables" / "metrics.parquet")
    ledger = {"table": "leads", "source": "crm", "unit": "rows", "read": 3, "accepted": 2, "quarantined": 1, "excluded": 0}
    pd.DataFrame([ledger]).to_parquet(folder / "tables" / "ledger.parquet")
    return folder


@pytest.fixture
def review(tmp_path) -> Path:
    return review_at(tmp_path / "2026-09-30")


@pytest.fixture
def url(tmp_path) -> str:
    return f"duckdb://{tmp_path}/revops.duckdb"  # a database with the name of the schema


def rows(url: str, query: str) -> list[tuple]:
    with duckdb.connect(url.removeprefix("duckdb://"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def everything(url: str) -> dict[str, list[tuple]]:
    return {name: rows(url, f"SELECT * FROM revops.revops.{name} ORDER BY ALL") for name in bi.TABLES}


def test_a_review_goes_into_four_tables_with_types_and_data_is_no_sql(review, url):
    bi.publish(url, review)
    found = rows(url, "SELECT table_name, column_name, data_type FROM information_schema.columns ORDER BY ALL")
    wanted = [(t, c, kind.removesuffix(" PRECISION")) for t, columns in bi.TABLES.items() for c, kind in columns.items()]
    assert found == sorted(wanted)
    held, span = everything(url), (date(2026, 1, 1), date(2026, 9, 30))
    assert held["reviews"] == [
        (HOSTILE, "2026-09-30", date(2026, 9, 30), "ytd", *span, "", "pt_BR", "BRL", None, "0.1.0", "abc"),
    ]
    assert held["metrics"] == [
        (HOSTILE, "2026-09-30", "win_rate", None, None, *span, v, 0.2, None, 40, "ok", "", "percent", "", "win_rate")
        for v in (0.25, None)
    ]
    assert held["findings"][1] == (
        HOSTILE, "2026-09-30", 2, "f1", "optimization", "growth", "Ganho % 'à toa'", "=1+1", "CRO", "x", "high", "03#gap",
        date(2026, 12, 29), 500_000.0, 100.5, None, 4, "ok", "BRL",
    )  # fmt: skip
    assert held["ledger"] == [(HOSTILE, "2026-09-30", "leads", "crm", "rows", 3, 2, 1, 0)]


def test_a_review_sent_twice_leaves_the_same_rows_and_a_changed_one_takes_the_place_of_its_own_alone(review, url, tmp_path):
    for other in (review_at(tmp_path / "2026-06-30"), review_at(tmp_path / "other" / "2026-09-30", "Other S.A.")):
        bi.publish(url, other)
    bi.publish(url, review)
    first = everything(url)
    bi.publish(url, review)
    assert everything(url) == first and {name: len(held) for name, held in first.items()} == {
        "reviews": 3, "metrics": 6, "findings": 6, "ledger": 3,
    }  # fmt: skip
    bi.publish(url, review_at(review, value=0.5, findings=0))
    query = "SELECT company, review, max(value) FROM revops.revops.metrics GROUP BY ALL ORDER BY ALL"
    assert rows(url, query) == [
        ("Other S.A.", "2026-09-30", 0.25), (HOSTILE, "2026-06-30", 0.25), (HOSTILE, "2026-09-30", 0.5),
    ]  # fmt: skip
    assert len(everything(url)["findings"]) == 4


def test_a_failure_half_way_leaves_what_was_there(review, url):
    bi.publish(url, review)
    with duckdb.connect(url.removeprefix("duckdb://")) as connection:
        connection.execute("ALTER TABLE revops.revops.ledger DROP COLUMN excluded")  # the last table that is written
    before = everything(url)
    with pytest.raises(bi.NotSent, match=r"DuckDB did not take the review: .*excluded"):
        bi.publish(url, review_at(review, value=0.5, findings=0))
    assert everything(url) == before and len(before["metrics"]) == 2


def test_a_failure_the_first_time_leaves_nothing_behind(review, url):
    with duckdb.connect(url.removeprefix("duckdb://")) as connection:
        connection.execute("CREATE SCHEMA revops; CREATE TABLE revops.revops.ledger (x INTEGER)")
    with pytest.raises(bi.NotSent):
        bi.publish(url, review)
    assert rows(url, "SELECT table_name FROM information_schema.tables") == [("ledger",)]


@pytest.mark.parametrize("address", ["duckdb:///not/there/x.duckdb", "duckdb://{folder}/text.duckdb"])
def test_a_database_that_cannot_be_used_is_one_line_and_exits_2_and_the_review_stays(review, monkeypatch, address):
    (review / "text.duckdb").write_text("no database " * 1_000)
    monkeypatch.setattr(build, "review", lambda *_given: review)
    ended = CliRunner().invoke(main, ["review", "sample", "--publish", address.format(folder=review)])
    assert ended.exit_code == 2 and ended.stdout.startswith("Review published: ")
    assert ended.stderr.count("\n") == 1 and ended.stderr.endswith("; the review is published\n")
    assert (review / "manifest.json").exists()


def test_the_webhook_is_told_although_the_database_was_not_reached(review, monkeypatch, hook):
    monkeypatch.setattr(build, "review", lambda *_given: review)
    asked = ["review", "sample", "--publish", "duckdb:///not/there/x.duckdb", "--notify", hook.address]
    (review / "notebooks").mkdir()
    assert CliRunner().invoke(main, asked).exit_code == 2
    assert len(hook.taken) == 1


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--publish", "spark://local"], "reviews go to DuckDB or PostgreSQL"),
        (["--publish", "duckdb://", "--show-people"], "a review that names people stays out of databases"),
        (["--publish", "postgres://ana@db/x?hunter2"], "an option that is not known"),
        (["--publish", "file.duckdb"], "no engine has the address"),
        (["--hyper"], "pip install -e '.[tableau]'"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_runs(asked, said, monkeypatch):
    monkeypatch.setitem(sys.modules, "pantab", None)
    monkeypatch.setattr(bi, "find_spec", lambda _name: None)
    ended = CliRunner().invoke(main, ["review", "/not/there", *asked])
    assert ended.exit_code == 2 and said in ended.stderr and "hunter2" not in ended.output


def test_what_is_missing_is_null_and_no_row_keeps_its_types():
    empty = bi.typed(pd.DataFrame(), bi.METRICS)
    assert empty.num_rows == 0 and [str(kind) for kind in empty.schema.types[3:9]] == [
        "date32[day]", "date32[day]", "double", "double", "double", "int64",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="abc"):
        bi.typed(pd.DataFrame([{"n": "abc"}]), {"n": bi.WHOLE})
    with pytest.raises(InputError, match="holds a password"):
        bi.check_publish("postgres://ana:hunter2@db/x", show_people=False)
