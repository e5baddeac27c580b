"""Fix lists are in the shape that each system imports: its own record id, its own names of fields, nothing filled in."""

import csv

import pandas as pd
import pytest

from revops_helpers.review.fixes import FIXES, fixes_table, headers, headings, write_fixes
from revops_helpers.settings import Source
from revops_helpers.sources.entries import entries
from tests.folders import COMPANY, company_folder

FILES = {
    "crm/Opportunity.csv": (
        "Id,AccountId,OwnerId,Amount,Deal_Kind__c,CreatedDate,Status\n"
        "d1,a1,,10,new,2026-01-05,open\nd2,a1,u1,,,2026-01-05,open\nd3,a1,u1,10,new,2026-01-05,open\n"
    ),
    "crm/Account.csv": "Id;CNPJ__c\na1;\n",
    "crm/User.csv": "Id\nu1\n",
    "hub/contacts.csv": "hs_object_id,Owner,created\n=1,,2026-01-05\n",
    "s/opportunities.sql": (
        "select o.id as opportunity_id, o.account_id, o.owner_id, as_number(o.amount) as amount, o.deal_kind_c as kind,\n"
        "o.created_date as created_at, o.status, u.id as next_step from opportunity o left join user u on u.id = o.owner_id"
    ),
    "s/accounts.sql": "select id as account_id, cnpj_c as tax_id from account",
    "s/users.sql": 'select id as user_id from "user"',
    "h/leads.sql": "select hs_object_id as lead_id, owner as owner_id, created as created_at from contacts",
    "leads.csv": "lead_id,created_at,source\nl1,2026-01-05,\n",
}  # fmt: skip
SYSTEMS = "sources:\n  crm: {path: crm, selects: s, system: salesforce}\n  hubspot: {path: hub, selects: h}\n"


def table(file) -> list[list[str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.reader(stream))


def test_every_system_gets_the_records_that_fail_with_its_own_names_and_empty_cells(opened, tmp_path, monkeypatch):
    monkeypatch.setattr("revops_helpers.sources.entries.SHIPPED", tmp_path)
    (tmp_path / "salesforce").mkdir()
    (tmp_path / "salesforce" / "users.sql").write_text('select id as user_id from "user"')
    company = opened(FILES, COMPANY + SYSTEMS, as_of="2026-01-31")
    fixes = fixes_table(company)
    (out := tmp_path / "out").mkdir()
    written = [file.name for file in write_fixes(out, tmp_path / "data", company.settings, fixes)]
    assert written == ["fix_crm_accounts.csv", "fix_files_leads.csv", "fix_hubspot_leads.csv", "fix_crm_opportunities.csv"]
    assert table(out / "fix_crm_accounts.csv") == [["Id", "CNPJ__c", "To do"], ["a1", "", "accounts.CNPJ__c is empty"]]
    assert table(out / "fix_crm_opportunities.csv") == [
        ["Id", "OwnerId", "Deal_Kind__c", "To do"],
        ["d1", "", "", "opportunities.OwnerId is empty"],
        ["d2", "", "", "opportunities.amount is empty; opportunities.Deal_Kind__c is empty"],
    ]
    assert table(out / "fix_hubspot_leads.csv")[0] == ["Record ID", "Owner", "To do"]
    assert table(out / "fix_hubspot_leads.csv")[1][0] == "'=1"  # no formula
    assert table(out / "fix_files_leads.csv")[0] == ["lead_id", "source", "owner_id", "To do"]


def test_a_record_that_stands_twice_is_listed_without_a_field_to_fill(opened, tmp_path):
    files = {"leads.csv": "lead_id,email,created_at\nl1,ana@x.com,2026-01-05\nl2,ana@x.com,2026-01-05\n"}
    company = opened(files, as_of="2026-01-31")
    write_fixes(tmp_path, tmp_path / "data", company.settings, fixes_table(company))
    assert table(tmp_path / "fix_files_leads.csv") == [["lead_id", "To do"], ["l2", "leads.email stands in another record too"]]


def test_where_nothing_fails_or_nothing_can_be_asked_there_is_no_list(opened, tmp_path):
    company = opened({"users.csv": "user_id\nu1\n"}, as_of="2026-01-31")
    fixes = fixes_table(company)
    assert fixes.empty and list(fixes.columns) == list(FIXES)
    assert write_fixes(tmp_path, tmp_path / "data", company.settings, fixes) == []


@pytest.mark.parametrize(
    "select",
    [
        "select 'x' || id || 'y' as account_id, cnpj_c as tax_id from account",
        "select id as account_id from account union all select id from user",
        "with a as (select id from account) select id as account_id from a",
    ],
)
def test_a_record_whose_id_the_system_would_not_know_is_in_no_list(tmp_path, select):
    folder = company_folder(tmp_path, {**FILES, "s/accounts.sql": select})
    from revops_helpers.settings import Settings

    agreed = Settings(name="T", currency="BRL", sources={"crm": Source(path="crm", selects="s")})
    assert headings(entries(folder, agreed)[0], "accounts") == {}


@pytest.mark.parametrize(
    ("content", "encoding", "found"),
    [
        ("Início;Valor (R$)\n".encode("cp1252"), "auto", ["Início", "Valor (R$)"]),
        ("\ufeffId\tÁrea\n".encode("utf-16"), "auto", ["Id", "Área"]),
        ('"Nome, completo",Id\r\n1,2\r\n'.encode("utf-8-sig"), "auto", ["Nome, completo", "Id"]),
        ("São\n".encode("latin-1"), "latin-1", ["São"]),
        (b"", "auto", []),
    ],
)
def test_names_of_fields_are_read_as_they_are_written(tmp_path, content, encoding, found):
    (tmp_path / "x.csv").write_bytes(content)
    assert [name.lstrip("\ufeff") for name in headers(tmp_path / "x.csv", encoding)] == found
    assert headers(tmp_path / "x.parquet", encoding) == []


def test_the_frame_survives_parquet_when_it_is_empty(tmp_path):
    pd.DataFrame(columns=list(FIXES)).to_parquet(tmp_path / "f.parquet", index=False)
    assert list(pd.read_parquet(tmp_path / "f.parquet").columns) == list(FIXES)
