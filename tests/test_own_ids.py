"""Two systems count from 1 alike: their records stay apart, each gets its own ids back, and what a CRM holds comes from it."""

from __future__ import annotations

import csv

import pytest

from revops_helpers.review.fixes import fixes_table, headings, write_fixes
from revops_helpers.review.forget import exports_with, subject_of
from revops_helpers.sources.entries import entries
from revops_helpers.sources.selects import parse, prefixes
from revops_helpers.words.names import record
from tests.folders import company_folder

AGREED = """\
name: Test S.A.
currency: BRL
record_url: {outreach: "https://out.example/{id}", salesloft: "https://loft.example/{id}"}
sources:
  marketo: {path: marketo, time_zone: UTC, decimal: ".", dates: ymd}
  outreach: {path: outreach, time_zone: UTC, decimal: ".", dates: ymd}
  salesloft: {path: salesloft, time_zone: UTC, decimal: ".", dates: ymd}
"""
# Mara is 1001 of Marketo, Otto 1001 of Outreach; both sales tools have a call 9 and a person 1, who are two people.
FILES = {
    "marketo/leads.csv": (
        "id,firstName,email,createdAt,sfdcLeadId\n1001,Mara,mara@m.example,2026-01-06T12:00:00Z,\n"
        "1002,Iva,iva@m.example,2026-01-06T12:00:00Z,00Q1G00000nDnM5\n"
    ),
    "outreach/prospects.csv": (
        "id,firstName,emails,accountId,ownerId,createdAt\n1001,Otto,otto@o.example,77,1,2026-02-06T12:00:00Z\n"
        "1002,Nils,nils@o.example,,,2026-02-06T12:00:00Z\n"
    ),
    "outreach/accounts.csv": "id,name,customId\n77,Sol,\n78,Lua,0015500000Xyy06\n",
    "outreach/calls.csv": "id,direction,dialedAt,prospectId,userId\n9,outbound,2026-02-07T12:00:00Z,1001,1\n",
    "outreach/users.csv": "id,name,email,title\n1,Ana,ana@x.example,SDR\n",
    "salesloft/calls.csv": "id,created_at,duration,called_person_id,user_id\n9,2026-02-08T12:00:00Z,60,,1\n",
    "salesloft/users.csv": "id,name,email,job_role\n1,Bo,bo@x.example,SDR\n",
}


def column(company, table: str, name: str) -> set[str]:
    return set(company.accepted[table][name].to_pandas().dropna())


def test_records_of_two_systems_with_one_number_stay_apart_and_references_lead_to_their_own(opened):
    company = opened(FILES, AGREED, as_of="2026-06-30")
    assert company.quarantine.empty
    assert column(company, "leads", "lead_id") == {"marketo-1001", "00Q1G00000nDnM5UAK", "outreach-1001", "outreach-1002"}
    assert column(company, "users", "user_id") == {"outreach-1", "salesloft-1"}
    calls = company.accepted["activities"].to_pandas().set_index("activity_id")
    assert calls.loc["outreach-call-9", ["lead_id", "user_id"]].tolist() == ["outreach-1001", "outreach-1"]
    assert calls.loc["salesloft-call-9", "user_id"] == "salesloft-1"


def test_fix_lists_and_addresses_give_each_system_its_own_ids(opened, tmp_path):
    company = opened(FILES, AGREED, as_of="2026-06-30")
    (out := tmp_path / "out").mkdir()
    write_fixes(out, tmp_path / "data", company.settings, fixes_table(company))
    with (out / "fix_outreach_leads.csv").open(newline="", encoding="utf-8") as stream:
        head, *rows = csv.reader(stream)
    assert (head[0], [row[0] for row in rows]) == ("id", ["1002"]) and "ownerId" in head
    with (out / "fix_marketo_leads.csv").open(newline="", encoding="utf-8") as stream:
        assert [row[0] for row in csv.reader(stream)] == ["id", "1001"]  # Iva is known by the CRM's id alone
    assert record(company, "accounts", "outreach-77").html == '<a href="https://out.example/77">outreach-77</a>'
    assert "https://out.example/0015500000Xyy06AAB" in record(company, "accounts", "0015500000Xyy06AAB").html


@pytest.mark.parametrize("told", ["1001", "outreach-1001"])
def test_a_person_is_found_by_the_number_and_by_the_id_that_a_review_shows(tmp_path, told):
    data = company_folder(tmp_path, FILES, AGREED)
    subject = subject_of(str(data), told)
    assert subject.stands_in("outreach-1001") and not subject.stands_in("outreach-1002")
    found = {file.relative_to(data).as_posix(): lines for file, lines in exports_with(str(data), subject)}
    mine = {"outreach/prospects.csv": [2], "outreach/calls.csv": [2]}
    assert found == (mine | {"marketo/leads.csv": [2]} if told == "1001" else mine)


