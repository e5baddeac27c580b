"""Who is under watch at each time: the counts that survival curves are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def watched(duration: ArrayLike, ending: ArrayLike, entry: ArrayLike | None, weights: ArrayLike | None) -> Arrays:
    """The four as arrays, without records that were over when they came under watch: they were never at risk."""
    duration, ending = np.asarray(duration, float), np.asarray(ending, int)
    entry = np.zeros(len(duration)) if entry is None else np.asarray(entry, float)
    weights = np.ones(len(duration)) if weights is None else np.asarray(weights, float)
    kept = (weights > 0) & ((duration > entry) | ((duration == entry) & (entry == entry.min(initial=np.inf))))
    return duration[kept], ending[kept], entry[kept], weights[kept]


def risk_table(duration: np.ndarray, ending: np.ndarray, entry: np.ndarray, weights: np.ndarray, event: int = 1) -> Arrays:
    """The times at which something ended, and at each how many were at risk (entered, not yet gone), had the event, ended at all.

    Whoever was there first is at risk from the first moment on.
    """
    entry = np.where(entry == entry.min(initial=np.inf), -np.inf, entry)
    times, at = np.unique(duration[ending > 0], return_inverse=True)
    end_weight, end_kind = weights[ending > 0], ending[ending > 0]
    ended = np.bincount(at, end_weight, len(times))
    own = np.bincount(at, end_weight * (end_kind == event), len(times))
    return times, weight_from(duration, weights, times) - weight_from(entry, weights, times), own, ended


def weight_from(values: np.ndarray, weights: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The weight of values at or after each time."""
    order = np.argsort(values)
    upto = np.concatenate([[0.0], np.cumsum(weights[order])])
    return upto[-1] - upto[np.searchsorted(values[order], times, side="left")]
