"""The phases in words, on hand-made results: every branch of every sentence, findings with all their fields."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import pytest

from revops_helpers.finding import Finding
from revops_helpers.foundation.duplicates import PAIR, Duplicates, duplicates
from revops_helpers.foundation.hygiene import Hygiene, hygiene
from revops_helpers.foundation.readiness import Gate, Readiness
from revops_helpers.foundation.tie_out import ArrTie, arr_tie
from revops_helpers.foundation.totals import Totals
from revops_helpers.foundation.won_billed import DealTie, deal_tie
from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.model.company import Unavailable
from revops_helpers.optimization.coverage import Coverage, coverage
from revops_helpers.optimization.funnel import LeadFunnel
from revops_helpers.optimization.mix import Mix
from revops_helpers.optimization.pipeline import PipelineFlow
from revops_helpers.optimization.stages import StageFunnel, stage_funnel
from revops_helpers.optimization.standing import Standing, standing_deals
from revops_helpers.optimization.target_gap import gap_to_plan
from revops_helpers.periods import Period
from revops_helpers.words import actions, checks, executive, foundation, optimization
from revops_helpers.words import readiness as gates
from revops_helpers.words.coverage import totals_section
from revops_helpers.words.markup import plain
from revops_helpers.words.phase import needs, owner_of, review_on, score_title, spelled
from tests.support import answered, company_of
from tests.test_words_gap import BAD, GOOD, NOISE, PERIOD, WORSE, M, brl, forecast_of, gap_of

COMPANY = company_of(opportunities=[])
MISSING = Unavailable(["subscriptions.mrr", "subscriptions.starts_on"])


def said(part) -> str:
    return plain(part if isinstance(part, str) else part.text).replace("\u00a0", " ")


def share(value, low=None, high=None, **more):
    return Measurement(value, n=more.pop("n", 100), low=low, high=high, unit="percent", **more)


# --- foundation ----------------------------------------------------------------------------------------------------------


def arr(difference=0, unexplained=0, **causes) -> ArrTie:
    row = {
        "month_end": date(2026, 9, 30),
        "billing": 100 * M,
        "finance": 100 * M + difference,
        "difference": difference,
        **causes,
    }
    months = pd.DataFrame([row | {"rounding": difference - unexplained - sum(causes.values()), "unexplained": unexplained}])
    lines = [{"cause": c, "account_id": "a", "subscription_id": "s", "amount": v} for c, v in causes.items()]
    return ArrTie(months, tuple(causes), pd.DataFrame(lines, columns=["cause", "account_id", "subscription_id", "amount"]), 1)


def tied(**records) -> DealTie:
    columns = ["opportunity_id", "account_id", "kind", "closed_on", "starts_on", "won", "billed", "difference", "case"]
    rows = []
    for case, n in records.items():
        won, billed = (0 if case == "no_deal" else 100_00), (0 if case in ("unbilled", "waiting") else 90_00)
        stamp = date(2026, 3, 1)
        rows += [(f"{case}{i}", "a", "new", stamp, stamp, won, billed, billed - won, case) for i in range(n)]
    pairs = pd.DataFrame(rows, columns=columns)
    totals = pairs.groupby("case", as_index=False).agg(records=("case", "size"), won=("won", "sum"), billed=("billed", "sum"))
    return DealTie(pairs, totals)


def clean(pipeline_at_risk=0, pipeline=10 * M, **more) -> Hygiene:
    names = ["rule", "table", "column", "attached", "tested", "failing", "money", "share", "low", "high"]
    rows = [("past_due", "opportunities", "close_date", "deal", 10, 3, 500, 0.3, 0.1, 0.6)] if pipeline_at_risk else []
    filled = [("accounts", "tax_id", "one customer is counted once", 10, 2, 0.8, 0.5, 0.9, False)] if pipeline_at_risk else []
    fields = ["table", "column", "decision", "tested", "failing", "share", "low", "high", "open_only"]
    result = {
        "completeness": pd.DataFrame(filled, columns=fields), "rules": pd.DataFrame(rows, columns=names),
        "pipeline_at_risk": brl(pipeline_at_risk), "arr_at_risk": brl(0), "pipeline": pipeline, "arr": 0, "absent": (),
    }  # fmt: skip
    return Hygiene(**(result | more))


def twice(n=0) -> Duplicates:
    return Duplicates(
        pd.DataFrame([("accounts", "a", f"b{i}", "tax_id", 1.0) for i in range(n)], columns=PAIR), {"accounts": 100}, 0
    )


@pytest.mark.parametrize(
    ("tie", "records", "title"),
    [
        (arr(), clean(), "ARR ties to finance"),
        (arr(5_00, 0, signed_not_live=5_00), clean(), "ARR ties to finance once known causes are counted"),
        (arr(M // 100, M // 100), clean(), "ARR ties to finance within 0.1%"),
        (arr(5 * M, 5 * M), clean(), "ARR and finance's differ by 4.8%"),
        (MISSING, clean(), "Revenue cannot be checked against finance yet"),
        (arr(), clean(M), "ARR ties to finance; 10% of the pipeline rests on records that fail a check"),
        (arr(), MISSING, "ARR ties to finance"),
    ],
)
def test_the_audit_is_headed_by_what_can_be_relied_on(tie, records, title):
    assert said(foundation.head(COMPANY, tie, tied(), records)).splitlines()[0] == title


def test_the_audit_of_a_segment_says_that_it_looks_at_the_whole_company():
    part = replace(company_of(opportunities=[]), segment="SMB")
    assert "The whole company" in said(foundation.head(part, arr(), tied(), clean()))
    assert "Segment SMB only" in said(executive.head(part, gap_of()))


def test_the_bottom_line_puts_the_most_money_first():
    lines = said(foundation.bottom_line(COMPANY, arr(2 * M, 2 * M), tied(unbilled=3), clean(M), twice(2))).splitlines()
    assert ["Revenue" in lines[0], "Pipeline" in lines[1], "never billed" in lines[2], "Companies" in lines[3]] == [True] * 4


def test_the_bottom_line_of_clean_data_says_so():
    text = said(foundation.bottom_line(COMPANY, arr(), tied(matched=1), clean(), twice()))
    assert "the same ARR" in text and "whose time has come is billed" in text and "no open deal fails a check" in text
    assert "none of 100 stands twice" in text


def test_the_bottom_line_of_nothing_names_what_is_needed():
    text = said(foundation.bottom_line(COMPANY, MISSING, MISSING, MISSING, MISSING))
    assert "needs subscriptions (mrr, starts_on)" in text


@pytest.mark.parametrize("name", ["arr", "deals", "fields", "checks", "duplicates", "totals"])
def test_a_section_without_its_data_says_what_it_needs_and_unlocks(name):
    part = getattr(foundation, f"{name}_section")(MISSING, COMPANY)
    assert part.kind == "unavailable" and "which would unlock" in part.text


def test_the_arr_section_tells_causes_remainder_and_direction():
    text = said(foundation.arr_section(arr(-9_00, -4_00, signed_not_live=-5_00), COMPANY))
    assert "R$ 9.00 lower" in text and "R$ 5.00 signed, not live yet" in text and "R$ 4.00 stays unexplained" in text
    named = replace(arr(5_00, 0, not_booked=5_00), named=("not_booked",), tried=31)
    assert "One line makes up R$ 5.00 cuts not booked yet: of 31 sets" in said(foundation.arr_section(named, COMPANY))
    assert "the same ARR, to the cent" in said(foundation.arr_section(arr(), COMPANY))


def test_the_deals_section_counts_one_and_many():
    text = said(foundation.deals_section(tied(matched=4, unbilled=1, differs=2, no_deal=1), COMPANY))
    assert "1 won deal never reached billing" in text and "2 are billed at another amount (−R$ 20 in all)" in text
    assert "1 billing start (R$ 90) has no won deal behind it" in text
    assert "Every won deal whose time has come is billed" in said(foundation.deals_section(tied(matched=1), COMPANY))


def test_the_field_and_check_sections_read_right_when_all_is_well_and_when_not():
    assert "Emptiest: tax id of the company. 2 of 10 records lack it" in said(foundation.fields_section(clean(M), COMPANY))
    assert "No record fails a check" in said(foundation.checks_section(clean(), COMPANY))
    assert "Open deal whose closing date has passed" in said(foundation.checks_section(clean(M), COMPANY))


def test_quarantine_and_ledger_read_right_with_and_without_rows():
    assert "No row was refused" in said(foundation.quarantine_section(COMPANY))
    refused = pd.DataFrame([{"table": "leads", "source": "crm", "rule": "duplicate key", "advice": "remove one"}] * 2)
    assert "2 rows are in quarantine" in said(foundation.quarantine_section(replace(COMPANY, quarantine=refused)))
    assert foundation.ledger_section(COMPANY).kind == "unavailable"


def test_totals_state_the_shares_and_say_when_no_loss_is_kept():
    counts = {"leads": 8000, "leads_won": 842, "won": 842, "lost": 0}
    source = pd.DataFrame({"source": [], "leads": [], "won": [], "share": [], "low": [], "high": []})
    found = Totals(counts, source, pd.DataFrame())
    text = said(totals_section(found, COMPANY))
    assert "842 of 8,000 leads are won: 10.5%" in text and "No lost deal is on record" in text


def audited(company, *results):
    return answered(company, dict(zip((arr_tie, deal_tie, hygiene, duplicates, gap_to_plan), results, strict=True)))


def test_the_findings_of_the_audit_are_whole_and_bill_their_lever():
    live = replace(BAD, id="live_share", actual=Measurement(0.8, n=9, unit="ratio"))
    refused = replace(COMPANY, quarantine=pd.DataFrame({"rule": ["x"]}))
    deals = tied(matched=3, unbilled=1)
    found = foundation.findings(audited(refused, arr(5 * M, 5 * M), deals, clean(M), twice(1), gap_of(drivers=[live])))
    assert {f.id for f in found} == {"won_not_billed", "arr_untied", "records_at_risk", "rows_refused", "companies_twice"}
    assert all(f.headline and f.action and f.owner and f.metric and "#" in f.evidence for f in found)
    bill = next(f for f in found if f.id == "won_not_billed")
    assert bill.stake.value == 100_00 and bill.levers["live_share"] == pytest.approx(0.8 + (1 / 4) / (12 / 9))


def test_clean_data_gives_no_findings():
    assert foundation.findings(audited(COMPANY, arr(), tied(matched=1), clean(), twice(), gap_of())) == []
    assert foundation.findings(audited(COMPANY, *[MISSING] * 5)) == []
    assert foundation.findings(COMPANY) == []


# --- optimization --------------------------------------------------------------------------------------------------------

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


# --- executive -----------------------------------------------------------------------------------------------------------


def finding(id="x", stake=None, **more) -> Finding:
    fields = {
        "phase": "optimization", "headline": "H.", "action": "A.", "stake": stake or brl(M), "confidence": "high",
        "evidence": "03#x", "owner": "o", "metric": "win_rate", "review_on": date(2026, 12, 29), "levers": {},
    }  # fmt: skip
    return Finding(id, **(fields | more))


def test_actions_are_headed_by_their_number_joint_value_and_first():
    joint = brl(1.9 * M)
    assert (
        said(executive.actions_title([finding(), finding("y")], joint))
        == "Two actions, R$ 1.9 M a year together; start with win rate"
    )
    assert said(executive.actions_title([finding()], joint)) == "One action worth R$ 1.9 M a year: win rate"
    assert said(executive.actions_title([finding()], None)) == "One action, on which no money can be put yet"
    assert said(executive.actions_title([], None)) == "No finding stands clear of noise"


def test_the_actions_section_takes_ten_and_values_them_together():
    gap = gap_of(drivers=[WORSE])
    many = [finding(f"f{i}", brl(M * i), levers={"churn": 0.06}) for i in range(1, 13)]
    part = executive.actions_section(many, gap)
    held = next(p for p in part.collected["parts"] if p["kind"] == "findings")
    assert len(held["findings"]) == 10 and held["findings"][0]["id"] == "f12" and held["joint"]["value"] > 0
    assert "No finding" in said(executive.actions_section([], MISSING))


def test_the_executive_page_of_a_company_without_a_plan_still_stands():
    assert "cannot be told yet" in said(executive.head(COMPANY, MISSING))
    assert executive.gap_section(MISSING, MISSING).kind == "unavailable"
    assert "Needs subscriptions (mrr, starts_on)." in said(executive.changes_of_mind(MISSING, MISSING))


def ready(passed: bool) -> Readiness:
    absent = not_applicable("needs financials.arr", unit="percent")
    second = Gate(2, "won_billed", share(0.9 if passed else 0.1), 0.5)
    return Readiness((Gate(1, "leads_owned", share(0.9), 0.5), second, Gate(2, "arr_untied", absent, 0.01, "at_most")))


def test_the_roadmap_says_where_we_are_and_what_holds_the_gate():
    text = said(gates.roadmap_section(ready(False)))
    assert text.startswith("Phase 2 of 4, Process alignment: two checks hold the gate")
    assert "1 Foundation: 1 of 1 check · open" in text and "0 of 2 checks · you are here" in text
    assert "one check holds the gate" in said(gates.roadmap_title(ready(True)))
    assert said(gates.roadmap_title(Readiness((Gate(1, "leads_owned", share(0.9), 0.5),)))) == "All four phases are open"


def test_a_gate_reads_with_its_number_or_with_what_it_needs():
    first, _second, third = ready(False).gates
    assert said(gates.gate_words(first)) == "Leads with an owner 90%, gate 50%"
    assert said(gates.gate_words(third)) == "ARR not tied to finance: needs financials.arr"
    assert "The one check of this phase is passed" in said(foundation.gates_card(ready(False), 1))


# --- shared --------------------------------------------------------------------------------------------------------------


def test_owners_come_from_the_agreement_or_are_roles():
    named = company_of(opportunities=[], settings={"team": {"sales": "Maria", "marketing": "revops"}})
    assert owner_of(COMPANY, "sales") == "Head of sales" and owner_of(named, "sales") == "Maria"
    assert owner_of(named, "marketing") == "Head of RevOps"


def test_reviews_are_counted_from_the_date_of_the_report():
    assert review_on(company_of(as_of="2026-03-31", opportunities=[])) == date(2026, 6, 29)


def test_needs_gather_the_columns_of_a_table():
    assert needs(Unavailable(["a.x", "a.y", "b", "c.z"])) == "a (x, y), b, c.z"
    assert [said(spelled(n)) for n in (1, 10, 11)] == ["One", "Ten", "11"]


@pytest.mark.parametrize(
    ("values", "title"),
    [
        ([(0.5, None)], "No measure has a target to be judged by"),
        ([(0.1, 0.5)], "The one measure with a target misses it"),
        ([(0.5, 0.5)], "The one measure with a target does not miss it"),
        ([(0.1, 0.5), (0.2, 0.5), (0.9, 0.5)], "Two of three measures miss their target; one meets it beyond doubt"),
        ([(0.9, 0.5), (0.9, 0.5)], "None of two measures with a target misses it; two meet it beyond doubt"),
    ],
)
def test_the_scorecard_is_headed_by_who_misses(values, title):
    from revops_helpers.words.parts import ScoreRow

    rows = [ScoreRow("win_rate", share(v, v - 0.05, v + 0.05), target=None if t is None else share(t)) for v, t in values]
    assert said(score_title(rows)) == title


def test_the_checks_see_what_does_not_add_up():
    assert checks.gap_adds_up(gap_of(plan=8 * M, actual=5 * M, unexplained=brl(-3 * M)))
    assert not checks.gap_adds_up(gap_of(plan=8 * M, actual=5 * M, unexplained=brl(-2 * M)))
    assert checks.arr_adds_up(arr(5_00, 2_00, signed_not_live=3_00)) and checks.deals_add_up(tied(matched=2))
    assert not checks.deals_add_up(replace(tied(matched=2), totals=tied(matched=1).totals))
    ledger = pd.DataFrame([{"read": 3, "accepted": 1, "quarantined": 1, "excluded": 0}])
    assert not checks.no_row_is_lost(replace(COMPANY, ledger=ledger)) and checks.no_row_is_lost(COMPANY)
    assert all(check(MISSING) for check in (checks.gap_adds_up, checks.arr_adds_up, checks.deals_add_up, checks.bands_are_nested))
