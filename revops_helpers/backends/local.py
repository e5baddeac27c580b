"""Ibis' backend of the DuckDB of this process, which answers one question while Python writes the next: Ibis takes about as long
to write one as the engine to answer it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import ibis.expr.operations as ops
import sqlglot as sg
import sqlglot.expressions as sge
from ibis.backends.duckdb import Backend

if TYPE_CHECKING:
    import duckdb
    import ibis
    import pyarrow


class Answer:
    """Stands for DuckDB's relation where what it selects is being fetched already."""

    def __init__(self, coming: Future[pyarrow.Table]) -> None:
        self.to_arrow_table = coming.result


class Local(Backend):
    """One worker does what it is told in turn, on a connection of its own to the same database; what it makes must not be
    temporary, for only its own connection would see it."""

    @cached_property
    def aside(self) -> duckdb.DuckDBPyConnection:
        """The worker's connection."""
        beside = self.con.cursor()
        beside.execute("PRAGMA disable_progress_bar")
        return beside

    @cached_property
    def _worker(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, "engine")

    @cached_property
    def _coming(self) -> WeakKeyDictionary[ops.Node, Future[pyarrow.Table]]:
        return WeakKeyDictionary()

    @cached_property
    def _making(self) -> dict[str, Future]:
        return {}

    def begin(self, table: ibis.Table) -> None:
        """Have the table fetched. Who asks for it after that waits for what is coming, and is told there if it fails."""
        statement = self.compile(table)
        self._coming[table.op()] = self._in_turn(lambda: self.aside.sql(statement).to_arrow_table())

    def keep(self, name: str, table: ibis.Table) -> ibis.Table:
        """The rows in a table of that name, which is there when what is asked next is answered."""
        schema = table.schema()
        told = sg.table(name, quoted=True)
        columns = sge.Schema(this=told, expressions=schema.to_sqlglot_column_defs(self.dialect))
        create = sge.Create(kind="TABLE", this=columns).sql(self.dialect)
        fill = f"INSERT INTO {told.sql(self.dialect)} {self.compile(table)}"
        self._making[name] = self._in_turn(lambda: self.aside.execute(create).execute(fill))
        return ops.DatabaseTable(name, schema=schema, source=self, namespace=ops.Namespace()).to_expr()

    def let_go(self, name: str) -> None:
        """Drop what `keep` made, after all that was asked before."""
        drop = sge.Drop(kind="TABLE", this=sg.table(name, quoted=True), exists=True).sql(self.dialect)
        self._making.pop(name, None)
        self._in_turn(lambda: self.aside.execute(drop))

    def _in_turn(self, do: Callable[[], object]) -> Future:
        """Have it done after all before it; if a table could not be made, that is told instead."""
        tables = [*self._making.values()]

        def done() -> object:
            for made in tables:
                made.result()
            return do()

        return self._worker.submit(done)

    def _to_duckdb_relation(self, expr: ibis.Expr, **how):
        if coming := self._coming.pop(expr.op(), None):
            return Answer(coming)
        for read in expr.op().find(ops.DatabaseTable) if self._making else ():
            if made := self._making.pop(read.name, None):
                made.result()
        return super()._to_duckdb_relation(expr, **how)
