"""Two reviews beside each other: like with like, noise told from change, findings and data followed, what is broken refused."""

import json
import math
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from revops_helpers.cli import main
from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.metrics.changes import Reviewed, Told, changes, difference
from revops_helpers.metrics.measure import COLUMNS
from revops_helpers.periods import Period
from revops_helpers.review import compare
from revops_helpers.review.build import Request, review
from revops_helpers.settings import InputError
from revops_helpers.words.changes import changes_section
from revops_helpers.words.language import use
from tests.test_review import company, one_commit, write_notebooks  # noqa: F401 (fixtures)

JUNE, SEPTEMBER = date(2026, 6, 30), date(2026, 9, 30)
H1, NINE = Period(date(2026, 1, 1), JUNE), Period(date(2026, 1, 1), SEPTEMBER)
Q2, Q3 = Period(date(2026, 4, 1), JUNE), Period(date(2026, 7, 1), SEPTEMBER)


def row(metric: str, span: Period, value, low=math.nan, high=math.nan, status="ok", dimension="", member="", n=100) -> dict:
    record = catalogue()[metric]
    currency = "BRL" if record.unit == "money" else ""
    values = (metric, dimension, member, span.start, span.end, value, low, high, n, status, "", record.unit, currency, metric)
    return dict(zip(COLUMNS, values, strict=True))


def reviewed(period: Period, rows: list[dict], **more) -> Reviewed:
    ledger = pd.DataFrame(
        [("leads", "crm", "rows", 10, 9, 1, 0)],
        columns=["table", "source", "unit", "read", "accepted", "quarantined", "excluded"],
    )
    made = Reviewed(
        name=period.end.isoformat(), company="Test S.A.", as_of=period.end, period_name="ytd", period=period, segment="",
        currency="BRL", language="en", metrics=pd.DataFrame(rows, columns=COLUMNS), findings=(), ledger=ledger, inputs={"a": "1"},
        parameters={"period": "ytd"}, versions={"code": "abc"}, definitions=dict.fromkeys(catalogue(), "same"), fingerprint="f",
        reports=("00_executive_review",),
    )  # fmt: skip
    return replace(made, **more)


def only(before: list[dict], after: list[dict], **more):
    return changes(reviewed(H1, before), reviewed(NINE, after, **more))


def finding(name: str, cents: float | None, low=None, high=None, report="03_optimization") -> Told:
    stake = Measurement(cents, 10, low, high, unit="money", currency="BRL") if cents is not None else not_applicable("no amount")
    return Told(name, f"Headline of {name}", "win_rate", report, stake)


# ---- the noise of a difference


def test_the_interval_of_a_difference_comes_from_both_measurements():
    """Zou and Donner 2008 by hand: 0.30 − 0.20 ∓ √(0.05² + 0.04²) below, √(0.06² + 0.03²) above."""
    moved = difference(Measurement(0.20, 50, 0.17, 0.24, unit="percent"), Measurement(0.30, 60, 0.25, 0.36, unit="percent"))
    assert (moved.value, moved.unit, moved.n) == (pytest.approx(0.10), "points", 50)
    assert (moved.low, moved.high) == (pytest.approx(0.10 - math.hypot(0.05, 0.04)), pytest.approx(0.10 + math.hypot(0.06, 0.03)))


def test_a_difference_of_exact_values_claims_no_noise_and_one_open_end_stays_open():
    exact = difference(Measurement(10, 1, unit="count"), Measurement(12, 1, unit="count"))
    assert (exact.value, exact.exact) == (2, True)
    half = difference(Measurement(10.0, 9, 8.0, None), Measurement(12.0, 9, 11.0, 13.0))
    assert half.low is None and half.high == pytest.approx(2 + math.hypot(1, 2))
    against_exact = difference(Measurement(10.0, 9), Measurement(12.0, 9, 11.0, 14.0))
    assert (against_exact.low, against_exact.high) == (1.0, 4.0)


bounds = st.floats(0, 10)
values = st.floats(-1e6, 1e6)


@given(values, bounds, bounds, values, bounds, bounds)
def test_a_difference_turns_its_sign_with_its_sides_and_is_wider_than_either(a, a_down, a_up, b, b_down, b_up):
    one, other = (Measurement(v, 30, v - down, v + up) for v, down, up in ((a, a_down, a_up), (b, b_down, b_up)))
    there, back = difference(one, other), difference(other, one)
    assert there.value == pytest.approx(-back.value)
    assert there.low == pytest.approx(-back.high) and there.high == pytest.approx(-back.low)
    assert there.high - there.low >= max(a_down + a_up, b_down + b_up) / math.sqrt(2) - 1e-3


