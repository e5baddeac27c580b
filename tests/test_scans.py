"""What several queries read is made once, and the benchmark counts scans of Parquet as they are."""

from __future__ import annotations

import gc
from datetime import date

import duckdb
import ibis
import pandas as pd
import pytest

from benchmarks.scorecard import Watched, check, scanned
from revops_helpers.engine import reader
from revops_helpers.metrics import counting, kept, recurring
from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.metrics.measure import measure
from revops_helpers.metrics.reading import ALL, Part, together
from revops_helpers.metrics.windows import Windows
from tests.support import company_of

LINE = {"subscription_id": "s", "account_id": "A", "mrr": 100, "starts_on": "2025-01-01", "ends_on": None}


@pytest.fixture
def made(monkeypatch):
    """What was made, in order: a name each time."""
    found: list[str] = []
    for module, name in ((recurring, "_states"), (kept, "_run")):
        make = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given, name=name, make=make: (found.append(name), make(*given))[1])
    return found


def test_what_two_queries_of_a_measurement_read_is_made_once_and_kept(made):
    frame = measure(company_of(subscriptions=[LINE]), ["arr", "net_new_arr"])
    assert list(frame.value) == [1200, 0]
    assert made == ["_states", "_run"]


@pytest.mark.parametrize("engine", [ibis.duckdb.connect, reader])
def test_what_nothing_reads_any_more_is_dropped_before_the_next_is_kept(engine, tmp_path):
    backend = engine() if engine is ibis.duckdb.connect else engine(tmp_path)
    rows = backend.sql("SELECT 1 AS one")
    first = kept._run(rows)
    assert first.one.sum().to_pyarrow().as_py() == 1
    name, there = first.op().name, "SELECT count(*) FROM duckdb_tables() WHERE table_name = ?"
    del first
    gc.collect()
    second = kept._run(rows)
    assert second.one.sum().to_pyarrow().as_py() == 1  # so all that was asked before it is done
    assert backend.con.execute(there, [name]).fetchone() == (0,)
    assert backend.con.execute(there, [second.op().name]).fetchone() == (1,)


def test_what_one_query_reads_is_not_kept_for_others(made):
    measure(company_of(subscriptions=[LINE]), ["net_new_arr", "new_arr"])
    assert made == ["_states"]


def test_what_the_queries_of_a_measurement_read_is_all_that_is_made_of_a_table(monkeypatch):
    parts, run = [], kept._run
    monkeypatch.setattr(kept, "_run", lambda table: (parts.append(table), run(table))[1])
    deal = {"opportunity_id": "d", "kind": "new", "status": "won", "amount": 5_00, "owner_id": "u", "product": "core"}
    deal |= {"created_at": "2026-02-01 12:00", "closed_at": "2026-05-01 12:00", "close_date": "2026-05-01"}
    company = company_of(opportunities=[deal], subscriptions=[LINE])
    assert list(measure(company, ["deal_size", "decided_share", "arr", "nrr"]).value) == [5_00, 1, 1200, 1]
    deals, states = parts
    assert {"owner_id", "product"}.isdisjoint(deals.columns) and "amount" in deals.columns
    began, first = (states[name].min().to_pyarrow().as_py() for name in ("on", "first"))
    assert began == date(2025, 9, 1)  # all before the last day of the year before is one change in its month
    assert first == date(2025, 1, 1)
    measure(company, ["opportunities_opened", "win_rate"], by="seller")  # which needs more, and gets it
    assert "owner_id" in parts[2].columns


def test_a_part_holds_what_it_has_and_nothing_holds_all_but_all():
    some, later = Part(frozenset({"a", "b"}), date(2025, 1, 1)), date(2025, 6, 1)
    assert ALL.holds(ALL) and ALL.holds(some)
    assert some.holds(Part(frozenset({"a"}), later)) and some.holds(some)
    assert not some.holds(ALL) and not some.holds(Part(frozenset({"a"})))
    assert not some.holds(Part(frozenset({"c"}), later)) and not some.holds(Part(frozenset({"a"}), date(2024, 1, 1)))


def test_facts_that_do_not_tell_what_they_read_are_given_everything():
    narrow, whole = catalogue()["win_rate"], catalogue()["pushes_per_deal"]
    windows = Windows.of(company_of().settings, company_of().period)
    told = together([narrow], [narrow.facts], ["seller"], windows)
    assert {"status", "seller", "owner_id"} <= told.columns and told.since == date(2025, 9, 30)
    assert together([narrow, whole], [narrow.facts, whole.facts], [], windows) == ALL


def test_sums_come_with_the_times_of_the_same_facts_and_are_what_they_are_alone(monkeypatch):
    asked, queried = [], counting.query
    monkeypatch.setattr(counting, "query", lambda *given: (asked.append([m.id for m in given[1]]), queried(*given))[1])
    came = ("2026-03-02 12:00", "2026-03-03 13:00", "2026-03-03 19:00")
    leads = [{"lead_id": f"l{i}", "created_at": at, "source": "ads"} for i, at in enumerate(came)]
    leads[0]["first_contact_at"], leads[1]["first_contact_at"] = "2026-03-02 12:30", "2026-03-09 12:00"
    ids = ["time_to_first_contact_at_work", "contacted_within_sla"]
    for how in ({}, {"every": "quarter", "by": "source"}):
        asked.clear()
        both = measure(company_of(leads=leads), ids, **how)
        assert asked == [ids]
        alone = pd.concat([measure(company_of(leads=leads), one, **how) for one in ids], ignore_index=True)
        pd.testing.assert_frame_equal(both, alone)
    assert both.value[both.metric == ids[1]].iloc[0] == 1 / 3


def test_the_parts_of_a_derived_metric_share_the_queries_of_the_metrics_beside_it(monkeypatch):
    asked = []
    counted = kept.kept
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
