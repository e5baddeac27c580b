"""The scorecard of the executive report, whole, against hand-written SQL of the same results; and how often Parquet is read.

Checked equal, intervals included, before anything is timed. Ours is measured anew each turn: nothing kept from an earlier one.
"""

from __future__ import annotations

import gc
import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.by_hand_scorecard import Found, scorecard
from benchmarks.timing import Row, against, medians, spent
from revops_helpers.ingest import cache_folder
from revops_helpers.metrics.measure import catalogue, measure, target
from revops_helpers.model.company import Company
from revops_helpers.workspace import open_company

NUMBERS = ["value", "low", "high"]
READS = re.compile(r'(?<!")\b(WITH|SELECT)\b')  # where a statement begins to read, after INSERT INTO or CREATE TABLE


def opened(folder: Path) -> Company:
    """The company without a shelf: nothing that was counted before is taken from there."""
    return replace(open_company(folder, as_of=date(2026, 9, 30), period="ytd"), shelf=None)


def asked(company: Company) -> list[str]:
    """The report's first table: the metrics with a target and the few that every board asks for, where they have a value."""
    from revops_helpers.words.executive import KEY

    ids = [name for name in catalogue() if name in KEY or target(company, name) is not None]
    found = measure(company.on(company.as_of), ids)
    return list(found.metric[found.value.notna()])


def run(folder: Path, turns: int = 5) -> list[Row]:
    """The rows of the report. AssertionError when results differ."""
    company = opened(folder)
    wanted = asked(company)
    execute, parquet = company.table("accounts").get_backend().raw_sql, cache_folder() / company.fingerprint
    by_hand = partial(scorecard, execute, parquet)
    expected = by_hand()
    ids = [name for name in wanted if name in expected]
    check(ours(company, ids), expected)
    used = medians({"ours": partial(ours, company, ids), "sql": by_hand}, turns)
    memory = spent([sys.executable, "-m", "benchmarks.scorecard", str(folder)]).megabytes
    name = f"whole scorecard, {len(ids)} of {len(wanted)} metrics / hand-written SQL"
    rows = [
        against(name, used["ours"], used["sql"], "≤ 1.20"),
        Row("peak memory of the whole scorecard / 4 GB", memory, 4096, "MB", "< 1.00"),
    ]
    # How often a table is scanned does not depend on its size, and what scores of runs keep fits into memory at scale 1.
    return rows + scan_rows(opened(Path("sample")), ids)


def ours(company: Company, ids: Sequence[str]) -> pd.DataFrame:
    return measure(company.on(company.as_of), ids)


def check(found: pd.DataFrame, by_hand: Found) -> None:
    """AssertionError that names the metrics whose values or intervals differ."""
    expected = np.array([by_hand[name] for name in found.metric], float)
    same = np.isclose(found[NUMBERS].to_numpy(float), expected, rtol=1e-9, equal_nan=True).all(axis=1)
    assert same.all(), f"the results differ: {', '.join(found.metric[~same])}"


# --- scans ---------------------------------------------------------------------------------------------------------------


def scan_rows(company: Company, ids: Sequence[str]) -> list[Row]:
    """How often each table is read: all metrics at once, against each alone on a fresh company, added up."""
    together = scans(company, ids)
    alone = sum((scans(company, [name]) for name in ids), Counter())
    names = sorted(alone, key=lambda name: -alone[name])
    rows = [Row("scans of Parquet / one query a metric", together.total(), alone.total(), "", "< 1.00")]
    return rows + [Row(f"scans of {name} / one query a metric", together[name], alone[name], "", "≤ 1.00") for name in names]


def scans(company: Company, ids: Sequence[str]) -> Counter[str]:
    """Table → how many scans of its Parquet the statements plan that measure these metrics on a fresh company."""
    backend = company.table("accounts").get_backend()
    connection, aside = backend.con, backend.aside
    backend.con, backend.aside = watched = (Watched(connection), Watched(aside))
    try:
        ours(company, ids)
    finally:
        backend.con, backend.aside = connection, aside
    gc.collect()  # so that what this measurement has kept in the engine goes with the next
    return sum((each.scans for each in watched), Counter())


class Watched:
    """A connection that has every statement explained as well, and counts the scans of Parquet in it."""

    def __init__(self, connection) -> None:
        self._connection = connection
        self.scans: Counter[str] = Counter()

    def __getattr__(self, name: str):
        return getattr(self._connection, name)

    def sql(self, statement: str, **named):
        self.scans += scanned(self._connection, statement)
        return self._connection.sql(statement, **named)

    def execute(self, statement: str, *more, **named) -> Watched:
        self.scans += scanned(self._connection, statement)
        self._connection.execute(statement, *more, **named)
        return self  # as DuckDB's own connection: what follows on it is watched too


def scanned(connection, statement: str) -> Counter[str]:
    """Table → scans of its Parquet when what the statement selects is run, which is how DuckDB names the files of a scan."""
    reads = READS.search(statement)
    if reads is None or " VIEW " in statement[: reads.start()]:
        return Counter()
    told = connection.execute(f"EXPLAIN (ANALYZE, FORMAT json) {statement[reads.start() :]}").fetchone()[1]
    return Counter(_scans(json.loads(told)))


def _scans(step: dict) -> list[str]:
    """The table of every scan of Parquet in a step of a plan and those below it."""
    below = [table for child in step.get("children", ()) for table in _scans(child)]
    if step.get("operator_name", "").strip() != "READ_PARQUET":
        return below
    return [Path(step["extra_info"]["Filename(s)"]).stem, *below]


if __name__ == "__main__":
    there = opened(Path(sys.argv[1]))
    ours(there, asked(there))
