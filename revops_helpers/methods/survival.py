"""Times to an event when some are still to come: Kaplan-Meier, the time to a win beside losses, and expected lifetimes.

All take grouped rows: `weights` says how many records share a duration, so that the engine can count first.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Survival:
    """A survival curve: the share to whom it has not happened yet, at each time at which it happened to someone.

    median: the first time at which the curve is at ½ or below; None when it never gets there, and then `longest`, the longest
    time watched while it was above, is its lower bound. low and high are pointwise 95 % (log-log Greenwood); median_low and
    median_high are where they cross ½ (Brookmeyer and Crowley 1982), None where they never do.
    """

    times: np.ndarray
    survival: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: int
    events: int
    median: float | None
    median_low: float | None
    median_high: float | None
    longest: float | None


def kaplan_meier(
    duration: ArrayLike, observed: ArrayLike, entry: ArrayLike | None = None, weights: ArrayLike | None = None
) -> Survival:
    """The Kaplan-Meier curve by lifelines. Empty input gives an empty curve with n 0.

    duration: time to the event, or to the end of watching where `observed` is false. entry: since when each record was
    watched (left truncation); records count as at risk after it. ValueError when so few were watched early that the curve
    falls to zero before the later ones enter.
    """
    duration, seen = np.asarray(duration, float), np.asarray(observed, bool)
    weights = np.ones(len(duration), dtype="int64") if weights is None else np.asarray(weights)
    n, events = int(weights.sum()), int(weights[seen].sum())
    if n == 0:
        nothing = np.array([])
        return Survival(nothing, nothing, nothing, nothing, 0, 0, None, None, None, None)
    fitted = _fitted(duration, seen, entry, weights)
    curve, band = fitted.survival_function_.iloc[:, 0], fitted.confidence_interval_
    steps = fitted.event_table["observed"].reindex(curve.index).fillna(0).to_numpy() > 0
    times, survival = curve.index.to_numpy(float), curve.to_numpy(float)
    low, high = band.iloc[:, 0].to_numpy(float), band.iloc[:, 1].to_numpy(float)
    return Survival(
        times=times[steps],
        survival=survival[steps],
        low=low[steps],
        high=high[steps],
        n=n,
        events=events,
        median=_first_at_half(times, survival),
        median_low=_first_at_half(times, low),
        median_high=_first_at_half(times, high),
        longest=float(duration.max()),
    )


def _fitted(duration: np.ndarray, seen: np.ndarray, entry: ArrayLike | None, weights: np.ndarray):
    from lifelines import KaplanMeierFitter
    from lifelines.exceptions import StatError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lifelines warns when few are at risk early; the interval shows it
        try:
            return KaplanMeierFitter().fit(duration, seen, entry=entry, weights=weights)
        except StatError as refused:
            raise ValueError(f"too few were watched early on: {refused}") from None


def _first_at_half(times: np.ndarray, curve: np.ndarray) -> float | None:
    below = np.flatnonzero(curve <= 0.5 + 1e-12)
    return float(times[below[0]]) if len(below) else None


@dataclass(frozen=True)
class TimeToWin:
    """How long the winners take. share: of all, how many win in the end as far as seen; median and its interval of the time."""

    n: int
    wins: int
    share: float | None
    median: float | None
    low: float | None
    high: float | None


def time_to_win(
    duration: ArrayLike, ending: ArrayLike, entry: ArrayLike | None = None, weights: ArrayLike | None = None
) -> TimeToWin:
    """Median time to a win, by the Aalen-Johansen curve of wins beside losses, over its plateau.

    ending: 1 won, 2 lost, 0 still open. Deals still open count while they are watched, losses are a competing end: so the
    median is neither shortened by the slow deals that are still open (as the mean of the won is) nor stretched by counting
    losses as deals that might yet be won. Interval: where the curve crosses ½ ± 1.96 × ½/√wins (the sign test's).
    Source: Aalen and Johansen 1978; Andersen et al. 1993.
    """
    duration, ending = np.asarray(duration, float), np.asarray(ending, int)
    entry = np.zeros(len(duration)) if entry is None else np.asarray(entry, float)
    weights = np.ones(len(duration)) if weights is None else np.asarray(weights, float)
    n, wins = int(weights.sum()), int(weights[ending == 1].sum())
    if not wins:
        return TimeToWin(n, 0, 0.0 if n else None, None, None, None)
    times, at_risk, won, ended = _risk_table(duration, ending, entry, weights)
    still_open = np.concatenate([[1.0], np.cumprod(1 - ended / at_risk)[:-1]])
    incidence = np.cumsum(still_open * won / at_risk)
    share = incidence / incidence[-1]
    reach = 0.5 + 0.98 / np.sqrt(wins) * np.array([-1, 0, 1])
    low, median, high = (float(times[np.argmax(share >= r - 1e-12)]) if r <= 1 else None for r in reach)
    return TimeToWin(n, wins, float(incidence[-1]), median, low, high)


def _risk_table(duration, ending, entry, weights) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """At each time at which something ended: how many were at risk (entered before, not yet gone), won, ended at all."""
    times, at = np.unique(duration[ending > 0], return_inverse=True)
    end_weight, end_kind = weights[ending > 0], ending[ending > 0]
    ended = np.bincount(at, end_weight, len(times))
    won = np.bincount(at, end_weight * (end_kind == 1), len(times))
    return times, _weight_from(duration, weights, times) - _weight_from(entry, weights, times), won, ended


def _weight_from(values: np.ndarray, weights: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The weight of values at or after each time."""
    order = np.argsort(values)
    upto = np.concatenate([[0.0], np.cumsum(weights[order])])
    return upto[-1] - upto[np.searchsorted(values[order], times, side="left")]


def expected_lifetime(
    duration: ArrayLike,
    observed: ArrayLike,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    horizon: int = 60,
    monthly_discount: float = 0.0,
) -> tuple[float, float]:
    """Months that a customer pays within `horizon`, and the standard error: Σ S(t)·v^t over t = 0 … horizon − 1.

    duration: whole months from the first paid month to the month without payment (or to the last month watched).
    A tenure that nobody is watched at carries the curve on flat. Standard error by the delta method (Greenwood's terms).
    """
    duration = np.asarray(duration, float)
    entry = np.zeros(len(duration)) if entry is None else np.asarray(entry, float)
    weights = np.ones(len(duration)) if weights is None else np.asarray(weights, float)
    ages = np.arange(1, horizon)
    at_risk = _weight_from(duration, weights, ages) - _weight_from(entry, weights, ages)
    lost = np.array([weights[(duration == a) & np.asarray(observed, bool)].sum() for a in ages])
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = np.where(at_risk > 0, lost / at_risk, 0.0)
        greenwood = np.where(at_risk > lost, lost / (at_risk * (at_risk - lost)), 0.0)
    paid = np.concatenate([[1.0], np.cumprod(1 - hazard)]) * (1 + monthly_discount) ** -np.arange(horizon)
    after = np.cumsum(paid[::-1])[::-1][1:]
    return float(paid.sum()), float(np.sqrt(np.sum(after**2 * greenwood)))


def annualised(monthly: ArrayLike) -> np.ndarray:
    """The yearly rate of a monthly one: 1 − (1 − m)^12. 3 % a month is 30.6 % a year, not 36 %."""
    return 1 - (1 - np.asarray(monthly, float)) ** 12
