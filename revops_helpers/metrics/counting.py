"""Count the facts of metrics in as few queries as they allow, and finish what comes back: a value for every window and member.

The engine filters, joins and sums; only sufficient statistics come back. Metrics over the same facts share one query.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

import ibis
import pandas as pd

from revops_helpers.metrics import estimate
from revops_helpers.metrics.arrival import arrived
from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.metrics.dimensions import DIMENSIONS, add_dimension
from revops_helpers.metrics.estimate import ALONE, KEYS, RESULT
from revops_helpers.metrics.held import held
from revops_helpers.metrics.kept import begin
from revops_helpers.metrics.linked import require_linked
from revops_helpers.metrics.metric import Facts, Metric
from revops_helpers.metrics.reading import ALL, Part, Reading, narrows, reading, together
from revops_helpers.metrics.reasons import NOT_BY
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company, Unavailable

NOWHERE = -1  # the window of a metric that cannot be measured at all


class NotMeasuredBy(Unavailable):
    """The metric cannot be cut by that dimension."""

    def __init__(self, dimension: str):
        super().__init__([])
        self.dimension = dimension

    def __str__(self) -> str:
        return NOT_BY.format(dimension=self.dimension)


def values(company: Company, metrics: Sequence[Metric], windows: Windows, dimension: str = "") -> dict[str, pd.DataFrame]:
    """Metric id → frame of window, member and RESULT, a row for every window and member; made once for a company."""
    known = company.once(f"measured by {dimension} in {windows}", dict)
    missing = [metric for metric in _with_parts(company, metrics, dimension) if metric.id not in known]
    batches: dict[tuple, list[Metric]] = {}
    for metric in missing:
        if reason := absent(company, metric, dimension):
            known[metric.id] = none(reason)
        elif metric.estimator != "derived":
            alone = metric.id if metric.estimator in ALONE else ""
            batches.setdefault((_facts(metric, dimension), metric.cluster, alone), []).append(metric)
    count = partial(_all_counted, company, windows, dimension)
    known |= held(company, f"{dimension} {windows}", estimate.joined(batches), count)
    for metric in missing:
        if metric.id not in known:
            known[metric.id] = _derived(company, metric, windows, dimension)
    return {metric.id: known[metric.id] for metric in metrics}


def _with_parts(company: Company, metrics: Sequence[Metric], dimension: str) -> list[Metric]:
    """The metrics and, so that they share the queries of the others, those that they are derived from; each once."""
    every = [*dict.fromkeys(metrics)]
    for metric in every:
        if metric.parts and not absent(company, metric, dimension):
            every += [part for name in metric.parts if (part := catalogue()[name]) not in every]
    return every


def _all_counted(
    company: Company, windows: Windows, dimension: str, batches: Sequence[Sequence[Metric]]
) -> dict[str, pd.DataFrame]:
    """Every batch of metrics counted, each in one query that knows which tables the others read."""
    every = [metric for batch in batches for metric in batch]
    whole = together(every, [_facts(metric, dimension) for metric in every], _cuts(company, dimension), windows)
    asked = Counter(table for batch in batches for table in _tables(batch))
    found: dict[str, pd.DataFrame] = {}
    begun: list[tuple[list[Metric], ibis.Table]] = []
    # Last what has to ask the engine something before it can be asked itself: the others are being answered meanwhile.
    waiting = sorted(batches, key=lambda batch: any(metric.untold or metric.lag for metric in batch))
    for batch in waiting:
        reasons = {metric.id: lacking(company, metric, dimension, whole, windows) for metric in batch}
        found |= {id: none(reason) for id, reason in reasons.items() if reason}
        if able := [metric for metric in batch if not reasons[metric.id]]:
            read = reading(able, _cuts(company, dimension), all(asked[table] == 1 for table in _tables(able)), whole)
            try:
                begun.append((able, begin(company, query(company, able, windows, dimension, read))))
            except Unavailable as missing:
                own = [metric for metric in able if _facts(metric, dimension) is _facts(able[0], dimension)]
                found |= {metric.id: none(str(missing)) for metric in own}
                waiting += [rest] if (rest := [metric for metric in able if metric not in own]) else []
    for batch, table in begun:
        found |= _counted(company, batch, windows, dimension, table.to_pandas())
    return found


def _tables(batch: Sequence[Metric]) -> set[str]:
    """The tables that the metrics of a query need."""
    return {need.partition(".")[0] for metric in batch for need in metric.needs}


def lacking(company: Company, metric: Metric, dimension: str, whole: Part = ALL, windows: Windows | None = None) -> str:
    """Why the metric cannot be measured, cut or filtered here; empty when it can.

    whole: what the measurement reads. windows: what it is measured in, the company's period when none is given.
    """
    return absent(company, metric, dimension) or untold(company, metric, dimension, whole, windows)


def untold(company: Company, metric: Metric, dimension: str = "", whole: Part = ALL, windows: Windows | None = None) -> str:
    """Why the records do not tell the metric although the columns are there; empty when they do."""
    try:
        require_told(company, metric, dimension, windows or Windows.of(company.settings, company.period))
        return metric.untold(company, reading([metric], _cuts(company, dimension), False, whole)) if metric.untold else ""
    except Unavailable as missing:  # such as amounts in a currency without a rate
        return str(missing)


def require_told(company: Company, metric: Metric, dimension: str, windows: Windows) -> None:
    """Unavailable when the metric is of leads and most of them have nothing to be cut or filtered by."""
    if metric.of_leads:
        require_linked(company, _cuts(company, dimension), windows.span)


def absent(company: Company, metric: Metric, dimension: str) -> str:
    """What the metric or the cut needs and the company's tables do not have; empty when they have it."""
    try:
        require(company, metric, dimension)
    except Unavailable as missing:
        return str(missing)
    return ""


