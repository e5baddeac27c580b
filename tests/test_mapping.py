"""Raw exports become canonical tables by SELECTs; what an export lacks is told, what a SELECT gets wrong is refused."""

from __future__ import annotations

import pandas as pd
import pytest

from revops_helpers.model.tables import TABLES
from revops_helpers.settings import InputError
from revops_helpers.sources import mapping
from revops_helpers.sources.selects import columns, lacking, outputs_of_absent, parse, with_position
from tests.folders import COMPANY, ledger_of, rules_of

CRM = {
    "crm/Opportunity.csv": (
        "Id,AccountId,Amount,CreatedDate,IsDeleted\n"
        "d1,a1,10.50,2026-01-05T10:00:00.000+0000,false\n"
        "d2,a1,oops,2026-01-05T10:00:00.000+0000,false\n"
        "d3\n"
        "d4,a1,1,2026-01-05T10:00:00.000+0000,true\n"
    ),
    "selects/opportunities.sql": (
        "select o.id as opportunity_id, account_id, amount, o.created_date as created_at, close_date, u.name as next_step\n"
        "from opportunity o left join \"user\" u on u.id = o.owner_id where is_deleted = 'false'"
    ),
}
DECLARED = COMPANY + "sources:\n  crm: {path: crm, selects: selects}\n"


def report_of(company, tmp_path) -> dict[str, tuple]:
    frame = pd.read_parquet(tmp_path / "cache" / company.fingerprint / "_mapping.parquet")
    return {row.table: (row.status, row.missing, row.rows_in, row.rows_out) for row in frame.itertuples()}


def test_a_select_fills_a_table_and_every_refused_row_names_its_line(opened, tmp_path):
    company = opened(CRM, DECLARED, as_of="2026-01-31")
    assert rules_of(company) == [
        ("crm/Opportunity.csv", 4, "", "ragged row"),
        ("crm/Opportunity.csv", 3, "amount", "not an amount"),
    ]
    assert ledger_of(company, "opportunities") == (3, 1, 2, 0)
    (deal,) = company.table("opportunities").execute().to_dict("records")
    assert (deal["opportunity_id"], deal["amount"], str(deal["created_at"])) == ("d1", 10_50, "2026-01-05 10:00:00")
    assert report_of(company, tmp_path)["opportunities"] == (
        "partial",
        "crm.opportunity.close_date, crm.opportunity.owner_id, crm.user",
        4,
        3,
    )


def test_columns_that_nothing_could_fill_are_not_there(opened):
    company = opened(CRM, DECLARED, as_of="2026-01-31")
    assert company.missing(["opportunities.amount", "opportunities.close_date", "opportunities.next_step"]) == (
        "opportunities.close_date",
        "opportunities.next_step",
    )


def test_a_select_whose_export_is_not_there_is_unavailable_and_said_so(opened, tmp_path):
    files = CRM | {"selects/users.sql": 'select id as user_id from "User"'}
    company = opened(files, DECLARED, as_of="2026-01-31")
    assert company.missing(["users"]) == ("users",)
    assert report_of(company, tmp_path)["users"][:2] == ("unavailable", "crm.user")
    assert "crm: users is not filled, because its export lacks crm.user" in company.notes


def test_several_sources_fill_one_table_and_reach_each_others_raw_tables(opened):
    files = {
        "a/lead.csv": "id,on\nl1,2026-01-01\nl2,2026-01-02\n",
        "b/contact.csv": "key;on\nl2;03/01/2026\nl3;13/01/2026\n",
        "sa/leads.sql": "select id as lead_id, \"on\" as created_at, 'a' as source from lead",
        "sb/leads.sql": "select c.key as lead_id, c.\"on\" as created_at, coalesce(l.id, 'b') as source "
        "from contact c left join first.lead l on l.id = c.key",
    }
    company = COMPANY + "sources:\n  first: {path: a, selects: sa}\n  second: {path: b, selects: sb}\n"
    company = opened(files, company, as_of="2026-01-31")
    leads = company.table("leads").order_by("lead_id").execute()
    assert leads.lead_id.tolist() == ["l1", "l2", "l3"]
    assert leads.source.tolist() == ["a", "a", "b"]  # of two rows with one key the first source's stays
    assert [str(day)[:10] for day in leads.created_at] == ["2026-01-01", "2026-01-02", "2026-01-13"]
    assert rules_of(company) == [("b/contact.csv", 2, "lead_id", "duplicate key")]
    assert company.ledger["source"].tolist() == ["first", "second"]


