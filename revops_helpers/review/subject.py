"""One person's traces: an id, e-mail, phone or CPF as it may be written in tables, pages, notebooks and exports.

What is looked for is never printed, logged or kept.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

from revops_helpers.engine import reader
from revops_helpers.model.formats import identifier, quoted
from revops_helpers.model.tables import TABLES
from revops_helpers.settings import InputError
from revops_helpers.warehouse import Schema, texts_in

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend
    from ibis.backends.sql import SQLBackend

LEAST, SHORT, NUMBER = 3, 5, 8  # letters of a subject; below which only a whole cell is meant; digits that make a number
WRITTEN = {".html", ".csv", ".json", ".ipynb", ".txt"}
PERSONAL = {
    name: [*spec.key, *(column.name for column in spec.columns if column.personal)]
    for name, spec in TABLES.items()
    if any(column.personal for column in spec.columns)
}  # table → what tells of a person in it
EVERY = ' COLLATE "und-x-icu"'  # in PostgreSQL
BETWEEN = r"[ .\-()/]{0,2}"


@dataclass(frozen=True, repr=False)
class Subject:
    """What is looked for: texts, each as a whole word in any case; of numbers also every way to group the digits."""

    terms: frozenset[str]

    @classmethod
    def of(cls, text: str, salt: str) -> Subject:
        """The person that a text names, also where ingest put a keyed hash (of `salt`) in its place. InputError if too short."""
        text = text.strip().lower()
        if len(text) < LEAST:
            raise InputError(f"a subject has at least {LEAST} characters: an id, an e-mail, a phone or a CPF")
        hashed = hashlib.sha256(f"{salt}{text}".encode()).hexdigest()[:12]
        return cls(frozenset({text, f"key-{hashed}"}))

    def under(self, prefixes: Iterable[str]) -> Subject:
        """Also as an id that stands behind one of the prefixes in the tables of the model."""
        return Subject(self.terms | {prefix.lower() + term for prefix in prefixes for term in self.terms})

    def without(self, prefixes: Iterable[str]) -> Subject:
        """Also as the system writes an id that has one of the prefixes in the tables of the model."""
        return Subject(self.terms | {term.removeprefix(prefix.lower()) for prefix in prefixes for term in self.terms} - {""})

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(sorted(_way(term) for term in self.terms)))

    def stands_in(self, text: str) -> bool:
        return bool(self.pattern.search(text.lower()))

    def widened(self, places: Iterable[Path | Schema]) -> Subject:
        """With the ids, e-mails, phones and full names of the person's own records in caches and loaded schemas."""
        found = set(self.terms)
        for place in places:
            rows = _loaded_rows(place, self) if isinstance(place, Schema) else _cached_rows(place, self)
            for table, row in rows:
                told = {
                    value.strip().lower() for column, value in row.items() if column in PERSONAL[table] and _tells(column, value)
                }
                found |= told
        return Subject(frozenset(found))


def _tells(column: str, value: str) -> bool:
    """Whether a value is the person's alone: a first name by itself is not."""
    return len(value.strip()) >= (1 if column.endswith("_id") else LEAST) and (column != "name" or " " in value.strip())


def _digits(term: str) -> str:
    """The digits of a phone or a CPF without the country's code; empty for what is no such number."""
    digits = re.sub(r"\D", "", term)
    if len(digits) < NUMBER or not re.fullmatch(r"[\d\s.()+/-]+", term):
        return ""
    return digits.removeprefix("55") if len(digits) > 11 else digits


def _way(term: str) -> str:
    """How a term may be written, as a pattern over small letters."""
    if digits := _digits(term):
        return rf"(?<!\d)(?:55{BETWEEN})?0?{BETWEEN.join(digits)}(?!\d)"
    if len(term) < SHORT:
        return rf"(?:^|[>\",;\t\n|])\s*{re.escape(term)}\s*(?:$|[<\",;\t\n|])"
    return rf"(?<![\w@.-]){re.escape(term)}(?![\w@])"


def in_folder(folder: Path, subject: Subject) -> Iterator[str]:
    """The files of a review or a cache that hold the person, relative to it. Links are not followed."""
    backend = reader(folder)
    for place, folders, files in os.walk(folder, followlinks=False):
        folders.sort()
        for file in sorted(Path(place) / name for name in files):
            if not file.is_symlink() and _holds(backend, file, subject):
                yield file.relative_to(folder).as_posix()


