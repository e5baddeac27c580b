"""The macros that a SELECT may calculate by, made from the formats that its entry declares: as_number, as_day, as_moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from revops_helpers.model import formats
from revops_helpers.model.formats import identifier
from revops_helpers.model.personal import hide
from revops_helpers.sources.entries import Entry
from revops_helpers.sources.selects import RawName, Select, columns
from revops_helpers.sources.store import Desk


def make_macros(desk: Desk, entry: Entry) -> None:
    """The entry's as_number, as_day and as_moment."""
    form = replace(entry.form, decimal="." if entry.form.decimal == "auto" else entry.form.decimal)
    x = formats.text("CAST(x AS VARCHAR)")
    bodies = {"as_number": formats.number(x, form.decimal), "as_day": formats.day(x, form), "as_moment": formats.moment(x, form)}
    for macro, body in bodies.items():
        desk.connection.execute(f"CREATE OR REPLACE TEMP MACRO {macro}(x) AS ({body})")


def unreadable(desk: Desk, select: Select, names: dict[RawName, set[str]]) -> Iterator[str]:
    """A note for every column that a macro could not read everywhere."""
    for raw, column, macro in sorted({c for c in columns(select, names) if c[2] and c[0] in names}):
        x = identifier(column)
        count, example = desk.connection.execute(
            f"SELECT count(*), min({x}) FROM {identifier(*raw)} WHERE {formats.text(x)} IS NOT NULL AND {macro}({x}) IS NULL"
        ).fetchone()
        if count:
            such = hide(example[:60])
            yield f"{select.label}: {macro}({column}) could not read {count:,} values, such as '{such}'; they count as empty"
