"""The only place that connects to anything: DuckDB in memory, locked to the folders it may read before it reads a byte, and any
other engine by its address."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from revops_helpers.address import Address, address_of
from revops_helpers.model.formats import quoted
from revops_helpers.settings import InputError

if TYPE_CHECKING:
    import duckdb
    from ibis.backends.duckdb import Backend
    from ibis.backends.sql import SQLBackend
    from pyspark.sql import SparkSession

THREADS = int(os.environ.get("REVOPS_THREADS", "2"))
MEMORY = os.environ.get("REVOPS_MEMORY", "3GB")
PATIENCE = 10  # seconds to wait for an engine that does not answer


def _lock(execute, folders: Iterable[Path], scratch: Path | None) -> None:
    """Shut every door but the folders. The order matters: nothing can be set once the configuration is locked."""
    listed = ", ".join(quoted(f"{folder.resolve()}/") for folder in folders)
    execute(f"SET memory_limit = {quoted(MEMORY)}")
    execute("SET GLOBAL TimeZone = 'UTC'")  # of every connection to this database
    execute("PRAGMA disable_progress_bar")  # as SET it asks for ipywidgets in a notebook
    execute(f"SET temp_directory = {quoted(scratch or '')}")
    execute(f"SET allowed_directories = [{listed}]")
    execute("SET enable_external_access = false")
    execute("SET lock_configuration = true")


def reader(folder: Path) -> Backend:
    """An Ibis backend that can read Parquet below `folder` and nothing else on this machine, nor the network."""
    import ibis

    from revops_helpers.backends.local import Local

    # DuckDB flattens nested SELECTs itself, at once; Ibis takes as long for it as for everything else it does to a query.
    ibis.options.sql.fuse_selects = False
    backend = Local().connect(threads=THREADS)
    _lock(backend.raw_sql, [folder], None)
    return backend


def workbench(folders: Iterable[Path], scratch: Path) -> duckdb.DuckDBPyConnection:
    """A connection for ingest: reads and writes below `folders` and `scratch` only, and spills there."""
    import duckdb

    connection = duckdb.connect(config={"threads": THREADS})
    _lock(connection.execute, [*folders, scratch], scratch / "spill")
    return connection


# ---- engines by their address


def connect(url: str | Address) -> SQLBackend:
    """An Ibis backend for an engine's address (forms: `address`); credentials from the environment only.

    InputError, one line without a secret, when the address is wrong, the engine's package is not installed, or the engine cannot
    be reached or does not let us in.
    """
    address = address_of(url) if isinstance(url, str) else url
    engine = address.engine
    if engine.module and not _installed(engine.module):
        raise InputError(f"{engine.name} needs its package: pip install -e '.[{engine.extra}]'")
    try:
        return CONNECT[address.scheme](address)
    except InputError:
        raise
    except Exception as error:  # each engine's package raises its own
        raise InputError(f"{address}: {engine.name} cannot be used: {one_line(error)}") from None


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package around it
        return False


def one_line(error: Exception) -> str:
    """The first line of what an engine says, without any secret that it was given."""
    said = (str(error).strip() or type(error).__name__).splitlines()[0]
    for name in ("PGPASSWORD", "SNOWFLAKE_PASSWORD", "SPARK_CONNECT_AUTHENTICATE_TOKEN"):
        if secret := os.environ.get(name):
            said = said.replace(secret, "…")
    return said


def _duckdb(address: Address) -> SQLBackend:
    import ibis

    given = {name: value for name, value in address.options.items() if name != "schema"}
    backend = ibis.duckdb.connect(address.path or ":memory:", threads=THREADS, **given)
    if given:  # a file to read from, whose views could read anything else
        _lock(backend.raw_sql, [], None)
    return backend


def _postgres(address: Address) -> SQLBackend:
    from revops_helpers.backends.postgres import Postgres

    database, schema = ([*address.parts, "", ""])[:2]
    given = {"user": address.user, "database": database, "schema": schema, **address.options}
    return Postgres().connect(
        host=address.host, port=address.port, connect_timeout=PATIENCE, **{name: value for name, value in given.items() if value}
    )


def _spark(address: Address) -> SQLBackend:
    from revops_helpers.backends.spark import Spark

    return Spark().connect(local_spark().newSession() if address.host == "local" else _remote_spark(address))


def local_spark(more: Mapping[str, str] | None = None) -> SparkSession:
    """The Spark of this process, begun where there is none, with more settings. InputError without Java."""
    from pyspark.sql import SparkSession

    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise InputError("Spark needs Java 17: install it, such as openjdk-17-jre-headless, or name its folder in JAVA_HOME")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": MEMORY.removesuffix("B").lower(),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": str(THREADS),
    }
    builder = SparkSession.builder.master(f"local[{THREADS}]").appName("revops")
    for name, value in (settings | dict(more or {})).items():
        builder = builder.config(name, value)
    with _silent():
        session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


@contextmanager
def _silent() -> Iterator[None]:
    """What is started in here says nothing on stderr, ever: Java's greetings would stand in a report."""
    own, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(own, 2)
        os.close(own)
        os.close(nowhere)


def _remote_spark(address: Address) -> SparkSession:
    from pyspark.sql import SparkSession

    socket.create_connection((address.host, address.port), PATIENCE).close()  # its client would try for minutes
    told = {"token": os.environ.get("SPARK_CONNECT_AUTHENTICATE_TOKEN"), "user_id": address.user, **address.options}
    said = "".join(f";{name}={value}" for name, value in told.items() if value)
    return SparkSession.builder.remote(f"sc://{address.host}:{address.port}/{said}").getOrCreate()


def _snowflake(address: Address) -> SQLBackend:
    import ibis

    database, schema = ([*address.parts, "", ""])[:2]
    given = {
        "user": address.user or os.environ.get("SNOWFLAKE_USER", ""),
        "password": os.environ.get("SNOWFLAKE_PASSWORD", ""),
        "private_key_file": os.environ.get("SNOWFLAKE_PRIVATE_KEY_FILE", ""),
        "database": database,
        "schema": schema,
        **address.options,
    }
    return ibis.snowflake.connect(
        account=address.host,
        create_object_udfs=False,  # it would need the right to create functions
        login_timeout=PATIENCE,
        **{name: value for name, value in given.items() if value},
    )


def _bigquery(address: Address) -> SQLBackend:
    import ibis

    return ibis.bigquery.connect(project_id=address.host, dataset_id=address.path, auth_local_webserver=False, **address.options)


CONNECT: dict[str, Callable[[Address], SQLBackend]] = {
    "duckdb": _duckdb,
    "postgres": _postgres,
    "spark": _spark,
    "snowflake": _snowflake,
    "bigquery": _bigquery,
}
