"""One company and one person, however many systems know them; nothing is joined by a name, lost, or won in silence."""

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from revops_helpers.model.same import joined
from revops_helpers.settings import Settings
from tests.folders import COMPANY, ledger_of

KEYS = ["tax_id", "tax_root", "domain"]
SYSTEMS = "sources:\n  crm: {path: crm}\n  hub: {path: hub}\n"


def records(*rows: tuple) -> pd.DataFrame:
    """id, source, same_as, tax_id, domain; the root of a tax id is its first letter."""
    frame = pd.DataFrame(rows, columns=["id", "source", "same_as", "tax_id", "domain"], dtype="object")
    return frame.assign(tax_root=frame["tax_id"].str[:1])


def groups(frame: pd.DataFrame) -> set[frozenset]:
    group, _rule, _disputes = joined(frame, KEYS)
    return {frozenset(ids) for _, ids in frame["id"].groupby(group)}


def test_rules_join_in_their_order_and_say_which_did():
    frame = records(
        ("c1", "crm", None, "A1", "a.com"), ("h1", "hub", "c1", None, "b.com"),
        ("c2", "crm", None, "B1", None), ("h2", "hub", None, "B1", None), ("g2", "gs", None, "B2", None),
        ("c3", "crm", None, None, "c.com"), ("h3", "hub", None, "C1", "c.com"),
        ("c4", "crm", None, None, None), ("h4", "hub", None, None, None),
    )  # fmt: skip
    group, rule, disputes = joined(frame, KEYS)
    assert groups(frame) == {
        frozenset(x) for x in (("c1", "h1"), ("c2", "h2", "g2"), ("c3", "h3"), ("c4",), ("h4",))
    }  # fmt: skip
    assert rule.tolist() == ["same_as", "same_as", "tax_id", "tax_id", "tax_root", "domain", "domain", "", ""]
    assert disputes.empty and len(group) == len(frame)


def test_two_records_of_one_system_or_two_tax_ids_are_left_apart_and_listed():
    twice = records(("c1", "crm", None, None, "a.com"), ("c2", "crm", None, None, "a.com"), ("h1", "hub", None, None, "a.com"))
    other = records(("c1", "crm", None, "A1", "a.com"), ("h1", "hub", None, "B1", "a.com"))
    chain = records(("c1", "crm", None, "A1", "a.com"), ("h1", "hub", None, None, "a.com"), ("g1", "gs", None, "B1", "a.com"))
    for frame in (twice, other, chain):
        assert all(len(group) == 1 for group in groups(frame))
        assert joined(frame, KEYS)[2].to_numpy().tolist() == [["domain", sorted(frame["id"])]]
    alone = records(("c1", "crm", None, None, "a.com"), ("c2", "crm", None, None, "a.com"))
    assert joined(alone, KEYS)[2].empty  # twice in one system: for `duplicates` to propose


def test_no_records_and_one_record_make_no_group():
    assert groups(records()) == set()
    assert groups(records(("c1", "crm", "gone", "A1", None))) == {frozenset(["c1"])}


KEY = st.one_of(st.none(), st.sampled_from(["A1", "A2", "B1", "C1"]))
ROWS = st.lists(st.tuples(st.sampled_from(["crm", "hub", "gs"]), st.one_of(st.none(), st.integers(0, 11)), KEY, KEY), max_size=12)


def numbered(rows) -> pd.DataFrame:
    return records(*[(f"r{i}", s, None if n is None else f"r{n}", t, d) for i, (s, n, t, d) in enumerate(rows)])