def test_macros_calculate_in_the_sources_own_format_and_tell_what_they_could_not_read(opened):
    files = {
        "sheets/Metas 2026.csv": "Início;Valor\n01/02/2026;1.234,50\n01/03/2026;dois\n",
        "selects/targets.sql": (
            "select as_day(inicio) as period_start, as_day(inicio) + 27 as period_end, 'arr' as metric,\n"
            "as_number(valor) * 2 as value from metas_2026"
        ),
    }
    company = COMPANY + 'sources:\n  sheets: {path: sheets, selects: selects, decimal: ",", dates: dmy}\n'
    company = opened(files, company, as_of="2026-03-31")
    (target,) = company.table("targets").execute().to_dict("records")
    assert (str(target["period_start"])[:10], str(target["period_end"])[:10], target["value"]) == (
        "2026-02-01",
        "2026-02-28",
        2469.0,
    )
    assert rules_of(company) == [("sheets/Metas 2026.csv", 3, "value", "required value missing")]
    assert any("as_number(valor) could not read 1 values, such as 'dois'" in note for note in company.notes)


def test_calculated_moments_are_utc_and_calculated_days_are_the_companys(opened):
    files = {
        "x/t.csv": "id,at\nl1,2026-01-01 22:00\n",
        "s/leads.sql": "select id as lead_id, as_moment(at) as created_at, as_day(at) as assigned_at from t",
    }
    company = opened(files, COMPANY + "sources: {x: {path: x, selects: s, time_zone: America/Manaus}}\n", as_of="2026-01-31")
    (lead,) = company.table("leads").execute().to_dict("records")
    assert (str(lead["created_at"]), str(lead["assigned_at"])) == ("2026-01-02 02:00:00", "2026-01-01 03:00:00")


def test_shipped_selects_are_used_overridden_and_switched_off(opened, monkeypatch, tmp_path):
    shipped = tmp_path / "shipped"
    for name, text in {
        "leads.sql": "select id as lead_id, on_day as created_at from person",
        "users.sql": "select id as user_id from person",
        "accounts.sql": "select id as account_id from person",
    }.items():
        (shipped / "acme").mkdir(parents=True, exist_ok=True)
        (shipped / "acme" / name).write_text(text)
    monkeypatch.setattr("revops_helpers.sources.entries.SHIPPED", shipped)
    files = {
        "x/person.csv": "id,on_day\np1,2026-01-01\n",
        "own/users.sql": "select 'u-' || id as user_id from person",
        "own/accounts.sql": "-- not from here\n",
    }
    company = opened(files, COMPANY + "sources: {people: {path: x, system: acme, selects: own}}\n", as_of="2026-01-31")
    assert company.table("leads").lead_id.execute().tolist() == ["p1"]
    assert company.table("users").user_id.execute().tolist() == ["u-p1"]
    assert company.missing(["accounts"]) == ("accounts",)


def test_a_source_may_be_one_file(opened):
    files = {
        "exports/Deals 2026.csv": "Id;On\nd1;2026-01-05\n",
        "s/opportunities.sql": 'select id as opportunity_id, "on" as created_at from deals_2026',
    }
    company = opened(files, COMPANY + "sources: {deals: {path: exports/Deals 2026.csv, selects: s}}\n", as_of="2026-01-31")
    assert company.table("opportunities").opportunity_id.execute().tolist() == ["d1"]


def test_files_that_no_select_reads_are_named(opened):
    company = opened(CRM | {"crm/Opportunities.csv": "x\n"}, DECLARED, as_of="2026-01-31")
    assert "crm: no SELECT reads Opportunities.csv" in company.notes


@pytest.mark.parametrize(
    ("select", "says"),
    [
        ("selekt 1", "crm, leads.sql"),
        ("drop table lead", "must hold exactly one SELECT"),
        ("select id as lead_id from opportunity; select 1", "must hold exactly one SELECT"),
        ("select id as lead from opportunity", "gives column 'lead', which leads does not have; did you mean lead_id?"),
        ("select id as lead_id from opportunity", "column 'created_at' is missing"),
        ("select id as lead_id, no_such_function(id) as created_at from opportunity", "no_such_function"),
        ("select id as lead_id, content as created_at from read_text('/etc/hostname'), opportunity", "crm, leads.sql"),
        ("select id as lead_id, cast(id as integer) as created_at from opportunity", "crm, leads.sql"),
    ],
)
def test_a_wrong_select_is_refused_by_name(opened, select, says):
    with pytest.raises(InputError) as error:
        opened(CRM | {"selects/leads.sql": select}, DECLARED, as_of="2026-01-31")
    assert says in str(error.value)


def test_a_select_named_after_no_table_is_refused(opened):
    with pytest.raises(InputError, match="line 4: the model has no table 'opportunity'; did you mean 'opportunities'"):
        opened(CRM | {"selects/opportunity.sql": "select 1"}, DECLARED, as_of="2026-01-31")


