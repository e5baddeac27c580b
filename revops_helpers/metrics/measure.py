"""Measure any metric of a company: by any dimension, in any fiscal windows, with interval and status.

The engine filters, joins and sums; only sufficient statistics come back. Metrics over the same facts share one query.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cache

import ibis
import pandas as pd

from revops_helpers.measurement import Measurement
from revops_helpers.metrics import estimate
from revops_helpers.metrics.dimensions import DIMENSIONS, add_dimension
from revops_helpers.metrics.metric import Metric
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import Every, Period

COLUMNS = ["metric", "dimension", "member", "period_start", "period_end", "value", "low", "high", "n", "status", "reason", "unit", "currency", "definition_id"]
NOT_OVER = "the period is not over"
BEFORE_RECORDS = "the period begins before the records do"
NO_RECORDS = "no records of that time"
NOT_BY = "not measured by {dimension}"


@cache
def catalogue() -> dict[str, Metric]:
    """Every metric by id, in the order of the catalogue page."""
    from revops_helpers.metrics import process, revenue

    found: dict[str, Metric] = {}
    for family in (revenue, process):
        for metric in family.METRICS:
            if metric.id in found:
                raise ValueError(f"metric {metric.id} is defined twice")
            found[metric.id] = metric
    return found


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
    wanted = [catalogue()[i] for i in ([ids] if isinstance(ids, str) else ids)]
    dimensions = [by] if isinstance(by, str) and by else list(by)
    if unknown := [d for d in dimensions if d not in DIMENSIONS]:
        raise KeyError(f"unknown dimension {unknown[0]}; one of {', '.join(DIMENSIONS)}")
    windows = Windows.of(company.settings, period or company.period, every)
    parts = []
    for dimension in dimensions or [""]:
        found = values(company, wanted, windows, dimension)
        parts += [_tidy(company, metric, dimension, windows, found[metric.id]) for metric in wanted]
    return pd.concat(parts, ignore_index=True)


def measurement(company: Company, id: str, period: Period | None = None) -> Measurement:
    """One metric over one period, the company's when none is given: the total."""
    return as_measurement(measure(company, id, period=period).iloc[0])


def as_measurement(row: pd.Series) -> Measurement:
    """The Measurement of one row of `measure`."""
    number = {name: None if pd.isna(row[name]) else float(row[name]) for name in ("value", "low", "high")}
    value = number["value"]
    if value is not None and row["unit"] in ("money", "count"):
        number["value"] = int(value) if value.is_integer() else value
    return Measurement(
        **number,
        n=int(row["n"]),
        status=row["status"],
        reason=row["reason"],
        unit=row["unit"],
        currency=row["currency"] or None,
        definition_id=row["definition_id"],
    )


def values(company: Company, metrics: Sequence[Metric], windows: Windows, dimension: str = "") -> dict[str, pd.DataFrame]:
    """Metric id → frame (window, member, value, low, high, n, status, reason); an Unavailable metric has one row, window −1."""
    found: dict[str, pd.DataFrame] = {}
    batches: dict[tuple, list[Metric]] = {}
    for metric in metrics:
        try:
            check(company, metric, dimension)
        except Unavailable as lacking:
            found[metric.id] = none(str(lacking))
            continue
        batches.setdefault((metric.facts, metric.cluster), []).append(metric)
    for batch in batches.values():
        found |= _measured(company, batch, windows, dimension)
    return found


def check(company: Company, metric: Metric, dimension: str) -> None:
    """Unavailable when the company lacks what the metric, the cut or the segment filter needs."""
    needs = list(metric.needs)
    for name in {dimension, "segment" if company.segment else ""} - {""}:
        if name not in metric.dimensions:
            raise NotMeasuredBy(name)
        needs.append(DIMENSIONS[name].need)
    company.require(needs)


class NotMeasuredBy(Unavailable):
    """The metric cannot be cut by that dimension."""

    def __init__(self, dimension: str):
        super().__init__([])
        self.dimension = dimension

    def __str__(self) -> str:
        return NOT_BY.format(dimension=self.dimension)


def none(reason: str) -> pd.DataFrame:
    """The one row of what cannot be measured."""
    return estimate.frame([float("nan")], n=[0]).assign(window=-1, member="", status="not_applicable", reason=reason)


def _measured(company: Company, batch: Sequence[Metric], windows: Windows, dimension: str) -> dict[str, pd.DataFrame]:
    try:
        stats = statistics(company, batch, windows, dimension).to_pandas()
    except Unavailable as lacking:
        return {metric.id: none(str(lacking)) for metric in batch}
    return {metric.id: estimate.finish(stats, i, metric) for i, metric in enumerate(batch)}


def statistics(company: Company, batch: Sequence[Metric], windows: Windows, dimension: str = "") -> ibis.Table:
    """The query of metrics that share facts: their sufficient statistics by window and member."""
    facts = batch[0].facts(company, windows)
    if company.segment:
        facts = add_dimension(company, facts, "segment").filter(ibis._.member == company.segment)
    if dimension:
        facts = add_dimension(company, facts, dimension)
    else:
        facts = facts.mutate(member=ibis.literal(""))
    return estimate.sums(facts, batch)


