"""What one query reads: facts that know it leave out the columns, and the joins behind them, that nobody asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from inspect import signature

import ibis

from revops_helpers.metrics.dimensions import DIMENSIONS
from revops_helpers.metrics.metric import Facts, Metric


@dataclass(frozen=True, eq=False)
class Reading:
    """One query, told from any other, the columns that it reads of its facts, and whether it is asked for alone: no other query
    of the same measurement needs its tables."""

    columns: frozenset[str]
    alone: bool = True


def reading(metrics: Sequence[Metric], dimensions: Sequence[str], alone: bool = True) -> Reading:
    """The query of metrics that share facts, cut and filtered by dimensions."""
    read = frozenset().union(*(_reads(metric) for metric in metrics))
    cuts = (DIMENSIONS[name] for name in dimensions)
    return Reading(read.union(*({cut.name, cut.column, cut.via} for cut in cuts)), alone)


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
