"""Fix lists: the records of each system that fail a check, in the shape that its import takes, a column for each field to fill.

Salesforce's Data Loader knows a record by `Id`, HubSpot's import by `Record ID`; fields are headed as the system's own
export heads them. Cells of fields are empty, and an empty cell changes nothing on import: only what a person has filled in does.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import ibis
import pandas as pd
from sqlglot import exp

from revops_helpers.foundation.hygiene import failing_records
from revops_helpers.model.company import Company
from revops_helpers.model.tables import TABLES
from revops_helpers.review.exports import write_csv
from revops_helpers.settings import Settings
from revops_helpers.sources.entries import Entry, entries
from revops_helpers.sources.names import snake
from revops_helpers.sources.selects import own_id, parse, raw_name
from revops_helpers.words.language import _
from revops_helpers.words.markup import plain
from revops_helpers.words.records import rule_words

FIXES = ("table", "source", "id", "column", "rule")
RECORD = {"salesforce": "Id", "hubspot": "Record ID"}  # what the system's import calls a record's id
HEAD_BYTES = 1 << 20
TWICE = "twice"  # is mended by merging two records, not by filling a field


def fixes_table(company: Company) -> pd.DataFrame:
    """table, source, id, column, rule: one row per record, as its system knows it, and check that it fails."""
    nothing = pd.DataFrame(columns=list(FIXES))
    found = failing_records(company)
    if found is None:
        return nothing
    records, frames = found.select("table", "id", "column", "rule").to_pandas(), [nothing]
    for table, failing in records.groupby("table", sort=True):
        if table in company.origin:
            rows, ids = company.origin[table], ibis.memtable(failing[["id"]].drop_duplicates())
            known = rows.select(id=rows[TABLES[table].key[0]].cast("string"), source="_source").distinct().semi_join(ids, "id")
            frames.append(_own(company, failing.merge(known.to_pandas(), on="id")[list(FIXES)]))
    return pd.concat(frames, ignore_index=True).sort_values(list(FIXES), ignore_index=True)


def _own(company: Company, failing: pd.DataFrame) -> pd.DataFrame:
    """The records with the ids that their systems know them by; without those that a source has by another system's id alone."""
    kept = []
    for (table, source), rows in failing.groupby(["table", "source"]):
        if prefixes := company.prefixes(table, source):
            ids = [next((id_.removeprefix(p) for p in prefixes if id_.startswith(p)), None) for id_ in rows["id"]]
            rows = rows.assign(id=ids).dropna(subset="id")
        kept.append(rows)
    return pd.concat(kept) if kept else failing


def write_fixes(folder: Path, data: Path, settings: Settings, fixes: pd.DataFrame) -> list[Path]:
    """One CSV per system and table, `fix_<source>_<table>.csv`: record, fields to fill, what is wrong. Returns the files."""
    written = []
    systems = {snake(name): source.system or name for name, source in settings.sources.items()}
    by_name = {entry.name: entry for entry in entries(data, settings)} if len(fixes) else {}
    for (table, source), failing in fixes.groupby(["table", "source"], sort=True):
        heads = headings(by_name[source], table)
        if heads:
            record = RECORD.get(systems.get(source, ""), heads[TABLES[table].key[0]])
            written.append(folder / f"fix_{source}_{table}.csv")
            _write(written[-1], record, table, heads, failing)
    return written


def _write(file: Path, record: str, table: str, heads: Mapping[str, str], failing: pd.DataFrame) -> None:
    to_fill = set(failing.loc[failing["rule"] != TWICE, "column"])
    fields = [c.name for c in TABLES[table].columns if c.name in heads and c.name in to_fill]
    rows = []
    for id_, checks in failing.groupby("id", sort=True):
        wrong = [plain(rule_words(one.rule, f"{table}.{heads.get(one.column, one.column)}")) for one in checks.itertuples()]
        rows.append((id_, *("" for _field in fields), "; ".join(wrong)))
    write_csv(file, [record, *(heads[name] for name in fields), _("To do")], rows)


def headings(entry: Entry, table: str) -> dict[str, str]:
    """Column of the model → how the export heads the field that it is taken from as it is; empty where the record's id is not."""
    if not entry.selects:
        return {c.name: c.name for c in TABLES[table].columns}
    select = parse(entry.selects[table], table, entry.name)
    main = select.main()
    if not isinstance(select.tree, exp.Select) or main is None or main[0] != entry.name:
        return {}
    clause = select.tree.args.get("from_") or select.tree.args.get("from")
    if not isinstance(clause.this, exp.Table) or raw_name(clause.this) != main:
        return {}
    own = ("", clause.this.alias_or_name)
    taken = {p.alias_or_name: column for p in select.tree.selects if (column := _taken(p.unalias())) and column.table in own}
    file = entry.shape.file(main[1], entry.files)
    named = {snake(name): name for name in headers(file, entry.encoding)} if file else {}
    found = {name: named.get(column.name.lower(), column.name.lower()) for name, column in taken.items()}
    return found if TABLES[table].key[0] in found else {}


def _taken(given: exp.Expression) -> exp.Column | None:
    """The raw column that an output column is, as it stands or behind the prefix of the system's own ids."""
    behind = own_id(given)
    return behind[1] if behind else given if isinstance(given, exp.Column) else None


def headers(file: Path, encoding: str) -> list[str]:
    """The names in the first line of a delimited file, as they are written there; none of another kind of file."""
    if not file.name.lower().removesuffix(".gz").endswith((".csv", ".tsv")):
        return []
    with (gzip.open if file.suffix.lower() == ".gz" else open)(file, "rb") as stream:
        head = stream.read(HEAD_BYTES)
    wide = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    text = _decoded(head, [wide, "cp1252"] if encoding == "auto" else [encoding])
    lines = [next(csv.reader(text.splitlines(), delimiter=mark), []) for mark in ",;\t"]
    return max(lines, key=len)


def _decoded(head: bytes, encodings: Iterable[str]) -> str:
    for encoding in encodings:
        with suppress(UnicodeDecodeError):
            return head.decode(encoding)
    return head.decode("latin-1")
