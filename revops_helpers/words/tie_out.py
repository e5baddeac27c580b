"""The tie-out in words: ARR by billing against finance's, won deals against billing starts."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from revops_helpers.foundation.tie_out import ArrTie
from revops_helpers.foundation.won_billed import LATE, DealTie
from revops_helpers.model.company import Company
from revops_helpers.words import parts
from revops_helpers.words.definitions import name_cell
from revops_helpers.words.language import N_, Quantity, Text, _, count, day, exact_money, listing, n_, percent, sentences
from revops_helpers.words.language import money as amount
from revops_helpers.words.names import record
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import available, upper_first

MOST = 12  # rows shown of a list; the files of the review hold all of them

CAUSES: Mapping[str, str] = {
    "signed_not_live": N_("signed, not live yet"),
    "not_booked": N_("cuts not booked yet"),
    "just_ended": N_("ended within the grace days"),
    "credit_notes": N_("credit notes"),
    "month_rates": N_("exchange rates of the month"),
}
CASES: Mapping[str, str] = {
    "matched": N_("Won and billed, same amount"),
    "differs": N_("Won and billed, amounts differ"),
    "waiting": N_("Won, billing may still start"),
    "unbilled": N_("Won, never billed"),
    "no_deal": N_("Billed without a won deal"),
}


@available(N_("the check of ARR against what finance reports"))
def arr_section(arr: ArrTie, company: Company) -> Part:
    """ARR by month end: billing, finance, the causes of the difference, what is left; with its reading and limit."""
    currency = company.settings.currency
    shown = [*arr.causes[:3], *(["rounding"] if arr.months.rounding.any() else []), "unexplained"]
    heads = {"rounding": _("Rounding"), "unexplained": _("Unexplained")} | {c: upper_first(_(CAUSES[c])) for c in arr.causes}
    rows = [
        (
            Text(day(line.month_end)),
            *(exact_money(int(getattr(line, c)), currency) for c in ("billing", "finance")),
            *(exact_money(int(getattr(line, c)), currency, signed=True) for c in ("difference", *shown)),
        )
        for line in arr.months.itertuples()
    ]
    columns = [_("Month end"), name_cell("arr", _("Billing")), _("Finance"), _("Difference"), *(heads[c] for c in shown)]
    grid = parts.table(columns, rows, name=_("ARR by billing and by finance"))
    said = [parts.reading(_arr_reading(arr, company)), parts.limit(_arr_limit(arr, company))]
    listed = arr.lines.head(MOST)
    if listed.empty:
        return parts.stack(grid, *said)
    lines = [
        (
            record(company, "accounts", x.account_id),
            record(company, "subscriptions", x.subscription_id),
            _(CAUSES[x.cause]),
            exact_money(int(x.amount), currency, signed=True),
        )
        for x in listed.itertuples()
    ]
    behind = parts.table([_("Customer"), _("Subscription"), _("Cause"), name_cell("arr")], lines)
    return parts.stack(
        grid, *said, parts.details(_("The largest lines behind the causes, {day}", day=day(arr.last.month_end)), behind)
    )


def _arr_reading(arr: ArrTie, company: Company) -> str:
    last, currency = arr.last, company.settings.currency
    if not last.difference:
        return _("On {day} finance and billing report **the same ARR, to the cent**.", day=day(last.month_end))
    words = {"day": day(last.month_end), "gap": Quantity(exact_money(abs(int(last.difference)), currency), "arr")}
    words["share"] = Quantity(percent(abs(int(last.difference)) / max(int(last.finance), 1)), "arr")
    higher = _("On {day} finance's ARR is **{gap} higher** than billing's ({share}).", **words)
    first = higher if last.difference > 0 else _("On {day} finance's ARR is **{gap} lower** than billing's ({share}).", **words)
    left = int(last.unexplained)
    rest = (
        _("**{left} stays unexplained.**", left=Quantity(exact_money(abs(left), currency), "arr"))
        if left
        else _("Nothing stays unexplained.")
    )
    return sentences(first, *_told(arr, company), rest)


def _told(arr: ArrTie, company: Company) -> list[Text]:
    """What the difference is made of: causes that always count so, and single lines that add up to it."""
    last, currency = arr.last, company.settings.currency

    def held(causes) -> Text:
        amounts = {cause: Quantity(exact_money(abs(int(last[cause])), currency), "arr") for cause in causes if last[cause]}
        return listing([_("{amount} {cause}", amount=shown, cause=_(CAUSES[cause])) for cause, shown in amounts.items()])

    always = [cause for cause in arr.causes if cause not in arr.named and last[cause]]
    said = [_("At every month end finance counts otherwise: **{causes}**.", causes=held(always))] if always else []
    if arr.named:
        words = {"causes": held(arr.named), "tried": count(arr.tried)}
        lines = int(arr.lines.cause.isin(arr.named).sum())
        said.append(
            n_(
                "One line makes up **{causes}**: of {tried} sets of lines the only one that fits to the cent.",
                "{n} lines make up **{causes}**: of {tried} sets of lines the only one that fits to the cent.",
                lines,
                **words,
            )
        )
    return said


def _arr_limit(arr: ArrTie, company: Company) -> str:
    months = int((arr.months.unexplained != 0).sum())
    first = _("Limit: finance gives one total a month. A cause is what fits to the cent, not what finance has confirmed.")
    left = (
        n_(
            "A difference is left at {n} month end of {all}.",
            "A difference is left at {n} month ends of {all}.",
            months,
            all=count(len(arr.months)),
        )
        if months
        else ""
    )
    step = _("Finance rounds to {step}.", step=exact_money(arr.step, company.settings.currency)) if arr.step > 1 else ""
    return sentences(first, left, step)


@available(N_("the match of won deals to billing"))
def deals_section(deals: DealTie, company: Company) -> Part:
    """Won deals against billing starts, by case, with the deals that were never billed."""
    currency = company.settings.currency
    rows = []
    for case, words in CASES.items():
        line = deals.total(case)
        difference = exact_money(int(line.billed - line.won), currency, signed=True) if line.records else ""
        rows.append(
            (_(words), count(line.records), *(exact_money(int(x), currency) for x in (line.won, line.billed)), difference)
        )
    grid = parts.table([_("Case"), _("Records"), *_arrs(), _("Difference")], rows)
    late = _(
        "Limit: matched by customer, kind and date, from 30 days before to {days} days after the win. "
        "A deal billed to another company of the group, or later, shows here as never billed.",
        days=count(LATE.days),
    )
    folded = [_deal_list(deals, case, company) for case in ("unbilled", "differs", "no_deal")]
    said = [parts.reading(_deals_reading(deals, company)), parts.limit(late)]
    return parts.stack(grid, *said, *(part for part in folded if part))


def _deals_reading(deals: DealTie, company: Company) -> str:
    lost, differs, stray = (deals.total(case) for case in ("unbilled", "differs", "no_deal"))
    said = []
    if lost.records:
        said.append(
            n_(
                "**{n} won deal never reached billing: {worth} of ARR.**",
                "**{n} won deals never reached billing: {worth} of ARR.**",
                int(lost.records),
                worth=amount(int(lost.won), company.settings.currency),
            )
        )
    if differs.records:
        change = amount(int(differs.billed - differs.won), company.settings.currency, signed=True)
        said.append(
            n_(
                "{n} is billed at another amount ({change} in all).",
                "{n} are billed at another amount ({change} in all).",
                int(differs.records),
                change=change,
            )
        )
    if stray.records:
        said.append(
            n_(
                "{n} billing start ({worth}) has no won deal behind it.",
                "{n} billing starts ({worth}) have no won deal behind them.",
                int(stray.records),
                worth=amount(int(stray.billed), company.settings.currency),
            )
        )
    if not said and not deals.total("matched").records:
        return _("No won deal has had its time to be billed yet.")
    return sentences(*said) if said else _("Every won deal whose time has come is billed, at the amount that was sold.")


def _deal_list(deals: DealTie, case: str, company: Company) -> Part | None:
    rows = deals.of(case)
    if rows.empty:
        return None
    currency = company.settings.currency

    def cents(value) -> str:
        return "" if pd.isna(value) else exact_money(int(value), currency)

    lines = [
        (
            record(company, "accounts", x.account_id),
            record(company, "opportunities", x.opportunity_id),
            _day(x.closed_on),
            _day(x.starts_on),
            cents(x.won),
            cents(x.billed),
        )
        for x in rows.head(MOST).itertuples()
    ]
    heads = [_("Customer"), _("Deal"), _("Won on"), _("Billed from"), *_arrs()]
    shown = _("{case}: the {shown} largest of {n}", case=_(CASES[case]), shown=count(len(lines)), n=count(len(rows)))
    return parts.details(shown, parts.table(heads, lines))


def _arrs() -> tuple[Part, Part]:
    return name_cell("new_arr_won", _("Won, ARR")), name_cell("arr", _("Billed, ARR"))


def _day(value) -> str:
    return "" if pd.isna(value) else day(value)
