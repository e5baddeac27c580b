"""How good a forecast was. Percentages of single values are never used: one zero makes them meaningless.

Source: Hyndman and Koehler, "Another look at measures of forecast accuracy", International Journal of Forecasting 22 (2006).
All take actual and forecast arrays of the same length, at least one value; NaN where the scale is zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Accuracy:
    """What is to be said of a forecast: rmse and mae in the unit of the data, wape, bias and mase as shares; n values."""

    rmse: float
    mae: float
    wape: float
    bias: float
    mase: float
    n: int


def accuracy(actual: ArrayLike, forecast: ArrayLike, insample: ArrayLike | None = None, season: int = 1) -> Accuracy:
    """All measures at once. mase needs `insample`, the history before the forecast, and is NaN without it."""
    scaled = float("nan") if insample is None else mase(actual, forecast, insample, season)
    held = (actual, forecast)
    return Accuracy(rmse(*held), mae(*held), wape(*held), bias(*held), scaled, int(np.size(np.asarray(actual))))


def mae(actual: ArrayLike, forecast: ArrayLike) -> float:
    """Mean absolute error, in the unit of the data."""
    return float(np.abs(_errors(actual, forecast)).mean())


def rmse(actual: ArrayLike, forecast: ArrayLike) -> float:
    """Root of the mean squared error, in the unit of the data."""
    return float(np.sqrt((_errors(actual, forecast) ** 2).mean()))


def wape(actual: ArrayLike, forecast: ArrayLike) -> float:
    """Sum of absolute errors over the sum of absolute actuals."""
    scale = float(np.abs(np.asarray(actual, float)).sum())
    return float(np.abs(_errors(actual, forecast)).sum()) / scale if scale else float("nan")


def bias(actual: ArrayLike, forecast: ArrayLike) -> float:
    """Sum of (forecast − actual) over the sum of absolute actuals: above zero is too hopeful."""
    scale = float(np.abs(np.asarray(actual, float)).sum())
    return float(_errors(actual, forecast).sum()) / scale if scale else float("nan")


def mase(actual: ArrayLike, forecast: ArrayLike, history: ArrayLike, season: int = 1) -> float:
    """Mean absolute error over that of the seasonal-naïve forecast inside `history`: below 1 is better than naïve was there."""
    past = np.asarray(history, float)
    if len(past) <= season:
        return float("nan")
    scale = float(np.abs(past[season:] - past[:-season]).mean())
    return mae(actual, forecast) / scale if scale else float("nan")


def covered(actual: ArrayLike, low: ArrayLike, high: ArrayLike) -> int:
    """How many actual values lie inside their intervals, ends included."""
    actual, low, high = (np.asarray(a, float) for a in (actual, low, high))
    return int(((actual >= low) & (actual <= high)).sum())


def _errors(actual: ArrayLike, forecast: ArrayLike) -> np.ndarray:
    actual, forecast = np.asarray(actual, float), np.asarray(forecast, float)
    if actual.shape != forecast.shape or not actual.size:
        raise ValueError(f"{actual.size} actual and {forecast.size} forecast values; the same number, at least one, is needed")
    return forecast - actual
