"""That nothing appears and nothing is lost, in words: opening + movements = closing for every measure and segment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from revops_helpers.words import parts
from revops_helpers.words.definitions import name_cell
from revops_helpers.words.language import N_, Text, _, count, exact_money, label, listing, n_, number, sentences, span
from revops_helpers.words.names import member as called
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import available, needs

if TYPE_CHECKING:
    from revops_helpers.foundation.conservation import Conservation

UNLOCKS: Mapping[str, str] = {
    "mrr": N_("the proof that MRR moves to the cent"),
    "arr": N_("the proof that ARR moves to the cent"),
    "customers": N_("the proof that no customer is lost in counting"),
    "fx_effect": N_("what currency did to ARR at the month's rates"),
    "pipeline": N_("the proof that the pipeline moves to the cent, from every state of a deal"),
}
STEPS: Mapping[str, str] = {
    "opening": N_("Opening"),
    "new": N_("New"),
    "reactivation": N_("Came back"),
    "expansion": N_("Expansion"),
    "indexation": N_("Indexation"),
    "contraction": N_("Contraction"),
    "churn": N_("Churn"),
    "opened": N_("Opened"),
    "amount_up": N_("Amounts raised"),
    "amount_down": N_("Amounts cut"),
    "won": N_("Won"),
    "lost": N_("Lost"),
    "struck": N_("Struck out as duplicate or disqualified"),
    "closing": N_("Closing"),
    "difference": N_("Difference"),
    "fx_effect": N_("Currency, at the month's rates"),
}
STOCKS = ("opening", "closing")
ALWAYS = (*STOCKS, "difference", "fx_effect")
MEMBERS = 7  # columns beside the steps and the total


@available(N_("the proof that opening plus movements gives closing"))
def conservation_section(found: Conservation) -> Part:
    """The proof in one table a measure: every step, in total and by segment; the reading; what is not available."""
    order = _order(found)
    shown = [_table(found, measure, rows, order) for measure in UNLOCKS if len(rows := found.of(measure))]
    absent = [parts.unavailable(needs(missing), _(UNLOCKS[measure])) for measure, missing in found.absent.items()]
    return parts.stack(parts.reading(reading(found)), *shown, *absent, parts.limit(_limit(found)))


def reading(found: Conservation) -> Text:
    """Whether opening plus movements gives closing in every case, or where it does not and by how much."""
    off = found.lines[found.lines.difference != 0]
    n = len(found.lines)
    if off.empty:
        return n_(
            "**Opening plus movements gives closing in the one case, to the cent.**",
            "**Opening plus movements gives closing in all {n} cases, to the cent.**",
            n,
        )
    worst = off.reindex(off.difference.abs().sort_values(ascending=False).index).head(3)
    named = [
        _("{measure}, {member}: {amount}", measure=label(row.measure), member=_member(row.member),
          amount=_cell(found, row.measure, row.difference, signed=True))
        for row in worst.itertuples()
    ]  # fmt: skip
    return sentences(
        n_(
            "**Opening plus movements does not give closing in {n} of {all} cases.**",
            "**Opening plus movements does not give closing in {n} of {all} cases.**",
            len(off),
            all=count(n),
        ),
        _("The largest differences: {cases}.", cases=listing(named)),
    )


def _order(found: Conservation) -> list[str]:
    """The segments in one order for every table: those that close with most first, by the first measure that knows them."""
    told = [rows.iloc[1:] for measure in UNLOCKS if len(rows := found.of(measure))]
    ranked = [rows.sort_values(["closing", "member"], ascending=[False, True]).member for rows in told]
    return list(dict.fromkeys(member for members in ranked for member in members))


def _table(found: Conservation, measure: str, rows: pd.DataFrame, order: list[str]) -> Part:
    """One measure: a row a step, a column for the total and each segment."""
    members = rows.iloc[1:].sort_values("member", key=lambda names: names.map(order.index))
    cuts = pd.concat([rows.iloc[:1], members.head(MEMBERS)])
    steps = [name for name in STEPS if name in cuts and (name in ALWAYS or cuts[name].any())]
    grid = [
        (_(STEPS[name]), *(_cell(found, measure, value, signed=name not in STOCKS) for value in cuts[name])) for name in steps
    ]
    heads = [name_cell(measure), *(_member(member) for member in cuts.member)]
    more = len(rows) - len(cuts)
    rest = [parts.note(n_("{n} more is not shown.", "{n} more are not shown.", more))] if more else []
    name = _("{measure}: opening, movements, closing", measure=label(measure))
    return parts.stack(parts.table(heads, grid, name=name), *rest)


def _member(member: str) -> Text:
    return called(member) if member else _("Total")


def _cell(found: Conservation, measure: str, value: int, signed: bool) -> Text:
    """An amount to the cent, or a number of customers; nothing moved is 0 without a sign."""
    if measure != "customers":
        return exact_money(int(value), found.currency, signed=signed and value != 0)
    return number(int(value), 0, signed=signed and value != 0)


def _limit(found: Conservation) -> Text:
    same = _("Limit: {period}, on the records of today, with today's segments and groups.", period=span(found.period))
    if not len(found.of("pipeline")):
        return same
    return sentences(
        same,
        _("The pipeline is open new business. History keeps no status: a deal closed and opened again was open throughout."),
    )
