"""What other engines say otherwise than DuckDB: the same query, compiled so that it gives the same numbers everywhere.

Queries are written once, for DuckDB; nothing here touches them or what DuckDB runs. Each class is Ibis' compiler of an engine
with the few operations that it lacks, or whose result differs: half a cent rounded to even, minutes counted whole instead of
begun, division by zero, letters beyond ASCII, rows of a struct.
"""

from __future__ import annotations

from collections.abc import Callable

import ibis.expr.datatypes as dt
import sqlglot as sg
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.base import NULL, SQLGlotCompiler
from ibis.backends.sql.compilers.postgres import PostgresCompiler
from ibis.backends.sql.compilers.pyspark import PySparkCompiler

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
HALF = ("SEMI", "ANTI")
EVERY = "und-x-icu"
INSTANT = dt.Timestamp("UTC")


def _float(compiler: SQLGlotCompiler, value, dtype: dt.DataType) -> sge.Cast | None:
    """A finite float as none of the decimals that its digits would make it: Spark cuts products of those after six places."""
    return compiler.cast(sge.convert(value), dtype) if dtype.is_floating() and value - value == 0 else None


class Postgres(PostgresCompiler):
    """PostgreSQL: no structs, no aggregate for the newest row's value, letters by the collation of the column."""

    __slots__ = ()

    def visit_NonNullLiteral(self, op, *, value, dtype):
        return _float(self, value, dtype) or super().visit_NonNullLiteral(op, value=value, dtype=dtype)

    def visit_AggUDF(self, op, *, where, **given):
        """arg_max_null(value, order): the value, which may be empty, of the row that comes last."""
        value, order = given.values()
        keys = order.expressions[1::2] if op.order.dtype.is_struct() else [order]
        ordered = [sge.Ordered(this=key, desc=True, nulls_first=False) for key in keys]
        newest = self.agg.array_agg(sge.Order(this=value, expressions=ordered), where=where)
        return sge.paren(newest, copy=False)[0]

    def visit_JoinChain(self, op, *, first, rest, values):
        """Semi and anti joins as conditions: which of them SQLGlot turns into one by itself depends on what is around them."""
        links = [link.this if isinstance(link, sge.Alias) else link for link in rest]
        whole = super().visit_JoinChain(op, first=first, rest=[link for link in links if link.kind not in HALF], values=values)
        for link in (link for link in links if link.kind in HALF):
            there = sge.Exists(this=sg.select(sge.convert(1)).from_(link.this).where(link.args["on"]))
            whole = whole.where(there if link.kind == "SEMI" else sg.not_(there), copy=False)
        return whole

    def visit_ScalarUDF(self, op, **given):
        """A function of DuckDB, which the connection has made for itself (`backends.postgres`)."""
        return sge.Dot(this=sg.to_identifier("pg_temp"), expression=self.f.anon[op.__func_name__](*given.values()))

    def visit_RegexReplace(self, op, *, arg, pattern, replacement):
        every = self._collated(arg, EVERY)
        return self._collated(self.f.regexp_replace(every, _classes(pattern), replacement, "g"), "C")

    def visit_Quantile(self, op, *, arg, quantile, where):
        there = arg.is_(sg.not_(NULL))
        where = there if where is None else sg.and_(there, where)
        ordered = self.agg.array_agg(sge.Order(this=self.cast(arg, dt.float64), expressions=[sge.Ordered(this=arg)]), where=where)
        count = self.cast(self.agg.count(arg, where=where), dt.float64)
        return _between(count, quantile, lambda place: sge.Bracket(
            this=sge.paren(ordered), expressions=[self.cast(place, dt.int64) + 1], offset=1))  # fmt: skip

    visit_MultiQuantile = PostgresCompiler.visit_MultiQuantile

    def visit_StructColumn(self, op, *, names, values):
        pairs = [part for name, value in zip(names, values, strict=True) for part in (sge.convert(name), value)]
        return self.f.anon.jsonb_build_object(*pairs)

    def visit_StructField(self, op, *, arg, field):
        return self.cast(self.f.anon.jsonb_extract_path_text(arg, sge.convert(field)), op.dtype)

    def visit_Cast(self, op, *, arg, to):
        if op.arg.dtype.is_boolean() and to.is_numeric():
            arg = self.cast(arg, dt.int32)
        return super().visit_Cast(op, arg=arg, to=to)

    def visit_Round(self, op, *, arg, digits):
        """Halves away from zero: round() of a double takes them to the even neighbour."""
        if digits is not None and str(digits) != "0":
            return super().visit_Round(op, arg=arg, digits=digits)
        whole = self.f.anon.trunc(arg)
        half = self.if_(self.f.abs(arg - whole) >= 0.5, self.f.sign(arg), 0)
        return self.cast(whole + half, op.dtype)

    def visit_Divide(self, op, *, left, right):
        left, right = (self.cast(side, dt.float64) for side in (left, right))
        return sge.Div(this=left, expression=self.f.nullif(right, 0), typed=True)

    def visit_FloorDivide(self, op, *, left, right):
        return self.cast(self.f.floor(self.visit_Divide(op, left=left, right=right)), op.dtype)

    def visit_TimestampDelta(self, op, *, part, left, right):
        unit = _unit(part)
        begun = [self.f.extract("epoch", self.f.date_trunc(unit, side)) for side in (left, right)]
        return self.cast(sge.paren(begun[0] - begun[1]) / SECONDS[unit], op.dtype)

    visit_DateDelta = visit_TimestampDelta

    def visit_Lowercase(self, op, *, arg):
        return self._letters(self.f.lower, arg)

    def visit_Uppercase(self, op, *, arg):
        return self._letters(self.f.upper, arg)

    def _letters(self, function, arg):
        """Of every alphabet: the collation of the columns, C, knows those of ASCII only."""
        return self._collated(function(self._collated(arg, EVERY)), "C")

    def _collated(self, arg, name: str):
        return sge.Collate(this=arg, expression=sg.to_identifier(name, quoted=True))


