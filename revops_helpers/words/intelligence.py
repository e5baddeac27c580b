"""Phase 4 in words: who will churn, who will grow? Results in; parts, sentences, findings out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from revops_helpers.finding import Finding
from revops_helpers.intelligence.hazards import churn_hazards, expansion_hazards
from revops_helpers.intelligence.outlook import churn_outlook, expansion_outlook, held_by
from revops_helpers.measurement import Measurement
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.optimization.target_gap import gap_to_plan, joint_value, scaled
from revops_helpers.words import parts
from revops_helpers.words.hazards import clear_reading, hazards_section, health_reading, health_section, traits_reading
from revops_helpers.words.language import N_, Text, _, count, n_, sentences, value_of, with_interval
from revops_helpers.words.outlook import (
    accounts_section,
    growth_reading,
    growth_section,
    model_section,
    risk_reading,
    risk_section,
    until,
)
from revops_helpers.words.parts import Part
from revops_helpers.words.passport import verdict
from revops_helpers.words.phase import (
    doubts,
    finding,
    header,
    is_there,
    needs,
    score_rows,
    score_title,
    unscored,
)

if TYPE_CHECKING:
    from revops_helpers.intelligence.hazards import Hazards
    from revops_helpers.intelligence.health import HealthValidity
    from revops_helpers.intelligence.outlook import Outlook

__all__ = [
    "accounts_section", "bottom_line", "changes_of_mind", "findings", "findings_section", "growth_section", "hazards_section",
    "head", "health_section", "model_section", "risk_definitions", "risk_section", "score_section",
]  # fmt: skip

KICKER = N_("Phase 4 report: for customer success and sales leaders")
REPORT = "04_predictive_intelligence"
_finding = partial(finding, "intelligence", REPORT)
SCORED = ("logo_churn", "churn", "grr", "nrr", "expansion")
DECK = N_(
    "A model is shown only after it has ranked customers rightly on months that it had not seen. What it says is advice: whom to "
    "look at first, and why. A person decides."
)


def head(company: Company, churn: Outlook | Unavailable) -> Part:
    """The head of the report: what is likely to leave, or why that cannot be told."""
    return header(company, KICKER, _title(churn), _(DECK))


def _title(churn: Outlook | Unavailable) -> Text:
    if not is_there(churn):
        return _("Who will leave cannot be told without subscriptions")
    if not churn.passport.use:
        return _("Who will leave cannot be told: no model passes its test")
    if churn.expected.value is None:
        return _("There is no customer to look at")
    words = {"amount": value_of(churn.expected), "arr": value_of(churn.arr), "day": until(churn)}
    return _("{amount} of {arr} ARR is likely to leave by {day}", **words)


def bottom_line(
    churn: Outlook | Unavailable,
    leaving: Hazards | Unavailable,
    growth: Outlook | Unavailable,
    growing: Hazards | Unavailable,
    health: HealthValidity | Unavailable,
) -> Part:
    """Three to five sentences: what is at risk and whether to believe it, what goes with it, who grows, what a score is worth."""
    said = [_outlook_line(_("Churn"), churn, risk_reading), traits_reading(leaving) if is_there(leaving) else ""]
    said += [_outlook_line(_("Growth"), growth, growth_reading), traits_reading(growing) if is_there(growing) else ""]
    said += [health_reading(health) if is_there(health) else ""]
    return parts.bottom_line([line for line in said if line])


def _outlook_line(about: Text, outlook: Outlook | Unavailable, reading) -> Text:
    if not is_there(outlook):
        return _("**{about}** cannot be told: that needs {needs}.", about=about, needs=needs(outlook))
    if outlook.expected.value is None:
        return (
            _("**{about}:** {verdict}", about=about, verdict=verdict(outlook.passport)) if not outlook.passport.use else Text("")
        )
    tested = _("On months it had not seen, the model ranks {auc} of pairs rightly.", auc=_pairs(outlook.passport.auc))
    return sentences(reading(outlook), tested)


def _pairs(auc: Measurement) -> Text:
    return with_interval(Measurement(auc.value, n=auc.n, low=auc.low, high=auc.high, unit="percent"))


def score_section(company: Company) -> Part:
    """Retention and growth against target."""
    rows = [row for row in score_rows(company, SCORED) if row.value.value is not None]
    title = parts.section(score_title(rows), anchor="scorecard", short=_("Scorecard"))
    return parts.stack(title, parts.scorecard(rows)) if rows else unscored(company, SCORED, _("billing"))


# --- findings ------------------------------------------------------------------------------------------------------------


def findings(company: Company) -> list[Finding]:
    """What phase 4 found, from models that may be used: customers at the highest risk, and traits that stand clear of chance."""
    churn, growth = company.ask(churn_outlook), company.ask(expansion_outlook)
    found = []
    if is_there(churn) and churn.expected.value is not None:
        found += [_at_risk(company, churn), _trait(company, company.ask(churn_hazards), "low_usage")]
    if is_there(growth) and growth.expected.value is not None:
        found.append(_trait(company, company.ask(expansion_hazards), "seats_full"))
    return [finding for finding in found if finding]


def _at_risk(company: Company, churn: Outlook) -> Finding | None:
    """The tenth with the highest chances. The stake is arithmetic: what they are expected to lose beyond the others' chances."""
    excess = churn.excess
    if excess.value is None or not excess.clear_of(0) or excess.value <= 0:
        return None
    stake = scaled(excess, 12 / churn.passport.horizon)
    words = {"n": count(excess.n), "amount": value_of(excess), "day": until(churn)}
    headline = _(
        "The {n} customers likeliest to leave are expected to take {amount} more ARR with them by {day} than they would at the "
        "others' risk.",
        **words,
    )
    action = _(
        "Call each of them, largest expected loss first, with what raises its chance at hand; a person decides what to do."
    )
    lever = _churn_after(company, stake)
    more = {"kind": "growth", "metric": "churn", "levers": {} if lever is None else {"churn": lever}}
    return _finding(company, "churn_risk", "accounts", "customer_success", headline, action, stake, **more)


