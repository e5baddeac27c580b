"""How outcomes differ with and without an exposure, others alike: odds, risks, hazards, and what hidden bias it would take.

Estimates from observation. They hold what was measured constant and nothing else; the E-value says how strong what was not
measured would have to be.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from revops_helpers.measurement import Measurement, not_applicable

FEW = 20
POOLED = "(others)"
Z = 1.959963984540054


@dataclass(frozen=True)
class Effect:
    """An exposure beside an outcome.

    exposed, unexposed: the share with the outcome, standardised to everybody's covariates; their difference (unit points) and
    ratio; odds_ratio given the covariates. missed: the difference standardised to the covariates of the unexposed only, which is
    what they would have to gain.
    """

    exposed: Measurement
    unexposed: Measurement
    difference: Measurement
    ratio: Measurement
    odds_ratio: Measurement
    missed: Measurement


def effect_of(
    frame: pd.DataFrame, exposure: str, outcome: str, covariates: tuple[str, ...] = (), weights: str = ""
) -> Effect | None:
    """The effect of a 0/1 exposure on a 0/1 outcome by logistic regression, standardised over all rows (g-computation).

    Numbers among the covariates enter with their square, texts as levels; levels with too few of either outcome are pooled.
    weights: the column with how many records a row stands for. Without covariates it is the plain comparison.
    None where an arm has too few records with or without the outcome, or the likelihood has no inner maximum.
    Source: Hernán and Robins, Causal Inference (2020), ch. 13; intervals by the delta method.
    """
    weight = np.ones(len(frame)) if not weights else frame[weights].to_numpy(float)
    x, y = frame[exposure].to_numpy(float), frame[outcome].to_numpy(float)
    arms = [float(weight[(x == a) & (y == b)].sum()) for a in (0, 1) for b in (0, 1)]
    if min(arms) < FEW / 2 or sum(arms) < 2 * FEW:
        return None
    design = design_of(frame, y, weight, covariates)
    fitted = _fit(np.column_stack([x, design]), y, weight)
    if fitted is None:
        return None
    return _standardised(*fitted, design, weight, weight * (1 - x), [round(arms[2] + arms[3]), round(arms[0] + arms[1])])


def design_of(frame: pd.DataFrame, outcome: np.ndarray, weight: np.ndarray, covariates: tuple[str, ...]) -> np.ndarray:
    """A column of ones, then numbers and their squares in standard units, then a column for each level but the largest."""
    columns = [np.ones(len(frame))]
    for name in covariates:
        values = frame[name]
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            columns += _powers(values.to_numpy(float), weight)
        else:
            columns += _levels(values.astype(str), outcome, weight)
    return _independent(np.column_stack(columns))


def _powers(values: np.ndarray, weight: np.ndarray) -> list[np.ndarray]:
    known = ~np.isnan(values)
    if not known.any():
        return []
    mean = np.average(values[known], weights=weight[known])
    spread = math.sqrt(np.average((values[known] - mean) ** 2, weights=weight[known]))
    if spread == 0:
        return [(~known).astype(float)]
    unit = np.where(known, (values - mean) / spread, 0.0)
    return [unit, unit**2, (~known).astype(float)]


def _levels(values: pd.Series, outcome: np.ndarray, weight: np.ndarray) -> list[np.ndarray]:
    counts = pd.DataFrame({"level": values.to_numpy(), "with": weight * outcome, "without": weight * (1 - outcome)})
    by = counts.groupby("level", sort=True).sum()
    kept = by[by.min(axis=1) >= FEW / 2].sum(axis=1).sort_values(ascending=False, kind="stable").index
    pooled = values.where(values.isin(kept), POOLED)
    rest = by[~by.index.isin(kept)].sum()
    if len(rest) and rest.min() < FEW / 2 and len(kept):
        pooled = pooled.replace(POOLED, kept[0])
    levels = [level for level in dict.fromkeys([*kept, *sorted(pooled.unique())]) if (pooled == level).any()]
    return [(pooled == level).to_numpy(float) for level in levels[1:]]


def _independent(columns: np.ndarray) -> np.ndarray:
    """Without the columns that the ones before them make up: those add nothing to the triangle of the QR decomposition."""
    triangle = np.abs(np.diag(np.linalg.qr(columns, mode="r")))
    return columns[:, triangle > 1e-9 * np.sqrt(len(columns))] if len(columns) >= columns.shape[1] else columns[:, :1]


def _fit(design: np.ndarray, outcome: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Coefficients and their covariance, the exposure first; None where the likelihood has no inner maximum."""
    from statsmodels.discrete.discrete_model import Logit
    from statsmodels.tools.sm_exceptions import PerfectSeparationError

    each = np.repeat(np.arange(len(design)), weight.astype(int))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # separation and lack of convergence are judged below
        try:
            found = Logit(outcome[each], design[each], check_rank=False).fit(method="newton", maxiter=60, disp=0)
        except (PerfectSeparationError, np.linalg.LinAlgError):
            return None
    covariance = np.asarray(found.cov_params())
    sound = found.mle_retvals["converged"] and np.isfinite(covariance).all() and 0 < covariance[0, 0] < 9
    return (np.asarray(found.params), covariance) if sound else None


