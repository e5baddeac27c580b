"""A company as it stood on a date: the one argument that every metric and analysis takes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, partial
from typing import Protocol

import ibis
import pandas as pd

from revops_helpers.model import results
from revops_helpers.model.as_of import Rows, as_it_stood
from revops_helpers.model.contacts import CONTACT, OF_ACTIVITIES, OF_LEADS, told_by_activities, with_first_contact
from revops_helpers.model.same import KEYS, Same, one_each, same_records
from revops_helpers.model.tables import TABLES
from revops_helpers.periods import Period, PeriodName, named_period
from revops_helpers.settings import Settings


class Unavailable(Exception):
    """An analysis needs tables or columns that this company does not have."""

    def __init__(self, missing: Iterable[str]):
        self.missing = tuple(missing)
        super().__init__("needs " + ", ".join(self.missing))


class Shelf(Protocol):
    """Where what takes long is kept between processes. `told` is all that it follows from beside the data and the code."""

    def get(self, name: str, told: str) -> bytes | None: ...

    def put(self, name: str, told: str, content: bytes) -> None: ...


@dataclass(frozen=True)
class Company:
    """Lazy tables as they stood on `as_of`, and the agreement that gives them meaning.

    accepted: table name → every accepted row (canonical columns; a column that no source fills is absent).
    ledger: table, source, unit (`rows` or a currency), read, accepted, quarantined, excluded: read is always their sum.
    quarantine: one row per refused row: table, source, file, line, column, rule, advice, raw.
    data_ends_on: the day of the newest stamp in the data, or None.
    mapping: table, source, status, missing, unread, rows_in, rows_out, prefixes: how it was filled (`sources.mapping.REPORT`).
    newest: table, source, day: the newest day, not after `as_of`, from which a row of the source is known.
    origin: table name → every accepted row with `_source`, where the rows come from sources.
    show_people: reports name people instead of giving their ids.
    shelf: where what takes long is kept between processes, for a company that was opened from a folder.
    """

    settings: Settings
    as_of: date
    accepted: Mapping[str, ibis.Table]
    period_name: PeriodName = "ytd"
    segment: str | None = None
    show_people: bool = False
    ledger: pd.DataFrame | None = None
    quarantine: pd.DataFrame | None = None
    data_ends_on: date | None = None
    mapping: pd.DataFrame | None = None
    newest: pd.DataFrame | None = None
    origin: Mapping[str, ibis.Table] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    fingerprint: str = ""
    shelf: Shelf | None = field(default=None, repr=False, compare=False)
    _made: dict = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def tables(self) -> Mapping[str, ibis.Table]:
        """Table name → rows and fields known on `as_of`."""
        return {name: self.table(name) for name in self.accepted}

    def table(
        self, name: str, columns: Collection[str] = (), found: Collection[str] = (), past: Rows | None = None
    ) -> ibis.Table:
        """One table as it stood, with all columns or those of `columns` that it has. Unavailable when the company has none.

        found: references that are looked up in the table they name, as it stood, so that those to later rows find nothing.
        past: the rows whose earlier state is read (all where it is None); of the others it is not looked up in the history.
        """
        if name not in TABLES:
            raise KeyError(f"the model has no table {name}")
        if name not in self.accepted:
            raise Unavailable([name])
        asked, sought = tuple(sorted(columns)), tuple(sorted(found))
        return self.once(("table", name, asked, sought, past), partial(self._shown, name, asked, sought, past))

    def _shown(self, name: str, asked: tuple[str, ...], sought: tuple[str, ...], past: Rows | None) -> ibis.Table:
        """The table as it stood; leads with their first contact from activities, where no lead has one of its own."""
        wants = name == "leads" and (not asked or CONTACT in asked) and told_by_activities(self.accepted)
        if not wants or self.once(("contacts",), self._leads_say_their_contact):
            return self._stood(name, asked, sought, past)
        leads = self._stood(name, tuple({*asked, *OF_LEADS}) if asked else (), sought, past)
        found = with_first_contact(leads, self.table("activities", OF_ACTIVITIES))
        return found.select(*(column for column in found.columns if not asked or column in asked))

    def _leads_say_their_contact(self) -> bool:
        if CONTACT not in self.accepted["leads"].columns:
            return False
        leads = self._stood("leads", (CONTACT,), (), None)
        return leads.filter(leads[CONTACT].notnull()).limit(1).count().to_pyarrow().as_py() > 0

    def _stood(self, name: str, asked: tuple[str, ...], sought: tuple[str, ...], past: Rows | None) -> ibis.Table:
        def stood(columns: tuple[str, ...]) -> ibis.Table:
            return as_it_stood(name, self.accepted, self.as_of, self.settings, columns, sought, past)

        same = {table: found for table in KEYS if (found := self.same(table))}
        return one_each(name, stood, asked, same, self.settings) if same else stood(asked)

    def same(self, table: str) -> Same | None:
        """Which records of accounts, leads or users are one; None where a single system tells of them, or no two meet."""
        filled = (
            () if self.mapping is None else zip(*(self.mapping[name] for name in ("table", "source", "rows_out")), strict=True)
        )
        several = len({source for name, source, rows in filled if name == table and rows > 0}) > 1
        linked = table in self.origin and "same_as" in self.origin[table].columns
        if not (several or linked):
            return None
        return self.once(("same", table), partial(same_records, table, self.origin, self.as_of, self.settings))

    def prefixes(self, table: str, source: str = "") -> tuple[str, ...]:
        """What SELECTs put before their systems' own ids of a table: those of one source, else of all that fill it."""
        if self.mapping is None:
            return ()
        of = (self.mapping["table"] == table) & ((self.mapping["source"] == source) | (source == ""))
        return tuple(prefix for text in self.mapping.loc[of, "prefixes"] for prefix in text.split(", ") if prefix)

    def missing(self, needs: Iterable[str]) -> tuple[str, ...]:
        """Which of `table` or `table.column` are absent here, once each; of an absent table only its name. Empty when none is.

        The first contact of leads is there also where activities tell it (`model.contacts`).
        """

        def absent(need: str) -> str:
            table, _, column = need.partition(".")
            if table not in self.accepted:
                return table
            if not column or column in self.accepted[table].columns:
                return ""
            return "" if (table, column) == ("leads", CONTACT) and told_by_activities(self.accepted) else need

        return tuple(dict.fromkeys(name for need in needs if (name := absent(need))))

    def require(self, needs: Iterable[str]) -> None:
        """Unavailable when anything needed is absent."""
        if missing := self.missing(needs):
            raise Unavailable(missing)

    def once(self, name: Hashable, make: Callable[[], object]) -> object:
        """The value of `make()`, computed once for this company and date (shared scans)."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def kept(self, name: str, make: Callable[[], bytes], more: str = "") -> bytes:
        """The content of `make()`, made once for these data, date, period, segment and code; more: what else it follows from."""
        if self.shelf is None:
            return make()
        content = self.shelf.get(name, self.told(more))
        if content is None:
            content = make()
            self.shelf.put(name, self.told(more), content)
        return content

    def told(self, more: str = "") -> str:
        """What a result follows from beside the data and the code."""
        return f"{self.as_of} {self.period_name} {self.period} {self.segment} {self.show_people} {more}"

    def ask(self, analysis: Callable[[Company], object]) -> object:
        """The result of `analysis(company)`, made once; or the Unavailable that says what it needs, to be shown.

        A company that was opened from a folder keeps it for the next process, where it is values and frames.
        """

        def make() -> object:
            try:
                return self._found(analysis)
            except Unavailable as missing:
                return missing

        return self.once(analysis, make)

    def _found(self, analysis: Callable[[Company], object]) -> object:
        name = results.name_of(analysis) if self.shelf else ""
        if not name:
            return analysis(self)
        for result in results.unpacked(self.shelf.get(name, self.told()) or b""):
            return result
        found = analysis(self)
        if (content := results.packed(found)) is not None:
            self.shelf.put(name, self.told(), content)
        return found

    @property
    def period(self) -> Period:
        """The period under review."""
        return named_period(self.period_name, self.as_of, self.settings.fiscal_year_start)

    def on(self, day: date) -> Company:
        """The same company seen from another date."""
        return replace(self, as_of=day, _made={})
