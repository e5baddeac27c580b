"""Ingest against DuckDB's own COPY of the same files to Parquet: hashing, mapping, key checks, quarantine and ledger included."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from benchmarks.timing import Row, against, spent
from revops_helpers.settings import read_settings
from revops_helpers.sources.entries import entries
from revops_helpers.workspace import open_company

LENIENT = "strict_mode=false, null_padding=true, encoding='latin-1'"


def run(folder: Path) -> list[Row]:
    """Ingest of the company in `folder` into a cache of its own, the same opened again, and COPY."""
    me = [sys.executable, "-m", "benchmarks.ingest"]
    before = os.environ.get("REVOPS_CACHE")
    with tempfile.TemporaryDirectory() as place:
        os.environ["REVOPS_CACHE"] = str(Path(place, "cache"))
        try:
            read, again = (spent([*me, "read", str(folder)]) for _turn in range(2))
            copied = spent([*me, "copy", str(folder), place])
        finally:
            os.environ.pop("REVOPS_CACHE")
            os.environ.update({"REVOPS_CACHE": before} if before else {})
    return [
        against("COPY to Parquet / ingest of the same files (speed)", copied, read, "≥ 0.40"),
        against("opening what was read / ingest", again, read, "< 1.00"),
        Row("peak memory of ingest / 4 GB", read.megabytes, 4096, "MB", "< 1.00"),
    ]


def read(folder: Path) -> None:
    """Open the company; what it read before is not read again."""
    open_company(folder, as_of="2026-09-30")


def copy(folder: Path, to: Path) -> None:
    """Every export to Parquet as DuckDB reads it, texts as texts; leniently where it refuses a row or the encoding."""
    import duckdb

    files = sorted({file for entry in entries(folder, read_settings(folder / "company.yml")) for file in entry.files.values()})
    for number, file in enumerate(files):
        put = f"TO '{to}/{number}.parquet'"
        if ".csv" not in file.suffixes:
            duckdb.execute(f"COPY (FROM read_json(?)) {put}", [str(file)])
            continue
        try:
            duckdb.execute(f"COPY (FROM read_csv(?, all_varchar=true)) {put}", [str(file)])
        except duckdb.InvalidInputException:
            duckdb.execute(f"COPY (FROM read_csv(?, all_varchar=true, {LENIENT})) {put}", [str(file)])


if __name__ == "__main__":
    what, *where = sys.argv[1:]
    {"read": read, "copy": copy}[what](*map(Path, where))