def in_schema(schema: Schema, subject: Subject) -> list[str]:
    """The tables of a loaded schema that hold the person."""
    with texts_in(schema) as (backend, tables):
        return [
            name for name, texts in tables.items() if any(_rows(backend, identifier(schema.name, name), texts, subject, EVERY))
        ]


def _loaded_rows(schema: Schema, subject: Subject) -> Iterator[tuple[str, dict[str, str]]]:
    with texts_in(schema) as (backend, tables):
        for table in (name for name in PERSONAL if name in tables):
            for row in _rows(backend, identifier(schema.name, table), tables[table], subject, EVERY):
                yield table, row


def _cached_rows(cache: Path, subject: Subject) -> Iterator[tuple[str, dict[str, str]]]:
    backend = reader(cache)
    for table in PERSONAL:
        for row in rows_with(backend, cache / f"{table}.parquet", subject):
            yield table, row


def _holds(backend: Backend, file: Path, subject: Subject) -> bool:
    if file.suffix == ".parquet":
        return any(True for _row in rows_with(backend, file, subject))
    if file.suffix not in WRITTEN:
        return False
    text = file.read_text(encoding="utf-8", errors="replace")
    return any(subject.stands_in(form) for form in {text, unescape(text), text.replace("\\n", "\n").replace('\\"', '"')})


def rows_with(backend: Backend, file: Path, subject: Subject) -> Iterator[dict[str, str]]:
    """The text columns of the rows of a Parquet file in which the person stands."""
    if not file.is_file():
        return
    source = f"read_parquet({quoted(file)})"
    columns = backend.raw_sql(f"DESCRIBE SELECT * FROM {source}").fetchall()
    yield from _rows(backend, source, [name for name, kind, *_more in columns if kind == "VARCHAR"], subject)


def _rows(backend: SQLBackend, source: str, texts: list[str], subject: Subject, letters: str = "") -> Iterator[dict[str, str]]:
    """The texts of the rows with the person; letters: the collation that knows the small ones of all alphabets."""
    if not texts:
        return
    maybe = _maybe([f"{identifier(name)}{letters}" for name in texts], subject)
    found = backend.raw_sql(f"SELECT {', '.join(map(identifier, texts))} FROM {source} WHERE {maybe}")
    for values in found.fetchall():
        row = {name: value for name, value in zip(texts, values, strict=True) if value}
        if any(map(subject.stands_in, row.values())):
            yield row


def _maybe(columns: Iterable[str], subject: Subject) -> str:
    """A quick test in the engine that every row with the person passes."""
    tests = []
    for column in columns:
        for term in sorted(subject.terms):
            digits = _digits(term)
            plain = f"regexp_replace({column}, '[^0-9]', '', 'g')" if digits else f"lower({column})"
            tests.append(f"strpos({plain}, {quoted(digits or term)}) > 0")
    return " OR ".join(tests) or "false"


# ---- exports: read as they are, never changed


def in_export(file: Path, subject: Subject) -> list[int]:
    """The lines (of Parquet and Excel: the records after the header) of an input file in which the person stands."""
    return [number for number, text in _lines(file) if subject.stands_in(text)]


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    name = file.name.lower()
    if name.endswith(".parquet"):
        rows = reader(file.parent).raw_sql(f"SELECT COLUMNS(*)::VARCHAR FROM read_parquet({quoted(file)})").fetchall()
        yield from enumerate(("\t".join(value or "" for value in row) for row in rows), 1)
    elif name.endswith(".xlsx"):
        import openpyxl

        for sheet in openpyxl.load_workbook(file, read_only=True, data_only=True):
            sheet.reset_dimensions()  # what the file says of its size is often wrong, and would hide rows
            rows = sheet.iter_rows(values_only=True)
            yield from enumerate("\t".join("" if value is None else str(value) for value in row) for row in rows)
    else:
        content = gzip.decompress(file.read_bytes()) if name.endswith(".gz") else file.read_bytes()
        yield from enumerate(_decoded(content).splitlines(), 1)


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
