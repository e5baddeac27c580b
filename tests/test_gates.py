"""What must hold before a review is published."""

import json

import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from revops_helpers.model.personal import key_of
from revops_helpers.review.collect import all_findings, payloads, report, reproducible
from revops_helpers.review.gates import check, read_page
from revops_helpers.review.leaks import leaks
from revops_helpers.words.markup import MIME
from tests.support import company_of

POLICY = "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
PAGE = "<!doctype html><html lang=en><head>{policy}<style>{style}</style></head><body><h1>Behind</h1>{body}</body></html>"
LEDGER = pd.DataFrame(
    [{"table": "leads", "source": "crm", "unit": "rows", "read": 4, "accepted": 3, "quarantined": 1, "excluded": 0}]
)
METRICS = pd.DataFrame([{"metric": "arr", "value": 1.0, "low": 0.5, "high": 2.0, "status": "ok"}])


def page(body: str = "", style: str = "", policy: str = POLICY) -> str:
    return PAGE.format(body=body, style=style, policy=policy)


def finding(name: str, value: float | None, **more) -> dict:
    stake = {"value": value, "status": "ok" if value is not None else "not_applicable"}
    words = dict.fromkeys(("headline", "action", "owner", "metric", "evidence"), "text")
    return {"id": name, "kind": "growth", "stake": stake, **words, **more}


def executed(*payloads, count: int | None = 1):
    outputs = [new_output("display_data", {MIME: payload, "text/plain": ""}) for payload in payloads]
    cell = new_code_cell("show()", execution_count=count, outputs=outputs)
    return new_notebook(cells=[cell])


@pytest.fixture
def built(tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "index.html").write_text(page())
    return tmp_path


def problems(folder, company=None, reports=(), metrics=METRICS, ledger=LEDGER, **tables) -> list[str]:
    held = company_of(**tables)
    object.__setattr__(held, "ledger", ledger)
    return [text for gate in check(folder, held, list(reports), metrics) for text in gate.problems]


def test_a_sound_review_passes_every_gate(built):
    assert problems(built, reports=[report("a", executed({"kind": "findings", "findings": [finding("x", 5)]}), 1.0)]) == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<script>1</script>", "holds <script>"),
        ("<p onclick='x()'>", "handler onclick"),
        ("<img src='https://example.com/a.png' alt=''>", "fetches"),
        ("<img src='data:text/html,x' alt=''>", "fetches"),
        ("<img src='data:image/png;base64,'>", "without alternative text"),
        ("<iframe></iframe>", "holds <iframe>"),
        ("<svg><use href='https://example.com/a.svg#b'/></svg>", "fetches"),
        ("<p style='background:url(https://example.com)'>", "fetches from a style"),
        ("<h1>Two</h1>", "2 first headings"),
        ("<i id=a></i><i id=a></i>", "the id 'a' twice"),
        ("<meta http-equiv=refresh content='0;url=https://example.com'>", "sends the reader elsewhere"),
    ],
)
def test_a_page_that_could_run_or_fetch_anything_is_not_published(built, body, said):
    (built / "index.html").write_text(page(body))
    assert any(said in problem for problem in problems(built))


def test_a_style_sheet_that_fetches_and_a_page_without_policy_or_language_are_seen():
    assert "fetches from its style sheet" in read_page(page(style="@import 'a.css';")).problems
    assert read_page(page(style="a{background:url(data:font/woff2;base64,)}")).problems == []
    assert any("policy" in problem for problem in read_page(page(policy="")).problems)
    assert any("language" in problem for problem in read_page(page().replace(" lang=en", "")).problems)


@pytest.mark.parametrize(
    ("link", "broken"),
    [
        ("other.html", False),
        ("other.html#here", False),
        ("other.html#gone", True),
        ("gone.html", True),
        ("#gone", True),
        ("../outside.html", True),
        ("javascript:alert(1)", True),
        ("data:text/html,x", True),
        ("//example.com", True),
        ("https://crm.example.com/1", False),
    ],
)
def test_links_lead_to_what_is_there(built, link, broken):
    (built.parent / "outside.html").write_text("")
    (built / "other.html").write_text(page("<p id=here>"))
    (built / "index.html").write_text(page(f"<a href='{link}'>see</a>"))
    assert bool(problems(built)) is broken


def test_a_review_without_index_is_not_published(tmp_path):
    assert "there is no index.html" in problems(tmp_path)


def test_a_ledger_that_does_not_balance_is_seen(built):
    assert problems(built, ledger=LEDGER.assign(read=5)) == ["leads from crm, in rows"]
    assert problems(built, ledger=None) == ["there is no row ledger"]


def test_a_notebook_that_stopped_halfway_is_seen(built):
    assert problems(built, reports=[report("a", executed(count=None), 1.0)]) == ["a: a cell has not run"]
    failed = executed()
    failed.cells[0].outputs = [new_output("error", ename="E", evalue="", traceback=[])]
    assert problems(built, reports=[report("a", failed, 1.0)]) == ["a: a cell shows an error"]


def test_findings_that_are_not_whole_or_add_up_to_too_much_are_seen(built):
    twice = {"kind": "findings", "findings": [finding("x", 5), finding("x", 5, owner="")], "joint": {"value": 20}}
    found = problems(built, reports=[report("a", executed(twice), 1.0)])
    assert found == [
        "a: finding x stands twice",
        "a: finding x has no owner",
        "a: the findings are valued higher together than one by one",
    ]


