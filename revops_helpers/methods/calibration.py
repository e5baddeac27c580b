"""How good predicted chances are: do they rank, do they hold, are there events enough, and has the world moved since?

All take one row per prediction; rows of one `cluster` (a customer seen on several days) depend on each other, and every interval
counts clusters, not rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from revops_helpers.methods import intervals
from revops_helpers.methods.logistic import fit_logistic

Z = 1.959963984540054


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; NaN where there is none."""

    value: float
    low: float
    high: float


NONE = Estimate(math.nan, math.nan, math.nan)


def auc(scores: ArrayLike, outcome: ArrayLike, cluster: ArrayLike) -> Estimate:
    """The chance that a row with the event scores higher than one without (ties count half). NaN without both kinds.

    Variance from the placement values, summed over clusters. Source: DeLong et al. 1988; Obuchowski 1997.
    """
    value, influence = _placements(scores, outcome, cluster)
    return _within(value, influence, 0.0, 1.0)


def auc_gain(scores: ArrayLike, other: ArrayLike, outcome: ArrayLike, cluster: ArrayLike) -> Estimate:
    """By how much `scores` ranks better than `other` on the same rows: the difference of the AUCs, paired by cluster."""
    (mine, own), (theirs, its) = (_placements(s, outcome, cluster) for s in (scores, other))
    return _within(mine - theirs, own - its, -1.0, 1.0)


def _placements(scores: ArrayLike, outcome: ArrayLike, cluster: ArrayLike) -> tuple[float, np.ndarray]:
    """The AUC and how much each cluster moves it."""
    scores, event = np.asarray(scores, float), np.asarray(outcome, bool)
    with_, without = np.sort(scores[event]), np.sort(scores[~event])
    if not len(with_) or not len(without):
        return math.nan, np.zeros(0)

    def below(values: np.ndarray, ordered: np.ndarray) -> np.ndarray:
        return (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / 2 / len(ordered)

    placed = np.where(event, below(scores, without), 1 - below(scores, with_))
    value = float(placed[event].mean())
    pulls = (placed - value) / np.where(event, len(with_), len(without))
    _, group = np.unique(np.asarray(cluster), return_inverse=True)
    return value, np.bincount(group, pulls)


def _within(value: float, influence: np.ndarray, least: float, most: float) -> Estimate:
    groups = len(influence)
    if groups < 2 or math.isnan(value):
        return NONE
    half = Z * math.sqrt(float((influence**2).sum()) * groups / (groups - 1))
    return Estimate(value, max(value - half, least), min(value + half, most))


def slope(chance: ArrayLike, outcome: ArrayLike, cluster: ArrayLike) -> Estimate:
    """The calibration slope: 1 when chances are spread as they should be, below 1 when they are too extreme.

    Source: Cox 1958; van Calster et al. 2019. NaN when the outcome or the chance never differs.
    """
    chance, event = np.clip(np.asarray(chance, float), 1e-9, 1 - 1e-9), np.asarray(outcome, float)
    logit = np.log(chance / (1 - chance))
    if len(np.unique(event)) < 2 or np.ptp(logit) < 1e-9:
        return NONE
    fit = fit_logistic(logit[:, None], event, cluster, penalty=0.0)
    value, half = fit.coefficients[1] / fit.scales[0], Z * math.sqrt(fit.covariance[1, 1]) / fit.scales[0]
    return Estimate(float(value), float(value - half), float(value + half))


def per_cluster(top: ArrayLike, bottom: ArrayLike, cluster: ArrayLike) -> Estimate:
    """Σ top ÷ Σ bottom over rows, its interval over clusters. NaN where Σ bottom is 0."""
    _, group = np.unique(np.asarray(cluster), return_inverse=True)
    x, y = (np.bincount(group, np.asarray(values, float)) for values in (top, bottom))
    if not len(x) or not y.sum():
        return NONE
    low, high = intervals.ratio_of_sums(x.sum(), y.sum(), (x * x).sum(), (x * y).sum(), (y * y).sum(), len(x))
    return Estimate(float(x.sum() / y.sum()), float(low), float(high))


def in_the_large(chance: ArrayLike, outcome: ArrayLike, cluster: ArrayLike) -> Estimate:
    """Events over expected events: above 1 more happened than was predicted."""
    return per_cluster(outcome, chance, cluster)


def captured(scores: ArrayLike, outcome: ArrayLike, cluster: ArrayLike, share: float = 0.1) -> Estimate:
    """Of the events, the part among the highest-scored `share` of rows: `share` itself when scores say nothing.

    Rows of one score share the places that are left for them, so that the order of rows makes no difference.
    """
    scores, event = np.asarray(scores, float), np.asarray(outcome, float)
    _, score = np.unique(-scores, return_inverse=True)
    rows = np.bincount(score)
    left = max(1, round(share * len(scores))) - (np.cumsum(rows) - rows)
    return per_cluster(event * np.clip(left / rows, 0, 1)[score], event, cluster)


def events_needed(features: int, prevalence: float, shrinkage: float = 0.9, explained: float = 0.15) -> float:
    """Events that a model with so many features needs so that it overfits by no more than 1 − shrinkage.

    explained: the part of the explainable variation (Nagelkerke's R²) that is expected, 0.15 where nothing is known.
    Source: Riley et al. 2019, Statistics in Medicine 38, criterion (i).
    """
    if not 0 < prevalence < 1:
        return math.inf
    entropy = prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence)
    r2 = explained * (1 - math.exp(2 * entropy))
    return features / ((shrinkage - 1) * math.log(1 - r2 / shrinkage)) * prevalence


def psi(before: ArrayLike, now: ArrayLike) -> float:
    """Population stability index between the shares of the same bins; an empty bin counts as one in ten thousand."""
    before, now = (np.maximum(np.asarray(shares, float), 1e-4) for shares in (before, now))
    return float(((now - before) * np.log(now / before)).sum())


def drift(before: ArrayLike, now: ArrayLike, bins: int = 10) -> float:
    """PSI of a feature's known values against what they were, in the tenths of `before`; a value that a tenth or more of them had
    is a bin of its own. NaN where either has none."""
    before, now = (values[~np.isnan(values)] for values in (np.asarray(before, float), np.asarray(now, float)))
    if not len(before) or not len(now):
        return math.nan
    edges = np.unique(np.quantile(before, np.linspace(0, 1, bins + 1)[1:-1]))
    common = edges[[(before == edge).mean() >= 1 / bins for edge in edges]]
    edges = np.union1d(edges, np.nextafter(common, np.inf))

    def shares(values: np.ndarray) -> np.ndarray:
        return np.bincount(np.searchsorted(edges, values, "right"), minlength=len(edges) + 1) / len(values)

    return psi(shares(before), shares(now))
