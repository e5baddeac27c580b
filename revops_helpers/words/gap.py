"""The gap to plan in words: how far, why, and whether the year can still be met. Shared by the executive review and phase 3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from revops_helpers.measurement import Measurement
from revops_helpers.model.company import Unavailable
from revops_helpers.words import figures, parts
from revops_helpers.words.definitions import name_cell
from revops_helpers.words.language import (
    N_,
    Quantity,
    Text,
    _,
    count,
    interval_of,
    label,
    listing,
    money,
    month,
    n_,
    percent,
    sentences,
    span,
    value_of,
    with_interval,
)
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import is_there, lower_first, needs, spelled, upper_first

if TYPE_CHECKING:
    from revops_helpers.optimization.forecast import YearForecast
    from revops_helpers.optimization.target_gap import Gap, GapDriver

ON_PLAN = 0.005  # a gap smaller than this share of plan is no gap

# What a shortfall of the driver means, as a clause.
SHORT: Mapping[str, str] = {
    "leads": N_("too few leads come in"),
    "lead_to_opportunity": N_("too few leads become deals"),
    "opportunities": N_("too few deals are opened"),
    "decided_share": N_("too few deals are decided"),
    "win_rate": N_("too few deals are won"),
    "deal_size": N_("deals are smaller"),
    "live_share": N_("won deals go live late"),
    "new_arr": N_("too little new business"),
    "expansion": N_("customers grow less"),
    "indexation": N_("prices are indexed less"),
    "reactivation": N_("fewer customers come back"),
    "contraction": N_("customers shrink more"),
    "churn": N_("more customers leave"),
    "opening_arr": N_("the year began with less ARR"),
}
# The drivers' names where room is short.
NAMES: Mapping[str, str] = {
    "leads": N_("Leads"),
    "lead_to_opportunity": N_("Lead→opportunity"),
    "opportunities": N_("Deals opened"),
    "decided_share": N_("Deals decided"),
    "win_rate": N_("Win rate"),
    "deal_size": N_("Deal size"),
    "live_share": N_("Going live"),
    "new_arr": N_("New ARR"),
    "expansion": N_("Expansion"),
    "indexation": N_("Indexation"),
    "reactivation": N_("Reactivation"),
    "contraction": N_("Contraction"),
    "churn": N_("Churn"),
    "opening_arr": N_("Opening ARR"),
}
ONE = 100  # cents: rests below one whole unit are not drawn
OUTCOMES: Mapping[str, str] = {"net_new_arr": N_("net new ARR"), "new_arr_won": N_("ARR won")}
GROUPS: Mapping[str, str] = {"new_business": N_("New business"), "retention": N_("Retention")}


def share_of_plan(gap: Gap) -> float | None:
    """The gap as a share of plan, below zero is behind; None where the plan is not above zero."""
    return gap.difference.value / gap.plan.value if gap.plan.value and gap.plan.value > 0 else None


def outcome(gap: Gap) -> Text:
    """What the plan is about, in a sentence."""
    return _(OUTCOMES[gap.outcome]) if gap.outcome in OUTCOMES else label(gap.outcome)


def title(gap: Gap | Unavailable) -> Text:
    """The headline: how far from plan, in share and in money."""
    if isinstance(gap, Unavailable):
        return _("How far from plan cannot be told yet")
    share = share_of_plan(gap)
    currency, off = gap.actual.currency or "", gap.difference.value
    words = {"off": Quantity(money(abs(off), currency), gap.outcome), "plan": value_of(gap.plan), "what": outcome(gap)}
    last_year = gap.basis == "last_year"
    if share is None:
        if last_year:
            return _("{off} more {what} than last year", **words) if off >= 0 else _("{off} less {what} than last year", **words)
        return (
            _("{off} above the {plan} {what} planned", **words)
            if off >= 0
            else _("{off} short of the {plan} {what} planned", **words)
        )
    if abs(share) < ON_PLAN:
        return _("Level with last year: {plan} {what}", **words) if last_year else _("On plan: {plan} {what}", **words)
    words["share"] = Quantity(percent(abs(share)), gap.outcome)
    if last_year:
        below = _("{share} below last year: {off} less than its {plan} {what}", **words)
        return below if off < 0 else _("{share} above last year: {off} more than its {plan} {what}", **words)
    behind = _("{share} behind plan: {off} short of {plan} {what}", **words)
    return behind if off < 0 else _("{share} ahead of plan: {off} above {plan} {what}", **words)


def deck(gap: Gap | Unavailable) -> Text:
    """What came, which drivers stand clear of noise, which could be chance, which helped."""
    if isinstance(gap, Unavailable):
        return _("That needs {needs}. What the data allows is below; each missing part says what it needs.", needs=needs(gap))
    came = _("{period} brought {actual}.", period=span(gap.period), actual=value_of(gap.actual))
    no_plan = _("There is no plan to hold it against, so last year is the measure.") if gap.basis == "last_year" else ""
    return Text(" ".join(text for text in (came, no_plan, *why(gap)) if text))


def why(gap: Gap) -> list[Text]:
    """The sentences that say which drivers carry the gap."""
    short = gap.shortfalls()
    noise = [d for d in gap.drivers if (d.effect.value or 0) < 0 and not d.effect.clear_of(0)]
    helped = [d for d in gap.drivers if (d.effect.value or 0) > 0 and d.effect.clear_of(0)]
    said = []
    if short:
        told = {"list": listing([_effect(d) for d in short]), "number": spelled(len(short))}
        said.append(
            n_(
                "**One driver stands clear of noise: {list}.**",
                "**{number} drivers stand clear of noise: {list}.**",
                len(short),
                **told,
            )
        )
    elif gap.difference.value < 0:
        said.append(_("**No driver stands clear of noise.**"))
    if noise:
        names = listing([lower_first(name(d)) for d in noise])
        said.append(
            n_(
                "Worse too, but it could be chance: {list}.",
                "Worse too, but each could be chance: {list}.",
                len(noise),
                list=names,
            )
        )
    if helped:
        better = listing([_effect(d) for d in helped])
        last_year = gap.basis == "last_year"
        said.append(
            _("Better than last year: {list}.", list=better) if last_year else _("Better than plan: {list}.", list=better)
        )
    return said


def name(driver: GapDriver) -> Text:
    """The driver's short name."""
    return _(NAMES.get(driver.id, driver.label))


