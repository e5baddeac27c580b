"""Tables that many metrics read: made once and kept by the engine, or named steps of a query that is written out."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Protocol, runtime_checkable

import ibis
import ibis.expr.operations as ops
from ibis.util import gen_name

from revops_helpers.metrics.reading import ALL, Part
from revops_helpers.model.company import Company

STEPS = "steps of a query"
TEXTS = "steps as SQL"
# What is made the same way whether a query is run or written out.
WITHOUT_STEPS = ("table", "same", "rates", "lag", "pauses", "contacts")
UNREAD: deque[tuple[ibis.BaseBackend, str]] = deque()


@runtime_checkable
class Beside(Protocol):
    """An engine that works while the next query is written: `backends.local`."""

    def begin(self, table: ibis.Table) -> None: ...

    def keep(self, name: str, table: ibis.Table) -> ibis.Table: ...

    def let_go(self, name: str) -> None: ...


def begin(company: Company, table: ibis.Table) -> ibis.Table:
    """The table, which is being fetched already where the engine can do that."""
    if isinstance(engine := _engine(company), Beside):
        engine.begin(table)
    return table


def _engine(company: Company) -> ibis.BaseBackend | None:
    """What holds the company's tables; None where they are in memory."""
    sources = (accepted.op().find(ops.DatabaseTable) for accepted in company.accepted.values())
    return next((found[0].source for found in sources if found), None)


def kept(
    company: Company,
    name: str,
    make: Callable[[], ibis.Table],
    read: Hashable = None,
    narrow: Callable[[], ibis.Table] | None = None,
    of: Hashable = None,
    asked: Part = ALL,
    part: Part = ALL,
) -> ibis.Table:
    """A table that many metrics read: the engine makes it once for a company (and what it is `of`) and keeps it.

    read: the query that it is for. The first query takes the table as it comes, or as `narrow` makes it, for it may be the only
    one, unless it is known not to be. asked: what it reads of the table; part: what `make` makes of it, all that the queries of
    the measurement read. For a company that is `written_out` the table is a named step of the query instead, and nothing runs.
    """
    steps: dict[str, str] | None = company.once(STEPS, lambda: None)
    if steps is not None:
        return _step(company, steps, name, narrow() if read and narrow else make())
    if (found := there(company, name, asked, of)) is not None:
        return found
    if read and getattr(read, "alone", True) and company.once(f"first to read {name}", lambda: read) == read:
        return narrow() if narrow else company.once((name, read), make)
    return _kept(company, name, of).setdefault(part, _run(make()))


def there(company: Company, name: str, asked: Part = ALL, of: Hashable = None) -> ibis.Table | None:
    """The table of that name that is kept already and has what is asked; None where there is none."""
    return next((table for part, table in _kept(company, name, of).items() if part.holds(asked)), None)


def _kept(company: Company, name: str, of: Hashable) -> dict[Part, ibis.Table]:
    return company.once(("kept", name, of), dict)


def stood(company: Company, name: str) -> ibis.Table:
    """company.table(name); a named step where the query is written out, for checks that ask the same table again and again."""
    steps: dict[str, str] | None = company.once(STEPS, lambda: None)
    table = company.table(name)
    return table if steps is None else _step(company, steps, f"{name}_as_it_stood", table)


def _step(company: Company, steps: dict[str, str], name: str, step: ibis.Table) -> ibis.Table:
    """The table as a named step of a query that is written out."""
    texts: dict[ops.Relation, str] = company.once(TEXTS, dict)
    if step.op() not in texts:
        texts[step.op()] = to_sql(company, step)
    said = texts[step.op()]
    if steps.setdefault(name, said) != said:
        steps[name := f"{name}_{len(steps)}"] = said
    return ibis.table(step.schema(), name=name)


def _run(table: ibis.Table) -> ibis.Table:
    """The rows in a temporary table that is dropped when nothing reads it any more, and then only between two queries: Ibis'
    own `cache()` drops whenever Python collects garbage, which may be in the midst of a query on the same connection."""
    engine = table.get_backend()
    while UNREAD:
        owner, name = UNREAD.popleft()
        owner.let_go(name) if isinstance(owner, Beside) else owner.drop_table(name, force=True)
    name = gen_name("kept")
    made = engine.keep(name, table) if isinstance(engine, Beside) else engine.create_table(name, table, temp=True)
    weakref.finalize(made.op(), UNREAD.append, (engine, name))
    return made


def written_out(company: Company) -> tuple[Company, dict[str, str]]:
    """The same company, whose queries name their steps; and the SQL of the steps, filled as queries are built, in their order."""
    steps: dict[str, str] = {}
    texts = company.once(TEXTS, dict)
    alike = {key: made for key, made in company._made.items() if isinstance(key, tuple) and key[0] in WITHOUT_STEPS}
    return replace(company, _made={**alike, STEPS: steps, TEXTS: texts}), steps


def to_sql(company: Company, table: ibis.Table) -> str:
    """The SELECT of a table in the dialect of the company's engine (DuckDB's where it has none), even if it reads steps alone."""
    as_run, ibis.options.sql.fuse_selects = ibis.options.sql.fuse_selects, True  # the same query in fewer steps to read
    try:
        return str((_engine(company) or ibis.duckdb).compile(table, pretty=True))
    finally:
        ibis.options.sql.fuse_selects = as_run