# ---- like with like


def test_better_and_worse_follow_the_metrics_direction_and_only_beyond_noise():
    found = only(
        [row("win_rate", H1, 0.20, 0.18, 0.22), row("cac", H1, 100_00, 90_00, 110_00), row("cycle_days", H1, 40.0, 35, 45)],
        [
            row("win_rate", NINE, 0.30, 0.28, 0.32),
            row("cac", NINE, 150_00, 140_00, 160_00),
            row("cycle_days", NINE, 39.0, 34, 44),
        ],
    )
    assert {one.metric: one.verdict for one in found.measures} == {"win_rate": "better", "cac": "worse", "cycle_days": "noise"}
    assert all(one.shared and one.spans == (H1, NINE) for one in found.measures)


def test_sums_over_unequal_spans_are_compared_by_whole_quarters_instead():
    assert catalogue()["new_arr"].additive
    found = only(
        [row("new_arr", H1, 600), row("new_arr", Q2, 350)],
        [row("new_arr", NINE, 800), row("new_arr", Q2, 350), row("new_arr", Q3, 200)],
    )
    (one,) = found.measures
    assert (one.spans, one.difference.value, one.shared, one.verdict) == ((Q2, Q3), -150, False, "exact")


def test_a_quarter_that_is_not_over_is_no_whole_quarter():
    part = Period(date(2026, 7, 1), date(2026, 8, 31))
    eight = Period(date(2026, 1, 1), part.end)
    after = reviewed(eight, [row("new_arr", eight, 700), row("new_arr", Q2, 350), row("new_arr", part, 100)])
    (one,) = changes(reviewed(H1, [row("new_arr", H1, 600), row("new_arr", Q2, 340)]), after).measures
    assert one.spans == (Q2, Q2) and one.verdict == "restated"


@pytest.mark.parametrize("status", ["insufficient", "censored", "partial"])
def test_what_is_not_whole_on_either_side_is_not_judged(status):
    ok, other = row("win_rate", H1, 0.1, 0.09, 0.11), row("win_rate", NINE, 0.9, 0.89, 0.91, status)
    (one,) = only([ok], [other]).measures
    assert one.verdict == {"insufficient": "few", "censored": "censored", "partial": "partial"}[status]


def test_other_segments_definitions_currencies_and_absent_metrics_are_not_compared():
    then = [row("win_rate", H1, 0.2, 0.1, 0.3), row("cac", H1, 100, 90, 110)]
    now = [row("win_rate", NINE, 0.2, 0.1, 0.3), row("cac", NINE, 100, 90, 110)]
    assert only(then, now, segment="smb").apart == {"win_rate": "segment", "cac": "segment"}
    changed = only(then, now, definitions={**dict.fromkeys(catalogue(), "same"), "win_rate": "other"})
    assert changed.apart == {"win_rate": "definition"} and [one.metric for one in changed.measures] == ["cac"]
    assert only(then, now, currency="USD").apart == {"cac": "currency"}
    assert only(then, now, definitions={"cac": "same"}).apart == {"win_rate": "missing"}
    assert only(then, now, period_name="quarter").apart == {"win_rate": "period", "cac": "period"}


def test_members_are_compared_with_themselves_only():
    found = only(
        [row("win_rate", H1, 0.2, 0.18, 0.22, dimension="segment", member=m) for m in ("a", "b")],
        [row("win_rate", NINE, 0.4, 0.38, 0.42, dimension="segment", member=m) for m in ("b", "c")],
    )
    assert [(one.member, one.verdict) for one in found.members] == [("b", "better")] and not found.measures


def test_a_past_period_that_reads_otherwise_is_told_and_one_that_was_partial_is_not():
    then = [row("win_rate", Q2, 0.2, 0.1, 0.3), row("cac", Q2, 100, 90, 110, "partial"), row("arr", Q2, 5)]
    now = [row("win_rate", Q2, 0.3, 0.2, 0.4), row("cac", Q2, 200, 190, 210), row("arr", Q2, 5)]
    found = only(then, now)
    assert found.past == 2 and found.restated[["metric", "then", "now"]].to_numpy().tolist() == [["win_rate", 0.2, 0.3]]


