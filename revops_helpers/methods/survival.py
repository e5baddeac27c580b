"""Times to an event when some are still to come: Kaplan-Meier, Aalen-Johansen, cure model, and expected lifetimes.

All take grouped rows: `weights` says how many records share a duration, so that the engine can count first.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from revops_helpers.methods.at_risk import risk_table, watched, weight_from

Z = 1.959963984540054
FEWEST = 20  # events below which a share "in the end" is not told
SHORTEST = 1e-6  # a Weibull time has no zero


@dataclass(frozen=True)
class Survival:
    """A survival curve: the share to whom it has not happened yet, at each time at which it happened to someone.

    median: the first time at which the curve is at ½ or below; None when it never gets there, and then `longest`, the longest
    time watched while it was above, is its lower bound. low and high are pointwise 95 % (log-log Greenwood); median_low and
    median_high are where they cross ½ (Brookmeyer and Crowley 1982), None where they never do. Where the last few watched take
    the curve to zero there is no variance, and no upper end: as in R's survfit. last: how many were at risk at the last time.
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
    last: float

    def within(self, share: float) -> tuple[float | None, float | None, float | None]:
        """The time within which it happened to that share, and its bounds, as the median's are at a half."""
        return _crossed(self.times, self.survival, self.low, self.high, self.last, share)


class Unwatched(ValueError):
    """So few were watched early on that nothing can be told of those who came under watch later."""


def kaplan_meier(
    duration: ArrayLike, observed: ArrayLike, entry: ArrayLike | None = None, weights: ArrayLike | None = None
) -> Survival:
    """The Kaplan-Meier curve, in numpy since a review draws thousands; lifelines is its oracle. Of nothing: empty, with n 0.

    duration: time to the event, or to the end of watching where `observed` is false. entry: since when each record was
    watched (left truncation); records count as at risk after it, so that what had happened by then is left out. Unwatched when
    so few were watched early that the curve falls to zero before the later ones enter.
    """
    duration, seen, entry, weights = watched(duration, np.asarray(observed, bool), entry, weights)
    n, events = int(weights.sum()), int(weights[seen > 0].sum())
    if n == 0:
        nothing = np.array([])
        return Survival(nothing, nothing, nothing, nothing, 0, 0, None, None, None, None, 0)
    _refuse_a_gap(duration, entry, weights)
    times, at_risk, ended, _all = risk_table(duration, seen, entry, weights)
    with np.errstate(divide="ignore"):
        survival = np.exp(np.cumsum(np.log(at_risk - ended) - np.log(at_risk)))
        terms = np.where(at_risk > ended, ended / (at_risk * (at_risk - ended)), 0.0)
    low, high = _log_log(survival, np.cumsum(terms))
    last = float(at_risk[-1]) if len(times) else 0.0
    median, median_low, median_high = _crossed(times, survival, low, high, last, 0.5)
    return Survival(
        times=times,
        survival=survival,
        low=low,
        high=high,
        n=n,
        events=events,
        median=median,
        median_low=median_low,
        median_high=median_high,
        longest=float(duration.max()),
        last=last,
    )


