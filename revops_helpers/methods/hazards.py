"""Discrete-time hazards: how much more often something happens, month by month, to those with a trait than to those without."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Ratios:
    """Hazard ratios of the columns asked for, in their order, with 95 % intervals over clusters; NaN where strata tell all."""

    ratio: np.ndarray
    low: np.ndarray
    high: np.ndarray


def hazard_ratios(columns: ArrayLike, strata: ArrayLike, event: ArrayLike, cluster: ArrayLike) -> Ratios:
    """Binomial regression with a complementary log-log link, one row per subject and month at risk: proportional hazards
    over grouped time.

    columns: rows × traits (0 or 1). strata: rows × labels (tenure, year, …), each label of each column with a level of its own.
    Rows of a level in which nothing happened say nothing of the ratios and are left out. ValueError when nothing is left.
    Source: Prentice and Gloeckler 1978; Jenkins 1995.
    """
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.families.links import CLogLog
    from statsmodels.genmod.generalized_linear_model import GLM

    x, labels, y = np.asarray(columns, float), np.asarray(strata), np.asarray(event, float)
    _, group = np.unique(np.asarray(cluster), return_inverse=True)
    keep = np.ones(len(y), dtype=bool)
    while True:  # a level may lose its last event with another level's rows
        told = keep & np.all([_happened(labels[:, j], y, keep) for j in range(labels.shape[1])], axis=0)
        if told.sum() == keep.sum():
            break
        keep = told
    if not y[keep].sum():
        raise ValueError("nothing happened")
    levels = [_dummies(labels[keep, j]) for j in range(labels.shape[1])]
    design = np.column_stack([np.ones(keep.sum()), *levels, x[keep]])
    told = np.abs(np.diag(np.linalg.qr(design, mode="r"))) > 1e-8 * np.sqrt(len(design))
    model = GLM(y[keep], design[:, told], family=Binomial(CLogLog()))
    fitted = model.fit(cov_type="cluster", cov_kwds={"groups": np.unique(group[keep], return_inverse=True)[1]})
    found = np.full((design.shape[1], 3), np.nan)
    found[told] = np.exp(np.column_stack([fitted.params, fitted.conf_int()]))
    ratio, low, high = found[-x.shape[1] :].T
    return Ratios(ratio, low, high)


def _happened(labels: np.ndarray, y: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Whether each row's level has any event among the rows kept."""
    _, level = np.unique(labels, return_inverse=True)
    return np.bincount(level, y * keep)[level] > 0


def _dummies(labels: np.ndarray) -> np.ndarray:
    """One 0/1 column per level but the first."""
    levels = np.unique(labels)
    return (labels[:, None] == levels[None, 1:]).astype(float)
