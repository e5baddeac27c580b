"""What changed between two published reviews: only like is compared with like, and a difference carries its noise.

Intervals of differences treat the two measurements as independent. Where both hold the same records they are not, and the
interval is wider than it need be: what is called clear of noise is, what is called noise may not be all noise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd

from revops_helpers.measurement import Measurement
from revops_helpers.methods import intervals
from revops_helpers.metrics.measure import as_measurement, catalogue
from revops_helpers.periods import MONTHS_IN, Every, Period, month_end

KEYS = ["metric", "dimension", "member"]
Verdict = Literal["better", "worse", "changed", "noise", "exact", "few", "censored", "partial", "absent", "restated"]
Apart = Literal["segment", "missing", "definition", "currency", "period"]
Fate = Literal["new", "gone", "grown", "shrunk", "noise", "unvalued"]
SHOWN_BUT_NOT_JUDGED: Mapping[str, Verdict] = {"insufficient": "few", "censored": "censored", "partial": "partial"}


@dataclass(frozen=True)
class Told:
    """A finding as it was published; report: where its evidence stands."""

    id: str
    headline: str
    metric: str
    report: str
    stake: Measurement


@dataclass(frozen=True)
class Reviewed:
    """A published review, as far as another can be compared with it.

    metrics: as measure() gives it, in the review's period, its quarters and its months. ledger: table, unit, read, accepted,
    quarantined, by table and source. inputs: file → SHA-256. definitions: metric id → hash of its definition and code.
    reports: the notebooks that ran; the executive review (00) has the findings of all.
    """

    name: str
    company: str
    as_of: date
    period_name: str
    period: Period
    segment: str
    currency: str
    language: str
    metrics: pd.DataFrame
    findings: tuple[Told, ...]
    ledger: pd.DataFrame
    inputs: Mapping[str, str]
    parameters: Mapping[str, Any]
    versions: Mapping[str, str]
    definitions: Mapping[str, str]
    fingerprint: str
    reports: tuple[str, ...]

    def looked_at(self, finding: Told) -> bool:
        """Whether the review would have the finding, if it were one."""
        return finding.report in self.reports or any(name.startswith("00") for name in self.reports)


@dataclass(frozen=True)
class Change:
    """One metric (of one member of a dimension; both empty for the total) then and now.

    spans: the two periods, of one kind. difference: now − then with its 95 % interval; shares give a difference in points.
    shared: whether both periods hold the same days. verdict: better, worse or changed only where the difference is clear of its
    noise; exact where it was counted and no noise is claimed, which says nothing about chance.
    """

    metric: str
    dimension: str
    member: str
    spans: tuple[Period, Period]
    before: Measurement
    after: Measurement
    difference: Measurement
    shared: bool
    verdict: Verdict


@dataclass(frozen=True)
class Movement:
    """A finding that either review has. difference: of the stakes, where both can be valued."""

    fate: Fate
    before: Told | None
    after: Told | None
    difference: Measurement | None = None

    @property
    def told(self) -> Told:
        return self.after or self.before


@dataclass(frozen=True)
class Changes:
    """Everything that changed between two reviews.

    measures: every metric in total; members: by dimension, only where there is a difference to judge. apart: metric → why it is
    not compared. restated: KEYS, period_start, period_end, then, now: totals of one past period that differ though they were
    whole; past: how many such totals there are. rows: table, then and now accepted, then and now
    quarantined. inputs, parameters, versions: name → (then, now), None where there was none; only what differs.
    """

    before: Reviewed
    after: Reviewed
    measures: tuple[Change, ...]
    members: tuple[Change, ...]
    apart: Mapping[str, Apart]
    findings: tuple[Movement, ...]
    restated: pd.DataFrame
    past: int
    rows: pd.DataFrame
    inputs: Mapping[str, tuple]
    parameters: Mapping[str, tuple]
    versions: Mapping[str, tuple]


def changes(before: Reviewed, after: Reviewed) -> Changes:
    """Compare two reviews of one company."""
    apart = _apart(before, after)
    there = {*before.metrics.metric, *after.metrics.metric}
    compared = [name for name in catalogue() if name in there and name not in apart]
    apart |= {name: "period" for name in compared if not _spans(before, after, name)}
    found = [one for name in compared if name not in apart for one in _compared(before, after, name)]
    restated, past = _restated(before, after, set(compared))
    return Changes(
        before=before,
        after=after,
        measures=tuple(one for one in found if not one.dimension),
        members=tuple(one for one in found if one.dimension and one.verdict not in ("absent", "few")),
        apart=apart,
        findings=_findings(before, after),
        restated=restated,
        past=past,
        rows=_rows(before.ledger, after.ledger),
        inputs=_differing(before.inputs, after.inputs),
        parameters=_differing(before.parameters, after.parameters),
        versions=_differing(before.versions, after.versions),
    )


def _apart(before: Reviewed, after: Reviewed) -> dict[str, Apart]:
    """Metrics of either review that cannot be compared, and what stands against it."""
    names = sorted({*before.metrics.metric, *after.metrics.metric})
    if before.segment != after.segment:
        return dict.fromkeys(names, "segment")
    apart: dict[str, Apart] = {}
    for name in names:
        then, now = before.definitions.get(name), after.definitions.get(name)
        money = name in catalogue() and catalogue()[name].unit == "money"
        if then is None or now is None:
            apart[name] = "missing"
        elif then != now:
            apart[name] = "definition"
        elif money and before.currency != after.currency:
            apart[name] = "currency"
    return apart


# ---- like with like


def _spans(before: Reviewed, after: Reviewed, metric: str) -> tuple[Period, Period] | None:
    """The newest two periods of one kind: the reviews' own, but for sums over unequal spans; else whole quarters or months."""
    own = (before.period, after.period)
    same_length = len({_months(span) for span in own}) == 1
    if before.period_name == after.period_name and (same_length or not catalogue()[metric].additive):
        return own
    for every in ("quarter", "month"):
        newest = tuple(_newest(review, every) for review in (before, after))
        if None not in newest:
            return newest
    return None


