"""From a number to its rows: what each record contributes, read from the metric's own facts, so that it adds up to the number."""

from __future__ import annotations

from collections.abc import Iterator

import ibis

from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.metrics.counting import counted, require, require_told
from revops_helpers.metrics.estimate import ALONE, TIMES
from revops_helpers.metrics.metric import Metric
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company
from revops_helpers.periods import Period

SHARES = ("num", "den")
WATCHED = ("duration", "ending", "entry")


def rows(company: Company, metric: str, member: str = "", period: Period | None = None, by: str = "") -> ibis.Table:
    """The rows behind one number, lazily: a row for each record that contributes, with its ids and what it contributes.

    A sum is the sum of `num`; a rate, ratio or mean the sum of `num` over that of `den`. A median or lifetime has `duration`,
    `ending` (0: not over yet) and `entry` (the age from which the record was watched); of variance explained `num` is what was
    forecast and `den` what came. A metric that is computed from others has the rows of all of them, and `part` says of which.
    Money in cents. With `by`, the rows carry their `member`, or are those of one. The period is the company's when none is given.
    KeyError for an unknown metric; ValueError for a member of no dimension; Unavailable where the company lacks what it needs.
    """
    if member and not by:
        raise ValueError(f"{member!r} is a member of what? Name the dimension, such as by='segment'")
    asked = catalogue()[metric]
    require(company, asked, by)
    windows = Windows.of(company.settings, period or company.period)
    for part in _counted(asked):
        require_told(company, part, by, windows)
    found = {part.id: _contributions(company, part, windows, member, by) for part in _counted(asked)}
    return _stacked(found) if asked.estimator == "derived" else found[metric]


def _counted(metric: Metric) -> Iterator[Metric]:
    """The metrics that a metric is computed from in the end: itself, unless it is derived."""
    if metric.estimator != "derived":
        yield metric
    for part in metric.parts:
        yield from _counted(catalogue()[part])


def _contributions(company: Company, metric: Metric, windows: Windows, member: str, by: str) -> ibis.Table:
    facts = counted(company, metric, windows, by)
    facts = facts.filter(metric.where(facts)) if metric.where else facts
    facts = facts.filter(facts.member == member) if member else facts
    num, den = (_number(pick(facts)) if pick else ibis.literal(1, type="int64") for pick in (metric.num, metric.den))
    if metric.estimator in TIMES:
        entry = facts[metric.entry] if metric.entry else ibis.literal(0, type="int64")
        given = dict(zip(WATCHED, (num, den, entry), strict=True))
    else:
        one = num.notnull().cast("int64") if metric.estimator == "mean" else den
        given = {"num": num} if metric.estimator == "sum" else {"num": num, "den": one}
    left = facts.mutate(**given).drop("window", *([] if by else ["member"]))
    if metric.estimator in ALONE:
        return left
    counts = [left[name].fill_null(0) != 0 for name in given]
    return left.filter(counts[0] | counts[-1])


def _number(value: ibis.Value) -> ibis.Value:
    return value.cast("int64") if value.type().is_boolean() else value


def _stacked(found: dict[str, ibis.Table]) -> ibis.Table:
    """The rows of several metrics under each other, with `part`: what names their records, and what they contribute."""
    texts = {name: "string" for table in found.values() for name in table.columns if table[name].type().is_string()}
    types = texts | {name: "float64" for name in (*SHARES, *WATCHED) if any(name in table.columns for table in found.values())}
    return ibis.union(
        *(
            table.select(
                part=ibis.literal(part),
                **{name: table[name].cast(kind) if name in table.columns else ibis.null(kind) for name, kind in types.items()},
            )
            for part, table in found.items()
        )
    )
