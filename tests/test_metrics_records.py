"""Every metric record is full, true to the revenue model, and on the page that documents it."""

from __future__ import annotations

from pathlib import Path

import pytest

from revops_helpers.metrics.catalogue import HOW, catalogue, catalogue_page
from revops_helpers.metrics.dimensions import DIMENSIONS
from revops_helpers.metrics.metric import FAMILIES, UNITS
from revops_helpers.metrics.reasons import REASONS, template_of
from revops_helpers.model.tables import TABLES, column

METRICS = list(catalogue().values())
EACH = pytest.mark.parametrize("metric", METRICS, ids=[metric.id for metric in METRICS])
PAGE = Path(__file__).parent.parent / "docs" / "metrics.md"

AGREED = [
    "arr",
    "mrr",
    "net_new_arr",
    "new_arr",
    "reactivation_arr",
    "expansion_arr",
    "indexation_arr",
    "contraction_arr",
    "churned_arr",
    "nrr",
    "grr",
    "logo_churn",
    "arr_attainment",
    "arpa",
    "leads",
    "lead_to_opportunity",
    "lead_conversion_90d",
    "win_rate",
    "win_rate_value",
    "opportunities_opened",
    "deals_won",
    "deal_size",
    "decided_share",
    "live_share",
    "cycle_days",
    "time_to_first_contact",
    "contacted_within_sla",
    "never_contacted",
    "pipeline",
    "pipeline_coverage",
    "cac",
    "cac_blended",
    "ltv",
    "ltv_cac",
    "magic_number_seed",
    "magic_number_lag",
    "magic_number_svp",
    "cac_payback",
    "rule_of_40",
    "burn_multiple",
    "quick_ratio",
    "expansion",
    "indexation",
    "reactivation",
    "contraction",
    "churn",
]


@EACH
def test_every_field_says_something(metric):
    for field in ("id", "label", "grain", "owner", "definition", "formula", "source", "timing", "edge_cases"):
        assert getattr(metric, field).strip(), field
    for sentence in (metric.definition, metric.timing, metric.edge_cases):
        assert sentence[0].isupper() and sentence.endswith("."), sentence
    assert metric.family in FAMILIES and metric.unit in UNITS and metric.estimator in HOW
    assert metric.direction in ("higher", "lower", "neither")


@EACH
def test_every_need_is_in_the_revenue_model(metric):
    assert metric.needs
    for need in metric.needs:
        assert need in TABLES or column(need)


@EACH
def test_every_dimension_is_known_and_needs_a_column_of_the_model(metric):
    for name in metric.dimensions:
        assert column(DIMENSIONS[name].need)


@EACH
def test_every_metric_can_be_computed(metric):
    if metric.estimator == "derived":
        assert metric.combine and metric.facts is None
        assert all(part in catalogue() for part in metric.parts)
        assert all(set(metric.dimensions) <= set(catalogue()[part].dimensions) for part in metric.parts)
    else:
        assert metric.facts and not metric.parts


@EACH
def test_benchmarks_name_source_and_year(metric):
    for benchmark in metric.benchmarks:
        assert benchmark.text and benchmark.source and 2000 < benchmark.year < 2027


def test_the_agreed_metrics_are_all_there():
    assert not set(AGREED) - set(catalogue())


def test_labels_are_all_different():
    assert len({metric.label for metric in METRICS}) == len(METRICS)


def test_the_page_documents_every_metric_and_is_the_one_that_is_committed():
    page = catalogue_page()
    for metric in METRICS:
        assert f"(`{metric.id}`)" in page and metric.definition in page
    assert PAGE.read_text(encoding="utf-8") == page, "docs/metrics.md is old: run `make docs`"


@pytest.mark.parametrize("template", REASONS)
def test_every_reason_can_be_taken_apart_for_translation(template):
    import re

    names = re.findall(r"\{(\w+)\}", template)
    reason = template.format(**{name: f"some {name}" for name in names})
    assert template_of(reason) == (template, {name: f"some {name}" for name in names})


def test_a_text_that_is_no_reason_is_its_own():
    assert template_of("made up") == ("made up", {})