def _months(span: Period) -> int:
    return (span.end.year - span.start.year) * 12 + span.end.month - span.start.month


def _newest(review: Reviewed, every: Every) -> Period | None:
    """The newest whole quarter or month that the review has measured."""
    rows = review.metrics[["period_start", "period_end"]].drop_duplicates()
    spans = [Period(start, end) for start, end in rows.itertuples(index=False)]
    whole = [s for s in spans if _months(s) == MONTHS_IN[every] - 1 and s.start.day == 1 and s.end == month_end(s.end)]
    return max(whole, default=None)


def _compared(before: Reviewed, after: Reviewed, metric: str) -> list[Change]:
    spans = _spans(before, after, metric)
    then, now = (_rows_of(review, metric, span) for review, span in zip((before, after), spans, strict=True))
    return [_change(metric, *key, spans, then[key], now[key]) for key in now if key in then]


def _rows_of(review: Reviewed, metric: str, span: Period) -> dict[tuple[str, str], Measurement]:
    rows = review.metrics
    rows = rows[(rows.metric == metric) & (rows.period_start == span.start) & (rows.period_end == span.end)]
    return {(row.dimension, row.member): as_measurement(row) for _, row in rows.iterrows()}


def _change(metric, dimension, member, spans, before: Measurement, after: Measurement) -> Change:
    moved = difference(before, after)
    return Change(
        metric=metric,
        dimension=dimension,
        member=member,
        spans=spans,
        before=before,
        after=after,
        difference=moved,
        shared=spans[0].end >= spans[1].start and spans[1].end >= spans[0].start,
        verdict=_verdict(before, after, moved, catalogue()[metric].direction, spans[0] == spans[1]),
    )