def test_odd_metrics_are_seen(built):
    odd = pd.DataFrame(
        [
            {"metric": "arr", "value": 1.0, "low": 3.0, "high": 2.0, "status": "ok"},
            {"metric": "nrr", "value": None, "low": None, "high": None, "status": "fine"},
            {"metric": "grr", "value": None, "low": None, "high": None, "status": "ok"},
        ]
    )
    found = problems(built, metrics=odd)
    assert len(found) == 3 and "'fine'" in found[0] and "arr" in found[1] and "grr" in found[2]


def test_a_persons_address_is_found_in_any_file_and_other_addresses_are_not(built):
    (built / "tables/metrics.csv").write_text("owner\nAna.Souza@example.com\nhelp@example.com\n")
    people = [{"user_id": "u1", "name": "Ana", "email": "ana.souza@example.com", "role": "seller"}]
    assert problems(built, users=people) == ["tables/metrics.csv shows an address of users.email"]


CALLED = [{"lead_id": "l1", "created_at": "2026-01-01", "email": "bia@example.com", "phone": "+55 (11) 98765-4321"},
          {"lead_id": "l2", "created_at": "2026-01-01", "email": "529.982.247-25", "phone": "55 3212-3456"},
          {"lead_id": "l3", "created_at": "2026-01-01", "email": None, "phone": None}]  # fmt: skip
FILES = ("index.html", "notebooks/00.ipynb", "tables/metrics.csv", "manifest.json", "findings.json", "run.log", "error.txt")


def planted(folder, file: str, text: str) -> None:
    to = folder / file
    to.parent.mkdir(exist_ok=True)
    held = {".html": page(f"<p>{text}</p>"), ".csv": f"note,n\n{text},1\n"}
    to.write_text(held.get(to.suffix, json.dumps({"note": text})))


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Bia@Example.com", "an address of leads.email"),
        ("call (11) 98765-4321 now", "a number of leads.phone"),
        ("11987654321", "a number of leads.phone"),
        ("+5511987654321", "a number of leads.phone"),
        ("(011) 98765-4321", "a number of leads.phone"),
        ("(11)\u00a098765-4321", "a number of leads.phone"),
        ("5532123456", "a number of leads.phone"),
        ("52998224725", "a number of leads.email"),
        ("111.444.777-35", "a CPF"),
    ],
)
def test_a_persons_address_and_numbers_are_found_in_every_kind_of_file(built, file, text, said):
    planted(built, file, text)
    found = problems(built, leads=CALLED)
    assert f"{file} shows {said}" in found and not any("98765" in one or "111.444" in one or "@" in one for one in found)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("text", ["111.444.777-36", "111.111.111-11", "11144477735", "11987654322", "11.222.333/0001-81",
                                  "R$ 1.234.567,89", "0.11987654321", "other@example.com", "2026-09-30 10:00"])  # fmt: skip
def test_a_number_that_is_nobodys_closes_no_gate(built, file, text):
    planted(built, file, text)
    assert problems(built, leads=CALLED) == []


@pytest.mark.parametrize("given", ["111.444.777-35", "11144477735", "01234567890", "012.345.678-90"])
def test_a_cpf_that_the_contract_made_a_key_of_is_found_however_it_is_written(opened, built, given):
    company = opened({"accounts.csv": f"account_id,name,tax_id\na1,Acme,{given}\n"}, as_of="2026-01-31")
    assert company.table("accounts").tax_id.execute()[0] == key_of(given, company.settings.name)
    planted(built, "tables/metrics.csv", given.replace(".", "").replace("-", ""))
    assert list(leaks(built / "tables", company)) == ["metrics.csv shows a CPF of accounts.tax_id"]
    planted(built, "tables/metrics.csv", "98765432100")
    assert list(leaks(built / "tables", company)) == []


def test_pictures_are_no_text_and_no_data_no_leak(built):
    planted(built, "index.html", "data:image/png;base64,AAAA/11987654321/BBBB=")
    assert problems(built, leads=CALLED) == []
    planted(built, "index.html", "11987654321 bia@example.com")
    assert problems(built, leads=[]) == problems(built) == []


def test_what_a_notebook_shows_is_collected_from_parts_within_parts():
    line = {"kind": "bottom_line", "sentences": ["We are behind.", "Data holds."]}
    shown = executed({"kind": "header", "title": "Gap"}, {"kind": "stack", "parts": [{"kind": "beside", "parts": [line]}]})
    assert [part["kind"] for part in payloads(shown)] == ["header", "stack", "beside", "bottom_line"]
    found = report("a", shown, 1.0)
    assert (found.title, found.lead, found.findings) == ("Gap", "We are behind.", ())


def test_findings_are_ranked_once_with_unknown_stakes_last():
    first = report("00", executed({"kind": "findings", "findings": [finding("a", 5), finding("b", None)]}), 1.0)
    second = report("03", executed({"kind": "findings", "findings": [finding("a", 7), finding("c", 6)]}), 1.0)
    assert [f["id"] for f in all_findings([first, second])] == ["c", "a", "b"]


def test_an_executed_copy_holds_no_time_and_no_random_id():
    ran = executed()
    ran.metadata["papermill"] = {"duration": 1.5}
    ran.cells[0].metadata.update(papermill={"start_time": "x"}, execution={"iopub": "x"}, tags=["injected-parameters"])
    clean = reproducible(ran, {"data": "sample"})
    assert clean.cells[0].id == "injected-parameters"
    assert "papermill" not in clean.metadata and not {"papermill", "execution"} & set(clean.cells[0].metadata)
