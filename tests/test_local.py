"""The DuckDB of this process answers in turn what it is asked beforehand, and tells what fails to whoever asks for it."""

from __future__ import annotations

import threading

import duckdb
import ibis
import pytest

from revops_helpers.engine import reader


@pytest.fixture
def engine(tmp_path):
    backend = reader(tmp_path)
    backend.raw_sql("CREATE TABLE rows AS SELECT i AS id, 1 / (i - 5) AS part FROM range(9) t(i)")
    return backend


def test_what_is_begun_is_fetched_once_and_is_what_asking_gives(engine):
    rows = engine.table("rows")
    few, none = rows.filter(rows.id < 3).order_by("id"), rows.filter(rows.id > 99)
    asked = [few.to_pandas(), none.to_pandas()]
    for table in (few, none):
        engine.begin(table)
    assert [few.to_pandas().equals(asked[0]), none.to_pandas().equals(asked[1])] == [True, True]
    assert len(engine._coming) == 0
    engine.raw_sql("DELETE FROM rows WHERE id = 0")
    assert few.id.to_pandas().tolist() == [1, 2]  # asked anew


def test_a_kept_table_is_there_for_what_is_asked_after_it_from_either_connection(engine):
    held = threading.Event()
    engine._worker.submit(held.wait)
    rows = engine.table("rows")
    kept = engine.keep("kept", rows.filter(rows.id < 4))
    engine.begin(total := kept.agg(n=kept.count()))
    assert kept.schema() == rows.schema()
    assert rows.count().to_pyarrow().as_py() == 9  # what does not read it need not wait
    held.set()
    assert kept.id.sum().to_pyarrow().as_py() == 6
    assert total.to_pandas().n.tolist() == [4]
    engine.let_go("kept")
    engine._worker.submit(int).result()
    assert "kept" not in engine.list_tables()


def test_what_fails_is_told_to_who_asks_for_it_and_to_who_asks_of_what_was_not_made(engine):
    rows = engine.table("rows")
    wrong = rows.mutate(id=ibis._.id.cast("string") + "x").mutate(id=ibis._.id.cast("int64"))
    engine.begin(wrong)
    with pytest.raises(duckdb.ConversionException):
        wrong.to_pandas()
    kept = engine.keep("kept", wrong)
    engine.begin(total := kept.agg(n=kept.count()))
    for asked in (total, kept):
        with pytest.raises(duckdb.ConversionException):
            asked.to_pandas()
    assert rows.count().to_pyarrow().as_py() == 9


def test_the_second_connection_is_as_locked_as_the_first(engine):
    settings = "SELECT current_setting('TimeZone'), current_setting('enable_progress_bar')"
    assert engine.aside.execute(settings).fetchall() == [("UTC", False)]
    for statement in (
        "COPY rows TO '/tmp/rows.csv'",
        "SET enable_external_access = true",
        "SELECT * FROM read_csv('/etc/passwd')",
    ):
        with pytest.raises(duckdb.Error):
            engine.aside.execute(statement)
