"""The SELECTs that ship: the sample's exports come back as the company that was simulated, and each bad row by its rule."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from revops_helpers.ingest import cache_folder
from revops_helpers.model.tables import TABLES
from revops_helpers.sample.salesforce import SALESFORCE
from revops_helpers.sample.simulation import simulate
from revops_helpers.workspace import SAMPLE, open_company

FIELDS = Path(__file__).parent.parent.parent / "shared" / "data" / "schemas" / "system_fields.json"
SOURCES = Path(__file__).parent.parent / "revops_helpers" / "sources"

# What an export does not hold: the columns that no system keeps, and cells that people leave empty (counted in truth.json).
NOT_KEPT = {
    "lead_history": {"owner_id", "score"},
    "touches": {"account_id"},
    "opportunity_history": {"owner_id"},
    "spend": {"campaign_id"},
    "targets": {"segment"},
}
LEFT_EMPTY = {
    "accounts.industry": "salesforce/Account.Industry",
    "accounts.employees": "salesforce/Account.NumberOfEmployees",
    "leads.phone": "salesforce/Lead.Phone",
    "leads.title": "salesforce/Lead.Title",
    "opportunities.lost_reason": "salesforce/Opportunity.LossReason__c",
    "opportunities.next_step": "salesforce/Opportunity.NextStep",
}
# A lead whose status never changed has no status in field history; nor has the creation of an issue an author.
UNKNOWN_AT_FIRST = {"lead_history.status", "work_transitions.author_id"}


@pytest.fixture(scope="module")
def sample():
    return open_company("sample")


@pytest.fixture(scope="module")
def simulated() -> dict[str, pd.DataFrame]:
    return simulate().tables


@pytest.fixture(scope="module")
def truth() -> dict:
    return json.loads((SAMPLE / "truth.json").read_text(encoding="utf-8"))


def comparable(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """Plain texts and numbers, in the order of all columns, so that two frames can be compared cell by cell."""
    result = {}
    for column in frame.columns:
        kind, values = TABLES[table][column].type, frame[column]
        if kind in ("date", "time"):
            result[column] = pd.to_datetime(values).astype("datetime64[s]").astype("str").where(values.notna(), "")
        elif kind == "flag":
            result[column] = values.astype(bool).astype("str")
        elif kind == "text":
            result[column] = values.astype("str").astype("object").where(values.notna(), "")
        else:
            result[column] = pd.to_numeric(values).astype(float).round(6).astype("str").where(values.notna(), "")
    return pd.DataFrame(result)


@pytest.mark.parametrize("table", TABLES)
def test_exports_and_selects_give_back_the_simulated_table(table, sample, simulated, truth):
    wanted = simulated[table].drop(columns=list(NOT_KEPT.get(table, ())))
    there = set(sample.accepted[table].columns)
    assert set(wanted.columns) <= there
    found = sample.accepted[table].select(*wanted.columns).to_pandas()
    assert len(found) == len(wanted)
    key = list(TABLES[table].key)
    key = [column for column in key if column in wanted] + [column for column in wanted if column not in key]
    found, wanted = comparable(found, table), comparable(wanted, table)
    if table == "opportunities":  # Salesforce keeps the day of closing, not the moment
        wanted["closed_at"] = wanted["close_date"].where(wanted["closed_at"] != "", "")
        found["closed_at"] = found["closed_at"].str[:10]
    by = [column for column in key if f"{table}.{column}" not in (*LEFT_EMPTY, *UNKNOWN_AT_FIRST)]
    found, wanted = (frame.sort_values(by, ignore_index=True) for frame in (found, wanted))
    for column in wanted:
        differs = found[column] != wanted[column]
        if f"{table}.{column}" in LEFT_EMPTY:
            assert (found[column] == "").sum() == truth["empty_cells"][LEFT_EMPTY[f"{table}.{column}"]], column
            assert (found[column][differs] == "").all(), column
        elif f"{table}.{column}" in UNKNOWN_AT_FIRST:
            assert (found[column][differs] == "").all(), column
        else:
            assert not differs.any(), (column, found[column][differs].iloc[0], wanted[column][differs].iloc[0])


def test_every_bad_row_is_quarantined_by_its_rule_and_no_other_row_is(sample, truth):
    found = sample.quarantine.groupby(["table", "rule"]).size().to_dict()
    assert found == {(table, rule): count for table, rules in truth["dirt"].items() for rule, count in rules.items()}


def test_a_bad_row_is_told_with_its_file_and_line(sample):
    aside = sample.quarantine
    assert aside["line"].notna().all()
    assert aside["advice"].str.len().min() > 0
    last = aside[aside["file"] == "salesforce/Opportunity.csv.gz"]["line"]
    total = len(sample.accepted["opportunities"].opportunity_id.execute()) + len(last) + 1
    assert last.min() == total - len(last) + 1 and last.max() == total  # bad rows were planted at the end


def test_the_ledger_of_the_sample_balances(sample):
    ledger = sample.ledger
    assert (ledger["read"] == ledger["accepted"] + ledger["quarantined"] + ledger["excluded"]).all()
    assert set(ledger["table"]) == set(TABLES)
    assert set(ledger["source"]) == {"salesforce", "hubspot", "gainsight", "jira", "faturex", "planilhas"}


def test_every_shipped_select_says_what_it_does_in_its_first_line():
    files = sorted(SOURCES.glob("*/*.sql"))
    assert {file.parent.name for file in files} == {folder.parent.name for folder in SOURCES.glob("*/shapes.yml")}
    for file in files:
        assert file.stem in TABLES, file
        assert file.read_text(encoding="utf-8").startswith("-- "), file


@pytest.mark.skipif(not FIELDS.exists(), reason="third-party data folder is absent: ../shared/data/schemas")
def test_salesforce_exports_use_the_names_of_its_interface():
    """Standard fields exist in the object; the company's own end in __c; CurrencyIsoCode is there with many currencies."""
    objects = json.loads(FIELDS.read_text(encoding="utf-8"))["salesforce"]["objects"]
    for export in SALESFORCE:
        name = export.path.removeprefix("salesforce/").removesuffix(".csv.gz")
        own = {column for column in export.columns if column.endswith("__c")}
        assert set(export.columns) - own - {"CurrencyIsoCode"} <= set(objects[name]), name


