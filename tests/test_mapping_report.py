"""The mapping report tells what fills what, what finds what, what a gap would unlock, and fails on what is broken."""

import json

import pytest
from click.testing import CliRunner

from revops_helpers.cli import main
from revops_helpers.foundation.filled import Filled, cased, filled
from revops_helpers.words.messages import use
from tests.folders import COMPANY, company_folder

SOURCES = "sources:\n  crm: {path: crm, selects: sc}\n  bill: {path: bill, selects: sb}\n"
FILES = {
    "crm/Account.csv": "Id,Name,Fax,Region\na1,Acme,1,\na2,Beta,2,\n",
    "crm/Notes.csv": "x\n1\n",
    "crm/Opportunity.csv": "Id,AccountId,OwnerId,Created\nd1,a1,,2026-03-01\nd2,a9,,2026-03-20\n",
    "bill/Lines.csv": "Id,Customer,MRR,Start\ns1,a1,10.00,2026-01-05\ns2,a2,10.00,2026-01-05\ns3,,10.00,2026-01-05\n",
    "sc/accounts.sql": "select id as account_id, name, region from account",
    "sc/opportunities.sql": "select id as opportunity_id, account_id, owner_id, created as created_at from opportunity",
    "sc/users.sql": 'select id as user_id from "user"',
    "sb/subscriptions.sql": "select id as subscription_id, customer as account_id, mrr, start as starts_on from lines",
}


@pytest.fixture
def report(tmp_path, monkeypatch):
    """report(option, …, more=keys of company.yml, files=…): `revops sources check` at the end of March, run."""
    monkeypatch.setenv("REVOPS_CACHE", str(tmp_path / "cache"))

    def of(*options: str, more: str = "", files=FILES, sources: str = SOURCES):
        folder = company_folder(tmp_path / "data", files, COMPANY + more + sources)
        return CliRunner().invoke(main, ["sources", "check", str(folder), "--as-of", "2026-03-31", *options])

    yield of
    use("en")


def lines(text: str) -> list[list[str]]:
    return [line.replace("\u00a0", " ").split() for line in text.splitlines()]


def test_what_is_mapped_empty_unread_and_found_is_counted_by_hand(opened):
    found = filled(opened(FILES, COMPANY + SOURCES, as_of="2026-03-31"))
    of_accounts = found.fields[found.fields["table"] == "accounts"]
    assert of_accounts[["column", "rows", "filled"]].to_numpy().tolist() == [
        ["account_id", 2, 2], ["name", 2, 2], ["region", 2, 0],
    ]  # fmt: skip
    assert found.empty("accounts") == ["region"] == found.empty("accounts", "crm")
    assert found.empty("opportunities") == ["owner_id"] and found.empty("subscriptions") == []
    assert found.references.to_numpy().tolist() == [
        ["opportunities", "crm", "account_id", "accounts", 2, 1],
        ["subscriptions", "bill", "account_id", "accounts", 2, 2],
    ]


def test_without_sources_nothing_is_filled_and_a_header_alone_is_not_empty(opened):
    from tests.support import company_of

    assert len(filled(company_of(accounts=[{"account_id": "a"}])).fields) == 0
    header = filled(opened({"accounts.csv": "account_id,name\n", "leads.csv": "lead_id,created_at\nl1,2026-01-01\n"}))
    assert header.empty("accounts") == [] and header.fields["table"].tolist() == ["leads", "leads"]


def test_the_report_shows_every_gap_and_what_it_would_unlock(report):
    ended = report()
    assert ended.exit_code == 0, ended.output
    said = lines(ended.stdout)
    assert ["crm", "columns", "account.fax"] in said and ["crm", "files", "Notes.csv"] in said
    assert ["opportunities.account_id", "crm", "accounts", "2", "1", "50%"] in said
    assert ["users", "crm", "not", "filled", "0", "of", "10", "crm.user"] in said
    assert ["subscription", "→", "account", "by", "key", "2", "2", "100%"] in said
    assert ["crm", "20", "Mar", "2026", "11", "no", "limit", "given"] in said
    (leads,) = (line for line in said if line[:1] == ["leads"])
    assert "more" in leads and "02_process_alignment," in leads


