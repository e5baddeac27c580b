"""The executive review in words: how far behind plan and why, the actions worth most, the scorecard, the roadmap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from revops_helpers.finding import Finding, ranked
from revops_helpers.measurement import Measurement
from revops_helpers.metrics.measure import catalogue
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.optimization.target_gap import joint_value
from revops_helpers.words import gap as gap_words
from revops_helpers.words import parts
from revops_helpers.words.definitions import FAMILIES
from revops_helpers.words.endings import title
from revops_helpers.words.lags import lag_note
from revops_helpers.words.language import N_, Quantity, Text, _, label, money, n_
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import (
    doubts,
    header,
    is_there,
    lower_first,
    needs,
    score_rows,
    score_title,
    spelled,
    unavailable_metrics,
)
from revops_helpers.words.readiness import roadmap_section

if TYPE_CHECKING:
    from revops_helpers.optimization.forecast import YearForecast
    from revops_helpers.optimization.target_gap import Gap

__all__ = ["actions_section", "changes_of_mind", "gap_section", "head", "roadmap_section", "score_section"]

KICKER = N_("Executive review")
MOST = 10
KEY = (
    "arr",
    "net_new_arr",
    "new_arr",
    "cac",
    "ltv_cac",
    "magic_number_lag",
    "rule_of_40",
    "win_rate",
    "cycle_days",
    "nrr",
    "grr",
)


def head(company: Company, gap: Gap | Unavailable) -> Part:
    """How far behind plan, and why: the only headline an executive has to read."""
    return header(company, KICKER, title(company, gap), gap_words.deck(gap))


def gap_section(gap: Gap | Unavailable, forecast: YearForecast | Unavailable) -> Part:
    """The waterfall beside the fan, and the drivers as a table."""
    if isinstance(gap, Unavailable):
        return parts.unavailable(needs(gap), _("how far from plan the company is, and why"))
    return parts.stack(parts.beside(gap_words.waterfall(gap), gap_words.fan(gap, forecast)), gap_words.drivers_table(gap))


def actions_section(findings: Sequence[Finding], gap: Gap | Unavailable) -> Part:
    """The findings of all phases worth most, and what acting on them is worth together."""
    top = ranked(list(findings))[:MOST]
    joint = joint_value(gap, top) if is_there(gap) and any(finding.levers for finding in top) else None
    title = parts.section(actions_title(top, joint), actions_deck(top), anchor="actions", short=_("Actions"))
    return parts.stack(title, parts.findings_table(top, joint, short="before"))


def actions_title(top: Sequence[Finding], joint: Measurement | None) -> Text:
    """How many actions, what together, and where to start."""
    if not top:
        return _("No finding stands clear of noise")
    words = {"number": spelled(len(top)), "first": lower_first(label(top[0].metric))}
    if joint is None or not joint.value:
        return n_(
            "One action, on which no money can be put yet",
            "{number} actions, on which no money can be put yet",
            len(top),
            **words,
        )
    words["worth"] = Quantity(money(joint.value, joint.currency or ""), joint.definition_id)
    return n_(
        "One action worth {worth} a year: {first}",
        "{number} actions, {worth} a year together; start with {first}",
        len(top),
        **words,
    )


def actions_deck(top: Sequence[Finding]) -> Text:
    """What a stake is, and what it is not."""
    if not top:
        return _("Nothing that was measured lies beyond its noise. That is a result, not an absence of one.")
    return _(
        "Net new ARR over the next twelve months, with 95% interval: what a shortfall costs while it lasts. Read from past data, "
        "not from experiments; rows without an amount claim no gain."
    )


def score_section(company: Company) -> Part:
    """The measures with a target, and the few that every board asks for; all others folded below."""
    rows = [row for row in score_rows(company, catalogue(), FAMILIES) if row.value.value is not None]
    first = [row for row in rows if row.target is not None or row.metric in KEY]
    rest = [row for row in rows if row not in first]
    deck = _("A miss counts only when the whole interval misses the target.")
    title = parts.section(score_title(first), deck, anchor="scorecard", short=_("Scorecard"))
    shown = [title, parts.scorecard(first)]
    if lag := lag_note(company, [row.metric for row in first]):
        shown.append(parts.note(lag))
    if rest:
        shown.append(parts.details(n_("One more measure", "{n} more measures", len(rest)), parts.scorecard(rest)))
    if lacking := unavailable_metrics(company):
        listed = Text("; ".join(_lacking(need, labels) for need, labels in lacking[:4]))
        shown.append(parts.note(_("Not available for want of data: {list}.", list=listed)))
    return parts.stack(*shown)


def _lacking(need: str, labels: Sequence[str]) -> Text:
    return n_("{need} would unlock {n} measure", "{need} would unlock {n} measures", len(labels), need=needs(Unavailable([need])))


def changes_of_mind(*results) -> Part:
    """What would change the headline."""
    assumed = [
        _("The plan is right: the gap is measured against it, and a plan too high makes a gap of its own."),
        _("Stakes are what the shortfalls cost while they last. Whether an action removes them is known only after trying."),
        _("Customers are legal groups, money is at plan rates, months are closed ones."),
    ]
    return doubts(assumed, results)
