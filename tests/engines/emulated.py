"""A company measured on an emulator: queries compiled in an engine's dialect and run by the emulator's own client.

The emulator needs versions of DuckDB and SQLGlot that Ibis cannot use, so it lives in an environment, and a process, of its own.
"""

from __future__ import annotations

import pickle
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import ibis
import ibis.expr.operations as ops
import pandas as pd
import pyarrow as pa
from ibis.backends.sql.compilers.base import SQLGlotCompiler

from revops_helpers.model.company import Company
from revops_helpers.sample.write import write_sample
from revops_helpers.workspace import OpenCompany, open_company

HERE = Path(__file__).parent


class Emulated:
    """What Ibis and the metrics ask of a backend, answered by the process of an emulator."""

    def __init__(self, compiler: SQLGlotCompiler, process: subprocess.Popen):
        self.compiler, self._process, self.asked = compiler, process, 0

    def said(self, **request) -> list[tuple]:
        """The rows of the answer. AssertionError with the query when the emulator refuses it."""
        pickle.dump(request, self._process.stdin)
        self._process.stdin.flush()
        rows, refused = pickle.load(self._process.stdout)
        assert not refused, f"{refused}\n{request}"
        return rows

    def compile(self, expr: ibis.Expr, pretty: bool = False, **_how) -> str:
        return self.compiler.to_sqlglot(expr.unbind()).sql(self.compiler.dialect, pretty=pretty)

    def to_pyarrow(self, expr: ibis.Expr, **_how) -> pa.Table | pa.Array | pa.Scalar:
        table = expr.as_table()
        self.asked += 1
        rows, schema = self.said(sql=self.compile(table, pretty=True)), table.schema().to_pyarrow()
        columns = zip(*rows, strict=True) if rows else [()] * len(schema)
        held = [pa.array(_typed(values, field.type), field.type) for values, field in zip(columns, schema, strict=True)]
        return expr.__pyarrow_result__(pa.Table.from_arrays(held, schema=schema))

    def execute(self, expr: ibis.Expr, **_how) -> pd.DataFrame | pd.Series | object:
        return expr.__pandas_result__(self.to_pyarrow(expr.as_table()).to_pandas())

    def create_table(self, name: str, obj: ibis.Table, temp: bool = False) -> ibis.Table:
        self.said(make=name, sql=self.compile(obj))
        return self.table(name, obj.schema())

    def drop_table(self, name: str, force: bool = False) -> None:
        self.said(drop=name)

    def table(self, name: str, schema: ibis.Schema) -> ibis.Table:
        return ops.DatabaseTable(name, schema=schema, source=self, namespace=ops.Namespace()).to_expr()


def _typed(values: tuple, kind: pa.DataType) -> list:
    """Exact numbers as what the query says they are: an engine gives whole numbers as decimals."""
    to = int if pa.types.is_integer(kind) else float if pa.types.is_floating(kind) else None
    return [to(value) if to and isinstance(value, (Decimal, int, float)) else value for value in values]


@contextmanager
def emulator(python: str, script: str, compiler: SQLGlotCompiler) -> Iterator[Emulated]:
    """The emulator that `script` starts in the environment of `python`; gone at the end."""
    with subprocess.Popen([python, str(HERE / script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Emulated(compiler, process)
        process.stdin.close()


def small_company(folder: Path) -> OpenCompany:
    """The sample's systems with a twentieth of its rows, on DuckDB."""
    write_sample(folder, scale=0.05)
    return open_company(folder, engine="duckdb://")


def loaded(company: OpenCompany, engine: Emulated) -> Company:
    """The same company with its accepted rows on the emulator, and nothing counted yet."""
    found = {}
    for name, table in company.accepted.items():
        engine.said(load=name, rows=table.to_pyarrow())
        found[name] = engine.table(name, table.schema())
    return replace(company, accepted=found, origin={}, mapping=None, shelf=None, _made={})