def _classes(pattern):
    """A pattern whose classes and borders of words are written as PostgreSQL reads them."""
    if not isinstance(pattern, sge.Literal):
        return pattern
    said = pattern.this.replace(r"\p{L}", "[:alpha:]").replace(r"\p{N}", "[:digit:]").replace(r"\b", r"\y")
    return sge.convert(said)


class Spark(PySparkCompiler):
    """Spark SQL in ANSI mode. Not a number is a number here, and not what is absent, as in the other engines."""

    __slots__ = ()

    visit_Field = SQLGlotCompiler.visit_Field
    visit_IsNull, visit_NotNull = SQLGlotCompiler.visit_IsNull, SQLGlotCompiler.visit_NotNull

    def visit_NonNullLiteral(self, op, *, value, dtype):
        float_ = _float(self, value, dtype)
        return float_ if float_ or dtype.is_floating() else super().visit_NonNullLiteral(op, value=value, dtype=dtype)

    def visit_AggUDF(self, op, *, where, **given):
        value, order = given.values()
        return self.agg.max_by(value, order, where=where)

    def visit_Divide(self, op, *, left, right):
        return self.binop(sge.Div, left, self.f.nullif(right, 0))

    def visit_FloorDivide(self, op, *, left, right):
        return self.cast(self.f.floor(self.visit_Divide(op, left=left, right=right)), op.dtype)

    def visit_Quantile(self, op, *, arg, quantile, where):
        arg = self.cast(arg if where is None else self.if_(where, arg, NULL), dt.float64)
        ordered = self.f.anon.sort_array(self.f.anon.collect_list(arg))
        count = self.cast(self.f.anon.size(ordered), dt.float64)
        return _between(count, quantile, lambda place: self.f.anon.get(ordered, self.cast(place, dt.int32)))

    visit_MultiQuantile = PySparkCompiler.visit_MultiQuantile

    def visit_Greatest(self, op, *, arg):
        return self.f.greatest(*arg) if len(arg) > 1 else arg[0]

    def visit_Least(self, op, *, arg):
        return self.f.least(*arg) if len(arg) > 1 else arg[0]

    def visit_ExtractEpochSeconds(self, op, *, arg):
        return self.f.anon.unix_micros(self.cast(arg, INSTANT)) / 1_000_000

    def visit_TimestampDelta(self, op, *, part, left, right):
        unit = _unit(part)
        begun = [self.f.anon.unix_seconds(self.cast(self.f.anon.date_trunc(unit, side), INSTANT)) for side in (left, right)]
        return self.cast(sge.paren(begun[0] - begun[1]) / SECONDS[unit], op.dtype)

    visit_DateDelta = visit_TimestampDelta

    def visit_RegexReplace(self, op, *, arg, pattern, replacement):
        if isinstance(replacement, sge.Literal):
            replacement = sge.convert(replacement.this.replace("\\", "$"))
        return self.f.regexp_replace(arg, pattern, replacement)


def _between(count, quantile, at: Callable):
    """The quantile of a sorted list of `count` numbers, reckoned in DuckDB's order: a share of exactly 0.9 is so everywhere."""
    place = sge.paren(sge.paren(count - 1) * quantile)
    below, above = sge.Floor(this=place), sge.Ceil(this=place)
    share = sge.paren(place - below)
    return sge.paren(at(below) * sge.paren(1 - share) + at(above) * share)


def _unit(part) -> str:
    """The name of the unit of a difference of times."""
    return part.this if isinstance(part, sge.Literal) else str(part)
