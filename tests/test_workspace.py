"""open_company(): the folder, the date, the cache, and an engine that can read nothing else."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path

import ibis
import pytest

from revops_helpers import workspace
from revops_helpers.settings import InputError
from revops_helpers.workspace import open_company
from tests.folders import COMPANY, company_folder

LEADS = {"leads.csv": "lead_id,created_at,score\nl1,2026-01-10,1\nl2,2026-02-28,2\nl3,2026-03-05,3\n"}
ROOT = Path(workspace.__file__).parent.parent


def test_without_a_date_it_is_the_newest_closed_month_end(opened):
    company = opened(LEADS)
    assert (company.as_of, company.data_ends_on) == (date(2026, 2, 28), date(2026, 3, 5))
    assert company.table("leads").count().execute() == 2


def test_data_of_one_open_month_is_seen_on_its_last_day(opened):
    assert opened({"leads.csv": "lead_id,created_at\nl1,2026-01-10\n"}).as_of == date(2026, 1, 10)


def test_a_date_after_the_data_says_where_the_data_ends(opened):
    company = opened(LEADS, as_of="2026-12-31")
    assert "data ends on 2026-03-05" in company.notes
    assert company.table("leads").count().execute() == 3


def test_dates_are_days_or_iso_text(opened):
    assert opened(LEADS, as_of=date(2026, 1, 31)).table("leads").count().execute() == 1
    assert opened(LEADS, as_of="").as_of == date(2026, 2, 28)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"as_of": "2025-12-31"}, "as of 2025-12-31: before all data, whose first record is of 2026-01-10"),
        ({"as_of": "31/12/2026"}, "as of '31/12/2026': not a day"),
        ({"as_of": "2026-02-30"}, "as of '2026-02-30': not a day"),
        ({"period": "decade"}, "unknown period 'decade'; one of quarter, ytd, t12m"),
        ({"language": "tlh"}, "tlh"),
        ({"segment": "Moon"}, "segment 'Moon': no account has it; the segments are Enterprise, SMB"),
    ],
)
def test_a_wrong_argument_gets_one_message(opened, how, says):
    accounts = {"accounts.csv": "account_id,segment\na,SMB\nb,Enterprise\nc,\n"}
    with pytest.raises(InputError) as error:
        opened(LEADS | accounts, **how)
    assert says in str(error.value)


def test_a_segment_that_accounts_have_is_taken(opened):
    assert opened(LEADS | {"accounts.csv": "account_id,segment\na,SMB\n"}, segment="SMB").segment == "SMB"


def test_no_dated_row_at_all_needs_a_date(opened):
    with pytest.raises(InputError, match="give an as-of date"):
        opened({"tools.csv": "tool_id\nt\n"})
    assert opened({"tools.csv": "tool_id\nt\n"}, as_of="2026-01-31").table("tools").count().execute() == 1


def test_no_such_folder(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="no such folder"):
        open_company(tmp_path / "nowhere")


def test_the_sample_and_relative_folders_are_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert workspace.folder_of("sample") == ROOT / "data" / "sample"
    assert workspace.folder_of("tests") == ROOT / "tests"
    (tmp_path / "tests").mkdir()
    assert workspace.folder_of("tests") == tmp_path / "tests"  # what is here comes first


# ---- the cache


def stored(tmp_path) -> list[str]:
    return sorted(folder.name for folder in (tmp_path / "cache").iterdir() if folder.is_dir())


def test_inputs_are_read_once_and_again_when_anything_changes(opened, tmp_path):
    first = opened(LEADS).fingerprint
    assert opened(LEADS).fingerprint == first  # written again with the same content
    assert stored(tmp_path) == [first]
    changed = LEADS["leads.csv"] + "l4,2026-03-06,\n"
    prints = {
        first,
        opened({"leads.csv": changed}).fingerprint,
        opened({"leads.csv": changed}, COMPANY + "grace_days: 10\n").fingerprint,
    }
    selects = {"raw/lead.csv": "a,b\nl1,2026-01-10\n", "selects/leads.sql": "select a as lead_id, b as created_at from lead"}
    company = COMPANY + "sources: {raw: {path: raw, selects: selects}}\n"
    prints.add(opened(selects, company).fingerprint)
    prints.add(
        opened(selects | {"selects/leads.sql": "select a as lead_id, b as created_at from lead where true"}, company).fingerprint
    )
    assert len(prints) == 5
    assert stored(tmp_path) == sorted(prints)


def test_a_file_that_comes_beside_what_was_read_before_and_cannot_be_read_is_noted(opened):
    assert opened(LEADS).notes == ()
    assert [note.split()[0] for note in opened({"quotas.ods": "x"}).notes] == ["quotas.ods"]


def test_what_is_stored_is_private_and_tells_its_inputs(opened, tmp_path):
    company = opened(LEADS)
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
    meta = json.loads((tmp_path / "cache" / company.fingerprint / "meta.json").read_text())
    (entry,) = meta["inputs"]
    assert (entry["file"], entry["rows"], entry["bytes"]) == ("leads.csv", 3, len(LEADS["leads.csv"]))
    assert len(entry["sha256"]) == 64


def test_what_nobody_opened_for_a_month_is_forgotten(opened, tmp_path):
    old = opened(LEADS).fingerprint
    os.utime(tmp_path / "cache" / old, (0, 0))
    new = opened({"leads.csv": LEADS["leads.csv"] + "l5,2026-03-06,\n"}).fingerprint
    assert stored(tmp_path) == [new]


def test_two_processes_at_once_both_open_it(tmp_path):
    folder = company_folder(tmp_path / "data", LEADS)
    count = f"open_company({str(folder)!r}).table('leads').count().execute()"
    code = f"from revops_helpers.workspace import open_company; print({count})"
    environment = {**os.environ, "REVOPS_CACHE": str(tmp_path / "cache")}
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=ROOT
        )
        for _ in range(3)
    ]
    said = [run.communicate() for run in runs]
    assert [out.strip() for out, _ in said] == ["2", "2", "2"], said
    assert len(stored(tmp_path)) == 1


def test_an_ingest_that_fails_leaves_nothing(opened, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("revops_helpers.model.contract.accept", fail)
    with pytest.raises(OSError, match="disk full"):
        opened(LEADS)
    assert stored(tmp_path) == []


# ---- the engine


def test_the_engine_reads_what_ingest_wrote_and_nothing_else(opened, tmp_path):
    company = opened(LEADS)
    backend = ibis.get_backend(company.table("leads"))
    assert backend.raw_sql("SELECT count(*) FROM leads").fetchone() == (3,)
    for query in (
        f"SELECT * FROM read_csv('{tmp_path / 'data' / 'leads.csv'}')",
        f"COPY leads TO '{tmp_path / 'out.csv'}'",
        "SELECT * FROM read_csv('https://example.com/x.csv')",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '1GB'",
    ):
        with pytest.raises(Exception, match=r"(?i)permission|disabled|locked|cannot"):
            backend.raw_sql(query)
    assert not (tmp_path / "out.csv").exists()


def test_frames_of_an_analysis_join_with_the_tables(opened):
    leads = opened(LEADS, as_of="2026-12-31").table("leads")
    extra = ibis.memtable({"lead_id": ["l1", "l3"], "x": [1, 2]})
    assert leads.inner_join(extra, "lead_id").x.sum().execute() == 3


def test_a_cell_is_text_even_when_it_looks_like_something_else(opened):
    hostile = "<script>alert(1)</script>', '); DROP TABLE leads; --\n"
    quoted = '"' + hostile.strip().replace('"', '""') + '"'
    company = opened(
        {"leads.csv": f"lead_id,created_at,company\nl1,2026-01-01,{quoted}\nl2,2026-01-01,=1+1\n"}, as_of="2026-01-31"
    )
    assert sorted(company.table("leads").company.execute()) == sorted([hostile.strip(), "=1+1"])
