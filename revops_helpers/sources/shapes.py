"""The shapes that one system's exports come in, brought to the one that its SELECTs are written in.

`sources/<system>/shapes.yml` declares, and nothing else knows, how the landings of a system differ:

    files:     what a file of the raw table {table} may be called besides: ["sf_{table}_data"]
    anywhere:  where any column {name} may stand besides: ["property_{name}", "properties.{name}", "{stem}.id"]; a dot leads
               into nested JSON, whose keys are tried in snake_case and camelCase; {stem} is the name without `_id`
    deleted:   columns that mark a row as deleted at its source (a flag, or a time)
    salesforce_ids: columns, with `*`, that hold Salesforce ids: 15 and 18 characters, or a lost case, become one id
    needs:     canonical table → `table` or `table.column`, one of which must be there for any row to come of it
    versions:  table → its history: a Fivetran history table (one row per version, `_fivetran_active`) is both
    histories: other tables whose older versions are rows that count
    either:    lists of raw tables of which one is enough, so that the others are not missed in a UNION
    optional:  a `table`, `table.column`, `*.column` or another entry's `entry.table` that need not be there, nor be missed
    merged:    table → `pairs` of [raw table, column of the merged ids, column of the survivor] and the `columns` of any
               raw table that refer to it: references lead to the last survivor, rows that were merged away are left out
    tables:    table → `names` its file may have (with `*`), `columns`: column → other names, the first that is there

A column's own name comes first, unless company.yml's `fields` names another: `fields: {lead: {mql_date_c: Data_MQL__c}}`.
Names meet without their underscores where they do not meet with them.
Rows marked as deleted, older versions and rows merged away are left out, and a note counts them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

from revops_helpers.settings import InputError
from revops_helpers.sources.names import snake

Names = tuple[str, ...]


@dataclass(frozen=True)
class Merged:
    """Which ids of a raw table were merged into which: (raw table, its column of merged ids, of the survivor), and who refers."""

    pairs: tuple[Names, ...]
    columns: Names


@dataclass(frozen=True)
class Shape:
    """What shapes.yml and company.yml say of one source; empty: files are read as they are."""

    files: Names = ()
    anywhere: Names = ()
    deleted: Names = ()
    salesforce_ids: Names = ()
    either: tuple[Names, ...] = ()
    optional: Names = ()
    needs: Mapping[str, Names] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    histories: Names = ()
    merged: Mapping[str, Merged] = field(default_factory=dict)
    names: Mapping[str, Names] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, Names]] = field(default_factory=dict)
    fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def file(self, table: str, files: Mapping[str, Path]) -> Path | None:
        """The file of a raw table, by its own name or another. InputError when several could be it."""
        if table in files:
            return files[table]
        wanted = [plain(name) for name in (table, *(p.format(table=table) for p in self.files), *self.names.get(table, ()))]
        found = [files[name] for name in files if any(fnmatchcase(plain(name), pattern) for pattern in wanted)]
        if len(found) > 1:
            raise InputError(f"{found[0]} and {found[1].name}: two files hold table '{table}'; keep one")
        return found[0] if found else None

    def places(self, table: str, column: str, there: Collection[str]) -> Iterator[str]:
        """Where the column may stand in a file with the columns `there`: `name`, or `name.key.key` inside JSON; best first."""
        given, others = self.fields.get(table, {}).get(column), self.columns.get(table, {}).get(column, ())
        patterns = [(pattern, name) for name in (column, *others) if "." not in name for pattern in self.anywhere]
        anywhere = (p.format(name=n, stem=n.removesuffix("_id")) for p, n in patterns if "{stem}" not in p or n.endswith("_id"))
        held = {plain(name): name for name in there}
        for place in (*([given] if given else ()), column, *others, *anywhere):
            head, dot, path = place.partition(".")
            if head in there or plain(head) in held:
                yield (head if head in there else held[plain(head)]) + dot + path

    def may_lack(self, name: str) -> bool:
        """Whether the absence of a `table` or a `table.column`, of another entry's `entry.table`, says nothing."""
        return any(fnmatchcase(name, pattern) for pattern in self.optional)

    def is_history(self, table: str) -> bool:
        return table in self.histories or table in self.versions.values()

    def is_salesforce_id(self, column: str) -> bool:
        return any(fnmatchcase(column, pattern) for pattern in self.salesforce_ids)


def plain(name: str) -> str:
    """A name without underscores: a warehouse that writes CreatedDate as CREATEDDATE leaves no trace of where its words began."""
    return name.replace("_", "")


def shape_of(folder: Path, fields: Mapping[str, Mapping[str, str]]) -> Shape:
    """The shape that `folder` declares, with the fields of company.yml (names as in the export)."""
    file = folder / "shapes.yml"
    told = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
    tables = told.pop("tables", {})
    merged = {t: Merged(tuple(map(tuple, m["pairs"])), tuple(m["columns"])) for t, m in told.pop("merged", {}).items()}
    versions = told.pop("versions", {})
    needs = {table: tuple(names) for table, names in told.pop("needs", {}).items()}
    return Shape(
        **{key: tuple(tuple(n) if isinstance(n, list) else n for n in names) for key, names in told.items()},
        versions=versions,
        needs=needs,
        merged=merged,
        names={table: tuple(said.get("names", ())) for table, said in tables.items()},
        columns={t: {c: tuple(names) for c, names in said.get("columns", {}).items()} for t, said in tables.items()},
        fields={snake(t): {snake(c): _place(raw) for c, raw in said.items()} for t, said in fields.items()},
    )


def _place(given: str) -> str:
    """A field of company.yml as a place: the column in snake_case, keys inside it as they are written."""
    head, dot, path = given.partition(".")
    return snake(head) + dot + path


def keys_of(place: str) -> list[str]:
    """The JSON pointers of a place inside its column, keys in snake_case and camelCase."""
    path = place.split(".")[1:]
    camel = [re.sub(r"_([a-z0-9])", lambda m: m[1].upper(), key) for key in path]
    return list(dict.fromkeys("/" + "/".join(keys) for keys in (path, camel)))
