"""The executive review in words: how far behind plan and why, the actions worth most, the scorecard, the roadmap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from revops_helpers.finding import Finding, ranked
from revops_helpers.foundation.readiness import PHASES, Gate, Readiness
from revops_helpers.measurement import Measurement
from revops_helpers.metrics.measure import catalogue
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.optimization.target_gap import joint_value
from revops_helpers.words import gap as gap_words
from revops_helpers.words import parts
from revops_helpers.words.foundation import GATES
from revops_helpers.words.language import N_, Text, _, count, data, label, money, n_, value_of
from revops_helpers.words.markup import esc, plain, tag
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

if TYPE_CHECKING:
    from revops_helpers.optimization.forecast import YearForecast
    from revops_helpers.optimization.target_gap import Gap

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
FAMILIES: Mapping[str, str] = {
    "revenue": N_("Revenue"),
    "efficiency": N_("Revenue efficiency"),
    "process": N_("Process efficiency"),
    "team": N_("Team productivity"),
    "customer": N_("Customer"),
    "predictability": N_("Predictability"),
    "marketing": N_("Marketing"),
    "data_and_stack": N_("Data and stack"),
}
PHASE_NAMES: Mapping[int, str] = {1: N_("Foundation"), 2: N_("Process alignment"), 3: N_("Optimization"), 4: N_("Intelligence")}


def head(company: Company, gap: Gap | Unavailable) -> Part:
    """How far behind plan, and why: the only headline an executive has to read."""
    return header(company, KICKER, gap_words.title(gap), gap_words.deck(gap))


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
    return parts.stack(title, parts.findings_table(top, joint))


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
    words["worth"] = money(joint.value, joint.currency or "")
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
    if rest:
        shown.append(parts.details(n_("One more measure", "{n} more measures", len(rest)), parts.scorecard(rest)))
    if lacking := unavailable_metrics(company):
        listed = Text("; ".join(_lacking(need, labels) for need, labels in lacking[:4]))
        shown.append(parts.note(_("Not available for want of data: {list}.", list=listed)))
    return parts.stack(*shown)


def _lacking(need: str, labels: Sequence[str]) -> Text:
    return n_("{need} would unlock {n} measure", "{need} would unlock {n} measures", len(labels), need=need)


# --- roadmap -------------------------------------------------------------------------------------------------------------


def roadmap_section(ready: Readiness) -> Part:
    """Where the company stands on the roadmap: the gates of each phase, passed or not, with their numbers."""
    deck = _(
        "A phase opens when its checks pass, and those of the phases before it. Read what lies behind a closed gate with care."
    )
    title = parts.section(roadmap_title(ready), deck, anchor="roadmap", short=_("Roadmap"))
    columns = "".join(_phase(ready, phase) for phase in PHASES)
    lines = [f"{phase} {_(PHASE_NAMES[phase])}: {_state(ready, phase)}" for phase in PHASES]
    return parts.stack(title, Part("roadmap", tag("ol", columns, class_="road"), "\n".join(lines)))


def roadmap_title(ready: Readiness) -> Text:
    """The position, and what holds the gate."""
    position = ready.position
    closed = [gate for gate in ready.of(position) if not gate.passed]
    words = {"position": str(position), "name": _(PHASE_NAMES[position])}
    if not closed:
        return _("All four phases are open")
    held = n_("one check holds the gate", "{number} checks hold the gate", len(closed), number=lower_first(spelled(len(closed))))
    return _("Phase {position} of 4, {name}: {held}", held=held, **words)


def _phase(ready: Readiness, phase: int) -> str:
    state = "done" if ready.is_open(phase) else "now" if phase == ready.position else None
    items = "".join(tag("li", esc(plain(gate_words(gate))), class_="y" if gate.passed else "x") for gate in ready.of(phase))
    inside = (
        tag("h3", esc(f"{phase} {_(PHASE_NAMES[phase])}"))
        + tag("span", esc(_state(ready, phase)), class_="dim")
        + tag("ul", items)
    )
    return tag("li", inside, class_=state, aria_current="step" if state == "now" else None)


def _state(ready: Readiness, phase: int) -> Text:
    gates = ready.of(phase)
    passed = n_("{passed} of {n} check", "{passed} of {n} checks", len(gates), passed=count(sum(gate.passed for gate in gates)))
    if ready.is_open(phase):
        return _("{passed} · open", passed=passed)
    return (
        _("{passed} · you are here", passed=passed) if phase == ready.position else _("{passed} · read with care", passed=passed)
    )


def gate_words(gate: Gate) -> Text:
    """Leads with an owner 97%, gate 95%; what it needs where there is no number."""
    if gate.value.value is None:
        return _("{gate}: {reason}", gate=_(GATES[gate.id]), reason=data(gate.value.reason))
    bar = value_of(Measurement(gate.threshold, unit=gate.value.unit))
    return _("{gate} {value}, gate {bar}", gate=_(GATES[gate.id]), value=value_of(gate.value), bar=bar)


def changes_of_mind(*results) -> Part:
    """What would change the headline."""
    assumed = [
        _("The plan is right: the gap is measured against it, and a plan too high makes a gap of its own."),
        _("Stakes are what the shortfalls cost while they last. Whether an action removes them is known only after trying."),
        _("Customers are legal groups, money is at plan rates, months are closed ones."),
    ]
    missing = [_("Needs {needs}.", needs=needs(result)) for result in results if isinstance(result, Unavailable)]
    return doubts(assumed, list(dict.fromkeys(missing)))