# ---- what the syntax tree says

KNOWN = {("crm", "t"): {"a", "b"}, ("crm", "u"): {"k"}}


def asked(query: str) -> set[tuple[str, str]]:
    return {(".".join(raw), name) for raw, name, _ in columns(parse(query, "x", "crm"), KNOWN)}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select a, z from t", {("crm.t", "a"), ("crm.t", "z")}),
        ("select t.a, k, z from t join u on u.k = t.b", {("crm.t", "a"), ("crm.t", "b"), ("crm.u", "k"), ("crm.t", "z")}),
        ("with c as (select * from t) select c.z, y from c", {("crm.t", "z"), ("crm.t", "y")}),
        ("with c as (select a as q from t) select q, q || 'x' as w from c", {("crm.t", "a")}),
        ("select a as w, w || 'x' as v from t", {("crm.t", "a")}),
        ("select (select max(k) from u where u.k = t.a) as m from t", {("crm.u", "k"), ("crm.t", "a")}),
        ("select b ->> '$.x.y' as v, _file from t", {("crm.t", "b")}),
    ],
)
def test_the_raw_columns_of_a_select_are_found(query, expected):
    assert asked(query) == expected


@pytest.mark.parametrize(
    ("query", "missing"),
    [
        ("select 1 from gone", {"gone"}),
        ("select 1 from t left join gone on true", set()),
        ("select 1 from t join gone on true", {"gone"}),
        ("select 1 from t where exists (select 1 from gone)", set()),
        ("with c as (select * from gone) select 1 from c", {"gone"}),
        ("with c as (select * from gone) select 1 from t left join c on true", set()),
        ("select 1 from t union all select 1 from gone", set()),
        ("select 1 from gone union all select 1 from lost", {"gone", "lost"}),
        ("select 1 from (select * from gone)", {"gone"}),
    ],
)
def test_a_select_does_without_what_it_only_left_joins(query, missing):
    assert {raw for _, raw in lacking(parse(query, "x", "crm").tree, KNOWN)} == missing


@pytest.mark.parametrize(
    ("query", "carries"),
    [
        ("select a from t", True),
        ("select a from t as x left join u on true", True),
        ("select a from t union all select k from u", True),
        ("select a from t union select k from u", False),
        ("select a, count(*) from t group by a", False),
        ("select max(a) from t", False),
        ("select distinct a from t", False),
        ("with c as (select a from t) select a from c", False),
        ("select a, row_number() over (order by b) as n from t", True),
    ],
)
def test_the_position_of_a_row_is_carried_where_the_select_is_plain(query, carries):
    assert ("_line" in with_position(parse(query, "x", "crm").tree).named_selects) is carries


def test_outputs_of_absent_columns_alone_are_told():
    select = parse("select a as x, z as y, coalesce(z, w) as v, coalesce(z, a) as u, 'c' as t0 from t", "x", "crm")
    assert outputs_of_absent(select, KNOWN) == {"y", "v"}


def test_of_rows_with_one_key_that_of_the_earliest_line_stays_however_a_select_brings_them(opened):
    company = opened(
        {
            "crm/a.csv": "id,name\nA1,first\nA2,other\nA1,second\n",
            "crm/b.csv": "id,name\nA1,third\nA3,last\n",
            "selects/accounts.sql": "select id as account_id, name from b union all select id as account_id, name from a",
        },
        DECLARED,
        as_of="2026-01-31",
    )
    accounts = company.table("accounts").order_by("account_id").execute()
    assert accounts["name"].tolist() == ["first", "other", "last"]
    assert [(file, line) for file, line, *_ in rules_of(company)] == [("crm/a.csv", 4), ("crm/b.csv", 2)]


def test_the_conventions_are_written_where_the_readme_points():
    for word in ("as_number", "as_day", "as_moment", "_file", "_line", "LEFT JOIN", "snake_case"):
        assert word in mapping.__doc__


def test_every_shipped_select_is_readable_and_named_after_a_table():
    from revops_helpers.sources.entries import SHIPPED

    files = sorted(SHIPPED.glob("*/*.sql"))
    assert {file.parent.name for file in files} >= {"salesforce", "hubspot", "jira", "gainsight"}
    for file in files:
        assert file.stem in TABLES
        select = parse(file.read_text(encoding="utf-8"), file.name, file.parent.name)
        outputs = {name for name in select.tree.named_selects if not name.startswith("_")}
        assert outputs <= TABLES[file.stem].names, file
        assert {c.name for c in TABLES[file.stem].columns if c.required} <= outputs, file
