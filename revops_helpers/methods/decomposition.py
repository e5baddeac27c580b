"""Which driver explains how much of a difference: exact Shapley decomposition of any identity, and the split of a rate.

Sources: Shorrocks, "Decomposition procedures for distributional analysis", Journal of Economic Inequality 11 (2013); Das
Gupta, "Standardization and decomposition of rates", US Bureau of the Census P23-186 (1993), whose decomposition of products
the Shapley value is; Kitagawa, "Components of a difference between two rates", JASA 50 (1955). Intervals: Zou and Donner,
"Construction of confidence limits about effect measures", Statistics in Medicine 27 (2008).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import pandas as pd

from revops_helpers.measurement import Measurement

MOST_DRIVERS = 12
Number = float | Measurement
Identity = Callable[..., float]


@dataclass(frozen=True)
class Decomposition(Mapping[str, Number]):
    """Driver → effect, in the order in which the base names the drivers.

    groups: group → sum of its drivers' effects. total: identity(actual) − identity(base), which the effects sum to.
    """

    effects: Mapping[str, Number]
    total: Number
    groups: Mapping[str, Number] = field(default_factory=dict)

    def __getitem__(self, driver: str) -> Number:
        return self.effects[driver]

    def __iter__(self) -> Iterator[str]:
        return iter(self.effects)

    def __len__(self) -> int:
        return len(self.effects)


def shapley(
    base: Mapping[str, Number],
    actual: Mapping[str, Number],
    identity: Identity,
    groups: Mapping[str, str | Iterable[str]] | None = None,
) -> Decomposition:
    """Split identity(**actual) − identity(**base) into one effect per driver.

    An effect is the change that its driver makes, averaged over all orders in which the drivers can move from base to actual
    (the exact Shapley value). The identity is called once for each of the 2^k states in which each driver is at its base or
    its actual value, so k is at most 12. Drivers may be zero or negative; one that did not move has the effect 0 exactly;
    the order in which drivers are given changes no bit of the result.

    Where a value is a Measurement, effects, subtotals and the total are Measurements whose intervals come from the drivers'
    own: each side of a driver's interval is carried through the effect's gradient (central differences), drivers taken as
    independent, squares added (for symmetric intervals this is the delta method). An open side leaves that side open.

    groups: driver → group, or group → drivers; drivers may stay without one. A subtotal is the sum of its drivers' Shapley
    values and not an Owen value, so that naming groups changes no driver's effect; where groups add up in the identity,
    as new business and retention do in net new ARR, the two agree.

    ValueError: no drivers or more than 12, base and actual naming different drivers, a value that is absent or not finite,
    an identity that is not finite on some state, a group that names an unknown driver or one driver twice.
    """
    states = _States(base, actual, identity)
    members = _members(groups or {}, states.drivers)
    values = states.values()
    effects = dict(zip(states.drivers, _exact_effects(values, len(states.drivers)), strict=True))
    subtotals = {group: math.fsum(effects[driver] for driver in drivers) for group, drivers in members.items()}
    total = values[-1] - values[0]
    if not states.measured:
        return Decomposition({driver: effects[driver] for driver in base}, total, subtotals)
    gradients = states.gradients()
    rows = dict(zip(states.drivers, gradients, strict=True))
    measured = {d: states.measurement(effects[d], rows[d], [d]) for d in base}
    return Decomposition(
        measured,
        states.measurement(total, gradients.sum(axis=0), states.drivers),
        {g: states.measurement(subtotals[g], sum(rows[d] for d in ds), ds) for g, ds in members.items()},
    )


def _members(groups: Mapping[str, str | Iterable[str]], drivers: Sequence[str]) -> dict[str, list[str]]:
    """Group → its drivers, sorted, from either way of writing groups."""
    members: dict[str, list[str]] = {}
    for name, value in groups.items():
        if isinstance(value, str):
            members.setdefault(value, []).append(name)
        else:
            members[name] = list(value)
    named = [driver for group in members.values() for driver in group]
    if unknown := sorted(set(named) - set(drivers)):
        raise ValueError(f"groups name drivers that are not there: {', '.join(unknown)}")
    if len(named) > len(set(named)):
        raise ValueError("a driver stands in more than one group")
    return {group: sorted(group_drivers) for group, group_drivers in members.items()}


def _exact_effects(values: Sequence[float], k: int) -> list[float]:
    """Shapley values of the game `values`, indexed by coalition bit mask; each rounded once, not once per term."""
    effects = []
    for i in range(k):
        bit = 1 << i
        terms: list[list[float]] = [[] for _ in range(k)]
        for mask in range(1 << k):
            if not mask & bit:
                terms[mask.bit_count()] += (values[mask | bit], -values[mask])
        exact = (Fraction(math.fsum(part)) / (k * math.comb(k - 1, size)) for size, part in enumerate(terms))
        effects.append(float(sum(exact)))
    return effects


def _shapley_matrix(k: int) -> np.ndarray:
    """k × 2^k matrix that turns a game's values into its Shapley values."""
    masks = np.arange(1 << k)
    sizes = np.array([int(mask).bit_count() for mask in masks])
    weights = np.array([1 / (k * math.comb(k - 1, size)) for size in range(k)] + [0.0])
    rows = [np.where(masks >> i & 1, weights[sizes - 1], -weights[sizes]) for i in range(k)]
    return np.array(rows)


