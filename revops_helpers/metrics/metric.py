"""A metric is one record: its words, its needs, its expression. Labels, formats, SQL and the catalogue come from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    import ibis
    import pandas as pd

    from revops_helpers.metrics.windows import Windows
    from revops_helpers.model.company import Company

Unit = Literal["money", "percent", "ratio", "days", "hours", "minutes", "months", "count", "points", "number"]
UNITS: tuple[str, ...] = get_args(Unit)
Family = Literal["revenue", "efficiency", "process", "team", "customer", "predictability", "marketing", "data_and_stack"]
FAMILIES: tuple[str, ...] = get_args(Family)

# How the facts of one group become a value and its 95 % interval:
#   sum         Σ num, exact
#   proportion  Σ num / Σ den of 0/1 rows, Wilson interval
#   ratio       Σ num / Σ den, delta method clustered by `cluster`
#   mean        mean of num, t interval
#   per_fixed   Σ num / Σ den where den is known exactly (money spent): num is a random sum, clustered by `cluster`
#   per_count   Σ num / Σ den where num is known exactly and den counts events: exact Poisson interval
#   median      Kaplan-Meier median of num, den = 1 where the event was seen, 0 where it is still to come
#   won_median  median time to den = 1 among those who get there, den = 2 being the competing end (Aalen-Johansen)
#   derived     computed by `combine` from the metrics named in `parts`
Estimator = Literal["sum", "proportion", "ratio", "mean", "per_fixed", "per_count", "median", "won_median", "derived"]

Pick = Callable[["ibis.Table"], "ibis.Value"]
Facts = Callable[["Company", "Windows"], "ibis.Table"]


@dataclass(frozen=True)
class Benchmark:
    """A dated band from a named source: context, never pass or fail."""

    text: str
    source: str
    year: int


@dataclass(frozen=True, eq=False)
class Metric:
    """One metric.

    facts(company, windows) gives a lazy wide table, one row per counted thing and window, with the integer column `window`;
        metrics that name the same function are measured in one pass over it.
    where, num, den: what the metric reads of a row: whether it counts, its numerator and its denominator (1 when not given).
    cluster: the column whose rows are not independent of each other. entry: column of delayed entry (won_median).
    dimensions: what the metric can be cut by (names in metrics.dimensions).
    additive: values of consecutive periods add up. stock: the value on the last day of the window, not of the days in it.
    horizon_days: how long after the window its newest record needs to be known (a cohort); until then the value is partial.
    target_metric: the name in `targets`, when it is not the id.
    Money is in integer cents of the reporting currency at plan rates; percents are shares.
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
    timing: str
    edge_cases: str
    facts: Facts | None = None
    num: Pick | None = None
    den: Pick | None = None
    where: Pick | None = None
    cluster: str | None = None
    entry: str | None = None
    parts: tuple[str, ...] = ()
    combine: Callable[[Company, Windows, dict[str, pd.DataFrame]], pd.DataFrame] | None = None
    dimensions: tuple[str, ...] = ()
    benchmarks: tuple[Benchmark, ...] = ()
    additive: bool = False
    stock: bool = False
    horizon_days: int = 0
    target_metric: str | None = None
