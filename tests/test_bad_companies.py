"""A whole review of a company without data: a clear message and nothing written, or a page that says what it needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from revops_helpers.review.build import Request, review
from revops_helpers.settings import InputError

HEADERS = {"leads": "lead_id,created_at,email\n", "opportunities": "opportunity_id,created_at,amount,status\n"}
REFUSED = {"leads": HEADERS["leads"] + ",x,y\n,z,w\n", "opportunities": HEADERS["opportunities"] + ",q,w,e\n"}
ONE = {"leads": HEADERS["leads"] + "l1,2026-01-05,\n", "opportunities": HEADERS["opportunities"] + "o1,2026-01-06,100,won\n"}


@pytest.fixture
def company(tmp_path, monkeypatch):
    monkeypatch.setenv("REVOPS_CACHE", str(tmp_path / "cache"))

    def written(files: dict[str, str]) -> Path:
        folder = tmp_path / "data"
        folder.mkdir()
        (folder / "company.yml").write_text("name: Bad\ncurrency: BRL\n")
        for name, text in files.items():
            (folder / f"{name}.csv").write_text(text)
        return folder

    return written


@pytest.mark.parametrize("files", [HEADERS, REFUSED], ids=["headers only", "all refused"])
def test_without_one_accepted_row_a_date_is_asked_for_and_nothing_is_written(company, tmp_path, files):
    with pytest.raises(InputError, match="no row of the data has a date to tell where it ends; give an as-of date"):
        review(Request(str(company(files)), out=tmp_path / "reports", notebooks=("01",)))
    assert [path for path in (tmp_path / "reports").rglob("*") if path.is_file()] == []


@pytest.mark.slow
@pytest.mark.parametrize("files", [HEADERS, REFUSED, ONE], ids=["headers only", "all refused", "one row a table"])
def test_with_a_date_its_review_is_published_and_says_what_it_needs(company, tmp_path, files):
    folder = review(Request(str(company(files)), as_of="2026-09-30", out=tmp_path / "reports", notebooks=("00",)))
    html = (folder / "index.html").read_text(encoding="utf-8")
    assert "Not available: needs" in html and (folder / "manifest.json").exists()
