"""Checks on hand-worked records: who is asked, who fails, and the money on them counted once."""

from __future__ import annotations

import pandas as pd
import pytest

from revops_helpers.foundation.hygiene import failing_records, hygiene
from revops_helpers.foundation.totals import totals
from revops_helpers.model.company import Unavailable
from tests.support import company_of

DEAL = {
    "account_id": "a", "owner_id": "u", "amount": 100, "status": "open", "kind": "new", "stage": "Proposal", "product": "Core",
    "created_at": "2026-08-01", "close_date": "2026-12-01", "closed_at": None, "lead_id": None,
    "next_step": "call", "lost_reason": None,
}  # fmt: skip
ACCOUNT = {"account_id": "a", "tax_id": "12345678000195", "segment": "SMB", "owner_id": "u", "created_at": "2025-01-01"}
USER = {"user_id": "u", "hired_on": "2020-01-01", "left_on": None}
FRESH = {"opportunity_id": "o1", "changed_at": "2026-09-01", "close_date": "2026-12-01"}


def checked(deals, **more):
    return hygiene(made_of(deals, **more))


def made_of(deals, **more):
    deals = [DEAL | {"opportunity_id": f"o{i}"} | deal for i, deal in enumerate(deals, 1)]
    tables = {"accounts": [ACCOUNT], "users": [USER], "opportunity_history": [FRESH]} | more.pop("tables", {})
    return company_of(opportunities=deals, **tables, **more)


def rule(found, name, column=None) -> pd.Series:
    rows = found.rules[(found.rules.rule == name) & (found.rules.column == column if column else True)]
    assert len(rows) == 1, f"{name}: {len(rows)} rows"
    return rows.iloc[0]


def test_records_in_order_fail_nothing():
    found = checked([{}])
    assert (found.rules.failing == 0).all() and failing_records(made_of([{}])) is None
    assert found.pipeline_at_risk.value == 0 and found.pipeline == 100


def test_an_empty_field_and_one_of_blanks_are_missing():
    found = checked([{"owner_id": None}, {"owner_id": "  "}, {}])
    filled = found.completeness.set_index(["table", "column"]).loc[("opportunities", "owner_id")]
    assert (filled.failing, filled.tested) == (2, 3)
    assert filled.share == pytest.approx(1 / 3) and filled.low < 1 / 3 < filled.high


def test_a_lost_reason_is_asked_of_lost_deals_and_a_closing_day_of_open_ones():
    lost = {"status": "lost", "closed_at": "2026-09-01", "close_date": None}
    found = checked([lost, lost | {"lost_reason": "price"}, {}])
    assert rule(found, "missing", "lost_reason").tested == 2 and rule(found, "missing", "lost_reason").failing == 1
    assert rule(found, "missing", "close_date").tested == 1


def test_a_field_that_only_open_deals_lack_is_told():
    won = {"status": "won", "closed_at": "2026-09-01"}
    lacking = checked([{"account_id": None}, won]).completeness.set_index("column")
    both = checked([{"account_id": None}, won | {"account_id": None}]).completeness.set_index("column")
    assert lacking.open_only["account_id"] and not both.open_only["account_id"]


def test_a_stage_asks_for_its_fields_from_there_on_of_open_deals():
    agreed = {"opportunity_stages": ["Demo", "Proposal", "Closing"], "required_fields": {"Proposal": ["next_step"]}}
    bare = {"next_step": None}
    stages = [{"stage": stage} | bare for stage in ("Demo", "Proposal", "Closing")]
    found = checked([*stages, {"stage": "Closing", "status": "won", "closed_at": "2026-09-01"} | bare],
                    settings=agreed, tables={"opportunity_history": []})  # fmt: skip
    assert (rule(found, "required").tested, rule(found, "required").failing) == (2, 2)


def test_a_reference_to_nothing_is_an_orphan_and_an_empty_one_is_not():
    found = checked([{"account_id": "gone"}, {"account_id": None}, {}])
    assert (rule(found, "orphan", "account_id").failing, rule(found, "orphan", "account_id").tested) == (1, 2)


