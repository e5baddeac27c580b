"""The only place that connects to anything: DuckDB in memory, locked to the folders it may read before it reads a byte."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from revops_helpers.model.formats import quoted

if TYPE_CHECKING:
    import duckdb
    from ibis.backends.duckdb import Backend

THREADS = int(os.environ.get("REVOPS_THREADS", "2"))
MEMORY = os.environ.get("REVOPS_MEMORY", "3GB")


def _lock(execute, folders: Iterable[Path], scratch: Path | None) -> None:
    """Shut every door but the folders. The order matters: nothing can be set once the configuration is locked."""
    listed = ", ".join(quoted(f"{folder.resolve()}/") for folder in folders)
    execute(f"SET memory_limit = {quoted(MEMORY)}")
    execute("SET TimeZone = 'UTC'")
    execute("PRAGMA disable_progress_bar")  # as SET it asks for ipywidgets in a notebook
    execute(f"SET temp_directory = {quoted(scratch or '')}")
    execute(f"SET allowed_directories = [{listed}]")
    execute("SET enable_external_access = false")
    execute("SET lock_configuration = true")


def reader(folder: Path) -> Backend:
    """An Ibis backend that can read Parquet below `folder` and nothing else on this machine, nor the network."""
    import ibis

    # DuckDB flattens nested SELECTs itself, at once; Ibis takes as long for it as for everything else it does to a query.
    ibis.options.sql.fuse_selects = False
    backend = ibis.duckdb.connect(threads=THREADS)
    _lock(backend.raw_sql, [folder], None)
    return backend


def workbench(folders: Iterable[Path], scratch: Path) -> duckdb.DuckDBPyConnection:
    """A connection for ingest: reads and writes below `folders` and `scratch` only, and spills there."""
    import duckdb

    connection = duckdb.connect(config={"threads": THREADS})
    _lock(connection.execute, [*folders, scratch], scratch / "spill")
    return connection