def test_the_same_report_is_there_in_portuguese_and_for_programs(report):
    assert "Referências que encontram seu registro" in report("--language", "pt_BR").stdout
    told = json.loads(report("--json").stdout)
    assert told["broken"] == [] and told["ages"][0]["days"] == 11
    gap = next(gap for gap in told["gaps"] if gap["needs"] == "leads")
    assert "lead_to_opportunity" in gap["metrics"] and "02_process_alignment" in gap["reports"]
    assert not [gap for gap in told["gaps"] if gap["needs"] in ("accounts", "opportunities")]


# ---- bad landings: each is in the report, with what to do


LANDED = "sources:\n  crm: {path: crm}\n  hub: {path: hub}\n"
ONE_ID = {
    "crm/accounts.csv": "account_id,name,segment,tax_id\n1001,Acme,SMB,11222333000181\n1002,Beta,SMB,\n",
    "hub/accounts.csv": "account_id,name,segment,tax_id\n1001,Other,SMB,\nH7,Acme SA,Enterprise,11222333000181\n",
    "crm/opportunities.csv": "opportunity_id,account_id,created_at\nD1,1001,2026-01-05\nD1,1001,2026-01-06\n",
    "hub/opportunities.csv": "opportunity_id,account_id,created_at\nD1,1001,2026-02-05\nd9,h7,2026-02-05\n",
    "crm/opportunity_history.csv": "opportunity_id,changed_at,stage\nD1,2026-01-05,Open\nD5,2026-01-05,Open\n",
}
TWO_WAYS = (
    "if not, put a prefix before the ids of one source in its SELECTs, such as 'hub-' || id, also where they are referred to"
)
HERE = "the key stands in a row of crm too, which stays, and references lead to it: if both are one record, "


@pytest.fixture
def landed(opened):
    return opened(ONE_ID, COMPANY + LANDED, as_of="2026-03-31")


def test_one_id_in_two_systems_is_refused_with_both_ways_out_and_twice_in_one_system_with_one(landed):
    twice = landed.quarantine[landed.quarantine["rule"] == "duplicate key"]
    assert twice[["table", "source", "line", "advice"]].to_numpy().tolist() == [
        ["accounts", "hub", 2, f"{HERE}give this one an id of its own and name the other in same_as; {TWO_WAYS}"],
        ["opportunities", "crm", 3, "the key stands in an earlier row, which stays; remove one of the two"],
        ["opportunities", "hub", 2, f"{HERE}leave one of them out; {TWO_WAYS}"],
    ]


def test_both_ways_out_of_one_id_in_two_systems_lead_there(opened):
    selects = {
        "raw/account.csv": ONE_ID["hub/accounts.csv"],
        "raw/deal.csv": ONE_ID["hub/opportunities.csv"],
        "sql/opportunities.sql": "select 'hub-' || opportunity_id as opportunity_id, 'hub-' || account_id as account_id, "
        "created_at from deal",
    }
    crm = {name: text for name, text in ONE_ID.items() if name.startswith("crm/")}
    for one, accounts, same in (
        ("select 'hub-' || account_id as account_id, name from account", 4, None),
        ("select 'hub-' || account_id as account_id, name, nullif(account_id, 'H7') as same_as from account", 3, "1001"),
    ):
        files = crm | selects | {"sql/accounts.sql": one}
        company = opened(files, COMPANY + "sources:\n  crm: {path: crm}\n  hub: {path: raw, selects: sql}\n", as_of="2026-03-31")
        assert company.quarantine[company.quarantine["source"] == "hub"].empty
        assert company.table("accounts").count().execute() == accounts
        deals = company.table("opportunities").execute().set_index("opportunity_id")["account_id"]
        assert deals.to_dict() == {"D1": "1001", "hub-D1": same or "hub-1001", "hub-d9": "hub-h7"}


