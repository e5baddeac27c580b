"""The tables as they stood on a date. Pure: lazy tables in, lazy tables out.

Nothing stamped after the date is visible: no row, no field, no state. So rows added later never change an earlier report.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from revops_helpers.model.tables import TABLES, Table
from revops_helpers.settings import Settings

Rows = Callable[[ir.Table], ir.BooleanValue]
AT_THE_END = ("stage", "close_date", "forecast_category")  # what the export of a closed deal says of its end


def cut_off(as_of: date, settings: Settings) -> datetime:
    """The first UTC instant after the as-of day, which ends at midnight where the company is."""
    midnight = datetime.combine(as_of + timedelta(days=1), time(), settings.zone)
    return midnight.astimezone(UTC).replace(tzinfo=None)


def known(column: ibis.Value, as_of: date, cut: datetime) -> ibis.BooleanValue:
    """Whether a date or time had come by the end of the as-of day."""
    return column < ibis.literal(cut) if column.type().is_timestamp() else column <= ibis.literal(as_of)


def exists(table: ibis.Table, spec: Table, as_of: date, settings: Settings) -> ibis.BooleanValue:
    """Whether each row existed on the date. Rows without any stamp always do."""
    stamps = [table[name] for name in spec.stamp if name in table.columns]
    if not stamps:
        return ibis.literal(True)
    if spec.covers:
        first_day = stamps[0].cast("date")
        after = {"week": ibis.interval(weeks=1), "month": ibis.interval(months=1)}[spec.covers]
        return (first_day + after).cast("date") <= ibis.literal(as_of + timedelta(days=1))
    cut, last = cut_off(as_of, settings), stamps[-1]
    born = known(last, as_of, cut)
    if not spec[last.get_name()].required:  # the contract lets no row in that lacks it
        born |= last.isnull()
    for stamp in reversed(stamps[:-1]):
        born = ibis.ifelse(stamp.isnull(), born, known(stamp, as_of, cut))
    return born


def as_it_stood(
    name: str,
    accepted: Mapping[str, ibis.Table],
    as_of: date,
    settings: Settings,
    columns: Collection[str] = (),
    found: Collection[str] = (),
    past: Rows | None = None,
) -> ibis.Table:
    """One table as it stood at the end of `as_of`, in the company's time zone.

    columns: those that are wanted (all of them when none is named); joins that only other columns need are left out.
    found: references that the caller looks up in the table they name as it stood, where later rows are not: not hidden here.
    past: the rows whose state on the date the caller reads (all where it is None); the others keep what the export says.
    """

    def rows(of: str) -> ibis.Table:
        return accepted[of].filter(exists(accepted[of], TABLES[of], as_of, settings))

    table, spec, cut = rows(name), TABLES[name], cut_off(as_of, settings)
    wanted = [c for c in table.columns if not columns or c in columns]
    # Few columns early: the engine does not mind, but Ibis takes time for every column of every step.
    table = table.select(*_read(spec, table.columns, wanted))
    if name == "opportunities":
        table = _open_if_closed_later(table, as_of, cut)
    if spec.history in accepted:
        table = _state_from_history(table, spec, accepted[spec.history], cut, wanted, past)
    table = table.select(**{c: _shown(table, spec, c, as_of, cut) for c in wanted})
    for c in spec.columns:
        other, _, key = c.refers.partition(".")
        if c.later and c.name in wanted and c.name not in found and other in accepted and key in accepted[other].columns:
            table = _known_reference(table, c.name, rows(other)[key])
    return table


def _read(spec: Table, columns: Collection[str], wanted: Collection[str]) -> list[str]:
    """The columns that tell the wanted ones: themselves, the key, and what says whether they are known yet."""
    read = {spec.key[0], *wanted, *(spec[c].known_with for c in wanted)}
    if spec.name == "opportunities" and read & {"status", *AT_THE_END}:
        read |= {"status", "close_date", "closed_at"}
    return [c for c in columns if c in read]


def _shown(table: ibis.Table, spec: Table, name: str, as_of: date, cut: datetime) -> ibis.Value:
    """The column without what was not known: stamps after the date, and what is known with such a stamp."""
    value, column = table[name], spec[name]
    for stamp in (name if column.stamped else "", column.known_with):
        if stamp and stamp in table.columns:
            value = ibis.ifelse(known(table[stamp], as_of, cut), value, ibis.null())
    return value


def _open_if_closed_later(deals: ibis.Table, as_of: date, cut: datetime) -> ibis.Table:
    """A deal closed after the date is open on it; what the export says of its end is not known yet."""
    if "status" not in deals.columns:
        return deals
    closed = ibis.literal(False)
    if "close_date" in deals.columns:
        closed = deals.close_date.notnull() & known(deals.close_date, as_of, cut)
    if "closed_at" in deals.columns:
        closed = ibis.ifelse(deals.closed_at.notnull(), known(deals.closed_at, as_of, cut), closed)
    reopened = (deals.status != "open") & ~closed
    unknown = {name: ibis.ifelse(reopened, ibis.null(), deals[name]) for name in AT_THE_END if name in deals.columns}
    return deals.mutate(status=ibis.ifelse(reopened, "open", deals.status), **unknown)


def _state_from_history(
    table: ibis.Table, spec: Table, history: ibis.Table, cut: datetime, wanted: Collection[str], past: Rows | None
) -> ibis.Table:
    """Take the state columns from each key's newest history row that had come.

    A row without any history keeps what the export says; one whose history begins later has a state that is not known yet.
    """
    key, called = spec.key[0], dict(spec.history_as)
    own = [c for c in wanted if c != key and called.get(c, c) in history.columns]
    if not own:
        return table
    if past:
        sought = table.filter(past(table)).select(_sought=key)
        history = history.semi_join(sought, history[key] == sought._sought)
    _, *stamps = TABLES[spec.history].key
    come = history.changed_at < ibis.literal(cut)
    order = history[stamps[0]] if len(stamps) == 1 else ibis.struct({c: history[c] for c in stamps})
    # Many columns travel as one struct: a third of the work of ranking the rows of every key for each. Two go faster alone.
    values = {f"_{c}": history[called.get(c, c)] for c in own}
    values = {"_then": ibis.struct(values)} if len(own) > 2 else values
    newest = history.group_by(_key=history[key]).agg(**{name: latest(value, order, come) for name, value in values.items()})
    joined = table.left_join(newest, table[key] == newest._key)
    then = joined["_then"] if len(own) > 2 else joined
    state = {c: ibis.ifelse(joined._key.notnull(), then[f"_{c}"], joined[c]) for c in own}
    return joined.select(**{c: state.get(c, joined[c]) for c in table.columns})


def latest(value: ibis.Value, order: ibis.Value, where: ibis.BooleanValue) -> ibis.Value:
    """The value, which may be empty, of the row that comes last: the engine's own aggregate, where Ibis' argmax would sort."""
    return _arg_max(value.type(), order.type())(value, order, where=where)


@cache
def _arg_max(value: dt.DataType, order: dt.DataType) -> Callable[..., ibis.Value]:
    def arg_max_null(value, order): ...

    return ibis.udf.agg.builtin(arg_max_null, signature=((value, order), value))


def _known_reference(table: ibis.Table, column: str, there: ibis.Column) -> ibis.Table:
    """Hide a reference whose row did not exist yet; `there` are the keys of the rows that did."""
    rows = there.name("_there").as_table()
    joined = table.left_join(rows, table[column] == rows._there)
    return joined.select(**{c: joined._there if c == column else joined[c] for c in table.columns})
