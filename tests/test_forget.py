"""Forgetting: by age, or because a person asked. Only what the workbook made goes, all of it goes, and the exports stay."""

import gzip
import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from revops_helpers.cli import main
from revops_helpers.review import forget
from revops_helpers.review.build import Request, ReviewFailed, review
from revops_helpers.review.forget import Artefact, artefacts, moment, older, removed
from revops_helpers.review.subject import Subject, in_export, in_folder
from tests.folders import belied
from tests.test_review import HEAD, LINE, OPEN, files, notebook

EMAIL, CPF, PHONE, LEAD = "ana.souza@cliente.example", "529.982.247-25", "+55 (11) 91234-5678", "LEAD-000777"
TODAY = datetime.now(UTC).date()
LEADS = (
    "lead_id,name,email,phone,company,created_at\n"
    f"{LEAD},Ana Souza,{EMAIL},{PHONE},Cliente S.A.,2026-01-10\n"
    "LEAD-000778,Rui Lima,rui@outra.example,+55 (21) 3333-4444,Outra S.A.,2026-02-10\n"
)


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("REVOPS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def data(tmp_path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "company.yml").write_text("name: Tiny S.A.\ncurrency: BRL\n")
    (folder / "leads.csv").write_text(LEADS)
    return folder


def reviewed(data: Path, *sources: str, **more) -> Path:
    """A review with one notebook of the given cells, in `reports` beside the data."""
    folder = data.parent / "notebooks"
    folder.mkdir(exist_ok=True)
    nbformat.write(notebook(OPEN, HEAD, LINE, *sources), folder / "01_audit.ipynb")
    return review(Request(str(data), as_of="2026-06-30", out=data.parent / "reports", folder=folder, **more))


def plain_review(out: Path, name: str, started: str, text: str = "") -> Path:
    """A folder that looks like a published review."""
    folder = out / name
    folder.mkdir(parents=True)
    (folder / "index.html").write_text(f"<p>{text}</p>")
    held = {"review": {}, "fingerprint": "f", "run": {"started_at": f"{started}T06:00:00+00:00"}}
    (folder / "manifest.json").write_text(json.dumps(held))
    return folder


def plain_cache(cache: Path, name: str, used: date) -> Path:
    folder = cache / name
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text('{"tables": {}, "inputs": []}')
    stamp = datetime(used.year, used.month, used.day, 12, tzinfo=UTC).timestamp()
    os.utime(folder, (stamp, stamp))
    return folder


def run(*arguments, given=None, **environment):
    return CliRunner().invoke(main, [str(one) for one in arguments], input=given, env=environment)


# ---- purge


def test_only_what_is_older_goes_and_only_when_told_to(tmp_path, cache):
    out = tmp_path / "reports"
    old, new = plain_review(out, "2024-03-31", "2024-04-02"), plain_review(out, "2026-03-31", "2026-04-02")
    replaced = plain_review(out, ".replaced/2024-03-31-1", "2024-04-01")
    stale, fresh = plain_cache(cache, "a" * 24, date(2024, 5, 1)), plain_cache(cache, "b" * 24, TODAY)
    (out / "latest").symlink_to("2026-03-31")
    listed = run("purge", "--older-than", "2025-01-01", "--out", out)
    assert listed.exit_code == 0 and "To remove these 3, add --yes" in listed.output
    assert all(f"{place}" in listed.output for place in (old, replaced, stale)) and str(new) not in listed.output
    assert all(place.exists() for place in (old, new, replaced, stale, fresh))
    done = run("purge", "--older-than", "2025-01-01", "--out", out, "--yes")
    assert done.exit_code == 0 and "Removed: 3" in done.output
    assert [place.exists() for place in (old, new, replaced, stale, fresh)] == [False, True, False, False, True]
    assert os.readlink(out / "latest") == "2026-03-31"
    assert {path.name for path in out.iterdir()} == {"2026-03-31", "latest", ".replaced"}


def test_latest_moves_to_what_is_left_and_goes_with_the_last(tmp_path, cache):
    out = tmp_path / "reports"
    plain_review(out, "2026-06-30", "2024-01-01"), plain_review(out, "2026-03-31", "2026-04-02")
    (out / "latest").symlink_to("2026-06-30")
    removed(older(out, date(2025, 1, 1)), out)
    assert os.readlink(out / "latest") == "2026-03-31"
    removed(artefacts(out), out)
    assert not [path for path in out.iterdir() if not path.name.startswith(".")]


def test_what_the_workbook_did_not_make_is_never_touched(tmp_path, cache):
    out, elsewhere = tmp_path / "reports", tmp_path / "elsewhere"
    theirs = plain_review(elsewhere, "2020-01-31", "2020-02-01")
    out.mkdir()
    (out / "2020-01-31").symlink_to(theirs)
    (out / ".replaced").symlink_to(elsewhere)
    for name, manifest in (("2020-02-29", "{}"), ("2020-03-31", "[1]"), ("2020-04-30", "{"), ("2020-05-31", None)):
        (out / name).mkdir()
        if manifest is not None:
            (out / name / "manifest.json").write_text(manifest)
    plain_review(out, "my holiday", "2020-01-01")
    (cache / ("c" * 24)).mkdir(parents=True)
    (cache / "keep").mkdir()
    (cache / ("d" * 24)).symlink_to(theirs)
    assert artefacts(out) == []
    said = run("purge", "--older-than", "0d", "--out", out, "--yes").output.splitlines()
    assert said[0].startswith("Files only: ") and said[1:] == ["Nothing to remove."]
    assert (theirs / "index.html").exists()


def test_a_link_inside_a_review_is_removed_and_not_followed(tmp_path, cache):
    out, precious = tmp_path / "reports", tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("stays")
    (plain_review(out, "2020-01-31", "2020-02-01") / "linked").symlink_to(precious)
    assert removed(older(out, TODAY), out) == 1
    assert (precious / "file").read_text() == "stays"


def test_failed_runs_and_unfinished_caches_are_old_when_their_files_are(tmp_path, cache):
    out = tmp_path / "reports"
    failed, unfinished = out / ".failed/2026-06-30", cache / ".ingest-x"
    for place, file in ((failed, failed / "error.txt"), (unfinished, unfinished)):
        place.mkdir(parents=True)
        if file != place:
            file.write_text("x")
    assert [one.kind for one in artefacts(out)] == ["failed run"]
    for file in (failed / "error.txt", unfinished):
        os.utime(file, (1e9, 1e9))
    assert [one.kind for one in older(out, date(2002, 1, 1))] == ["failed run", "unfinished cache"]


def test_what_somebody_else_removed_meanwhile_is_no_error(tmp_path, cache):
    out = tmp_path / "reports"
    out.mkdir()
    assert removed([Artefact("review", out / "2020-01-31", TODAY)], out) == 0
    assert list(out.iterdir()) == []


@given(st.integers(0, 99_999))
def test_so_many_days_ago_is_a_day(days):
    assert abs((TODAY - moment(f"{min(days, 20_000)}d")).days - min(days, 20_000)) <= 1


@pytest.mark.parametrize("text", ["365", "1y", "d", "-5d", "soon", "2026-13-01", "30/09/2026", "9999-01-01"])
def test_what_is_no_day_is_refused(tmp_path, cache, text):
    ended = run("purge", f"--older-than={text}", "--out", tmp_path)
    assert ended.exit_code == 2 and "Traceback" not in ended.output


def test_a_folder_that_is_not_there_is_said(tmp_path, cache):
    ended = run("purge", "--older-than", "1d", "--out", tmp_path / "no")
    assert ended.exit_code == 2 and "no such folder" in ended.stderr and not (tmp_path / "no").exists()


# ---- erase


SHOW_ID = "parts.note(company.table('leads').order_by('created_at').lead_id.execute()[0])"


@pytest.mark.parametrize("subject", [EMAIL, EMAIL.upper(), LEAD, PHONE, "11912345678", "5511912345678", "(11) 91234 5678"])
def test_every_way_to_name_a_person_finds_what_holds_their_id_and_leaves_the_export(data, cache, subject):
    place = reviewed(data, SHOW_ID)
    before = files(data)
    ended = run("erase", data, "--subject", subject, "--out", place.parent, "--yes")
    assert ended.exit_code == 0 and "Removed: 2" in ended.output, ended.output
    assert f"review: {place}" in ended.output and "01_audit.html" in ended.output and "leads.parquet" in ended.output
    assert f"yours to change: {data / 'leads.csv'}, line 2\n" in ended.output
    assert not place.exists() and not list(cache.glob("[0-9a-f]*[0-9a-f]/"))
    assert not (place.parent / "latest").is_symlink()
    assert files(data) == before
    assert not any(word in ended.output.lower() for word in ("ana", "souza", "91234", LEAD.lower()))


def test_erasing_lists_first_and_a_review_without_the_person_stays(data, cache):
    place = reviewed(data)
    ended = run("erase", data, "--subject", EMAIL, "--out", place.parent)
    assert "To remove this, add --yes" in ended.output and f"review: {place}" not in ended.output
    assert run("erase", data, "--subject", EMAIL, "--out", place.parent, "--yes").exit_code == 0
    assert place.exists() and (place.parent / "latest").exists()


def test_replaced_and_failed_runs_that_hold_the_person_go_too(data, cache):
    place = reviewed(data, SHOW_ID)
    reviewed(data)
    with pytest.raises(ReviewFailed):
        reviewed(data, SHOW_ID, "1 / 0")
    run("erase", data, "--subject", LEAD, "--out", place.parent, "--yes")
    assert place.exists() and not list((place.parent / ".replaced").iterdir()) and not list((place.parent / ".failed").iterdir())


@pytest.mark.parametrize("told", [{"given": f"{EMAIL}\n"}, {"REVOPS_SUBJECT": EMAIL}])
def test_the_subject_may_come_from_stdin_or_the_environment(data, cache, told):
    reviewed(data, SHOW_ID)
    subject = ["--subject", "-"] if "given" in told else []
    ended = run("erase", data, *subject, "--out", data.parent / "reports", **told)
    assert ended.exit_code == 0 and "review: " in ended.output and EMAIL not in ended.output


@pytest.mark.parametrize("subject", ["", " ", "ab"])
def test_too_short_a_subject_is_refused(data, cache, subject):
    (data.parent / "reports").mkdir()
    ended = run("erase", data, "--subject", subject, "--out", data.parent / "reports")
    assert ended.exit_code == 2 and "at least 3 characters" in ended.stderr


def test_an_id_that_ingest_replaced_by_a_keyed_hash_is_found_by_what_it_was(data, cache):
    (data / "leads.csv").write_text(LEADS.replace(LEAD, EMAIL))
    place = reviewed(data, SHOW_ID)
    page = (place / "01_audit.html").read_text()
    assert "key-" in page and EMAIL not in page
    ended = run("erase", data, "--subject", EMAIL, "--out", place.parent, "--yes")
    assert not place.exists(), ended.output


def test_quarantined_rows_are_in_the_cache_and_go_with_it(data, cache):
    (data / "leads.csv").write_text(LEADS.replace("2026-01-10", "never"))
    place = reviewed(data)
    ended = run("erase", data, "--subject", LEAD, "--out", place.parent, "--yes")
    assert "_quarantine.parquet" in ended.output and not list(cache.glob("[0-9a-f]*[0-9a-f]/"))


SALT = "Tiny S.A."


@pytest.mark.parametrize(
    ("subject", "text", "found"),
    [
        (CPF, "cpf 52998224725.", True),
        ("52998224725", "529.982.247-25", True),
        (CPF, "1529982247259", False),
        (PHONE, "tel: 11 91234 5678", True),
        (PHONE, "011 91234-5678", True),
        (PHONE, "11 91234-56789", False),
        (EMAIL, f"<td>{EMAIL}</td>", True),
        (EMAIL, f"x{EMAIL}", False),
        (EMAIL, "mailto:Ana.Souza@Cliente.example?", True),
        ("U-1", "<td>U-1</td>", True),
        ("U-1", "a,u-1,b", True),
        ("U-1", "U-12", False),
        ("U-1", "the u-1 unit", False),
        ("LEAD-000777", "LEAD-0007771", False),
        ("LEAD-000777", '"LEAD-000777"', True),
    ],
)
def test_a_term_is_found_as_a_whole_and_a_number_however_it_is_grouped(subject, text, found):
    assert Subject.of(subject, SALT).stands_in(text) is found


def test_a_subject_does_not_say_itself():
    assert EMAIL not in repr(Subject.of(EMAIL, SALT)) and EMAIL not in str(Subject.of(EMAIL, SALT))


def test_pages_notebooks_and_tables_are_read_through_their_escapes(tmp_path):
    name = 'joão "jota" d’ávila'
    (tmp_path / "a.html").write_text(f"<td>{name.replace(chr(34), '&quot;')}</td>")
    (tmp_path / "b.ipynb").write_text(json.dumps({"text": f"x\n{name}"}, ensure_ascii=False))
    (tmp_path / "c.csv").write_text("nobody")
    (tmp_path / "d.png").write_bytes(name.encode())
    assert list(in_folder(tmp_path, Subject.of(name, SALT))) == ["a.html", "b.ipynb"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_exports_are_searched_in_their_own_encoding(tmp_path, encoding):
    (tmp_path / "a.csv").write_bytes("id\nnão\nJoão Ávila\n".encode(encoding))
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress("id\nJoão Ávila\n".encode(encoding)))
    subject = Subject.of("João Ávila", SALT)
    assert (in_export(tmp_path / "a.csv", subject), in_export(tmp_path / "b.csv.gz", subject)) == ([3], [2])


def test_parquet_and_excel_exports_are_searched_by_record(tmp_path):
    import pandas as pd

    frame = pd.DataFrame({"n": [1, 2], "email": ["x@y.example", EMAIL]})
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_excel(tmp_path / "b.xlsx", index=False)
    subject = Subject.of(EMAIL, SALT)
    assert (in_export(tmp_path / "a.parquet", subject), in_export(tmp_path / "b.xlsx", subject)) == ([2], [2])
    (tmp_path / "c.xlsx").write_bytes(belied(tmp_path / "b.xlsx"))
    assert in_export(tmp_path / "c.xlsx", subject) == [2]


def test_a_run_that_is_stopped_while_removing_leaves_no_half(tmp_path, cache, monkeypatch):
    out = tmp_path / "reports"
    plain_review(out, "2020-01-31", "2020-02-01")
    with monkeypatch.context() as patch:
        patch.setattr(forget.shutil, "rmtree", lambda *arguments, **more: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            removed(artefacts(out), out)
    assert not (out / "2020-01-31").exists()
    assert artefacts(out) == []
    plain_review(out, "2020-02-29", "2020-03-01")
    removed(artefacts(out), out)
    assert not list(out.glob(".building-*"))


def test_days_are_counted_from_today():
    assert moment("0d") == TODAY and moment("7d") == TODAY - timedelta(days=7) and moment("2020-02-29") == date(2020, 2, 29)
