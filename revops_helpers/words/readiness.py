"""The gates in words: one phase's as a table, all of them as the roadmap."""

from __future__ import annotations

from collections.abc import Mapping

from revops_helpers.foundation.readiness import PHASES, Gate, Readiness
from revops_helpers.measurement import Measurement
from revops_helpers.words import parts
from revops_helpers.words.below import translated
from revops_helpers.words.definitions import name_cell
from revops_helpers.words.language import N_, Text, _, count, n_, value_of
from revops_helpers.words.marks import interval_bar
from revops_helpers.words.markup import esc, plain, tag
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import lower_first, spelled

PHASE_NAMES: Mapping[int, str] = {1: N_("Foundation"), 2: N_("Process alignment"), 3: N_("Optimization"), 4: N_("Intelligence")}
GATES = {
    "rows_accepted": N_("Rows accepted"),
    "fields_filled": N_("Decision fields filled"),
    "references_resolved": N_("Links that resolve"),
    "companies_twice": N_("Companies that stand twice"),
    "arr_untied": N_("ARR not tied to finance"),
    "won_billed": N_("Won deals billed"),
    "leads_owned": N_("Leads with an owner"),
    "contacts_recorded": N_("Leads with a contact on record"),
    "deals_with_lead": N_("New deals with their lead"),
    "handoffs_recorded": N_("Handoffs on record"),
    "contacted_within_sla": N_("Leads called within the service level"),
    "handoffs_complete": N_("Handoffs with a full checklist"),
    "months_of_history": N_("Months of deal history"),
    "deals_decided": N_("Deals decided in a year"),
    "planned_drivers": N_("Measures with a plan"),
    "months_of_spend": N_("Months of spend, of twelve"),
    "customers_with_usage": N_("Customers with usage"),
    "customers_churned": N_("Customers lost in two years"),
    "leads_converted": N_("Leads converted in two years"),
}


def gates_card(ready: Readiness, phase: int) -> Part:
    """The gates of one phase: what was measured, and the threshold that opens the gate."""
    gates = ready.of(phase)
    rows = [(name_cell(gate.id, _(GATES[gate.id])), gate.value, _bar(gate), _gate(gate), _result(gate)) for gate in gates]
    passed = spelled(sum(gate.passed for gate in gates))
    words = {"passed": passed, "all": lower_first(spelled(len(gates)))}
    title = n_("The one check of this phase is passed", "All {all} checks of this phase are passed", len(gates), **words)
    if any(not gate.passed for gate in gates):
        title = n_(
            "{passed} of {all} check of this phase is passed",
            "{passed} of {all} checks of this phase are passed",
            len(gates),
            **words,
        )
    heads = [_("Check"), _("Measured"), _("worse ← → better"), _("Gate"), _("Result")]
    return parts.stack(parts.section(title, anchor="scorecard", short=_("Scorecard")), parts.table(heads, rows, name=_("Checks")))


def _gate(gate: Gate) -> Text:
    bar = value_of(Measurement(gate.threshold, unit=gate.value.unit))
    return _("at least {bar}", bar=bar) if gate.sense == "at_least" else _("at most {bar}", bar=bar)


def _bar(gate: Gate) -> Part:
    m, flip = gate.value, gate.sense == "at_most"
    drawn = interval_bar(m.value, m.low, m.high, target=gate.threshold, state="good" if gate.passed else "bad", flip=flip)
    return Part("bar", drawn, "")


def _result(gate: Gate) -> Part:
    words = _("passed") if gate.passed else _("not passed") if gate.value.value is not None else _("not available")
    return Part("status", tag("span", esc(words), class_=f"st {'ok' if gate.passed else 'bad'}"), words)


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
        return _("{gate}: {reason}", gate=_(GATES[gate.id]), reason=translated(gate.value.reason))
    bar = value_of(Measurement(gate.threshold, unit=gate.value.unit))
    return _("{gate} {value}, gate {bar}", gate=_(GATES[gate.id]), value=value_of(gate.value), bar=bar)