def difference(before: Measurement, after: Measurement) -> Measurement:
    """after − before. Its interval comes from both (MOVER, Zou and Donner 2008); none where both are exact."""
    unit = "points" if after.unit == "percent" else after.unit
    if before.value is None or after.value is None:
        missing = after if after.value is None else before
        return Measurement(None, status="not_applicable", reason=missing.reason, unit=unit, currency=after.currency)
    judged = [one.status for one in (after, before) if one.status != "ok"]
    fields = {"n": min(before.n, after.n), "unit": unit, "currency": after.currency, "definition_id": after.definition_id}
    moved = Measurement(after.value - before.value, status=judged[0] if judged else "ok", **fields)
    if before.exact and after.exact:
        return moved
    (low, high), (low_before, high_before) = _bounds(after), _bounds(before)
    found = intervals.total(after.value, (low, high), -before.value, (-high_before, -low_before))
    ends = [float(end) if np.isfinite(end) else None for end in found]
    return replace(moved, low=ends[0], high=ends[1])


def _bounds(m: Measurement) -> tuple[float, float]:
    """Low and high; an exact value bounds itself, a missing end is without bound."""
    if m.exact:
        return m.value, m.value
    return (-np.inf if m.low is None else m.low), (np.inf if m.high is None else m.high)


def _verdict(before: Measurement, after: Measurement, moved: Measurement, direction: str, same_period: bool) -> Verdict:
    if moved.value is None:
        return "absent"
    if same_period and not np.isclose(before.value, after.value, rtol=1e-9, atol=0):
        return "restated"
    if moved.status in SHOWN_BUT_NOT_JUDGED:
        return SHOWN_BUT_NOT_JUDGED[moved.status]
    if moved.exact:
        return "exact"
    if not moved.clear_of(0):
        return "noise"
    if direction == "neither":
        return "changed"
    return "better" if (moved.value > 0) == (direction == "higher") else "worse"


def _restated(before: Reviewed, after: Reviewed, compared: set[str]) -> tuple[pd.DataFrame, int]:
    """Totals of one and the same period that differ though the earlier review called them whole, and how many there are."""
    keys = [*KEYS, "period_start", "period_end"]
    whole = [side[(side.status == "ok") & (side.dimension == "")] for side in (before.metrics, after.metrics)]
    sides = [side[side.metric.isin(compared)][[*keys, "value"]] for side in whole]
    both = (
        sides[0].merge(sides[1], on=keys, suffixes=("_then", "_now")).rename(columns={"value_then": "then", "value_now": "now"})
    )
    differ = ~np.isclose(both.then.astype(float), both.now.astype(float), rtol=1e-9, atol=0)
    return both[differ].reset_index(drop=True), len(both)


# ---- findings and data


def _findings(before: Reviewed, after: Reviewed) -> tuple[Movement, ...]:
    """Every finding that both reviews looked for: those of the later one in its order, then those that are gone."""
    then, now = (
        {finding.id: finding for finding in one.findings if other.looked_at(finding)}
        for one, other in ((before, after), (after, before))
    )
    gone = [Movement("gone", finding, None) for finding in then.values() if finding.id not in now]
    return (*(_movement(then.get(finding.id), finding) for finding in now.values()), *gone)


def _movement(before: Told | None, after: Told) -> Movement:
    if before is None:
        return Movement("new", None, after)
    stakes = (before.stake, after.stake)
    if any(stake.value is None for stake in stakes) or before.stake.currency != after.stake.currency:
        return Movement("unvalued", before, after)
    moved = difference(*stakes)
    fate: Fate = "noise" if not moved.clear_of(0) else "grown" if moved.value > 0 else "shrunk"
    return Movement(fate, before, after, moved)


def _rows(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """table, accepted_then, accepted_now, quarantined_then, quarantined_now: rows of every table of either review."""
    sums = [side[side.unit == "rows"].groupby("table", sort=False)[["accepted", "quarantined"]].sum() for side in (after, before)]
    both = sums[0].join(sums[1], how="outer", lsuffix="_now", rsuffix="_then", sort=True)
    return both.fillna(0).astype("int64").reset_index(names="table")


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple]:
    names: Sequence[str] = sorted({*before, *after})
    return {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}
