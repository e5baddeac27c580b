"""What one query reads: facts that know it leave out the columns, and the joins behind them, that nobody asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from inspect import signature

import ibis

from revops_helpers.metrics.dimensions import DIMENSIONS
from revops_helpers.metrics.metric import Facts, Metric
from revops_helpers.metrics.windows import Windows
from revops_helpers.periods import add_months, fiscal_year_start


@dataclass(frozen=True)
class Part:
    """What is asked, or made, of a table that several queries read: columns (all of them when none is named), and how things
    stood from a day on (ever when there is none)."""

    columns: frozenset[str] = frozenset()
    since: date | None = None

    def holds(self, other: Part) -> bool:
        """Whether all that the other asks is in it."""
        columns = not self.columns or (bool(other.columns) and other.columns <= self.columns)
        return columns and (self.since is None or (other.since is not None and self.since <= other.since))


ALL = Part()


@dataclass(frozen=True, eq=False)
class Reading:
    """One query, told from any other, the columns that it reads of its facts, and whether it is asked for alone: no other query
    of the same measurement needs its tables. together: what the queries of the measurement read, as far as metrics tell."""

    columns: frozenset[str]
    alone: bool = True
    together: Part = ALL


def reading(metrics: Sequence[Metric], dimensions: Sequence[str], alone: bool = True, together: Part = ALL) -> Reading:
    """The query of metrics that share facts, cut and filtered by dimensions."""
    return Reading(_columns(metrics, dimensions), alone, together)


def _columns(metrics: Sequence[Metric], dimensions: Sequence[str]) -> frozenset[str]:
    cuts = (DIMENSIONS[name] for name in dimensions)
    cut_by = frozenset().union(*({cut.name, cut.column, cut.via} for cut in cuts))
    return cut_by.union(*(_reads(metric) for metric in metrics))


def together(metrics: Sequence[Metric], facts: Sequence[Facts], dimensions: Sequence[str], windows: Windows) -> Part:
    """What the queries of metrics over these facts read: everything, unless all facts know how to leave something out."""
    if not all(narrows(make) for make in facts):
        return ALL
    years = (add_months(p.end + timedelta(days=1), -12) for p in windows.periods)
    begins = (fiscal_year_start(p.start, windows.first_month) for p in windows.periods)
    return Part(_columns(metrics, dimensions), min(windows.span.start, *years, *begins) - timedelta(days=1))


def wanted(read: Reading | None, *needed: str) -> frozenset[str]:
    """The columns to ask of a table, those `needed` besides; none named means all of them, which is what no query asks for."""
    return read.columns.union(needed) if read else frozenset()


@cache
def narrows(facts: Facts) -> bool:
    """Whether the facts take the query (`read`) that they are for."""
    return "read" in signature(facts).parameters


@cache
def _reads(metric: Metric) -> frozenset[str]:
    seen = _Seen()
    for pick in (metric.where, metric.num, metric.den):
        if pick:
            pick(seen)
    return frozenset(seen.names | {name for name in (metric.cluster, metric.entry) if name})


class _Seen:
    """Stands for a table and remembers the columns that an expression takes of it."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> ibis.Deferred:
        self.names.add(name)
        return ibis._[name]

    __getattr__: Callable[[str], ibis.Deferred] = __getitem__
