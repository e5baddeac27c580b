"""Engines by their address: what is understood, what is refused, and that no refusal says a secret back."""

from __future__ import annotations

import socket

import ibis
import pandas as pd
import pytest
import sqlglot

from revops_helpers import engine, warehouse
from revops_helpers.address import address_of
from revops_helpers.backends import dialects
from revops_helpers.model.as_of import latest
from revops_helpers.settings import InputError, Settings
from revops_helpers.shelf import Shelf
from revops_helpers.warehouse import engine_of


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "user", "path", "options"),
    [
        ("duckdb://", "duckdb", "", 0, "", "", {}),
        ("duckdb:///srv/my%20reviews.duckdb", "duckdb", "", 0, "", "/srv/my reviews.duckdb", {}),
        ("postgres://ana@db.example/revops", "postgres", "db.example", 5432, "ana", "revops", {}),
        ("postgresql://db.example:6000/revops/own", "postgres", "db.example", 6000, "", "revops/own", {}),
        ("postgres://db/x?sslmode=verify-full", "postgres", "db", 5432, "", "x", {"sslmode": "verify-full"}),
        ("spark://local", "spark", "local", 0, "", "", {}),
        ("spark://cluster.example", "spark", "cluster.example", 15002, "", "", {}),
        ("spark://cluster.example:443?use_ssl=true", "spark", "cluster.example", 443, "", "", {"use_ssl": "true"}),
        ("snowflake://ana@org-account/db/own?role=reader", "snowflake", "org-account", 0, "ana", "db/own", {"role": "reader"}),
        ("bigquery://project/dataset", "bigquery", "project", 0, "", "dataset", {}),
    ],
)
def test_an_address_is_taken_apart(url, scheme, host, port, user, path, options):
    found = address_of(url)
    assert (found.scheme, found.host, found.port, found.user, found.path) == (scheme, host, port, user, path)
    assert found.options == options


@pytest.mark.parametrize("url", ["", "postgres", "mysql://host/x", "postgres://host:port/x", "postgres://[host/x", "/srv/file"])
def test_what_is_no_address_is_refused_with_the_forms_there_are(url):
    with pytest.raises(InputError, match="postgres://user@host/database") as refused:
        address_of(url)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "variable"),
    [
        ("postgres://ana:hunter2@db/revops", "PGPASSWORD"),
        ("postgres://ana@db/revops?password=hunter2", "PGPASSWORD"),
        ("postgres://ana@db/revops?hunter2", "PGPASSWORD"),
        ("spark://cluster:15002?token=hunter2", "SPARK_CONNECT_AUTHENTICATE_TOKEN"),
        ("snowflake://ana:hunter2@account/db", "SNOWFLAKE_PASSWORD"),
        ("bigquery://project:hunter2@x/y", "GOOGLE_APPLICATION_CREDENTIALS"),
    ],
)
def test_a_secret_in_an_address_is_refused_not_repeated_and_has_its_variable_named(url, variable):
    with pytest.raises(InputError) as refused:
        address_of(url)
    assert variable in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_an_address_without_a_place_is_refused():
    with pytest.raises(InputError, match="write it as spark://local"):
        address_of("spark://")


@pytest.mark.parametrize(("url", "extra"), [("snowflake://account/db", "snowflake"), ("bigquery://project/data", "bigquery")])
def test_an_engine_without_its_package_says_what_to_install(url, extra, monkeypatch):
    monkeypatch.setattr(engine, "_installed", lambda module: False)
    with pytest.raises(InputError, match=rf"pip install -e '\.\[{extra}\]'"):
        engine.connect(url)


def test_a_package_inside_a_package_that_is_not_there_is_not_installed():
    assert not engine._installed("no_such_package.inside")
    assert engine._installed("importlib.util")


