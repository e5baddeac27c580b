"""Optimization in words, on hand-made results: every branch of every sentence, findings with all their fields."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import pytest

from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.optimization.coverage import Coverage, coverage
from revops_helpers.optimization.funnel import LeadFunnel
from revops_helpers.optimization.mix import Mix
from revops_helpers.optimization.pipeline import PipelineFlow
from revops_helpers.optimization.stages import StageFunnel, stage_funnel
from revops_helpers.optimization.standing import Standing, standing_deals
from revops_helpers.optimization.target_gap import gap_to_plan
from revops_helpers.periods import Period
from revops_helpers.words import actions, optimization
from tests.support import answered, company_of
from tests.test_words_gap import BAD, GOOD, NOISE, PERIOD, WORSE, M, brl, forecast_of, gap_of
from tests.words import COMPANY, MISSING, said, share

STAGES = [
    "stage",
    "entered",
    "moved_on",
    "lost",
    "waiting",
    "conversion",
    "low",
    "high",
    "days",
    "days_low",
    "days_high",
    "status",
    "reason",
]


def funnel(bottleneck="Proposal", clear=True) -> StageFunnel:
    rows = [
        ("Demo", 90, 60, 30, 0, 0.67, 0.5, 0.8, 5.0, 4.0, 6.0, "ok", ""),
        ("Proposal", 60, 30, 30, 0, 0.5, 0.4, 0.6, 14.0, 13.0, 15.0, "ok", ""),
    ]
    wait = Measurement(14.0, n=60, low=13.0, high=15.0, unit="days") if bottleneck else not_applicable("no stage", unit="days")
    return StageFunnel(PERIOD, pd.DataFrame(rows if bottleneck else [], columns=STAGES), bottleneck, wait, clear)


def cover(coverage=2.0, needed=(2.4, 2.2, 2.6), expected=2 * M) -> Coverage:
    ratio = Measurement(coverage, n=50, unit="ratio") if coverage else not_applicable("target already met", unit="ratio")
    need = (
        Measurement(needed[0], n=90, low=needed[1], high=needed[2], unit="ratio")
        if needed
        else not_applicable("few", unit="ratio")
    )
    part = share(0.2, 0.15, 0.25)
    return Coverage(Period(date(2026, 10, 1), date(2026, 12, 31)), 0, brl(5 * M), brl(2 * M), ratio, part, part, need, need,
                    brl(expected), pd.DataFrame({"quarter": [1, 2]}))  # fmt: skip


def still(n=2) -> Standing:
    rules = pd.DataFrame({"rule": ["overdue"], "deals": [n], "amount": [n * M], "share": [0.1 * n]})
    deals = pd.DataFrame(
        {"opportunity_id": ["o"], "owner_id": ["u"], "stage": ["Demo"], "amount": [M], "rules": ["overdue;no_activity"]}
    )
    held = deals if n else deals.iloc[:0]
    return Standing(open=brl(10 * M), any=replace(brl(n * M), n=n), rules=rules, deals=held, unpriced=0)


@pytest.mark.parametrize(
    ("gap", "forecast", "title"),
    [
        (gap_of(), forecast_of(), "The year heads for R$ 8.3 M of R$ 10.4 M planned, and plan is out of reach"),
        (gap_of(), forecast_of(plan=9 * M), "The year heads for R$ 8.3 M of R$ 9.0 M planned; plan is still possible"),
        (gap_of(), forecast_of(plan=7 * M), "The year heads for R$ 8.3 M, beyond the R$ 7.0 M planned"),
        (gap_of(), forecast_of(plan=None), "The year is likely to end at R$ 8.3 M net new ARR"),
        (gap_of(), forecast_of(months=0), "The year ended at R$ 8.3 M net new ARR"),
        (gap_of(), MISSING, "27% behind plan: R$ 2.2 M short of R$ 8.0 M net new ARR"),
        (MISSING, MISSING, "How far from plan cannot be told yet"),
    ],
)
def test_optimization_is_headed_by_where_the_year_heads(gap, forecast, title):
    assert said(optimization.head(COMPANY, gap, forecast)).splitlines()[0] == title


def test_the_bottom_line_of_optimization_is_whole_and_survives_what_is_missing():
    lines = said(optimization.bottom_line(gap_of(drivers=[BAD, WORSE]), funnel(), cover(), still(), forecast_of())).splitlines()
    assert len(lines) == 5 and "carried by win rate and churn" in lines[0]
    assert "cannot be told" in said(optimization.bottom_line(MISSING, MISSING, MISSING, MISSING, MISSING))
    assert "no driver stands clear of noise" in said(
        optimization.bottom_line(gap_of(drivers=[NOISE]), MISSING, MISSING, MISSING, MISSING)
    )


@pytest.mark.parametrize(
    ("cover", "starts"),
    [
        (cover(2.0), "Short: 2.0× is open"),
        (cover(3.0), "Enough: 3.0× is open"),
        (cover(2.4), "Just enough, or just not"),
        (cover(None), "Coverage cannot be told: target already met"),
        (cover(2.0, None), "2.0× of what is to be won is open"),
    ],
)
def test_coverage_is_judged_by_the_interval_of_what_made_the_number(cover, starts):
    assert said(optimization.coverage_reading(cover)).startswith(starts)


def test_stages_name_a_bottleneck_only_when_it_is_clear():
    assert "Proposal is the bottleneck" in said(optimization.stages_section(funnel()))
    assert "overlaps another's" in said(optimization.stages_section(funnel(clear=False)))
    assert "No deal entered a stage" in said(optimization.stages_section(funnel(None)))


def test_the_scorecard_asks_for_measures_that_there_are():
    assert set(optimization.SCORED) <= set(catalogue())


def test_a_scorecard_says_that_data_lack_only_where_they_do():
    assert "needs deals or billing" in said(optimization.score_section(company_of(accounts=[]), MISSING))
    empty = company_of(opportunities=[], leads=[], opportunity_history=[])
    assert "None of these measures has anything to count" in said(optimization.score_section(empty, MISSING))


def test_a_pipeline_of_one_stage_is_compared_with_no_other():
    alone = replace(funnel(clear=False), stages=funnel().stages.iloc[1:])
    text = said(optimization.stages_section(alone))
    assert "Deals stay 14 d in Proposal at the median" in text and "the only stage that any was in" in text
    assert "Of those decided in Proposal, 50% move on." in text
    assert not any(word in text for word in ("longest", "overlaps", "largest"))


def test_standing_deals_read_right_for_some_and_for_none():
    text = said(optimization.standing_section(still(), COMPANY))
    assert "R$ 2.0 M (20% of the open pipeline) stands still: 2 deals" in text
    assert "Closing date has passed and no recent activity" in text
    assert said(optimization.standing_section(still(0), COMPANY)) == "No open deal breaks a rule."


@pytest.mark.parametrize(
    ("closing", "text"), [(12 * M, "grew by R$ 2.0 M"), (8 * M, "shrank by R$ 2.0 M"), (10 * M, "stands where it stood")]
)
def test_the_pipeline_grows_shrinks_or_stands(closing, text):
    names = ["opening", "created", "pulled_in", "amount_up", "won", "lost", "pushed_out", "amount_down", "closing"]
    amounts = [10 * M, 9 * M, 0, 0, -M, -M, 0, 0, closing]
    flow = PipelineFlow(PERIOD, date(2026, 12, 31), "BRL", pd.DataFrame({"line": names, "deals": 1, "amount": amounts}), 0)
    assert text in said(optimization.flow_section(flow))


def test_leads_stop_where_most_of_them_are_lost():
    rows = [("lead", 100, float("nan"), 0, 0, 1.0), ("mql", 90, 0.9, 0.8, 0.95, 0.9), ("opportunity", 30, 0.33, 0.2, 0.4, 0.3)]
    steps = pd.DataFrame(rows, columns=["stage", "reached", "of_before", "low", "high", "of_leads"]).assign(
        status="ok", reason=""
    )
    text = said(optimization.funnel_section(LeadFunnel(PERIOD, 90, steps, pd.DataFrame(), 1)))
    assert "60 leads that were never deals" in text and "1 lead is younger than 90 days" in text


def test_mix_tells_rates_from_mix_and_names_who_is_clearly_worse():
    shares = {"share_before": 0.5, "share_after": 0.5, "mix_effect": 0.0, "rate_before": 0.3}
    worse = {"member": "SMB", "rate_after": 0.2, "rate_effect": -0.05, "low": -0.08, "high": -0.02, "n_before": 90, "n_now": 90}
    few = {"member": "Ent", "rate_after": 0.3, "rate_effect": 0.0, "low": -0.1, "high": 0.1, "n_before": 9, "n_now": 9}
    members = pd.DataFrame([shares | worse, shares | few])
    split = Mix("win_rate", "segment", share(0.3), share(0.25, 0.2, 0.3), members, -0.05, 0.0, ("Ent",))
    text = said(optimization.mix_section(split, COMPANY))
    assert "−5.0 pp came from the rates, 0.0 pp from the mix" in text and "Clearly worse than a year before: SMB" in text
    assert "1 row has under 20 records" in text


def test_the_forecast_section_warns_when_it_is_no_better_than_last_year():
    text = said(optimization.forecast_section(forecast_of(error=2.0, naive_error=1.0), gap_of()))
    assert "No better than repeating last year" in text
    assert "No better" not in said(optimization.forecast_section(forecast_of(), MISSING))
    assert "The year is over" in said(optimization.forecast_reading(forecast_of(months=0)))


def piped(*results):
    return answered(COMPANY, dict(zip((gap_to_plan, stage_funnel, coverage, standing_deals), results, strict=True)))


def test_findings_hold_every_clear_shortfall_with_its_lever_and_no_noise():
    found = optimization.findings(piped(gap_of(drivers=[BAD, WORSE, NOISE, GOOD]), funnel(), cover(), still()))
    assert [f.id for f in found] == ["driver_win_rate", "driver_churn", "bottleneck", "standing_deals", "coverage_short"]
    assert found[0].levers == {"win_rate": 0.25} and found[0].stake.value == 2 * M and found[0].stake.low < found[0].stake.high
    assert found[0].review_on == date(2026, 9, 30) + timedelta(days=90) and found[0].owner == "Head of sales"
    assert optimization.findings(piped(*[MISSING] * 4)) == [] == optimization.findings(COMPANY)
    assert optimization.findings(piped(gap_of(drivers=[NOISE]), funnel(clear=False), cover(3.0), still(0))) == []


def test_the_findings_of_all_phases_are_collected_once_each():
    refused = replace(piped(gap_of(drivers=[WORSE]), MISSING, MISSING, still()), quarantine=pd.DataFrame({"rule": ["x"]}))
    assert [f.id for f in actions.all_findings(refused)] == ["rows_refused", "driver_churn", "standing_deals"]


@pytest.mark.parametrize("section", [optimization.gap_section, optimization.stages_section, optimization.flow_section,
                                     optimization.coverage_section, optimization.funnel_section])  # fmt: skip
def test_an_analysis_without_its_data_says_what_it_needs(section):
    assert section(MISSING).kind == "unavailable"
