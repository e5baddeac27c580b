"""An empty spreadsheet for every table, which the product reads once it is filled."""

import openpyxl
import pytest
from click.testing import CliRunner

from revops_helpers.cli import main
from revops_helpers.model.tables import TABLES
from revops_helpers.review.template import write_template
from revops_helpers.settings import InputError
from revops_helpers.words.messages import use
from tests.folders import ledger_of


@pytest.fixture
def in_english():
    """What speaks another language in a test does so no longer after it."""
    yield
    use("en")


FILLED = {
    "user_id": "007", "period_start": "2026-01-01", "period_end": "2026-03-31", "amount": "1500.50", "kind": "new_arr",
}  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_every_table_has_a_template_of_its_columns_and_no_rows(table, tmp_path):
    said = write_template(table, tmp_path / f"{table}.csv")
    assert (tmp_path / f"{table}.csv").read_text() == ",".join(c.name for c in TABLES[table].columns) + "\n"
    assert all(f"\n  {c.name} " in said for c in TABLES[table].columns)


def test_a_filled_csv_template_is_read(tmp_path, opened):
    write_template("quotas", tmp_path / "quotas.csv")
    head = (tmp_path / "quotas.csv").read_text()
    line = ",".join(FILLED[name] for name in head.strip().split(","))
    company = opened({"quotas.csv": head + line + "\n"}, as_of="2026-03-31")
    assert ledger_of(company, "quotas") == (1, 1, 0, 0)
    assert company.table("quotas").amount.execute().tolist() == [150_050]


def test_a_filled_excel_template_is_read_and_keeps_the_zeros_of_an_id(tmp_path, opened):
    file = tmp_path / "quotas.xlsx"
    write_template("quotas", file)
    book = openpyxl.load_workbook(file)
    assert book.sheetnames == ["quotas", "columns"]
    assert [row[0] for row in book["columns"].iter_rows(values_only=True)] == ["column", *FILLED]
    assert book["quotas"].column_dimensions["A"].number_format == "@"
    book["quotas"].append(list(FILLED.values()))
    book.save(file)
    company = opened({"quotas.xlsx": file.read_bytes()}, as_of="2026-03-31")
    (quota,) = company.table("quotas").execute().to_dict("records")
    assert (quota["user_id"], quota["amount"]) == ("007", 150_050)


def test_the_explanations_are_there_in_portuguese_and_the_names_stay(tmp_path, in_english):
    file = tmp_path / "quotas.xlsx"
    ended = CliRunner().invoke(main, ["template", "quotas", "--out", str(file), "--language", "pt_BR"])
    assert f"{file}: uma linha por pessoa e período. Chave: user_id, period_start, kind." in ended.stdout
    book = openpyxl.load_workbook(file)
    assert book.sheetnames == ["quotas", "colunas"]
    head, *lines = book["colunas"].iter_rows(values_only=True)
    assert head == ("coluna", "tipo", "obrigatório", "o que contém") and [line[0] for line in lines] == [*FILLED]
    assert lines[3] == ("amount", "moeda", None, "cota; no mínimo 0")


@pytest.mark.parametrize("table", TABLES)
def test_no_column_of_any_table_is_explained_in_english(table, tmp_path, in_english):
    said = [write_template(table, tmp_path / f"{language}.csv", language).splitlines()[2:] for language in ("en", "pt_BR")]
    assert len(said[0]) == len(TABLES[table].columns)
    assert [one for one, other in zip(*said, strict=True) if one.split() == other.split()] == []


def test_a_file_that_is_there_is_left_as_it_is(tmp_path):
    file = tmp_path / "spend.csv"
    file.write_text("mine\n")
    ended = CliRunner().invoke(main, ["template", "spend", "--out", str(file)])
    assert ended.exit_code == 2 and "is there already" in ended.stderr
    assert file.read_text() == "mine\n"


def test_a_table_or_a_kind_of_file_that_is_not_known_is_refused(tmp_path):
    with pytest.raises(InputError, match="no table 'quota'; did you mean 'quotas'"):
        write_template("quota", tmp_path / "quota.csv")
    with pytest.raises(InputError, match=r"a template is a \.csv or an \.xlsx"):
        write_template("quotas", tmp_path / "quotas.ods")
    assert list(tmp_path.iterdir()) == []
