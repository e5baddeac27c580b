"""The files beside the pages: tidy tables for spreadsheets and BI, and the actions for the task tracker."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from revops_helpers.metrics.measure import catalogue, sql, tidy
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.words.language import _, clean

FORMULA = ("=", "+", "-", "@", "\t", "\r")
PRIORITY = {"high": "High", "medium": "Medium", "low": "Low"}
CUTS = ("segment", "source", "region", "product", "channel")  # people are not told apart in what leaves


def safe(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets an apostrophe before it; numbers and dates stay."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def write_csv(file: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """UTF-8 with a header, "" for what is missing, lines ended by a line feed; no cell can become a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_cell(column) for column in columns])
    writer.writerows([["" if _missing(cell) else _cell(cell) for cell in row] for row in rows])
    file.write_text(text.getvalue(), encoding="utf-8", newline="")


def _cell(cell: Any) -> Any:
    """One cell: text without control characters and direction marks, lines ended by a line feed, which is quoted."""
    return safe(clean(cell.replace("\r\n", "\n").replace("\r", "\n"))) if isinstance(cell, str) else cell


def _missing(cell: Any) -> bool:
    return cell is None or cell is pd.NaT or (isinstance(cell, float) and cell != cell) or cell is pd.NA


def write_table(folder: Path, name: str, frame: pd.DataFrame) -> None:
    """One table as `name.csv` and `name.parquet`, in the order of the frame."""
    cells = zip(*(_plain(frame[column]) for column in frame.columns), strict=True) if len(frame.columns) else ()
    write_csv(folder / f"{name}.csv", list(frame.columns), cells)
    frame.to_parquet(folder / f"{name}.parquet", index=False)


def _plain(column: pd.Series) -> list[Any]:
    """Python values: whole numbers without a point, dates without a time of day."""
    values = column.astype(object).where(column.notna(), None).tolist()
    if pd.api.types.is_datetime64_any_dtype(column):
        return [None if v is None else v.date() if v == v.normalize() else v.isoformat() for v in values]
    return [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]


def queries_table(company: Company, ids: Iterable[str] = ()) -> pd.DataFrame:
    """metric, query: the SQL that the engine ran for each metric that can be measured here (of those named, else of all).

    What is computed from other metrics has no query of its own.
    """
    made = []
    for name in (name for name in ids or catalogue() if catalogue()[name].estimator != "derived"):
        with suppress(Unavailable):
            made.append((name, sql(company, name)))
    return pd.DataFrame(made, columns=["metric", "query"])


def metrics_table(company: Company) -> pd.DataFrame:
    """Every metric in total and by each of `CUTS` that it has: over the period of the review, its quarters and its months.

    One row per metric, member and period, in their order.
    """
    keys = ["metric", "dimension", "member", "period_start", "period_end"]
    return tidy(company, by=CUTS, every=("quarter", "month")).sort_values(keys, kind="stable", ignore_index=True)


def quarantine_summary(quarantine: pd.DataFrame) -> pd.DataFrame:
    """How many rows each rule refused, by table, source and column, with the advice and the file and line of the first: no value,
    nothing personal."""
    keys = ["table", "source", "column", "rule"]
    told = quarantine.fillna(dict.fromkeys([*keys, "advice"], ""))
    of_first = {"advice": ("advice", "first"), "file": ("file", "first"), "line": ("line", "first")}
    return told.groupby(keys, sort=True).agg(**of_first, rows=("rule", "size")).reset_index()


def quarantine_rows(quarantine: pd.DataFrame) -> pd.DataFrame:
    """Every refused row by where it stands and the rule that it broke; what it said stays in the private cache."""
    return quarantine[["table", "source", "file", "line", "column", "rule"]].reset_index(drop=True)


def write_actions(file: Path, findings: Iterable[Mapping[str, Any]]) -> None:
    """The findings as tasks: a CSV whose columns Jira's import (and most trackers') knows.

    The external id is the finding's own, so that the import of a later review finds the task again instead of making another.
    """
    columns = ("External ID", "Summary", "Issue Type", "Priority", "Due Date", "Labels", "Description")
    rows = []
    for finding in findings:
        about = [
            finding["headline"],
            _("Owner: {owner}", owner=finding["owner"]),
            _("Metric that should move: {metric}", metric=finding["metric"]),
            _("Evidence: {evidence}", evidence=finding["evidence"]),
        ]
        labels = f"revops {finding['phase']} {finding['id']}"
        priority = PRIORITY[finding["confidence"]]
        rows.append(
            (f"revops-{finding['id']}", finding["action"], "Task", priority, finding["review_on"], labels, "\n".join(about))
        )
    write_csv(file, columns, rows)


def write_json(file: Path, content: Any) -> None:
    """Readable JSON, the same bytes for the same content; unseen characters are written as codes. ValueError for NaN."""
    text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)
    unseen = {letter for letter in set(text) if letter != "\n" and not clean(letter)}
    file.write_text(text.translate({ord(u): f"\\u{ord(u):04x}" for u in unseen}) + "\n", encoding="utf-8")
