"""What the records cannot tell, in words: each limit with what it means for the reader, and what was asked and not found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from revops_helpers.model.company import Company, Unavailable
from revops_helpers.words import parts
from revops_helpers.words.language import (
    N_,
    Text,
    _,
    count,
    data,
    day,
    listing,
    money,
    month,
    n_,
    percent,
    sentences,
)
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import available, is_there

if TYPE_CHECKING:
    from revops_helpers.foundation.limits import Limit, Limits

MOST = 12  # rows shown
ASKED: Mapping[str, str] = {
    "late_outcomes": N_("outcomes that begin later than the records"),
    "young": N_("cohorts too young to be whole"),
    "no_losses": N_("wins without losses"),
    "unpriced_won": N_("deals without an amount"),
    "won_before_lead": N_("deals won before their lead"),
    "only_when_open": N_("fields empty only on open deals"),
    "alike": N_("one name written in two ways"),
    "typo": N_("likely typos"),
}
COVERS: Mapping[str, tuple[str, ...]] = {"unpriced_won": ("unpriced_won", "unpriced_lost", "unpriced_open")}
Said = tuple[Text, Text]


@available(N_("what the records cannot tell"))
def limits_section(limits: Limits, company: Company) -> Part:
    """Every limit found, with what it means; and in one line what was asked and not found."""
    clean = [kind for kind in limits.asked if not any(limits.of(name) for name in COVERS.get(kind, (kind,)))]
    asked = _("Asked and not found: {list}.", list=listing([_(ASKED[kind]) for kind in clean])) if clean else ""
    limit = _(
        "Limit: these checks see what contradicts itself. A name wrong everywhere, or a deal never entered, they cannot see."
    )
    if not limits.found:
        nothing = _("**Nothing was found that these records could not tell.**")
        return parts.stack(parts.reading(sentences(nothing, asked)), parts.limit(limit))
    rows = [_told(found, company) for found in limits.found]
    grid = parts.table([_("What was found"), _("What follows")], rows[:MOST], name=_("Limits of the records"))
    rest = [
        parts.details(
            n_("One more", "{n} more", len(rows) - MOST), parts.table([_("What was found"), _("What follows")], rows[MOST:])
        )
    ]
    return parts.stack(
        parts.reading(sentences(_reading(limits), asked)), grid, *(rest if rows[MOST:] else []), parts.limit(limit)
    )


def _reading(limits: Limits) -> Text:
    serious = sum(limit.serious for limit in limits.found)
    first = n_("**One limit of the records was found**", "**{n} limits of the records were found**", len(limits.found))
    if not serious:
        return _("{found}, and none forbids a conclusion.", found=first)
    return n_("{found}; one forbids conclusions.", "{found}; {n} forbid conclusions.", serious, found=first)


def serious_lines(limits: Limits | Unavailable, company: Company) -> list[Text]:
    """One sentence for the bottom line per limit that forbids a conclusion."""
    if not is_there(limits):
        return []
    return [sentences(*_told(limit, company)) for limit in limits.found if limit.serious]


def _told(limit: Limit, company: Company) -> Said:
    return SAID[limit.kind](limit, company)


def _late(limit: Limit, company: Company) -> Said:
    words = {
        "first": day(limit.facts["first"]),
        "outcome": day(limit.facts["outcome"]),
        "expected": count(limit.facts["expected"]),
    }
    if limit.table == "leads":
        found = _(
            "**No deal is won before {outcome}, although leads go back to {first}**; about {expected} were to be expected.",
            **words,
        )
    else:
        found = _(
            "**No deal is closed before {outcome}, although deals go back to {first}**; about {expected} were to be expected.",
            **words,
        )
    start = Text(f"records_start: {{{limit.table}: {limit.facts['outcome'].isoformat()}}}")
    return found, _(
        "Earlier outcomes may not be on record: write {start} in company.yml, or read the early months as too low.", start=start
    )


def _young(limit: Limit, company: Company) -> Said:
    first, last = limit.facts["first"], limit.facts["last"]
    span = month(first) if first == last else Text(f"{month(first)}–{month(last)}")
    words = {"span": span, "n": count(limit.facts["records"]), "days": count(limit.facts["days"])}
    if limit.table == "leads":
        found = _(
            "The leads of {span} are not complete: {n} are younger than the {days} days within which 95% of wins came.", **words
        )
    else:
        found = _(
            "The deals opened in {span} are not complete: {n} are younger than the {days} days within which 95% closed.", **words
        )
    return found, _("Their shares will still rise; compare them at the same age only.")


def _no_losses(limit: Limit, company: Company) -> Said:
    found = n_("**No lost deal is on record**, beside {n} won.", "**No lost deal is on record**, beside {n} won.", limit.share.n)
    return found, _("A win rate would be 100% and say nothing, so none is shown.")


def _unpriced_won(limit: Limit, company: Company) -> Said:
    words = {"lacking": count(limit.facts["lacking"]), "all": count(limit.share.n), "share": percent(limit.share.value, 1)}
    found = _("**{lacking} of {all} won deals have no amount or zero ({share}).**", **words)
    worth = money(limit.facts["worth"], company.settings.currency)
    priced = count(limit.share.n - limit.facts["lacking"])
    return found, _("All value won, {worth}, stands on {n} deals. The mean is not the size of a deal.", worth=worth, n=priced)


def _unpriced_lost(limit: Limit, company: Company) -> Said:
    found = n_("**No lost deal has an amount**, of {n}.", "**No lost deal has an amount**, of {n}.", limit.share.n)
    return found, _("A win rate by value would be 100%, so none is shown; deals can only be counted.")


def _unpriced_open(limit: Limit, company: Company) -> Said:
    found = n_("**No open deal has an amount**, of {n}.", "**No open deal has an amount**, of {n}.", limit.share.n)
    return found, _("The worth of the pipeline is unknown, which is not zero; neither coverage nor what is at risk can be told.")


def _early_win(limit: Limit, company: Company) -> Said:
    early = round(limit.share.value * limit.share.n)
    found = n_("{n} deal was won before its lead was created.", "{n} deals were won before their leads were created.", early)
    return found, _("A wrong link or a late entry: such deals are in no time from lead to win.")


def _only_open(limit: Limit, company: Company) -> Said:
    field = data(f"{limit.table}.{limit.column}")
    words = {"field": field, "n": count(limit.facts["empty"]), "open": count(limit.share.n)}
    found = _("{field} is empty only on open deals: on {n} of {open}, and on none that is closed.", **words)
    return found, _("It is filled when a deal ends, so it tells the ending: comparing won with open deals by it is biased.")


def _two_ways(limit: Limit, company: Company) -> Said:
    words = {"rare": data(limit.facts["rare"]), "often": data(limit.facts["often"])}
    places = {"field": data(f"{limit.table}.{limit.column}"), "there": data(limit.facts["where"])}
    if places["field"] == places["there"]:
        found = _("{field} holds “{rare}” and “{often}”, the same but for case, spaces and marks.", **words, **places)
    else:
        found = _("{field} holds “{rare}”, {there} holds “{often}”: the same but for case, spaces and marks.", **words, **places)
    return found, _("Results by this name are split, or do not meet; agree one way of writing it.")


def _typo(limit: Limit, company: Company) -> Said:
    words = {
        "rare": data(limit.facts["rare"]),
        "often": data(limit.facts["often"]),
        "field": data(f"{limit.table}.{limit.column}"),
    }
    return _("{field}: “{rare}” may be a typo of “{often}”.", **words), _(
        "A proposal for a person to decide; nothing was changed."
    )


SAID: Mapping[str, Callable[[Limit, Company], Said]] = {
    "late_outcomes": _late,
    "young": _young,
    "no_losses": _no_losses,
    "unpriced_won": _unpriced_won,
    "unpriced_lost": _unpriced_lost,
    "unpriced_open": _unpriced_open,
    "won_before_lead": _early_win,
    "only_when_open": _only_open,
    "alike": _two_ways,
    "typo": _typo,
}
