"""The funnel in words: where leads stop, and in which stage deals wait."""

from __future__ import annotations

from collections.abc import Mapping
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
    duration,
    listing,
    lower_first,
    n_,
    percent,
    sentences,
    span,
    with_interval,
)
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import available

if TYPE_CHECKING:
    from revops_helpers.optimization.funnel import LeadFunnel
    from revops_helpers.optimization.stages import StageFunnel

STAGES: Mapping[str, str] = {
    "lead": N_("Leads"),
    "mql": N_("Qualified by marketing"),
    "sal": N_("Accepted by sales"),
    "sql": N_("Qualified by sales"),
    "opportunity": N_("Deals"),
    "customer": N_("Customers"),
}
# The metric that tells of the same step, over every lead that entered it and not over those of the funnel alone.
DEFINED = {
    "lead": "leads",
    "mql": "lead_to_mql_90d",
    "sal": "mql_to_sal_90d",
    "sql": "sal_to_sql_90d",
    "opportunity": "lead_conversion_90d",
    "customer": "lead_won_180d",
}


@available(N_("where leads stop"))
def funnel_section(funnel: LeadFunnel) -> Part:
    """Leads that had time enough, stage by stage, each against the stage before."""
    steps = [
        (_(STAGES[row.stage]), _step(row))
        for row in funnel.steps.itertuples()
        if row.stage != "lead" and row.of_before == row.of_before
    ]
    rows = [
        (
            name_cell(DEFINED[row.stage], _(STAGES[row.stage])),
            count(row.reached),
            _step(row) if _number(row.of_before) is not None else "",
            percent(row.of_leads),
        )
        for row in funnel.steps.itertuples()
    ]
    if not steps:
        return parts.reading(_("No lead of the period has had {days} days yet.", days=count(funnel.days)))
    alt = Text("; ".join(_("{stage} {share}", stage=name, share=with_interval(step)) for name, step in steps))
    note = _("Share of the stage before, leads created {period}, each followed for {days} days. Line: 95% interval.",
             period=span(funnel.period), days=count(funnel.days))  # fmt: skip
    drawn = parts.picture(figures.bars(steps, better="neither"), funnel_title(funnel), note, alt)
    young = n_(
        "{n} lead is younger than {days} days and in no share.",
        "{n} leads are younger than {days} days and in no share.",
        funnel.unripe,
        days=count(funnel.days),
    )
    limit = sentences(_("Limit: a later stage counts as having passed these."), young if funnel.unripe else "")
    numbers = parts.table(
        [_("Stage"), _("Reached"), _("Of the stage before"), _("Of all leads")], rows, name=_("Stages of leads")
    )
    return parts.stack(
        parts.beside(drawn, parts.reading(funnel_reading(funnel)), parts.limit(limit)), parts.details(_("The numbers"), numbers)
    )


def _step(row) -> Measurement:
    return Measurement(float(row.of_before), n=int(row.reached), low=_number(row.low), high=_number(row.high), status=row.status,
                       reason=row.reason, unit="percent")  # fmt: skip


def _leak(funnel: LeadFunnel):
    """The step before which the largest number of leads stops, among those with records enough."""
    stopped = funnel.steps.reached.shift(1) - funnel.steps.reached
    known = funnel.steps.assign(stopped=stopped)[(funnel.steps.stage != "lead") & (funnel.steps.status == "ok")]
    return None if known.empty else known.sort_values("stopped", ascending=False, kind="stable").iloc[0]


def funnel_title(funnel: LeadFunnel) -> Text:
    """Where the largest number of leads stops, as a sentence; it need not be most of them."""
    worst = _leak(funnel)
    if worst is None:
        return _("Too few leads to tell where they stop")
    words = {"stage": lower_first(_(STAGES[worst.stage])), "share": Quantity(percent(worst.of_before), DEFINED[worst.stage])}
    return _("More leads stop before they are {stage} than anywhere else: {share} of the stage before pass", **words)


def funnel_reading(funnel: LeadFunnel) -> Text:
    """How many of the leads become deals and customers, and where most stop."""
    reached = funnel.steps.set_index("stage")
    leads = int(reached.reached.get("lead", 0))
    first = _("Of {leads} leads with {days} days behind them, ", leads=count(leads), days=count(funnel.days))
    last = [row for row in funnel.steps.itertuples() if row.stage in ("opportunity", "customer")]
    told = [
        (count(row.reached), lower_first(_(STAGES[row.stage])), Quantity(percent(row.of_leads), DEFINED[row.stage]))
        for row in last
    ]
    ends = [_("{n} became {stage} ({share})", n=n, stage=stage, share=share) for n, stage, share in told]
    worst = _leak(funnel)
    if worst is None or not ends:
        return sentences(Text(f"{first}**{listing(ends)}**.") if ends else "")
    stop = _(
        "The largest loss is of {n} leads that were never {stage}.",
        n=count(worst.stopped),
        stage=lower_first(_(STAGES[worst.stage])),
    )
    return sentences(Text(f"{first}**{listing(ends)}**."), stop)


