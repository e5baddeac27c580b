"""What several queries read is made once, and the benchmark counts scans of Parquet as they are."""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest

from benchmarks.scorecard import Watched, check, scanned
from revops_helpers.metrics import facts, recurring
from revops_helpers.metrics.measure import measure
from tests.support import company_of

LINE = {"subscription_id": "s", "account_id": "A", "mrr": 100, "starts_on": "2025-01-01", "ends_on": None}


@pytest.fixture
def made(monkeypatch):
    """What was made, in order: a name each time."""
    found: list[str] = []
    for module, name in ((recurring, "_states"), (facts, "_run")):
        make = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given, name=name, make=make: (found.append(name), make(*given))[1])
    return found


def test_what_two_queries_of_a_measurement_read_is_made_once_and_kept(made):
    frame = measure(company_of(subscriptions=[LINE]), ["arr", "net_new_arr"])
    assert list(frame.value) == [1200, 0]
    assert made == ["_states", "_run"]


def test_what_one_query_reads_is_not_kept_for_others(made):
    measure(company_of(subscriptions=[LINE]), ["net_new_arr", "new_arr"])
    assert made == ["_states"]


def test_the_parts_of_a_derived_metric_share_the_queries_of_the_metrics_beside_it(monkeypatch):
    asked = []
    counted = facts.kept
    monkeypatch.setattr(recurring, "kept", lambda *given: (asked.append(given[1]), counted(*given))[1])
    frame = measure(company_of(subscriptions=[LINE], settings={"gross_margin": 0.8}), ["arr", "ltv"])
    assert frame.value.notna().all()
    assert asked == ["states", "states"]  # ARR with MRR per customer, and lifetimes


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scans")
    connection = duckdb.connect()
    for name in ("leads", "deals"):
        connection.execute(f"COPY (SELECT i AS id FROM range(9) t(i)) TO '{folder}/{name}.parquet'")
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{folder}/{name}.parquet')")
    yield connection
    connection.close()


def test_every_scan_of_a_file_counts_and_a_shared_step_once(connection):
    assert scanned(connection, "SELECT count(*) + 1 FROM leads JOIN deals USING (id) WHERE id > 3") == {"leads": 1, "deals": 1}
    both = "SELECT sum(id) FROM leads UNION ALL SELECT max(id) FROM leads WHERE id < 5"
    assert scanned(connection, both) == {"leads": 2}
    shared = "WITH l AS MATERIALIZED (SELECT * FROM leads) SELECT sum(a.id) FROM l a JOIN l b ON a.id < b.id"
    assert scanned(connection, shared) == {"leads": 1}


def test_what_reads_no_file_counts_no_scan(connection):
    for statement in ("DROP TABLE IF EXISTS nothing", 'CREATE TABLE IF NOT EXISTS "WITH" (id INT)', "SELECT 1"):
        assert scanned(connection, statement) == {}
    assert scanned(connection, "CREATE OR REPLACE VIEW all_leads AS SELECT * FROM leads") == {}


def test_what_fills_a_table_is_counted_and_the_table_is_filled(connection):
    watched = Watched(connection)
    watched.execute('CREATE TEMP TABLE "kept" ("id" INT)').execute('INSERT INTO "kept" ("id") SELECT id FROM deals')
    assert watched.scans == {"deals": 1}
    assert watched.sql("SELECT count(*) FROM kept").fetchone() == (9,)
    assert watched.scans == {"deals": 1}


def test_results_that_differ_are_named_the_interval_too():
    found = pd.DataFrame(
        {"metric": ["arr", "nrr"], "value": [12.0, 1.1], "low": [float("nan"), 1.0], "high": [float("nan"), 1.2]}
    )
    check(found, {"arr": (12.0, float("nan"), float("nan")), "nrr": (1.1, 1.0, 1.2)})
    with pytest.raises(AssertionError, match=r"differ: nrr$"):
        check(found, {"arr": (12.0, float("nan"), float("nan")), "nrr": (1.1, 1.0, 1.3)})
