"""The cascade in words: what a target needs at planned and at today's rates, spread over quarters and sources, and its price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from revops_helpers.measurement import Measurement
from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import Period, windows
from revops_helpers.planning.cascade import by_member
from revops_helpers.words import parts
from revops_helpers.words.definitions import name_cell
from revops_helpers.words.language import (
    N_,
    Quantity,
    Text,
    _,
    exact_money,
    in_unit_of,
    interval_of,
    label,
    listing,
    lower_first,
    percent,
    sentences,
    span,
    value_of,
    with_interval,
)
from revops_helpers.words.language import money as amount
from revops_helpers.words.names import member
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import available

if TYPE_CHECKING:
    from revops_helpers.planning.budget import Budget
    from revops_helpers.planning.cascade import Cascade, Step

DECIDED = N_("Deals decided")
WHENCE: Mapping[str, str] = {
    "own": N_("The target is the plan's own for {horizon}."),
    "this_year": N_("{horizon} has no target yet: this year's plan is taken once more."),
    "rest": N_("The target is what is left of the year's plan."),
}
SCENARIOS: Mapping[str, str] = {
    "favourable": N_("Favourable"),
    "likely": N_("Likely"),
    "unfavourable": N_("Unfavourable"),
}


def step_name(step_id: str) -> Text:
    """Leads, Deals opened, Deals decided, Deals won, New ARR won, New ARR."""
    return label(step_id) if step_id in catalogue() else _(DECIDED)


def _named(step_id: str) -> Part:
    """The name of a step, which leads to its definition where it is a metric."""
    return name_cell(step_id, step_name(step_id))


def need_title(plan: Cascade) -> Text:
    """What the chain begins with, at today's rates against the plan's."""
    first = plan.first
    words = {"horizon": span(plan.horizon), "what": lower_first(step_name(first.id))}
    if first.needed_now.value is None:
        return _("At today's rates no number of {what} reaches the target of {horizon}", **words)
    words["now"] = value_of(first.needed_now)
    if first.needed_plan.value is None:
        return _("{horizon} needs {now} {what} at today's rates", **words)
    words["plan"] = value_of(first.needed_plan)
    if not first.needed_now.value and not first.needed_plan.value:
        return _("{horizon} needs no new business: customers meet the target alone", **words)
    return _("{horizon} needs {now} {what} at today's rates, {plan} at the plan's", **words)


@available(N_("what a target needs, from new ARR back to leads"))
def cascade_section(plan: Cascade) -> Part:
    """The chain as a table, read from leads to the target, with what today's rates add."""
    heads = [_("Needed in {horizon}", horizon=span(plan.horizon)), _("By plan"), _("Today"), _("More")]
    heads += [_("Rate to the next"), _("Rate, plan"), _("Rate, today")]
    rows = [_step_row(step) for step in plan.steps]
    kept = plan.retention_now.value - plan.retention_plan.value
    goal = value_of(plan.target)
    rows.append(
        (_("From customers there are"), value_of(plan.retention_plan), plan.retention_now, _signed(kept, plan), "", "", "")
    )
    rows.append((name_cell("net_new_arr"), goal, goal, "", "", "", ""))
    grid = parts.table(heads, rows, name=_("What the target needs"))
    whence = _(WHENCE[plan.whence], horizon=span(plan.horizon))
    limit = _("Limit: today's rates are those of {period}. Opening ARR is taken as {opening}.", period=span(plan.observed),
              opening=Quantity(amount(plan.opening, plan.target.currency or ""), "arr"))  # fmt: skip
    silent = listing([lower_first(label(name)) for name in plan.unplanned])
    silent = _("The plan is silent about {rates}: today's are used.", rates=silent) if plan.unplanned else ""
    said = [parts.reading(cascade_reading(plan)), parts.limit(sentences(whence, limit, silent))]
    return parts.stack(grid, *said, _scenarios(plan))


def _step_row(step: Step) -> tuple:
    more = ""
    if step.needed_now.value is not None and step.needed_plan.value is not None:
        difference = step.needed_now.value - step.needed_plan.value
        more = value_of(replace(step.needed_plan, value=difference, low=None, high=None), signed=True)
    planned = "" if step.rate_now is None or step.plan_rate is None else in_unit_of(step.rate_now, step.plan_rate)
    name = name_cell(step.rate) if step.rate else ""
    return (_named(step.id), value_of(step.needed_plan), step.needed_now, more, name, planned, step.rate_now)


def _signed(cents: float, plan: Cascade) -> Text:
    return amount(cents, plan.target.currency or "", signed=True)


def cascade_reading(plan: Cascade) -> Text:
    """How much more the first step needs at today's rates, and whether that is beyond noise."""
    first = plan.first
    title = Text(f"**{need_title(plan)}.**")
    if first.needed_now.value is None or not first.needed_plan.value:
        return title
    words = {"interval": interval_of(first.needed_now)}
    if first.needed_now.clear_of(first.needed_plan.value):
        return sentences(title, _("The difference is beyond noise [{interval}].", **words))
    return sentences(title, _("The difference could be chance [{interval}].", **words))


