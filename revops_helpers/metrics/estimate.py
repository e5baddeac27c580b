"""From facts to values: the engine sums, numpy finishes with interval and status. One pass over a fact table for many metrics."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import numpy as np
import pandas as pd

from revops_helpers.methods import intervals
from revops_helpers.metrics.metric import Metric

FEW = 20
TOO_FEW = "fewer than 20 events"
ZERO = "the denominator is zero"
NOTHING = "nothing to measure"
NOT_REACHED = "less than half got there yet"

KEYS = ["window", "member"]


def sums(facts: ibis.Table, metrics: Sequence[Metric]) -> ibis.Table:
    """The sufficient statistics of metrics that share facts and cluster: one row per window and member.

    Columns `<i>_<statistic>` for the i-th metric: rows, x, y, xx, xy, yy, groups, x_groups, y_groups.
    """
    cluster = metrics[0].cluster
    if cluster is None:
        picked = facts.select(*KEYS, **_read(facts, metrics))
        return picked.group_by(KEYS).agg(**_moments(picked, metrics, grouped=False))
    picked = facts.select(*KEYS, _cluster=facts[cluster], **_read(facts, metrics))
    each = {f"{i}_{s}": picked[f"{i}_{s}"].sum() for i in range(len(metrics)) for s in "xy"}
    rows = {f"{i}_rows": picked[f"{i}_x"].count() for i in range(len(metrics))}
    clusters = picked.group_by([*KEYS, "_cluster"]).agg(**each, **rows)
    return clusters.group_by(KEYS).agg(**_moments(clusters, metrics, grouped=True))


def _read(facts: ibis.Table, metrics: Sequence[Metric]) -> dict[str, ibis.Value]:
    """x and y of each metric on each row; empty where the row does not count for it."""
    columns = {}
    for i, metric in enumerate(metrics):
        x = metric.num(facts) if metric.num else ibis.literal(1, type="int64")
        y = metric.den(facts) if metric.den else ibis.literal(1, type="int64")
        x, y = (v.cast("int64") if v.type().is_boolean() else v for v in (x, y))
        if metric.where:
            counts = metric.where(facts)
            x, y = ibis.ifelse(counts, x, ibis.null()), ibis.ifelse(counts, y, ibis.null())
        columns |= {f"{i}_x": x, f"{i}_y": y}
    return columns


WANTED = {
    "sum": ("x",),
    "proportion": ("x", "y"),
    "mean": ("x", "xx"),
    "ratio": ("x", "y", "xx", "xy", "yy", "groups", "x_groups", "y_groups"),
    "per_fixed": ("x", "y", "xx", "x_groups"),
    "per_count": ("x", "y"),
}


def _moments(rows: ibis.Table, metrics: Sequence[Metric], grouped: bool) -> dict[str, ibis.Value]:
    out = {}
    for i, metric in enumerate(metrics):
        x, y = rows[f"{i}_x"], rows[f"{i}_y"]
        fx, fy = x.cast("float64"), y.cast("float64")
        every = {
            "x": lambda x=x: x.sum(),
            "y": lambda y=y: y.sum(),
            "xx": lambda fx=fx: (fx * fx).sum(),
            "xy": lambda fx=fx, fy=fy: (fx * fy).sum(),
            "yy": lambda fy=fy: (fy * fy).sum(),
            "groups": lambda x=x: x.count(),
            "x_groups": lambda x=x: x.nullif(0).count(),
            "y_groups": lambda y=y: y.nullif(0).count(),
        }
        out[f"{i}_rows"] = rows[f"{i}_rows"].sum() if grouped else x.count()
        out |= {f"{i}_{name}": every[name]() for name in WANTED[metric.estimator]}
    return out


def finish(stats: pd.DataFrame, i: int, metric: Metric) -> pd.DataFrame:
    """window, member, value, low, high, n, status, reason of the i-th metric of `sums`. Rows that nothing counts for are left out."""
    column = {name: stats[f"{i}_{name}"].to_numpy(float) for name in ("rows", *WANTED[metric.estimator])}
    rows = column.pop("rows")
    out = ESTIMATORS[metric.estimator](rows, **column)
    out.insert(0, "member", stats["member"].to_numpy())
    out.insert(0, "window", stats["window"].to_numpy())
    return out[rows > 0].reset_index(drop=True)


def frame(value, low=None, high=None, *, n, too_few=False, zero=False) -> pd.DataFrame:
    """Values with their intervals and statuses; `too_few` and `zero` say where the status is not ok."""
    value = np.asarray(value, float)
    nothing = np.full(value.shape, np.nan)
    zero = np.broadcast_to(zero, value.shape)
    too_few = np.broadcast_to(too_few, value.shape)
    return pd.DataFrame(
        {
            "value": np.where(zero, np.nan, value),
            "low": np.where(zero, np.nan, nothing if low is None else low),
            "high": np.where(zero, np.nan, nothing if high is None else high),
            "n": np.nan_to_num(np.asarray(n, float)).astype("int64"),
            "status": np.select([zero, too_few], ["not_applicable", "insufficient"], "ok").astype(object),
            "reason": np.select([zero, too_few], [ZERO, TOO_FEW], "").astype(object),
        }
    )


def _divide(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.divide(x, y, out=np.full(np.shape(x), np.nan), where=y != 0)


def _sum(rows, x):
    return frame(x, n=rows)


def _proportion(rows, x, y):
    low, high = intervals.wilson(x, y)
    return frame(_divide(x, y), low, high, n=y, too_few=np.minimum(x, y - x) < FEW, zero=y == 0)


def _mean(rows, x, xx):
    low, high = intervals.mean_interval(rows, x, xx)
    return frame(_divide(x, rows), low, high, n=rows, too_few=rows < FEW, zero=rows == 0)


def _ratio(rows, x, y, xx, xy, yy, groups, x_groups, y_groups):
    low, high = intervals.ratio_of_sums(x, y, xx, xy, yy, groups)
    return frame(_divide(x, y), low, high, n=y_groups, too_few=np.minimum(x_groups, y_groups) < FEW, zero=y == 0)


def _per_fixed(rows, x, y, xx, x_groups):
    low, high = intervals.random_sum(x, xx)
    return frame(_divide(x, y), _divide(low, y), _divide(high, y), n=x_groups, too_few=x_groups < FEW, zero=y <= 0)


def _per_count(rows, x, y):
    low, high = intervals.poisson_exact(y)
    return frame(_divide(x, y), x / high, _divide(x, low), n=y, too_few=y < FEW, zero=y == 0)


ESTIMATORS = {
    "sum": _sum,
    "proportion": _proportion,
    "mean": _mean,
    "ratio": _ratio,
    "per_fixed": _per_fixed,
    "per_count": _per_count,
}
