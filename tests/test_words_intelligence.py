"""Phase 4 in words: every verdict, refusal and absence as a reader meets it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from revops_helpers.intelligence.hazards import Hazards, churn_hazards, expansion_hazards
from revops_helpers.intelligence.health import HealthValidity
from revops_helpers.intelligence.outlook import Outlook, churn_outlook, expansion_outlook
from revops_helpers.intelligence.passport import REASONS, Passport
from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.model.company import Unavailable
from revops_helpers.optimization.target_gap import gap_to_plan
from revops_helpers.words import checks, intelligence
from revops_helpers.words.passport import reason, verdict
from tests.support import answered, company_of
from tests.test_words_gap import M, brl
from tests.words import said

COMPANY = company_of(opportunities=[], subscriptions=[])
MISSING = Unavailable(["subscriptions.mrr"])
SEEN = pd.DataFrame({"rows": [8000, 4000], "customers": [900, 1000], "events": [84, 91]}, index=["train", "test"])


def passport(*reasons: str, outcome="churned", gain=0.05, gain_low=0.01, level=(1.2, 0.9, 1.5), psi=0.1, left=()) -> Passport:
    rivals = [("tenure", 1000, 0.6, 0.55, 0.65, gain, gain_low, 0.1)]
    return Passport(
        outcome=outcome,
        horizon=6,
        trained=(date(2024, 10, 31), date(2025, 6, 30)),
        tested=(date(2025, 12, 31), date(2026, 3, 31)),
        seen=SEEN,
        needed=80.0,
        features=pd.DataFrame(
            [("low_usage", 1.0, 2.9, 1.9, 4.6, 0.99, psi), ("segment=SMB", 1.0, 1.1, 0.8, 1.5, 1.0, float("nan"))],
            columns=["feature", "step", "odds", "low", "high", "known", "psi"],
        ),
        left_out=left,
        auc=Measurement(0.68, n=1000, low=0.63, high=0.73),
        slope=Measurement(0.9, n=1000, low=0.7, high=1.1),
        in_the_large=Measurement(level[0], n=1000, low=level[1], high=level[2], unit="ratio"),
        captured=Measurement(0.2, n=1000, low=0.1, high=0.3, unit="percent"),
        baselines=pd.DataFrame(rivals, columns=["name", "n", "auc", "low", "high", "gain", "gain_low", "gain_high"]),
        reasons=reasons,
    )


def outlook(*reasons: str, outcome="churned", segments=True, actual=1.9 * M, **more) -> Outlook:
    customer = {
        "account_id": "a1", "owner_id": "u1", "renews_on": date(2027, 1, 15), "arr": 20 * M // 100, "chance": 0.1, "low": 0.05,
        "high": 0.2, "expected": 2 * M // 100, "reasons": ("low_usage", "tickets"), "usage": 0.32, "tickets": 3.0,
    }  # fmt: skip
    unit = {"unit": "money", "currency": "BRL"} if outcome == "churned" else {"unit": "count"}
    value = 2 * M if outcome == "churned" else 300
    held = Outlook(
        passport=passport(*reasons, outcome=outcome),
        day=date(2026, 9, 30),
        expected=Measurement(value, n=1000, low=value * 0.7, high=value * 1.4, **unit),
        excess=brl(M // 3, M // 5, M // 2),
        arr=brl(40 * M),
        by_segment=pd.DataFrame(
            [("SMB", 600, 10 * M, value * 0.75, value * 0.5, value), ("Enterprise", 400, 30 * M, value * 0.25, 0.0, value)],
            columns=["segment", "customers", "arr", "expected", "low", "high"],
        )
        if segments
        else pd.DataFrame(),
        customers=pd.DataFrame([customer]),
        proof={"day": date(2026, 3, 31), "expected": 1.5 * M, "low": 1.0 * M, "high": 2.1 * M, "actual": actual},
    )
    if not reasons:
        return replace(held, **more)
    nothing = not_applicable("the model is not to be used", **unit)
    empty = pd.DataFrame()
    return replace(held, expected=nothing, excess=nothing, by_segment=empty, customers=empty, proof={})


def hazards(*rows, outcome="churned", events=300, young=0) -> Hazards:
    columns = ["factor", "months", "events", "ratio", "low", "high", "status", "reason"]
    tenure = [(0, 3, 100, 0, 0.0, 0.0, 0.03), (4, 12, 300, young, young / 300, 0.0, 0.1), (37, None, 900, 9, 0.01, 0.005, 0.02)]
    year = [(2026, 500, 5, 0.01, 0.004, 0.02)]
    return Hazards(
        outcome=outcome,
        months=1300,
        customers=50,
        events=events,
        ratios=pd.DataFrame(rows, columns=columns),
        by_tenure=pd.DataFrame(tenure, columns=["first", "last", "months", "events", "hazard", "low", "high"]),
        by_year=pd.DataFrame(year, columns=["year", "months", "events", "hazard", "low", "high"]),
    )


LOW = ("low_usage", 3595, 57, 2.87, 2.07, 3.94, "ok", "")
FULL = ("seats_full", 6871, 450, 1.9, 1.7, 2.1, "ok", "")


def test_the_title_says_what_is_likely_to_leave_or_why_that_cannot_be_told():
    def title(result):
        return said(intelligence.head(COMPANY, result)).splitlines()[0]

    assert title(outlook()) == "R$ 2.0 M of R$ 40.0 M ARR is likely to leave by 31 Mar 2027"
    assert title(outlook("chance")) == "Who will leave cannot be told: no model passes its test"
    assert title(MISSING) == "Who will leave cannot be told without subscriptions"
    assert title(replace(outlook(), expected=not_applicable("no customers"))) == "There is no customer to look at"


def test_the_bottom_line_has_at_most_five_sentences_and_names_what_is_missing():
    health = HealthValidity(6, Measurement(0.54, n=900, low=0.51, high=0.58), 175, pd.DataFrame())
    part = intelligence.bottom_line(
        outlook(), hazards(LOW), outlook(outcome="expanded"), hazards(FULL, outcome="expanded"), health
    )
    assert len(part.collected["sentences"]) == 5
    text = said(part)
    assert "left 2.9× [2.1–3.9] as often" in text and "300 [210–420] of 1,000 customers are likely to buy more" in text
    assert "ranks 68% [63–73] of pairs rightly" in text and "sees some of it coming" in text
    nothing = said(intelligence.bottom_line(*[MISSING] * 5))
    assert "Churn cannot be told: that needs subscriptions.mrr." in nothing


@pytest.mark.parametrize("name", REASONS)
def test_a_refusal_says_why_and_shows_no_chance_and_no_list(name):
    refused = outlook(name)
    assert said(verdict(refused.passport)) == f"Do not use: {REASONS[name]}."
    for part in (intelligence.risk_section(refused), intelligence.accounts_section(refused, COMPANY)):
        assert "Do not use" in part.text and "a1" not in part.text and "R$" not in part.text
    assert "a1" not in intelligence.growth_section(outlook(name, outcome="expanded"), COMPANY).text
    assert "Odds" not in intelligence.model_section(refused).text, "what a refused model weighs is not shown either"
    assert checks.risk_adds_up(refused)


def test_a_refusal_before_any_test_says_how_many_events_it_needs():
    untested = replace(passport("few_events"), auc=not_applicable("too few events to learn from"))
    text = said(intelligence.model_section(replace(outlook("few_events"), passport=untested)))
    assert "84 events to learn from; three features need about 80" in text
    unknown = replace(untested, trained=None, tested=None, needed=float("nan"))
    assert "without enough months" in said(intelligence.model_section(replace(outlook("no_months"), passport=unknown)))


def test_the_passport_shows_test_rivals_odds_and_drift():
    text = said(intelligence.model_section(outlook()))
    assert "Use, to decide whom to look at first. A person decides what follows." in text
    assert "Oct 2024 to Jun 2025: 900 customers, 84 events" in text and "Dec 2025 to Mar 2026" in text
    assert "Under half of the seats in use" in text and "2.9×" in text and "Segment SMB" in text
    assert "Tenure alone ranks worse by 0.05 [0.01–0.10]." in text
    assert "As many events came as were predicted, within chance." in text
    doubtful = replace(outlook(), passport=passport(gain_low=-0.02, level=(1.4, 1.2, 1.6), psi=0.4, left=("arr",)))
    text = said(intelligence.model_section(doubtful))
    assert "which could be chance" in text and "1.40× as many events came as were predicted" in text
    assert "Moved since (PSI above 0.25): Under half of the seats in use." in text
    assert "Left out, because the events are too few for more: ARR, each doubling." in text


def test_arr_at_risk_stands_beside_what_it_told_before():
    text = said(intelligence.risk_section(outlook()))
    assert "R$ 2.0 M [1.4–2.8 M] of ARR is likely to leave by 31 Mar 2027, 5.0% of what there is." in text
    assert "it foresaw R$ 1.5 M [1.0–2.1 M]; R$ 1.9 M left." in text
    assert "outside its own interval" in said(intelligence.risk_section(outlook(actual=5 * M)))
    assert "SMB" not in said(intelligence.risk_section(outlook(segments=False)))


def test_each_listed_customer_says_what_raises_its_chance_and_people_appear_by_id():
    text = said(intelligence.accounts_section(outlook(), COMPANY))
    assert "a1 | R$ 200 k | 10% [5–20] | R$ 20 k | Uses 32% of its seats; 3 tickets in 90 days | u1 | 15 Jan 2027" in text
    assert "A chance is no judgement of a customer" in text
    bare = outlook()
    bare = replace(bare, customers=bare.customers.drop(columns=["owner_id", "renews_on"]).assign(reasons=[()]))
    assert "Nothing by itself" in said(intelligence.accounts_section(bare, COMPANY))


def test_growth_says_that_uplift_is_unknown():
    assert "uplift is unknown" in said(intelligence.growth_section(outlook(outcome="expanded"), COMPANY))


def test_every_feature_has_a_name_and_a_reason():
    from revops_helpers.intelligence.features import STEPS
    from revops_helpers.words.passport import feature_name

    row = {"usage": 0.3, "usage_before": 0.6, "usage_best": 0.9, "handoff": 0.5, "tickets": 1.0, "overdue": 2.0, "tenure": 9.0,
           "health": 40.0}  # fmt: skip
    for name in (*STEPS, "segment=A*B", "product=P"):
        assert feature_name(name) and reason(name, row)
    assert said(reason("usage_change", row)) == "use went from 60% to 30% of seats"
    assert said(reason("segment=A*B", row)) == "Segment A*B"


def test_hazards_name_what_is_clear_and_what_is_not():
    text = said(intelligence.hazards_section(hazards(LOW)))
    assert "Customers with under half of their seats in use left 2.9× [2.1–3.9] as often." in text
    assert "In the first 12 months nobody left, in 400 customer-months." in text
    assert "that one brings the other about is not shown" in text
    noise = ("low_usage", 100, 6, 1.2, 0.6, 2.3, "ok", "")
    assert "None of the traits on record goes with more or fewer" in said(intelligence.hazards_section(hazards(noise, young=3)))
    few = ("low_usage", 100, 2, float("nan"), float("nan"), float("nan"), "insufficient", "fewer than 20 events")
    assert "37 and more" in said(intelligence.hazards_section(hazards(few)))
    assert "Nobody has left in 1,300 customer-months of 50 customers" in said(intelligence.hazards_section(hazards(events=0)))
    grown = hazards(outcome="expanded", events=0)
    assert "Nobody has bought more" in said(intelligence.hazards_section(grown))


@pytest.mark.parametrize(
    ("auc", "words"),
    [
        (Measurement(0.7, n=900, low=0.66, high=0.74), "sees some of it coming: AUC 0.70 [0.66–0.74], where 0.5 is chance."),
        (Measurement(0.54, n=900, low=0.51, high=0.58), "That is weak"),
        (Measurement(0.51, n=900, low=0.47, high=0.55), "is an opinion"),
        (Measurement(0.4, n=900, low=0.37, high=0.43), "points the wrong way"),
        (not_applicable("fewer than 20 events"), "cannot be told: 175 customers with a score have left."),
    ],
)
def test_the_health_score_is_valid_weak_an_opinion_wrong_or_cannot_be_told(auc, words):
    bands = pd.DataFrame([("red", 40, 0.1, 0.0, 0.2)], columns=["band", "customers", "left", "low", "high"])
    text = said(intelligence.health_section(HealthValidity(6, auc, 175, bands)))
    assert words in text and "Red | 40 | 10% [0–20]" in text


@pytest.mark.parametrize("name", ["model", "risk", "hazards", "health"])
def test_a_section_without_its_data_says_what_it_needs_and_unlocks(name):
    part = getattr(intelligence, f"{name}_section")(MISSING)
    assert part.kind == "unavailable" and "which would unlock" in part.text


# --- findings ------------------------------------------------------------------------------------------------------------

NOW = [{"subscription_id": "s", "account_id": "a", "starts_on": "2024-01-01", "ends_on": None, "mrr": 100_00}]
USE = [{"account_id": "a", "week": date(2026, 9, 14), "active_users": 2, "seats": 10}]
BUSY = [{"account_id": "a", "week": date(2026, 9, 14), "active_users": 9, "seats": 10}]


def found(churn, growth, usage=USE, gap=MISSING):
    company = company_of(subscriptions=NOW, usage=usage)
    results = {
        churn_outlook: churn, expansion_outlook: growth, gap_to_plan: gap,
        churn_hazards: hazards(LOW), expansion_hazards: hazards(FULL, outcome="expanded"),
    }  # fmt: skip
    return {f.id: f for f in intelligence.findings(answered(company, results))}


def test_findings_value_the_excess_of_the_likeliest_to_leave_and_claim_no_gain_for_traits():
    held = found(outlook(), outlook(outcome="expanded"))
    assert set(held) == {"churn_risk", "low_usage"}
    risk = held["churn_risk"]
    assert risk.stake.value == pytest.approx(2 * (M // 3), abs=1) and risk.stake.low == 2 * (M // 5)
    assert risk.kind == "growth" and risk.levers == {} and risk.metric == "churn"
    low = held["low_usage"]
    assert low.stake.value is None and said(low.headline).startswith(
        "1 customer with R$ 1.2 k of ARR uses under half of its seats; "
    )
    assert set(found(outlook(), outlook(outcome="expanded"), BUSY)) == {"churn_risk", "seats_full"}
    assert "drawn by lot" in found(outlook(), outlook(outcome="expanded"), BUSY)["seats_full"].action


def test_a_model_that_is_not_to_be_used_finds_nothing():
    assert found(outlook("chance"), outlook("slope", outcome="expanded"), BUSY) == {}
    assert found(MISSING, MISSING) == {}


def test_an_excess_that_could_be_chance_is_no_finding():
    assert "churn_risk" not in found(outlook(excess=brl(M, -M, 3 * M)), MISSING)


def test_the_lever_is_the_churn_that_would_have_been():
    from tests.test_words_gap import gap_of

    gap = gap_of()
    held = found(outlook(), MISSING, gap=gap)["churn_risk"]
    if any(driver.id == "churn" for driver in gap.drivers) and gap.opening_arr:
        assert 0 <= held.levers["churn"] < gap.driver("churn").actual.value
    else:
        assert held.levers == {}


def test_what_would_change_our_mind_names_the_sources_that_are_missing():
    text = said(intelligence.changes_of_mind(COMPANY, MISSING))
    assert "Needs usage, which would unlock use of seats as a sign." in text and "Needs subscriptions.mrr." in text


def test_sums_that_do_not_add_up_are_caught():
    assert checks.risk_adds_up(MISSING) and checks.risk_adds_up(outlook())
    wrong = outlook()
    assert not checks.risk_adds_up(replace(wrong, by_segment=wrong.by_segment.assign(expected=1.0)))
    shown = replace(outlook("chance"), customers=outlook().customers)
    assert not checks.risk_adds_up(shown)