def _standardised(beta, covariance, design, weight, unexposed, n: list[int]) -> Effect:
    """Everybody exposed against nobody, over all rows and over the unexposed alone."""

    def risks(weights: np.ndarray) -> tuple[list[float], list[np.ndarray]]:
        share, found, slopes = weights / weights.sum(), [], []
        for on in (1.0, 0.0):
            matrix = np.column_stack([np.full(len(design), on), design])
            p = 1 / (1 + np.exp(-matrix @ beta))
            found.append(float(share @ p))
            slopes.append((share * p * (1 - p)) @ matrix)
        return found, slopes

    def spread(gradient: np.ndarray) -> float:
        return math.sqrt(max(float(gradient @ covariance @ gradient), 0.0))

    def gap(weights: np.ndarray, records: int) -> Measurement:
        (p1, p0), (g1, g0) = risks(weights)
        error = Z * spread(g1 - g0)
        return Measurement(p1 - p0, n=records, low=p1 - p0 - error, high=p1 - p0 + error, unit="points")

    def ratio(log: float, error: float, records: int) -> Measurement:
        low, value, high = (math.exp(log + k * Z * error) for k in (-1, 0, 1))
        return Measurement(value, n=records, low=low, high=high, unit="ratio")

    def share_of(p: float, gradient: np.ndarray, records: int) -> Measurement:
        logit, error = math.log(p / (1 - p)), spread(gradient) / (p * (1 - p))
        low, high = (1 / (1 + math.exp(-(logit + k * Z * error))) for k in (-1, 1))
        return Measurement(p, n=records, low=low, high=high, unit="percent")

    (p1, p0), (g1, g0) = risks(weight)
    both = sum(n)
    return Effect(
        exposed=share_of(p1, g1, n[0]),
        unexposed=share_of(p0, g0, n[1]),
        difference=gap(weight, both),
        ratio=ratio(math.log(p1 / p0), spread(g1 / p1 - g0 / p0), both),
        odds_ratio=ratio(float(beta[0]), math.sqrt(covariance[0, 0]), both),
        missed=gap(unexposed, n[1]),
    )


def hazard_ratio(
    frame: pd.DataFrame, exposure: str, duration: str, event: str, entry: str, strata: str = "", weights: str = ""
) -> Measurement | None:
    """How often the event comes with a 0/1 exposure, for every time without it: the hazard ratio of a Cox model.

    Strata have a baseline of their own each; records count as at risk after their entry. weights: how many records a row is.
    None where an arm has no event, or nobody is watched. Source: Cox 1972, by lifelines (Efron's ties).
    """
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError

    rows = frame[frame[duration] > frame[entry]].rename(columns={strata: "_stratum"})
    size = rows[weights] if weights else rows[event] * 0 + 1
    rows = rows.assign(_rows=size.astype(float), _on=rows[exposure].astype(float), _seen=rows[event].astype(int))
    if rows.groupby("_on")._seen.sum().reindex([0.0, 1.0], fill_value=0).min() == 0:
        return None
    kept = rows[[duration, entry, "_seen", "_on", "_rows", *(["_stratum"] if strata else [])]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lifelines warns of weights that are no whole numbers; these are counts
        try:
            fitted = CoxPHFitter(strata=["_stratum"] if strata else None).fit(
                kept, duration, "_seen", entry_col=entry, weights_col="_rows"
            )
        except ConvergenceError:
            return None
    low, high = fitted.confidence_intervals_.loc["_on"]
    n = int(kept._rows.sum())
    return Measurement(float(np.exp(fitted.params_["_on"])), n=n, low=float(np.exp(low)), high=float(np.exp(high)), unit="ratio")


def e_value(ratio: float) -> float:
    """How strongly something unmeasured would have to go with both exposure and outcome, as risk ratios, to explain a risk ratio.

    1 for a ratio of 1. Source: VanderWeele and Ding 2017.
    """
    above = ratio if ratio >= 1 else 1 / ratio
    return above + math.sqrt(above * (above - 1))


def e_value_of(ratio: Measurement) -> Measurement:
    """The E-value of a risk ratio; low is that of the end of its interval nearest to 1, which is 1 where the interval holds 1."""
    if ratio.value is None:
        return not_applicable(ratio.reason, unit="ratio")
    held = ratio.low <= 1 <= ratio.high
    near = ratio.low if ratio.value > 1 else ratio.high
    return Measurement(e_value(ratio.value), n=ratio.n, low=1.0 if held else e_value(near), unit="ratio")
