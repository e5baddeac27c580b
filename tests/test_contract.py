"""Each row is accepted, set aside with its rule, or excluded by the date; the ledger proves it. Bad input gets one message."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revops_helpers.metrics.measure import measurements
from revops_helpers.model.contract import order
from revops_helpers.model.ledger import balance, data_ends_on
from revops_helpers.model.rules import RULES
from revops_helpers.model.tables import TABLES
from revops_helpers.settings import InputError
from revops_helpers.workspace import open_company
from tests.folders import company_folder, ledger_of, rules_of

DEALS = "opportunity_id,account_id,kind,amount,currency,created_at,closed_at,status,close_date\n"
GOOD = "d1,a1,new,100.00,BRL,2026-01-05T10:00:00Z,2026-02-01T10:00:00Z,won,2026-02-01\n"


def one_bad_row(row: str) -> dict:
    return {"opportunities.csv": DEALS + GOOD + row}


@pytest.mark.parametrize(
    ("row", "column", "rule"),
    [
        ("d2,a1,new,abc,BRL,2026-01-05,,open,\n", "amount", "not an amount"),
        ("d2,a1,new,-5,BRL,2026-01-05,,open,\n", "amount", "below the minimum"),
        ("d2,a1,new,5,BRL,2026-02-30,,open,\n", "created_at", "not a time"),
        ("d2,a1,new,5,BRL,2026-01-05,,open,soon\n", "close_date", "not a day"),
        ("d2,a1,new,5,BRL,0206-01-05,,open,\n", "created_at", "impossible date"),
        ("d2,a1,new,5,BRL,2026-01-05,,maybe,\n", "status", "unknown word"),
        (",a1,new,5,BRL,2026-01-05,,open,\n", "opportunity_id", "required value missing"),
        ("d1,a1,new,5,BRL,2026-01-05,,open,\n", "opportunity_id", "duplicate key"),
        ("d2,a1,new,5,BRL,2026-01-05,2026-01-04,lost,\n", "closed_at", "out of order"),
        ("d2,a1,new,5,BRL,2026-01-05,,won,\n", "closed_at", "closed without a day"),
        ("d2,a1,new,5,ARS,2026-01-05,,open,\n", "currency", "no exchange rate"),
        ("d2,a1,new,5,reais,2026-01-05,,open,\n", "currency", "not a currency"),
        ("d2,a1,new,5\n", "", "ragged row"),
        ("d2,a1,new,5,BRL,2026-01-05,,open,,more\n", "", "ragged row"),
        ("d2,a\0,new,5,BRL,2026-01-05,,open,\n", "", "NUL byte"),
    ],
)
def test_a_row_that_breaks_a_rule_is_set_aside_with_its_line_and_text(opened, row, column, rule):
    company = opened(one_bad_row(row), as_of="2026-09-30")
    assert rules_of(company) == [("opportunities.csv", 3, column, rule)]
    assert rule in RULES
    (set_aside,) = company.quarantine.itertuples()
    assert set_aside.advice
    assert json.loads(set_aside.raw)
    assert ledger_of(company, "opportunities") == (2, 1, 1, 0)
    assert ledger_of(company, "opportunities", "BRL")[1] == 100_00
    assert company.table("opportunities").opportunity_id.execute().tolist() == ["d1"]


def test_a_credit_note_among_subscription_lines_is_set_aside_with_its_money_and_moves_nothing(opened):
    lines = "subscription_id,account_id,mrr,starts_on,ends_on\ns1,a1,1000,2025-01-10,\nfree,a2,0,2025-01-10,\n"
    notes = "c1,a1,-1000,2026-07-10,2026-08-10\nc2,a1,-300,2026-07-10,2026-08-10\n"
    company = opened({"subscriptions.csv": lines + notes}, as_of="2026-09-30")
    assert rules_of(company) == [("subscriptions.csv", n, "mrr", "below the minimum") for n in (4, 5)]
    assert set(company.quarantine.advice) == {"a credit note is no line: take it off the mrr of the line that it corrects"}
    assert ledger_of(company, "subscriptions", "BRL") == (-300_00, 1_000_00, -1_300_00, 0)
    moved = measurements(company, ["arr", "churned_arr", "new_arr", "expansion_arr", "contraction_arr"])
    assert [m.value for m in moved.values()] == [12_000_00, 0, 0, 0, 0]


def test_orphans_of_an_owner_are_set_aside_and_soft_references_are_not(opened):
    files = {
        "opportunities.csv": DEALS + GOOD.replace("a1", "nobody"),
        "opportunity_history.csv": "opportunity_id,changed_at,stage\nd1,2026-01-05,s\nd9,2026-01-05,s\n,2026-01-05,s\n",
        "accounts.csv": "account_id\na1\n",
    }
    company = opened(files, as_of="2026-09-30")
    assert rules_of(company) == [
        ("opportunity_history.csv", 3, "opportunity_id", "orphan"),
        ("opportunity_history.csv", 4, "opportunity_id", "required value missing"),
    ]
    assert ledger_of(company, "opportunities") == (1, 1, 0, 0)


def test_a_row_whose_owner_was_set_aside_is_an_orphan_too(opened):
    files = {
        "opportunities.csv": DEALS + GOOD + "d2,a1,new,x,BRL,2026-01-05,,open,\n",
        "opportunity_history.csv": "opportunity_id,changed_at,stage\nd2,2026-01-05,s\n",
    }
    assert rules_of(opened(files, as_of="2026-09-30"))[1:] == [("opportunity_history.csv", 2, "opportunity_id", "orphan")]


def test_of_two_rows_with_one_key_the_first_stays_and_empty_parts_of_a_key_are_equal(opened):
    targets = "period_start,period_end,metric,segment,value\n" + "2026-01-01,2026-01-31,arr,{},{}\n" * 4
    company = opened({"targets.csv": targets.format("", 1, "SMB", 2, "", 3, " ", 4)}, as_of="2026-09-30")
    assert [(line, rule) for _, line, _, rule in rules_of(company)] == [(4, "duplicate key"), (5, "duplicate key")]
    assert sorted(company.table("targets").value.execute()) == [1, 2]


def test_values_arrive_in_the_models_types_and_units(opened):
    rows = DEALS + "d1, a1 , NEW ,R$ 1234.5,brl,2026-01-05T10:00:00-03:00,,Open,2026-02-01\n"
    rows += "d2,a1,new,0.005,,2026-01-05,,lost,2026-01-05\n"
    company = opened({"opportunities.csv": rows}, as_of="2026-09-30")
    one, two = company.table("opportunities").order_by("opportunity_id").execute().to_dict("records")
    assert (one["account_id"], one["kind"], one["amount"], one["currency"], one["status"]) == (
        "a1",
        "new",
        1234_50,
        "BRL",
        "open",
    )
    assert one["created_at"] == pd.Timestamp("2026-01-05 13:00")
    assert (two["amount"], two["currency"]) == (1, "BRL")  # half up; no currency is the reporting one
    assert two["created_at"] == pd.Timestamp("2026-01-05 03:00")  # a day alone starts where the company is
    assert two["closed_at"] == two["created_at"]  # a closed deal without a time closed on its close date


def test_a_closing_day_on_the_day_of_opening_is_no_disorder(opened):
    company = opened(one_bad_row("d2,a1,new,5,BRL,2026-01-05T15:00:00Z,2026-01-05,lost,\n"), as_of="2026-09-30")
    deal = company.table("opportunities").filter(lambda t: t.opportunity_id == "d2").execute().iloc[0]
    assert deal["closed_at"] == deal["created_at"]


def test_months_given_by_their_last_day_are_the_month(opened):
    company = opened({"financials.csv": "month,revenue\n2026-01-31,10\n2026-02,20\n03/2026,30\n"}, as_of="2026-09-30")
    assert [str(day)[:10] for day in company.table("financials").month.execute()] == ["2026-01-01", "2026-02-01", "2026-03-01"]


@pytest.mark.parametrize(
    ("rate", "refused"), [({}, True), ({"company": "plan_rates: {USD: 5.0}\n"}, False), ({"fx": "USD,2026-01-01,5\n"}, False)]
)
def test_a_foreign_currency_needs_a_rate_of_the_plan_or_of_a_month(opened, rate, refused):
    files = one_bad_row("d2,a1,new,5,USD,2026-01-05,,open,\n")
    if "fx" in rate:
        files["fx_rates.csv"] = "currency,month,rate_to_reporting\n" + rate["fx"]
    company = opened(files, "name: T\ncurrency: BRL\n" + rate.get("company", ""), as_of="2026-09-30")
    assert ledger_of(company, "opportunities") == (2, 2 - refused, int(refused), 0)
    assert ledger_of(company, "opportunities", "USD") == (500, 500 * (not refused), 500 * refused, 0)


def test_the_ledger_excludes_what_comes_after_the_date_in_rows_and_money(opened):
    company = opened(one_bad_row("d2,a1,new,7.50,BRL,2026-03-01,,open,\n"), as_of="2026-02-28")
    assert ledger_of(company, "opportunities") == (2, 1, 0, 1)
    assert ledger_of(company, "opportunities", "BRL") == (107_50, 100_00, 0, 7_50)


def test_a_ledger_that_does_not_balance_stops():
    reads = pd.DataFrame([("leads", "s", "rows", 3, 1)], columns=["table", "source", "unit", "read", "quarantined"])
    days = pd.DataFrame(
        [("leads", "s", "rows", pd.Timestamp("2026-01-01"), 1)], columns=["table", "source", "unit", "day", "accepted"]
    )
    with pytest.raises(AssertionError, match="does not balance"):
        balance(reads, days, pd.Timestamp("2026-02-01").date())


def test_the_ledger_counts_what_the_tables_show_for_every_table(tmp_path, monkeypatch):
    """Two ways to one number: the days that ingest noted, and the as-of filter on the rows. One row a month of each table."""
    monkeypatch.setenv("REVOPS_CACHE", str(tmp_path / "cache"))
    files = {}
    for spec in TABLES.values():
        columns = [c for c in spec.columns if not c.owned or c.name in spec.key]
        rows = [",".join(_cell(c, month) for c in columns) for month in range(1, 13)]
        files[f"{spec.name}.csv"] = ",".join(c.name for c in columns) + "\n" + "\n".join(rows) + "\n"
    folder = company_folder(tmp_path / "data", files)
    seen = 0
    for as_of in ("2025-01-31", "2025-06-14", "2025-09-30", "2026-01-31"):
        company = open_company(folder, as_of=as_of)
        for name in TABLES:
            read, accepted, quarantined, excluded = ledger_of(company, name)
            assert read == 12 == accepted + quarantined + excluded
            assert accepted == company.table(name).count().execute(), name
            seen += excluded
    assert seen > 100


def _cell(column, month: int) -> str:
    if column.allowed:
        return column.allowed[month % len(column.allowed)] if column.name != "status" else "open"
    return {
        "text": "BRL" if column.name == "currency" else f"k{month}",
        "date": f"2025-{month:02d}-01",
        "time": f"2025-{month:02d}-01T02:00:00Z",
        "flag": "true",
    }.get(column.type, str(month))


def test_tables_are_checked_after_what_owns_them():
    found = order(set(TABLES))
    assert sorted(found) == sorted(TABLES)
    assert found[0] == "fx_rates"
    for table in TABLES.values():
        for column in table.columns:
            if column.owned:
                assert found.index(column.refers.partition(".")[0]) <= found.index(table.name)


dirt = st.sampled_from(
    [
        "",
        "x",
        "1",
        "2.50",
        "-3",
        "1e3",
        "12%",
        "R$ 4",
        "9" * 25,
        "nan",
        "2026-01-02",
        "2026-13-01",
        "won",
        "USD",
        "ARS",
        "BRL",
        '"',
        "é",
    ]
)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(dirt, min_size=8, max_size=10), max_size=12))
def test_whatever_the_dirt_every_row_and_cent_is_somewhere(tmp_path_factory, monkeypatch, rows):
    folder = tmp_path_factory.mktemp("dirt")
    monkeypatch.setenv("REVOPS_CACHE", str(folder / "cache"))
    text = DEALS + GOOD + "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows)
    company = open_company(company_folder(folder, {"opportunities.csv": text}), as_of="2026-01-31")
    read, accepted, quarantined, excluded = ledger_of(company, "opportunities")
    assert read == len(rows) + 1 == accepted + quarantined + excluded
    assert quarantined == len(company.quarantine)
    money = company.ledger[company.ledger["unit"] != "rows"]
    assert (money["read"] == money["accepted"] + money["quarantined"] + money["excluded"]).all()


def test_a_stray_date_beyond_the_rest_does_not_say_where_the_data_ends():
    days = pd.date_range("2026-01-01", "2026-06-30")
    moments = pd.DataFrame({"table": "leads", "day": [*days, pd.Timestamp("2062-01-01")], "rows": [3] * len(days) + [1]})
    first, last = data_ends_on(pd.DataFrame(columns=["unit", "day", "accepted"]), moments)
    assert (str(first), str(last)) == ("2026-01-01", "2026-06-30")


# ---- what cannot be read at all


HOSTILE = {
    "no company.yml key": ({"leads.csv": "lead_id,created_at\n"}, "name: T\n", "company.yml, line 1: key 'currency' is missing"),
    "misspelt key": (
        {"leads.csv": "lead_id,created_at\n"},
        "name: T\ncurrency: BRL\nlocal: en\n",
        "line 3: unknown key 'local'; did you mean 'locale'?",
    ),
    "key twice": ({"leads.csv": "lead_id,created_at\n"}, "name: T\ncurrency: BRL\nname: U\n", "line 3: key 'name' stands twice"),
    "unknown table": (
        {"leads.csv": "lead_id,created_at\n"},
        "name: T\ncurrency: BRL\nrecords_start: {lead: 2026-01-01}\n",
        "line 3: the model has no table 'lead'; did you mean 'leads'?",
    ),
    "no such source": (
        {"leads.csv": "lead_id,created_at\n"},
        "name: T\ncurrency: BRL\nsources:\n  crm:\n    path: nowhere\n",
        "line 5: key 'sources.crm.path': 'nowhere' is not there",
    ),
    "no such system": (
        {"x/leads.csv": "lead_id,created_at\n"},
        "name: T\ncurrency: BRL\nsources:\n  crm: {path: x, system: sap}\n",
        "line 4: key 'sources.crm.system': no SELECTs ship for 'sap'",
    ),
    "no tables": ({"notes.txt": "x"}, "name: T\ncurrency: BRL\n", "no tables"),
    "empty file": ({"leads.csv": ""}, None, "leads.csv: the file is empty"),
    "column missing": ({"leads.csv": "lead,created_at\nl1,2026-01-01\n"}, None, "leads.csv: column 'lead_id' is missing"),
    "columns twice": (
        {"leads.csv": "lead_id,Created At,created_at\n"},
        None,
        "leads.csv, line 1: columns 'Created At' and 'created_at'",
    ),
    "undecidable decimals": (
        {"tools.csv": "tool_id;annual_cost\nt1;1.234\nt2;5.678\n"},
        None,
        "tools.csv, column 'annual_cost': '1.234' and '5.678' can be read in two ways",
    ),
    "decimals in two ways": (
        {"tools.csv": 'tool_id,annual_cost\nt1,"1,5"\nt2,2.5\n'},
        None,
        "tools.csv, column 'annual_cost': written in two ways, '1,5' and '2.5'",
    ),
    "undecidable dates": (
        {"tools.csv": "tool_id,renews_on\nt1,03/04/2026\n"},
        None,
        "'03/04/2026' can be read in two ways (day or month first)",
    ),
    "dates in two ways": (
        {"tools.csv": "tool_id,renews_on\nt1,31/12/2025\nt2,12/31/2025\n"},
        None,
        "tools.csv, column 'renews_on': written in two ways, '31/12/2025' and '12/31/2025'",
    ),
    "wrong encoding": (
        {"leads.csv": "lead_id,ção\né,ü\n".encode() + b"\xff,1\n"},
        None,
        "leads.csv, line 3: a byte that is not UTF-8 (0xff)",
    ),
    "junk": ({"leads.csv": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0"}, None, "leads.csv: binary, not text"),
    "two files": ({"leads.csv": "lead_id,created_at\n", "leads.jsonl": "{}\n"}, None, "two files hold table 'leads'"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_input_gets_one_message_and_leaves_nothing_half_written(opened, tmp_path, case):
    files, company, says = HOSTILE[case]
    with pytest.raises(InputError) as error:
        opened(files, **({"company": company} if company else {}), as_of="2026-01-31")
    assert says in str(error.value)
    cache = tmp_path / "cache"
    assert not cache.exists() or {file.name for file in cache.iterdir()} <= {"hashes.json"}


@pytest.mark.parametrize(
    ("declared", "column", "value", "expected"),
    [
        ('decimal: ","', "annual_cost", "1.234", 1234_00),
        ('decimal: "."', "annual_cost", "1.234", 1_23),
        ("dates: dmy", "renews_on", "03/04/2026", "2026-04-03"),
        ("dates: mdy", "renews_on", "03/04/2026", "2026-03-04"),
    ],
)
def test_what_is_undecidable_is_read_as_declared(opened, declared, column, value, expected):
    company = f"name: T\ncurrency: BRL\nsources:\n  files: {{path: ., {declared}}}\n"
    company = opened({"tools.csv": f"tool_id;{column}\nt1;{value}\n"}, company, as_of="2026-01-31")
    (found,) = company.table("tools")[column].execute()
    assert (found if column == "annual_cost" else str(found)[:10]) == expected


def test_a_column_decides_its_format_for_all_its_values(opened):
    rows = "tool_id;annual_cost;renews_on\nt1;1.234;03/04/2026\nt2;5,5;31/12/2026\n"
    company = opened({"tools.csv": rows}, as_of="2026-01-31")
    assert company.table("tools").annual_cost.execute().tolist() == [1234_00, 5_50]
    assert [str(day)[:10] for day in company.table("tools").renews_on.execute()] == ["2026-04-03", "2026-12-31"]


def test_a_table_of_a_header_alone_is_there_and_empty(opened):
    company = opened({"leads.csv": "lead_id,created_at,score\n"}, as_of="2026-01-31")
    assert company.missing(["leads.score"]) == ()
    assert company.table("leads").count().execute() == 0
    assert ledger_of(company, "leads") == (0, 0, 0, 0)


def test_unknown_files_and_columns_are_noted_with_what_they_may_have_meant(opened):
    company = opened({"lead.csv": "x\n1\n", "leads.csv": "lead_id,created_at,emial\nl1,2026-01-01,x\n"}, as_of="2026-01-31")
    assert "lead.csv is not named as a table of the model; did you mean leads?" in company.notes
    assert "leads.csv: column emial is not in the model and is ignored; did you mean email?" in company.notes


def test_a_table_in_a_file_of_a_kind_that_is_not_read_is_noted_and_not_lost_in_silence(opened):
    lead = {"leads.csv": "lead_id,created_at\nl1,2026-01-01\n"}
    company = opened({**lead, "opportunities.xls": "x", "quotas.csv.zip": "x", "notes.txt": "x"}, as_of="2026-01-31")
    noted = [note for note in company.notes if "a kind that is not read" in note]
    assert [note.split()[0] for note in noted] == ["opportunities.xls", "quotas.csv.zip"]
    declared = "name: X\ncurrency: BRL\nsources: {crm: {path: crm}}\n"
    company = opened({"crm/leads.csv": lead["leads.csv"], "crm/Deal.ods": "x"}, declared, as_of="2026-01-31")
    assert any(note.startswith("Deal.ods is of a kind that is not read; save it as") for note in company.notes)


def test_a_misnamed_table_beside_the_exports_of_systems_is_noted(opened):
    declared = "name: X\ncurrency: BRL\nsources: {crm: {path: crm}}\n"
    files = {"crm/leads.csv": "lead_id,created_at\nl1,2026-01-01\n", "quota.csv": "a\n1\n"}
    company = opened(files, declared, as_of="2026-01-01")
    assert company.notes == ("quota.csv is not named as a table of the model; did you mean quotas?",)
    assert set(company.ledger["source"]) == {"crm"}


def test_a_folder_for_selects_without_any_is_told(opened):
    declared = "name: X\ncurrency: BRL\nsources: {crm: {path: crm, selects: own}}\n"
    with pytest.raises(InputError, match=r"line 3: .*no \.sql file is in 'own'; put one for each table there"):
        opened({"crm/deals.csv": "id\n1\n", "own/README.md": "x"}, declared)


def test_without_a_table_the_message_says_what_the_files_may_have_meant(opened):
    with pytest.raises(InputError, match=r"opportunity\.csv is not named as a table of the model; did you mean opportunities\?"):
        opened({"opportunity.csv": "a\n1\n"})


def test_a_missing_key_column_is_told_with_the_columns_that_are_there(opened):
    with pytest.raises(InputError, match=r"'opportunity_id' is missing.*columns found: deal, amount\)"):
        opened({"opportunities.csv": "Deal,Amount\n1,2\n"})
