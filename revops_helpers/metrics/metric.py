"""A metric is one record: its words, its needs, its expression. Labels, formats, SQL and the catalogue come from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

Unit = Literal["money", "percent", "ratio", "days", "hours", "minutes", "months", "count", "points", "number"]
UNITS: tuple[str, ...] = get_args(Unit)
Family = Literal["revenue", "efficiency", "process", "team", "customer", "predictability", "marketing", "data_and_stack"]
FAMILIES: tuple[str, ...] = get_args(Family)

# How the numbers of one group are turned into a value and its interval:
#   sum         Σ num, exact
#   proportion  Σ num / Σ den of 0/1 rows, Wilson interval
#   ratio       Σ num / Σ den, delta method clustered by `cluster`
#   mean        mean of num with its t interval
#   median      Kaplan-Meier median of (num = duration, den = 1 if observed), Brookmeyer-Crowley interval
Estimator = Literal["sum", "proportion", "ratio", "mean", "median"]


@dataclass(frozen=True)
class Benchmark:
    """A dated band from a named source: context, never pass or fail."""

    text: str
    source: str
    year: int


@dataclass(frozen=True)
class Metric:
    """One metric. `facts(company, windows)` gives a lazy table of one row per counted thing and window:

    window (int, index into windows), num, den (number), cluster (text, where the estimator needs it) and one text column
    for every dimension of `dimensions`. Money is in integer cents of the reporting currency at plan rates.
    """

    id: str
    label: str
    family: Family
    unit: Unit
    grain: str
    direction: Literal["higher", "lower", "neither"]
    owner: str
    definition: str
    formula: str
    source: str
    needs: tuple[str, ...]
    estimator: Estimator
    facts: Callable
    dimensions: tuple[str, ...] = ()
    timing: str = ""
    edge_cases: str = ""
    benchmarks: tuple[Benchmark, ...] = ()
    additive: bool = False
