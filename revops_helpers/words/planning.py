"""Phase 5 in words: what does next year's target need? Results in; parts, sentences, findings out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from revops_helpers.finding import Finding
from revops_helpers.measurement import Measurement
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.words import parts
from revops_helpers.words.lags import lag_note
from revops_helpers.words.language import (
    N_,
    Text,
    _,
    listing,
    lower_first,
    n_,
    percent,
    sentences,
    span,
    value_of,
    with_interval,
)
from revops_helpers.words.names import person
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import (
    available,
    doubts,
    finding,
    header,
    is_there,
    needs,
    score_rows,
    score_title,
    unscored,
)
from revops_helpers.words.quotas import habits_reading, habits_section, quotas_reading, quotas_section
from revops_helpers.words.sellers import (
    LIKELY,
    capacity_section,
    capacity_title,
    chance_of,
    hires_words,
    shortfall_words,
    team_section,
)
from revops_helpers.words.volumes import (
    budget_reading,
    budget_section,
    cascade_reading,
    cascade_section,
    need_title,
    spread_section,
    step_name,
)

if TYPE_CHECKING:
    from revops_helpers.planning.budget import Budget
    from revops_helpers.planning.capacity import Capacity
    from revops_helpers.planning.cascade import Cascade
    from revops_helpers.planning.habits import Habits
    from revops_helpers.planning.quotas import Quotas

__all__ = [
    "bottom_line", "budget_section", "capacity_section", "cascade_section", "changes_of_mind", "definitions", "findings",
    "findings_section", "habits_section", "head", "quotas_section", "rest_section", "score_section", "spread_section",
    "team_section",
]  # fmt: skip

KICKER = N_("Phase 5 report: for the CRO, finance and RevOps")
REPORT = "05_growth_planning"
_finding = partial(finding, "planning", REPORT)
TEAM = ("quota_attainment", "quota_met", "ramp_months", "selling_time", "logged_time", "activities_per_deal")
SCORES = (*TEAM, "cac", "cac_ratio")


def head(company: Company, plan: Cascade | Unavailable, seats: Capacity | Unavailable) -> Part:
    """The head of the report: whether the sellers are enough, and what the target needs."""
    if is_there(seats):
        deck = Text(f"{need_title(plan)}.") if is_there(plan) else ""
        return header(company, KICKER, capacity_title(seats), deck)
    if is_there(plan):
        return header(company, KICKER, need_title(plan))
    return header(
        company, KICKER, _("What the next target needs cannot be told yet"), _("That needs {needs}.", needs=needs(plan))
    )


def bottom_line(
    plan: Cascade | Unavailable,
    seats: Capacity | Unavailable,
    asked: Quotas | Unavailable,
    told: Habits | Unavailable,
    price: Budget | Unavailable,
    company: Company,
) -> Part:
    """People, volumes, quotas, forecasts and price, each in a sentence or two."""
    said = []
    if is_there(seats):
        said.append(_capacity_line(seats))
    if is_there(plan):
        said.append(cascade_reading(plan))
    else:
        said.append(_("**What the target needs** cannot be told: that needs {needs}.", needs=needs(plan)))
    said += [quotas_reading(asked)] if is_there(asked) else []
    said += [habits_reading(told, company)] if is_there(told) else []
    said += [budget_reading(price)] if is_there(price) else []
    return parts.bottom_line(said[:5])


def _capacity_line(seats: Capacity) -> Text:
    words = {"won": value_of(seats.won), "needed": value_of(seats.needed), "horizon": span(seats.horizon)}
    first = _("**The sellers there now would win {won} of the {needed} that {horizon} needs.**", **words)
    return sentences(first, shortfall_words(seats), hires_words(seats))


def score_section(company: Company) -> Part:
    """The team's measures against target and the year before."""
    rows = [row for row in score_rows(company, SCORES) if row.value.value is not None]
    title = parts.section(score_title(rows), anchor="scorecard", short=_("Scorecard"))
    if not rows:
        return unscored(company, SCORES, _("people, quotas or deals"))
    lag = lag_note(company, [row.metric for row in rows])
    return parts.stack(title, parts.scorecard(rows), *([parts.note(lag)] if lag else []))


@available(N_("what is left of this year's target needs"))
def rest_section(rest: Cascade) -> Part:
    """The rest of the year as a sentence: what the months that are left would have to bring."""
    words = {"period": span(rest.horizon), "left": value_of(rest.target)}
    first = _("{left} of this year's target is left for {period}.", **words)
    if rest.target.value <= 0:
        return parts.reading(_("**This year's target is met**; {period} is beyond it.", period=words["period"]))
    return parts.reading(sentences(Text(f"**{need_title(rest)}.**"), first))


# --- findings ------------------------------------------------------------------------------------------------------------