def test_two_empty_reviews_have_no_changes():
    found = only([], [])
    assert not found.measures and not found.findings and found.past == 0 and not found.inputs
    assert "nothing moved beyond noise" in changes_section(found).text


# ---- findings


def test_findings_are_new_gone_grown_shrunk_or_within_noise():
    then = [finding("a", 100, 90, 110), finding("b", 100, 90, 110), finding("c", 100, 90, 110), finding("d", 5), finding("e", 9)]
    now = [finding("a", 200, 190, 210), finding("b", 10, 5, 15), finding("c", 101, 90, 112), finding("d", None), finding("f", 7)]
    found = changes(reviewed(H1, [], findings=tuple(then)), reviewed(NINE, [], findings=tuple(now)))
    fates = {one.told.id: one.fate for one in found.findings}
    assert fates == {"a": "grown", "b": "shrunk", "c": "noise", "d": "unvalued", "f": "new", "e": "gone"}


def test_a_finding_of_a_report_that_the_other_review_left_out_is_neither_new_nor_gone():
    then = reviewed(H1, [], findings=(finding("a", 1), finding("b", 1, report="01_audit")), reports=("03_optimization",))
    now = reviewed(
        NINE, [], findings=(finding("c", 1, report="01_audit"), finding("d", 1)), reports=("03_optimization", "01_audit")
    )
    fates = {one.told.id: one.fate for one in changes(then, now).findings}
    assert fates == {"a": "gone", "b": "gone", "d": "new"}


# ---- data, words


def test_rows_inputs_parameters_and_versions_that_differ_are_told():
    more = {"inputs": {"a": "2", "b": "1"}, "parameters": {"period": "quarter"}, "versions": {"code": "def"}}
    found = changes(reviewed(H1, []), reviewed(NINE, [], **more))
    assert found.inputs == {"a": ("1", "2"), "b": (None, "1")}
    assert found.parameters == {"period": ("ytd", "quarter")} and found.versions == {"code": ("abc", "def")}
    assert found.rows.to_numpy().tolist() == [["leads", 9, 1, 9, 1]] or set(found.rows.loc[0]) == {"leads", 9, 1}
    text = changes_section(found).text
    assert "one input file has other content; new: b" in text and "code abc → def" in text and "period ytd → quarter" in text


def test_values_of_a_foreign_review_are_text_and_never_markup():
    evil = Told(
        "x", "<img src=x onerror=1> **bold**", "win_rate", "03_optimization", Measurement(1, unit="money", currency="BRL")
    )
    section = changes_section(changes(reviewed(H1, []), reviewed(NINE, [], findings=(evil,), versions={"<b>": "</p>"})))
    assert "<img" not in section.html and "<b>:" not in section.html and "<strong>bold" not in section.html
    assert "&lt;img src=x onerror=1&gt; **bold**" in section.html


def test_a_headline_in_another_language_is_left_out():
    then = reviewed(H1, [], findings=(finding("a", 1),), language="pt_BR")
    text = changes_section(changes(then, reviewed(NINE, []))).text
    assert "Headline of a" not in text and "Win rate | gone" in text


def test_the_section_speaks_portuguese():
    use("pt_BR")
    try:
        found = only([row("win_rate", H1, 0.20, 0.18, 0.22)], [row("win_rate", NINE, 0.30, 0.28, 0.32)])
        text = changes_section(found).text.replace("\u00a0", " ")
        assert "Desde 30/06/2026: " in text and "p.p." in text and "Since" not in text
    finally:
        use("en")


# ---- published reviews


@pytest.fixture(scope="module")
def reports(company, tmp_path_factory) -> Path:  # noqa: F811
    """Two published reviews of one company, a quarter apart."""
    folder = tmp_path_factory.mktemp("compare")
    told = {"out": folder / "reports", "folder": write_notebooks(folder / "notebooks")}
    for day in ("2026-03-31", "2026-06-30"):
        review(Request(str(company), as_of=day, **told))
    return folder / "reports"


def test_the_index_says_what_changed_since_the_earlier_review_of_its_kind(reports):
    first, second = ((reports / day / "index.html").read_text() for day in ("2026-03-31", "2026-06-30"))
    assert 'id="changes"' not in first and 'id="changes"' in second
    assert "Since 31\u00a0Mar\u00a02026" in second
    made_of = [json.loads((reports / day / "manifest.json").read_text()) for day in ("2026-03-31", "2026-06-30")]
    assert made_of[0]["compared_with"] is None and made_of[1]["compared_with"]["name"] == "2026-03-31"