def _churn_after(company: Company, stake: Measurement) -> float | None:
    """The churn of the period if the stake had not been lost: what the gap's driver would be after acting."""
    gap = company.ask(gap_to_plan)
    if not is_there(gap) or not gap.opening_arr or not any(driver.id == "churn" for driver in gap.drivers):
        return None
    now = gap.driver("churn").actual.value
    return None if now is None else max(0.0, now - stake.value / gap.per_year / gap.opening_arr)


ACTIONS = {
    "low_usage": (
        N_("Find out who stopped using it and why, before the renewal; put seats and price on the table early."),
        "hazards",
        "churn",
    ),
    "seats_full": (
        N_("Offer more seats, to a half of them drawn by lot at first, so that it is known what asking adds."),
        "growing",
        "expansion",
    ),
}


def _trait(company: Company, hazards: Hazards | Unavailable, factor: str) -> Finding | None:
    """Today's customers with a trait that went with more of it beyond chance. No gain is claimed: it may not be the cause."""
    if not is_there(hazards) or (row := hazards.clear(factor)) is None or row.ratio < 1:
        return None
    holders = held_by(company, factor)
    if not holders.n:
        return None
    action, anchor, metric = ACTIONS[factor]
    words = {"arr": value_of(holders), "clause": clear_reading(hazards, factor)}
    if factor == "low_usage":
        headline = n_(
            "{n} customer with {arr} of ARR uses under half of its seats; {clause}.",
            "{n} customers with {arr} of ARR use under half of their seats; {clause}.",
            holders.n,
            **words,
        )
    else:
        headline = n_(
            "{n} customer with {arr} of ARR has nearly full seats; {clause}.",
            "{n} customers with {arr} of ARR have nearly full seats; {clause}.",
            holders.n,
            **words,
        )
    return _finding(company, factor, anchor, "customer_success", headline, _(action), metric=metric)


def findings_section(company: Company, found: list[Finding]) -> Part:
    """The findings of this phase, and what acting on all of them is worth together."""
    several = sum(bool(finding.levers) for finding in found) > 1
    return parts.findings_table(found, joint_value(company.ask(gap_to_plan), found) if several else None)


def risk_definitions(company: Company) -> Part:
    """The metrics that the outcomes are made of."""
    return parts.definitions(company, ["churned_arr", "logo_churn", "expansion_arr"])


def changes_of_mind(company: Company, *results) -> Part:
    """What would change these conclusions: what was assumed, and what is missing."""
    assumed = [
        _("The next months go on as those learned from: no new price, product, rival or policy of notice."),
        _("Segment, owner and legal group are as the export has them today; they keep no history."),
        _("What is not on record of a customer counts as average; only what was on record by the day is used."),
        _("A customer leaves in the month in which it no longer pays, not when it gives notice."),
    ]
    lacking = [("usage", N_("use of seats")), ("onboardings", N_("handoffs")), ("health_scores", N_("the health score")),
               ("tickets", N_("tickets")), ("invoices", N_("late payment"))]  # fmt: skip
    unlocking = [
        _("Needs {table}, which would unlock {what} as a sign.", table=table, what=_(what))
        for table, what in lacking
        if company.missing([table])
    ]
    return doubts(assumed, results, unlocking)
