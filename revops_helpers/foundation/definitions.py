"""Do we agree on what we measure? What each team has reported, and the choices in its definition that make the difference.

A team's number is the catalogue's with some choices made otherwise: other costs, another quarter, other customers. Every
combination of choices is computed; the one with the fewest changes that gives the claim is the team's definition, and the
difference is split over its changes by exact Shapley, so that the parts add up to it. Chance can fit a number too: where many
combinations lie near a coarse claim, nothing is told.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations, pairwise, product

import ibis
import pandas as pd

from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.methods.decomposition import shapley
from revops_helpers.metrics.measure import catalogue, measurement
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import Period, add_months, start_of

SAME = 0.02  # a claim this near to the catalogue's number agrees with it
NEAR = 0.1  # how densely combinations lie is counted within this share of the claim
BY_CHANCE = 0.05  # more expected coincidences than this, and a match proves nothing

Choice = str | tuple[str, ...]
Choices = Mapping[str, Choice]


@dataclass(frozen=True)
class Switch:
    """One choice that a definition makes; the first option is the catalogue's."""

    id: str
    options: tuple[Choice, ...]


@dataclass(frozen=True)
class Yardstick:
    """A metric with the choices in its definition. value(choices): in the metric's unit, None where it has no denominator.

    whole: the ARR, in cents, of which the catalogue's number is a share; None where it is no share of money.
    """

    switches: tuple[Switch, ...]
    value: Callable[[Choices], float | None]
    whole: int | None = None

    def canonical(self) -> dict[str, Choice]:
        """The catalogue's choices."""
        return {switch.id: switch.options[0] for switch in self.switches}

    def combinations(self) -> Iterator[tuple[dict[str, Choice], float]]:
        """Every combination of choices that has a value."""
        names = [switch.id for switch in self.switches]
        for options in product(*(switch.options for switch in self.switches)):
            choices = dict(zip(names, options, strict=True))
            if (value := self.value(choices)) is not None:
                yield choices, value


def sums(table: ibis.Table, **wanted: ibis.Value) -> dict[str, int]:
    """One row of sums from the engine, absent ones 0."""
    return {name: value or 0 for name, value in table.agg(**wanted).to_pyarrow().to_pylist()[0].items()}


def ratio(num: float, den: float) -> float | None:
    """num ÷ den, None where den is not positive."""
    return num / den if den > 0 else None


