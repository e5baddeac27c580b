"""Forecasters of one series, and how they would have done in the past.

A forecaster takes the values so far and a horizon, and returns simulated futures: an array of horizon × draws.
Source: Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., ch. 5 (backtesting) and 8 (ETS).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

Forecaster = Callable[[np.ndarray, int], np.ndarray]
LEVELS = (50, 80, 95)


def seasonal_naive(season: int) -> Forecaster:
    """What was there one season earlier, again: one draw. ValueError when the history is shorter than a season."""

    def forecast(history: np.ndarray, horizon: int) -> np.ndarray:
        if len(history) < season:
            raise ValueError(f"{len(history)} values; a season of {season} is needed")
        return np.resize(np.asarray(history, float)[-season:], horizon)[:, None]

    return forecast


def ets(season: int, draws: int = 4000, seed: int = 0) -> Forecaster:
    """Additive exponential smoothing, the form (level, damped trend, season) that AICc prefers; the same seed, the same draws.

    A seasonal form is tried with three seasons of history. Draws carry the noise of the series, not of the parameters:
    the past coverage of their intervals (see `rolling_origin`) tells whether that is enough. A series that never moves stays.
    """

    def forecast(history: np.ndarray, horizon: int) -> np.ndarray:
        values = np.asarray(history, float)
        scale = float(values.std())
        if scale == 0:
            return np.full((horizon, 1), values[-1])
        best = _best_ets(tuple(values / scale), season)
        paths = best.simulate(horizon, anchor="end", repetitions=draws, rng=np.random.default_rng(seed))
        return np.asarray(paths, float).reshape(horizon, draws) * scale

    return forecast


@lru_cache(maxsize=64)
def _best_ets(history: tuple[float, ...], season: int):
    """The fitted form with the lowest AICc among those that converge and for which the history is long enough."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    values = np.array(history)
    forms: list[dict] = [{}, {"trend": "add", "damped_trend": True}]
    if len(values) >= 3 * season:
        forms += [form | {"seasonal": "add", "seasonal_periods": season} for form in forms]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fits = [ETSModel(values, error="add", **form).fit(disp=False) for form in forms]
    return min(fits, key=lambda fit: (not fit.mle_retvals["converged"], fit.aicc if np.isfinite(fit.aicc) else np.inf))


def bands(paths: np.ndarray, levels: Sequence[int] = LEVELS) -> pd.DataFrame:
    """median, and low_<level> and high_<level>, of each row of paths."""
    columns = {"median": np.median(paths, axis=1)}
    for level in levels:
        edges = np.percentile(paths, [50 - level / 2, 50 + level / 2], axis=1)
        columns |= {f"low_{level}": edges[0], f"high_{level}": edges[1]}
    return pd.DataFrame(columns)


def rolling_origin(series: Sequence[float], forecaster: Forecaster, horizon: int, first: int, step: int = 1) -> pd.DataFrame:
    """The forecast of the sum of the next `horizon` values, made again at every origin with what was known then.

    Origins are first, first + step, …, as long as the horizon has come true; `origin` counts the values known.
    One row per origin: origin, actual, spread (standard deviation of the draws), median, low_50, high_50, low_80, … Empty when
    there is no such origin.
    """
    values = np.asarray(series, float)
    parts = []
    for origin in range(first, len(values) - horizon + 1, step):
        total = forecaster(values[:origin], horizon).sum(axis=0, keepdims=True)
        known = {"origin": origin, "actual": values[origin : origin + horizon].sum(), "spread": total.std()}
        parts.append(bands(total).assign(**known))
    names = ["origin", "actual", "spread", "median", *(f"{side}_{level}" for level in LEVELS for side in ("low", "high"))]
    return pd.concat(parts, ignore_index=True)[names] if parts else pd.DataFrame(columns=names)


def too_narrow(rows: pd.DataFrame) -> float:
    """By how much past errors were larger than the spread that the draws gave them: root mean square, at least 1.

    Draws carry the noise of the series alone; that the form and its parameters are guesses shows only in the errors.
    """
    known = rows[rows.spread > 0]
    if known.empty:
        return 1.0
    return max(1.0, float(np.sqrt((((known.actual - known["median"]) / known.spread) ** 2).mean())))


def widened(rows: pd.DataFrame, factor: float) -> pd.DataFrame:
    """The bands with every edge `factor` times as far from the median."""
    edges = [f"{side}_{level}" for level in LEVELS for side in ("low", "high")]
    return rows.assign(**{edge: rows["median"] + factor * (rows[edge] - rows["median"]) for edge in edges})


def widened_by_the_others(rows: pd.DataFrame) -> pd.DataFrame:
    """Each origin's bands widened by what the errors at all other origins ask for: an honest test of the widening."""
    parts = [widened(rows.iloc[[i]], too_narrow(rows.drop(index=rows.index[i]))) for i in range(len(rows))]
    return pd.concat(parts) if parts else rows