@available(N_("where deals wait, stage by stage"))
def stages_section(funnel: StageFunnel) -> Part:
    """Median days in every stage with interval, and what share of deals moves on."""
    measured = [(row.stage, _stay(row)) for row in funnel.stages.itertuples()]
    if not measured:
        return parts.reading(_("No deal entered a stage in {period}.", period=span(funnel.period)))
    alt = Text("; ".join(_("{stage} {days}", stage=str(name), days=with_interval(stay)) for name, stay in measured))
    note = _(
        "Median days in the stage, {period}; deals that still wait count as not over. Line: 95% interval.",
        period=span(funnel.period),
    )
    drawn = parts.picture(
        figures.bars([(name, stay) for name, stay in measured], better="neither"), stages_title(funnel), note, alt
    )
    limit = _("Limit: a stage is as long as the CRM says. A deal moved late, or two stages at once, bends the times of both.")
    rows = [
        (row.stage, count(row.entered), count(row.moved_on), count(row.lost), count(row.waiting), _conversion(row))
        for row in funnel.stages.itertuples()
    ]
    heads = [_("Stage"), _("Entered"), _("Moved on"), _("Lost"), _("Waiting"), _("Moved on, of those decided")]
    numbers = parts.details(_("The stages in numbers"), parts.table(heads, rows, name=_("Stages of the pipeline")))
    return parts.stack(parts.beside(drawn, parts.reading(stages_reading(funnel)), parts.limit(limit)), numbers)


def _number(value: float) -> float | None:
    return None if value != value else float(value)


def _stay(row) -> Measurement:
    low, high, value = _number(row.days_low), _number(row.days_high), _number(row.days)
    status = row.status if value is not None else "not_applicable"
    return Measurement(value, n=int(row.entered), low=low, high=high, status=status, reason=row.reason, unit="days")


def _conversion(row) -> Measurement | str:
    value = _number(row.conversion)
    if value is None:
        return ""
    return Measurement(value, n=int(row.moved_on + row.lost), low=row.low, high=row.high, unit="percent")


def stages_title(funnel: StageFunnel) -> Text:
    """The bottleneck as a sentence."""
    if funnel.bottleneck is None:
        return _("No stage has enough stays to be judged")
    words = {"stage": funnel.bottleneck, "days": Quantity(duration(funnel.wait.value, "days"), "stage_days")}
    if _alone(funnel):
        return _("Deals stay {days} in {stage} at the median", **words)
    if funnel.clear:
        return _("Deals wait longest in {stage}: {days} at the median", **words)
    return _("Deals may wait longest in {stage}: {days} at the median", **words)


def stages_reading(funnel: StageFunnel) -> Text:
    """Where deals wait, where they are lost, and whether it could be chance."""
    if funnel.bottleneck is None:
        return _("**Too few stays are over** for any stage to be called a bottleneck.")
    wait = {"stage": funnel.bottleneck, "days": with_interval(funnel.wait)}
    if _alone(funnel):
        first = _("**Half the deals stay {days} or longer in {stage}**, the only stage that any was in.", **wait)
    elif funnel.clear:
        first = _("**{stage} is the bottleneck:** half the deals stay {days} or longer, more than in any other stage.", **wait)
    else:
        first = _("**{stage} has the longest stay**, {days} at the median, but its interval overlaps another's.", **wait)
    decided = funnel.stages[(funnel.stages.moved_on + funnel.stages.lost) >= 20]
    if decided.empty:
        return first
    worst = decided.sort_values("conversion").iloc[0]
    lost = {"stage": str(worst.stage), "share": percent(worst.conversion)}
    if len(decided) == 1:
        return sentences(first, _("Of those decided in {stage}, {share} move on.", **lost))
    return sentences(first, _("The largest share is lost in {stage}, where {share} move on.", **lost))


def _alone(funnel: StageFunnel) -> bool:
    """Whether deals were in one stage only, so that there is none to compare it with."""
    return int((funnel.stages.entered > 0).sum()) == 1