def test_an_engine_that_cannot_be_reached_isone_line_without_the_secret(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        port = taken.getsockname()[1]

        def refused(address):
            socket.create_connection((address.host, address.port), 1)

        monkeypatch.setattr(engine, "_installed", lambda module: True)
        monkeypatch.setitem(engine.CONNECT, "postgres", refused)
        with pytest.raises(InputError, match=rf"^postgres://127\.0\.0\.1:{port}/x: PostgreSQL cannot be used: .*refused$"):
            engine.connect(f"postgres://ana@127.0.0.1:{port}/x")


def test_what_an_engine_says_of_a_failure_loses_its_secrets_and_its_other_lines(monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    assert engine.one_line(ValueError("password hunter2 of ana is wrong\nat line 1")) == "password … of ana is wrong"
    assert engine.one_line(TimeoutError()) == "TimeoutError"


def test_duckdb_is_connected_to_in_memory_and_in_a_file(tmp_path):
    assert engine.connect("duckdb://").raw_sql("SELECT 42").fetchone() == (42,)
    engine.connect(f"duckdb://{tmp_path}/kept.duckdb").raw_sql("CREATE TABLE t AS SELECT 1 AS x")
    assert (tmp_path / "kept.duckdb").is_file()


# ---- the engine that measures


def test_what_is_asked_for_wins_then_the_environment_then_the_agreement(monkeypatch):
    agreed = Settings(name="X", currency="BRL", engine="spark://local")
    monkeypatch.delenv("REVOPS_ENGINE", raising=False)
    assert engine_of(None, Settings(name="X", currency="BRL")).scheme == "duckdb"
    assert engine_of(None, agreed).scheme == "spark"
    monkeypatch.setenv("REVOPS_ENGINE", "postgres://db/x")
    assert engine_of(None, agreed).scheme == "postgres"
    assert engine_of("duckdb://", agreed).scheme == "duckdb"
    with pytest.raises(InputError, match="in memory"):
        engine_of("duckdb:///srv/file.duckdb", agreed)


def test_what_another_engine_measured_is_kept_apart(tmp_path):
    Shelf(tmp_path, "spark").put("found", "told", b"of Spark")
    assert Shelf(tmp_path, "spark").get("found", "told") == b"of Spark"
    assert Shelf(tmp_path).get("found", "told") is None


def test_a_company_on_an_engine_that_is_not_there_is_refused_in_one_line(opened, monkeypatch):
    monkeypatch.setattr("revops_helpers.engine._installed", lambda module: False)
    with pytest.raises(InputError, match="PostgreSQL needs its package") as refused:
        opened({"leads.csv": "lead_id,created_at\nl1,2026-01-01\n"}, engine="postgres://db/x")
    assert "\n" not in str(refused.value)


@pytest.fixture
def numbers():
    given = {"x": [2.5, -2.5, 1.5, 0.49999999999999994], "on": [True, False, None, True], "name": ["ÉCLAIR", "a", None, "B"]}
    times = [pd.Timestamp(f"2026-01-01 10:00:{second}") for second in ("59.999", "00", "30", "01")]
    return ibis.memtable(pd.DataFrame(given | {"at": times}))


@pytest.mark.parametrize("url", ["snowflake://ana@account/sales/public?warehouse=small", "bigquery://project/dataset"])
def test_an_engine_that_nothing_is_measured_on_is_refused_before_it_is_connected_to(url, tmp_path, monkeypatch):
    monkeypatch.setattr(warehouse, "connect", lambda address: pytest.fail("connected"))
    with pytest.raises(InputError, match="nothing is measured there; give duckdb"):
        warehouse.tables_of(address_of(url), tmp_path)


@pytest.mark.parametrize("dialect", [dialects.Postgres(), dialects.Spark()], ids=lambda dialect: type(dialect).__name__)
def test_every_dialect_says_what_queries_need_without_its_package(numbers, dialect):
    kept = ibis.struct({"x": numbers.x, "name": numbers.name})
    newest = numbers.group_by("on").agg(kept=latest(kept, numbers.at, numbers.x > 0))
    told = newest.mutate(x=newest.kept["x"], half=newest.kept["x"].round().cast("int64") / 2)
    said = dialect.to_sqlglot(told).sql(dialect.dialect)
    sqlglot.parse_one(said, read=dialect.dialect)
    assert "arg_max_null" not in said.lower()
    wanted = {"Postgres": ["JSONB_BUILD_OBJECT", "TRUNC", "[1]"], "Spark": ["MAX_BY", "NULLIF"]}[type(dialect).__name__]
    assert [part for part in wanted if part not in said] == []
