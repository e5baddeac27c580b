"""What teams report, in words: beside the catalogue's number, with each team's own definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from revops_helpers.foundation.definitions import SAME, Choice, Claim
from revops_helpers.measurement import Measurement
from revops_helpers.words import parts
from revops_helpers.words.definitions import name_cell
from revops_helpers.words.language import (
    N_,
    Text,
    _,
    count,
    data,
    exact_money,
    in_unit_of,
    label,
    n_,
    percent,
    points,
    ratio,
    sentences,
    span,
    value_of,
    with_interval,
)  # fmt: skip
from revops_helpers.words.names import member
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import available, named, spelled, upper_first

FUNCTIONS = {"marketing": N_("marketing"), "sales": N_("sales"), "customer_success": N_("customer success")}
KINDS = {
    "people": N_("people"),
    "program": N_("programmes"),
    "tools": N_("tools"),
    "commission": N_("commissions"),
    "overhead": N_("overhead"),
}
TEAMS = 6  # columns beside the steps
FINE = 10_000  # hundredths of a point in a share of one
CHOICES: Mapping[tuple[str, str], str] = {
    ("quarter", "same"): N_("spend of the same quarter"),
    ("quarter", "before"): N_("spend of the quarter before"),
    ("customers", "signed"): N_("customers signed, live or not"),
    ("self_serve", "left out"): N_("without customers who served themselves"),
    ("returned", "counted"): N_("returned customers count as new"),
    ("expansions", "counted"): N_("expansions won count as customers"),
    ("trials", "counted"): N_("unpaid trials count as customers"),
    ("window", "year"): N_("over twelve months"),
    ("window", "quarter"): N_("over the quarter"),
    ("window", "quarter × 4"): N_("over the quarter, times four"),
    ("window", "quarter to a year"): N_("over the quarter, compounded to a year"),
    ("window", "month of the quarter"): N_("a month, as a third of the quarter"),
    ("window", "quarter of the year's start"): N_("over the quarter, per ARR at the start of the fiscal year"),
    ("window", "months compounded"): N_("month by month, compounded"),
    ("window", "month to a year"): N_("a month, as a third of the quarter, compounded to a year"),
    ("movements", "every event"): N_("by every movement in between, new customers' too"),
    ("new_customers", "counted"): N_("new customers count"),
    ("new_customers", "returned"): N_("returned customers count"),
    ("lost", "left out"): N_("of those that stayed only"),
    ("indexation", "left out"): N_("without price indexation"),
    ("expansion", "left out"): N_("without expansion"),
    ("contraction", "left out"): N_("without contraction"),
    ("of", "customers"): N_("of customers, not of ARR"),
    ("of", "ARR"): N_("of ARR, not of customers"),
    ("per", "average"): N_("per average of start and end"),
    ("departures", "every departure"): N_("every departure, of new customers too"),
    ("departures", "at the end"): N_("only those of the start that are gone at the end"),
    ("downgrades", "counted"): N_("with what staying customers gave up"),
    ("notice", "at notice"): N_("lost when notice is given"),
    ("due", "next quarter"): N_("due in the next quarter only"),
    ("overdue", "left out"): N_("without overdue deals"),
    ("worth", "by stage"): N_("each amount times the share won of the deals of its stage"),
    ("stamp", "own"): N_("without leads that skipped the stage, each on its own day"),
    ("day", "created"): N_("leads created in the period, qualified by now"),
    ("rejected", "left out"): N_("without rejected leads"),
    ("accepted", "accepted"): N_("only those that sales accepted"),
    ("same_email", "one"): N_("one lead an e-mail address"),
}


@available(N_("what each team reports, beside one definition"))
def claims_section(claims: Sequence[Claim]) -> Part:
    """Every team's number beside ours, with the team's own words, and the choices that lead from ours to theirs."""
    rows = [(name_cell(c.metric), member(c.team), value_of(_claimed(c)), c.ours, _verdict(c), c.words) for c in claims]
    heads = [_("Measure"), _("Team"), _("Reported"), _("By the catalogue"), _("Agrees"), _("In the team's words")]
    shown = [parts.table(heads, rows, name=_("Reported numbers"))]
    shown += [parts.reading(text) for text in claims_readings(claims)]
    bridged = [c for c in claims if c.bridge and c.bridge.claimed != c.bridge.canonical]
    if bridged:
        shown += _bridges(bridged)
    return parts.stack(*shown, parts.limit(_limit(bridged)))


def _bridges(claims: Sequence[Claim]) -> list[Part]:
    """A table a measure: the catalogue's number, what each choice moves it by for each team, what is left, and the claims."""
    by_metric: dict[str, list[Claim]] = {}
    for claim in claims:
        by_metric.setdefault(claim.metric, []).append(claim)
    return [_bridge(held[i : i + TEAMS]) for held in by_metric.values() for i in range(0, len(held), TEAMS)]


