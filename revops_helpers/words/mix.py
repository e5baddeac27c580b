"""A rate against the year before in words: what the rates of its members did, and what the mix of them did."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from revops_helpers.model.company import Company
from revops_helpers.words import parts
from revops_helpers.words.definitions import name_cell
from revops_helpers.words.language import (
    N_,
    Quantity,
    Text,
    _,
    count,
    label,
    n_,
    percent,
    points,
    sentences,
    value_of,
    with_interval,
)
from revops_helpers.words.language import money as amount
from revops_helpers.words.names import member as called
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import available

if TYPE_CHECKING:
    from revops_helpers.optimization.mix import Mix

LEAST, TINY = 0.01, 1e-9  # of rates and mix: a rest below it is not worth a sentence


@available(N_("whether rates changed or only the mix"))
def mix_section(split: Mix, company: Company) -> Part:
    """A rate against the year before, by member: what the rates did, and what the mix of members did."""
    percents = split.now.unit == "percent"

    def effect(value: float) -> Text:
        return points(value, signed=True) if percents else amount(value, company.settings.currency, signed=True)

    def rate(value: float, n: int) -> Text:
        if not n:
            return _("n/a")
        return percent(value) if percents else amount(value, company.settings.currency)

    rows = [
        (
            called(row.member),
            count(row.n_now),
            rate(row.rate_before, row.n_before),
            rate(row.rate_after, row.n_now),
            effect(row.rate_effect),
            effect(row.mix_effect),
        )
        for row in split.members.sort_values("rate_effect").itertuples()
    ]
    rates = (name_cell(split.metric, words) for words in (_("Year before"), _("Now")))
    heads = [label(split.dimension), _("Records"), *rates, _("By its rate"), _("By the mix")]
    grid = parts.table(heads, rows, name=_("{metric} by {cut}", metric=label(split.metric), cut=label(split.dimension)))
    limit = _("Limit: against the same months a year before; the plan is not cut by {cut}.", cut=label(split.dimension).lower())
    few = (
        n_("{n} row has under 20 records and says little.", "{n} rows have under 20 records and say little.", len(split.few))
        if split.few
        else ""
    )
    return parts.beside(grid, parts.reading(mix_reading(split, effect)), parts.limit(sentences(limit, few)))


def mix_reading(split: Mix, effect: Callable[[float], Text]) -> Text:
    """Rates, mix, or neither beyond noise."""
    words = {"metric": label(split.metric), "before": value_of(split.before), "now": with_interval(split.now)}
    first = _("{metric} went from {before} to {now} in a year.", **words)
    moved = {name: Quantity(effect(getattr(split, name)), split.metric) for name in ("rate", "mix", "rest")}
    parts_ = _("**{rate} came from the rates, {mix} from the mix.**", **moved)
    rest = ""
    if abs(split.rest) > LEAST * (abs(split.rate) + abs(split.mix)) + TINY:
        rest = _("{rest} belongs to records without a {cut}.", rest=moved["rest"], cut=label(split.dimension).lower())
    turned = _("Every row moved the other way than the total: the mix alone turned it.") if split.turned and not rest else ""
    clear = split.members[~split.members.member.isin(split.few) & (split.members.high < 0)]
    if clear.empty:
        return sentences(first, parts_, rest, turned, _("No single row is clearly worse than a year before."))
    worst = clear.sort_values("rate_effect").iloc[0]
    named = _("Clearly worse than a year before: {member}.", member=called(str(worst.member)))
    return sentences(first, parts_, rest, turned, named)
