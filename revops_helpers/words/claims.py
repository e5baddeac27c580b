"""What teams report, in words: beside the catalogue's number, with each team's own definition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from revops_helpers.foundation.definitions import Claim
from revops_helpers.measurement import Measurement
from revops_helpers.words import parts
from revops_helpers.words.language import N_, Text, _, label, n_, ratio, sentences, span, value_of, with_interval
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import available, spelled


@available(N_("what each team reports, beside one definition"))
def claims_section(claims: Sequence[Claim]) -> Part:
    """Every team's number beside ours, with the team's own words."""
    rows = [(label(c.metric), c.team, value_of(_claimed(c)), c.ours, _verdict(c), c.words) for c in claims]
    heads = [_("Measure"), _("Team"), _("Reported"), _("By the catalogue"), _("Agrees"), _("In the team's words")]
    grid = parts.table(heads, rows, name=_("Reported numbers"))
    limit = _("Limit: a report states only its first day, and is taken to be of that quarter. Why they differ is not split here.")
    return parts.stack(grid, *(parts.reading(text) for text in claims_readings(claims)), parts.limit(limit))


def _claimed(claim: Claim) -> Measurement:
    return replace(claim.ours, value=claim.claimed, low=None, high=None, status="ok", reason="")


def _verdict(claim: Claim) -> Text:
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
    return sentences(first, ours, _agreement(sum(bool(claim.agrees) for claim in held), len(held)))


def _agreement(agreed: int, teams: int) -> Text:
    if agreed == teams:
        return n_("The report agrees with it.", "All reports agree with it.", teams)
    return n_("One report agrees with it.", "{n} reports agree with it.", agreed) if agreed else _("No report agrees with it.")