def require(company: Company, metric: Metric, dimension: str) -> None:
    """Unavailable when the company's tables lack what the metric or the cut needs, or it cannot be cut so."""
    cuts = _cuts(company, dimension)
    for name in cuts:
        if name not in metric.dimensions:
            raise NotMeasuredBy(name)
    of_cuts = [need for name in cuts for need in metric.needs_by.get(name, (DIMENSIONS[name].need,))]
    company.require([*metric.needs, *of_cuts])


def none(reason: str) -> pd.DataFrame:
    """The one row of what cannot be measured."""
    empty = estimate.frame([float("nan")], n=[0])
    return empty.assign(window=NOWHERE, member="", status="not_applicable", reason=reason)[[*KEYS, *RESULT]]


def _counted(
    company: Company, batch: Sequence[Metric], windows: Windows, dimension: str, stats: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    members = sorted(stats.member.unique()) if dimension else [""]
    if batch[0].estimator not in ALONE:
        stats = stats.sort_values(KEYS, ignore_index=True)  # once, and no metric of the batch has to be put in order
    out = {}
    for metric in batch:
        found = _every_window(metric, estimate.finish(stats, metric, company.settings), windows, members)
        out[metric.id] = arrived(company, metric, windows, found)
    return out


def query(
    company: Company, batch: Sequence[Metric], windows: Windows, dimension: str = "", read: Reading | None = None
) -> ibis.Table:
    """The query of metrics that share facts: their sufficient statistics by window and member.

    read: what it reads beside the other queries of a measurement; none means that it is the only one.
    """
    read = read or reading(batch, _cuts(company, dimension))
    return estimate.statistics(counted(company, batch[0], windows, dimension, read), batch)


def _cuts(company: Company, dimension: str) -> list[str]:
    """The dimensions that the facts are cut or filtered by."""
    return [name for name in (dimension, "segment" if company.segment else "") if name]


def counted(company: Company, metric: Metric, windows: Windows, dimension: str = "", read: Reading | None = None) -> ibis.Table:
    """The facts that a metric counts, those of the company's segment, each with its window and its member of the dimension.

    read: the query that they are for, when columns that it does not read may be left out.
    """
    make = _facts(metric, dimension)
    facts = make(company, windows, read=read) if narrows(make) else make(company, windows)
    if company.segment:
        facts = add_dimension(company, facts, "segment")
        facts = facts.filter(facts.member == company.segment).drop("member")
    return add_dimension(company, facts, dimension) if dimension else facts.mutate(member=ibis.literal(""))


def _facts(metric: Metric, dimension: str) -> Facts | None:
    return metric.facts_by.get(dimension, metric.facts)


def _derived(company: Company, metric: Metric, windows: Windows, dimension: str) -> pd.DataFrame:
    """The metric from its parts, aligned over every window and member of any of them."""
    parts = values(company, [catalogue()[part] for part in metric.parts], windows, dimension)
    if without := [found for found in parts.values() if len(found) and found.window.iloc[0] == NOWHERE]:
        return none(without[0].reason.iloc[0])
    every = sorted({key for found in parts.values() for key in zip(found["window"], found["member"], strict=True)})
    aligned = {name: _filled(found, every) for name, found in parts.items()}
    try:
        return metric.combine(company, windows, aligned)[[*KEYS, *RESULT]]
    except Unavailable as missing:
        return none(str(missing))


def _every_window(metric: Metric, found: pd.DataFrame, windows: Windows, members: Sequence[str]) -> pd.DataFrame:
    """A row for each window and member: where nothing was counted a sum is 0 and anything else has no value."""
    every = [(window, member) for window in range(len(windows.periods)) for member in members]
    return _filled(found, every, metric.estimator != "sum", metric.zero_reason)


def _filled(found: pd.DataFrame, every: Sequence[tuple[int, str]], zero: bool = True, reason: str = "") -> pd.DataFrame:
    keys = [*zip(found["window"], found["member"], strict=True)]
    if keys == every:
        return found[[*KEYS, *RESULT]]
    there = dict(zip(keys, range(len(found)), strict=True))
    absent = [key for key in every if key not in there]
    if absent:
        empty = estimate.frame([0.0] * len(absent), n=[0] * len(absent), zero=zero)
        empty["reason"] = (reason or empty["reason"]) if zero else ""
        keys = pd.DataFrame(absent, columns=KEYS)
        found = pd.concat([found, keys.join(empty)], ignore_index=True)
        there |= {key: len(there) + i for i, key in enumerate(absent)}
    return found.iloc[[there[key] for key in every]].reset_index(drop=True)[[*KEYS, *RESULT]]