def subsets(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Every subset but the empty one, small ones first."""
    return [some for size in range(1, len(names) + 1) for some in combinations(names, size)]


@dataclass(frozen=True)
class Move:
    """A choice that a team makes otherwise, and by how much it moves the number (in the metric's unit)."""

    switch: str
    option: Choice
    effect: float


@dataclass(frozen=True)
class Bridge:
    """From the catalogue's number to a claim: canonical + Σ effects + remainder = claimed.

    explained: a combination gives the claim, to the precision in which it was stated; then the remainder is rounding alone.
    Where none does, moves lead to the nearest combination, which is no more than that, and the remainder is what it leaves.
    tried: combinations computed. others: further combinations, with as few changes, that give the claim too, by other switches or
    nearly so.
    chance: combinations expected to lie as near by coincidence; above BY_CHANCE a match is not taken for an explanation.
    whole: as of the yardstick.
    """

    canonical: float
    claimed: float
    moves: tuple[Move, ...]
    explained: bool
    tried: int
    others: int
    chance: float
    whole: int | None = None

    @property
    def remainder(self) -> float:
        """What the moves leave."""
        return self.claimed - self.canonical - math.fsum(move.effect for move in self.moves)

    def in_cents(self, scale: int = 1) -> tuple[int, ...]:
        """The canonical number, each effect and the remainder in whole cents (or 1/scale units) that add up to the claim."""
        so_far = [self.canonical]
        for move in self.moves:
            so_far.append(so_far[-1] + move.effect)
        if self.explained:
            so_far[-1] = self.claimed
        rounded = [round(value * scale) for value in (*so_far, self.claimed)]
        return (rounded[0], *(b - a for a, b in pairwise(rounded)))


@dataclass(frozen=True)
class Claim:
    """One reported number. claimed is in the metric's unit (money in cents); ours is the catalogue's over the same quarter.

    bridge: from ours to the claim; None where the metric has no switches here, or its data is missing. currency: the company's.
    """

    team: str
    metric: str
    period: Period
    claimed: float
    ours: Measurement
    words: str
    bridge: Bridge | None = None
    currency: str = ""

    @property
    def agrees(self) -> bool | None:
        """Whether the claim lies within SAME of ours; None where there is no number of ours. Chance is no excuse: both count
        the same events."""
        if self.ours.value is None:
            return None
        return abs(self.claimed - self.ours.value) <= SAME * abs(self.ours.value)

    @property
    def unexplained(self) -> bool:
        """Whether choices were tried and none gives the claim, not even by chance."""
        return self.bridge is not None and not self.bridge.explained and not self.bridge.chance


def claims(company: Company) -> tuple[Claim, ...]:
    """Every claim of the newest reported quarter, by metric and team. Unavailable without claims.

    A claim states only the first day of its period: it is taken to be of the fiscal quarter that this day is in. A name that is
    neither an id nor a label of the catalogue has no number of ours.
    """
    company.require(["metric_claims.value", "metric_claims.period_start"])
    rows = company.table("metric_claims").execute().dropna(subset=["value"])
    if rows.empty:
        raise Unavailable(["metric_claims.value"])
    known = {name.lower(): metric.id for metric in catalogue().values() for name in (metric.id, metric.label)}
    first_month = company.settings.fiscal_year_start
    starts = [start_of("quarter", pd.Timestamp(day).date(), first_month) for day in rows.period_start]
    rows = rows.assign(quarter=starts).query("quarter == quarter.max()").sort_values(["metric", "team"])
    return tuple(_claim(company, row, known.get(str(row.metric).lower())) for row in rows.itertuples())


def _claim(company: Company, row, metric: str | None) -> Claim:
    period = Period(row.quarter, add_months(row.quarter, 3) - timedelta(days=1))
    words = getattr(row, "definition", None)
    ours = measurement(company, metric, period) if metric else not_applicable("the catalogue has no such measure")
    scale = 100 if ours.unit == "money" else 1
    claimed = float(row.value) * scale
    bridge = _bridge(company, metric, period, claimed, ours) if metric and ours.value is not None else None
    known = row.metric if metric is None else metric
    return Claim(row.team, known, period, claimed, ours, words or "", bridge, company.settings.currency)


def _bridge(company: Company, metric: str, period: Period, claimed: float, ours: Measurement) -> Bridge | None:
    from revops_helpers.foundation.yardsticks import yardstick

    found = company.once(("yardstick", metric, period), lambda: yardstick(company, metric, period))
    return reconcile(claimed, found, ours.unit) if found else None


def reconcile(claimed: float, yardstick: Yardstick, unit: str = "money") -> Bridge:
    """The claim from the yardstick's canonical number by the fewest changes of choice.

    ValueError when the canonical number itself has no value.
    """
    start = yardstick.canonical()
    base = yardstick.value(start)
    if base is None:
        raise ValueError("the catalogue's own definition has no value here")
    every = [(_changed(choices, start), choices, value) for choices, value in yardstick.combinations()]
    matches, chance = _matches(every, claimed, unit)
    order = list(start)
    nearest = min(
        matches or every,
        key=lambda one: (
            len(one[0]) if matches else 0,
            round(abs(one[2] - claimed), 6),
            len(one[0]),
            [order.index(n) for n in one[0]],
        ),
    )
    explained = bool(matches) and (not nearest[0] or chance <= BY_CHANCE)
    alike = {(changed, round(value, 9)) for changed, _, value in matches if len(changed) == len(nearest[0])}
    moves = _moves(yardstick, start, nearest[1], nearest[0])
    return Bridge(base, claimed, moves, explained, len(every), max(len(alike) - 1, 0), chance, yardstick.whole)


def _changed(choices: Choices, start: Choices) -> tuple[str, ...]:
    return tuple(name for name in start if choices[name] != start[name])


def _matches(every: list, claimed: float, unit: str) -> tuple[list, float]:
    """The combinations that give the claim in the finest precision in which any does, and how many chance would give.

    Of combinations with at most as many changes as the best match; how densely they lie is counted around the claim.
    """
    for width in _precisions(claimed, unit):
        if found := [one for one in every if abs(one[2] - claimed) <= width + 1e-9 * abs(claimed)]:
            fewest = min(len(changed) for changed, _, _ in found)
            around = NEAR * abs(claimed)
            values = {value for changed, _, value in every if len(changed) <= fewest and abs(value - claimed) <= around}
            return found, (len(values) - 1) * width / around if around else 0.0
    return [], 0.0


def _precisions(claimed: float, unit: str) -> tuple[float, ...]:
    """Half of the last digit stated: of money a cent, else a whole unit; of a share or ratio as written; counts exactly."""
    if unit == "money":
        return (0.5, 50.0) if claimed % 100 == 0 else (0.5,)
    if unit == "count":
        return (0.0,)
    digits = len(f"{claimed:.10f}".rstrip("0").partition(".")[2])
    return (0.5 * 10**-digits,)


def _moves(yardstick: Yardstick, start: Choices, end: Choices, changed: tuple[str, ...]) -> tuple[Move, ...]:
    """Each change with its Shapley effect; where a state between has no value, all stand in the first."""
    if not changed:
        return ()

    def value(**made: float) -> float:
        found = yardstick.value({name: (end if made.get(name) else start)[name] for name in start})
        return math.nan if found is None else found

    try:
        effects = shapley(dict.fromkeys(changed, 0.0), dict.fromkeys(changed, 1.0), value)
    except ValueError:  # a denominator is not positive half way
        whole = value(**dict.fromkeys(changed, 1.0)) - value()
        return tuple(Move(name, end[name], whole if name == changed[0] else 0.0) for name in changed)
    return tuple(Move(name, end[name], effects[name]) for name in changed)