def _effect(driver: GapDriver) -> Text:
    """churn (−R$ 400 k)"""
    return _("{driver} ({effect})", driver=lower_first(name(driver)), effect=value_of(driver.effect, signed=True))


def waterfall_title(gap: Gap) -> Text:
    """The two or three clear shortfalls as one sentence."""
    short = [_(SHORT[d.id]) for d in gap.shortfalls() if d.id in SHORT][:3]
    if short:
        return upper_first(listing(short))
    return _("No driver is clearly below last year") if gap.basis == "last_year" else _("No driver is clearly below plan")


def waterfall(gap: Gap) -> Part:
    """The waterfall from plan to actual with its computed title and its numbers in words."""
    words = {"what": upper_first(outcome(gap)), "period": span(gap.period)}
    note = _("{what}, {period}. Full bar: clear of noise. Pale bar: could be chance. Thin line: 95% interval.", **words)
    base = _("Last year {plan}") if gap.basis == "last_year" else _("Plan {plan}")
    steps = [_("{driver} {effect}", driver=name(d), effect=with_interval(d.effect)) for d in gap.drivers if d.effect.value]
    alt = Text("; ".join([base.format(plan=value_of(gap.plan)), *steps, _("actual {actual}", actual=value_of(gap.actual))]))
    return parts.picture(figures.waterfall(_shown(gap)), waterfall_title(gap), note, alt)


def _shown(gap: Gap) -> Gap:
    """The gap as it is drawn: short names, and no row for a rest of cents."""
    drivers = tuple(replace(driver, label=NAMES.get(driver.id, driver.label)) for driver in gap.drivers)
    rests = {rest: getattr(gap, rest) for rest in ("plan_mismatch", "unexplained")}
    nothing = {rest: replace(m, value=0) for rest, m in rests.items() if abs(m.value or 0) < ONE}
    return replace(gap, drivers=drivers, **nothing)


