"""Measure any metric of a company: by any dimension, in any fiscal windows, with interval and status.

The engine filters, joins and sums; only sufficient statistics come back. Metrics over the same facts share one query.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial

import ibis
import pandas as pd

from revops_helpers.measurement import Measurement
from revops_helpers.metrics import estimate
from revops_helpers.metrics.arrival import arrived
from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.metrics.dimensions import DIMENSIONS, add_dimension
from revops_helpers.metrics.estimate import ALONE, KEYS, RESULT
from revops_helpers.metrics.facts import to_sql, written_out
from revops_helpers.metrics.held import held
from revops_helpers.metrics.metric import Facts, Metric
from revops_helpers.metrics.plan import target
from revops_helpers.metrics.reading import Reading, narrows, reading
from revops_helpers.metrics.reasons import NOT_BY
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import Every, Period
from revops_helpers.periods import windows as split

__all__ = ["COLUMNS", "as_measurement", "catalogue", "measure", "measurement", "measurements", "sql", "target", "tidy"]

COLUMNS = [
    *("metric", "dimension", "member", "period_start", "period_end"),
    *("value", "low", "high", "n", "status", "reason"),
    *("unit", "currency", "definition_id"),
]
NOWHERE = -1  # the window of a metric that cannot be measured at all


class NotMeasuredBy(Unavailable):
    """The metric cannot be cut by that dimension."""

    def __init__(self, dimension: str):
        super().__init__([])
        self.dimension = dimension

    def __str__(self) -> str:
        return NOT_BY.format(dimension=self.dimension)


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


def values(company: Company, metrics: Sequence[Metric], windows: Windows, dimension: str = "") -> dict[str, pd.DataFrame]:
    """Metric id → frame of window, member and RESULT, a row for every window and member; made once for a company."""
    known = company.once(f"measured by {dimension} in {windows}", dict)
    missing: list[Metric] = []
    batches: dict[tuple, list[Metric]] = {}
    waiting = [*metrics]
    for metric in waiting:
        if metric.id in known or metric in missing:
            continue
        missing.append(metric)
        if reason := lacking(company, metric, dimension):
            known[metric.id] = none(reason)
        elif metric.estimator == "derived":
            waiting += [catalogue()[part] for part in metric.parts]  # so that they share the queries of the others
        else:
            alone = metric.id if metric.estimator in ALONE else ""
            batches.setdefault((_facts(metric, dimension), metric.cluster, alone), []).append(metric)
    known |= held(company, f"{dimension} {windows}", [*batches.values()], partial(_all_counted, company, windows, dimension))
    for metric in missing:
        if metric.id not in known:
            known[metric.id] = _derived(company, metric, windows, dimension)
    return {metric.id: known[metric.id] for metric in metrics}


def _all_counted(
    company: Company, windows: Windows, dimension: str, batches: Sequence[Sequence[Metric]]
) -> dict[str, pd.DataFrame]:
    """Every batch of metrics counted, each in one query that knows which tables the others read."""
    asked = Counter(table for batch in batches for table in _tables(batch))
    found: dict[str, pd.DataFrame] = {}
    for batch in batches:
        found |= _counted(company, batch, windows, dimension, alone=all(asked[table] == 1 for table in _tables(batch)))
    return found


def _tables(batch: Sequence[Metric]) -> set[str]:
    """The tables that the metrics of a query need."""
    return {need.partition(".")[0] for metric in batch for need in metric.needs}


def lacking(company: Company, metric: Metric, dimension: str) -> str:
    """Why the metric cannot be measured, cut or filtered here; empty when it can."""
    reason = absent(company, metric, dimension)
    if reason or not metric.untold:
        return reason
    try:
        return metric.untold(company)
    except Unavailable as missing:  # such as amounts in a currency without a rate
        return str(missing)


def absent(company: Company, metric: Metric, dimension: str) -> str:
    """What the metric or the cut needs and the company's tables do not have; empty when they have it."""
    try:
        require(company, metric, dimension)
    except Unavailable as missing:
        return str(missing)
    return ""


def require(company: Company, metric: Metric, dimension: str) -> None:
    """Unavailable when the company's tables lack what the metric or the cut needs, or it cannot be cut so."""
    cuts = [name for name in (dimension, "segment" if company.segment else "") if name]
    for name in cuts:
        if name not in metric.dimensions:
            raise NotMeasuredBy(name)
    of_cuts = [need for name in cuts for need in metric.needs_by.get(name, (DIMENSIONS[name].need,))]
    company.require([*metric.needs, *of_cuts])


