"""Simulated futures from what is known with an interval: seeded, vectorised, exact where nothing is uncertain.

Draws of one person, rate or deal never depend on how many others there are, so that more people never give less in any draw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from revops_helpers.measurement import Measurement

Z = 1.959963984540054


def drawn(known: Mapping[str, float | Measurement], draws: int, seed: int) -> dict[str, np.ndarray]:
    """Name → draws from a two-piece normal through low, value and high (2.5 %, 50 % and 97.5 %), never below zero.

    On the logarithmic scale where low is above zero, as befits rates that are multiplied and divided. What is exact, or has no
    interval, stays as it is. Each name has its own stream, so that adding one changes no other. KeyError never; a Measurement
    without a value gives NaN.
    """
    result = {}
    for name in known:
        stream = np.random.default_rng([seed, *name.encode()])
        result[name] = _two_piece(known[name], stream.standard_normal(draws))
    return result


def _two_piece(known: float | Measurement, z: np.ndarray) -> np.ndarray:
    if not isinstance(known, Measurement) or known.value is None or known.exact:
        value = known.value if isinstance(known, Measurement) else known
        return np.full(len(z), np.nan if value is None else float(value))
    value = float(known.value)
    low, high = (value if end is None else float(end) for end in (known.low, known.high))
    if low > 0:
        down, up = np.log(value / low) / Z, np.log(high / value) / Z
        return value * np.exp(z * np.where(z < 0, down, up))
    return np.maximum(value + z * np.where(z < 0, value - low, high - value) / Z, 0.0)


def people_at_work(starts: Sequence[int], months: Sequence[int], ramp: np.ndarray, hazard: np.ndarray, seed: int) -> np.ndarray:
    """How many full people each person is worth in each month to come: an array of people × months × draws.

    starts: the month in which each begins, counted from now (negative: they are there); months: the months wanted, 1 is the next.
    ramp: tenure × draws, what a person of 0, 1, … months is worth, full beyond the last; hazard: draws, leaving per month.
    A person who leaves in a month is worth nothing in it. ValueError for a negative hazard.
    """
    hazard = np.asarray(hazard, float)
    if (hazard < 0).any():
        raise ValueError("a hazard below zero")
    starts, months = np.asarray(starts, int), np.asarray(months, int)
    stream = np.random.default_rng(seed)
    with np.errstate(divide="ignore"):
        stay = -np.log1p(-stream.random((len(starts), len(hazard)))) / hazard  # months until leaving, from now or the start
    worth = np.concatenate([ramp, np.ones((1, len(hazard)))])
    tenure = months[None, :] - starts[:, None]
    held = worth[np.clip(tenure, 0, len(ramp))]
    since = np.where(starts[:, None] > 0, tenure, months[None, :])
    return np.where((tenure[:, :, None] >= 0) & (stay[:, None, :] >= since[:, :, None]), held, 0.0)


def random_totals(mean: np.ndarray, dispersion: float, seed: int) -> np.ndarray:
    """Totals of a random number of random amounts with these means: gamma, variance dispersion (Σx² ÷ Σx of the amounts) × mean.

    mean: … × draws; every total of one draw is at the same quantile, so that a larger mean never gives a smaller total and
    cumulative means give cumulative totals. With no dispersion the mean itself.
    """
    mean = np.asarray(mean, float)
    if dispersion < 1e-9:  # below the rounding of the mean itself, and where mean ÷ dispersion overflows
        return mean
    from scipy.special import gammaincinv

    chance = np.random.default_rng(seed).random(mean.shape[-1])
    return np.where(mean > 0, dispersion * gammaincinv(np.maximum(mean, 1e-12) / dispersion, chance), 0.0)
