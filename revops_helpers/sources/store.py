"""Raw tables in the ingest engine: text columns, `_file` and `_line` over Parquet in the scratch folder, every record counted."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from revops_helpers.model import rules
from revops_helpers.model.contract import Refused
from revops_helpers.model.formats import identifier, quoted
from revops_helpers.model.personal import LONGEST
from revops_helpers.settings import InputError
from revops_helpers.sources.names import label

if TYPE_CHECKING:
    import duckdb

Record = tuple[int, list[str]]  # its line and its fields
SCRATCH = "(FORMAT parquet, WRITE_BLOOM_FILTER false)"  # what is read once more and thrown away
USUAL_LINE, LONGEST_LINE = 1 << 21, 1 << 24  # bytes: the parser's buffers are made for them; what is longer is no record
WIDTH_ADVICE = "{found} fields where the header has {expected}: quote values that hold the delimiter, or export the row again"
NUL_ADVICE = "remove the NUL byte, or export the row again"


@dataclass(frozen=True)
class Raw:
    """A raw table. `relation`: its SQL name; `rows`: records read, refused ones among them; `file`: its label in messages.

    used: columns of the file that stand under another name, or that say which rows count.
    """

    relation: str
    file: str
    columns: tuple[str, ...]
    rows: int
    refused: tuple[Refused, ...] = ()
    notes: tuple[str, ...] = ()
    used: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Desk:
    """Where reading happens: the engine, a folder for what it writes, and the folders that labels are relative to.

    brought: the folder of raw tables that were brought from a database.
    """

    connection: duckdb.DuckDBPyConnection
    scratch: Path
    data: Path
    brought: Path | None = None

    def label(self, file: Path) -> str:
        """What messages and reports call a file, wherever this machine has it."""
        if self.brought and file.is_relative_to(self.brought):
            return str(file.relative_to(self.brought).with_suffix(""))
        return label(self.data, file)


@dataclass(frozen=True)
class Place:
    """One file on its way to be the raw table `schema.table`."""

    desk: Desk
    file: Path
    schema: str
    table: str
    encoding: str = "auto"

    @property
    def label(self) -> str:
        return self.desk.label(self.file)

    @property
    def relation(self) -> str:
        return identifier(self.schema, self.table)

    def scratch(self, ending: str) -> Path:
        return self.desk.scratch / f"{self.schema}.{self.table}.{ending}"


def ragged(label: str, line: int, found: int, expected: int, raw: str) -> Refused:
    return Refused(label, line, rules.RAGGED, _width_advice(found, expected), raw[:LONGEST])


@cache
def _width_advice(found: int, expected: int) -> str:
    return WIDTH_ADVICE.format(found=found, expected=expected)


def nul(label: str, line: int, raw: str) -> Refused:
    return Refused(label, line, rules.NUL_BYTE, NUL_ADVICE, raw[:LONGEST].replace("\0", "\\0"))


def keep(
    place: Place,
    columns: Sequence[str],
    lines: np.ndarray,
    delimiter: str = ",",
    quote: str = '"',
    clean: Path | None = None,
    longest: int = LONGEST_LINE,
) -> tuple[int, str]:
    """Records, all of one width and none of more than `longest` bytes, as text in Parquet: how many arrived, and the SQL of them.

    They stand in `clean` below a header of one line, else without a header in `place.scratch("clean")`.
    """
    source, target = clean or place.scratch("clean"), quoted(place.scratch("parquet"))
    execute = place.desk.connection.execute
    if not len(lines):
        empty = ", ".join(f"NULL::VARCHAR AS {identifier(c)}" for c in columns)
        return 0, f"(SELECT {empty}, 0::BIGINT AS _line WHERE false)"
    typed = "{" + ", ".join(f"{quoted(c)}: 'VARCHAR'" for c in columns) + "}"
    parsed = (
        f"read_csv({quoted(source.resolve())}, columns = {typed}, auto_detect = false, header = {clean is not None}, "
        f"delim = {quoted(delimiter)}, quote = {quoted(quote)}, escape = {quoted(quote)}, nullstr = '', strict_mode = true, "
        f"null_padding = false, new_line = '\\n', max_line_size = {min(max(longest, USUAL_LINE), LONGEST_LINE)})"
    )
    contiguous = (np.diff(lines) == 1).all()
    rows, stored = f"SELECT * FROM {parsed}", f"read_parquet({target})"
    if contiguous:
        line = f"file_row_number + {int(lines[0])} AS _line"
        stored = f"(SELECT * EXCLUDE (file_row_number), {line} FROM read_parquet({target}, file_row_number = true))"
    else:
        import pandas as pd

        place.desk.connection.register("_lines", pd.DataFrame({"_line": lines}))
        rows = f"SELECT p.*, l._line FROM {parsed} p POSITIONAL JOIN _lines l"
    (arrived,) = execute(f"COPY ({rows}) TO {target} {SCRATCH}").fetchone()
    if not clean:
        source.unlink()
    return int(arrived), stored


def view(place: Place, columns: Sequence[str], counted: int, kept: tuple[int, str], refused: Sequence[Refused], notes=()) -> Raw:
    """The raw table over what `keep` stored. InputError when counting and parsing disagree: no row is lost in silence."""
    arrived, stored = kept
    read = arrived + len(refused)
    if counted != read:
        raise InputError(
            f"{place.label}: {counted:,} records were counted and {read:,} were read; its quotes or line breaks are irregular: "
            "export it again with every text quoted"
        )
    listed = ", ".join(identifier(c) for c in columns)
    place.desk.connection.execute(
        f"CREATE VIEW {place.relation} AS SELECT {listed}, {quoted(place.label)} AS _file, _line FROM {stored}"
    )
    return Raw(place.relation, place.label, tuple(columns), counted, tuple(refused), tuple(notes))


def keep_records(place: Place, columns: Sequence[str], records: Iterable[Record], notes=(), delimiter: str = ",") -> Raw:
    """Records that Python split, as (line, fields), through the same store and the same count. Empty ones are no rows."""
    width, counted, lines, refused = len(columns), 0, [], []
    with place.scratch("clean").open("w", encoding="utf-8", newline="") as sink:
        writer = csv.writer(sink, quoting=csv.QUOTE_ALL, lineterminator="\n")
        for line, fields in records:
            if not any(fields):
                continue
            counted += 1
            if any("\0" in field for field in fields):
                refused.append(nul(place.label, line, _line_of(fields, delimiter)))
            elif len(fields) != width:
                refused.append(ragged(place.label, line, len(fields), width, _line_of(fields, delimiter)))
            else:
                writer.writerow(fields)
                lines.append(line)
    kept = keep(place, columns, np.array(lines, dtype=np.int64))
    return view(place, columns, counted, kept, refused, notes)


def _line_of(fields: list[str], delimiter: str) -> str:
    """Fields as one line of delimited text."""
    line = io.StringIO(newline="")
    csv.writer(line, delimiter=delimiter).writerow(fields)
    return line.getvalue().removesuffix("\r\n")
