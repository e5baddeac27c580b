"""Ibis' backend of Spark, speaking our dialect, with temporary tables. Imported only where PySpark is installed."""

from __future__ import annotations

from ibis import Table
from ibis.backends.pyspark import Backend

from revops_helpers.backends import dialects


class Spark(Backend):
    """Spark, local or by Spark Connect."""

    compiler = dialects.Spark()

    def create_table(self, name, /, obj=None, *, temp=False, **how) -> Table:
        """A table; a temporary one is computed once and cut off from the query that made it, which is not planned again."""
        if not temp:
            return super().create_table(name, obj, **how)
        self._run_pre_execute_hooks(obj)
        self._session.sql(self.compile(obj)).localCheckpoint().createOrReplaceTempView(name)
        return self.table(name)

    def drop_table(self, name, /, *, database=None, force=False) -> None:
        """Drop a table, or the view of a temporary one."""
        if database or not self._session.catalog.dropTempView(name):
            super().drop_table(name, database=database, force=force)
