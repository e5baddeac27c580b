"""Who stands twice: known similarities, what is certain, what is only proposed, and that the work grows with the rows."""

from __future__ import annotations

import ibis
import pytest

from revops_helpers.foundation.duplicates import BLOCK, duplicates, jaro_winkler
from revops_helpers.model.company import Unavailable
from tests.support import company_of


def companies(*rows):
    return duplicates(company_of(accounts=[{"account_id": f"a{i}", "created_at": "2025-01-01", "tax_id": None, "domain": None,
                                            "name": None, "parent_id": None} | row for i, row in enumerate(rows)]))  # fmt: skip


@pytest.mark.parametrize(
    ("left", "right", "similarity"), [("MARTHA", "MARHTA", 0.9611), ("DIXON", "DICKSONX", 0.8133), ("DWAYNE", "DUANE", 0.84)]
)
def test_jaro_winkler_gives_winklers_own_answers(left, right, similarity):
    table = ibis.memtable({"left": [left], "right": [right]})
    assert table.select(s=jaro_winkler(table.left, table.right)).execute().s[0] == pytest.approx(similarity, abs=5e-5)


def test_one_tax_id_written_two_ways_is_one_company():
    found = companies({"tax_id": "12.345.678/0001-95"}, {"tax_id": "12345678000195"})
    assert found.pairs.method.tolist() == ["tax_id"] and found.extra("tax_id", table="accounts") == 1


def test_a_branch_is_of_the_group_and_no_duplicate():
    found = companies({"tax_id": "12345678000195"}, {"tax_id": "12345678000276"}, {"tax_id": "12ABC34501DE35"})
    assert found.pairs.method.tolist() == ["tax_root"] and found.extra("tax_id", "domain", table="accounts") == 0


def test_a_web_domain_is_compared_without_its_dress():
    assert companies({"domain": "https://www.Acme.com.br/inicio"}, {"domain": "acme.com.br"}).pairs.method.tolist() == ["domain"]


def test_a_domain_that_many_use_is_a_providers():
    assert companies(*[{"domain": "gmail.com"}] * 11).pairs.empty


def test_a_name_only_proposes_and_never_against_the_tax_ids():
    near = companies({"name": "Araucária Software Ltda."}, {"name": "ARAUCARIA SOFTWRE S.A."})
    assert near.pairs.method.tolist() == ["name"] and near.pairs.score[0] > 0.92
    apart = companies(
        {"name": "Araucária Software", "tax_id": "11111111000111"}, {"name": "Araucaria Softwre", "tax_id": "22222222000122"}
    )
    assert apart.pairs.empty


def test_a_declared_parent_is_no_duplicate():
    assert companies({"domain": "acme.com"}, {"domain": "acme.com", "parent_id": "a0"}).pairs.empty


def test_three_of_one_kind_are_two_too_many():
    assert companies(*[{"tax_id": "12345678000195"}] * 3).extra("tax_id", table="accounts") == 2


def test_names_that_too_many_share_are_left_and_counted():
    found = companies(*[{"name": f"Grupo {i:04d} Brasil Norte"} for i in range(BLOCK + 1)])
    assert found.skipped == BLOCK + 1 and found.pairs.empty


def test_leads_with_one_e_mail_are_certain():
    leads = [
        {"lead_id": f"l{i}", "email": e, "created_at": "2026-01-01"} for i, e in enumerate(["a@x.com", "A@X.com ", "", None])
    ]
    found = duplicates(company_of(leads=leads))
    assert found.count("email", table="leads") == 1 and found.records == {"leads": 4}


def test_no_companies_and_no_addresses_is_unavailable():
    with pytest.raises(Unavailable):
        duplicates(company_of(leads=[{"lead_id": "l", "created_at": "2026-01-01"}]))
    assert companies().pairs.empty