class _States:
    """The two states of every driver, in sorted order so that the caller's order cannot matter."""

    def __init__(self, base: Mapping[str, Number], actual: Mapping[str, Number], identity: Identity):
        if set(base) != set(actual):
            raise ValueError(f"base and actual name different drivers: {', '.join(sorted(set(base) ^ set(actual)))}")
        if not 1 <= len(base) <= MOST_DRIVERS:
            raise ValueError(f"{len(base)} drivers; between 1 and {MOST_DRIVERS} can be decomposed")
        self.drivers = sorted(base)
        self.identity = identity
        self.sources = [[side[driver] for driver in self.drivers] for side in (base, actual)]
        self.sides = [[_value(v, d) for v, d in zip(s, self.drivers, strict=True)] for s in self.sources]
        self.spreads = [[_spread(value) for value in side] for side in self.sources]
        self.measured = any(isinstance(value, Measurement) for side in self.sources for value in side)

    def call(self, values: Sequence[float]) -> float:
        result = float(self.identity(**dict(zip(self.drivers, values, strict=True))))
        if not math.isfinite(result):
            raise ValueError(f"the identity is {result} for {dict(zip(self.drivers, values, strict=True))}")
        return result

    def at(self, mask: int) -> list[float]:
        """Driver values with the drivers of the bit mask at actual, the others at base."""
        return [self.sides[mask >> i & 1][i] for i in range(len(self.drivers))]

    def values(self) -> list[float]:
        return [self.call(self.at(mask)) for mask in range(1 << len(self.drivers))]

    def gradients(self) -> np.ndarray:
        """effects × (base drivers, actual drivers): how each effect moves with each uncertain input.

        Shapley values are linear in the game, so an effect's derivative is the Shapley value of the states' derivatives,
        and only the states that use the input have one.
        """
        k = len(self.drivers)
        result = np.zeros((k, 2 * k))
        matrix = _shapley_matrix(k)
        for side in (0, 1):
            for j in range(k):
                if any(self.spreads[side][j]):
                    result[:, side * k + j] = matrix @ self._slopes(side, j)
        return result

    def _slopes(self, side: int, j: int) -> np.ndarray:
        """d identity / d input, for every state; zero where the input is not used."""
        masks = range(1 << len(self.drivers))
        return np.array([self.slope(side, j, mask) if mask >> j & 1 == side else 0.0 for mask in masks])

    def slope(self, side: int, j: int, mask: int) -> float:
        """d identity / d input at one state."""
        reach = [abs(self.sides[side][j]), *(s for s in self.spreads[side][j] if math.isfinite(s))]
        step = 1e-5 * (max(reach) or 1.0)
        up, down = self.at(mask), self.at(mask)
        up[j] += step
        down[j] -= step
        return (self.call(up) - self.call(down)) / (up[j] - down[j])

    def measurement(self, value: float, gradient: np.ndarray, drivers: Iterable[str]) -> Measurement:
        """The value with the interval that the inputs' intervals give it; n and status are those of the actual drivers."""
        low, high = _interval(value, gradient, [spread for side in self.spreads for spread in side])
        own = [self.sources[1][self.drivers.index(driver)] for driver in drivers]
        own = [source for source in own if isinstance(source, Measurement)]
        worst = next((s for s in own if s.status != "ok"), None)
        return Measurement(
            value=value,
            n=min((source.n for source in own), default=0),
            low=low,
            high=high,
            status=worst.status if worst else "ok",
            reason=worst.reason if worst else "",
        )