def test_what_stands_before_an_id_is_read_from_the_select_in_each_branch():
    def found(text: str) -> tuple[str, ...]:
        return prefixes(parse(text, "leads", "x"), "lead_id")

    assert found("select 'hub-' || p.id as lead_id from p") == ("hub-",)
    assert found("select coalesce(p.crm, 'hub-' || p.id) as lead_id from p union all select 'b-' || q.id from q") == (
        "hub-",
        "b-",
    )
    for none in ("p.id", "upper(p.id)", "p.id || '-x'", "'a-' || p.id || '-b'", "coalesce('a', p.id)"):
        assert found(f"select {none} as lead_id from p") == ()
    assert prefixes(parse("select 'a-' || p.id as other from p", "leads", "x"), "lead_id") == ()


def test_a_prefix_of_a_companys_own_select_is_taken_off_too(opened, tmp_path):
    select = "select 'x-' || id as account_id, cnpj_c as tax_id from account"
    files = {"crm/Account.csv": "Id,CNPJ__c\n1,\n", "s/accounts.sql": select}
    company = opened(files, "name: T\ncurrency: BRL\nsources:\n  crm: {path: crm, selects: s}\n", as_of="2026-01-31")
    (entry,) = (one for one in entries(tmp_path / "data", company.settings) if one.name == "crm")
    assert headings(entry, "accounts") == {"account_id": "Id", "tax_id": "CNPJ__c"}
    assert list(fixes_table(company)["id"]) == ["1"]


# ---- HubSpot as the CRM: what it holds comes from there, as with Salesforce

HUB = """\
name: Test S.A.
currency: BRL
sources:
"""
HUB += "".join(
    f'  {name}: {{path: {name}, time_zone: UTC, decimal: ".", dates: ymd}}\n'
    for name in ("hubspot", "outreach", "salesloft", "churnzero", "jira", "marketo")
)
# Caio is 101, Duda 102 and known to Salesforce by 00Q…; Sol is 901. Others call them by these ids and by their own.
HELD = {
    "hubspot/contacts.csv": (
        "id,firstname,email,createdate,salesforceleadid\n101,Caio,caio@sol.example,2026-01-10,\n"
        "102,Duda,duda@lua.example,2026-01-11,00Q1G00000nDnM5\n"
    ),
    "hubspot/companies.csv": "id,name,createdate\n901,Sol,2026-01-05\n",
    "hubspot/owners.csv": "id,email\n71,ana@x.example\n",
    "hubspot/deals.csv": "id,dealname,createdate,dealstage\n501,Sol,2026-02-05,qualifiedtobuy\n",
    "outreach/prospects.csv": "id,firstName,externalId,createdAt\n11,Caio,101,2026-01-12\n12,Nils,999,2026-01-12\n",
    "outreach/calls.csv": "id,dialedAt,prospectId,userId\n9,2026-02-07T12:00:00Z,11,1\n8,2026-02-07T12:00:00Z,12,1\n",
    "outreach/opportunities.csv": "id,name,createdAt\n51,Sol,2026-02-05\n",
    "salesloft/people.csv": "id,first_name,crm_id,created_at\n61,Duda,102,2026-01-13\n",
    "salesloft/accounts.csv": "id,name,crm_id,created_at\n77,Sol,901,2026-01-13\n78,Lua,,2026-01-13\n",
    "salesloft/calls.csv": "id,created_at,duration,called_person_id,user_id\n9,2026-02-08T12:00:00Z,60,61,1\n",
    "churnzero/accounts.csv": "AccountExternalId,Name,OwnerUserAccount\n901,Sol,\nC9,Mar,ANA@x.example\n",
    "jira/issues.csv": "Issue key,Status,Created,Assignee Email,Assignee\nM-1,Done,2026-03-02,ANA@x.example,a-1\n",
    "marketo/leads.csv": "id,firstName,sfdcLeadId,createdAt\n1,Duda,00Q1G00000nDnM5,2026-01-12\n2,Mara,,2026-01-12\n",
}  # fmt: skip


def test_what_hubspot_holds_comes_from_there_and_others_refer_to_it(opened):
    company = opened(HELD, HUB, as_of="2026-06-30")
    assert company.quarantine.empty
    assert column(company, "leads", "lead_id") == {"101", "00Q1G00000nDnM5UAK", "outreach-12", "marketo-2"}
    assert column(company, "accounts", "account_id") == {"901", "salesloft-78", "C9"}
    assert column(company, "accounts", "owner_id") == {"71"}
    assert column(company, "opportunities", "opportunity_id") == {"501"}
    assert column(company, "work_items", "assignee_id") == {"71"}
    calls = company.accepted["activities"].to_pandas().set_index("activity_id")["lead_id"].to_dict()
    assert calls == {"outreach-call-9": "101", "outreach-call-8": "outreach-12", "salesloft-call-9": "00Q1G00000nDnM5UAK"}
