"""The tables as they stood on a date. Pure: lazy tables in, lazy tables out.

Nothing stamped after the date is visible: no row, no field, no state. So rows added later never change an earlier report.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

import ibis

from revops_helpers.model.tables import TABLES, Table
from revops_helpers.settings import Settings


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
    cut = cut_off(as_of, settings)
    born = known(stamps[-1], as_of, cut) | stamps[-1].isnull()
    for stamp in reversed(stamps[:-1]):
        born = ibis.ifelse(stamp.isnull(), born, known(stamp, as_of, cut))
    return born


def as_it_stood(accepted: Mapping[str, ibis.Table], as_of: date, settings: Settings) -> dict[str, ibis.Table]:
    """Every table as it stood at the end of `as_of`, in the company's time zone."""
    rows = {name: table.filter(exists(table, TABLES[name], as_of, settings)) for name, table in accepted.items()}
    return {name: _state(rows[name], TABLES[name], rows, as_of, settings) for name in rows}


def _state(table: ibis.Table, spec: Table, rows: Mapping[str, ibis.Table], as_of: date, settings: Settings) -> ibis.Table:
    cut = cut_off(as_of, settings)
    columns = table.columns
    if spec.name == "opportunities":
        table = _open_if_closed_later(table, as_of, cut)
    if spec.history in rows:
        table = _state_from_history(table, spec, rows[spec.history])
    stamped = [c.name for c in spec.columns if c.stamped and c.name in columns]
    table = table.mutate(**{name: ibis.ifelse(known(table[name], as_of, cut), table[name], ibis.null()) for name in stamped})
    explained = [c for c in spec.columns if c.known_with in stamped and c.name in columns]
    table = table.mutate(**{c.name: ibis.ifelse(table[c.known_with].notnull(), table[c.name], ibis.null()) for c in explained})
    for c in spec.columns:
        if c.later and c.name in columns:
            table = _known_reference(table, c.name, c.refers, rows)
    return table.select(*columns)


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
    unknown = {
        name: ibis.ifelse(reopened, ibis.null(), deals[name])
        for name in ("stage", "close_date", "forecast_category")
        if name in deals.columns
    }
    return deals.mutate(status=ibis.ifelse(reopened, "open", deals.status), **unknown)


def _state_from_history(table: ibis.Table, spec: Table, history: ibis.Table) -> ibis.Table:
    """Take the state columns from the newest history row of each key; rows without history keep what the export says."""
    key = spec.key[0]
    called = dict(spec.history_as)
    own = [c for c in table.columns if c != key and called.get(c, c) in history.columns]
    if not own:
        return table
    newest = history.mutate(_rank=ibis.row_number().over(group_by=key, order_by=history.changed_at.desc())).filter(
        ibis._._rank == 0
    )
    state = newest.select(_key=newest[key], **{f"_then_{c}": newest[called.get(c, c)] for c in own})
    joined = table.left_join(state, table[key] == state._key)
    return joined.mutate(**{c: ibis.ifelse(joined._key.notnull(), joined[f"_then_{c}"], joined[c]) for c in own})


def _known_reference(table: ibis.Table, column: str, refers: str, rows: Mapping[str, ibis.Table]) -> ibis.Table:
    """Hide a reference whose row did not exist yet."""
    other, _, name = refers.partition(".")
    if other not in rows or name not in rows[other].columns:
        return table
    there = rows[other].select(_there=rows[other][name])
    joined = table.left_join(there, table[column] == there._there)
    return joined.mutate(**{column: joined._there}).drop("_there")
