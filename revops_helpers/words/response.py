"""Response to leads in words: how long they wait, whose wait it is, whether a fast answer pays, and what a new agreement did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from revops_helpers.measurement import Measurement
from revops_helpers.metrics.measure import as_measurement
from revops_helpers.words import figures, parts
from revops_helpers.words.definitions import name_cell
from revops_helpers.words.language import (
    N_,
    Quantity,
    Text,
    _,
    count,
    data,
    duration,
    listing,
    n_,
    percent,
    sentences,
    span,
    unit_of_wait,
    value_of,
    with_interval,
)
from revops_helpers.words.names import member as called
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import available, lower_first

if TYPE_CHECKING:
    from revops_helpers.alignment.response import Delays, Response
    from revops_helpers.methods.survival import Survival

HOUR, DAY, WEEK, MONTH = 60, 1440, 10080, 43200
CURVES: Mapping[str, str] = {"elapsed": N_("By the clock"), "working": N_("Working time")}
CUTS: Mapping[str, str] = {"source": N_("Source"), "owner": N_("Owner"), "segment": N_("Segment")}
SHOWN = 12


def minutes(m: Measurement) -> Measurement:
    """A wait in the unit that reads best."""
    if m.value is None or m.unit != "minutes":
        return m
    per, unit = unit_of_wait(m.value)
    low, high = (None if end is None else end / per for end in (m.low, m.high))
    return replace(m, value=m.value / per, low=low, high=high, unit=unit)


def agreed(sla: int) -> Text:
    """The agreed time: 60 min, 4 h."""
    return duration(sla / HOUR, "hours") if sla % HOUR == 0 and sla > HOUR else duration(sla, "minutes")


# --- waits ---------------------------------------------------------------------------------------------------------------


@available(N_("how long leads wait for a first contact"))
def response_section(found: Response) -> Part:
    """The share contacted over time, with the agreed time and how many never are; and the agreed time by source and owner."""
    if not found.leads:
        return parts.reading(_("No lead was created in {period}.", period=span(found.period)))
    said = [parts.reading(response_reading(found)), parts.limit(_response_limit(found))]
    cuts = [_cut(found, name) for name in ("source", "segment") if name in found.cuts]
    owners = [parts.details(_("By owner"), _cut_table(found, "owner"))] if "owner" in found.cuts else []
    if not any(curve.events for curve in found.curves.values()):
        return parts.stack(*said)
    return parts.stack(parts.beside(_waits(found), *said), *cuts, *owners)


def _waits(found: Response) -> Part:
    curves = {_(CURVES[name]): _curve(curve) for name, curve in found.curves.items() if curve.events}
    never = found.measured["never_contacted"]
    notes = {_(CURVES["elapsed"]): _("{share} never contacted", share=value_of(never))} if never.value else {}
    ticks = {1: duration(1, "minutes"), 10: duration(10, "minutes"), HOUR: duration(1, "hours"), 8 * HOUR: duration(8, "hours"),
             DAY: duration(1, "days"), WEEK: duration(7, "days"), MONTH: duration(30, "days")}  # fmt: skip
    marks = {float(found.sla): _("agreed {time}", time=agreed(found.sla))} if 1 < found.sla < MONTH else {}
    drawn = figures.steps(curves, ticks, marks, notes)
    words = {"working": with_interval(minutes(found.measured["time_to_first_contact_at_work"])), "never": value_of(never)}
    alt = _("Half the leads are contacted after {working} of working time; {never} never are.", **words)
    note = _("Share of leads contacted after so long, Kaplan and Meier, with 95% band. Leads created {period}.",
             period=span(found.period))  # fmt: skip
    return parts.picture(drawn, response_title(found), note, alt)


def _curve(curve: Survival) -> pd.DataFrame:
    """One minus the curve, drawn on to the end of the axis."""
    frame = pd.DataFrame({"time": curve.times, "share": 1 - curve.survival, "low": 1 - curve.high, "high": 1 - curve.low})
    last = frame.iloc[[-1]].assign(time=float(MONTH))
    return pd.concat([frame, last], ignore_index=True) if frame["time"].iloc[-1] < MONTH else frame


def response_title(found: Response) -> Text:
    """How many are contacted in time, and how many never."""
    within, never = found.measured["contacted_within_sla"], found.measured["never_contacted"]
    words = {"share": value_of(within), "time": agreed(found.sla), "never": value_of(never)}
    if within.value is None:
        return _("{never} of leads are not contacted yet", **words)
    if not never.value:
        return _("{share} of leads are contacted within {time}, and none never", **words)
    return _("{share} of leads are contacted within {time}, {never} never", **words)


def response_reading(found: Response) -> Text:
    """In time, at the median, never; and against the target."""
    by = found.measured
    within, never = by["contacted_within_sla"], by["never_contacted"]
    words = {"share": with_interval(within), "time": agreed(found.sla), "leads": count(found.leads)}
    if within.value is None:
        first = _("**No lead's agreed time is over yet**, of {leads}.", **words)
    else:
        first = _("**{share} of {leads} leads are contacted within the agreed {time}** of working time.", **words)
    work, clock = (minutes(by[name]) for name in ("time_to_first_contact_at_work", "time_to_first_contact"))
    half = {"work": with_interval(work), "all": value_of(clock)}
    median = _("Half are contacted after {work} of working time, {all} by the clock.", **half)
    if work.value is None or work.status == "censored":
        median = _("Fewer than half have been contacted so far.")
    left = _("{share} have had no contact at all.", share=with_interval(never)) if never.value else ""
    return sentences(first, median, left, _against(found))


def _against(found: Response) -> Text | str:
    within, goal = found.measured["contacted_within_sla"], found.target
    if goal is None or goal.value is None or within.value is None:
        return ""
    goal_ = Quantity(percent(goal.value), goal.definition_id)
    if within.clear_of(goal.value):
        if within.value < goal.value:
            return _("The target of {goal} is missed.", goal=goal_)
        return _("The target of {goal} is met.", goal=goal_)
    return _("Whether the target of {goal} is met is within noise.", goal=goal_)


def _response_limit(found: Response) -> Text:
    unknown = [_(CUTS[name]).lower() for name in CUTS if name not in found.cuts]
    first = _("Limit: leads not contacted count as still waiting. What is called a contact is what the CRM logs as one.")
    if not unknown:
        return first
    return sentences(first, _("Not split by {cuts}: known for too few leads.", cuts=listing([Text(name) for name in unknown])))


def _cut(found: Response, name: str) -> Part:
    """The share in time by member, drawn; beside the members in numbers."""
    rows = found.cuts[name].head(SHOWN)
    items = [(called(str(row.member)), as_measurement(row)) for _i, row in rows.iterrows()]
    goal = found.target.value if found.target else None
    note = _("Share of leads contacted within the agreed {time}. Line: 95% interval.", time=agreed(found.sla))
    alt = Text("; ".join(_("{stage} {share}", stage=member, share=with_interval(share)) for member, share in items))
    drawn = parts.picture(
        figures.bars(items, goal, "higher", _("Target {value}", value=percent(goal)) if goal else ""),
        _cut_title(name, items),
        note,
        alt,
    )
    return parts.beside(drawn, parts.reading(_cut_reading(name, items)))


def _told(items: list[tuple[str, Measurement]]) -> list[tuple[str, Measurement]]:
    return [(member, share) for member, share in items if share.status == "ok"]


def _cut_title(name: str, items: list[tuple[str, Measurement]]) -> Text:
    ranked = _told(items)
    if not ranked:
        return _("Too few leads to tell {cut} apart", cut=lower_first(_(CUTS[name])))
    (best, most), (worst, least) = ranked[0], ranked[-1]
    high, low = (Quantity(percent(m.value), m.definition_id) for m in (most, least))
    words = {"best": best, "most": high, "worst": worst, "least": low}
    if len(ranked) == 1:
        return _("{best}: {most} in time", **words)
    return _("In time: {best} {most}, {worst} {least}", **words)


def _cut_reading(name: str, items: list[tuple[str, Measurement]]) -> Text:
    ranked = _told(items)
    small = len(items) - len(ranked)
    few = n_(
        "{n} row has under 20 leads in time or late and is not ranked.",
        "{n} rows have under 20 leads in time or late and are not ranked.",
        small,
    )
    if len(ranked) < 2:
        return few if small else _("There is nothing to compare.")
    (best, most), (worst, least) = ranked[0], ranked[-1]
    words = {"best": best, "most": with_interval(most), "worst": worst, "least": with_interval(least)}
    if most.low is not None and least.high is not None and most.low > least.high:
        first = _("**{best} leads are answered in time most often, {most}; {worst} leads least, {least}.**", **words)
    else:
        first = _("**No row stands clear of another:** {best} {most}, {worst} {least}.", **words)
    return sentences(first, few if small else "")


def _cut_table(found: Response, name: str) -> Part:
    rows = [(data(row.member), count(row.n), as_measurement(row)) for _i, row in found.cuts[name].iterrows()]
    heads = [_(CUTS[name]), name_cell("leads"), _("Within the agreed time")]
    return parts.table(heads, rows[:50], name=_("In time, by {cut}", cut=lower_first(_(CUTS[name]))))


@available(N_("whose part of the wait is the system's and whose is people's"))
def delays_section(found: Delays) -> Part:
    """The system's part of the wait, and people's."""
    system, human = minutes(found.system), minutes(found.human)
    rows = [
        (_("From creation to a person (by the clock)"), system, count(found.leads), count(found.assigned)),
        (_("From there to the contact (working time)"), human, count(found.assigned), count(found.contacted)),
    ]
    heads = [_("Part of the wait"), _("Half are done after"), name_cell("leads"), _("Over")]
    return parts.beside(parts.table(heads, rows, name=_("Where the wait comes from")), parts.reading(delays_reading(found)))


def delays_reading(found: Delays) -> Text:
    """Which part is the longer."""
    if found.system.value is None or found.human.value is None:
        return _("**Where the wait comes from cannot be told:** too few leads were given to anybody.")
    words = {"system": value_of(minutes(found.system)), "human": value_of(minutes(found.human))}
    if found.human.value > found.system.value:
        return _("**Routing takes {system}, people take {human}.** The wait is with the person, not with the system.", **words)
    return _("**Routing takes {system}, people take {human}.** The wait is with the system, not with the person.", **words)
