"""The closed loop in words: which channels the won deals are credited to, and how far that depends on the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from revops_helpers.metrics.dimensions import NOT_RECORDED
from revops_helpers.model.company import Company
from revops_helpers.words import parts
from revops_helpers.words.definitions import name_cell
from revops_helpers.words.language import N_, Text, _, count, money, n_, number, ordinal, percent, sentences, span
from revops_helpers.words.names import member
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import available, named
from revops_helpers.words.ranges import Ranged, dot_range

if TYPE_CHECKING:
    from revops_helpers.alignment.closed_loop import ClosedLoop

SHOWN = 12


@available(N_("which channels won deals are credited to"))
def credit_section(found: ClosedLoop, company: Company) -> Part:
    """Credit by first touch, last touch and all touches: the range between them, and the numbers."""
    if not found.won:
        return parts.reading(_("No new-business deal was won in {period}.", period=span(found.period)))
    said = [parts.reading(credit_reading(found))]
    limit = _(
        "Attribution is not incrementality: credit says where touches stood, not what would have been lost without them. "
        "Only holding a channel back from some, by chance, tells that."
    )
    said.append(parts.limit(limit))
    return parts.stack(parts.beside(_drawn(found), *said), parts.details(_("Every channel in numbers"), _table(found, company)))


def _drawn(found: ClosedLoop) -> Part:
    rows = found.channels.head(SHOWN)
    drawn = dot_range([_ranged(row) for row in rows.itertuples()], _("Deals credited"), _("Place"))
    note = _("New-business deals won {period}. ◀ first touch, ▶ last touch, ● all touches alike; bar: the range between them.",
             period=span(found.period))  # fmt: skip
    ends = [{"channel": _name(row.channel), "low": _deals(row.low), "high": _deals(row.high)} for row in rows.itertuples()]
    alt = Text("; ".join(_("{channel} {low} to {high} deals", **words) for words in ends))
    return parts.picture(drawn, credit_title(found), note, alt)


def _ranged(row) -> Ranged:
    if row.best != row.best:
        return Ranged(_name(row.channel), row.first, row.last, (row.linear,), "")
    return Ranged(_name(row.channel), row.first, row.last, (row.linear,), _places(row), row.worst - row.best >= 2)


def _name(channel: str) -> Text:
    return _("not recorded") if channel == NOT_RECORDED else member(channel)


def _places(row) -> Text:
    best, worst = number(row.best), number(row.worst)
    return _("{best}", best=best) if best == worst else _("{best} to {worst}", best=best, worst=worst)


def _deals(value: float) -> Text:
    return number(value, 0 if value == int(value) else 1)


def credit_title(found: ClosedLoop) -> Text:
    """The channel whose place depends most on the model; else that none does."""
    moving = found.moving
    if moving.empty:
        return _("The order of channels hardly depends on the model")
    row = moving.iloc[0]
    words = {"channel": _name(row.channel), "best": ordinal(int(row.best)), "worst": ordinal(int(row.worst))}
    return _("{channel} ranks {best} to {worst}, depending on the model", **words)


def credit_reading(found: ClosedLoop) -> Text:
    """How many deals have touches, the range of the largest channel, and whose place depends on the model."""
    won = n_("{n} deal was won", "{n} deals were won", found.won)
    words = {"won": won, "traced": count(found.traced), "share": percent(found.traced / found.won)}
    first = _("{won}; {traced} ({share}) have a touch on record.", **words)
    known = found.channels[found.channels.channel != NOT_RECORDED]
    if known.empty:
        return sentences(first, _("**No channel can be credited.**"))
    top = known.iloc[0]
    words = {"channel": _name(top.channel), "low": percent(top.low / found.won), "high": percent(top.high / found.won)}
    range_ = _("**{channel} is credited with {low} to {high} of them, depending on the model.**", **words)
    moving = found.moving
    if moving.empty:
        return sentences(first, range_)
    far = n_(
        "{n} channel moves three places or more: {names}.", "{n} channels move three places or more: {names}.", len(moving),
        names=named([_name(name) for name in moving.channel]),
    )  # fmt: skip
    return sentences(first, range_, far)


def _table(found: ClosedLoop, company: Company) -> Part:
    priced, currency = found.arr is not None, company.settings.currency
    models = {"first_touch_won": _("First touch"), "last_touch_won": _("Last touch"), "linear_won": _("All alike")}
    heads = [_("Channel"), _("Deals touched"), *(name_cell(metric, words) for metric, words in models.items())]
    worth = [_("ARR, first"), _("ARR, last"), _("ARR, all alike")] if priced else []
    heads += [name_cell("new_arr_won", words) for words in worth]
    rows = []
    for row in found.channels.itertuples():
        cells = [_name(row.channel), count(row.deals), *(_deals(x) for x in (row.first, row.last, row.linear))]
        cells += [money(x, currency) for x in (row.arr_first, row.arr_last, row.arr_linear)] if priced else []
        rows.append(cells)
    return parts.table(heads, rows, name=_("Credit by channel"))