def findings(company: Company) -> list[Finding]:
    """What phase 5 found: too few sellers, more volume than planned, quotas beyond the plan, forecasts off the mark."""
    from revops_helpers.planning.capacity import capacity
    from revops_helpers.planning.cascade import next_year
    from revops_helpers.planning.habits import habits
    from revops_helpers.planning.quotas import quotas

    made = (
        _short(company, company.ask(capacity)),
        _volume(company, company.ask(next_year)),
        _asked(company, company.ask(quotas)),
        _habits(company, company.ask(habits)),
    )
    return [finding for finding in made if finding]


def _short(company: Company, seats: Capacity | Unavailable) -> Finding | None:
    """Too few sellers: when fewer than half of the simulated years reach the target."""
    if not is_there(seats) or seats.chance.high is None or seats.chance.high >= LIKELY:
        return None
    words = {"chance": chance_of(seats.chance), "horizon": span(seats.horizon), "short": with_interval(seats.shortfall)}
    headline = _("Too few sellers for {horizon}: {chance} chance of its target without a hire, {short} short.", **words)
    action = sentences(_("Decide on hires now: ramp makes late ones worthless for the year."), hires_words(seats))
    level = "high" if seats.shortfall.clear_of(0) else "medium"
    return _finding(company, "capacity_short", "capacity", "sales", headline, action, metric="quota_attainment", confidence=level)


def _volume(company: Company, plan: Cascade | Unavailable) -> Finding | None:
    """The first step needs more at today's rates than at the plan's, beyond noise."""
    if not is_there(plan) or plan.first.needed_now.value is None or not plan.first.needed_plan.value:
        return None
    first = plan.first
    if not first.needed_now.clear_of(first.needed_plan.value) or first.needed_now.value < first.needed_plan.value:
        return None
    words = {"horizon": span(plan.horizon), "what": lower_first(step_name(first.id))}
    words |= {"now": value_of(first.needed_now), "plan": value_of(first.needed_plan)}
    headline = _("{horizon} needs {now} {what} at today's rates, not {plan}.", **words)
    action = _("Plan with the rates there are, or say which rate will be brought back, by whom and when.")
    metric = first.id if first.id in ("leads", "opportunities_opened") else "new_arr"
    return _finding(company, "volume_short", "cascade", "marketing", headline, action, metric=metric, confidence="high")


def _asked(company: Company, asked: Quotas | Unavailable) -> Finding | None:
    """Quotas ask for more than the plan while fewer than half of them are met, beyond doubt."""
    if not is_there(asked) or not asked.over.value or asked.over.value <= 0 or asked.met.high is None or asked.met.high >= LIKELY:
        return None
    words = {"over": percent(asked.over.value), "met": with_interval(asked.met), "share": value_of(asked.attainment)}
    headline = _("Quotas ask for {over} more than the plan; {met} of them are met, {share} in all.", **words)
    action = _("Set quotas from what tenured sellers win and from ramp as measured; keep the reserve over the plan in sight.")
    level = "high" if asked.met.status == "ok" else "medium"
    return _finding(company, "quotas_over_plan", "quotas", "sales", headline, action, metric="quota_met", confidence=level)


def _habits(company: Company, told: Habits | Unavailable) -> Finding | None:
    """People whose commits are off the mark beyond luck, by id."""
    if not is_there(told) or told.named.empty:
        return None
    who = listing(
        [_("{person} {ratio}", person=person(company, r.user_id), ratio=value_of(_ratio(r))) for r in told.named.itertuples()]
    )
    headline = n_(
        "{n} person commits off the mark: {who} of what came.",
        "{n} people commit off the mark: {who} of what came.",
        len(told.named),
        who=who,
    )
    action = _("Read each commit through its owner's habit, and go over deals one by one with the people named.")
    return _finding(company, "forecast_habits", "habits", "revops", headline, action, metric="new_arr_won", confidence="high")


def _ratio(row) -> Measurement:
    return Measurement(row.ratio, int(row.periods), row.low, row.high, unit="ratio")


def findings_section(found: list[Finding]) -> Part:
    """The findings of this phase."""
    return parts.findings_table(found)


def definitions(company: Company) -> Part:
    """The team's measures and the chain's rates."""
    chain = ("leads", "lead_to_opportunity", "decided_share", "win_rate", "deal_size", "live_share")
    return parts.definitions(company, [*SCORES, *chain])


def changes_of_mind(company: Company, *results: object) -> Part:
    """What would change these conclusions: what was assumed, and what is missing."""
    assumed = [
        _("Rates, productivity, ramp and leaving go on as they were. A new product or market breaks all four."),
        _("Ten more leads convert as the last ten did. Rates that fall with volume make every need larger."),
        _("A seller's deals are the seller's doing. Where leads set the pace, more sellers share the same deals."),
        _("Nobody who leaves is replaced, and hires ramp as past ones did."),
        _("The year opens with the ARR that the months until then bring at the pace of {period}.", period=span(company.period)),
    ]
    return doubts(assumed, results)
