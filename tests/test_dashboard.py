"""The roles' pages: what roles.yml may say, the numbers of every role, one person's page, links, ids, and no data at all."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import nbformat
import pandas as pd
import pytest

from revops_helpers.metrics.measure import as_measurement, measure
from revops_helpers.model.company import Company
from revops_helpers.optimization.renewals import renewals
from revops_helpers.review.build import Request, review
from revops_helpers.review.run import NOTEBOOKS
from revops_helpers.settings import InputError
from revops_helpers.words import checks, dashboard
from revops_helpers.words.language import use
from revops_helpers.words.markup import plain
from revops_helpers.words.names import person, record
from revops_helpers.words.roles import Role, role_named, roles
from revops_helpers.words.theme import PHONE, WIDE
from revops_helpers.words.views import VIEWS, view
from revops_helpers.workspace import open_company
from tests.shared import sample_review
from tests.support import company_of
from tests.test_measure import deal
from tests.test_rows import four_rows, line

ASKED = {"board", "cro", "finance", "marketing", "sales_manager", "rep", "customer_success", "revops"}
ROLE = """rep:
  name: Rep
  headline: deals
  numbers: [arr, mrr, win_rate, deal_size, pipeline, deals_won]
  pictures: [stages]
"""
each = pytest.mark.parametrize("name", sorted(ASKED))


@pytest.fixture(scope="module")
def sample() -> Company:
    return open_company("sample")


def page(company: Company, role: Role, member: str = "") -> list:
    """Everything that the notebook shows, in its order."""
    rows = dashboard.numbers(company, role, member)
    assert checks.intervals_hold_their_values(rows)
    shown = [dashboard.head(company, role, rows, member), dashboard.tiles(rows), dashboard.pictures(company, role, member)]
    return [*shown, *dashboard.lists(company, role, member), dashboard.definitions(role)]


# --- roles.yml -----------------------------------------------------------------------------------------------------------


def test_every_role_that_was_asked_for_has_a_page_of_six_to_ten_numbers():
    assert set(roles()) == ASKED
    assert all(
        6 <= len(role.numbers) <= 10 and len(role.pictures) == 2 and (role.lists or role.findings) for role in roles().values()
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("win_rate", "win_rte", "line 4: key 'rep.numbers.2': 'win_rte' is no metric and no check; did you mean 'win_rate'?"),
        ("[stages]", "[stage]", "line 5: key 'rep.pictures.0': 'stage' is no view; did you mean 'stages'?"),
        ("[stages]", "[arr by seller]", "key 'rep.pictures.0': 'arr' is not measured by 'seller'"),
        ("[stages]", "[rows_accepted by month]", "key 'rep.pictures.0': 'rows_accepted' is not measured by 'month'"),
        ("arr, mrr, ", "", "line 4: key 'rep.numbers'"),
        ("pictures:", "picture:", "unknown key 'rep.picture'; did you mean 'pictures'?"),
        ("headline: deals", "headline: dales", "line 3: key 'rep.headline': 'dales' is no view; did you mean 'deals'?"),
        ("rep:", "../rep:", "line 1: key"),
        ("  name: Rep\n", "", "key 'rep.name' is missing"),
        ("[stages]", "[stages]\n  findings: [magic]", "line 6: key 'rep.findings.0'"),
        (
            "[stages]",
            "[stages]\n  acts_for: [sale]",
            "line 6: key 'rep.acts_for.0': 'sale' is no function; did",
        ),
        ("[stages]", "[stages]\n  by: sellers", "line 6: key 'rep.by': 'sellers' is no dimension; did you mean 'seller'?"),
    ],
)
def test_a_name_that_nothing_answers_to_is_refused_with_line_and_key(tmp_path, old, new, said):
    file = tmp_path / "roles.yml"
    file.write_text(ROLE.replace(old, new, 1))
    with pytest.raises(InputError) as error:
        roles(file)
    assert said in str(error.value)


def test_a_good_file_is_read_and_a_role_that_is_not_in_it_is_refused(tmp_path):
    file = tmp_path / "roles.yml"
    file.write_text(ROLE)
    assert role_named("rep", file).name == "Rep"
    with pytest.raises(InputError, match="no role 'reps': did you mean 'rep'"):
        role_named("reps", file)


# --- the pages -----------------------------------------------------------------------------------------------------------


@each
def test_every_role_has_its_sentence_its_numbers_a_picture_and_what_it_acts_on(sample, name):
    role = role_named(name)
    head, tiles, picture, *rest = page(sample, role)
    assert any(c.isdigit() for c in head.collected["title"]) or name == "finance"
    assert [row["metric"] for row in tiles.collected["rows"]] == list(role.numbers)
    assert "<svg" in picture.html or "<img" in picture.html
    assert len(rest) == len(role.lists) + bool(role.findings) + 1
    titles = [head.collected["title"], *(part.collected["parts"][0]["title"] for part in rest[:-1])]
    assert len(titles) == len(set(titles)) and all(titles)


@each
def test_the_numbers_are_those_of_the_catalogue(sample, name):
    rows = [row for row in dashboard.numbers(sample, role_named(name)) if not row.name]
    found = measure(sample, [row.metric for row in rows])
    assert [row.value for row in rows] == [as_measurement(line) for _, line in found.iterrows()]


@each
@pytest.mark.parametrize("company", [
    company_of(opportunities=[]), company_of(leads=[{"lead_id": "l1", "created_at": "2026-03-01 12:00"}]), four_rows(),
    company_of(opportunities=[deal(i, "open", amount=None) for i in range(4)]),
    company_of(subscriptions=[line("a1", 100_00, "2025-01-15", "2026-03-01")]),
], ids=["nothing", "one lead", "four rows", "nothing priced", "all left"])  # fmt: skip
def test_a_page_stands_whatever_the_company_lacks(company, name):
    head, tiles, *_rest = page(company, role_named(name))
    assert head.collected["title"] and len(tiles.collected["rows"]) == len(role_named(name).numbers)


@each
def test_a_page_is_in_portuguese_too(sample, name):
    use("pt_BR")
    try:
        assert page(sample, role_named(name))
    finally:
        use("en")


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_a_view_of_nothing_says_what_it_needs_and_heads_nothing_false(name):
    found = view(company_of(opportunities=[]), name)
    assert found.part.text and (found.title is None or "0" not in str(found.title))


def test_findings_are_those_that_the_role_may_act_on(sample):
    of = {name: dashboard.acts(sample, role_named(name)).collected["parts"][1]["findings"] for name in ("marketing", "cro")}
    assert {f["owner"] for f in of["marketing"]} <= {"Head of marketing", "Head of sales development"}
    assert len(of["cro"]) == dashboard.ACTIONS and len({f["owner"] for f in of["cro"]}) > 1


# --- one person ----------------------------------------------------------------------------------------------------------


def sellers() -> Company:
    won = [deal(i, owner_id="u1") for i in range(3)] + [deal(3, "lost", owner_id="u1")]
    still = [deal(9, "open", "2026-01-05", owner_id="u2"), deal(10, "open", "2026-12-05", owner_id="u1")]
    users = [{"user_id": "u1", "name": "Ana <b>Lima</b>"}, {"user_id": "u2", "name": "Bruno Reis"}]
    return company_of(opportunities=[*won, deal(4, owner_id="u2"), *still], users=users)


def test_one_persons_page_has_that_persons_numbers_and_deals_only():
    rep = role_named("rep")
    numbers = {row.metric: row.value.value for row in dashboard.numbers(sellers(), rep, "u1")}
    assert (numbers["deals_won"], numbers["win_rate"], numbers["pipeline"]) == (3, 0.75, 1000_00)
    assert view(sellers(), "deals", "u1").part.text == "No open deal breaks a rule."
    assert "d9" in view(sellers(), "deals", "u2").part.text and "· u2<" in dashboard.head(sellers(), rep, [], "u2").html


def test_a_persons_quota_is_the_target_of_what_they_won_and_of_nothing_else():
    """Ana won 3 deals of 1,000.00; asked are 1,825.00 for the year, 1,365.00 by 30 September."""
    asked = [{"user_id": "u1", "period_start": "2026-01-01", "period_end": "2026-12-31", "amount": 1825_00, "kind": "new_arr"}]
    users = [{"user_id": id, "hired_on": "2020-01-01", "left_on": None} for id in ("u1", "u2")]
    won = [deal(i, owner_id=owner) for i, owner in enumerate(("u1", "u1", "u1", "u2"))]
    company = company_of(opportunities=won, users=users, quotas=asked)
    targets = {id: {r.metric: r.target for r in dashboard.numbers(company, role_named("rep"), id)} for id in ("u1", "u2")}
    assert targets["u1"].pop("new_arr_won").value == 1365_00
    assert set(targets["u1"].values()) == set(targets["u2"].values()) == {None}
    assert "target R$" in dashboard.tiles(dashboard.numbers(company, role_named("rep"), "u1")).text.replace("\u00a0", " ")


def test_a_metric_by_month_of_one_person_holds_that_persons_records_only():
    both = company_of(opportunities=[deal(i, owner_id=f"u{1 + i % 2}") for i in range(8)])
    one, whole = (view(both, "new_arr_won by month", *of).part.text.replace("\u00a0", " ") for of in (("u1", "seller"), ()))
    assert "Mar 2026 R$ 4.0 k" in one and "Mar 2026 R$ 8.0 k" in whole


def test_two_pictures_stand_in_one_row_each_with_its_limit(sample):
    shown = dashboard.pictures(sample, role_named("customer_success"))
    assert shown.html.count("<figure>") == 2 == shown.html.count('class="reading limit"')
    assert "<source" not in shown.html and all(f'width="{PHONE}"' in image for image in re.findall("<img[^>]*>", shown.html))
    board = dashboard.pictures(sample, role_named("board")).html
    assert board.startswith('<div class="beside duo">') and f'width="{WIDE}"' in board and board.count("<figure>") == 2


def test_somebody_without_a_record_and_a_page_without_people_are_refused():
    with pytest.raises(InputError, match="'u3' has no record here: there are u1, u2"):
        dashboard.numbers(sellers(), role_named("rep"), "u3")
    with pytest.raises(InputError, match="not about one person"):
        dashboard.numbers(sellers(), role_named("finance"), "u1")


def test_people_are_ids_unless_names_are_asked_for():
    plain, named = sellers(), replace(sellers(), show_people=True, _made={})
    assert "u1" in view(plain, "team").part.text and "Lima" not in view(plain, "team").part.html
    assert "Bruno Reis" in view(named, "team").part.text and "Ana &lt;b&gt;Lima&lt;/b&gt;" in view(named, "team").part.html
    assert person(replace(company_of(opportunities=[]), show_people=True), "u7") == "u7"


def test_half_of_what_was_won_is_told_by_how_few_people():
    assert plain(view(sellers(), "team").title).replace("\u00a0", " ") == "1 of 2 people with wins won half of the R$ 4.0 k"


# --- records and renewals ------------------------------------------------------------------------------------------------


def linked(**urls) -> Company:
    ledger = pd.DataFrame({"table": ["leads", "accounts", "accounts"], "source": ["crm", "crm", "erp"]})
    return replace(company_of(opportunities=[], settings={"record_url": urls}), ledger=ledger)


def test_a_record_leads_to_where_it_is_kept_as_text_whatever_its_id():
    company = linked(opportunities="https://crm.example/deal/{id}/view", crm="https://crm.example/{id}")
    found = record(company, "opportunities", '"><script>/../é')
    assert found.html == (
        '<a href="https://crm.example/deal/%22%3E%3Cscript%3E%2F..%2F%C3%A9/view">&quot;&gt;&lt;script&gt;/../é</a>'
    )
    assert record(company, "leads", "l1").html == '<a href="https://crm.example/l1">l1</a>'


def test_a_record_without_an_address_or_of_two_systems_is_its_id():
    company = linked(crm="https://crm.example/{id}")
    assert record(company, "accounts", "a1") == "a1" and record(company, "leads", None) == ""
    assert record(company_of(leads=[], settings={"record_url": {"crm": "https://x.example/{id}"}}), "leads", "l1") == "l1"


def test_an_address_of_neither_a_system_nor_a_table_is_refused(opened):
    text = "name: T\ncurrency: BRL\nrecord_url:\n  lead: https://crm.example/{id}\n"
    with pytest.raises(InputError, match="line 4: record_url of neither a system nor a table: 'lead'; did you mean 'leads'"):
        opened({"leads.csv": "lead_id,created_at\nl1,2026-01-01\n"}, text)


def term(customer, mrr, renews, start="2025-01-15", end=None):
    return line(customer, mrr, start, end) | {"renews_on": renews}


def test_renewals_are_the_live_terms_that_end_soon_those_that_use_little_first():
    lines = [term("a1", 100_00, "2026-10-15"), term("a2", 50_00, "2026-12-29"), term("a3", 70_00, "2026-12-30"),
             term("a4", 10_00, "2026-10-01", end="2026-09-01"), term("a5", 30_00, "2024-11-20"),
             term("a6", 5_00, None)]  # fmt: skip
    usage = [{"account_id": "a2", "week": "2026-09-21", "active_users": 2, "seats": 10},
             {"account_id": "a1", "week": "2026-09-21", "active_users": 9, "seats": 10},
             {"account_id": "a1", "week": "2026-03-02", "active_users": 0, "seats": 10}]  # fmt: skip
    found = renewals(company_of(subscriptions=lines, usage=usage))
    assert found.customers.customer.tolist() == ["a2", "a1", "a5"]
    assert found.customers.renews_on.tolist() == [date(2026, 12, 29), date(2026, 10, 15), date(2026, 11, 20)]
    assert (found.due.value, found.due.n) == (180_00 * 12, 3) and (found.little.value, found.little.n) == (50_00 * 12, 1)
    assert found.customers.used.tolist()[:2] == [0.2, 0.9]


def test_without_usage_nothing_is_said_of_it_and_without_renewals_nothing_is_due():
    found = renewals(company_of(subscriptions=[term("a1", 100_00, "2027-06-01")]))
    assert found.due.value == 0 and found.little is None and found.customers.empty
    assert view(company_of(subscriptions=[term("a1", 1, "2026-10-02")]), "renewals").title.endswith(
        "renews by 29\u00a0Dec\u00a02026"
    )


# --- in the review -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_review_runs_the_notebook_for_a_role_and_links_its_page(tmp_path, tmp_path_factory):
    sample_review(tmp_path_factory)  # what it measured is read again
    (tmp_path / "notebooks").mkdir()
    source = nbformat.read(NOTEBOOKS / "role_dashboard.ipynb", as_version=4)
    nbformat.write(source, tmp_path / "notebooks" / "role_dashboard.ipynb")
    published = review(Request(out=tmp_path / "reports", folder=tmp_path / "notebooks", more={"role": "rep"}))
    assert [path.stem for path in (published / "dashboards").iterdir()] == ["rep"]
    html = (published / "dashboards" / "rep.html").read_text()
    assert 'href="../index.html"' in html and 'href="../dashboards/rep.html" aria-current="page"' in html
    assert 'href="../definitions.html#win_rate"' in html and 'id="def-win_rate"' in html
    assert "https://crm.araucaria.example/" in html
    assert 'href="dashboards/rep.html"' in (published / "index.html").read_text()
    assert (published / "notebooks" / "dashboards" / "rep.ipynb").exists()


def test_a_role_that_is_not_there_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(InputError, match="no role 'bord': did you mean 'board'"):
        review(Request(out=tmp_path, notebooks=("role_dashboard",), more={"role": "bord"}))
