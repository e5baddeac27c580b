"""Files that are far too large, too wide or wholly broken: read in bounded memory, told in few words, and nothing lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from revops_helpers.model.personal import LONGEST
from revops_helpers.review.exports import quarantine_summary
from revops_helpers.settings import InputError
from revops_helpers.words.records import quarantine_section
from tests.folders import COMPANY, ledger_of, rules_of
from tests.shared import ROOT

MOST_MEGABYTES = 1_500
OPENED = """
import json, resource, sys
from revops_helpers.workspace import open_company
company = open_company(sys.argv[1], as_of="2026-01-31")
ledger = company.ledger.set_index("unit").loc["rows", ["read", "accepted", "quarantined", "excluded"]].tolist()
print(json.dumps([resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, ledger, sorted(set(company.quarantine["rule"]))]))
"""


def opened_apart(folder: Path, line: str, rows: int) -> list:
    """[most memory in MB, ledger of rows, rules broken] of a company with one file that repeats a line."""
    folder.mkdir()
    (folder / "company.yml").write_text(COMPANY)
    with (folder / "leads.csv").open("w") as file:
        file.write("lead_id,created_at,company\n")
        file.writelines(line.format(i=i) + "\n" for i in range(rows))
    environment = os.environ | {"REVOPS_CACHE": str(folder / "cache")}
    ended = subprocess.run([sys.executable, "-c", OPENED, str(folder)], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "rule"), [("l{i},yesterday,Acme Ltda {i}", "not a time"), ("l{i},2026-01-01", "ragged row")], ids=["day", "ragged"]
)
def test_a_million_rows_of_one_broken_kind_are_all_counted_in_bounded_memory(tmp_path, line, rule):
    memory, ledger, rules = opened_apart(tmp_path / "data", line, 1_000_000)
    assert ledger == [1_000_000, 0, 1_000_000, 0] and rules == [rule]
    assert memory < MOST_MEGABYTES


def test_a_thousand_kinds_of_ragged_rows_are_one_line_of_a_report(opened):
    lines = "".join(f"l{i}{',x' * (i + 3)}\n" for i in range(1_000))
    company = opened({"leads.csv": f"lead_id,created_at\n{lines}"}, as_of="2026-01-31")
    assert ledger_of(company, "leads") == (1_000, 0, 1_000, 0) and len(company.quarantine) == 1_000
    summary = quarantine_summary(company.quarantine)
    assert summary[["table", "rule", "rows"]].values.tolist() == [["leads", "ragged row", 1_000]]
    assert len(quarantine_section(company).html) < 4_000


def test_a_cell_of_ten_megabytes_is_read_and_cut(opened):
    text = "x" * 10_000_000
    company = opened({"accounts.csv": f"account_id,name,employees\na1,{text},5\na2,Beta,{text}\n"}, as_of="2026-01-31")
    assert company.table("accounts").name.execute().str.len().tolist() == [LONGEST]
    assert rules_of(company) == [("accounts.csv", 3, "employees", "not a whole number")]
    assert company.quarantine["raw"].str.len().max() < 3 * LONGEST


def test_ten_thousand_columns_that_the_model_lacks_are_told_in_few_words(opened):
    names = ",".join(f"extra_{i}" for i in range(10_000))
    company = opened({"accounts.csv": f"account_id,{names}\na1{',1' * 10_000}\n"}, as_of="2026-01-31")
    assert ledger_of(company, "accounts") == (1, 1, 0, 0)
    assert len(company.notes) <= 25 and "not in the model" in company.notes[0]
    assert any("more columns" in note for note in company.notes)


def test_a_record_too_long_to_be_one_is_refused_in_one_message(opened):
    with pytest.raises(InputError) as error:
        opened({"accounts.csv": f'account_id,name\na1,"{"x" * 20_000_000}"\n'}, as_of="2026-01-31")
    assert "accounts.csv" in str(error.value) and len(str(error.value)) < 600


# ---- companies of hardly anything


EMPTY = "opportunity_id,account_id,amount,created_at,status\n"


@pytest.mark.parametrize("rows", ["", "o1,a1,10,2026-01-05,open\n", "o1,a1,x,2026-01-05,open\n"], ids=["none", "one", "refused"])
def test_a_company_of_no_row_of_one_and_of_refused_ones_alone_is_opened(opened, rows):
    company = opened({"opportunities.csv": EMPTY + rows}, as_of="2026-01-31")
    read = ledger_of(company, "opportunities")
    assert read[0] == sum(read[1:]) == len(rows.splitlines())
    assert isinstance(quarantine_summary(company.quarantine), pd.DataFrame)