def test_references_that_miss_by_capitals_alone_are_counted_apart(landed):
    found = filled(landed)
    assert cased(landed, found).to_numpy().tolist() == [["opportunities", "hub", "account_id", "accounts", 1]]
    whole = found.references[found.references["source"] == "crm"]
    assert cased(landed, Filled(found.fields, whole)).empty


def test_bad_landings_are_in_the_report_with_what_to_do(report):
    ended = report(more="", files=ONE_ID, sources=LANDED)
    assert ended.exit_code == 0, ended.output
    said = ended.stdout.replace("\u00a0", " ")
    assert f"{HERE}give this one an id of its own" in said and TWO_WAYS in said
    assert "opportunity_id names no accepted row of opportunities; export that row too, or correct it" in said
    assert ["opportunities.account_id", "hub", "accounts", "1"] in [line[:4] for line in lines(said)]
    assert "bring the ids of both to one case in a SELECT, such as upper(id)" in said
    assert "1001: crm SMB, hub Enterprise" in said  # the two systems disagree on the one company


def test_the_advice_is_there_in_portuguese_and_for_programs(report):
    said = report("--language", "pt_BR", files=ONE_ID, sources=LANDED).stdout
    assert "a chave também está em uma linha de crm" in said and "'hub-' || id" in said and "the key stands" not in said
    told = json.loads(report("--json", files=ONE_ID, sources=LANDED).stdout)
    assert [one["rows"] for one in told["refused"] if one["rule"] == "orphan"] == [1]
    assert told["cased"] == [
        {"table": "opportunities", "source": "hub", "column": "account_id", "to": "accounts", "references": 1}
    ]


BROKEN = {
    "what is required, is old or is half there": (
        "required: [leads, accounts.region, opportunities.stage]\nfreshness: {bill: {fail: 80}}\n",
        {
            "crm/Lead.csv.part": "id\n",
            "sc/opportunities.sql": "select o.id as opportunity_id, s.x as stage from opportunity o left join stages s on true",
        },
        [
            "leads is required, and no source fills it",
            "accounts.region is required, and every row leaves it empty",
            "opportunities is required, and crm lacks crm.stages",
            "bill: the newest record is of 5 Jan 2026, 85 days old, where 80 are allowed",
            "crm: Lead.csv.part has not arrived whole",
        ],
    ),
    "headers alone": (
        "required: [accounts]\n",
        {"crm/Account.csv": "Id,Name\n", "bill/Lines.csv": "Id,Customer,MRR,Start\n"},
        ["accounts is required, and the export of crm has no row", "bill: no row has arrived from it"],
    ),
    "a table of which every row is refused": (
        "",
        {"bill/Lines.csv": "Id,Customer,MRR,Start\ns1,a1,many,2026-01-05\n"},
        ["subscriptions: all 1 rows were refused"],
    ),
    "a SELECT that is none": (
        "",
        {"sc/opportunities.sql": "select id as opportunity_id, sum( as x from opportunity"},
        ["not readable as SQL"],
    ),
    "a required column that is not given": (
        "",
        {"sb/subscriptions.sql": "select id as subscription_id from lines"},
        ["column 'account_id' is missing"],
    ),
}


@pytest.mark.parametrize(("more", "files", "said"), BROKEN.values(), ids=BROKEN)
def test_what_is_required_and_broken_is_said_and_exits_2(report, more, files, said):
    ended = report(more=more, files=FILES | files)
    errors = ended.stderr.replace("\u00a0", " ")
    assert ended.exit_code == 2 and "Traceback" not in errors
    assert [text for text in said if text not in errors] == []


def test_a_requirement_of_nothing_in_the_model_is_refused_with_its_line(report):
    ended = report(more="required: [acounts]\n")
    assert ended.exit_code == 2 and "line 3: required of neither" in ended.stderr and "'accounts'" in ended.stderr
