"""95 % intervals from sums: closed forms on numpy arrays, so that the engine does the counting.

Every function takes scalars or arrays and returns arrays of floats; NaN where there is nothing to say.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

Bounds = tuple[np.ndarray, np.ndarray]


def _z(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(0.5 + level / 2))


def as_told(numbers: ArrayLike, digits: int = 13) -> np.ndarray:
    """The numbers to so many significant digits: what lies beyond is the order in which floats were added. Whole numbers, such
    as money in cents, and what is larger stay as they are."""
    given = np.asarray(numbers, float)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scale = 10.0 ** (digits - 1 - np.floor(np.log10(np.abs(given))))
        rounded = np.round(given * scale) / scale
    return np.where(np.isfinite(rounded) & (scale >= 1) & (given != np.round(given)), rounded, given)


def wilson(k: ArrayLike, n: ArrayLike, level: float = 0.95) -> Bounds:
    """Wilson's interval for k successes in n trials. NaN where n is 0. Source: Wilson 1927."""
    k, n = np.asarray(k, float), np.asarray(n, float)
    z = _z(level)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = k / n
        centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
        return np.where(k == 0, np.where(n > 0, 0.0, np.nan), centre - half), np.where(k == n, centre * 0 + 1.0, centre + half)


def ratio_of_sums(
    sum_x: ArrayLike,
    sum_y: ArrayLike,
    sum_xx: ArrayLike,
    sum_xy: ArrayLike,
    sum_yy: ArrayLike,
    clusters: ArrayLike,
    level: float = 0.95,
) -> Bounds:
    """Interval of Σx/Σy by the delta method, from the sums over independent clusters of their x and y totals.

    t quantiles with clusters − 1 degrees of freedom. NaN where Σy is 0 or there are fewer than two clusters.
    Source: linearised ratio estimator, Cochran 1977, ch. 6; the bootstrap over clusters is its oracle in the tests.
    """
    from scipy.special import stdtrit

    x, y, xx, xy, yy, m = (np.asarray(a, float) for a in (sum_x, sum_y, sum_xx, sum_xy, sum_yy, clusters))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = x / y
        residual = np.maximum(xx - 2 * ratio * xy + ratio**2 * yy, 0) * m / (m - 1)
        half = np.where(m > 1, stdtrit(np.maximum(m - 1, 1), 0.5 + level / 2), np.nan) * np.sqrt(residual) / np.abs(y)
        return ratio - half, ratio + half


def weighted_share(
    sum_x: ArrayLike,
    sum_y: ArrayLike,
    sum_xx: ArrayLike,
    sum_xy: ArrayLike,
    sum_yy: ArrayLike,
    clusters: ArrayLike,
    sum_shares: ArrayLike,
    level: float = 0.95,
) -> Bounds:
    """Interval of Σx/Σy where of each cluster's y all, or nothing, or a part is x: Wilson's, never beyond 0 and 1.

    n is the number of trials that would give the share's variance. That is the variance of the clusters' shares over all of y
    (sum_shares: Σ x²/y) or the delta method's, whichever is more: the latter weighs by y², so that it is far too small where few
    clusters hold most, and nothing near 0 and 1. Where nothing varies, n is what weights so unequal are worth.
    NaN as for ratio_of_sums, whose interval it is where amounts below zero make it no share. Source: Korn and Graubard 1998;
    Kish 1965. The tests hold its coverage on skewed money.
    """
    sums = x, y, xx, xy, yy, m = tuple(np.asarray(a, float) for a in (sum_x, sum_y, sum_xx, sum_xy, sum_yy, clusters))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = x / y
        delta = np.maximum(xx - 2 * share * xy + share**2 * yy, 0) / y**2
        pooled = np.maximum(np.asarray(sum_shares, float) / y - share**2, 0) * yy / y**2
        variance, inside = np.fmax(delta, pooled), share * (1 - share)
        worth = np.where((inside > 0) & (variance > 1e-12 * inside), inside / variance, y**2 / yy)
        trials = np.where((m > 1) & (inside >= 0), worth, np.nan)
        ends = zip(wilson(share * trials, trials, level), ratio_of_sums(*sums, level), strict=True)
    low, high = (np.where(inside < 0, plain, own) for own, plain in ends)
    return np.where(inside < 0, low, np.maximum(low, 0)), np.where(inside < 0, high, np.minimum(high, 1))