def _scenarios(plan: Cascade) -> Part:
    """One chance in ten of needing less, the median, one in ten of needing more."""
    known = plan.scenarios.dropna(axis=1)
    steps = [step for step in plan.steps if step.id in known.columns and not step.needed_now.exact]
    if not steps:
        return parts.stack()
    cells = [
        [value_of(replace(step.needed_now, value=float(value), low=None, high=None)) for value in known[step.id]]
        for step in steps
    ]
    rows = [(_named(step.id), *own) for step, own in zip(steps, cells, strict=True)]
    grid = parts.table([_("Needed"), *(_(SCENARIOS[name]) for name in known.scenario)], rows, name=_("Scenarios"))
    how = _("4,000 draws of today's rates from their intervals: one in ten needs less than the favourable, or more than the "
            "unfavourable.")  # fmt: skip
    return parts.details(_("Three scenarios from the rates' own intervals"), grid, parts.note(how))


@available(N_("when and from where the volumes are needed"))
def spread_section(plan: Cascade, company: Company) -> Part:
    """The need by quarter, and by source and segment as the volume of the period was."""
    grids = [_quarters(plan, company)]
    for step_id, cut in ((plan.first.id, "source"), ("new_arr_won", "segment")):
        found = _split(company, plan, step_id, cut)
        if found is not None:
            grids.append(found)
    note = _("By quarter as the plan's months are spread; by source and segment as the period under review was. A source that "
             "converts better needs fewer: see the report on optimization.")  # fmt: skip
    if len(grids) == 1:
        return parts.stack(grids[0], parts.limit(note))
    return parts.stack(parts.beside(grids[0], *grids[1:2]), *grids[2:], parts.limit(note))


def _quarters(plan: Cascade, company: Company) -> Part:
    first, last = plan.first, plan.steps[-1]
    rows = []
    for quarter in windows(plan.horizon, "quarter", company.settings.fiscal_year_start):
        ends = pd.to_datetime(plan.months.month_end)
        part = plan.months[(ends >= pd.Timestamp(quarter.start)) & (ends <= pd.Timestamp(quarter.end))].sum(numeric_only=True)
        rows.append(_quarter_row(quarter, part, first, last, plan))
    heads = [_("Quarter"), name_cell("net_new_arr"), *(name_cell(first.id, words) for words in (_("By plan"), _("Today")))]
    words = {"what": step_name(first.id), "horizon": span(plan.horizon)}
    return parts.table(heads, rows, caption=_("{what} by quarter, needed in {horizon}", **words))


def _quarter_row(quarter: Period, part: pd.Series, first: Step, last: Step, plan: Cascade) -> tuple:
    def cell(side: str, of: Measurement) -> Text:
        value = part[f"{side}_{first.id}"]
        return value_of(replace(of, value=float(value), low=None, high=None)) if of.value is not None else _("n/a")

    goal = amount(part["share"] * plan.target.value, plan.target.currency or "")
    return (span(quarter), goal, cell("plan", first.needed_plan), cell("now", first.needed_now))


def _split(company: Company, plan: Cascade, step_id: str, cut: str) -> Part | None:
    """A table of one split; None where it cannot be made."""
    try:
        frame = by_member(company, plan, step_id, cut)
    except Unavailable:
        return None
    like = plan.step(step_id).needed_now

    def cell(value: float) -> Text:
        return value_of(replace(like, value=float(value), low=None, high=None))

    rows = [
        (member(r.member), percent(r.share), cell(r.had), cell(r.needed_plan), cell(r.needed_now)) for r in frame.itertuples()
    ]
    name = step_name(step_id)
    heads = [label(cut), _("Share"), *(name_cell(step_id, words) for words in (_("Had"), _("By plan"), _("Today")))]
    words = {"what": name, "cut": lower_first(label(cut)), "period": span(plan.observed), "horizon": span(plan.horizon)}
    return parts.table(heads, rows, caption=_("{what} by {cut}: had in {period}, needed in {horizon}", **words))


@available(N_("what the target would cost, and what was spent"))
def budget_section(found: Budget, company: Company) -> Part:
    """Spend by function against the year before, and the price of the target's new ARR."""
    money = company.settings.currency
    rows = []
    for row in found.spent.itertuples():
        change = percent(row.now / row.before - 1, signed=True) if row.before else ""
        name = member(row.function)
        name = name_cell("marketing_spend", name) if row.function == "marketing" else name
        rows.append((name, amount(row.before, money), amount(row.now, money), change))
    heads = [_("Function"), _("Year before"), _("{period}", period=span(found.period)), _("Change")]
    grid = parts.table(heads, rows, name=_("Spend by function"))
    limit = _("Limit: the tables hold no budget by function to compare with. The price is an average of the past; the next "
              "customer may cost more.")  # fmt: skip
    return parts.beside(grid, parts.reading(budget_reading(found)), parts.limit(limit))


def budget_reading(found: Budget) -> Text:
    """What the cascade costs at today's price, against what is spent now."""
    if found.per_arr.value is None or found.cost_now.value is None:
        return _("What the target would cost cannot be told from spend and new customers.")
    currency = found.cost_now.currency or ""
    words = {
        "one": amount(100, currency),
        "price": Quantity(exact_money(round(100 * found.per_arr.value), currency), "cac_ratio"),
    }
    price = _("{one} of new ARR cost {price} [{interval}] in marketing and sales.", interval=interval_of(found.per_arr), **words)
    words = {"now": with_interval(found.cost_now), "before": value_of(found.cost_before)}
    first = _("**At today's rates and price the target costs {now}**; the last twelve months cost {before}.", **words)
    if found.cost_plan.value is None:
        return sentences(first, price)
    return sentences(first, _("At the plan's rates it is {plan}.", plan=with_interval(found.cost_plan)), price)
