"""A company rarely has every table: what is missing is said, and never a crash; what is declared as needed is enough."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, lru_cache

import ibis
import numpy as np
import pytest

from revops_helpers.foundation.duplicates import duplicates
from revops_helpers.foundation.hygiene import hygiene
from revops_helpers.foundation.limits import record_limits
from revops_helpers.foundation.readiness import readiness
from revops_helpers.foundation.tie_out import arr_tie
from revops_helpers.foundation.totals import totals
from revops_helpers.foundation.won_billed import deal_tie
from revops_helpers.metrics.measure import catalogue, measure
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.model.tables import TABLES
from revops_helpers.optimization.coverage import coverage
from revops_helpers.optimization.endings import endings
from revops_helpers.optimization.forecast import year_forecast
from revops_helpers.optimization.funnel import lead_funnel
from revops_helpers.optimization.pipeline import pipeline_flow
from revops_helpers.optimization.stages import stage_funnel
from revops_helpers.optimization.standing import standing_deals
from revops_helpers.optimization.target_gap import gap_to_plan
from revops_helpers.sample.simulation import MAKERS, World
from tests.truth import drawn_company

ANALYSES = (
    arr_tie,
    coverage,
    deal_tie,
    duplicates,
    endings,
    gap_to_plan,
    hygiene,
    lead_funnel,
    pipeline_flow,
    readiness,
    record_limits,
    stage_funnel,
    standing_deals,
    totals,
    year_forecast,
)
CORE = ("accounts", "financials", "leads", "opportunities", "opportunity_history", "subscriptions", "targets")


@cache
def whole() -> Company:
    """A small company with every table, each held once in one in-memory engine."""
    drawn = drawn_company(World(seed=7, scale=0.2), MAKERS)
    backend = ibis.duckdb.connect()
    return replace(drawn, accepted={n: backend.create_table(n, t.to_pyarrow()) for n, t in drawn.accepted.items()}, _made={})


def with_columns(company: Company, kept: dict[str, set[str]]) -> Company:
    """The company with the named tables only, each with its key and the named columns."""
    accepted = {
        name: table.select(*(c for c in table.columns if c in kept[name]))
        for name, table in company.accepted.items()
        if name in kept
    }
    return replace(company, accepted=accepted, _made={})


def declared(needs: tuple[str, ...]) -> dict[str, set[str]]:
    """Table → columns that the contract always gives and those that are declared as needed."""
    kept: dict[str, set[str]] = {}
    for need in needs:
        table, _, column = need.partition(".")
        kept.setdefault(table, {c.name for c in TABLES[table].columns if c.required}).add(column)
    return kept


@pytest.mark.parametrize("metric", sorted(catalogue()))
def test_a_metric_needs_no_more_than_it_declares(metric):
    needs = catalogue()[metric].needs
    known = whole().missing(needs)
    assert not known, f"the sample lacks {known}"
    measured = measure(with_columns(whole(), declared(needs)), metric)
    assert len(measured) == 1
    assert "needs" not in measured["reason"][0]


@lru_cache(maxsize=1)
def lacking(table: str) -> tuple[Company, ...]:
    """The small company without the table, and with half of its optional columns: asked by one analysis after another, as a
    report asks, so that what they share is made once."""
    names = {name: set(t.columns) for name, t in whole().accepted.items()}
    required = {c.name for c in TABLES[table].columns if c.required}
    optional = sorted(names[table] - required)
    random = np.random.default_rng(sum(map(ord, table)))
    some = required | set(random.choice(optional, size=len(optional) // 2, replace=False)) if optional else required
    without = {name: columns for name, columns in names.items() if name != table}
    return with_columns(whole(), without), with_columns(whole(), {**names, table: some})


@pytest.mark.parametrize("analysis", ANALYSES, ids=lambda a: a.__name__)
@pytest.mark.parametrize("table", CORE)
def test_an_analysis_says_what_it_needs_where_a_table_or_columns_are_missing(analysis, table):
    for company in lacking(table):
        answer = company.ask(analysis)
        assert answer is not None
        if isinstance(answer, Unavailable):
            assert answer.missing
