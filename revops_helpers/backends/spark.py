"""Ibis' backend of Spark, speaking our dialect, with temporary tables. Imported only where PySpark is installed."""

from __future__ import annotations

import ibis.expr.operations as ops
from ibis import Table
from ibis.backends.pyspark import Backend
from ibis.backends.pyspark.datatypes import PySparkSchema
from pyspark.sql.functions import col

from revops_helpers.backends import dialects


class Spark(Backend):
    """Spark, local or by Spark Connect."""

    compiler = dialects.Spark()

    def do_connect(self, *given, **how) -> None:
        super().do_connect(*given, **how)
        for function, kind in ((_jaro_winkler(), "double"), (_strip_accents(), "string")):
            self._session.udf.register(function.__name__, function, kind)

    def create_table(self, name, /, obj=None, *, temp=False, **how) -> Table:
        """A table; a temporary one is computed once and cut off from the query that made it, which is not planned again."""
        if not temp:
            return super().create_table(name, obj, **how)
        self._run_pre_execute_hooks(obj)
        types = PySparkSchema.from_ibis(obj.schema())  # Spark's own are wider here and there, and two tables then do not unite
        rows = self._session.sql(self.compile(obj))
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
