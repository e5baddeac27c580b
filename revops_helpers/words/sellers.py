"""The sellers in words: how long they take to ramp, and whether they are enough for the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from revops_helpers.measurement import Measurement
from revops_helpers.words import figures, parts
from revops_helpers.words.definitions import name_cell
from revops_helpers.words.language import (
    N_,
    Quantity,
    Text,
    _,
    count,
    interval_of,
    month,
    n_,
    percent,
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

LIKELY, SAFE = 0.5, 0.8


# --- ramp ----------------------------------------------------------------------------------------------------------------


@available(N_("how long new sellers take"))
def team_section(known: Team) -> Part:
    """The measured ramp, month by month, and what else is known of the team."""
    rows = [(_("Month {n}", n=count(row.tenure)), _point(row)) for row in known.ramp.itertuples() if row.share == row.share]
    facts = [
        (_("Sellers now"), count(len(known.people))),
        (_("Of them with less than a year"), count(int((known.people.tenure < 12).sum()))),
        (name_cell("ramp_months", _("Months until half have ramped")), known.ramp_months),
        (_("Leave within a year"), known.attrition),
        (name_cell("new_arr_won", _("New ARR won a month, tenured seller")), known.productivity),
        *_middle_half(known),
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


def _middle_half(known: Team) -> list[tuple]:
    """Between which amounts the middle half of the tenured sellers won; nothing where there are fewer than four."""
    if len(known.each) < 4:
        return []
    low, high = (
        amount(q, known.productivity.currency or "") for q in (known.each.arr / known.each.months).quantile([0.25, 0.75])
    )
    return [(_("The middle half of them"), Quantity(_("{low} to {high}", low=low, high=high)))]


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
    return _("over {share}", share=percent(m.low, 1)) if m.value == 1 else percent(m.value, 0)


def capacity_title(found: Capacity) -> Text:
    """The chance of the target without a hire."""
    words = {"horizon": span(found.horizon), "chance": chance_of(found.chance), "needed": value_of(found.needed)}
    return _("Without a hire, sellers win the {needed} that {horizon} needs in {chance} of simulated years", **words)


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
    gone = _("By its end {gone} of the {n} sellers will have left, at the pace so far.", gone=with_interval(found.leaving),
             n=count(found.leaving.n))  # fmt: skip
    if found.chance_now is None:
        return sentences(first, shortfall_words(found), gone, hires_words(found))
    now = {"now": value_of(found.needed_now), "chance": chance_of(found.chance_now)}
    more = _("At today's rates it needs {now}, which they win in {chance} of simulated years.", **now)
    return sentences(first, shortfall_words(found), gone, hires_words(found), more)


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
    return Quantity(_("out of reach")) if value != value else count(value)
