"""Penalised logistic regression on rows that are not independent of each other: coefficients, and how sure they are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Logistic:
    """A fitted model on standardised features.

    coefficients: the intercept, then one per feature and standard deviation. covariance: of them, clustered. means, scales: of
    the features it was fitted to; a value that is missing counts as the mean.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    means: np.ndarray
    scales: np.ndarray

    def design(self, features: ArrayLike) -> np.ndarray:
        """The features standardised, with a first column of ones."""
        x = (np.asarray(features, float) - self.means) / self.scales
        return np.column_stack([np.ones(len(x)), np.nan_to_num(x)])

    def logit(self, features: ArrayLike) -> np.ndarray:
        """The log odds of each row."""
        return self.design(features) @ self.coefficients

    def probability(self, features: ArrayLike) -> np.ndarray:
        """The chance of each row."""
        return expit(self.logit(features))

    def levelled(self, features: ArrayLike, events: float) -> Logistic:
        """The same model with its intercept moved so that these rows' chances sum to `events` (0 < events < rows)."""
        from scipy.optimize import brentq

        logit = self.logit(features)
        shift = brentq(lambda by: expit(logit + by).sum() - events, -30, 30)
        return replace(self, coefficients=self.coefficients + np.concatenate([[shift], np.zeros(len(self.means))]))


def expit(logit: ArrayLike) -> np.ndarray:
    """The chance that has these log odds."""
    from scipy.special import expit as of_scipy

    return of_scipy(logit)


def fit_logistic(features: ArrayLike, outcome: ArrayLike, cluster: ArrayLike, penalty: float = 1.0) -> Logistic:
    """Ridge regression by scikit-learn; the intercept is not penalised. ValueError when the outcome never differs.

    features: rows × features, NaN where unknown. cluster: rows of one cluster depend on each other. covariance: the sandwich
    over clusters; with a penalty that is small beside the data, so is the bias of the coefficients.
    Source: Liang and Zeger 1986.
    """
    from sklearn.linear_model import LogisticRegression

    x, y = np.asarray(features, float), np.asarray(outcome, float)
    if len(np.unique(y)) < 2:
        raise ValueError("the outcome is the same in every row")
    known = ~np.isnan(x)
    counts = np.maximum(known.sum(axis=0), 1)
    means = np.where(known, x, 0).sum(axis=0) / counts
    scales = np.sqrt((np.where(known, x - means, 0) ** 2).sum(axis=0) / counts)
    scales = np.where(scales > 1e-9, scales, 1.0)
    model = Logistic(np.zeros(x.shape[1] + 1), np.eye(x.shape[1] + 1), means, scales)
    design = model.design(x)
    fitted = LogisticRegression(C=1 / max(penalty, 1e-6), solver="newton-cholesky", max_iter=200).fit(design[:, 1:], y)
    coefficients = np.concatenate([fitted.intercept_, fitted.coef_[0]])
    return replace(model, coefficients=coefficients, covariance=_sandwich(design, y, coefficients, cluster, penalty))


def _sandwich(design: np.ndarray, y: np.ndarray, coefficients: np.ndarray, cluster: ArrayLike, penalty: float) -> np.ndarray:
    chance = expit(design @ coefficients)
    ridge = penalty * np.diag([0.0, *np.ones(design.shape[1] - 1)])
    bread = np.linalg.pinv((design * (chance * (1 - chance))[:, None]).T @ design + ridge)
    _, group = np.unique(np.asarray(cluster), return_inverse=True)
    scores = np.zeros((group.max() + 1, design.shape[1]))
    np.add.at(scores, group, (y - chance)[:, None] * design)
    groups = len(scores)
    return bread @ (scores.T @ scores) @ bread * groups / max(groups - 1, 1)
