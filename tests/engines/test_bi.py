"""What goes out to what is not always installed: a review in PostgreSQL, and Tableau's extract of its metrics."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from revops_helpers.address import address_of
from revops_helpers.cli import main
from revops_helpers.engine import connect
from revops_helpers.review import bi, build
from tests.test_bi import HOSTILE, review_at

pytestmark = pytest.mark.engines
URL = os.environ.get("REVOPS_TEST_POSTGRES", "")


@pytest.fixture
def url() -> str:
    """A schema of its own on a PostgreSQL that runs; gone at the end."""
    assert URL, "run by make test-engines, which starts the engines"
    yield f"{URL}/bi_test"
    said(URL, "DROP SCHEMA bi_test CASCADE")


def said(url: str, query: str) -> list[tuple]:
    backend = connect(url)
    try:
        asked = backend.con.execute(query)
        return asked.fetchall() if asked.description else []
    finally:
        backend.disconnect()


def everything(url: str) -> dict[str, list[tuple]]:
    return {name: said(url, f"SELECT * FROM bi_test.{name} ORDER BY 1, 2, 3, 4, 8") for name in bi.TABLES}


def test_a_review_sent_twice_to_postgres_leaves_the_same_typed_rows(url, tmp_path):
    review = review_at(tmp_path / "2026-09-30")
    bi.publish(url, review)
    first = everything(url)
    bi.publish(url, review)
    assert everything(url) == first and {name: len(held) for name, held in first.items()} == {
        "reviews": 1, "metrics": 2, "findings": 2, "ledger": 1,
    }  # fmt: skip
    assert {row[0] for held in first.values() for row in held} == {HOSTILE}
    kinds = said(url, "SELECT column_name, upper(data_type) FROM information_schema.columns WHERE table_name = 'metrics'")
    wanted = {name: kind.replace("VARCHAR", "CHARACTER VARYING") for name, kind in bi.TABLES["metrics"].items()}
    assert dict(kinds) == wanted


def test_a_failure_half_way_leaves_postgres_as_it_was(url, tmp_path):
    review = review_at(tmp_path / "2026-09-30")
    bi.publish(url, review)
    said(url, "ALTER TABLE bi_test.ledger DROP COLUMN excluded")  # the last table that is written
    before = everything(url)
    with pytest.raises(bi.NotSent, match=r'PostgreSQL did not take the review: column "excluded"'):
        bi.publish(url, review_at(review, value=0.5, findings=0))
    assert everything(url) == before and len(before["metrics"]) == 2


@pytest.mark.parametrize("wrong", ["password", "host"])
def test_a_wrong_password_or_host_is_one_line_without_a_secret_and_the_review_stays(wrong, tmp_path, monkeypatch):
    review = review_at(tmp_path / "2026-09-30")
    monkeypatch.setattr(build, "review", lambda *_given: review)
    monkeypatch.setenv("PGPASSWORD", "no-hunter2")
    place = URL if wrong == "password" else f"postgres://{address_of(URL).user}@127.0.0.1:1/postgres"
    ended = CliRunner().invoke(main, ["review", "sample", "--publish", place])
    assert ended.exit_code == 2 and ended.stdout.startswith("Review published: ")
    assert ended.stderr.count("\n") == 1 and ended.stderr.endswith("; the review is published\n")
    assert "hunter2" not in ended.output and "Traceback" not in ended.output
    assert (review / "findings.json").exists()


def test_the_extract_holds_the_rows_and_types_of_the_table_of_metrics(tmp_path):
    import pantab

    review = review_at(tmp_path / "2026-09-30")
    metrics = pd.read_parquet(review / "tables" / "metrics.parquet")
    bi.check_hyper()
    for rows in (metrics, metrics.head(0)):
        file: Path = tmp_path / "metrics.hyper"
        bi.write_hyper(file, rows)
        back = pantab.frame_from_hyper(file, table="metrics", return_type="pyarrow")
        assert back.column_names == list(bi.METRICS)
        assert [str(kind).removeprefix("large_") for kind in back.schema.types] == [
            str(kind) for kind in bi.typed(rows, bi.METRICS).schema.types
        ]
        assert back.to_pylist() == bi.typed(rows, bi.METRICS).to_pylist()
    assert list(tmp_path.glob("*.log")) == list(Path.cwd().glob("hyperd*.log")) == []
