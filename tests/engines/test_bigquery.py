"""The whole catalogue in BigQuery's dialect: every query is written, and SQLGlot reads it back. No emulator runs it in time."""

from __future__ import annotations

from dataclasses import replace

import ibis
import pytest
import sqlglot as sg
import sqlglot.expressions as sge

from revops_helpers.backends.warehouses import BigQuery
from revops_helpers.metrics.measure import catalogue, measure
from tests.engines.emulated import Emulated, small_company

pytestmark = pytest.mark.engines


class Written(Emulated):
    """Every query is written and read back; DuckDB answers it."""

    def __init__(self, compiler, company):
        super().__init__(compiler, None)
        self.read: list[sge.Expression] = []
        self.company, self.stands_for = company, {}
        self.accepted = {name: self.as_ours(name, table) for name, table in company.accepted.items()}

    def as_ours(self, name: str, theirs: ibis.Table) -> ibis.Table:
        ours = self.table(name, theirs.schema())
        self.stands_for[ours.op()] = theirs.op()
        return ours

    def duckdbs(self, expr: ibis.Expr) -> ibis.Expr:
        self.read.append(sg.parse_one(self.compile(expr), dialect="bigquery"))
        return expr.op().replace(self.stands_for).to_expr()

    def to_pyarrow(self, expr, **_how):
        return self.duckdbs(expr).to_pyarrow()

    def execute(self, expr, **_how):
        return self.duckdbs(expr).execute()

    def create_table(self, name, obj, temp=False):
        engine = self.company.accepted["leads"].get_backend()
        return self.as_ours(name, engine.create_table(name, self.duckdbs(obj), temp=temp))

    def drop_table(self, name, force=False):
        self.company.accepted["leads"].get_backend().drop_table(name, force=force)


def test_every_metric_is_written_in_functions_that_bigquery_has(tmp_path):
    company = small_company(tmp_path / "company")
    engine = Written(BigQuery(), company)
    ours = replace(company, accepted=engine.accepted, origin={}, mapping=None, shelf=None, _made={})
    found = measure(ours, [*catalogue()])
    assert set(found["metric"]) == set(catalogue()) and (found["status"] != "not_applicable").sum() > 100
    assert len(engine.read) > 50
    assert {call.name for query in engine.read for call in query.find_all(sge.Anonymous)} == set()
