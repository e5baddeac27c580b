"""What takes long is kept beside the data: found again whole, made anew for anything that it would follow from."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import ibis
import pandas as pd
import pytest

from revops_helpers import shelf
from revops_helpers.finding import Finding
from revops_helpers.measurement import Measurement
from revops_helpers.metrics import counting
from revops_helpers.metrics import measure as measuring
from revops_helpers.metrics.measure import measure, sql
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.settings import Settings
from revops_helpers.shelf import Shelf
from revops_helpers.words import actions
from revops_helpers.words.language import _, data
from revops_helpers.words.messages import use
from tests.support import company_of
from tests.test_measure import deal

STAKE = Measurement(5_000_00, n=4, low=100_00, high=9_000_00, unit="money", currency="BRL")
FINDING = Finding(
    "win", "optimization", _("{name} is behind", name="**Ana** <b>"), "=Coach the team", STAKE, "high", "01#a", data("CRO"),
    "win_rate", date(2026, 12, 31), levers={"win_rate": 0.25},
)  # fmt: skip
UNKNOWN = replace(FINDING, id="none", stake=Measurement(None, status="not_applicable", reason="zero"), levers={}, kind="cost")


@pytest.fixture
def company(tmp_path) -> Company:
    return Company(Settings(name="Tiny", currency="BRL"), date(2026, 6, 30), {}, shelf=Shelf(tmp_path))


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """The phases that were asked what they found, in order; each found two."""
    seen: list[str] = []

    def phase(name: str):
        return SimpleNamespace(findings=lambda company: seen.append(name.rpartition(".")[2]) or [FINDING, UNKNOWN])

    monkeypatch.setattr(actions, "import_module", phase)
    return seen


def test_a_phase_is_asked_once_and_its_findings_come_back_as_they_were(company, asked):
    for _turn in range(2):
        found = actions.all_findings(company, ["optimization", "planning"])
        assert found == [FINDING, UNKNOWN] * 2
        for field in ("headline", "action", "owner", "evidence"):
            assert type(getattr(found[0], field)) is type(getattr(FINDING, field)), field
        assert isinstance(found[0].stake.value, int)
    assert asked == ["optimization", "planning"]


def test_another_date_period_segment_language_or_code_is_asked_anew(company, asked, monkeypatch, tmp_path_factory):
    others = ({"as_of": date(2026, 5, 31)}, {"period_name": "quarter"}, {"segment": "smb"}, {"show_people": True})
    for other in ({}, *others):
        actions.all_findings(replace(company, **other, _made={}), ["planning"])
    assert len(asked) == 5
    use("pt_BR")
    try:
        actions.all_findings(company, ["planning"])
    finally:
        use("en")
    assert len(asked) == 6
    monkeypatch.setattr(shelf, "PACKAGE", tmp_path_factory.mktemp("changed"))
    actions.all_findings(company, ["planning"])
    assert len(asked) == 7


def test_without_a_shelf_it_is_made_each_time(company, asked):
    for _turn in range(2):
        assert actions.all_findings(replace(company, shelf=None), ["planning"]) == [FINDING, UNKNOWN]
    assert asked == ["planning", "planning"]


def test_a_process_whose_code_was_changed_since_it_began_keeps_nothing(company, asked, monkeypatch, tmp_path_factory):
    package = tmp_path_factory.mktemp("package")
    (package / "edited.py").write_text("1")
    os.utime(package / "edited.py", (time.time() + 60,) * 2)
    monkeypatch.setattr(shelf, "PACKAGE", package)
    actions.all_findings(company, ["planning"])
    assert list(company.shelf.folder.iterdir()) == []


def test_a_folder_that_takes_nothing_is_no_reason_to_fail(company, asked, tmp_path):
    gone = replace(company, shelf=Shelf(tmp_path / "not there"))
    assert actions.all_findings(gone, ["planning"]) == [FINDING, UNKNOWN]


def test_nothing_half_written_is_left(tmp_path):
    place = Shelf(tmp_path)
    place.put("x", "told", b"whole")
    assert place.get("x", "told") == b"whole" and [p.name for p in tmp_path.iterdir()] == [place.place("x", "told").name]


# --- what was counted ----------------------------------------------------------------------------------------------------

ASKED = ["win_rate", "new_arr_won", "nrr"]  # nrr cannot be measured here


@pytest.fixture
def deals(tmp_path) -> Company:
    lost = [deal(i, "lost", owner_id="u1") for i in range(3)]
    return replace(company_of(opportunities=[deal(9, "won"), *lost]), shelf=Shelf(tmp_path))


@pytest.fixture
def queries(monkeypatch) -> list[str]:
    """The metrics that were counted by a query, in order."""
    seen: list[str] = []
    counted = counting._counted

    def count(company, batch, *more, **how):
        seen.extend(metric.id for metric in batch)
        return counted(company, batch, *more, **how)

    monkeypatch.setattr(counting, "_counted", count)
    return seen


def test_what_was_counted_is_counted_once_and_is_what_a_query_gives(deals, queries):
    first, again = (measure(replace(deals, _made={}), ASKED) for _turn in range(2))
    assert sorted(queries) == ["new_arr_won", "win_rate"]
    pd.testing.assert_frame_equal(again, first)
    pd.testing.assert_frame_equal(first, measure(replace(deals, _made={}, shelf=None), ASKED))
    assert first["value"].tolist()[0] == 0.25 and "needs" in first["reason"].tolist()[2]


def test_other_metrics_windows_cuts_and_days_are_counted_anew(deals, queries):
    measure(replace(deals, _made={}), "win_rate")
    for how in ({"every": "quarter"}, {"by": "seller"}, {"period": deals.on(date(2026, 6, 30)).period}):
        measure(replace(deals, _made={}), "win_rate", **how)
    measure(deals.on(date(2026, 6, 30)), "win_rate")
    measure(replace(deals, _made={}), ["win_rate", "new_arr_won"])
    assert queries.count("win_rate") == 6


def test_what_cannot_be_read_is_counted_again(deals, queries):
    first = measure(replace(deals, _made={}), "win_rate")
    for file in deals.shelf.folder.iterdir():
        file.write_bytes(b"half")
    pd.testing.assert_frame_equal(measure(replace(deals, _made={}), "win_rate"), first)
    assert queries == ["win_rate", "win_rate"]


def test_the_query_of_a_metric_is_written_once(deals, monkeypatch):
    said = sql(deals, "win_rate")
    monkeypatch.setattr(measuring, "_written", lambda *_asked: pytest.fail("written again"))
    assert sql(replace(deals, _made={}), "win_rate") == said and "SELECT" in said


# ---- analyses


CALLS: list[str] = []


def counted(company: Company) -> tuple[pd.DataFrame, Measurement]:
    CALLS.append(company.told())
    return pd.DataFrame({"day": [date(2026, 1, 2), None], "n": pd.array([1, None], "Int64")}), STAKE


def lazy(company: Company) -> ibis.Table:
    CALLS.append(company.told())
    return ibis.memtable({"a": [1]})


def lacking(company: Company) -> None:
    CALLS.append(company.told())
    raise Unavailable(["leads"])


@pytest.fixture
def calls() -> list[str]:
    CALLS.clear()
    return CALLS


def again(company: Company, **other) -> Company:
    """The company as the next process opens it."""
    return replace(company, **other, _made={})


def test_an_analysis_is_made_once_for_all_processes_and_comes_back_as_it_was(company, calls):
    made, kept = again(company).ask(counted), again(company).ask(counted)
    pd.testing.assert_frame_equal(made[0], kept[0])
    assert kept[1] == made[1] == STAKE and len(calls) == 1


@pytest.mark.parametrize("other", [{"as_of": date(2026, 3, 31)}, {"period_name": "quarter"}, {"segment": "smb"}, {"shelf": None}])
def test_an_analysis_is_made_anew_for_what_it_follows_from(company, calls, other):
    again(company).ask(counted), again(company, **other).ask(counted)
    assert len(calls) == 2


def test_what_is_tied_to_an_engine_or_lacks_something_is_asked_again(company, calls):
    for _turn in range(2):
        assert isinstance(again(company).ask(lazy), ibis.Table)
        assert again(company).ask(lacking).missing == ("leads",)
        assert again(company).ask(lambda _company: calls.append("") or 7) == 7
    assert len(calls) == 6


def test_a_kept_result_that_cannot_be_read_is_made_anew(company, calls, tmp_path):
    again(company).ask(counted)
    (kept,) = tmp_path.glob("_kept-*counted*")
    for content in (b"", b"no pickle", kept.read_bytes()[:-9]):
        kept.write_bytes(content)
        assert again(company).ask(counted)[1] == STAKE
    assert len(calls) == 4
