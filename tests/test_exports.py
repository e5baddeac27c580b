"""The files beside the pages: nothing in them runs as a formula, and the same content gives the same bytes."""

import csv
import json
from datetime import date, datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revops_helpers.review.exports import quarantine_summary, safe, write_actions, write_csv, write_json, write_table

FINDING = {
    "id": "win_rate", "phase": "optimization", "headline": "Win rate is behind", "action": "=HYPERLINK(1)", "owner": "CRO",
    "metric": "win_rate", "confidence": "medium", "review_on": "2026-12-31", "evidence": "03_optimization#win-rate",
    "stake": {"value": 100, "status": "ok"}, "kind": "growth",
}  # fmt: skip


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert safe(text) == "'" + text


@pytest.mark.parametrize("value", ["Acme = 1", "", "'=1", -5, -0.5, None, date(2026, 9, 30)])
def test_other_text_and_numbers_stay(value):
    assert safe(value) == value


@settings(deadline=None)
@given(st.lists(st.lists(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00")), min_size=2, max_size=2)))
def test_no_cell_of_a_written_table_begins_like_a_formula(tmp_path_factory, rows):
    file = tmp_path_factory.mktemp("csv") / "a.csv"
    write_csv(file, ["one", "two"], rows)
    with file.open(encoding="utf-8", newline="") as stream:
        written = list(csv.reader(stream))
    assert [len(row) for row in written] == [2] * (1 + len(rows))
    assert not [cell for row in written for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_a_table_is_written_with_plain_numbers_dates_and_empty_cells(tmp_path):
    frame = pd.DataFrame(
        {
            "name": ["=x", None],
            "day": [date(2026, 9, 30), None],
            "at": pd.to_datetime([datetime(2026, 9, 30), None]),
            "value": [1200.0, float("nan")],
            "share": [0.25, 0.5],
            "n": pd.array([3, None], dtype="Int64"),
        }
    )
    write_table(tmp_path, "t", frame)
    assert (tmp_path / "t.csv").read_text() == "name,day,at,value,share,n\n'=x,2026-09-30,2026-09-30,1200,0.25,3\n,,,,0.5,\n"
    assert pd.read_parquet(tmp_path / "t.parquet")["name"].tolist()[0] == "=x"


def test_a_table_without_rows_has_its_header(tmp_path):
    write_table(tmp_path, "t", pd.DataFrame({"a": pd.Series(dtype="str"), "b": pd.Series(dtype="float")}))
    assert (tmp_path / "t.csv").read_text() == "a,b\n"


def test_the_summary_of_refused_rows_counts_and_shows_no_row():
    raw = '{"email": "ana@example.com"}'
    row = {"table": "leads", "source": "crm", "file": "leads.csv", "column": None, "rule": "duplicate key", "advice": "keep one"}
    rows = [{**row, "line": line, "raw": raw} for line in (2, 3)] + [{**row, "line": 4, "column": "email", "raw": raw}]
    summary = quarantine_summary(pd.DataFrame(rows))
    assert summary.columns.tolist() == ["table", "source", "column", "rule", "advice", "file", "line", "rows"]
    assert summary["rows"].tolist() == [2, 1] and summary["line"].tolist() == [2, 4]
    assert "ana" not in summary.to_csv()


def test_the_actions_are_tasks_that_a_tracker_can_import(tmp_path):
    write_actions(tmp_path / "actions.csv", [FINDING])
    with (tmp_path / "actions.csv").open(newline="") as stream:
        task = next(csv.DictReader(stream))
    assert task["Summary"] == "'=HYPERLINK(1)"
    assert (task["Issue Type"], task["Priority"], task["Due Date"]) == ("Task", "Medium", "2026-12-31")
    assert "03_optimization#win-rate" in task["Description"]


def test_json_is_the_same_for_the_same_content_and_refuses_what_is_not_json(tmp_path):
    write_json(tmp_path / "a.json", [FINDING])
    assert json.loads((tmp_path / "a.json").read_text()) == [FINDING]
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "b.json", {"value": float("nan")})
