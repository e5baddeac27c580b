"""Personal data never reaches a page, a notebook, a table, a log or a manifest, wherever in the exports it stands."""

from __future__ import annotations

import io
import re
import stat
import zipfile
from html import unescape
from pathlib import Path

import pandas as pd
import pytest

from revops_helpers.model.personal import LONGEST, hide
from revops_helpers.model.tables import TABLES
from revops_helpers.review.build import Request, ReviewFailed, review
from revops_helpers.settings import InputError
from tests.hostile import CPF, EMAIL, LEAKS, MARK, PERSONAL, PHONE
from tests.shared import SAID, hostile_review
from tests.test_review import OPEN, notebook


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory) -> Path:
    return hostile_review(tmp_path_factory)


def leaks(text: str) -> list[str]:
    return [leak for leak in LEAKS if leak.lower() in text.lower()]


def decoded(file: Path) -> str:
    """What a file holds, as its bytes and as a reader decodes them."""
    raw = file.read_bytes()
    text = raw.decode("utf-8", errors="replace")
    if file.suffix == ".parquet":
        text += pd.read_parquet(file).to_csv()
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(io.BytesIO(raw)) as book:
            text += "".join(book.read(name).decode("utf-8", errors="replace") for name in book.namelist())
    return text + unescape(text) + re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), text)


def test_marks_are_planted_in_every_personal_column_and_in_free_text(reviewed):
    planted = {table.name: (reviewed / "data" / f"{table.name}.csv").read_text(encoding="utf-8") for table in TABLES.values()}
    assert all(MARK in planted[name] for name in ("users", "leads", "accounts", "opportunities", "subscriptions", "touches"))
    assert sum(PERSONAL in text for text in planted.values()) >= 12
    assert CPF in planted["accounts"]


@pytest.mark.slow
def test_no_published_file_holds_an_address_a_phone_or_a_cpf(reviewed):
    files = [file for file in (reviewed / "reports").rglob("*") if file.is_file()]
    assert len(files) > 20
    assert {str(file): leaks(decoded(file)) for file in files if leaks(decoded(file))} == {}
    assert leaks((reviewed / SAID).read_text()) == []


@pytest.mark.slow
def test_what_ingest_keeps_is_for_its_owner_only(reviewed):
    assert stat.S_IMODE((reviewed / "cache").stat().st_mode) == 0o700


# ---- what the contract makes of each text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"Ana {EMAIL}", "Ana [e-mail]"),
        (f"Padaria da Ana {CPF}", "Padaria da Ana [CPF]"),
        ("MARIA DA SILVA 52998224725", "MARIA DA SILVA [nº]"),
        (f"call {PHONE} now", "call [tel.] now"),
        ("+55 11 98765-4321 or 11 98765-4321", "[tel.] or [tel.]"),
        ("+1 4155550123", "[tel.]"),
        ("(011)3456-7890", "[tel.]"),
        ("CNPJ 12.345.678/0001-90", "CNPJ 12.345.678/0001-90"),
        ("12345678000190", "12345678000190"),
        ("Plan 2026 Q3, R$ 1.234.567,89", "Plan 2026 Q3, R$ 1.234.567,89"),
        ("2026-09-30 10:00:00", "2026-09-30 10:00:00"),
        ("Ana & Filhos @ São Paulo", "Ana & Filhos @ São Paulo"),
        ("EAN 7891234567895", "EAN 7891234567895"),
    ],
)
def test_notes_are_masked_alike_by_the_engine_and_by_python(opened, text, shown):
    company = opened({"campaigns.csv": f'campaign_id,name\nc1,"{text} x"\n'}, as_of="2026-01-31")
    assert company.table("campaigns").name.execute()[0] == f"{shown} x"
    assert hide(f"{text} x") == f"{shown} x"


def test_ids_that_are_addresses_or_names_become_keyed_ids_that_still_join(opened, monkeypatch):
    files = {
        "users.csv": f"user_id,name,manager_id\n{EMAIL},Ana,João Souza\nJoão Souza,João,\nu3,Bia,{EMAIL}\n",
        "accounts.csv": f"account_id,name,owner_id,tax_id,domain\na1,{EMAIL},{EMAIL.upper()},{CPF},ana@acme.com.br\n"
        "a2,Acme Ltda,João Souza,12.345.678/0001-90,acme.com.br\n",
    }
    company = opened(files, as_of="2026-01-31")
    users, accounts = (company.table(name).execute().set_index(f"{name[:-1]}_id") for name in ("users", "accounts"))
    assert set(accounts.owner_id) < set(users.index) and list(users.index)[2] == "u3"
    assert users.manager_id["u3"] == users.index[0] != users.index[1] == users.manager_id.iloc[0]
    assert all(re.fullmatch("key-[0-9a-f]{12}", one) for one in [*users.index[:2], *accounts[["name", "tax_id"]].iloc[0]])
    assert accounts.loc["a2", ["name", "tax_id"]].tolist() == ["Acme Ltda", "12.345.678/0001-90"]
    assert accounts.domain.tolist() == ["acme.com.br", "acme.com.br"]
    monkeypatch.setenv("REVOPS_KEY", "secret")
    assert set(opened(files, as_of="2026-01-31").table("accounts").owner_id.execute()).isdisjoint(accounts.owner_id)


