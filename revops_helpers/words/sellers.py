"""The sellers in words: how they ramp, whether they are enough, what is asked of them, how they forecast. By id only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from revops_helpers.measurement import Measurement
from revops_helpers.model.company import Company
from revops_helpers.planning.habits import under_way
from revops_helpers.planning.quotas import team_attainment
from revops_helpers.words import figures, parts
from revops_helpers.words.language import (
    N_,
    Text,
    _,
    count,
    data,
    interval_of,
    listing,
    month,
    n_,
    percent,
    ratio,
    sentences,
    span,
    value_of,
    with_interval,
)
from revops_helpers.words.language import money as amount
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import available

if TYPE_CHECKING:
    from revops_helpers.planning.capacity import Capacity, Team
    from revops_helpers.planning.habits import Habits
    from revops_helpers.planning.quotas import Quotas

LIKELY, SAFE = 0.5, 0.8
BANDS: Mapping[float, str] = {
    0.0: N_("Under 50%"),
    0.5: N_("50% to under 80%"),
    0.8: N_("80% to under 100%"),
    1.0: N_("100% and more"),
}


# --- ramp ----------------------------------------------------------------------------------------------------------------


@available(N_("how long new sellers take"))
def team_section(known: Team) -> Part:
    """The measured ramp, month by month, and what else is known of the team."""
    rows = [(_("Month {n}", n=count(row.tenure)), _point(row)) for row in known.ramp.itertuples() if row.share == row.share]
    facts = [
        (_("Sellers now"), count(len(known.people))),
        (_("Of them with less than a year"), count(int((known.people.tenure < 12).sum()))),
        (_("Months until half have ramped"), known.ramp_months),
        (_("Leave within a year"), known.attrition),
        (_("New ARR won a month, tenured seller"), known.productivity),
    ]
    grid = parts.table([_("The team"), _("Value")], facts)
    limit = _("Limit: deals won by sellers in their first year, against as many sellers of a year or more in the same months. "
              "Leavers count until they left.")  # fmt: skip
    said = [parts.reading(team_reading(known)), grid, parts.limit(limit)]
    if not rows:
        return parts.stack(*said)
    note = _("Deals won as a share of what tenured sellers won in the same months. Line: 95% interval; dashed: tenured.")
    alt = Text("; ".join(_("{month} {share}", month=name, share=with_interval(point)) for name, point in rows))
    drawn = parts.picture(figures.bars(rows, reference=1.0, better="neither"), ramp_title(known), note, alt)
    return parts.beside(drawn, *said)


def _point(row) -> Measurement:
    few = row.deals < 20
    return Measurement(row.share, int(row.deals), row.low, row.high, "insufficient" if few else "ok", "", "percent")


def ramp_title(known: Team) -> Text:
    """The median months to ramp, or how many have."""
    m = known.ramp_months
    if m.value is None:
        return _("No seller's ramp is on record")
    if m.status == "censored":
        return _("Half of the new sellers have not ramped after {months}", months=value_of(m))
    return _("Half of the new sellers have ramped after {months}", months=value_of(m))


def team_reading(known: Team) -> Text:
    """Ramp and leaving, in two sentences."""
    m = known.ramp_months
    first = Text(f"**{ramp_title(known)}**" + (f" [{interval_of(m)}]." if m.value is not None and not m.exact else "."))
    if known.attrition.value is None:
        return first
    words = {"share": with_interval(known.attrition)}
    gone = n_("{n} left since deals are on record, {share} a year.", "{n} left since deals are on record, {share} a year.",
              known.leavers, **words)  # fmt: skip
    return sentences(first, gone)


# --- capacity ------------------------------------------------------------------------------------------------------------


def chance_of(m: Measurement) -> Text:
    """A simulated chance; none in all draws is "under", never 0 %."""
    if m.value == 0:
        return _("under {share}", share=percent(m.high, 1))
    return _("over {share}", share=percent(m.low, 1)) if m.value == 1 else percent(m.value)


def capacity_title(found: Capacity) -> Text:
    """The chance of the target without a hire."""
    words = {"horizon": span(found.horizon), "chance": chance_of(found.chance), "needed": value_of(found.needed)}
    return _("Without a hire the sellers win the {needed} of {horizon} in {chance} of simulated years", **words)


@available(N_("whether the sellers are enough for the target"))
def capacity_section(found: Capacity) -> Part:
    """The simulated year against what the target needs, and how many hires by when."""
    rows = found.months[["month", "plan"]].assign(actual=float("nan"))
    note = _("Cumulative new ARR won by the sellers there now, with 50%, 80% and 95% bands; line: what the target needs.")
    words = {"won": with_interval(found.won), "needed": value_of(found.needed)}
    alt = _("{won} won, {needed} needed by the end.", **words)
    drawn = parts.picture(figures.fan(rows, found.months.drop(columns="plan")), capacity_title(found), note, alt)
    limit = _("Limit: sellers win what tenured sellers won in the last year, ramp and leave as measured, and nobody who leaves "
              "is replaced. Whether there are deals enough to work on is the question above, not this one.")  # fmt: skip
    return parts.beside(drawn, parts.reading(capacity_reading(found)), hires_table(found), parts.limit(limit))


def capacity_reading(found: Capacity) -> Text:
    """Won against needed, the shortfall with its interval, and the hires."""
    words = {"won": with_interval(found.won), "needed": value_of(found.needed)}
    first = _("**The sellers there now would win {won}; the target needs {needed}** at the plan's rates.", **words)
    return sentences(first, shortfall_words(found), hires_words(found))


def shortfall_words(found: Capacity) -> Text:
    """Short, enough, or could be either."""
    if found.shortfall.clear_of(0):
        if found.shortfall.value > 0:
            return _("Short by {short}, beyond chance.", short=with_interval(found.shortfall))
        return _("That is enough, beyond chance.")
    return _("The difference of {short} could be chance.", short=with_interval(found.shortfall))


def hires_words(found: Capacity) -> Text:
    """How many hires for an even chance, and by when."""
    best = found.latest(LIKELY)
    if best is None:
        return _("Not even tripling the team gives an even chance.")
    hires, latest = best
    if not hires:
        return _("An even chance needs no hire.")
    words = {"month": month(latest), "share": percent(LIKELY, 0)}
    return n_(
        "For a {share} chance {n} hire has to begin by {month}.",
        "For a {share} chance {n} hires have to begin by {month}.",
        hires,
        **words,
    )


def hires_table(found: Capacity) -> Part:
    """Hires by the month in which all begin, every third month."""
    wide = found.hires.pivot(index="start", columns="chance", values="hires")
    rows = [(month(start), *(_hires(row[level]) for level in (LIKELY, SAFE))) for start, row in wide.iloc[::3].iterrows()]
    heads = [_("All hires begin"), *(_("For a {share} chance", share=percent(level, 0)) for level in (LIKELY, SAFE))]
    return parts.table(heads, rows, name=_("Hires needed"))


def _hires(value: float) -> Text:
    return _("out of reach") if value != value else count(value)


# --- quotas --------------------------------------------------------------------------------------------------------------


def quotas_title(found: Quotas) -> Text:
    """What share of the quotas was met, and by how much they exceed the plan."""
    return _("{met} of quotas were met; together they reached {share}", met=value_of(found.met), share=value_of(found.attainment))


@available(N_("whether quotas fit the plan and who meets them"))
def quotas_section(found: Quotas, company: Company) -> Part:
    """The sum of quotas against plan and against what was won; how many were met; each person by id, folded."""
    money = company.settings.currency
    sums = [
        (_("Quotas, for the days people were there"), found.assigned),
        (_("Planned new ARR won"), found.planned),
        (_("Quotas beyond the plan"), found.over),
        (_("Won by people with a quota"), found.credited),
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
    spread = parts.table([_("Attainment"), _("Quotas"), _("Share")], bands, name=_("Quotas by attainment"))
    limit = _("Limit: a deal is credited to its owner. One quota is one person and period; few periods do not make a ranking, so "
              "people stand by id.")  # fmt: skip
    said = [parts.reading(quotas_reading(found)), parts.limit(limit)]
    return parts.stack(parts.beside(grid, spread), *said, *_teams(found, money), _each(found, money))


def quotas_reading(found: Quotas) -> Text:
    """Over-assignment, attainment and what the quotas would bring at it."""
    words = {"n": count(found.met.n), "met": with_interval(found.met), "share": value_of(found.attainment)}
    first = _("**Of {n} quotas {met} were met; together they reached {share}.**", **words)
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
    return [parts.table([_("Team"), _("People"), _("Quotas"), _("Won"), _("Attainment")], rows)]


def _each(found: Quotas, money: str) -> Part:
    rows = [
        (data(r.user_id), count(r.periods), amount(r.quota, money), amount(r.credited, money), percent(r.attainment),
         _("has left") if r.left else "")
        for r in found.people.itertuples()
    ]  # fmt: skip
    heads = [_("Person"), _("Quota periods"), _("Quotas"), _("Won"), _("Attainment"), ""]
    return parts.details(_("Everybody with a quota, by id"), parts.table(heads, rows, name=_("Attainment by person")))


# --- forecast habits -----------------------------------------------------------------------------------------------------


def habits_title(found: Habits) -> Text:
    """How many forecast off the mark, beyond luck."""
    return n_(
        "One of {all} people forecasts off the mark, beyond luck",
        "{n} of {all} people forecast off the mark, beyond luck",
        len(found.named),
        all=count(len(found.people)),
    ) if len(found.named) else _("Nobody's forecast is off the mark beyond luck")  # fmt: skip


@available(N_("whether people forecast what comes"))
def habits_section(found: Habits, company: Company) -> Part:
    """Who commits too little or too much, beyond luck; and the commit with habits taken out."""
    said = [parts.reading(habits_reading(found, company.as_of))]
    limit = _("Limit: mean commit of a period over what the person then won in it. Named only where luck is ruled out for all "
              "people together (Holm, 5%); {n} people have too few periods to be judged.", n=count(found.too_few))  # fmt: skip
    said.append(parts.limit(limit))
    if found.named.empty:
        return parts.stack(*said)
    rows = [(data(r.user_id), count(r.periods), _habit(r), _verdict(r)) for r in found.named.itertuples()]
    grid = parts.table([_("Person"), _("Periods"), _("Commit ÷ won"), _("Habit")], rows, name=_("Forecast habits"))
    return parts.beside(grid, *said)


def _habit(row) -> Measurement:
    return Measurement(row.ratio, int(row.periods), row.low, row.high, unit="ratio")


def _verdict(row) -> Text:
    return _("commits too much") if row.ratio > 1 else _("commits too little")


def habits_reading(found: Habits, as_of: date) -> Text:
    """Who, and what the commit becomes."""
    who = listing([_("{person} {ratio}", person=data(r.user_id), ratio=ratio(r.ratio, 2)) for r in found.named.itertuples()])
    first = (
        _("**Beyond luck: {who}** of what they then won.", who=who)
        if len(found.named)
        else _("**Nobody's forecast is off the mark beyond luck**, of {n} judged.", n=count(len(found.people)))
    )
    every = _("All together commit {ratio} of what is won.", ratio=with_interval(found.everyone)) if found.everyone.value else ""
    words = {"period": span(found.current), "commit": value_of(found.commit), "corrected": with_interval(found.corrected)}
    if under_way(found, as_of):
        last = _("The commit for {period} is {commit}; with habits taken out {corrected}.", **words)
    elif found.came is not None:
        tried = _("Tried on {period}: {commit} was committed, {corrected} with earlier habits taken out.", **words)
        last = sentences(tried, _("What came was {came}.", came=value_of(found.came)))
    else:
        last = ""
    return sentences(first, every, last)
