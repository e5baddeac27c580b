"""Planted truth over a few seeds; `make truth` takes twenty and writes docs/truth.md."""

import json

import pandas as pd
import pytest

from revops_helpers.optimization.stages import stage_funnel
from revops_helpers.optimization.target_gap import gap_to_plan
from revops_helpers.workspace import SAMPLE, open_company
from tests.truth import SHORTFALLS, Recovery, covered, failures, recover, report, tallied

SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def recoveries():
    return [recover(seed) for seed in SEEDS]


def test_intervals_cover_what_was_planted(recoveries):
    """Of some thirty intervals and three companies a few may miss: one in twenty is what 95% says."""
    found = covered(recoveries)
    assert len(found) >= 30 and sum(found.values()) >= 0.9 * len(found) * len(SEEDS)


def test_the_planted_shortfalls_stand_out_and_the_lead_surplus_too(recoveries):
    found = tallied(recoveries)
    for name in SHORTFALLS:
        assert found[f"{name} is behind beyond noise"] >= 2
    assert found["leads is ahead beyond noise"] == len(SEEDS)


def test_the_gap_is_told_to_the_cent(recoveries):
    found = tallied(recoveries)
    assert found["gap is what was drawn, to the cent"] == len(SEEDS)
    assert found["identity leaves nothing unexplained"] == len(SEEDS)
    assert found["gap is 27% (±3) of plan"] == len(SEEDS)


def test_the_planted_bottleneck_and_duplicates_are_found(recoveries):
    found = tallied(recoveries)
    assert found["bottleneck stage is named, and clear"] == len(SEEDS)
    assert all(hits == len(SEEDS) for name, hits in found.items() if name.startswith(("companies", "leads with")))


def test_the_planted_forecast_habits_are_found_and_the_cascade_gives_its_target(recoveries):
    found = tallied(recoveries)
    assert found["both people with a forecast habit are named, each the right way"] == len(SEEDS)
    assert found["cascades give the targets again"] == found["quotas ask for more than the plan"] == len(SEEDS)


def test_the_planted_hazards_are_told_from_chance_and_both_models_pass_their_test(recoveries):
    found = tallied(recoveries)
    assert all(hits == len(SEEDS) for name, hits in found.items() if name.startswith(("churn: ", "expansion: ", "ARR at risk")))
    assert found["nobody leaves before month 13"] == len(SEEDS)


def test_the_page_shows_what_was_missed(recoveries):
    page = report(recoveries)
    assert "| churn |" in page
    drivers = pd.DataFrame([{"driver": "d", "planted": 0, "found": 1, "low": 1, "high": 2, "covered": False, "clear": True}])
    missed = [Recovery(seed, 0.27, drivers, {"a truth": False}) for seed in (1, 2)]
    assert failures(missed) == ["interval of d: 0 of 2", "a truth: 0 of 2"]
    assert report(missed).count("✗") == 2


def test_the_shipped_exports_tell_the_planted_story(tmp_path, monkeypatch):
    """From the raw files, dirt and all: the gap to the cent, the three shortfalls, the bottleneck."""
    monkeypatch.setenv("REVOPS_CACHE", str(tmp_path))
    truth = json.loads((SAMPLE / "truth.json").read_text(encoding="utf-8"))
    company = open_company("sample", as_of="2026-09-30")
    gap = gap_to_plan(company)
    assert gap.actual.value == truth["gap"]["realised"]
    assert gap.plan.value == truth["gap"]["plan"]
    assert gap.unexplained.value == 0
    assert {driver.id for driver in gap.shortfalls()} == set(SHORTFALLS)
    hit = [d.effect.low <= truth["effects"][d.id] <= d.effect.high for d in gap.drivers]
    assert sum(hit) >= len(hit) - 1
    assert stage_funnel(company).bottleneck == truth["bottleneck"]["stage"]
