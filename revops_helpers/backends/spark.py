"""Ibis' backend of Spark, speaking our dialect, with temporary tables. Imported only where PySpark is installed."""

from __future__ import annotations

import shutil
from pathlib import Path

import ibis.expr.operations as ops
from ibis import Table
from ibis.backends.pyspark import Backend
from ibis.backends.pyspark.converter import PySparkPandasData
from ibis.backends.pyspark.datatypes import PySparkSchema
from pyspark.sql import DataFrame
from pyspark.sql.functions import col
from pyspark.sql.utils import is_remote

from revops_helpers.backends import dialects
from revops_helpers.settings import InputError

MOST = 100_000  # rows that one query may bring to the driver; what is measured comes as sums, and lists are short by nature
SETTINGS = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.constraintPropagation.enabled": "false",  # it takes longer than the queries where they are this deep
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}


class Spark(Backend):
    """Spark, local or by Spark Connect."""

    compiler = dialects.Spark()

    def do_connect(self, *given, **how) -> None:
        super().do_connect(*given, **SETTINGS, **how)
        for function, kind in ((_jaro_winkler(), "double"), (_strip_accents(), "string")):
            self._session.udf.register(function.__name__, function, kind)

    def execute(self, expr, /, *, limit=None, **how):
        """What a query gives; to_pyarrow() comes by here too. InputError instead of more than `MOST` rows."""
        self._run_pre_execute_hooks(expr)
        table = expr.as_table()
        found = self._rows(table, limit=MOST + 1 if limit is None else limit, **how).toPandas()
        if len(found) > MOST:
            raise InputError(f"a query would bring more than {MOST:,} rows here from Spark: narrow it, or measure in DuckDB")
        return expr.__pandas_result__(PySparkPandasData.convert_table(found, table.schema()))

    def _rows(self, table: Table, **how) -> DataFrame:
        """A query's rows, which nothing has asked for yet: sql() has a server analyse it once more, to see if it is a command."""
        text = self.compile(table, **how)
        if not is_remote():
            return self._session.sql(text)
        from pyspark.sql.connect.dataframe import DataFrame as Remote
        from pyspark.sql.connect.plan import SQL

        return Remote(SQL(text), self._session)

    def to_file(self, rows: Table, to: Path) -> None:
        """A query's rows, in its order, as one Parquet file that Spark writes: none of them passes by the driver."""
        parts = to.with_suffix(".parts")
        self._rows(rows).coalesce(1).write.parquet(str(parts))
        (part,) = parts.glob("part-*.parquet")
        part.rename(to)
        shutil.rmtree(parts)

    def disconnect(self) -> None:
        """End the session; the Spark of this process serves others and stays."""
        if is_remote():
            self._session.stop()

    def create_table(self, name, /, obj=None, *, temp=False, **how) -> Table:
        """A table; a temporary one is computed once and cut off from the query that made it, which is not planned again."""
        if not temp:
            return super().create_table(name, obj, **how)
        self._run_pre_execute_hooks(obj)
        types = PySparkSchema.from_ibis(obj.schema())  # Spark's own are wider here and there, and two tables then do not unite
        rows = self._rows(obj)
        rows = rows.select(*(col(f"`{field.name}`").cast(field.dataType) for field in types))
        rows.localCheckpoint().createOrReplaceTempView(name)
        return ops.DatabaseTable(name, schema=obj.schema(), source=self, namespace=ops.Namespace()).to_expr()

    def drop_table(self, name, /, *, database=None, force=False) -> None:
        """Drop a table, or the view of a temporary one."""
        if database or not self._session.catalog.dropTempView(name):
            super().drop_table(name, database=database, force=force)


# What DuckDB has and Spark lacks. Made inside functions, so that they travel to a cluster that does not have this package.


def _strip_accents():
    def strip_accents(x):
        import unicodedata

        if x is None:
            return None
        bare = "".join(c for c in unicodedata.normalize("NFD", x) if not unicodedata.combining(c))
        return unicodedata.normalize("NFC", bare)

    return strip_accents


def _jaro_winkler():
    def jaro_winkler_similarity(a, b):
        """As DuckDB counts it: each character of b takes the first free equal one of a within the bound."""
        if a is None or b is None:
            return None
        if not a or not b:
            return float(a == b)
        bound = max(max(len(a), len(b)) // 2 - 1, 0)
        used, hits = [False] * len(a), []
        for j, letter in enumerate(b):
            for i in range(max(0, j - bound), min(len(a), j + bound + 1)):
                if not used[i] and a[i] == letter:
                    used[i] = True
                    hits.append(letter)
                    break
        if not hits:
            return 0.0
        met, taken = len(hits), [letter for letter, there in zip(a, used, strict=True) if there]
        turned = sum(x != y for x, y in zip(taken, hits, strict=True))
        found = (met / len(a) + met / len(b) + (met - turned // 2) / met) / 3.0
        prefix = 0
        while prefix < min(4, len(a), len(b)) and a[prefix] == b[prefix]:
            prefix += 1
        return found + prefix * 0.1 * (1.0 - found) if found > 0.7 else found

    return jaro_winkler_similarity