def random_sum(total: ArrayLike, sum_squares: ArrayLike, level: float = 0.95) -> Bounds:
    """Interval of a sum over a random (Poisson) number of independent records: variance Σx². Source: compound Poisson sums."""
    total, squares = np.asarray(total, float), np.asarray(sum_squares, float)
    half = _z(level) * np.sqrt(squares)
    return total - half, total + half


def poisson_exact(k: ArrayLike, level: float = 0.95) -> Bounds:
    """Exact interval of a Poisson count. NaN where it is below zero or none. Source: Garwood 1936."""
    from scipy.special import gammaincinv

    k = np.where(np.asarray(k, float) >= 0, k, np.nan)
    tail = (1 - level) / 2
    low = np.where(k == 0, 0.0, gammaincinv(np.where(k == 0, 1, k), tail))
    return low, gammaincinv(k + 1, 1 - tail)


def mean_interval(n: ArrayLike, total: ArrayLike, sum_squares: ArrayLike, level: float = 0.95) -> Bounds:
    """Student's interval of a mean, from count, sum and sum of squares. NaN below two records."""
    from scipy.special import stdtrit

    n, total, squares = (np.asarray(a, float) for a in (n, total, sum_squares))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / n
        variance = np.maximum(squares - n * mean**2, 0) / (n - 1)
        half = np.where(n > 1, stdtrit(np.maximum(n - 1, 1), 0.5 + level / 2), np.nan) * np.sqrt(variance / n)
        return mean - half, mean + half


def quotient(a: ArrayLike, a_bounds: Bounds, b: ArrayLike, b_bounds: Bounds) -> Bounds:
    """Interval of a/b for independent positive estimates from their own intervals. NaN where b's interval reaches 0.

    Source: method of variance estimates recovery (MOVER-R), Donner and Zou 2012.
    """
    a, b = np.asarray(a, float), np.asarray(b, float)
    (la, ua), (lb, ub) = ([np.asarray(v, float) for v in pair] for pair in (a_bounds, b_bounds))
    with np.errstate(divide="ignore", invalid="ignore"):
        ab = a * b
        low_den, high_den = ub * (2 * b - ub), lb * (2 * b - lb)
        low = (ab - np.sqrt(np.maximum(ab**2 - la * ub * (2 * a - la) * (2 * b - ub), 0))) / low_den
        high = (ab + np.sqrt(np.maximum(ab**2 - ua * lb * (2 * a - ua) * (2 * b - lb), 0))) / high_den
        sound = (lb > 0) & (b > 0)
        low = np.where(np.abs(low_den) < 1e-9 * b**2, la * (2 * a - la) / (2 * ab), low)
        return np.where(sound, low, np.nan), np.where(sound, high, np.nan)


def product(a: ArrayLike, a_bounds: Bounds, b: ArrayLike, b_bounds: Bounds) -> Bounds:
    """Interval of a·b for independent positive estimates, from their own intervals, on the log scale (MOVER, Zou 2008)."""
    (la, ua), (lb, ub) = ([np.maximum(np.asarray(v, float), 0) for v in pair] for pair in (a_bounds, b_bounds))
    a, b = np.asarray(a, float), np.asarray(b, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        down = np.sqrt(np.log(a / la) ** 2 + np.log(b / lb) ** 2)
        up = np.sqrt(np.log(ua / a) ** 2 + np.log(ub / b) ** 2)
        return a * b * np.exp(-down), a * b * np.exp(up)


def total(a: ArrayLike, a_bounds: Bounds, b: ArrayLike, b_bounds: Bounds) -> Bounds:
    """Interval of a + b for independent estimates, from their own intervals (MOVER, Zou and Donner 2008)."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    (la, ua), (lb, ub) = ([np.asarray(v, float) for v in pair] for pair in (a_bounds, b_bounds))
    return a + b - np.hypot(a - la, b - lb), a + b + np.hypot(ua - a, ub - b)


def jeffreys(k: ArrayLike, n: ArrayLike, level: float = 0.95) -> Bounds:
    """Jeffreys' interval for k successes in n trials: its ends are never 0 or 1. Source: Brown, Cai and DasGupta 2001."""
    from scipy.special import betaincinv

    k, n = np.asarray(k, float), np.asarray(n, float)
    tail = (1 - level) / 2
    return betaincinv(k + 0.5, n - k + 0.5, tail), betaincinv(k + 0.5, n - k + 0.5, 1 - tail)
