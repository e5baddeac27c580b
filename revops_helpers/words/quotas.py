"""Quotas and forecasts in words: what is asked of people, what came of it, and whose commit to read with care. By id only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from revops_helpers.measurement import Measurement
from revops_helpers.model.company import Company
from revops_helpers.planning.habits import under_way
from revops_helpers.planning.quotas import team_attainment
from revops_helpers.words import parts
from revops_helpers.words.definitions import name_cell
from revops_helpers.words.language import (
    N_,
    Text,
    _,
    count,
    data,
    listing,
    n_,
    percent,
    ratio,
    sentences,
    span,
    value_of,
    with_interval,
)
from revops_helpers.words.language import money as amount
from revops_helpers.words.names import person
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import available

if TYPE_CHECKING:
    from revops_helpers.planning.habits import Habits
    from revops_helpers.planning.quotas import Quotas

BANDS: Mapping[float, str] = {
    0.0: N_("Under 50%"),
    0.5: N_("50% to under 80%"),
    0.8: N_("80% to under 100%"),
    1.0: N_("100% and more"),
}


# --- quotas --------------------------------------------------------------------------------------------------------------


@available(N_("whether quotas fit the plan and who meets them"))
def quotas_section(found: Quotas, company: Company) -> Part:
    """The sum of quotas against plan and against what was won; how many were met; each person by id, folded."""
    money = company.settings.currency
    sums = [
        (_("Quotas, for the days people were there"), found.assigned),
        (name_cell("new_arr_won", _("Planned new ARR won")), found.planned),
        (_("Quotas beyond the plan"), found.over),
        (name_cell("new_arr_won", _("Won by people with a quota")), found.credited),
        (_("Attainment, all together"), found.attainment),
        (_("Quotas met in full"), found.met),
    ]
    grid = parts.table([_("Quotas, {period}", period=span(found.period)), _("Value")], sums)
    bands = [
        (
            _(BANDS[row.low]),
            count(row.quotas),
            Measurement(row.share, len(found.bands), row.share_low, row.share_high, unit="percent"),
        )
        for row in found.bands.itertuples()
    ]
    spread = parts.table([_won()[1], _("Quotas"), _("Share")], bands, name=_("Quotas by attainment"))
    limit = _("Limit: a deal is credited to its owner. One quota is one person and period; few periods do not make a ranking, so "
              "people stand by id.")  # fmt: skip
    said = [parts.reading(quotas_reading(found)), parts.limit(limit)]
    return parts.stack(parts.beside(grid, spread), *said, *_teams(found, money), _each(found, company))


def quotas_reading(found: Quotas) -> Text:
    """Over-assignment, attainment and what the quotas would bring at it."""
    words = {"met": with_interval(found.met), "share": value_of(found.attainment)}
    first = n_(
        "**Of {n} quota {met} was met; it reached {share}.**",
        "**Of {n} quotas {met} were met; together they reached {share}.**",
        found.met.n,
        **words,
    )
    if found.over.value is None:
        return first
    over = {"over": percent(abs(found.over.value)), "planned": value_of(found.planned), "assigned": value_of(found.assigned)}
    if found.over.value > 0:
        second = _("The quotas add up to {assigned}, {over} more than the {planned} that the plan has won.", **over)
    else:
        second = _("The quotas add up to {assigned}, {over} less than the {planned} that the plan has won.", **over)
    return sentences(first, second)


def _teams(found: Quotas, money: str) -> list[Part]:
    if found.teams.empty:
        return []
    rows = [
        (
            data(r.team or _("(not recorded)")),
            count(r.people),
            amount(r.quota, money),
            amount(r.credited, money),
            team_attainment(r),
        )
        for r in found.teams.itertuples()
    ]
    return [parts.table([_("Team"), _("People"), _("Quotas"), *_won()], rows)]


def _won() -> tuple[Part, Part]:
    return name_cell("new_arr_won", _("Won")), name_cell("quota_attainment", _("Attainment"))


def _each(found: Quotas, company: Company) -> Part:
    money = company.settings.currency
    rows = [
        (person(company, r.user_id), count(r.periods), amount(r.quota, money), amount(r.credited, money), percent(r.attainment),
         _("has left") if r.left else "")
        for r in found.people.itertuples()
    ]  # fmt: skip
    heads = [_("Person"), _("Quota periods"), _("Quotas"), *_won(), _("Today")]
    return parts.details(_("Everybody with a quota, by id"), parts.table(heads, rows, name=_("Attainment by person")))


# --- forecast habits -----------------------------------------------------------------------------------------------------


@available(N_("whether people forecast what comes"))
def habits_section(found: Habits, company: Company) -> Part:
    """Who commits too little or too much, beyond luck; and the commit with habits taken out."""
    said = [parts.reading(habits_reading(found, company))]
    limit = _("Limit: mean commit of a period over what the person then won in it. Named only where luck is ruled out for all "
              "people together (Holm, 5%).")  # fmt: skip
    few = n_("{n} person has too few periods to be judged.", "{n} people have too few periods to be judged.", found.too_few)
    said.append(parts.limit(sentences(limit, few if found.too_few else "")))
    if found.named.empty:
        return parts.stack(*said)
    rows = [(person(company, r.user_id), count(r.periods), _habit(r), _verdict(r)) for r in found.named.itertuples()]
    grid = parts.table([_("Person"), _("Periods"), _("Commit ÷ won"), _("Habit")], rows, name=_("Forecast habits"))
    return parts.beside(grid, *said)


def _habit(row) -> Measurement:
    return Measurement(row.ratio, int(row.periods), row.low, row.high, unit="ratio")


def _verdict(row) -> Text:
    return _("commits too much") if row.ratio > 1 else _("commits too little")


def habits_reading(found: Habits, company: Company) -> Text:
    """Who, and what the commit becomes."""
    who = listing(
        [_("{person} {ratio}", person=person(company, r.user_id), ratio=ratio(r.ratio, 2)) for r in found.named.itertuples()]
    )
    first = (
        _("**Beyond luck: {who}** of what they then won.", who=who)
        if len(found.named)
        else _("**Nobody's forecast is off the mark beyond luck**, of {n} judged.", n=count(len(found.people)))
    )
    every = _("All together commit {ratio} of what is won.", ratio=with_interval(found.everyone)) if found.everyone.value else ""
    words = {"period": span(found.current), "commit": value_of(found.commit), "corrected": with_interval(found.corrected)}
    if under_way(found, company.as_of):
        last = _("The commit for {period} is {commit}; with habits taken out {corrected}.", **words)
    elif found.came is not None and len(found.people):
        tried = _("Tried on {period}: {commit} was committed, {corrected} with earlier habits taken out.", **words)
        last = sentences(tried, _("What came was {came}.", came=value_of(found.came)))
    else:
        last = ""
    return sentences(first, every, last)