def _bridge(held: Sequence[Claim]) -> Part:
    steps = [_steps(claim) for claim in held]
    ends = [_("Unexplained"), _("As reported")]
    names = dict.fromkeys(name for found in steps for name in found if name not in ends)
    rows = [
        (_led(held[0], name), *(found.get(name, "") for found in steps))
        for name in [*names, *ends]
        if any(name in found for found in steps)
    ]
    caption = _("{measure}: from the catalogue's number to each claim. The amounts add up to it.", measure=label(held[0].metric))
    if held[0].bridge.whole:
        caption = sentences(caption, _("Money is ARR, as shares of what the catalogue's number is a share of."))
    return parts.table([_("Step"), *(member(claim.team) for claim in held)], rows, caption, name=_("Bridges"))


def _led(claim: Claim, step: Text) -> Text | Part:
    """The name of a step; what the catalogue says leads to its definition."""
    return name_cell(claim.metric, step) if step == _("By the catalogue") else step


def _steps(claim: Claim) -> dict[Text, Text]:
    if claim.bridge.chance and not claim.bridge.explained:  # what fits by chance is no step
        claim = replace(claim, bridge=replace(claim.bridge, moves=()))
    bridge = claim.bridge
    first, *effects, rest = _amounts(claim)
    named = [upper_first(choice(move.switch, move.option)) for move in bridge.moves]
    left = {} if bridge.explained else {_("Unexplained"): rest}
    reported = value_to_the_cent(claim, claim.claimed)
    return {_("By the catalogue"): first, **dict(zip(named, effects, strict=True)), **left, _("As reported"): reported}


def _amounts(claim: Claim) -> list[Text]:
    """The canonical number, each effect and the remainder, in the metric's unit; money to the cent, shares as finely."""
    bridge = claim.bridge
    if claim.ours.unit == "money":
        cents = bridge.in_cents()
        return [exact_money(c, claim.ours.currency or "", signed=place > 0) for place, c in enumerate(cents)]
    if claim.ours.unit == "percent":
        first, *rest = (part / FINE for part in bridge.in_cents(FINE))
        shares = [percent(first, 2), *(points(value, 2, signed=True) for value in rest)]
        if not bridge.whole:
            return shares
        cents = enumerate(bridge.in_cents(bridge.whole))
        return [_in_money(claim, share, c, place > 0) for share, (place, c) in zip(shares, cents, strict=True)]
    rest = [*(move.effect for move in bridge.moves), bridge.remainder]
    return [in_unit_of(claim.ours, bridge.canonical), *(in_unit_of(claim.ours, value, signed=True) for value in rest)]


def _in_money(claim: Claim, share: Text, cents: int, signed: bool = False) -> Text:
    return _("{share} ({money})", share=share, money=exact_money(cents, claim.currency, signed))


def value_to_the_cent(claim: Claim, value: float) -> Text:
    """A value of the claim's metric; money to the cent, a share to a hundredth of a point and in money where it is of any."""
    if claim.ours.unit == "percent":
        whole = claim.bridge.whole if claim.bridge else None
        return _in_money(claim, percent(value, 2), round(value * whole)) if whole else percent(value, 2)
    return exact_money(round(value), claim.ours.currency or "") if claim.ours.unit == "money" else in_unit_of(claim.ours, value)


def choice(switch: str, option: Choice) -> Text:
    """A choice that a team makes otherwise, in words that stand within a sentence."""
    if switch == "functions":
        return _("spend of {functions}", functions=named([_(FUNCTIONS.get(f, f)) for f in option], len(option)))
    if switch == "kinds":
        return _("{kinds} only", kinds=named([_(KINDS.get(kind, kind)) for kind in option], len(option)))
    if switch == "commissions":
        return _("commissions spread over {months} months", months=option.removeprefix("over "))
    if switch == "deals":
        return _("with deals of kind {kinds}", kinds=named(option[1:], len(option)))
    if switch == "categories":
        shown = named([member(name) for name in option], len(option))
        return n_("forecast category {categories} only", "forecast categories {categories} only", len(option), categories=shown)
    if switch == "without_stage":
        return _("without deals in {stage}, the first stage", stage=data(str(option)))
    return _(CHOICES[switch, option])


