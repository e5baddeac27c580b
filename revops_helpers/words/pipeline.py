"""The pipeline in words: how it moved, whether it is enough, and what stands still."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from revops_helpers.model.company import Company
from revops_helpers.words import parts
from revops_helpers.words.below import translated
from revops_helpers.words.definitions import name_cell
from revops_helpers.words.language import (
    N_,
    Quantity,
    Text,
    _,
    count,
    data,
    day,
    exact_money,
    listing,
    n_,
    percent,
    sentences,
    span,
    value_of,
    with_interval,
)
from revops_helpers.words.language import money as amount
from revops_helpers.words.names import person, record
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import available, lower_first, upper_first

if TYPE_CHECKING:
    import pandas as pd

    from revops_helpers.measurement import Measurement
    from revops_helpers.optimization.coverage import Coverage
    from revops_helpers.optimization.pipeline import PipelineFlow
    from revops_helpers.optimization.standing import Standing

MOST = 12
LINES: Mapping[str, str] = {
    "opening": N_("Open at the start"),
    "created": N_("Created"),
    "pulled_in": N_("Pulled in"),
    "amount_up": N_("Amounts raised"),
    "won": N_("Won"),
    "lost": N_("Lost"),
    "pushed_out": N_("Pushed out"),
    "amount_down": N_("Amounts cut"),
    "closing": N_("Open at the end"),
}
STANDING: Mapping[str, str] = {
    "overdue": N_("Closing date has passed"),
    "no_next_step": N_("No next step noted"),
    "no_activity": N_("No recent activity"),
    "too_long_in_stage": N_("Too long in its stage"),
}


@available(N_("how the pipeline moved"))
def flow_section(flow: PipelineFlow) -> Part:
    """Opening + in − out = closing, to the cent."""
    signed = {line: line not in ("opening", "closing") for line in LINES}
    rows = [
        (_(LINES[row.line]), count(row.deals), exact_money(int(row.amount), flow.currency, signed=signed[row.line]))
        for row in flow.lines.itertuples()
    ]
    grid = parts.table([_("Line"), _("Deals"), name_cell("pipeline", _("ARR"))], rows, name=_("How the pipeline moved"))
    limit = _("Limit: only deals that sell new ARR. A deal created and closed in the period is in both lines.")
    if flow.due_by:
        limit = sentences(limit, _("Counted are deals expected to close by {day}.", day=day(flow.due_by)))
    return parts.beside(grid, parts.reading(flow_reading(flow)), parts.limit(limit))


def flow_reading(flow: PipelineFlow) -> Text:
    """Whether it grew, and what moved it most."""
    opening, closing = flow.amount("opening"), flow.amount("closing")
    change = {"change": _open(abs(closing - opening), flow), "closing": _open(closing, flow)}
    if closing == opening:
        first = _("**The pipeline stands where it stood, at {closing}.**", **change)
    elif closing > opening:
        first = _("**The pipeline grew by {change} to {closing}.**", **change)
    else:
        first = _("**The pipeline shrank by {change} to {closing}.**", **change)
    created, won, lost = (abs(flow.amount(line)) for line in ("created", "won", "lost"))
    words = {"created": _open(created, flow), "won": _open(won, flow), "lost": _open(lost, flow)}
    moved = _("{created} was created, {won} won and {lost} lost.", **words)
    pushed = abs(flow.amount("pushed_out"))
    late = _("{pushed} was pushed beyond the date.", pushed=_open(pushed, flow)) if pushed else ""
    return sentences(first, moved, late)


def _open(cents: int, flow: PipelineFlow) -> Quantity:
    return Quantity(amount(cents, flow.currency), "pipeline")


@available(N_("whether the pipeline is enough for the quarter"))
def coverage_section(cover: Coverage) -> Part:
    """The pipeline of the quarter under way against what is to be won, and what past quarters say is needed."""
    rows = [
        (_("Open, due by {day}", day=day(cover.quarter.end)), cover.open),
        (_("Still to be won"), cover.to_win if cover.to_win is not None else _("no plan")),
        (name_cell("pipeline_coverage", _("Coverage: open ÷ to be won")), cover.coverage),
        (name_cell("coverage_needed", _("Coverage that made the number in past quarters")), cover.needed),
        (name_cell("coverage_needed", _("Coverage needed if no deal comes later")), cover.needed_alone),
        (_("Of such pipeline, won within the quarter"), _share(cover.win_share)),
        (_("Of what was won, came later"), _share(cover.later_share)),
        (_("Expected at those shares"), cover.expected),
    ]
    grid = parts.table([_("New business, {quarter}", quarter=span(cover.quarter)), _("Value")], rows)
    limit = _(
        "Limit: from this day in {n} past quarters, by value. A rule of thumb such as 3× plays no part.", n=count(len(cover.past))
    )
    return parts.beside(grid, parts.reading(coverage_reading(cover)), parts.limit(limit))


def _share(m: Measurement) -> Measurement:
    return replace(m, unit="percent")


def coverage_reading(cover: Coverage) -> Text:
    """Covered, short, or cannot be told."""
    if cover.coverage.value is None:
        return _("**Coverage cannot be told:** {reason}.", reason=translated(cover.coverage.reason) or _("it is not known"))
    words = {"coverage": value_of(cover.coverage)}
    if cover.needed.value is None:
        return _("**{coverage} of what is to be won is open.** What is needed cannot be told from past quarters.", **words)
    words["needed"] = with_interval(cover.needed)
    if is_short(cover):
        first = _("**Short: {coverage} is open; {needed} made the number** from this day in past quarters.", **words)
    elif cover.coverage.value >= (cover.needed.value if cover.needed.high is None else cover.needed.high):
        first = _("**Enough: {coverage} is open; {needed} made the number** from this day in past quarters.", **words)
    else:
        first = _("**Just enough, or just not: {coverage} is open; {needed} made the number** in past quarters.", **words)
    if cover.expected.value is None or cover.to_win is None:
        return first
    money_ = {"expected": with_interval(cover.expected), "to_win": value_of(cover.to_win)}
    return sentences(first, _("At past shares the quarter brings {expected} of the {to_win} to be won.", **money_))


def is_short(cover: Coverage) -> bool:
    """Whether coverage lies below the whole interval of what is needed."""
    low = cover.needed.low if cover.needed.low is not None else cover.needed.value
    return cover.coverage.value is not None and low is not None and cover.coverage.value < low


@available(N_("which open deals stand still"))
def standing_section(still: Standing, company: Company) -> Part:
    """Open deals by what is wrong with them, and the largest of them."""
    if not still.any.n:
        return parts.reading(standing_reading(still))
    rows = [(_(STANDING[row.rule]), count(row.deals), amount(int(row.amount), company.settings.currency), percent(row.share))
            for row in still.rules.itertuples()]  # fmt: skip
    said = [parts.reading(standing_reading(still))]
    said.append(parts.limit(_("Limit: what was done and not logged looks the same as what was not done.")))
    grid = parts.table(
        [_("What is wrong"), _("Deals"), name_cell("pipeline", _("ARR")), _("Of open pipeline")],
        rows,
        name=_("Deals that stand still"),
    )
    if still.deals.empty:
        return parts.beside(grid, *said)
    shown = _("The {shown} largest of {n}", shown=count(min(MOST, len(still.deals))), n=count(len(still.deals)))
    return parts.stack(parts.beside(grid, *said), parts.details(shown, deals_table(still.deals.head(MOST), company)))


def deals_table(deals: pd.DataFrame, company: Company) -> Part:
    """Deals that stand still, one a row: which, whose, where, how much, and what is wrong."""
    currency = company.settings.currency
    rows = []
    for row in deals.itertuples():
        wrong = upper_first(listing([lower_first(_(STANDING[rule])) for rule in row.rules.split(";")]))
        owner, stage = person(company, getattr(row, "owner_id", None)), data(getattr(row, "stage", None) or "")
        deal = record(company, "opportunities", row.opportunity_id)
        rows.append((deal, owner, stage, amount(int(row.amount), currency), wrong))
    return parts.table([_("Deal"), _("Owner"), _("Stage"), name_cell("pipeline", _("ARR")), _("What is wrong")], rows)


def standing_reading(still: Standing) -> Text:
    """How much stands still, each deal counted once, and the rule that catches most."""
    if not still.any.n or not still.open.value:
        return _("No open deal breaks a rule.")
    words = {"worth": value_of(still.any), "share": Quantity(percent(still.any.value / still.open.value), "pipeline")}
    first = n_(
        "**{worth} ({share} of the open pipeline) stands still:** {n} deal, counted once.",
        "**{worth} ({share} of the open pipeline) stands still:** {n} deals, each counted once.",
        still.any.n,
        **words,
    )
    worst = still.rules.sort_values("amount", ascending=False).iloc[0]
    most = _("Most of it: {rule}.", rule=lower_first(_(STANDING[worst.rule])))
    return sentences(first, most)
