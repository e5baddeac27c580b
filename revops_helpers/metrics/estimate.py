"""From facts to values: the engine sums or counts, numpy finishes with interval and status; many metrics in one pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import ibis
import numpy as np
import pandas as pd

from revops_helpers.methods import intervals, survival
from revops_helpers.metrics.metric import Metric
from revops_helpers.metrics.reasons import NOBODY_SO_OLD, NOT_REACHED, NOT_SO_MANY, NOTHING_SPENT, TOO_FEW, UNWATCHED, ZERO
from revops_helpers.settings import Settings

FEW = 20
HORIZON = 60
KEYS = ["window", "member"]
RESULT = ["value", "low", "high", "n", "status", "reason"]

# What each estimator asks the engine to sum over the rows (or clusters) of a group; x is the numerator, y the denominator.
SUMS = {
    "sum": ("x",),
    "proportion": ("x", "y"),
    "mean": ("x", "xx"),
    "share": ("x", "y", "xx", "xy", "yy", "x_groups", "y_groups", "rest_groups", "shares"),
    "ratio": ("x", "y", "xx", "xy", "yy", "groups", "x_groups", "y_groups"),
    "exact": ("x", "y"),
    "per_fixed": ("x", "y", "xx", "x_groups"),
    "per_count": ("x", "y"),
    "fixed_per": ("x", "y", "yy", "y_groups"),
}
NAMES = {"x": "num", "y": "den", "xx": "num_num", "xy": "num_den", "yy": "den_den"}
TIMES = ("median", "won_median", "lifetime")
ALONE = (*TIMES, "explained")  # what is finished from rows, each metric in a query of its own


def statistics(facts: ibis.Table, metrics: Sequence[Metric]) -> ibis.Table:
    """The sufficient statistics of metrics over the same facts, by window and member: sums, pairs, or equal durations of the
    first metric with the sums of the others."""
    first, *others = metrics
    if first.estimator == "explained":
        return pairs(facts, first)
    return durations(facts, first, others) if first.estimator in TIMES else sums(facts, metrics)


def joined(batches: dict[tuple, list[Metric]]) -> list[list[Metric]]:
    """The batches of metrics by their facts, cluster and what is alone in them; sums come in the same query as a time of the same
    facts, where that reads every row, and as those whose facts widen theirs."""
    for (facts, cluster, _), batch in [*batches.items()]:
        first = batch[0]
        if first.estimator in TIMES and not first.where:
            batch += batches.pop((facts, None, ""), [])
        elif first.widens and facts is first.facts:
            batch += batches.pop((first.widens, cluster, ""), [])
    return [*batches.values()]


def sums(facts: ibis.Table, metrics: Sequence[Metric]) -> ibis.Table:
    """One row per window and member; columns `<id>_rows`, `<id>_num` and so on for each metric, clusters added up first."""
    cluster = metrics[0].cluster
    if cluster is None:
        picked = facts.select(*KEYS, **_read(facts, metrics))
        return picked.group_by(KEYS).agg(**_moments(picked, metrics, grouped=False))
    picked = facts.select(*KEYS, _cluster=facts[cluster], **_read(facts, metrics))
    each = {name: picked[name].sum() for name in picked.columns if name.endswith(("_num", "_den"))}
    rows = {f"{m.id}_rows": picked[f"{m.id}_num"].count() for m in metrics}
    clusters = picked.group_by([*KEYS, "_cluster"]).agg(**each, **rows)
    return clusters.group_by(KEYS).agg(**_moments(clusters, metrics, grouped=True))


def _named(metric: Metric, name: str) -> str:
    return f"{metric.id}_{NAMES.get(name, name)}"


def _read(facts: ibis.Table, metrics: Sequence[Metric]) -> dict[str, ibis.Value]:
    """x and y of each metric on each row; empty where the row does not count for it."""
    columns = {}
    for metric in metrics:
        for name, pick in (("x", metric.num), ("y", metric.den)):
            if name == "x" or "y" in SUMS[metric.estimator]:
                value = pick(facts) if pick else ibis.literal(1, type="int64")
                value = value.cast("int64") if value.type().is_boolean() else value
                columns[_named(metric, name)] = ibis.ifelse(metric.where(facts), value, ibis.null()) if metric.where else value
    return columns


def _moments(rows: ibis.Table, metrics: Sequence[Metric], grouped: bool) -> dict[str, ibis.Value]:
    out = {}
    for metric in metrics:
        x, y = (rows[n] if (n := _named(metric, name)) in rows.columns else None for name in "xy")
        out[f"{metric.id}_rows"] = rows[f"{metric.id}_rows"].sum() if grouped else x.count()
        out |= {_named(metric, name): MOMENTS[name](x, y) for name in SUMS[metric.estimator]}
    return out


def _product(a: ibis.NumericValue, b: ibis.NumericValue) -> ibis.NumericScalar:
    return (a.cast("float64") * b.cast("float64")).sum()


MOMENTS: dict[str, Callable] = {
    "x": lambda x, y: x.sum(),
    "y": lambda x, y: y.sum(),
    "xx": lambda x, y: _product(x, x),
    "xy": lambda x, y: _product(x, y),
    "yy": lambda x, y: _product(y, y),
    "groups": lambda x, y: x.count(),
    "x_groups": lambda x, y: x.nullif(0).count(),
    "y_groups": lambda x, y: y.nullif(0).count(),
    "rest_groups": lambda x, y: (y - x).nullif(0).count(),
    "shares": lambda x, y: (x.cast("float64") * x.cast("float64") / y.nullif(0)).sum(),
}


def durations(facts: ibis.Table, metric: Metric, others: Sequence[Metric] = ()) -> ibis.Table:
    """How many rows share duration, ending and entry: columns duration, ending, entry and rows by window and member, and beside
    them the sums of other metrics over the same rows."""
    rows = facts.filter(metric.where(facts)) if metric.where else facts
    entry = rows[metric.entry] if metric.entry else ibis.literal(0, type="int64")
    time = {"duration": metric.num(rows), "ending": metric.den(rows).cast("int64"), "entry": entry}
    picked = rows.select(*KEYS, **time, **_read(rows, others))
    return picked.group_by([*KEYS, *time]).agg(rows=picked.count(), **_moments(picked, others, grouped=False))


def pairs(facts: ibis.Table, metric: Metric) -> ibis.Table:
    """What was forecast and what came: columns forecast, came and cluster by window and member, a row each. They are few."""
    rows = facts.filter(metric.where(facts)) if metric.where else facts
    return rows.select(*KEYS, forecast=metric.num(rows), came=metric.den(rows), cluster=rows[metric.cluster])


def finish(stats: pd.DataFrame, metric: Metric, settings: Settings) -> pd.DataFrame:
    """window, member and RESULT of one metric of `statistics`; groups in which nothing counts for it are left out."""
    out = _finish_rows(stats, metric, settings) if metric.estimator in ALONE else _finish_sums(stats, metric)
    for said, instead in ((ZERO, metric.zero_reason), (NOTHING_SPENT, metric.free_reason)):
        if instead and said in out.reason.to_list():
            out.loc[out.reason == said, "reason"] = instead
    return out


def _finish_sums(stats: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    if "duration" in stats.columns:  # beside a time: a row for each of its groups
        stats = stats.groupby(KEYS, as_index=False).sum()
    column = {name: stats[_named(metric, name)].to_numpy(float, na_value=np.nan) for name in ("rows", *SUMS[metric.estimator])}
    rows = np.nan_to_num(column.pop("rows"))
    out = ESTIMATORS[metric.estimator](rows, **column)
    floats = np.any([np.isfinite(part) & (part != np.round(part)) for part in column.values()], axis=0)  # whole sums are exact
    out = out.assign(**{name: np.where(floats, intervals.as_told(out[name]), out[name]) for name in ("value", "low", "high")})
    out.insert(0, "member", stats["member"].to_numpy())
    out.insert(0, "window", stats["window"].to_numpy())
    return out if (rows > 0).all() else out[rows > 0].reset_index(drop=True)


def frame(value, low=None, high=None, *, n, too_few=False, zero=False) -> pd.DataFrame:
    """Values with their intervals and statuses; `too_few` and `zero` say where the status is not ok."""
    value = np.asarray(value, float)
    low, high = (np.asarray(np.full(value.shape, np.nan) if end is None else end, float) for end in (low, high))
    zero, too_few = np.broadcast_to(zero, value.shape), np.broadcast_to(too_few, value.shape)
    return pd.DataFrame(
        {
            "value": np.where(zero, np.nan, value),
            "low": np.where(zero, np.nan, low),
            "high": np.where(zero, np.nan, high),
            "n": np.nan_to_num(np.asarray(n, float)).astype("int64"),
            "status": np.select([zero, too_few], ["not_applicable", "insufficient"], "ok").astype(object),
            "reason": np.select([zero, too_few], [ZERO, TOO_FEW], "").astype(object),
        }
    )


def divide(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x / y, and no number where y is 0."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    return np.divide(x, y, out=np.full(np.broadcast(x, y).shape, np.nan), where=y != 0)


def _sum(rows, x):
    return frame(x, n=rows)


def _proportion(rows, x, y):
    low, high = intervals.wilson(x, y)
    return frame(divide(x, y), low, high, n=y, too_few=np.minimum(x, y - x) < FEW, zero=y == 0)


def _mean(rows, x, xx):
    low, high = intervals.mean_interval(rows, x, xx)
    return frame(divide(x, rows), low, high, n=rows, too_few=rows < FEW, zero=rows == 0)


def _ratio(rows, x, y, xx, xy, yy, groups, x_groups, y_groups):
    low, high = intervals.ratio_of_sums(x, y, xx, xy, yy, groups)
    alike = high - low <= 1e-9 * np.abs(divide(x, y))  # no variance, which is no proof that there is none
    return frame(divide(x, y), low, high, n=y_groups, too_few=(np.minimum(x_groups, y_groups) < FEW) | alike, zero=y <= 0)


def _share(rows, x, y, xx, xy, yy, x_groups, y_groups, rest_groups, shares):
    low, high = intervals.weighted_share(x, y, xx, xy, yy, y_groups, shares)
    return frame(divide(x, y), low, high, n=y_groups, too_few=np.minimum(x_groups, rest_groups) < FEW, zero=y <= 0)


def _exact(rows, x, y):
    return frame(divide(x, y), n=rows, zero=~(y > 0))


def _per_fixed(rows, x, y, xx, x_groups):
    low, high = intervals.random_sum(x, xx)
    return frame(divide(x, y), divide(low, y), divide(high, y), n=x_groups, too_few=x_groups < FEW, zero=~(y > 0))


def _per_count(rows, x, y):
    low, high = intervals.poisson_exact(y)
    return _unless_free(x, y, frame(divide(x, y), divide(x, high), divide(x, low), n=y, too_few=y < FEW, zero=~(y > 0)))


def _fixed_per(rows, x, y, yy, y_groups):
    low, high = intervals.random_sum(y, yy)
    upper = np.where(low > 0, divide(x, low), np.nan)
    return _unless_free(x, y, frame(divide(x, y), divide(x, high), upper, n=y_groups, too_few=y_groups < FEW, zero=~(y > 0)))


def _unless_free(x: np.ndarray, y: np.ndarray, out: pd.DataFrame) -> pd.DataFrame:
    """A cost of nothing is not a price of zero: something is missing, and there is no number."""
    free = (y > 0) & ~(x > 0)
    out.loc[free, ["value", "low", "high"]] = np.nan
    out.loc[free, ["status", "reason"]] = ["not_applicable", NOTHING_SPENT]
    return out


ESTIMATORS = {
    "sum": _sum,
    "proportion": _proportion,
    "mean": _mean,
    "ratio": _ratio,
    "share": _share,
    "exact": _exact,
    "per_fixed": _per_fixed,
    "per_count": _per_count,
    "fixed_per": _fixed_per,
}


def _finish_rows(stats: pd.DataFrame, metric: Metric, settings: Settings) -> pd.DataFrame:
    estimates = {
        "median": partial(_median, metric.share),
        "won_median": _won_median,
        "lifetime": partial(_lifetime, (1 + settings.discount_rate) ** (1 / 12) - 1),
        "explained": _explained,
    }
    estimate = estimates[metric.estimator]
    groups = stats.groupby(KEYS, sort=True)
    parts = [_unless_unwatched(estimate, group).assign(window=key[0], member=key[1]) for key, group in groups]
    return pd.concat(parts, ignore_index=True) if parts else frame([], n=[]).assign(window=[], member=[])


def _unless_unwatched(estimate: Callable[[pd.DataFrame], pd.DataFrame], group: pd.DataFrame) -> pd.DataFrame:
    try:
        return estimate(group)
    except survival.Unwatched:
        return frame([np.nan], n=[group.rows.sum()]).assign(status="insufficient", reason=UNWATCHED)


def _median(share: float, group: pd.DataFrame) -> pd.DataFrame:
    curve = survival.kaplan_meier(group.duration, group.ending == 1, group.entry if group.entry.any() else None, group.rows)
    within, low, high = curve.within(share)
    out = frame([within], [low], [high], n=[curve.n], zero=not curve.n)
    if not curve.n:
        return out
    if within is None:
        bound = curve.longest
        low = low if low is not None else bound
        reason = NOT_REACHED if share == 0.5 else NOT_SO_MANY.format(share=f"{share:.0%}")
        out = out.assign(value=bound, low=min(low, bound), high=np.nan, status="censored", reason=reason)
    if curve.n < FEW or (within is not None and curve.events < FEW):
        out = out.assign(status="insufficient", reason=TOO_FEW)
    return out


def _won_median(group: pd.DataFrame) -> pd.DataFrame:
    """Days, counted half a day later inside so that a deal closed on the day it opened was at risk on it."""
    found = survival.time_to_win(group.duration + 0.5, group.ending, group.entry, group.rows)
    number = [None if v is None else v - 0.5 for v in (found.median, found.low, found.high)]
    return frame(*([v] for v in number), n=[found.n], too_few=found.wins < FEW, zero=found.wins == 0)


def _lifetime(discount: float, group: pd.DataFrame) -> pd.DataFrame:
    """Where nobody is watched at an age the curve is carried on flat, and the interval holds that nobody pays from there."""
    seen = group.ending == 1
    watched = (group.duration, seen, group.entry, group.rows)
    told = survival.months_told(*watched, HORIZON)
    months, error = survival.expected_lifetime(*watched, HORIZON, discount)
    least, its = survival.expected_lifetime(*watched, told, discount)
    longest = survival.expected_lifetime([HORIZON], [False], horizon=HORIZON, monthly_discount=discount)[0]
    low, high = intervals.random_sum([least, months], np.square([its, error]))
    few = int(group.rows[seen].sum()) < FEW
    out = frame([months], [max(low[0], 0)], [min(high[1], longest)], n=[int(group.rows.sum())], too_few=few)
    return out if few or told == HORIZON else out.assign(status="censored", reason=NOBODY_SO_OLD.format(months=told))


def _explained(group: pd.DataFrame) -> pd.DataFrame:
    """The mean of what came is estimated too, but at the mean its error moves Σ(came − mean)² by nothing of the first order."""
    came, forecast = (group[name].to_numpy(float) for name in ("came", "forecast"))
    each = pd.DataFrame({"missed": (came - forecast) ** 2, "varied": (came - came.mean()) ** 2})
    each = each.groupby(group.cluster.to_numpy()).sum()
    missed, varied, clusters = each.missed.to_numpy(), each.varied.to_numpy(), len(each)
    total = varied.sum()
    moments = ((missed**2).sum(), (missed * varied).sum(), (varied**2).sum())
    low, high = intervals.ratio_of_sums(missed.sum(), total, *moments, clusters)
    found = frame([1 - divide(missed.sum(), total)], [1 - high], [1 - low], n=[clusters], too_few=clusters < FEW, zero=total <= 0)
    return found.assign(high=found.high.clip(upper=1.0))
