"""Phase 5 in words: every section on companies good, poor and bad; findings with all their fields; nobody is named by luck."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.planning.budget import budget
from revops_helpers.planning.capacity import capacity, simulate, team
from revops_helpers.planning.cascade import next_year, rest_of_year
from revops_helpers.planning.habits import habits
from revops_helpers.planning.quotas import quotas
from revops_helpers.words import checks, planning
from revops_helpers.words.markup import plain
from revops_helpers.words.sellers import capacity_section, hires_words
from revops_helpers.words.volumes import need_title
from tests.support import answered, company_of
from tests.test_missing import lacking
from tests.test_planning_cascade import cascade, months_of
from tests.test_planning_sellers import RECORDS, a_deal_a_month, certain, forecasting, quota, user, won
from tests.test_target_gap import LEADS, SUBSCRIPTIONS

ANALYSES = (next_year, rest_of_year, team, capacity, quotas, habits, budget)
SECTIONS = ("cascade", "rest", "spread", "team", "capacity", "quotas", "habits", "budget")


def text_of(part) -> str:
    return plain(part if isinstance(part, str) else part.text).replace("\u00a0", " ")


def page(company: Company) -> str:
    """The whole report as text, with its checks."""
    plan, rest, known, seats, asked, told, price = (company.ask(analysis) for analysis in ANALYSES)
    assert checks.cascade_gives_the_target(plan) and checks.cascade_gives_the_target(rest)
    assert checks.bands_are_nested(seats) and checks.every_quota_is_in_one_band(asked)
    shown = [
        planning.head(company, plan, seats),
        planning.bottom_line(plan, seats, asked, told, price, company),
        planning.score_section(company),
        planning.cascade_section(plan),
        planning.rest_section(rest),
        planning.spread_section(plan, company),
        planning.team_section(known),
        planning.capacity_section(seats),
        planning.quotas_section(asked, company),
        planning.habits_section(told, company),
        planning.budget_section(price, company),
        planning.findings_section(planning.findings(company)),
        planning.changes_of_mind(company, plan, rest, known, seats, asked, told, price),
    ]
    return "\n".join(text_of(part) for part in shown)


def lost(n, owner="u1"):
    return [won(900 + i, owner, "2026-03-05", status="lost") for i in range(n)]


def planned(**tables) -> Company:
    goals = months_of(2026, new_arr_won=50.0, win_rate=0.5)
    return company_of(settings=RECORDS, **({"targets": goals, "users": [user("u1", "2020-01-01")]} | tables))


def test_a_company_of_nothing_is_told_what_each_section_needs():
    text = page(company_of())
    assert text.splitlines()[0] == "What the next target needs cannot be told yet"
    assert text.count("Not available: needs") >= len(SECTIONS)


def test_empty_tables_are_as_good_as_none():
    names = (
        "users",
        "quotas",
        "forecasts",
        "targets",
        "opportunities",
        "subscriptions",
        "leads",
        "spend",
        "activities",
        "accounts",
    )
    assert "No finding stands clear of noise." in page(company_of(**{name: [] for name in names}))


def test_one_seller_gets_a_page():
    text = page(planned(opportunities=a_deal_a_month("u1", "2025-10-01", 12) + lost(9), quotas=[quota("u1")]))
    assert "Sellers now | 1" in text and "Of 1 quota" in text and "will have left" in text


def test_a_company_without_a_win_reaches_no_target_and_says_so():
    tables = {"quotas": [quota("u1")], "subscriptions": SUBSCRIPTIONS, "leads": LEADS, "opportunities": lost(9)}
    text = page(planned(**tables, targets=months_of(2026, net_new_arr=50.0, win_rate=0.5)))
    assert text.splitlines()[0] == "At today's rates no number of leads reaches the target of 2027"
    assert "Not available: needs rates that lead from the target to deals" in text


def test_a_team_that_has_all_left_has_no_capacity_but_a_history():
    people = [user("u1", "2020-01-01", "2026-07-31")]
    text = page(planned(users=people, opportunities=a_deal_a_month("u1", "2025-10-01", 10) + lost(9)))
    assert "Sellers now | 0" in text and "under 0.1% of simulated years" in text


def test_a_segment_without_targets_of_its_own_says_so():
    company = replace(planned(opportunities=a_deal_a_month("u1", "2025-10-01", 12) + lost(9)), segment="SMB", _made={})
    assert "targets of the segment SMB" in str(company.ask(next_year))
    assert planning.definitions(company).kind == "definitions"


def test_the_need_is_headed_by_what_today_s_rates_ask_for():
    assert (
        text_of(need_title(cascade(now={"win_rate": 0.125}))) == "2027 needs 12,000 leads at today's rates, 6,000 at the plan's"
    )
    assert text_of(need_title(cascade(700_000))) == "2027 needs no new business: customers meet the target alone"


def test_capacity_tells_hires_and_their_date_or_that_none_are_needed():
    few = simulate(certain(people=8, arr=75_010_00.0), cascade(), date(2026, 9, 30))
    assert text_of(hires_words(few)) == "For a 50% chance 2 hires have to begin by Dec 2026."
    text = text_of(capacity_section(few))
    assert "Short by R$ 1.80 M" in text and "under 0.1% of simulated years" in text
    enough = simulate(certain(people=20, arr=75_010_00.0), cascade(), date(2026, 9, 30))
    assert text_of(hires_words(enough)) == "An even chance needs no hire." and "beyond chance" in text_of(
        capacity_section(enough)
    )
    hopeless = simulate(certain(people=1, arr=10_00.0), cascade(), date(2026, 9, 30))
    assert "Not even tripling" in text_of(hires_words(hopeless)) and "out of reach" in text_of(capacity_section(hopeless))


def test_findings_are_full_and_claim_no_gain():
    few = simulate(certain(people=8, arr=75_010_00.0), cascade(), date(2026, 9, 30))
    company = forecasting({1: 0.6, 4: 1.6})
    given = {capacity: few, next_year: Unavailable(["targets"]), quotas: Unavailable(["quotas"]), habits: habits(company)}
    found = {finding.id: finding for finding in planning.findings(answered(company, given))}
    assert set(found) == {"capacity_short", "forecast_habits"}
    for finding in found.values():
        assert finding.phase == "planning" and finding.stake.value is None and finding.kind == "cost"
        assert finding.metric in catalogue() and finding.evidence.startswith("05_growth_planning#") and finding.owner
    assert "u1 0.58×" in text_of(found["forecast_habits"].headline) and "u4 1.62×" in text_of(found["forecast_habits"].headline)
    assert "2 hires have to begin by Dec 2026" in text_of(found["capacity_short"].action)


def test_quotas_beyond_the_plan_that_few_meet_are_a_finding_and_met_ones_are_not():
    goals = [{"period_start": "2026-07-01", "period_end": "2026-09-30", "metric": "new_arr_won", "value": 1_000.0}]
    people = [user(f"u{i}", "2020-01-01") for i in range(12)]
    deals = [won(i, f"u{i}", "2026-08-01") for i in range(12)]
    tables = {"users": people, "opportunities": deals, "targets": goals}
    unmet = company_of(quotas=[quota(f"u{i}") for i in range(12)], **tables)
    assert [f.id for f in planning.findings(unmet)] == ["quotas_over_plan"]
    met = company_of(quotas=[quota(f"u{i}", amount=100_00) for i in range(12)], **tables)
    assert planning.findings(met) == []


def test_more_volume_than_planned_is_a_finding_only_beyond_noise():
    company = company_of()
    rest = {capacity: Unavailable(["users"]), quotas: Unavailable(["quotas"]), habits: Unavailable(["forecasts"])}
    clear = planning.findings(answered(company, {**rest, next_year: cascade(now={"win_rate": 0.125})}))
    assert [f.id for f in clear] == ["volume_short"] and clear[0].metric == "leads"
    assert planning.findings(answered(company, {**rest, next_year: cascade(now={"win_rate": 0.5})})) == []


def test_names_are_never_shown_and_hostile_ids_stay_text():
    people = [user("<b>u1</b>", "2020-01-01") | {"name": "Ana Souza"}]
    deals = a_deal_a_month("<b>u1</b>", "2025-10-01", 12) + lost(9)
    company = planned(users=people, opportunities=deals, quotas=[quota("<b>u1</b>")])
    html = planning.quotas_section(company.ask(quotas), company).html
    assert "<b>u1" not in html and "&lt;b&gt;u1" in html and "Souza" not in page(company)


@pytest.mark.parametrize("analysis", ANALYSES, ids=lambda a: a.__name__)
@pytest.mark.parametrize("table", ["users", "quotas", "forecasts", "opportunities", "subscriptions", "targets", "spend"])
def test_a_missing_table_or_half_its_columns_is_said_and_never_a_crash(analysis, table):
    for company in lacking(table):
        answer = company.ask(analysis)
        assert not isinstance(answer, Unavailable) or answer.missing
