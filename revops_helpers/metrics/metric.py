"""A metric is one record: its words, its needs, its expression. Labels, formats, SQL and the catalogue come from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from datetime import date

    import ibis
    import pandas as pd

    from revops_helpers.metrics.reading import Reading
    from revops_helpers.metrics.windows import Windows
    from revops_helpers.model.company import Company
    from revops_helpers.settings import Settings

Unit = Literal["money", "percent", "ratio", "days", "hours", "minutes", "months", "count", "points", "number"]
UNITS: tuple[str, ...] = get_args(Unit)
Family = Literal["revenue", "efficiency", "process", "team", "customer", "predictability", "marketing", "data_and_stack"]
FAMILIES: tuple[str, ...] = get_args(Family)

# How the facts of one group become a value and its 95 % interval (x is num, y is den):
#   sum         Σx, exact
#   proportion  Σx / Σy of 0/1 rows, Wilson
#   ratio       Σx / Σy, delta method over independent clusters
#   share       Σx / Σy where x is all, nothing or a part of y: Wilson, as many trials as the unequal clusters are worth
#   mean        mean of x, Student's t
#   exact       Σx / Σy of booked totals: no sampling error is claimed
#   per_fixed   Σx / Σy: y is known exactly (money spent), x is a random sum over clusters
#   per_count   Σx / Σy: x is known exactly, y counts events (exact Poisson)
#   fixed_per   Σx / Σy: x is known exactly, y is a random sum over clusters
#   median      Kaplan-Meier median of x, or what `share` says; y is 1 where the event was seen, 0 where it is still to come
#   won_median  median of x among those who end with y = 1; y = 2 is the competing end (Aalen-Johansen)
#   lifetime    expected months within 60 of staying; x is the age at the end of watching, y is 1 where it ended
#   explained   1 − Σ(y − x)² / Σ(y − mean of y)²: the share of the variance of y that x explains, by clusters
#   derived     computed by `combine` from the metrics named in `parts`
Estimator = Literal[
    "sum",
    "proportion",
    "ratio",
    "share",
    "mean",
    "exact",
    "per_fixed",
    "per_count",
    "fixed_per",
    "median",
    "won_median",
    "lifetime",
    "explained",
    "derived",
]

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
    cluster: the column whose rows are not independent of each other. entry: the column with the age from which a row is watched.
    of_leads: its rows are leads, whose account may be known only once they are deals (`metrics.linked`).
    widens: facts whose rows the metric's own are, with more columns; metrics over either are measured in one pass.
    dimensions: what the metric can be cut by (names in metrics.dimensions).
    share: of a median, the share of the rows to whom it has happened within that time.
    facts_by: dimension → the facts to count instead when cut by it, where a row of the plain ones lies across its members.
    needs_by: what a cut needs where the facts carry its column themselves, instead of the column that the dimension names.
    additive: values of consecutive periods add up. stock: the value on the last day of the window, not of the days in it.
    present: the records tell it of the as-of date only: a window that ends before has no value.
    known_on(settings, end): the day on which the newest record of a window that ends on `end` is known (a cohort); until then
        the window is censored.
    lag(company): by how many months the spend it reads comes before the window. reach_months: how far before it reads.
    untold(company, read): why the records cannot tell it although the columns are there; empty when they can.
    zero_reason: what a denominator of zero or less means here; free_reason: what a cost of zero or less does.
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
    of_leads: bool = False
    widens: Facts | None = None
    cluster: str | None = None
    entry: str | None = None
    share: float = 0.5
    parts: tuple[str, ...] = ()
    combine: Callable[[Company, Windows, dict[str, pd.DataFrame]], pd.DataFrame] | None = None
    dimensions: tuple[str, ...] = ()
    facts_by: Mapping[str, Facts] = field(default_factory=dict)
    needs_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    benchmarks: tuple[Benchmark, ...] = ()
    additive: bool = False
    stock: bool = False
    present: bool = False
    known_on: Callable[[Settings, date], date] | None = None
    lag: Callable[[Company], int] | None = None
    reach_months: int = 0
    zero_reason: str = ""
    free_reason: str = ""
    untold: Callable[[Company, Reading | None], str] | None = None