def _limit(bridged: Sequence[Claim]) -> Text:
    stated = _("Limit: a report states only its first day, and is taken to be of that quarter.")
    if not bridged:
        return stated
    tried = _("A combination of choices that gives the number explains it; it does not prove that the team computed it so.")
    return sentences(stated, tried)


def _claimed(claim: Claim) -> Measurement:
    return replace(claim.ours, value=claim.claimed, low=None, high=None, status="ok", reason="")


def _verdict(claim: Claim) -> Text:
    if claim.agrees and claim.unexplained:
        return _("nearly")
    return {True: _("yes"), False: _("no"), None: _("cannot be told")}[claim.agrees]


def claims_readings(claims: Sequence[Claim]) -> list[Text]:
    """One reading a measure: how far the teams are apart, and where the catalogue's number lies."""
    by_metric: dict[str, list[Claim]] = {}
    for claim in claims:
        by_metric.setdefault(claim.metric, []).append(claim)
    return [_reading(metric, held) for metric, held in by_metric.items()]


def _reading(metric: str, held: list[Claim]) -> Text:
    low, high = min(held, key=lambda c: c.claimed), max(held, key=lambda c: c.claimed)
    words = {
        "measure": label(metric),
        "period": span(held[0].period),
        "low": value_of(_claimed(low)),
        "high": value_of(_claimed(high)),
    }
    if len(held) == 1:
        first = _("One team reports {measure} for {period}: {low}.", **words)
    elif low.claimed == high.claimed:
        first = _("**{n} teams report one {measure} for {period}: {low}.**", n=spelled(len(held)), **words)
    else:
        times = ratio(high.claimed / low.claimed) if low.claimed > 0 else None
        apart = _("{times} apart", times=times) if times else _("of different sign")
        first = _(
            "**{n} teams report {measure} for {period} from {low} to {high}, {apart}.**",
            n=spelled(len(held)),
            apart=apart,
            **words,
        )
    if held[0].ours.value is None:
        return first
    ours = _("By the catalogue it is {ours}.", ours=with_interval(held[0].ours))
    agreed = _agreement(sum(bool(claim.agrees) and not claim.unexplained for claim in held), len(held))
    return sentences(first, ours, agreed, *(said for claim in held if (said := _explained(claim))))


def _explained(claim: Claim) -> Text | None:
    """How a claim comes from the catalogue's number, in one sentence; nothing where it is that number."""
    bridge = claim.bridge
    if bridge is None or (bridge.explained and not bridge.moves):
        return None
    words = {"team": member(claim.team), "choices": named([choice(m.switch, m.option) for m in bridge.moves], len(bridge.moves))}
    if bridge.explained:
        told = _("**{team}:** the catalogue's number with other choices: {choices}.", **words)
        return sentences(told, _others(bridge.others)) if bridge.others else told
    if claim.unexplained:
        return _unexplained(claim)
    if claim.agrees:
        return None
    return _("**{team}:** cannot be told. So many combinations lie near so coarse a number that one fits by chance.", **words)


def _others(n: int) -> Text:
    return n_("One other combination of as few choices gives it too.", "{n} other combinations of as few choices give it too.", n)


def _unexplained(claim: Claim) -> Text:
    """What no combination of choices gives, with what the nearest leaves; not said to agree, however near it is."""
    words = {"team": member(claim.team), "n": count(claim.bridge.tried), "left": _amounts(claim)[-1]}
    if claim.agrees:
        return _(
            "**{team}:** within {share} of it, yet unexplained: of {n} combinations of choices the nearest leaves {left}.",
            share=percent(SAME, 0),
            **words,
        )
    return _("**{team}:** unexplained. None of {n} combinations of choices gives it; the nearest leaves {left}.", **words)


def _agreement(agreed: int, teams: int) -> Text:
    if agreed == teams:
        return n_("The report agrees with it.", "All reports agree with it.", teams)
    return n_("One report agrees with it.", "{n} reports agree with it.", agreed) if agreed else _("No report agrees with it.")
