"""Phase 3 in words: where is the efficiency, and will we hit the number? Results in; parts, sentences, findings out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from revops_helpers.finding import Finding
from revops_helpers.measurement import Measurement
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.optimization.target_gap import gap_to_plan, joint_value
from revops_helpers.words import gap as gap_words
from revops_helpers.words import parts
from revops_helpers.words.cohorts import growth_section
from revops_helpers.words.endings import endings_section, sources_section, title
from revops_helpers.words.funnel import funnel_section, stages_reading, stages_section
from revops_helpers.words.language import (
    N_,
    Quantity,
    Text,
    _,
    day,
    duration,
    interval_of,
    listing,
    n_,
    sentences,
    value_of,
    with_interval,
)
from revops_helpers.words.mix import mix_section
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import (
    available,
    doubts,
    finding,
    header,
    is_there,
    lower_first,
    needs,
    score_rows,
    score_title,
    unscored,
)
from revops_helpers.words.pipeline import (
    coverage_reading,
    coverage_section,
    flow_section,
    is_short,
    standing_reading,
    standing_section,
)

if TYPE_CHECKING:
    from revops_helpers.optimization.coverage import Coverage
    from revops_helpers.optimization.forecast import YearForecast
    from revops_helpers.optimization.stages import StageFunnel
    from revops_helpers.optimization.standing import Standing
    from revops_helpers.optimization.target_gap import Gap, GapDriver

# What the scorecard holds beside the drivers of the gap.
SCORED = ("cycle_days", "pipeline_coverage", "coverage_needed", "time_to_first_contact", "forecast_wape", "forecast_bias")

__all__ = [
    "bottom_line", "changes_of_mind", "coverage_section", "driver_definitions", "endings_section", "findings",
    "findings_section", "flow_section", "forecast_section", "funnel_section", "gap_section", "growth_section", "head",
    "mix_section", "score_section", "sources_section", "stages_section", "standing_section",
]  # fmt: skip

KICKER = N_("Phase 3 report: for sales, marketing and customer success leaders")
REPORT = "03_optimization"
_finding = partial(finding, "optimization", REPORT)

# Who answers for a driver, and what to do when it is below plan.
ACTIONS: Mapping[str, tuple[str, str]] = {
    "leads": ("marketing", N_("Shift programme money to the sources whose leads become deals, within what has been tried.")),
    "lead_to_opportunity": (
        "sales_development",
        N_("Agree one lead definition, route every lead to a person, and work the untouched ones first."),
    ),
    "opportunities_opened": (
        "sales_development",
        N_("Open more deals from the leads and customers there are, before buying more leads."),
    ),
    "decided_share": ("sales", N_("Ask for a decision: agree a closing plan with the buyer, and close what is dead.")),
    "win_rate": ("sales", N_("Read the lost deals by stage and reason, and qualify before the stage in which most are lost.")),
    "deal_size": ("sales", N_("Route discounts through one desk, and sell the full package first.")),
    "live_share": ("customer_success", N_("Start onboarding at signature, and date every go-live.")),
    "new_arr": ("sales", N_("Find out which deals were planned and did not come.")),
    "expansion": ("customer_success", N_("Offer more seats to the customers who use what they have.")),
    "indexation": ("finance", N_("Apply the contracted index on every anniversary.")),
    "reactivation": ("customer_success", N_("Call the customers who left in the last year.")),
    "contraction": ("customer_success", N_("Meet each customer who has unused seats before the renewal.")),
    "churn": ("customer_success", N_("Start a save plan for every customer before the renewal, largest first.")),
}


def head(company: Company, gap: Gap | Unavailable, forecast: YearForecast | Unavailable) -> Part:
    """The head of the report: where the year is heading, and what carries the gap."""
    return header(company, KICKER, _title(company, gap, forecast), gap_words.deck(gap))


def _title(company: Company, gap: Gap | Unavailable, forecast: YearForecast | Unavailable) -> Text:
    if not is_there(forecast):
        return title(company, gap)
    end, plan = value_of(forecast.year_end), forecast.plan
    if not len(forecast.months):
        return _("The year ended at {end} net new ARR", end=end)
    if plan is None:
        return _("The year is likely to end at {end} net new ARR", end=end)
    words = {"end": end, "plan": value_of(plan)}
    if forecast.year_end.high is not None and forecast.year_end.high < plan.value:
        return _("The year heads for {end} of {plan} planned, and plan is out of reach", **words)
    if forecast.year_end.low is not None and forecast.year_end.low >= plan.value:
        return _("The year heads for {end}, beyond the {plan} planned", **words)
    return _("The year heads for {end} of {plan} planned; plan is still possible", **words)


def bottom_line(gap, funnel, cover, still, forecast) -> Part:
    """Three to five sentences: the gap, then what stands in the way, then the year's end."""
    said = []
    if is_there(gap):
        carried = [lower_first(gap_words.name(driver)) for driver in gap.shortfalls()]
        why = _("carried by {drivers}", drivers=listing(carried)) if carried else _("and no driver stands clear of noise")
        said.append(_("**The gap:** {title}, {why}.", title=lower_first(gap_words.title(gap)), why=why))
    else:
        said.append(_("**The gap** cannot be told: that needs {needs}.", needs=needs(gap)))
    said += [
        words(result)
        for words, result in ((standing_reading, still), (coverage_reading, cover), (stages_reading, funnel))
        if is_there(result)
    ]
    if is_there(forecast):
        said.append(forecast_reading(forecast))
    return parts.bottom_line(said[:5])