def test_the_earlier_review_is_the_newest_of_the_same_kind(tmp_path):
    for name in ("2026-03-31", "2026-06-30", "2026-06-30-quarter", "2026-05-31-quarter", "2026-12-31", "2026-04-30", "notes"):
        (tmp_path / name).mkdir()
        if name != "2026-06-30":
            (tmp_path / name / "manifest.json").write_text("{}")
    assert compare.previous(tmp_path, "2026-09-30").name == "2026-04-30"
    assert compare.previous(tmp_path, "2026-09-30-quarter").name == "2026-06-30-quarter"
    assert compare.previous(tmp_path, "2026-09-30-segment-smb") is None


def test_a_language_of_a_review_is_compared_with_the_same_of_the_earlier_one_where_it_is_there(reports, tmp_path):
    shutil.copytree(reports / "2026-03-31", tmp_path / "2026-03-31")
    told = ("", tmp_path, "2026-06-30", "Tiny S.A.")
    assert compare.earlier(*told, "pt_BR").language == "en"
    shutil.copytree(reports / "2026-03-31", tmp_path / "2026-03-31/pt_BR")
    file = tmp_path / "2026-03-31/pt_BR/manifest.json"
    file.write_text(file.read_text().replace('"language": "en"', '"language": "pt_BR"'))
    found = compare.earlier(*told, "pt_BR")
    assert (found.name, found.language) == ("2026-03-31", "pt_BR")
    assert compare.earlier(*told).language == "en"


def test_the_command_prints_what_changed(reports):
    ended = CliRunner().invoke(main, ["compare", "2026-03-31", str(reports / "2026-06-30"), "--out", str(reports)])
    assert ended.exit_code == 0, ended.output
    assert ended.output.startswith("2026-03-31 (Tiny S.A., as of 31\u00a0Mar\u00a02026) → 2026-06-30")
    assert "ARR | +R$\u00a01.2\u00a0k [exact]" in ended.output and "<" not in ended.output
    assert "The input files are the same, byte for byte." in ended.output


def broken(reports: Path, to: Path, name: str, content: str | None) -> Path:
    shutil.copytree(reports / "2026-03-31", to)
    (to / name).unlink() if content is None else (to / name).write_text(content)
    return to


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("manifest.json", None, "no review"),
        ("manifest.json", "{", "not a review that can be compared"),
        ("manifest.json", "[]", "not a review that can be compared"),
        ("manifest.json", '{"review": {"company": "x"}}', "no 'period'"),
        ("findings.json", '[{"id": 1}]', "no 'stake'"),
        ("findings.json", None, "not a review that can be compared"),
        ("tables/metrics.parquet", "PAR1", "not a review that can be compared"),
        ("tables/metrics.parquet", None, "not a review that can be compared"),
    ],
)
def test_a_missing_foreign_or_broken_review_is_said_once_and_exits_2(reports, tmp_path, name, content, said):
    bad = broken(reports, tmp_path / "2026-01-31", name, content)
    ended = CliRunner().invoke(main, ["compare", str(bad), "2026-06-30", "--out", str(reports)])
    assert ended.exit_code == 2 and said in ended.stderr and "Traceback" not in ended.stderr and ended.stdout == ""


def test_an_unknown_name_is_answered_with_those_that_are_there(reports):
    with pytest.raises(InputError, match=r"no review '2026-03-30': did you mean '2026-0[36]-3[01]'"):
        compare.compared("2026-03-30", "2026-06-30", reports)


def test_an_earlier_review_that_was_asked_for_must_hold_and_one_that_was_found_may_not(reports, tmp_path):
    broken(reports, tmp_path / "2026-03-31", "findings.json", "{")
    with pytest.raises(InputError, match="not a review"):
        compare.earlier("2026-03-31", tmp_path, "2026-06-30", "Tiny S.A.")
    said = compare.earlier("", tmp_path, "2026-06-30", "Tiny S.A.")
    assert "The review 2026-03-31 could not be compared: not a review" in said.text and str(tmp_path) not in said.text
    assert compare.earlier("none", tmp_path, "2026-06-30", "Tiny S.A.") is None
    with pytest.raises(InputError, match=r"is a review of Tiny S\.A\., not of Other"):
        compare.earlier("2026-03-31", reports, "2026-06-30", "Other")
