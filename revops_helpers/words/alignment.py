"""Phase 2 in words: where do handoffs leak, and what is it worth? Results in; parts, sentences, findings out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from revops_helpers.alignment.closed_loop import closed_loop
from revops_helpers.alignment.handoffs import INCOMPLETE, leaving
from revops_helpers.alignment.response import response
from revops_helpers.alignment.service_levels import changes
from revops_helpers.alignment.speed import speed
from revops_helpers.finding import Finding
from revops_helpers.measurement import Measurement
from revops_helpers.metrics.measure import measurement
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.optimization.target_gap import gain, gap_to_plan, joint_value
from revops_helpers.words import parts
from revops_helpers.words.agreements import change_reading, changes_section, is_clear, levels_section, one_each
from revops_helpers.words.closed_loop import credit_reading, credit_section
from revops_helpers.words.handoffs import (
    METRICS,
    handoffs_reading,
    handoffs_section,
    leaving_reading,
    leaving_section,
    times,
)
from revops_helpers.words.language import N_, _, count, day, label, lower_first, ordinal, percent, value_of, with_interval
from revops_helpers.words.names import member
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import (
    available,
    doubts,
    finding,
    header,
    is_there,
    money,
    needs,
    score_rows,
    score_title,
    unscored,
)
from revops_helpers.words.response import agreed, delays_section, response_reading, response_section, response_title
from revops_helpers.words.speed import speed_reading, speed_section

if TYPE_CHECKING:
    from revops_helpers.alignment.handoffs import Leaving
    from revops_helpers.alignment.response import Response
    from revops_helpers.alignment.service_levels import Change
    from revops_helpers.alignment.speed import Speed
    from revops_helpers.optimization.target_gap import Gap

__all__ = [
    "available", "bottom_line", "changes_of_mind", "changes_section", "credit_section", "definitions", "delays_section",
    "findings", "findings_section", "handoffs_section", "head", "leaving_section", "levels_section", "response_section",
    "score_section", "speed_section",
]  # fmt: skip

KICKER = N_("Phase 2 report: for the head of RevOps")
REPORT = "02_process_alignment"
_finding = partial(finding, "alignment", REPORT)
SCORED = (
    *("contacted_within_sla", "never_contacted", "time_to_first_contact_at_work", "time_to_first_contact"),
    *("lead_to_opportunity", *METRICS),
    *("cost_per_lead", "cost_per_sql", "spend_against_budget"),
)


def head(company: Company, waits: Response | Unavailable) -> Part:
    """The head of the report: what leaks first, or what cannot be told."""
    done = measurement(company, "handoff_completion")
    if is_there(waits) and waits.leads:
        title = response_title(waits)
    elif done.value is not None:
        title = _("{done} of won deals are handed off completely and in time", done=value_of(done))
    else:
        title = _("What leaks between the teams cannot be told yet")
    deck = ""
    if is_there(waits) and done.value is not None:
        deck = _("After the win, {done} of deals are handed off completely and in time.", done=value_of(done))
    return header(company, KICKER, title, deck)


def bottom_line(company: Company, waits, fast, left, moved, credit) -> Part:
    """Three to five sentences, in the order in which a lead meets them; what cannot be told last."""
    results = ((response_reading, waits), (speed_reading, fast), (leaving_reading, left), (credit_reading, credit))
    said = [words(result) for words, result in results if is_there(result) and _has(result)]
    if words := handoffs_reading(company):
        said.insert(min(2, len(said)), words)
    said += [change_reading(x) for x in one_each(moved) if is_clear(x)][:1] if is_there(moved) else []
    if not said:
        lacking = [result for _words, result in results if isinstance(result, Unavailable)]
        said = [_("**Nothing here can be told yet:** that needs {needs}.", needs=needs(lacking[0]))] if lacking else []
    return parts.bottom_line(said[:5] or [_("**No lead, handoff or won deal is on record in the period.**")])


def _has(result: object) -> bool:
    """Whether there is anything in a result to speak of."""
    return bool(getattr(result, "leads", getattr(result, "won", 1)))


def score_section(company: Company) -> Part:
    """What the teams have agreed, measured; against target and the year before."""
    rows = [row for row in score_rows(company, SCORED) if row.value.value is not None]
    if not rows:
        return unscored(company, SCORED, _("leads (first_contact_at) or onboardings (accepted_at)"))
    return parts.stack(parts.section(score_title(rows), anchor="scorecard", short=_("Scorecard")), parts.scorecard(rows))


# --- findings ------------------------------------------------------------------------------------------------------------


def findings(company: Company) -> list[Finding]:
    """What phase 2 found: leads contacted late, leads never contacted, incomplete handoffs, an agreement that worked, and credit
    that depends on the model. It asks for every result itself; each is made once for a company."""
    waits, fast, left, moved, credit, gap = (
        company.ask(analysis) for analysis in (response, speed, leaving, changes, closed_loop, gap_to_plan)
    )
    found = [_late(company, waits, fast, gap), _never(company, waits), _incomplete(company, left, gap)]
    found += [_worked(company, x) for x in _clear(moved)]
    return [finding for finding in (*found, _credit(company, credit)) if finding]


def _late(company: Company, waits: Response | Unavailable, fast: Speed | Unavailable, gap: Gap | Unavailable) -> Finding | None:
    """Leads contacted late, where leads contacted in time became deals more often beyond noise."""
    if not is_there(waits, fast) or fast.calls.adjusted is None:
        return None
    more, missed = fast.calls.adjusted.difference, fast.calls.adjusted.missed
    within, never = waits.measured["contacted_within_sla"], waits.measured["never_contacted"]
    if within.value is None or more.low is None or more.low <= 0:
        return None
    late = max(0.0, 1 - (never.value or 0.0) - within.value)
    if not late:
        return None
    words = {"late": percent(late), "time": agreed(waits.sla), "gap": with_interval(more)}
    headline = _("{late} of leads are contacted later than {time}; those in time became deals more often, by {gap}.", **words)
    action = _(
        "Give every new lead to whoever is free, and let a random half go to a fast queue for a quarter, to know the effect."
    )
    stake, levers = _worth(company, gap, "lead_to_opportunity", [late * end for end in (missed.value, missed.low, missed.high)])
    more_ = {"kind": "growth", "levers": levers, "confidence": "low", "metric": "contacted_within_sla"}
    return _finding(company, "late_contact", "speed", "sales_development", headline, action, stake, **more_)


def _worth(company: Company, gap: Gap | Unavailable, driver: str, moves: list[float]) -> tuple[Measurement, dict[str, float]]:
    """What moving a driver of the gap by so much is worth in a year (value, and at both ends), and the lever; nothing claimed
    where the gap has no such driver."""
    actual = {d.id: d.actual.value for d in gap.drivers} if is_there(gap) else {}
    if actual.get(driver) is None:
        return money(company, None, reason=_("no gain claimed")), {}
    value, low, high = (gain(gap, {driver: actual[driver] + move}) for move in moves)
    ends = sorted([low.value, high.value])
    stake = Measurement(value.value, value.n, *ends, unit="money", currency=company.settings.currency)
    return stake, {driver: actual[driver] + moves[0]}


def _never(company: Company, waits: Response | Unavailable) -> Finding | None:
    if not is_there(waits):
        return None
    never = waits.measured["never_contacted"]
    if not never.value or never.status != "ok":
        return None
    headline = _("{never} of leads have had no contact at all.", never=with_interval(never))
    action = _("Work the untouched leads first, by score, and note a reason for each that is left.")
    more = {"metric": "never_contacted", "confidence": "high"}
    return _finding(company, "never_contacted", "response", "sales_development", headline, action, **more)


def _incomplete(company: Company, left: Leaving | Unavailable, gap: Gap | Unavailable) -> Finding | None:
    """Incomplete handoffs, where customers left more often after them beyond noise."""
    if not is_there(left) or left.ratio is None or left.ratio.low <= 1:
        return None
    worse = left.arms[left.arms.arm == INCOMPLETE].iloc[0]
    words = {"live": count(worse.live), "ratio": times(left.ratio)}
    headline = _("{live} customers had an incomplete handoff; such customers left {ratio} as often.", **words)
    action = _("Accept no handoff without its items; go through the open items with the customers of today, largest first.")
    churn = {d.id: d.actual.value for d in gap.drivers}.get("churn") if is_there(gap) else None
    levers = {}
    if churn is not None and gap.opening_arr > 0:
        levers = {"churn": max(0.0, churn - left.avoidable.value / gap.per_year / gap.opening_arr)}
    more = {"kind": "growth", "levers": levers, "confidence": "medium", "metric": "handoff_completion"}
    return _finding(company, "handoffs_incomplete", "leaving", "customer_success", headline, action, left.avoidable, **more)


def _clear(moved: list[Change] | Unavailable) -> list[Change]:
    """The changes that worked beyond noise."""
    return one_each([x for x in moved if is_clear(x) and _good(x)]) if is_there(moved) else []


def _good(x: Change) -> bool:
    """Whether it moved the way in which the metric is better."""
    from revops_helpers.metrics.catalogue import catalogue

    more = x.beyond.value > (1 if x.beyond.unit == "ratio" else 0)
    return more == (catalogue()[x.metric].direction == "higher")


def _worked(company: Company, x: Change) -> Finding:
    words = {
        "metric": lower_first(label(x.metric)),
        "treated": member(x.treated),
        "day": day(x.starts_on),
        "beyond": with_interval(x.beyond),
    }
    headline = _("Since {day}, {treated}: {metric} moved {beyond} beyond the others.", **words)
    action = _("Extend the agreement to the others, one group after another, and watch the same number.")
    more = {"metric": x.metric}
    return _finding(company, f"agreement_{x.initiative}", "agreements", "sales_development", headline, action, **more)


def _credit(company: Company, credit) -> Finding | None:
    if not is_there(credit) or credit.moving.empty:
        return None
    row = credit.moving.iloc[0]
    words = {"channel": member(str(row.channel)), "best": ordinal(int(row.best)), "worst": ordinal(int(row.worst))}
    headline = _("{channel} ranks {best} to {worst} by credit, depending on the model.", **words)
    action = _("Move no budget on credit alone: hold the channel back from some, by chance, and count.")
    more = {"metric": "cac", "confidence": "high"}
    return _finding(company, "credit_depends", "credit", "marketing", headline, action, **more)


def findings_section(found: list[Finding], gap: Gap | Unavailable) -> Part:
    """The findings of this phase, and what acting on all of them is worth together."""
    return parts.findings_table(found, joint_value(gap, found) if is_there(gap) and any(f.levers for f in found) else None)


def definitions(company: Company) -> Part:
    """The metrics of this report, each with the query that computed it."""
    return parts.definitions(company, SCORED)


def changes_of_mind(company: Company, *results) -> Part:
    """What would change these conclusions: what was assumed, and what is missing."""
    assumed = [
        _("What was not recorded of a lead plays no part: if callers pick by something they see and nobody notes, it does."),
        _("A stake carries today's difference over to the leads and customers that were on the other side; nobody has tried it."),
        _("A first contact is the first that the CRM logs as made by a person; calls that nobody logs make waits look longer."),
        _("A handoff's checklist was ticked when it was handed off, and not filled in afterwards."),
    ]
    return doubts(assumed, results)
