"""The mapping report tells what fills what, what finds what, what a gap would unlock, and fails on what is broken."""

import json

import pytest
from click.testing import CliRunner

from revops_helpers.cli import main
from revops_helpers.foundation.filled import filled
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

    def of(*options: str, more: str = "", files=FILES):
        folder = company_folder(tmp_path / "data", files, COMPANY + more + SOURCES)
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
