"""Handoffs in words: whether they arrive complete and in time, how long customers wait for value, and who leaves after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from revops_helpers.alignment.handoffs import COMPLETE, INCOMPLETE
from revops_helpers.alignment.response import median_of
from revops_helpers.measurement import Measurement
from revops_helpers.metrics.measure import measurements
from revops_helpers.model.company import Company
from revops_helpers.words import figures, parts
from revops_helpers.words.language import (
    N_,
    Quantity,
    Text,
    _,
    count,
    duration,
    n_,
    number,
    percent,
    sentences,
    value_of,
    with_interval,
)
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import available

if TYPE_CHECKING:
    from revops_helpers.alignment.handoffs import FirstValue, Leaving
    from revops_helpers.methods.survival import Survival

ARMS: Mapping[str, str] = {COMPLETE: N_("Complete"), INCOMPLETE: N_("Incomplete")}
METRICS = ("handoff_completion", "handoff_on_time", "handoff_completeness", "time_to_first_value")
DAYS = (1, 3, 7, 14, 21, 30, 45, 60, 90, 180, 365, 730, 3650)  # that a clock may name


def handoffs_reading(company: Company) -> Text | None:
    """How many handoffs of the period are complete and in time; None where it cannot be told."""
    found = measurements(company, METRICS)
    done, on_time, items = (found[name] for name in METRICS[:3])
    if done.value is None:
        return None
    slas = company.settings.slas
    words = {"done": with_interval(done), "n": count(done.n), "on_time": value_of(on_time), "items": value_of(items),
             "enough": percent(slas.handoff_complete), "days": working_days(slas.handoff_days)}  # fmt: skip
    first = _("**{done} of {n} won deals are handed off completely and accepted within {days}.**", **words)
    second = _("{on_time} are accepted in time; {items} of the required items are done.", **words)
    third = _("Complete is from {enough} of the items on.", **words) if slas.handoff_complete < 1 else ""
    return sentences(first, second, third)


def working_days(days: int) -> Text:
    """5 working days"""
    return n_("{n} working day", "{n} working days", days)


@available(N_("how long customers wait for value after a complete and an incomplete handoff"))
def handoffs_section(found: FirstValue, company: Company) -> Part:
    """Completion and time to first value: one curve for complete handoffs, one for incomplete ones."""
    said = [parts.reading(words)] if (words := handoffs_reading(company)) else []
    curves = {arm: curve for arm, curve in found.curves.items() if curve.events}
    if not curves:
        return parts.stack(*said, parts.reading(_("No customer on record has had a first value yet.")))
    said.append(parts.reading(value_reading(found)))
    limit = _(
        "Limit: whether a handoff is complete is what its checklist says; who has had no value yet counts as still waiting."
    )
    names = {arm: _("{arm} ({n})", arm=_(ARMS[arm]), n=count(curve.n)) for arm, curve in curves.items()}
    lines = {names[arm]: _curve(curve) for arm, curve in curves.items()}
    drawn = figures.steps(lines, {t: duration(t, "days") for t in _clock(list(lines.values()))})
    note = _("Share of customers with a first value after so many days from the win, with 95% band. All deals on record.")
    alt = Text("; ".join(_("{arm}: half after {days}", arm=_(ARMS[arm]), days=_median(c)) for arm, c in curves.items()))
    return parts.beside(parts.picture(drawn, value_title(found), note, alt), *said, parts.limit(limit))


def _curve(curve: Survival) -> pd.DataFrame:
    frame = pd.DataFrame({"time": curve.times, "share": 1 - curve.survival, "low": 1 - curve.high, "high": 1 - curve.low})
    return frame.assign(time=frame["time"].clip(lower=1))


def _clock(lines: list[pd.DataFrame]) -> list[int]:
    """The days named on the axis: from the last before anybody had value to the first after which nobody new did."""
    first, last = min(line["time"].min() for line in lines), max(line["time"].max() for line in lines)
    start = max(day for day in DAYS if day <= first)
    end = min((day for day in DAYS if day >= last and day > start), default=DAYS[-1])
    return [day for day in DAYS if start <= day <= end]


def _median(curve: Survival) -> Text:
    return Quantity(with_interval(median_of(curve, "days")), "time_to_first_value")


def _both(found: FirstValue) -> bool:
    return all(arm in found.curves and found.curves[arm].median is not None for arm in ARMS)


def value_title(found: FirstValue) -> Text:
    """How much longer customers wait after an incomplete handoff."""
    if not _both(found):
        return _("How long customers wait for their first value")
    words = {arm: Quantity(duration(found.curves[arm].median, "days"), "time_to_first_value") for arm in ARMS}
    return _("First value after {complete} when the handoff is complete, {incomplete} when it is not", **words)


def value_reading(found: FirstValue) -> Text:
    """Both medians, and whether they stand clear of each other."""
    if not _both(found):
        told = [_("{arm}: half after {days}", arm=_(ARMS[arm]), days=_median(curve)) for arm, curve in found.curves.items()]
        return sentences(_("The two cannot be compared."), Text("; ".join(told) + "."))
    complete, incomplete = (found.curves[arm] for arm in ARMS)
    words = {"complete": _median(complete), "incomplete": _median(incomplete)}
    first = _("Half the customers have their first value after {complete} when complete, {incomplete} when not.", **words)
    ends = (complete.median_high, incomplete.median_low)
    clear = None not in ends and ends[0] < ends[1]
    return sentences(first, _("**The longer wait is beyond noise.**") if clear else _("The difference is within noise."))


@available(N_("whether customers leave more often after an incomplete handoff"))
def leaving_section(found: Leaving) -> Part:
    """Customers by handoff: how many left in how many years, the hazard ratio, and the same by items left out."""
    heads = [_("Handoff"), _("Left a year, per 100 customers"), _("Customers"), _("Left"), _("Years watched")]
    rows = [(_(ARMS[row.arm]), *_numbers(row)) for row in found.arms.itertuples() if row.customers]
    if not rows:
        return parts.reading(_("No customer on record was handed off with a checklist."))
    grid = parts.table(heads, rows, name=_("Customers by handoff"))
    limit = _("Limit: an association. Difficult customers may be both harder to hand off and quicker to leave. "
              "Segments are apart; a customer counts from its first paid day, or its handoff if that came later.")  # fmt: skip
    items = [(count(row.missing), *_numbers(row)) for row in found.by_items.itertuples()]
    by_items = parts.table([_("Items left out"), *heads[1:]], items, name=_("Customers by items left out"))
    left = parts.stack(grid, parts.details(_("By items left out"), by_items))
    return parts.beside(left, parts.stack(parts.reading(leaving_reading(found)), parts.limit(limit)))


def _numbers(row) -> tuple:
    few = {"status": "insufficient", "reason": N_("fewer than 20 events")} if row.left < 20 else {}
    rate = Measurement(100 * row.rate, n=row.left, low=100 * row.low, high=100 * row.high, **few) if row.years else _("n/a")
    return rate, count(row.customers), count(row.left), count(row.years)


def leaving_reading(found: Leaving) -> Text:
    """The hazard ratio and what it costs, or why it cannot be told."""
    left = int(found.arms.left.sum())
    if found.ratio is None:
        return _("**Too few customers have left to compare:** {n} of those handed off with a checklist.", n=count(left))
    words = {"ratio": times(found.ratio), "n": count(found.ratio.n)}
    if not found.ratio.clear_of(1):
        return _("**After an incomplete handoff customers left {ratio} as often**, which could be chance.", **words)
    first = _("**After an incomplete handoff customers left {ratio} as often**, segment by segment.", **words)
    worse = found.arms[found.arms.arm == INCOMPLETE].iloc[0]
    if found.ratio.value <= 1:
        return first
    words = {"live": count(worse.live), "worth": with_interval(found.avoidable)}
    second = _("{live} customers of today had one. Beyond what complete ones lose, {worth} of their ARR leaves a year.", **words)
    return sentences(first, second)


def times(ratio: Measurement) -> Text:
    """1.9 times [1.4–2.6]"""
    low, high = (number(end, 1) for end in (ratio.low, ratio.high))
    return _("{ratio} times [{low}–{high}]", ratio=number(ratio.value, 1), low=low, high=high)