def score_section(company: Company, gap: Gap | Unavailable) -> Part:
    """Every driver of the gap and the pipeline's measures against target."""
    drivers = [driver.id for driver in gap.drivers if driver.id != "opening_arr"] if is_there(gap) else []
    ids = dict.fromkeys([*drivers, *SCORED])
    rows = [row for row in score_rows(company, ids) if row.value.value is not None]
    title = parts.section(score_title(rows), anchor="scorecard", short=_("Scorecard"))
    return parts.stack(title, parts.scorecard(rows)) if rows else unscored(company, ids, _("deals or billing"))


@available(N_("how far from plan the company is, and why"))
def gap_section(gap: Gap, forecast: YearForecast | Unavailable | None = None) -> Part:
    """The waterfall with its reading and limit, and the drivers as a table."""
    said = [parts.reading(sentences(*gap_words.why(gap)) or _("Every driver is on plan, as far as can be told."))]
    totals = [
        _("{group} {effect}", group=lower_first(_(gap_words.GROUPS[group])), effect=with_interval(total))
        for group, total in gap.subtotals.items()
    ]
    if len(totals) > 1:
        said.append(parts.reading(_("In all: {totals}.", totals=listing(totals))))
    said.append(parts.limit(gap_words.split_limit()))
    return parts.stack(parts.beside(gap_words.waterfall(gap), *said), gap_words.drivers_table(gap, limit=False))


@available(N_("where the year is likely to end"))
def forecast_section(forecast: YearForecast, gap: Gap | Unavailable) -> Part:
    """The fan to the end of the year, its reading, and how such forecasts did before."""
    said = [parts.reading(forecast_reading(forecast)), *([parts.warning(naive)] if (naive := _naive(forecast)) else [])]
    limit = _("Limit: the forecast goes on as the months behind it went. It knows nothing of the deals now open.")
    said.append(parts.limit(sentences(gap_words.coverage(forecast), limit)))
    if isinstance(gap, Unavailable):
        return parts.stack(*said)
    return parts.beside(gap_words.fan(gap, forecast), *said)


def forecast_reading(forecast: YearForecast) -> Text:
    """The year's end with interval, and the chance of the plan."""
    if not len(forecast.months):
        return _("**The year is over** at {end}.", end=value_of(forecast.year_end))
    words = {"end": value_of(forecast.year_end), "interval": interval_of(forecast.year_end)}
    first = _("**The year is likely to end at {end} [{interval}].**", **words)
    if forecast.plan is None or forecast.chance.value is None:
        return sentences(first, _("There is no plan for the whole year to hold it against."))
    return sentences(first, _("The plan of {plan} is met in {chance} of the simulated years.", plan=value_of(forecast.plan),
                              chance=_small(gap_words.chance(forecast))))  # fmt: skip


def _small(words: str) -> Text:
    return Text(words[:1].lower() + words[1:])


def _naive(forecast: YearForecast) -> Text | None:
    if forecast.error is None or forecast.better_than_naive:
        return None
    return _("**No better than repeating last year**, by its own past errors: read the band, not the line.")


# --- findings ------------------------------------------------------------------------------------------------------------


