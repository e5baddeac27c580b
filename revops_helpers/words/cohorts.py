"""Growth by start quarter, in words: the triangle, what it says, and from when its empty cells are known."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from revops_helpers.model.company import Company
from revops_helpers.periods import Period, add_months, month_end
from revops_helpers.words import parts
from revops_helpers.words.definitions import name_cell
from revops_helpers.words.language import GAP, N_, Quantity, Text, _, count, money, month, sentences, span, with_interval
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import available

if TYPE_CHECKING:
    from revops_helpers.optimization.cohorts import Growth


@available(N_("whether customers grow after they start"))
def growth_section(grown: Growth, company: Company) -> Part:
    """The triangle: a row a start quarter, a column an age; what is not known yet says when it will be."""
    from revops_helpers.optimization.cohorts import AGES

    if grown.cohorts.empty:
        return parts.reading(_("No customer has started yet."))
    rows = []
    for row in grown.cohorts.itertuples():
        cells = {age: grown.cells[row.start, age] for age in AGES}
        told = [_from(row.start, age) if cell.status == "censored" else cell for age, cell in cells.items()]
        rows.append((_quarter(row.start), count(row.customers), money(int(row.initial), company.settings.currency), *told))
    heads = [_("Started in"), name_cell("customers"), name_cell("mrr", _("First MRR"))]
    heads += [_("{n} months", n=count(age)) for age in AGES]
    limit = _("Limit: new sales to the same customers only; what left is not taken off, and those that left stay in the base.")
    grid = parts.table(heads, rows, name=_("Expansion since the start, share of the first MRR"))
    return parts.stack(grid, parts.reading(growth_reading(grown)), parts.limit(limit))


def growth_reading(grown: Growth) -> Text:
    """The newest start quarter that is known at twelve months, beside the oldest shown."""
    known = [(start, grown.cells[start, 12]) for start in grown.cohorts.start if grown.cells[start, 12].value is not None]
    if not known:
        return _("No start quarter is twelve months old yet.")
    (first, before), (last, now) = known[0], known[-1]
    newest = _(
        "**Customers that started in {quarter} had added {share} of their first MRR twelve months on.**",
        quarter=_quarter(last), share=with_interval(now),
    )  # fmt: skip
    if first == last:
        return newest
    return sentences(newest, _("Those of {quarter}: {share}.", quarter=_quarter(first), share=with_interval(before)))


def _from(start: date, age: int) -> Quantity:
    """The month at whose end the last customer of a quarter has reached an age."""
    return Quantity(f"→{GAP}{month(add_months(start, 2 + age))}")


def _quarter(start: date) -> Text:
    return span(Period(start, month_end(add_months(start, 2))), short=True)