def test_selects_read_a_warehouse_landing_without_the_companys_own_fields(opened):
    """Snake case, extra columns, custom fields missing: what is there is read, what is not is empty and said to be so."""
    landing = (
        "id,account_id,type,amount,created_date,close_date,stage_name,is_closed,is_won,forecast_category_name,_fivetran_synced\n"
        "006A,001A,New Business,1200.50,2026-01-05T12:00:00Z,2026-02-10,Closed Won,true,true,Closed,2026-03-01\n"
        "006B,001A,Existing Business,900,2026-01-06T12:00:00Z,2026-05-10,Proposal,false,false,Best Case,2026-03-01\n"
    )
    agreement = "name: Test S.A.\ncurrency: BRL\nsources:\n  crm:\n    path: crm\n    system: salesforce\n    time_zone: UTC\n"
    company = opened({"crm/opportunity.csv": landing}, agreement, as_of="2026-06-30")
    rows = company.accepted["opportunities"].to_pandas().set_index("opportunity_id")
    assert rows["status"].to_dict() == {"006A": "won", "006B": "open"}
    assert rows["kind"].to_dict() == {"006A": "new", "006B": "expansion"}
    assert rows["amount"].to_dict() == {"006A": 120050, "006B": 90000}
    assert rows["forecast_category"].to_dict() == {"006A": "closed", "006B": "best"}
    assert rows["lead_id"].isna().all()
    report = pd.read_parquet(cache_folder() / company.fingerprint / "_mapping.parquet").set_index("table")
    assert report.loc["opportunities", "status"] == "partial"
    assert "product_c" in report.loc["opportunities", "missing"] and "lead" in report.loc["opportunities", "missing"]
    assert report.loc["accounts", "status"] == "unavailable"


def test_a_jira_issue_gives_its_item_its_changes_and_its_link(opened):
    fields = {
        "summary": "Briefing",
        "issuetype": {"name": "Tarefa"},
        "project": {"key": "MKT"},
        "status": {"name": "Done"},
        "created": "2026-03-02T09:00:00.000-0300",
        "duedate": "2026-03-20",
        "resolutiondate": "2026-03-25T17:00:00.000-0300",
        "issuelinks": [{"type": {"name": "Blocks"}, "outwardIssue": {"key": "MKT-2"}}],
    }
    changes = (("10", "status", "To do", "Doing"), ("11", "duedate", "a", "b"), ("25", "status", "Doing", "Done"))
    histories = [
        {"created": f"2026-03-{day}T17:00:00.000-0300", "items": [{"field": field, "fromString": one, "toString": two}]}
        for day, field, one, two in changes
    ]
    issue = {"id": "10001", "key": "MKT-1", "fields": fields, "changelog": {"histories": histories}}
    other = {"id": "10002", "key": "MKT-2", "fields": {"summary": "Arte", "created": fields["created"]}, "changelog": {}}
    agreement = "name: Test S.A.\ncurrency: BRL\nsources:\n  jira:\n    path: jira\n"
    lines = "".join(json.dumps(x) + "\n" for x in (issue, other))
    company = opened({"jira/issues.jsonl": lines}, agreement, as_of="2026-06-30")
    item = company.accepted["work_items"].to_pandas().set_index("item_id").loc["MKT-1"]
    assert (str(item["started_at"]), str(item["done_at"])) == ("2026-03-10 20:00:00", "2026-03-25 20:00:00")
    moves = company.accepted["work_transitions"].to_pandas().sort_values("changed_at")
    assert moves[moves["item_id"] == "MKT-1"]["to_status"].tolist() == ["To do", "Doing", "Done"]
    assert company.accepted["work_links"].to_pandas()[["from_item_id", "to_item_id"]].values.tolist() == [["MKT-1", "MKT-2"]]