def _log_log(survival: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Greenwood's interval on the log-log scale, which stays within 0 and 1; 0 where the curve is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm = np.log(survival)
        half = Z * np.sqrt(variance) / logarithm
        return tuple(np.exp(-np.exp(np.log(-logarithm) + sign * half)) for sign in (-1, 1))


def _refuse_a_gap(duration: np.ndarray, entry: np.ndarray, weights: np.ndarray) -> None:
    """Unwatched when nobody is watched any more in the first half of all times, before later ones enter."""
    times = np.unique(np.concatenate([entry, duration]))
    there = weight_from(duration, weights, times) - weight_from(entry, weights, times)
    left = there - np.bincount(np.searchsorted(times, duration), weights, len(times))
    left += np.bincount(np.searchsorted(times, entry), weights, len(times))
    if (left[: len(times) // 2] <= 0).any():
        raise Unwatched("too few were watched early on: the curve is zero before the later ones enter")


def _crossed(times, survival, low, high, last: float, share: float) -> tuple[float | None, float | None, float | None]:
    """When the curve and its bounds get to 1 − share. A fall to zero bounds it from above only where so many fell at once that
    it would be chance in less than 2.5 % of cases if more were to stay."""
    upper = high if share**last < 0.025 else np.where(survival > 0, high, np.nan)
    return tuple(_first_at(times, curve, 1 - share) for curve in (survival, low, upper))


def _first_at(times: np.ndarray, curve: np.ndarray, level: float = 0.5) -> float | None:
    below = np.flatnonzero(curve <= level + 1e-12)
    return float(times[below[0]]) if len(below) else None


@dataclass(frozen=True)
class Incidence:
    """The share to whom the event of interest has happened by each time at which anything ended, other ends competing.

    low and high are pointwise 95 % (complementary log-log, Aalen's variance); n records, events of interest among them.
    """

    times: np.ndarray
    incidence: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: int
    events: int


def aalen_johansen(
    duration: ArrayLike,
    ending: ArrayLike,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    event_of_interest: int = 1,
) -> Incidence:
    """The cumulative incidence of one ending beside competing ones. Empty input gives an empty curve with n 0.

    ending: 0 while it has not ended (censored), else the number of its end. Without competing ends it is one minus Kaplan and
    Meier's curve. Ties count together. Variance: Aalen's, as in Marubini and Valsecchi 1995, ch. 10.
    """
    duration, ending, entry, weights = watched(duration, ending, entry, weights)
    n, events = int(weights.sum()), int(weights[ending == event_of_interest].sum())
    times, at_risk, own, ended = risk_table(duration, ending, entry, weights, event_of_interest)
    before = np.concatenate([[1.0], np.cumprod(1 - ended / at_risk)[:-1]])[: len(times)]
    incidence = np.cumsum(before * own / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.where(at_risk > ended, ended / (at_risk * (at_risk - ended)), 0.0)
        steps = before * own / at_risk
        a, b = before**2 * own * (at_risk - own) / at_risk**3, before * own / at_risk**2
        # Σ over earlier times of (I(t) − I(tj))²·left + a − 2·(I(t) − I(tj))·b, by running sums of each power of I(t).
        squares = incidence**2 * np.cumsum(left) - 2 * incidence * np.cumsum(incidence * left) + np.cumsum(incidence**2 * left)
        crossed = incidence * np.cumsum(b) - np.cumsum(incidence * b)
        error = np.sqrt(np.maximum(squares + np.cumsum(a) - 2 * crossed, 0)) * (steps.cumsum() > 0)
        scale = Z * error / (np.log1p(-incidence) * (1 - incidence))
        low, high = (1 - (1 - incidence) ** np.exp(side * scale) for side in (1, -1))
    flat = ~np.isfinite(scale)
    return Incidence(times, incidence, np.where(flat, incidence, low), np.where(flat, incidence, high), n, events)


@dataclass(frozen=True)
class Cure:
    """A Weibull mixture: `share` get the event in the end, at times with this shape and scale; the others never do.

    low and high: 95 % of the share, on the log-odds scale. n records, events seen.
    """

    share: float
    low: float
    high: float
    shape: float
    scale: float
    n: int
    events: int


def cure_model(
    duration: ArrayLike, observed: ArrayLike, entry: ArrayLike | None = None, weights: ArrayLike | None = None
) -> Cure | None:
    """The share that gets the event in the end, however young the records, by lifelines' mixture cure model (Weibull).

    None with fewer than 20 events, or when the likelihood has no maximum inside: then the records are too young to tell a
    slow event from one that never comes. Source: Farewell 1982; Chapelle 2014 on delayed feedback.
    """
    from lifelines import MixtureCureFitter, WeibullFitter
    from lifelines.exceptions import ConvergenceError

    duration, seen = np.asarray(duration, float), np.asarray(observed, bool)
    weights = np.ones(len(duration)) if weights is None else np.asarray(weights, float)
    n, events = int(weights.sum()), int(weights[seen].sum())
    if events < FEWEST:
        return None
    fitter = MixtureCureFitter(base_fitter=WeibullFitter())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what lifelines warns of shows in the errors that are checked below
        try:
            fitter.fit(np.maximum(duration, SHORTEST), seen, entry=entry, weights=weights)
        except (ConvergenceError, ValueError, FloatingPointError):
            return None
        share, error = 1 - fitter.cured_fraction_, float(fitter.summary.loc["cured_fraction_", "se(coef)"])
    if not (0 < share < 1 and np.isfinite(error)):
        return None
    odds, half = np.log(share / (1 - share)), Z * error / (share * (1 - share))
    low, high = (float(1 / (1 + np.exp(-(odds + side * half)))) for side in (-1, 1))
    return Cure(float(share), low, high, float(fitter.rho_), float(fitter.lambda_), n, events)


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
    losses as deals that might yet be won. Interval: where the curve crosses ½ ± 1.96 × ½/√wins (the sign test's). Wins after
    an age at which nobody was watched any more say nothing and are none; Unwatched when there are only such.
    Source: Aalen and Johansen 1978; Andersen et al. 1993.
    """
    duration, ending, entry, weights = watched(duration, ending, entry, weights)
    curve = aalen_johansen(duration, ending, entry, weights)
    if not curve.events:
        return TimeToWin(curve.n, 0, 0.0 if curve.n else None, None, None, None)
    if not curve.incidence[-1]:
        raise Unwatched("all wins came after an age at which nobody was watched any more")
    rises = curve.times[np.diff(curve.incidence, prepend=0.0) > 0]
    wins = int(weights[(ending == 1) & np.isin(duration, rises)].sum())
    times, share = curve.times, curve.incidence / curve.incidence[-1]
    reach = 0.5 + 0.98 / np.sqrt(wins) * np.array([-1, 0, 1])
    low, median, high = (float(times[np.argmax(share >= r - 1e-12)]) if r <= 1 else None for r in reach)
    return TimeToWin(curve.n, wins, float(curve.incidence[-1]), median, low, high)


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
    at_risk, lost = _by_month(duration, observed, entry, weights, horizon)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.where(at_risk > lost, lost / (at_risk * (at_risk - lost)), 0.0)
    paid = _staying(at_risk, lost) * (1 + monthly_discount) ** -np.arange(horizon)
    after = np.cumsum(paid[::-1])[::-1][1:]
    return float(paid.sum()), float(np.sqrt(np.sum(after**2 * greenwood)))


def months_told(duration: ArrayLike, observed: ArrayLike, entry: ArrayLike, weights: ArrayLike, horizon: int = 60) -> int:
    """How many of the months 0 … horizon − 1 the curve tells: those before the first at which nobody is watched although some
    still pay. Arguments as for expected_lifetime."""
    at_risk, lost = _by_month(duration, observed, entry, weights, horizon)
    unknown = (at_risk <= 0) & (_staying(at_risk, lost)[:-1] > 0)
    return int(np.argmax(unknown)) + 1 if unknown.any() else horizon


def staying(
    duration: ArrayLike,
    observed: ArrayLike,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    horizon: int = 60,
) -> np.ndarray:
    """S(t) for t = 0 … horizon − 1, the share that still pays t months after it came; arguments as for expected_lifetime."""
    return _staying(*_by_month(duration, observed, entry, weights, horizon))


def _by_month(duration, observed, entry, weights, horizon) -> tuple[np.ndarray, np.ndarray]:
    """How many were watched at, and how many left at, each age of 1 … horizon − 1 months."""
    duration, left, entry, weights = watched(duration, np.asarray(observed, bool), entry, weights)
    ages = np.arange(1, horizon)
    at_risk = weight_from(duration, weights, ages) - weight_from(entry, weights, ages)
    return at_risk, np.array([weights[(duration == a) & (left > 0)].sum() for a in ages])


def _staying(at_risk: np.ndarray, lost: np.ndarray) -> np.ndarray:
    hazard = np.divide(lost, at_risk, out=np.zeros(len(lost)), where=at_risk > 0)
    return np.concatenate([[1.0], np.cumprod(1 - hazard)])


def annualised(monthly: ArrayLike) -> np.ndarray:
    """The yearly rate of a monthly one: 1 − (1 − m)^12. 3 % a month is 30.6 % a year, not 36 %."""
    return 1 - (1 - np.asarray(monthly, float)) ** 12