def sql(company: Company, id: str) -> str:
    """The query that the engine runs for a metric over the company's period, in its own dialect. Unavailable as the metric."""
    metric = catalogue()[id]
    check(company, metric, "")
    return str(ibis.to_sql(statistics(company, [metric], Windows.of(company.settings, company.period)), pretty=True))


def _tidy(company: Company, metric: Metric, dimension: str, windows: Windows, found: pd.DataFrame) -> pd.DataFrame:
    rows = _every_window(metric, dimension, windows, found)
    rows = _arrived(company, metric, windows, rows)
    span = windows.span
    of = lambda w, edge: getattr(windows.periods[w] if w >= 0 else span, edge)  # noqa: E731
    rows = rows.assign(
        metric=metric.id,
        dimension=dimension,
        period_start=[of(w, "start") for w in rows.window],
        period_end=[of(w, "end") for w in rows.window],
        unit=metric.unit,
        currency=company.settings.currency if metric.unit == "money" else "",
        definition_id=metric.id,
    )
    return rows.sort_values(["member", "period_start", "period_end"], kind="stable")[COLUMNS]


def _every_window(metric: Metric, dimension: str, windows: Windows, found: pd.DataFrame) -> pd.DataFrame:
    """A row for each window and member: where nothing was counted a sum is 0 and anything else has no value."""
    if len(found) and found.window.iloc[0] == -1:
        return found
    members = sorted(found.member.unique()) if dimension else [""]
    every = pd.MultiIndex.from_product([range(len(windows.periods)), members], names=estimate.KEYS)
    there = found.set_index(estimate.KEYS)
    missing = every.difference(there.index)
    if metric.estimator == "sum":
        empty = estimate.frame([0.0] * len(missing), n=[0] * len(missing))
    else:
        empty = estimate.frame([float("nan")] * len(missing), n=[0] * len(missing), zero=True)
    return pd.concat([there, empty.set_index(missing)]).reset_index()


def _arrived(company: Company, metric: Metric, windows: Windows, rows: pd.DataFrame) -> pd.DataFrame:
    """Windows that are not over, or that begin before the records do, are partial; those before all records have no value."""
    known = [
        company.settings.records_start[t] for t in {n.split(".")[0] for n in metric.needs} if t in company.settings.records_start
    ]
    begin = max(known, default=None)
    rows = rows.copy()
    for at, window in zip(rows.index, rows.window, strict=True):
        if window < 0:
            continue
        period = windows.periods[window]
        start = period.end if metric.stock else period.start
        if begin and period.end < begin:
            rows.loc[at, ["value", "low", "high"]] = float("nan")
            rows.loc[at, ["status", "reason"]] = ["not_applicable", NO_RECORDS]
        elif begin and start < begin:
            rows.loc[at, ["status", "reason"]] = ["partial", BEFORE_RECORDS]
        elif period.end > company.as_of:
            rows.loc[at, ["status", "reason"]] = ["partial", NOT_OVER]
    return rows


def target(company: Company, id: str, period: Period | None = None) -> Measurement | None:
    """The target of a metric (or plan driver) over a period, from `targets`; None where the plan does not say.

    Additive metrics add up the plan's rows inside the period, stocks take the last, others average by days. The rows must
    cover the whole period without overlap; the finest ones that do are taken.
    """
    if company.missing(["targets"]):
        return None
    metric = catalogue()[id]
    period = period or company.period
    rows = company.once("targets", lambda: company.table("targets").to_pandas())
    segment = rows.segment.fillna("") if "segment" in rows.columns else pd.Series("", index=rows.index)
    rows = rows[(rows.metric == (metric.target_metric or id)) & (segment == (company.segment or ""))]
    rows = rows.assign(start=pd.to_datetime(rows.period_start).dt.date, end=pd.to_datetime(rows.period_end).dt.date)
    chosen = _covering(rows[(rows.start >= period.start) & (rows.end <= period.end)], period)
    if chosen is None:
        return None
    value = _planned(metric, chosen)
    money = metric.unit == "money"
    return Measurement(
        value=int(round(value * 100)) if money else value,
        n=len(chosen),
        unit=metric.unit,
        currency=company.settings.currency if money else None,
        definition_id=id,
    )


def _covering(rows: pd.DataFrame, period: Period) -> pd.DataFrame | None:
    """The rows that tile the period, preferring short ones; None when none do."""
    days = pd.Series([(e - s).days + 1 for s, e in zip(rows.start, rows.end, strict=True)], index=rows.index, dtype="int64")
    rows = rows.assign(days=days).sort_values(["start", "days"])
    chosen, following = [], period.start
    for row in rows.itertuples():
        if row.start == following:
            chosen.append(row.Index)
            following = row.end + timedelta(days=1)
    return rows.loc[chosen] if chosen and following == period.end + timedelta(days=1) else None


def _planned(metric: Metric, rows: pd.DataFrame) -> float:
    if metric.additive:
        return float(rows.value.sum())
    if metric.stock:
        return float(rows.value.iloc[-1])
    return float((rows.value * rows.days).sum() / rows.days.sum())
