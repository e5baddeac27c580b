"""The foundation audit in words, on hand-made results: every branch of every sentence, findings with all their fields."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from revops_helpers.foundation.duplicates import PAIR, Duplicates, duplicates
from revops_helpers.foundation.hygiene import Hygiene, hygiene
from revops_helpers.foundation.tie_out import ArrTie, arr_tie
from revops_helpers.foundation.totals import Totals
from revops_helpers.foundation.won_billed import DealTie, deal_tie
from revops_helpers.measurement import Measurement
from revops_helpers.optimization.target_gap import gap_to_plan
from revops_helpers.words import executive, foundation
from revops_helpers.words.coverage import totals_section
from tests.support import answered, company_of
from tests.test_words_gap import BAD, M, brl, gap_of
from tests.words import COMPANY, MISSING, said


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


def test_no_claim_is_made_of_deals_of_which_none_had_its_time_to_be_billed():
    for young in (tied(), tied(waiting=3), tied(no_deal=2)):
        assert "Won deals" not in said(foundation.bottom_line(COMPANY, arr(), young, clean(), twice()))
    assert "No won deal has had its time to be billed yet" in said(foundation.deals_section(tied(waiting=3), COMPANY))


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
    money = [("spend", "BRL", 90_00, 5_00), ("subscriptions", "BRL", -10_00, -40_00), ("quotas", "BRL", 5, 0)]
    ledger = pd.DataFrame([("leads", "rows", 2, 2), *money], columns=["table", "unit", "read", "quarantined"]).assign(
        source="files", excluded=0
    )
    ledger["accepted"] = ledger.read - ledger.quarantined
    text = said(foundation.ledger_section(replace(COMPANY, ledger=ledger)))
    assert "Most money in quarantine: subscriptions −R$ 40.00 and spend R$ 5.00" in text, "credit notes are money too"


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
