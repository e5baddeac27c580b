"""Measure any metric of a company: by any dimension, in any fiscal windows, with interval and status."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from revops_helpers.measurement import Measurement
from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.metrics.counting import NOWHERE, absent, query, require, values
from revops_helpers.metrics.dimensions import DIMENSIONS
from revops_helpers.metrics.kept import to_sql, written_out
from revops_helpers.metrics.metric import Metric
from revops_helpers.metrics.plan import target
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company
from revops_helpers.periods import Every, Period
from revops_helpers.periods import windows as split

__all__ = ["COLUMNS", "as_measurement", "catalogue", "measure", "measurement", "measurements", "sql", "target", "tidy"]

COLUMNS = [
    *("metric", "dimension", "member", "period_start", "period_end"),
    *("value", "low", "high", "n", "status", "reason"),
    *("unit", "currency", "definition_id"),
]


def measure(
    company: Company,
    ids: str | Sequence[str],
    by: str | Iterable[str] = (),
    every: Every | None = None,
    period: Period | None = None,
) -> pd.DataFrame:
    """One row per metric, member of each dimension in `by` (one dimension at a time; the total when empty) and fiscal window.

    The columns are COLUMNS; money in cents, percents as shares, dates as datetime.date. What cannot be measured is one row
    that says why. KeyError for an unknown metric or dimension.
    """
    return measured(company, ids, by, Windows.of(company.settings, period or company.period, every))


def measured(company: Company, ids: str | Sequence[str], by: str | Iterable[str], windows: Windows) -> pd.DataFrame:
    """measure() over any windows, such as a period beside the one of a year before."""
    wanted = [catalogue()[i] for i in ([ids] if isinstance(ids, str) else ids)]
    dimensions = ([by] if by else [""]) if isinstance(by, str) else (list(by) or [""])
    if unknown := [d for d in dimensions if d and d not in DIMENSIONS]:
        raise KeyError(f"unknown dimension {unknown[0]}; one of {', '.join(DIMENSIONS)}")
    parts = []
    for dimension in dimensions:
        found = values(company, wanted, windows, dimension)
        parts += [_tidy(company, metric, dimension, windows, found[metric.id]) for metric in wanted]
    return pd.concat(parts, ignore_index=True)


def measurement(company: Company, id: str, period: Period | None = None) -> Measurement:
    """One metric over one period (the company's when none is given): the total."""
    return measurements(company, [id], period)[id]


def measurements(company: Company, ids: Sequence[str], period: Period | None = None) -> dict[str, Measurement]:
    """Several metrics over one period, in as few queries as their facts allow."""
    rows = measure(company, list(ids), period=period)
    return {row["metric"]: as_measurement(row) for _, row in rows.iterrows()}


def as_measurement(row: pd.Series) -> Measurement:
    """The Measurement of one row of `measure`."""
    value, low, high = (None if pd.isna(row[name]) else float(row[name]) for name in ("value", "low", "high"))
    if value is not None and row["unit"] in ("money", "count") and value.is_integer():
        value = int(value)
    return Measurement(
        value=value,
        n=int(row["n"]),
        low=low,
        high=high,
        status=row["status"],
        reason=row["reason"],
        unit=row["unit"],
        currency=row["currency"] or None,
        definition_id=row["definition_id"],
    )


def _tidy(company: Company, metric: Metric, dimension: str, windows: Windows, found: pd.DataFrame) -> pd.DataFrame:
    spans = {NOWHERE: windows.span, **dict(enumerate(windows.periods))}
    keys = [*zip(found["member"], found["window"], strict=True)]
    size = len(keys)
    order = sorted(range(size), key=keys.__getitem__)
    rows = found if order == [*range(size)] else found.iloc[order].reset_index(drop=True)
    more = {
        "metric": [metric.id] * size,
        "dimension": [dimension] * size,
        "period_start": [spans[w].start for w in rows["window"]],
        "period_end": [spans[w].end for w in rows["window"]],
        "unit": [metric.unit] * size,
        "currency": [company.settings.currency if metric.unit == "money" else ""] * size,
        "definition_id": [metric.id] * size,
    }
    return pd.DataFrame({name: more[name] if name in more else rows[name] for name in COLUMNS})


def sql(company: Company, id: str) -> str:
    """The query that the engine runs for a metric over the company's period, in its own dialect; parts one after another.

    Unavailable where the company lacks what the metric needs.
    """
    metric = catalogue()[id]
    if metric.estimator == "derived":
        return "\n\n".join(f"-- {part}\n{sql(company, part)}" for part in metric.parts)
    require(company, metric, "")
    return company.once(f"SQL of {id}", lambda: company.kept(f"query-{id}", lambda: _written(company, metric).encode()).decode())


def _written(company: Company, metric: Metric) -> str:
    """The query of one metric with its steps named before it."""
    whole, steps = written_out(company)
    last = to_sql(company, query(whole, [metric], Windows.of(company.settings, company.period)))
    named = ",\n".join(f"{name} AS (\n{step}\n)" for name, step in steps.items())
    return f"WITH {named}\n{last}" if named and not last.startswith("WITH ") else f"WITH {named},\n{last[5:]}" if named else last


def tidy(
    company: Company,
    ids: Sequence[str] | None = None,
    by: Iterable[str] = ("segment", "source", "region"),
    every: Iterable[Every] = ("month", "quarter"),
) -> pd.DataFrame:
    """Every metric (or those named) of the company's period: in total and by each dimension that it has, whole and in windows.

    The frame of tables/metrics.csv: COLUMNS, one row per metric, member and period, without repeated rows.
    """
    metrics = [catalogue()[i] for i in ids or catalogue()]
    # All windows of a cut in one query: what goes before the engine runs costs more than the rows that count twice.
    first = company.settings.fiscal_year_start
    spans = (company.period, *(span for step in every for span in split(company.period, step, first)))
    spans = tuple(dict.fromkeys(spans))
    parts = [measure(company, [m.id for m in metrics], period=spans)]
    for dimension in by:
        cut = [m.id for m in metrics if not absent(company, m, dimension)]
        if cut:
            parts.append(measure(company, cut, by=dimension, period=spans))
    return pd.concat(parts, ignore_index=True)