def none(reason: str) -> pd.DataFrame:
    """The one row of what cannot be measured."""
    empty = estimate.frame([float("nan")], n=[0])
    return empty.assign(window=NOWHERE, member="", status="not_applicable", reason=reason)[[*KEYS, *RESULT]]


def _counted(company: Company, batch: Sequence[Metric], windows: Windows, dimension: str, alone: bool) -> dict[str, pd.DataFrame]:
    try:
        stats = query(company, batch, windows, dimension, alone).to_pandas()
    except Unavailable as missing:
        return {metric.id: none(str(missing)) for metric in batch}
    members = sorted(stats.member.unique()) if dimension else [""]
    out = {}
    for metric in batch:
        found = _every_window(metric, estimate.finish(stats, metric, company.settings), windows, members)
        out[metric.id] = arrived(company, metric, windows, found)
    return out


def query(company: Company, batch: Sequence[Metric], windows: Windows, dimension: str = "", alone: bool = True) -> ibis.Table:
    """The query of metrics that share facts: their sufficient statistics by window and member.

    alone: no other query that is asked for with it needs a table of it, so that nothing is made for both.
    """
    cuts = [name for name in (dimension, "segment" if company.segment else "") if name]
    return estimate.statistics(counted(company, batch[0], windows, dimension, reading(batch, cuts, alone)), batch)


def counted(company: Company, metric: Metric, windows: Windows, dimension: str = "", read: Reading | None = None) -> ibis.Table:
    """The facts that a metric counts, those of the company's segment, each with its window and its member of the dimension.

    read: the query that they are for, when columns that it does not read may be left out.
    """
    make = _facts(metric, dimension)
    facts = make(company, windows, read=read) if narrows(make) else make(company, windows)
    if company.segment:
        facts = add_dimension(company, facts, "segment")
        facts = facts.filter(facts.member == company.segment).drop("member")
    return add_dimension(company, facts, dimension) if dimension else facts.mutate(member=ibis.literal(""))


def _facts(metric: Metric, dimension: str) -> Facts | None:
    return metric.facts_by.get(dimension, metric.facts)


def _derived(company: Company, metric: Metric, windows: Windows, dimension: str) -> pd.DataFrame:
    """The metric from its parts, aligned over every window and member of any of them."""
    parts = values(company, [catalogue()[part] for part in metric.parts], windows, dimension)
    if without := [found for found in parts.values() if len(found) and found.window.iloc[0] == NOWHERE]:
        return none(without[0].reason.iloc[0])
    every = sorted({key for found in parts.values() for key in zip(found["window"], found["member"], strict=True)})
    aligned = {name: _filled(found, every) for name, found in parts.items()}
    try:
        return metric.combine(company, windows, aligned)[[*KEYS, *RESULT]]
    except Unavailable as missing:
        return none(str(missing))


def _every_window(metric: Metric, found: pd.DataFrame, windows: Windows, members: Sequence[str]) -> pd.DataFrame:
    """A row for each window and member: where nothing was counted a sum is 0 and anything else has no value."""
    every = [(window, member) for window in range(len(windows.periods)) for member in members]
    return _filled(found, every, zero=metric.estimator != "sum")


def _filled(found: pd.DataFrame, every: Sequence[tuple[int, str]], zero: bool = True) -> pd.DataFrame:
    there = dict(zip(zip(found["window"], found["member"], strict=True), range(len(found)), strict=True))
    absent = [key for key in every if key not in there]
    if absent:
        empty = estimate.frame([0.0] * len(absent), n=[0] * len(absent), zero=zero)
        keys = pd.DataFrame(absent, columns=KEYS)
        found = pd.concat([found, keys.join(empty)], ignore_index=True)
        there |= {key: len(there) + i for i, key in enumerate(absent)}
    return found.iloc[[there[key] for key in every]].reset_index(drop=True)[[*KEYS, *RESULT]]


def _tidy(company: Company, metric: Metric, dimension: str, windows: Windows, found: pd.DataFrame) -> pd.DataFrame:
    spans = {NOWHERE: windows.span, **dict(enumerate(windows.periods))}
    order = sorted(range(len(found)), key=lambda i: (found["member"].iloc[i], found["window"].iloc[i]))
    rows = found.iloc[order].reset_index(drop=True)
    size = len(rows)
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
        cut = [m.id for m in metrics if not lacking(company, m, dimension)]
        if cut:
            parts.append(measure(company, cut, by=dimension, period=spans))
    return pd.concat(parts, ignore_index=True)
