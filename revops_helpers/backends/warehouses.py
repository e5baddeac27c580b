"""What Snowflake and BigQuery say otherwise than DuckDB, as `dialects` does for PostgreSQL and Spark.

Both take what is absent for the least and the greatest of several, fail where something is divided by zero, and reckon with
decimals of their own where DuckDB takes floats.
"""

from __future__ import annotations

from typing import ClassVar

import ibis.expr.datatypes as dt
import sqlglot as sg
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.base import NULL, C
from ibis.backends.sql.compilers.bigquery import BigQueryCompiler
from ibis.backends.sql.compilers.snowflake import SnowflakeCompiler


class _Warehouse:
    """What the two have in common."""

    __slots__ = ()
    SIMPLE_OPS: ClassVar = {}  # those of the parents are methods of theirs already; named again they would hide the ones here

    def visit_NonNullLiteral(self, op, *, value, dtype):
        """A float is none of the decimals that its digits would make it."""
        return self.cast(sge.convert(value), dtype) if dtype.is_floating() and value - value == 0 else None

    def visit_Least(self, op, *, arg):
        return self._of_those_there(self.f.least, arg)

    def visit_Greatest(self, op, *, arg):
        return self._of_those_there(self.f.greatest, arg)

    def _of_those_there(self, function, arg):
        """Of the values that are there: each stands for those that are not."""
        every = [self.f.coalesce(*arg[place:], *arg[:place]) for place in range(len(arg))]
        return function(*every) if len(arg) > 1 else arg[0]

    def visit_Divide(self, op, *, left, right):
        left, right = (self.cast(side, dt.float64) for side in (left, right))
        return sge.paren(sge.Div(this=left, expression=self.f.nullif(right, 0), typed=True))

    def visit_FloorDivide(self, op, *, left, right):
        return self.cast(self.f.floor(self.visit_Divide(op, left=left, right=right)), op.dtype)

    def visit_Mean(self, op, *, arg, where):
        return self.agg.avg(self.cast(arg, dt.float64), where=where)


class Snowflake(_Warehouse, SnowflakeCompiler):
    """Snowflake: elements of arrays and objects have no type of their own."""

    __slots__ = ()

    def visit_AggUDF(self, op, *, where, **given):
        """arg_max_null(value, order): the value, which may be empty, of the row that comes last."""
        value, order = given.values()
        keys = order.expressions[1::2] if op.order.dtype.is_struct() else [order]
        held = self.f.array_construct(value) if where is None else self.if_(where, self.f.array_construct(value), NULL)
        ordered = sge.Order(expressions=[sge.Ordered(this=key, desc=True, nulls_first=False) for key in keys])
        newest = self.f.get(self.f.get(sge.WithinGroup(this=self.f.array_agg(held), expression=ordered), 0), 0)
        return newest if op.dtype.is_struct() else self.cast(newest, op.dtype)

    def visit_ArrayIndex(self, op, *, arg, index):
        """Of an array that is written out, its elements with the types they have."""
        if not isinstance(arg, sge.Array):
            return self.cast(self.f.get(arg, index), op.dtype)
        return sge.Case(this=index, ifs=[self.if_(sge.convert(place), value) for place, value in enumerate(arg.expressions)])

    def visit_Unnest(self, op, *, arg):
        return self.f.explode(arg)

    def visit_DummyTable(self, op, *, values):
        """Rows made of an array: as a table, for SQLGlot writes it many times where it is a column."""
        (made,) = values.values()
        if not isinstance(made, sge.Explode):
            return super().visit_DummyTable(op, values=values)
        rows = sge.Unnest(expressions=[made.this], alias=sge.TableAlias(this=sg.to_identifier("made")))
        ((name, of),) = op.values.items()
        return sg.select(self.cast(C.value, of.dtype).as_(name, quoted=True)).from_(rows)

    def visit_TimestampAdd(self, op, *, left, right):
        return self.f.timestampadd(right.unit, _number(right.this), left)

    def visit_TimestampSub(self, op, *, left, right):
        return self.f.timestampadd(right.unit, -_number(right.this), left)

    visit_DateAdd, visit_DateSub = visit_TimestampAdd, visit_TimestampSub

    def visit_ExtractEpochSeconds(self, op, *, arg):
        """With the parts of a second, as elsewhere."""
        return self.f.extract("epoch_microsecond", arg) / sge.convert(1e6)


class BigQuery(_Warehouse, BigQueryCompiler):
    """BigQuery."""

    __slots__ = ()

    def visit_AggUDF(self, op, *, where, **given):
        """arg_max_null(value, order): the value, which may be empty, of the row that comes last."""
        value, order = given.values()
        fields = order.expressions if op.order.dtype.is_struct() else [order]
        keys = [field.expression if isinstance(field, sge.PropertyEQ) else field.unalias() for field in fields]
        keys = keys if where is None else [where, *keys]
        ordered = sge.Order(this=value, expressions=[sge.Ordered(this=key.copy(), desc=True) for key in keys])
        newest = self.f.array_agg(sge.Limit(this=ordered, expression=sge.convert(1)))[self.f.safe_offset(0)]
        return newest if where is None else self.if_(self.f.logical_or(where.copy()), newest, NULL)


def _number(amount):
    """The amount of an interval, which SQLGlot writes as text."""
    return sge.convert(int(amount.this)) if isinstance(amount, sge.Literal) else amount