def fan(gap: Gap, forecast: YearForecast | Unavailable | None, height: int = 450) -> Part:
    """Actual against plan by month, and where the year is likely to end; drawn so many pixels high."""
    known = is_there(forecast) and len(forecast.months) > 0 and gap.outcome == "net_new_arr"
    rows = gap.progress
    note = _("Cumulative {what} by month.", what=outcome(gap))
    if known:
        note = sentences(_("Cumulative {what} with 50%, 80% and 95% bands.", what=outcome(gap)), coverage(forecast))
    drawn = figures.fan(rows, forecast.months if known else None, height)
    return parts.picture(drawn, fan_title(gap, forecast if known else None), note, _fan_alt(gap, forecast if known else None))


def fan_title(gap: Gap, forecast: YearForecast | None) -> Text:
    """The chance of the year's plan, or what is known instead."""
    if forecast is None:
        return _("{actual} so far", actual=value_of(gap.actual))
    if forecast.plan is None or forecast.chance.value is None:
        return _("The year is likely to end at {end}", end=value_of(forecast.year_end))
    words = {"chance": chance(forecast), "plan": value_of(forecast.plan)}
    return _("{chance} chance of the year's {plan}", **words)


def chance(forecast: YearForecast) -> Text:
    """The simulated chance; none in all draws is "under", never 0 %."""
    m = forecast.chance
    if m.value in (0, 1) and m.n > 1:
        edge = percent(m.high, 1) if m.value == 0 else percent(m.low, 1)
        return _("Under {share}", share=edge) if m.value == 0 else _("Over {share}", share=edge)
    return percent(m.value)


def coverage(forecast: YearForecast) -> Text:
    """How often the 80 % band held before."""
    past = forecast.past[forecast.past.level == 80]
    if past.empty:
        return _("No past forecast could be checked.")
    held, tried = int(past.inside.iloc[0]), int(past.origins.iloc[0])
    return _("The 80% band held in {held} of {all} past quarters.", held=count(held), all=count(tried))


def _fan_alt(gap: Gap, forecast: YearForecast | None) -> Text:
    rows = gap.progress.dropna(subset=["actual"])
    so_far = (
        _("{actual} by {month}", actual=value_of(gap.actual), month=month(rows.month.iloc[-1]))
        if len(rows)
        else _("No closed month")
    )
    if forecast is None:
        return so_far
    return _(
        "{so_far}; year end likely {end}, 95% interval {interval}",
        so_far=so_far,
        end=value_of(forecast.year_end),
        interval=interval_of(forecast.year_end),
    )


def drivers_table(gap: Gap, *, limit: bool = True) -> Part:
    """Every driver: compared with, actual with interval, effect with interval; then what the split leaves."""
    compared = _("Last year") if gap.basis == "last_year" else _("Plan")
    rows = [
        (
            name_cell(d.id, name(d) if d.id == "opening_arr" else _(d.label)),
            _("n/a") if d.basis == "none" else value_of(Measurement(d.plan, unit=d.actual.unit, currency=d.actual.currency)),
            d.actual,
            _("n/a") if d.effect.status == "not_applicable" else d.effect,
            _(GROUPS[d.group]),
        )
        for d in gap.drivers
    ]
    for words, rest in ((_("Plan does not add up"), gap.plan_mismatch), (_("Unexplained"), gap.unexplained)):
        if abs(rest.value or 0) >= ONE:
            rows.append((words, "", "", rest, ""))
    grid = parts.table([_("Driver"), compared, _("Actual"), _("Effect"), _("Group")], rows, name=_("Drivers of the gap"))
    return parts.details(
        _("The drivers as a table, and how the gap is split"), grid, *([parts.limit(split_limit())] if limit else [])
    )


def split_limit() -> Text:
    """How effects are found, and what they are not."""
    return _(
        "Limit: effects are exact shares of one identity (Shapley), the same in whatever order the drivers are taken. They say "
        "which number is off plan, not why it is; the intervals carry the chance in each driver, not errors in the plan."
    )
