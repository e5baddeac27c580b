"""The months ahead in words: ARR at risk, whom to look at first, and who is likely to buy more. Nothing where a model failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from revops_helpers.measurement import Measurement
from revops_helpers.model.company import Company
from revops_helpers.periods import add_months, month_end
from revops_helpers.words import figures, parts
from revops_helpers.words.definitions import name_cell
from revops_helpers.words.language import (
    N_,
    Quantity,
    Text,
    _,
    count,
    day,
    listing,
    money,
    n_,
    percent,
    sentences,
    value_of,
    with_interval,
)
from revops_helpers.words.names import member, person, record
from revops_helpers.words.parts import Part
from revops_helpers.words.passport import passport_section, reason, verdict
from revops_helpers.words.phase import available, upper_first

if TYPE_CHECKING:
    from revops_helpers.intelligence.outlook import Outlook

SHOWN = 15
ADVICE = N_(
    "A chance is no judgement of a customer: it says where to look first, and a person decides. Each row says what raises it."
)


def until(outlook: Outlook) -> Text:
    """The day to which the chances reach."""
    end = add_months(outlook.day, outlook.passport.horizon)
    return day(month_end(end) if outlook.day == month_end(outlook.day) else end)


def arr_like(outlook: Outlook, value: float, low: float, high: float, n: int) -> Measurement:
    """An amount in the outlook's own unit."""
    own = outlook.expected
    of = {"unit": own.unit, "currency": own.currency, "definition_id": own.definition_id}
    return Measurement(round(value), n=n, low=min(low, value), high=max(high, value), **of)


@available(N_("how much ARR is likely to leave, and a model of who leaves"))
def model_section(outlook: Outlook) -> Part:
    """The passport of the model behind an outlook."""
    return passport_section(outlook.passport)


@available(N_("how much ARR is likely to leave, by segment"))
def risk_section(outlook: Outlook) -> Part:
    """Expected loss with interval, by segment, and how such a sum did before."""
    if outlook.expected.value is None:
        return _refused(outlook)
    said = [parts.reading(risk_reading(outlook)), parts.reading(_proof(outlook)), parts.limit(_risk_limit())]
    if outlook.by_segment.empty:
        return parts.stack(*said)
    items = [
        (member(row.segment), arr_like(outlook, row.expected, row.low, row.high, row.customers))
        for row in outlook.by_segment.itertuples()
    ]
    alt = listing([_("{name} {amount}", name=name, amount=with_interval(amount)) for name, amount in items])
    note = _("ARR expected to be lost by {day}, by segment, with the 95% interval of what will come.", day=until(outlook))
    title = _("{amount} of {arr} is likely to leave", amount=value_of(outlook.expected), arr=value_of(outlook.arr))
    return parts.beside(parts.picture(figures.bars(items, better="neither"), title, note, alt), *said)


def _refused(outlook: Outlook) -> Part:
    if not outlook.passport.use:
        return parts.warning(sentences(verdict(outlook.passport), _("No chance and no list is shown.")))
    return parts.reading(_("There is no customer to look at."))


def risk_reading(outlook: Outlook) -> Text:
    """How much is expected to leave, of how much."""
    share = percent(outlook.expected.value / outlook.arr.value) if outlook.arr.value else _("n/a")
    words = {"amount": with_interval(outlook.expected), "day": until(outlook), "share": share}
    return _("**{amount} of ARR is likely to leave by {day}**, {share} of what there is.", **words)


def _proof(outlook: Outlook) -> Text:
    proof = outlook.proof
    told = arr_like(outlook, proof["expected"], proof["low"], proof["high"], outlook.expected.n)
    came = Measurement(round(proof["actual"]), unit=told.unit, currency=told.currency, definition_id=told.definition_id)
    words = {"day": day(proof["day"]), "told": with_interval(told), "came": value_of(came)}
    if told.low <= came.value <= told.high:
        return _("Tested as of {day}, before it had seen what followed, it foresaw {told}; {came} left.", **words)
    return _(
        "Tested as of {day}, before it had seen what followed, it foresaw {told}; {came} left, outside its own interval.", **words
    )


def _risk_limit() -> Text:
    return _("Limit: as customers left in the months learned from. A new price, product or rival is not in it.")


@available(N_("which customers to look at first"))
def accounts_section(outlook: Outlook, company: Company) -> Part:
    """The customers expected to lose most, each with what raises its chance."""
    if outlook.expected.value is None:
        return _refused(outlook)
    rows = outlook.customers.head(SHOWN)
    total = sum(rows.expected)
    told = (money(total, company.settings.currency), percent(total / outlook.expected.value))
    words = {name: Quantity(x, outlook.expected.definition_id) for name, x in zip(("amount", "share"), told, strict=True)}
    first = n_(
        "The first {n} carries {amount} of it, {share}.", "The first {n} carry {amount} of it, {share}.", len(rows), **words
    )
    heads, more = [_("Customer"), name_cell("arr"), _("Chance"), _("Expected loss")], [_("What raises it")]
    grid = parts.table(*_grid(rows, company, heads, more, money_at_risk=True), name=_("Customers by expected loss"))
    return parts.stack(parts.reading(first), grid, parts.limit(_(ADVICE)))


def _grid(rows, company: Company, heads: list, more: list, money_at_risk: bool) -> tuple[list, list]:
    """Heads and rows of a list of customers; owner and renewal where they are known."""
    owned, dated = "owner_id" in rows, "renews_on" in rows
    lines = []
    for row in rows.to_dict("records"):
        chance = Measurement(row["chance"], n=1, low=row["low"], high=row["high"], unit="percent")
        why = (
            upper_first(Text("; ".join(reason(name, row) for name in row["reasons"])))
            if row["reasons"]
            else _("Nothing by itself")
        )
        line = [record(company, "accounts", row["account_id"]), money(row["arr"], company.settings.currency), chance]
        line += [money(row["expected"], company.settings.currency)] if money_at_risk else []
        line += [why]
        line += [person(company, row["owner_id"])] if owned else []
        line += [day(row["renews_on"]) if row["renews_on"] == row["renews_on"] and row["renews_on"] else ""] if dated else []
        lines.append(line)
    return [*heads, *more, *([_("Owner")] if owned else []), *([_("Renews")] if dated else [])], lines


@available(N_("who is likely to buy more"))
def growth_section(outlook: Outlook, company: Company) -> Part:
    """The customers likeliest to buy more, and what is not known: whether asking changes it."""
    if outlook.expected.value is None:
        return _refused(outlook)
    rows = outlook.customers.head(SHOWN)
    heads, more = [_("Customer"), name_cell("arr"), _("Chance")], [_("What raises it")]
    grid = parts.table(*_grid(rows, company, heads, more, money_at_risk=False), name=_("Customers likeliest to buy more"))
    limit = _(
        "Limit: **uplift is unknown.** These are likely to buy whether or not anybody asks; only a trial, with some customers "
        "drawn by lot and left alone, tells what asking adds."
    )
    return parts.stack(parts.reading(growth_reading(outlook)), grid, parts.limit(limit))


def growth_reading(outlook: Outlook) -> Text:
    """How many are expected to buy more."""
    words = {"customers": with_interval(outlook.expected), "all": count(outlook.expected.n), "day": until(outlook)}
    return _("**{customers} of {all} customers are likely to buy more by {day}.**", **words)