def propagate(inputs: Mapping[str, Number], function: Identity) -> Measurement:
    """function(**inputs) with the interval that the inputs' intervals give it, as in `shapley`. ValueError as there."""
    game = _States(inputs, inputs, function)
    k = len(game.drivers)
    value = game.call(game.sides[1])
    gradient = np.array([game.slope(1, j, (1 << k) - 1) if any(game.spreads[1][j]) else 0.0 for j in range(k)])
    return game.measurement(value, np.concatenate([np.zeros(k), gradient]), game.drivers)


def kitagawa(before: Mapping[str, tuple[float, Number]], after: Mapping[str, tuple[float, Number]]) -> pd.DataFrame:
    """Split the change of a rate between two times into what each member's rate and what the mix of members did.

    before, after: member → (weight, rate); weights are made into shares. A member absent on one side, or without a rate
    there (None), has the rate of the other side, so that it can only change the mix.
    One row per member: member, share_before, share_after, rate_before, rate_after, rate_effect, low, high, mix_effect.
    All rate and mix effects together sum to the change of the total rate. A member's mix effect is measured from the average
    rate: more weight on a member that is better than average is good. low and high bound the rate effect at 95 %.
    Source: Kitagawa 1955 (the two-factor case of `shapley`). ValueError when a side has no weight.
    """
    totals = [math.fsum(weight for weight, _ in side.values()) for side in (before, after)]
    if not all(total > 0 for total in totals):
        raise ValueError("no weight on one side; there is nothing to compare")
    names = sorted(set(before) | set(after))
    rows = []
    for name in names:
        pair = [side.get(name, (0.0, None)) for side in (before, after)]
        shares = [weight / total for (weight, _), total in zip(pair, totals, strict=True)]
        rates = [rate for _, rate in pair]
        rates = [own if _known(own) else other for own, other in (rates, rates[::-1])]
        if not _known(rates[0]):
            raise ValueError(f"member {name} has no rate on either side")
        effect = propagate({"before": rates[0], "after": rates[1]}, _change(sum(shares) / 2))
        rows.append((name, *shares, *map(_plain, rates), effect.value, effect.low, effect.high))
    columns = ["member", "share_before", "share_after", "rate_before", "rate_after", "rate_effect", "low", "high"]
    frame = pd.DataFrame(rows, columns=columns).astype({"low": float, "high": float})
    average = (frame.rate_before * frame.share_before + frame.rate_after * frame.share_after).sum() / 2
    middle = (frame.rate_before + frame.rate_after) / 2
    return frame.assign(mix_effect=(frame.share_after - frame.share_before) * (middle - average))


def _change(weight: float) -> Identity:
    return lambda before, after: weight * (after - before)


def _known(rate: Number | None) -> bool:
    return rate is not None and (not isinstance(rate, Measurement) or rate.value is not None)


def _plain(rate: Number) -> float:
    return float(rate.value if isinstance(rate, Measurement) else rate)


def _interval(value: float, gradient: Sequence[float], spreads: Sequence[tuple[float, float]]) -> tuple:
    """The value's 95 % interval: each input's spread times its gradient, on the side that matters, squares added."""
    if not any(any(spread) for spread in spreads):
        return None, None
    parts = [(g * s[0], g * s[1]) if g >= 0 else (-g * s[1], -g * s[0]) for g, s in zip(gradient, spreads, strict=True) if g]
    down, up = (math.sqrt(math.fsum(part[side] ** 2 for part in parts)) for side in (0, 1))
    return None if math.isinf(down) else value - down, None if math.isinf(up) else value + up


def _value(source: Number, driver: str) -> float:
    value = source.value if isinstance(source, Measurement) else source
    if value is None:
        raise ValueError(f"driver {driver} has no value: {source.reason if isinstance(source, Measurement) else 'None'}")
    if not math.isfinite(value):
        raise ValueError(f"driver {driver} is {value}; a finite number is needed")
    return float(value)


def _spread(source: Number) -> tuple[float, float]:
    """How far the interval reaches below and above the value; infinity for an open side, zeros for an exact number."""
    if not isinstance(source, Measurement) or source.exact:
        return 0.0, 0.0
    below = math.inf if source.low is None else max(0.0, source.value - source.low)
    above = math.inf if source.high is None else max(0.0, source.high - source.value)
    return below, above
