"""The model is whole: every name that is used is declared, documented and consistent; who is a customer; who matches whom."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.metrics.facts import by_customer, with_account
from revops_helpers.model import identity
from revops_helpers.model.page import data_model_page
from revops_helpers.model.tables import TABLES, column
from tests.support import company_of

DESIGNED = """users accounts leads lead_history campaigns touches opportunities opportunity_history activities subscriptions
invoices financials onboardings usage health_scores tickets spend quotas comp_plans targets forecasts tools tool_users
integrations integration_runs work_items work_transitions work_links markets initiatives metric_claims readiness_answers
fx_rates"""


def test_every_table_of_the_design_is_there():
    assert set(TABLES) == set(DESIGNED.split())


@pytest.mark.parametrize("spec", TABLES.values(), ids=lambda spec: spec.name)
def test_a_table_declares_only_what_it_has(spec):
    assert len(spec.names) == len(spec.columns)
    named = [*spec.key, *spec.stamp, *(c for pair in spec.not_before for c in pair), *([spec.money] if spec.money else [])]
    assert set(named) <= spec.names
    assert spec.grain.startswith("one row per ")
    assert not spec.money or spec[spec.money].type == "money"
    for c in spec.columns:
        assert c.meaning
        assert not c.known_with or spec[c.known_with].stamped
        assert not c.owned or c.refers
        if c.refers:
            table, _, key = c.refers.partition(".")
            assert TABLES[table].key == (key,)
        assert not c.later or TABLES[c.refers.partition(".")[0]].stamp
    if spec.history:
        assert "changed_at" in TABLES[spec.history].key
        assert TABLES[spec.history].key[0] == spec.key[0]
        assert {theirs for _, theirs in spec.history_as} <= TABLES[spec.history].names


@pytest.mark.parametrize("metric", catalogue().values(), ids=lambda metric: metric.id)
def test_every_need_of_a_metric_is_in_the_model(metric):
    for need in metric.needs:
        table, _, name = need.partition(".")
        assert table in TABLES, f"{metric.id} needs {need}"
        assert not name or column(need).name == name


def test_every_need_written_anywhere_in_the_package_is_in_the_model():
    """Every text in the code of the form table.column, where table is one of the model's, names a column that the table has."""
    package = Path(__file__).parent.parent / "revops_helpers"
    pattern = re.compile(rf"[\"']({'|'.join(TABLES)})\.([a-z_]+)[\"']")
    found = [(file.name, *names) for file in package.rglob("*.py") for names in pattern.findall(file.read_text(encoding="utf-8"))]
    assert len(found) > 20
    assert [use for use in found if use[2] not in TABLES[use[1]].names and use[2] not in ("csv", "sql", "parquet")] == []


def test_the_page_tells_every_table_and_column():
    page = data_model_page()
    for spec in TABLES.values():
        section = page.split(f"\n## {spec.name}\n")[1].split("\n## ")[0]
        assert all(f"| `{c.name}` |" in section for c in spec.columns)


# ---- who is one customer

ACCOUNTS = [
    {"account_id": "hq", "tax_id": "12.345.678/0001-95"},
    {"account_id": "branch", "tax_id": "12345678000276"},
    {"account_id": "child", "parent_id": "hq"},
    {"account_id": "grandchild", "parent_id": "child"},
    {"account_id": "other", "tax_id": "12ABC34501DE35"},
    {"account_id": "plain"},
    {"account_id": "under plain", "parent_id": "plain"},
    {"account_id": "deep", "parent_id": "under plain"},
    {"account_id": "own parent", "parent_id": "own parent"},
    {"account_id": "of a stranger", "parent_id": "nobody we know"},
]


def test_a_customer_is_the_legal_group():
    accounts = company_of(accounts=ACCOUNTS).table("accounts")
    found = {row["account_id"]: row["customer"] for row in identity.customers(accounts).execute().to_dict("records")}
    assert found == {
        "hq": "12345678",
        "branch": "12345678",
        "child": "12345678",
        "grandchild": "12345678",
        "other": "12ABC345",
        "plain": "plain",
        "under plain": "plain",
        "deep": "plain",
        "own parent": "own parent",
        "of a stranger": "nobody we know",
    }


def test_one_account_stands_for_the_group():
    company = company_of(accounts=ACCOUNTS)
    rows = company.table("accounts").select("account_id", asked="account_id")
    found = with_account(company, by_customer(company, rows)).execute().set_index("asked").account_id
    assert found["hq"] == found["branch"] == found["child"] == found["grandchild"] == "branch"
    assert found["plain"] == found["under plain"] == "deep"


def test_without_tax_ids_and_parents_accounts_say_nothing_of_groups():
    assert identity.customers(company_of(accounts=[{"account_id": "a", "name": "x"}]).table("accounts")) is None


# ---- who matches whom


def test_leads_find_accounts_by_key_then_by_a_domain_that_one_customer_has_and_never_by_name():
    accounts = [
        {"account_id": "a1", "domain": "acme.com.br", "name": "Acme", "tax_id": "11111111000100"},
        {"account_id": "a2", "domain": "https://www.acme.com.br/about", "name": "Acme filial", "tax_id": "11111111000200"},
        {"account_id": "b1", "domain": "shared.com"},
        {"account_id": "b2", "domain": "shared.com"},
        {"account_id": "c1", "domain": "gmail.com"},
    ]
    leads = [
        {"lead_id": "by key", "email": "x@acme.com.br", "account_id": "b1"},
        {"lead_id": "by domain", "email": "Y@ACME.com.br"},
        {"lead_id": "dangling key", "email": "z@acme.com.br", "account_id": "gone"},
        {"lead_id": "disputed", "email": "x@shared.com"},
        {"lead_id": "private", "email": "x@gmail.com", "company": "Acme"},
        {"lead_id": "nothing", "company": "Acme"},
    ]
    leads = [row | {"created_at": "2026-01-01"} for row in leads]
    company = company_of(accounts=accounts, leads=leads)
    found = {
        row["lead_id"]: (row["account_id"], row["method"]) for row in identity.lead_accounts(company).execute().to_dict("records")
    }
    assert found == {"by key": ("b1", "key"), "by domain": ("a1", "domain"), "dangling key": ("a1", "domain")}
    rates = identity.matches(company).set_index(["link", "method"])
    assert rates.loc[("lead → account", "key")].tolist() == [1, 6]
    assert rates.loc[("lead → account", "domain")].tolist() == [2, 6]
    assert rates.loc[("lead → account", "none")].tolist() == [3, 6]


def test_links_by_key_count_the_ends_that_are_there():
    company = company_of(
        accounts=[{"account_id": "a"}],
        opportunities=[
            {"opportunity_id": "1", "account_id": "a"},
            {"opportunity_id": "2", "account_id": "x"},
            {"opportunity_id": "3"},
        ],
    )
    rates = identity.matches(company)
    assert rates.to_dict("records") == [
        {"link": "opportunity → account", "method": "key", "rows": 1, "total": 3},
        {"link": "opportunity → account", "method": "none", "rows": 2, "total": 3},
    ]


def test_a_company_without_links_has_no_match_rates():
    assert identity.matches(company_of(financials=[{"month": "2026-01-01"}])).empty
