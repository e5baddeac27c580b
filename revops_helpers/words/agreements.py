"""Agreements between the teams in words: whether they are kept, and what changing one did."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from revops_helpers.measurement import Measurement
from revops_helpers.metrics.measure import measure, measurement, target
from revops_helpers.model.company import Company
from revops_helpers.periods import Period, add_months, last_closed_month_end, month_start
from revops_helpers.words import figures, parts
from revops_helpers.words.definitions import name_cell
from revops_helpers.words.handoffs import working_days
from revops_helpers.words.language import N_, Quantity, Text, _, count, day, label, sentences, value_of, with_interval
from revops_helpers.words.names import member
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import available, lower_first
from revops_helpers.words.response import DAY, HOUR, agreed, minutes

if TYPE_CHECKING:
    from revops_helpers.alignment.service_levels import Change


def levels_section(company: Company) -> Part:
    """Each service level: how many were decided, met and breached; now and a year before, against the target."""
    rows = [_level(company, metric, words) for metric, words in _levels(company)]
    rows = [row for row in rows if row]
    if not rows:
        return parts.unavailable(_("leads (first_contact_at) or onboardings (accepted_at)"), _("whether the agreements are kept"))
    heads = [_("Agreement"), _("Attainment"), _("Target"), _("Decided"), _("Met"), _("Breached"), _("Year before")]
    limit = _("Limit: open and not yet due is in no number; open and overdue is breached. Working hours of the agreement.")
    return parts.stack(parts.table(heads, rows, name=_("Service levels")), parts.limit(limit))


def _levels(company: Company) -> list[tuple[str, Text]]:
    slas = company.settings.slas
    days = working_days(slas.handoff_days)
    return [
        ("contacted_within_sla", _("First contact within {time}", time=agreed(slas.first_contact_minutes))),
        ("handoff_on_time", _("Handoff accepted within {days} of the win", days=days)),
        ("handoff_completion", _("The same, and complete")),
    ]


def _level(company: Company, metric: str, words: Text) -> tuple | None:
    now, before = (measurement(company, metric, period) for period in (company.period, company.period.year_before()))
    if now.value is None:
        return None
    met, planned = round(now.value * now.n), target(company, metric)
    goal = value_of(planned) if planned else Quantity(_("no target"))
    return (words, now, goal, count(now.n), count(met), count(now.n - met), before)


@available(N_("what a change of an agreement did"))
def changes_section(found: list[Change], company: Company) -> Part:
    """Every change of an agreement: before and after, and beyond what happened to everybody else."""
    if not found:
        return parts.reading(_("No change on record is about response or handoffs."))
    heads = [_("Change and measure"), _("Beyond the others"), _("Before"), _("After"), _("Moved by"), _("Others moved by")]
    heads.append(_("Days each side"))
    rows = [
        (_about(x), x.beyond, minutes(x.before), _in_unit(x.after, x.before), x.effect, x.others, count(max(x.days, 0)))
        for x in found
    ]
    limit = _("Limit: what else changed for them on that day is in the numbers too. × is after ÷ before.")
    said = [parts.reading(change_reading(x)) for x in one_each(found)]
    numbers = parts.table(heads, rows, name=_("Changes of agreements"))
    return parts.stack(*_drawn(found, company, said), numbers, parts.limit(limit))


def _about(x: Change) -> Part:
    return name_cell(x.metric, _("{change}: {metric}", change=x.name, metric=lower_first(label(x.metric))))


def _in_unit(m: Measurement, like: Measurement) -> Measurement:
    """A wait in the unit of another."""
    shown = minutes(like)
    if m.value is None or shown.unit == m.unit:
        return m
    per = {"days": DAY, "hours": HOUR}.get(shown.unit, 1)
    low, high = (None if end is None else end / per for end in (m.low, m.high))
    return replace(m, value=m.value / per, low=low, high=high, unit=shown.unit)


def one_each(found: list[Change]) -> list[Change]:
    """The measure of each change that tells most: one that is clear before one that is not, a share before a time."""
    chosen: dict[str, Change] = {}
    for x in sorted(found, key=lambda x: (not is_clear(x), x.beyond.unit != "points")):
        chosen.setdefault(x.initiative, x)
    return [chosen[name] for name in dict.fromkeys(x.initiative for x in found)]


def is_clear(x: Change) -> bool:
    """Whether it moved beyond what happened to everybody else."""
    return x.beyond.clear_of(1.0 if x.beyond.unit == "ratio" else 0.0)


def change_reading(x: Change) -> Text:
    """What moved, by how much, and whether beyond the others."""
    words = {"metric": lower_first(label(x.metric)), "treated": member(x.treated), "day": day(x.starts_on),
             "before": value_of(minutes(x.before)), "after": value_of(_in_unit(x.after, x.before)),
             "beyond": with_interval(x.beyond)}  # fmt: skip
    if x.beyond.value is None:
        return _("**Since {day}, {treated}:** too little on record to tell whether anything moved.", **words)
    first = _("**Since {day}, {treated}: {metric} went from {before} to {after}.**", **words)
    if is_clear(x):
        return sentences(first, _("Beyond what happened to the others: {beyond}.", **words))
    return sentences(first, _("Beyond the others it is within noise: {beyond}.", **words))


def _drawn(found: list[Change], company: Company, said: list[Part]) -> list[Part]:
    """The share in time month by month, of those that the first change was meant for and of all."""
    shares = [x for x in found if x.metric == "contacted_within_sla" and x.before.value is not None]
    if not shares:
        return said
    x = shares[0]
    end = last_closed_month_end(company.as_of)
    year = Period(max(add_months(month_start(end), -17), add_months(month_start(x.starts_on), -9)), end)
    own = measure(company, x.metric, by=x.dimension, every="month", period=year)
    all_ = measure(company, x.metric, every="month", period=year).assign(member=_("all"))
    both = pd.concat([own[own.member == x.treated].assign(member=member(x.treated)), all_], ignore_index=True)
    words = {"treated": member(x.treated), "day": day(x.starts_on), "moved": with_interval(x.beyond)}
    title = _("In time since {day}: {treated} moved by {moved} beyond the others", **words)
    note = _("Share of leads contacted within the agreed time by month of creation, with 95% band.")
    sides = {"treated": member(x.treated), "before": with_interval(x.before), "after": with_interval(x.after)}
    alt = _("{treated}: {before} before, {after} after.", **sides)
    return [parts.beside(parts.picture(figures.lines(both), title, note, alt), *said)]