def findings(company: Company) -> list[Finding]:
    """What phase 3 found: every driver whose whole interval is below plan, the bottleneck, standing deals, short coverage."""
    from revops_helpers.optimization.coverage import coverage
    from revops_helpers.optimization.stages import stage_funnel
    from revops_helpers.optimization.standing import standing_deals

    gap, funnel, cover, still = (company.ask(asked) for asked in (gap_to_plan, stage_funnel, coverage, standing_deals))
    found = [_driver(company, gap, driver) for driver in gap.shortfalls() if driver.id in ACTIONS] if is_there(gap) else []
    return [*found, *(f for f in (_bottleneck(company, funnel), _standing(company, still), _short(company, cover)) if f)]


def _driver(company: Company, gap: Gap, driver: GapDriver) -> Finding:
    """A driver below plan. The stake is arithmetic: what the driver's shortfall costs in a year, were all else to stay."""
    function, action = ACTIONS[driver.id]
    like = {"unit": driver.actual.unit, "currency": driver.actual.currency, "definition_id": driver.actual.definition_id}
    planned = value_of(Measurement(driver.plan, **like))
    words = {"driver": gap_words.name(driver), "actual": value_of(driver.actual), "planned": planned}
    before = _("{driver}: {actual}, {planned} a year before.", **words)
    headline = _("{driver}: {actual}, {planned} planned.", **words) if driver.basis == "plan" else before
    more = {"kind": "growth", "metric": driver.id, "levers": {driver.id: driver.plan}}
    return _finding(company, f"driver_{driver.id}", "gap", function, headline, _(action), gap.stake(driver.id), **more)


def _bottleneck(company: Company, funnel: StageFunnel | Unavailable) -> Finding | None:
    if not is_there(funnel) or funnel.bottleneck is None or not funnel.clear:
        return None
    headline = _(
        "Deals wait longest in {stage}: {days} at the median.",
        stage=funnel.bottleneck,
        days=Quantity(duration(funnel.wait.value, "days"), "stage_days"),
    )
    action = _("Give the stage an exit rule and a limit in days, and review every deal beyond it each week.")
    return _finding(company, "bottleneck", "stages", "sales", headline, action, metric="cycle_days", confidence="high")


def _standing(company: Company, still: Standing | Unavailable) -> Finding | None:
    if not is_there(still) or not still.any.n:
        return None
    words = {"worth": value_of(still.any)}
    headline = n_("{n} open deal worth {worth} stands still.", "{n} open deals worth {worth} stand still.", still.any.n, **words)
    action = _("Call, date or close each of them, largest first; a deal without a next step is not pipeline.")
    return _finding(
        company, "standing_deals", "standing", "sales", headline, action, metric="pipeline_coverage", confidence="high"
    )


def _short(company: Company, cover: Coverage | Unavailable) -> Finding | None:
    if not is_there(cover) or cover.coverage.value is None or not is_short(cover):
        return None
    words = {"coverage": value_of(cover.coverage), "needed": value_of(cover.needed), "end": day(cover.quarter.end)}
    headline = _("Coverage to {end} is {coverage}; {needed} was needed in the past.", **words)
    action = _("Open deals now that can close in the quarter, and say early what cannot be won.")
    return _finding(company, "coverage_short", "coverage", "sales", headline, action, metric="pipeline_coverage")


def findings_section(found: list[Finding], gap: Gap | Unavailable) -> Part:
    """The findings of this phase, and what acting on all of them is worth together."""
    return parts.findings_table(found, joint_value(gap, found) if is_there(gap) and any(f.levers for f in found) else None)


def driver_definitions(company: Company, gap: Gap | Unavailable) -> Part:
    """The definitions of the drivers that this company's gap has, and of the outcome."""
    drivers = [driver.id for driver in gap.drivers if driver.id != "opening_arr"] if is_there(gap) else []
    return parts.definitions(company, [gap.outcome, *drivers] if drivers else ["net_new_arr"])


def changes_of_mind(company: Company, *results) -> Part:
    """What would change these conclusions: what was assumed, and what is missing."""
    assumed = [
        _("The next twelve months go on as these did: a stake is the shortfall scaled to a year, not a promise."),
        _("A driver can be brought back to plan without moving the others. Cheaper leads, say, may convert worse."),
        _("A lead becomes a deal, and a deal is decided, in about the time that it took before."),
        _("Deals marked duplicate or disqualified were never deals; “no decision” is a loss."),
    ]
    return doubts(assumed, results)
