"""The executive page and what all phases say alike, in words, on hand-made results."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from revops_helpers.finding import Finding
from revops_helpers.foundation.readiness import Gate, Readiness
from revops_helpers.measurement import not_applicable
from revops_helpers.model.company import Unavailable
from revops_helpers.words import checks, executive, foundation
from revops_helpers.words import readiness as gates
from revops_helpers.words.phase import needs, owner_of, review_on, score_title, spelled
from tests.support import company_of
from tests.test_words_foundation import arr, tied
from tests.test_words_gap import WORSE, M, brl, gap_of
from tests.words import COMPANY, MISSING, said, share

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
