"""From raw to canonical: small exports of each system, in each of its shapes, and the rows that they mean, written by hand.

The files under tests/systems/<system>/<shape>/ carry the names that the system documents. expected.yml states the canonical rows
once, for every shape means the same.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from revops_helpers.model.tables import TABLES

SYSTEMS = Path(__file__).parent / "systems"
CASES = sorted((folder.parent.name, folder.name) for folder in SYSTEMS.glob("*/*") if folder.is_dir())
AGREEMENT = """\
name: Test S.A.
currency: BRL
plan_rates: {{USD: 5}}
sources:
  {0}: {{path: {0}, time_zone: UTC, decimal: ".", dates: ymd}}
"""


def plain(value: object) -> object:
    """A canonical value as expected.yml writes it."""
    if value is None or pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return str(value)
    return value.item() if hasattr(value, "item") else value if isinstance(value, str | int | float) else str(value)


def rows_of(company, table: str) -> list[dict]:
    frame = company.accepted[table].to_pandas()
    for column in TABLES[table].columns:
        if column.type == "date" and column.name in frame:
            frame[column.name] = frame[column.name].map(lambda day: None if pd.isna(day) else str(day)[:10])
    return [{name: plain(value) for name, value in row.items() if not name.startswith("_")} for row in frame.to_dict("records")]


def by_key(table: str, rows: list[dict]) -> list[dict]:
    return sorted(rows, key=lambda row: [str(row.get(column)) for column in TABLES[table].key])


def wanted_of(told: dict, shape: dict, table: str) -> list[dict]:
    """The rows of a table in one shape: all of them, but for what expected.yml says of the shape."""
    key = TABLES[table].key[0]
    without, lacks, replaced = (shape.get(what, {}).get(table, ()) for what in ("without", "lacks", "replaced"))
    rows = shape.get("rows", {}).get(table) or [row for row in told["rows"][table] if row[key] not in lacks]
    rows = [row | (replaced or {}).get(row[key], {}) for row in rows] + shape.get("more", {}).get(table, [])
    return [{column: value for column, value in row.items() if column not in without} for row in rows]


@pytest.mark.parametrize(("system", "shape"), CASES)
def test_every_shape_of_a_system_gives_the_rows_that_it_means(system, shape, opened):
    told = yaml.safe_load((SYSTEMS / system / "expected.yml").read_text(encoding="utf-8"))
    files = {f"{system}/{file.name}": file.read_bytes() for file in (SYSTEMS / system / shape).iterdir()}
    company = opened(files, AGREEMENT.format(system), as_of="2026-06-30")
    expected = told["shapes"][shape]
    assert set(company.accepted) == set(expected["tables"])
    for table in expected["tables"]:
        wanted = by_key(table, wanted_of(told, expected, table))
        found = by_key(table, rows_of(company, table))
        assert [{c: row.get(c) for c in wanted[0]} for row in found] == wanted, table
        said = {column for row in found for column, value in row.items() if value is not None}
        assert said <= set(wanted[0]) | {"currency", "automated", "customer_facing"}, table
    aside = company.quarantine.groupby(["table", "rule"]).size()
    assert aside.to_dict() == {(t, rule): n for t, rules in expected.get("aside", {}).items() for rule, n in rules.items()}
    assert (company.ledger["read"] == company.ledger[["accepted", "quarantined", "excluded"]].sum(axis=1)).all()
    assert set(expected.get("notes", [])) <= set(company.notes)