def test_personal_columns_keep_what_identity_needs(opened):
    company = opened({"leads.csv": f"lead_id,created_at,email,phone\nl1,2026-01-01,{EMAIL},{PHONE}\n"}, as_of="2026-01-31")
    assert company.table("leads").select("email", "phone").execute().values.tolist() == [[EMAIL, PHONE]]


def test_endless_texts_are_cut_and_endless_ids_stay_apart(opened):
    long = "x" * (LONGEST + 5)
    company = opened({"accounts.csv": f"account_id,name\n{long}1,{long}\n{long}2,b\n"}, as_of="2026-01-31")
    rows = company.table("accounts").execute()
    assert rows.account_id.nunique() == 2 and rows.account_id.str.len().max() == 16
    assert rows.name.str.len().tolist() == [LONGEST, 1]


# ---- what is refused, what fails, what is asked for wrongly


@pytest.fixture
def company(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("REVOPS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "company.yml").write_text("name: Tiny S.A.\ncurrency: BRL\n")
    (folder / "leads.csv").write_text(
        "lead_id,created_at,email,phone,company\n"
        f"l1,2026-01-01,{EMAIL},{PHONE},{CPF}\nl2,{EMAIL},{EMAIL},{PHONE},{CPF}\nl3,2026-01-01\n"
    )
    return folder


def run(company: Path, *sources: str, **more) -> Path:
    import nbformat

    folder = company.parent / "notebooks"
    folder.mkdir(exist_ok=True)
    nbformat.write(notebook(OPEN, 'parts.header("k", "t")', *sources), folder / "01_audit.ipynb")
    return review(Request(str(company), as_of="2026-01-31", out=company.parent / "reports", folder=folder, **more))


@pytest.mark.slow
def test_refused_rows_are_counted_in_a_review_and_their_text_stays_in_the_private_cache(company):
    folder = run(company)
    assert "not a time" in (folder / "tables/quarantine_summary.csv").read_text()
    assert "raw" not in pd.read_csv(folder / "tables/quarantine_summary.csv").columns
    listed = pd.read_csv(folder / "tables/quarantine.csv")
    assert [*listed.columns] == ["table", "source", "file", "line", "column", "rule"]
    assert sorted(listed[["line", "rule"]].values.tolist()) == [[3, "not a time"], [4, "ragged row"]]
    assert {*listed.file} == {"leads.csv"}
    assert [file for file in folder.rglob("*") if file.is_file() and leaks(decoded(file))] == []
    kept = next((company.parent / "cache").glob("*/_quarantine.parquet"))
    assert EMAIL in pd.read_parquet(kept)["raw"].str.cat()


@pytest.mark.slow
def test_an_error_that_quotes_an_address_is_told_and_kept_without_it(company):
    with pytest.raises(ReviewFailed) as failure:
        run(company, "raise KeyError(*company.table('leads').select('email', 'phone').execute().iloc[0])")
    assert "KeyError: ('[e-mail]', '[tel.]')" in str(failure.value)
    error = company.parent / "reports/.failed/2026-01-31/error.txt"
    assert leaks(str(failure.value)) == [] == leaks(error.read_text())


SECRETS = (
    "postgresql://user:hunter2@host/db",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_" + "a" * 36,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
    "-----BEGIN RSA PRIVATE KEY-----",
    "xoxb-123456789012-abcdefghijkl",
    "sk_live_" + "b" * 24,
)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("where", ["segment", "more", "name"])
def test_a_secret_given_as_a_parameter_is_refused_and_not_said_back(company, secret, where):
    more = {"segment": {"segment": secret}, "more": {"more": {"note": secret}}, "name": {"more": {"db_password": secret}}}[where]
    with pytest.raises(InputError) as error:
        run(company, **more)
    assert secret not in str(error.value) and not (company.parent / "reports").exists()