@settings(deadline=None, max_examples=25)
@given(ROWS, st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_the_names_of_systems_changes_the_groups(rows, random):
    frame = numbered(rows)
    order = random.sample(range(len(frame)), len(frame))
    other = frame.iloc[order].reset_index(drop=True).assign(source=lambda f: f["source"].map({"crm": "x", "hub": "a", "gs": "m"}))
    assert groups(other) == groups(frame)


@settings(deadline=None, max_examples=25)
@given(ROWS)
def test_every_member_of_a_group_shares_a_key_or_a_link_with_it_and_no_row_is_lost(rows):
    frame = numbered(rows)
    found = groups(frame)
    assert sorted(id_ for group in found for id_ in group) == sorted(frame["id"])
    by_id = frame.set_index("id").to_dict("index")
    for group in found:
        for one in group if len(group) > 1 else ():
            rest = group - {one}
            linked = by_id[one]["same_as"] in rest or any(by_id[other]["same_as"] == one for other in rest)
            shared = any(by_id[one][key] and by_id[one][key] == by_id[other][key] for key in KEYS for other in rest)
            assert linked or shared


FILES = {
    "crm/accounts.csv": (
        "account_id,name,domain,tax_id,segment,region,created_at\n"
        "a1,Acme,www.acme.com,11222333000181,SMB,,2026-01-10\n"
        "a2,Same name,gmail.com,,SMB,Sul,2026-01-10\n"
        "a3,Gamma,gamma.com,,SMB,Sul,2026-01-10\n"
    ),
    "hub/accounts.csv": (
        "account_id,name,domain,tax_id,segment,region,created_at\n"
        "h1,ACME Ltda,acme.com,11.222.333/0001-81,Enterprise,Norte,2026-03-05\n"
        "h2,Same name,gmail.com,,SMB,,2026-02-01\n"
        "h3,Gamma,https://gamma.com/x,,SMB,Sul,2026-02-01\n"
    ),
    "crm/leads.csv": "lead_id,email,account_id,created_at\nl1,ana@x.com,a1,2026-01-20\n",
    "hub/leads.csv": "lead_id,email,account_id,created_at\nk1,ANA@x.com ,h1,2026-01-15\nk2,bob@x.com,h3,2026-01-16\n",
    "crm/usage.csv": "account_id,week,sessions\na1,2026-03-09,5\n",
    "hub/usage.csv": "account_id,week,sessions\nh1,2026-03-09,7\nh1,2026-03-16,9\n",
}  # fmt: skip


def seen(company, table: str, *columns: str) -> list[list]:
    rows = company.table(table, columns).select(*columns).execute()
    return sorted(rows.astype(object).where(rows.notna(), None).to_numpy().tolist(), key=str)


def test_companies_of_two_systems_are_one_each_by_the_newest_value_that_is_not_empty(opened):
    company = opened(FILES, COMPANY + SYSTEMS, as_of="2026-03-31")
    assert seen(company, "accounts", "account_id", "segment", "region") == [
        ["a1", "Enterprise", "Norte"], ["a2", "SMB", "Sul"], ["a3", "SMB", "Sul"], ["h2", "SMB", None],
    ]  # fmt: skip
    assert str(company.table("accounts").filter(lambda t: t.account_id == "a1").created_at.execute()[0])[:10] == "2026-01-10"
    assert seen(company, "leads", "lead_id", "account_id") == [["k1", "a1"], ["k2", "a3"]]
    assert seen(company, "usage", "account_id", "sessions") == [["a1", 7], ["a1", 9]]
    assert ledger_of(company, "accounts") == (6, 6, 0, 0) and ledger_of(company, "usage") == (3, 3, 0, 0)


def test_a_declared_system_wins_by_table_and_by_column(opened):
    declared = "survivors: {accounts: [crm], accounts.segment: [hub, crm]}\n"
    company = opened(FILES, COMPANY + declared + SYSTEMS, as_of="2026-03-31")
    assert seen(company, "accounts", "account_id", "name", "segment", "region")[0] == ["a1", "Acme", "Enterprise", "Norte"]
    assert seen(company, "usage", "account_id", "sessions") == [["a1", 5], ["a1", 9]]


def test_before_the_other_system_knew_a_company_nothing_of_it_is_seen(opened):
    company = opened(FILES, COMPANY + SYSTEMS, as_of="2026-02-28")
    assert seen(company, "accounts", "account_id", "name", "segment", "region")[0] == ["a1", "Acme", "SMB", None]


def test_one_system_alone_joins_nothing():
    from tests.support import company_of

    company = company_of(accounts=[{"account_id": "a", "domain": "x.com"}, {"account_id": "b", "domain": "x.com"}])
    assert company.same("accounts") is None and seen(company, "accounts", "account_id") == [["a"], ["b"]]
    assert Settings(name="T", currency="BRL").survivors == {}


def test_what_systems_say_otherwise_of_one_record_is_listed_with_who_wins(opened):
    from revops_helpers.foundation.identities import identities
    from revops_helpers.words.mapping import conflict_rows, joined_rows

    twice = {"hub/leads.csv": FILES["hub/leads.csv"] + "k3,bob@x.com,,2026-01-16\n"}
    crm = {"crm/leads.csv": FILES["crm/leads.csv"] + "l2,bob@x.com,a1,2026-01-20\n"}
    company = opened(FILES | twice | crm, COMPANY + "survivors: {accounts.name: [crm]}\n" + SYSTEMS, as_of="2026-03-31")
    found = identities(company)
    assert found.joins.to_numpy().tolist() == [
        ["accounts", "tax_id", 1, 0], ["accounts", "domain", 1, 0], ["leads", "email", 1, 3],
    ]  # fmt: skip
    assert found.disputes["ids"].tolist() == [["k2", "k3", "l2"]]
    shown = [[str(cell) for cell in row] for row in conflict_rows(company, found)[1:]]
    assert shown == [
        ["accounts.name", "1", "crm, the newest record", "a1: crm Acme, hub ACME Ltda"],
        ["accounts.segment", "1", "the newest record", "a1: crm SMB, hub Enterprise"],
    ]
    assert len(joined_rows(found)) == 4


def test_values_of_people_are_not_shown_where_systems_disagree(opened):
    from revops_helpers.foundation.identities import identities

    files = {
        "crm/users.csv": "user_id,email,name\nu1,ana@x.com,Ana\n",
        "hub/users.csv": "user_id,email,name,same_as\nv1,eva@x.com,Eva,u1\n",
    }
    found = identities(opened(files | {"leads.csv": "lead_id,created_at\nl1,2026-01-01\n"}, COMPANY + SYSTEMS))
    assert found.conflicts["such"].tolist() == [["u1: crm, hub"], ["u1: crm, hub"]]
