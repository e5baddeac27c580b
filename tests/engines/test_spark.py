"""Spark for all processes of a review, and what it may bring to one of them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from revops_helpers.address import address_of
from revops_helpers.engine import connect
from revops_helpers.settings import InputError

pytestmark = pytest.mark.engines
MOST = 100_000  # rows that one query may bring to the driver
# In a process of its own: one that has a Spark inside cannot have one outside.
VISIT = """
import os
from revops_helpers.address import address_of
from revops_helpers.backends.serving import shared
from revops_helpers.engine import connect
from revops_helpers.settings import InputError
with shared(address_of("spark://local")) as told:
    print(sorted(told), address_of(told["REVOPS_ENGINE"]).host)
    print(connect(os.environ["REVOPS_ENGINE"]).sql("SELECT 6 * 7 AS x").to_pyarrow().to_pydict())
    secret, os.environ["SPARK_CONNECT_AUTHENTICATE_TOKEN"] = told["SPARK_CONNECT_AUTHENTICATE_TOKEN"], "hunter2"
    from pyspark.sql import SparkSession
    SparkSession.getActiveSession().stop()
    try:
        connect(os.environ["REVOPS_ENGINE"])
    except InputError as error:
        print("refused", secret in str(error), "hunter2" in str(error), str(error).count("\\n"))
print("REVOPS_ENGINE" in os.environ)
"""


def test_a_spark_is_started_once_for_all_who_know_its_token():
    done = subprocess.run([sys.executable, "-c", VISIT], capture_output=True, text=True, env=os.environ | {"REVOPS_ENGINE": ""})
    assert done.stdout.splitlines() == [
        "['REVOPS_ENGINE', 'SPARK_CONNECT_AUTHENTICATE_TOKEN'] localhost",
        "{'x': [42]}",
        "refused False False 0",
        "True",
    ], done.stderr


def test_no_query_brings_more_than_a_hundred_thousand_rows():
    backend = connect(address_of("spark://local"))
    rows = backend.sql(f"SELECT id FROM range({MOST + 1})")
    assert len(rows.limit(MOST).to_pyarrow()) == MOST
    for fetch in (rows.execute, rows.to_pyarrow, rows.to_pyarrow_batches, rows.id.execute):
        with pytest.raises(InputError, match="more than 100,000 rows"):
            fetch()


def test_tables_of_spark_are_read_as_files_are_and_none_of_their_rows_passes_by_the_driver(opened, tmp_path):
    session = connect(address_of("spark://local"))._session
    session.sql(f"CREATE DATABASE landed LOCATION '{tmp_path / 'landed'}'")
    try:
        session.sql(
            "CREATE TABLE landed.opportunity USING parquet AS SELECT concat('006', id) AS id, '001A' AS account_id, "
            "CAST(1.234 AS DECIMAL(12, 3)) AS amount, TIMESTAMP '2026-01-05 12:00:00' AS created_date, "
            "DATE '2026-05-01' AS close_date, 'Open' AS stage_name, named_struct('a', 1) AS more, id = 0 AS is_deleted "
            f"FROM range({MOST + 2})"
        )
        told = "name: T\ncurrency: BRL\nsources:\n  salesforce: {landing: 'spark://local/landed', time_zone: UTC}\n"
        company = opened({}, told, as_of="2026-06-30")
        deals = company.accepted["opportunities"]
        assert deals.count().execute() == MOST + 1
        deal = deals.limit(1).to_pyarrow().to_pylist()[0]
        assert (deal["amount"], str(deal["created_at"]), str(deal["close_date"])) == (123, "2026-01-05 12:00:00", "2026-05-01")
        assert "salesforce: 1 deleted rows of salesforce/opportunity are left out" in company.notes
    finally:
        session.sql("DROP DATABASE landed CASCADE")
