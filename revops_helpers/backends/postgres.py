"""Ibis' backend of PostgreSQL, speaking our dialect. Imported only where psycopg is installed."""

from __future__ import annotations

from ibis.backends.postgres import Backend

from revops_helpers.backends import dialects


class Postgres(Backend):
    """PostgreSQL."""

    compiler = dialects.Postgres()