def test_dead_deals_are_found_by_date_by_silence_and_by_owner():
    left = USER | {"user_id": "gone", "left_on": "2026-05-01"}
    deals = [{"close_date": "2026-09-29"}, {"created_at": "2026-01-01"}, {"owner_id": "gone"}]
    history = [FRESH, FRESH | {"opportunity_id": "o2", "changed_at": "2026-01-01"}, FRESH | {"opportunity_id": "o3"}]
    found = checked(deals, tables={"users": [USER, left], "opportunity_history": [h | {"close_date": None} for h in history]})
    assert rule(found, "owner_left").failing == 1 and rule(found, "stale").failing == 1


def test_a_deal_due_on_the_day_is_not_past_due():
    history = [FRESH | {"close_date": "2026-09-30"}, FRESH | {"opportunity_id": "o2", "close_date": "2026-09-29"}]
    assert rule(checked([{}, {}], tables={"opportunity_history": history}), "past_due").failing == 1


def test_a_lead_called_before_it_existed_is_found():
    leads = [
        {"lead_id": "l1", "created_at": "2026-02-01", "first_contact_at": "2026-01-31", "source": "web", "owner_id": "u"},
        {"lead_id": "l2", "created_at": "2026-02-01", "first_contact_at": "2026-02-01", "source": "web", "owner_id": "u"},
    ]
    assert rule(checked([{}], tables={"leads": leads}), "contact_before_creation").failing == 1


def test_money_on_a_record_that_fails_twice_is_counted_once():
    company = made_of([{"owner_id": None, "account_id": "gone", "amount": 700}, {"amount": 300}])
    found, failing = hygiene(company), failing_records(company).execute()
    assert (found.pipeline_at_risk.value, found.pipeline_at_risk.n, found.pipeline) == (700, 1, 1000)
    named = set(failing[["id", "rule", "column"]].itertuples(index=False, name=None))
    assert named == {("o1", "missing", "owner_id"), ("o1", "orphan", "account_id")}


def test_arr_hangs_on_a_company_without_a_tax_id():
    subs = [{"subscription_id": "s", "account_id": "a", "mrr": 10, "starts_on": "2025-01-01", "ends_on": None, "product": "p"}]
    found = hygiene(company_of(accounts=[ACCOUNT | {"tax_id": None}], subscriptions=subs))
    assert (found.arr_at_risk.value, found.arr) == (120, 120)
    assert found.pipeline_at_risk.value is None and found.pipeline_at_risk.status == "not_applicable"


def test_nothing_to_check_is_unavailable_and_no_rows_are_no_crash():
    with pytest.raises(Unavailable):
        hygiene(company_of(users=[USER]))
    assert hygiene(company_of(opportunities=[], leads=[])).rules.empty


def test_totals_add_up_whatever_the_period():
    leads = [{"lead_id": f"l{i}", "created_at": "2024-01-01", "source": s} for i, s in enumerate(["web", "web", None, "ads"])]
    won = {"status": "won", "created_at": "2024-06-01", "closed_at": "2024-06-11"}
    deals = [
        won | {"lead_id": "l0"},
        won | {"lead_id": "l2"},
        won | {"lead_id": None},
        {"status": "lost", "closed_at": "2024-07-01"},
        {},
    ]
    rows = [DEAL | {"opportunity_id": f"o{i}"} | deal for i, deal in enumerate(deals)]
    found = totals(company_of(leads=leads, opportunities=rows))
    expected = {"leads": 4, "leads_won": 2, "deals": 5, "won": 3, "lost": 1, "open": 1, "won_amount": 300, "mean_cycle": 10}
    assert found.counts == expected
    assert dict(zip(found.by_source.source, found.by_source.won, strict=True)) == {"web": 1, "(not recorded)": 1, "ads": 0}


def test_totals_need_leads_or_deals():
    with pytest.raises(Unavailable):
        totals(company_of(users=[USER]))
