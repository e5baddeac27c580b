"""Files into raw tables: all text, every record accounted for. CSV, tab-separated, JSON lines, Parquet and Excel.

A raw table is a view in the ingest engine over text columns, `_file` and `_line`; beside it stand the records that could not be
split into fields. Records are counted by `scan`, not by the parser, and any difference stops the run.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from revops_helpers.model import rules
from revops_helpers.model.contract import Refused
from revops_helpers.model.formats import identifier, quoted
from revops_helpers.settings import InputError
from revops_helpers.sources.names import columns_of
from revops_helpers.sources.scan import NEWLINE, RETURN, Scan, scan
from revops_helpers.sources.text import as_utf8

if TYPE_CHECKING:
    import duckdb

RAGGED_ADVICE = "{found} fields where the header has {expected}: quote values that hold the delimiter, or export the row again"
NUL_ADVICE = "remove the NUL byte, or export the row again"
UNAMBIGUOUS = r"regexp_replace({}, '^(-?\d{{1,3}}\.\d{{3}})$', '\10')"  # 1.234 → 1.2340, which no thousands separator gives


@dataclass(frozen=True)
class Raw:
    """A raw table. `relation`: its SQL name; `rows`: records read, refused ones among them; `file`: its label in messages."""

    relation: str
    file: str
    columns: tuple[str, ...]
    rows: int
    refused: tuple[Refused, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Desk:
    """Where reading happens: the engine, a folder for what it writes, and the folder that labels are relative to."""

    connection: duckdb.DuckDBPyConnection
    scratch: Path
    data: Path

    def label(self, file: Path) -> str:
        return str(file.relative_to(self.data)) if file.is_relative_to(self.data) else str(file)


def read(desk: Desk, file: Path, schema: str, table: str, encoding: str = "auto") -> Raw:
    """One file as the raw table `schema.table`. InputError when it is not a table at all."""
    import duckdb

    desk.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {identifier(schema)}")
    kind = file.name.lower().removesuffix(".gz").rpartition(".")[2]
    reader = {"parquet": _parquet, "xlsx": _excel, "jsonl": _json_lines, "ndjson": _json_lines}.get(kind, _delimited)
    try:
        return reader(desk, file, schema, table, encoding)
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{desk.label(file)}: cannot be read ({reason}); export it again") from None


# ---- delimited text


def _delimited(desk: Desk, file: Path, schema: str, table: str, encoding: str) -> Raw:
    label = desk.label(file)
    plain, found = as_utf8(file, label, encoding, desk.scratch)
    header, delimiter = _header(plain, label)
    columns = columns_of(header, label)
    seen = scan(plain, delimiter)
    notes = () if found in ("utf-8", "utf-8-sig", "ascii") or encoding != "auto" else (f"{label} was read as {found}",)
    if not seen.regular:
        records = _python_records(plain, label, delimiter)
        return _from_records(desk, records, schema, table, label, columns, notes)
    data = np.memmap(plain, dtype=np.uint8, mode="r")
    good, blank = _sorted_out(seen, data, len(columns))
    bad = np.flatnonzero(~good & ~blank)
    refused = tuple(_refused(seen, data, i, len(columns), label) for i in bad[bad > 0])
    good[0], blank[0] = False, True  # the header is no row
    clean = desk.scratch / f"{schema}.{table}.clean"
    _write_spans(data, seen.starts, good, clean)
    del data
    stored = _store(desk, clean, schema, table, columns, delimiter, seen.lines[good])
    rows = int((~blank).sum())
    _reconcile(label, rows, stored + len(refused))
    return _view(desk, schema, table, label, columns, rows, refused, notes)


def _header(plain: Path, label: str) -> tuple[list[str], str]:
    """The names in the first line and the delimiter that splits it into most."""
    with plain.open("r", encoding="utf-8", newline="") as stream:
        start = stream.read(1 << 20)
    if any(ord(letter) < 32 and letter not in "\t\r\n" for letter in start.split("\n", 1)[0]):
        raise InputError(f"{label}, line 1: control characters where column names should be; this is not a text table")
    delimiter, header = ",", []
    for candidate in "\t;,":
        names = next(csv.reader(io.StringIO(start, newline=""), delimiter=candidate), [])
        if len(names) > max(len(header), 1):
            delimiter, header = candidate, names
    header = header or next(csv.reader(io.StringIO(start, newline="")), [])
    if not any(cell.strip() for cell in header):
        raise InputError(f"{label}, line 1: empty; the first line must hold the column names")
    return header, delimiter


def _sorted_out(seen: Scan, data: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Which records are rows of the right width, and which hold nothing at all (blank lines, delimiters alone)."""
    ends = seen.starts[1:].copy()
    ends -= data[ends - 1] == NEWLINE
    ends -= (ends > seen.starts[:-1]) & (data[np.maximum(ends - 1, 0)] == RETURN)
    blank = ends - seen.starts[:-1] == seen.fields - 1
    return (seen.fields == width) & ~seen.nul & ~blank, blank


def _refused(seen: Scan, data: np.ndarray, i: int, width: int, label: str) -> Refused:
    raw = data[seen.starts[i] : seen.starts[i + 1]].tobytes().decode("utf-8").rstrip("\r\n")
    if seen.nul[i]:
        return Refused(label, int(seen.lines[i]), rules.NUL_BYTE, NUL_ADVICE, raw.replace("\0", "\\0"))
    return Refused(label, int(seen.lines[i]), rules.RAGGED, RAGGED_ADVICE.format(found=seen.fields[i], expected=width), raw)


def _write_spans(data: np.ndarray, starts: np.ndarray, keep: np.ndarray, target: Path) -> None:
    """The kept records, copied in runs; the last one gets the line break that the file may lack."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], keep, [False]]).astype(np.int8)))
    with target.open("wb") as sink:
        for first, after in edges.reshape(-1, 2):
            for at in range(int(starts[first]), int(starts[after]), 1 << 26):
                sink.write(data[at : min(at + (1 << 26), int(starts[after]))].tobytes())
        if len(edges) and data[-1] != NEWLINE:
            sink.write(b"\n")


def _store(
    desk: Desk,
    clean: Path,
    schema: str,
    table: str,
    columns: tuple[str, ...],
    delimiter: str,
    lines: np.ndarray,
    quote: str = '"',
) -> int:
    """The clean records as text in Parquet with their line numbers; how many there are."""
    target = quoted(desk.scratch / f"{schema}.{table}.raw.parquet")
    if not len(lines):
        empty = ", ".join(f"NULL::VARCHAR AS {identifier(c)}" for c in columns)
        desk.connection.execute(f"COPY (SELECT {empty}, 0::BIGINT AS _line WHERE false) TO {target}")
        return 0
    typed = "{" + ", ".join(f"{quoted(c)}: 'VARCHAR'" for c in columns) + "}"
    parsed = (
        f"read_csv({quoted(clean)}, columns = {typed}, auto_detect = false, header = false, delim = {quoted(delimiter)}, "
        f"quote = {quoted(quote)}, escape = {quoted(quote)}, nullstr = '', strict_mode = true, null_padding = false, max_line_size = 16777216)"
    )
    if (np.diff(lines) == 1).all():
        rows = f"SELECT *, {int(lines[0])} - 1 + row_number() OVER () AS _line FROM {parsed}"
    else:
        import pandas as pd

        desk.connection.register("_lines", pd.DataFrame({"_line": lines}))
        rows = f"SELECT p.*, l._line FROM {parsed} p POSITIONAL JOIN _lines l"
    copied = desk.connection.execute(f"COPY ({rows}) TO {target} (COMPRESSION snappy)").fetchone()
    clean.unlink()
    return int(copied[0])


def _reconcile(label: str, counted: int, arrived: int) -> None:
    if counted != arrived:
        raise InputError(
            f"{label}: {counted:,} records were counted and {arrived:,} were read; its quotes or line breaks are irregular: "
            "export it again with every text quoted"
        )


def _view(desk: Desk, schema: str, table: str, label: str, columns, rows: int, refused, notes) -> Raw:
    relation, stored = identifier(schema, table), quoted(desk.scratch / f"{schema}.{table}.raw.parquet")
    listed = ", ".join(identifier(c) for c in columns)
    desk.connection.execute(
        f"CREATE VIEW {relation} AS SELECT {listed}, {quoted(label)} AS _file, _line FROM read_parquet({stored})"
    )
    return Raw(relation, label, tuple(columns), rows, tuple(refused), tuple(notes))


# ---- records that Python reads: irregular quoting, Excel


def _python_records(plain: Path, label: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line, fields) of every record after the header; quotes inside a field are taken as they stand."""
    csv.field_size_limit(1 << 30)
    pending: list[str] = []

    def watched(stream: io.TextIOBase) -> Iterator[str]:
        for line in stream:
            pending.append(line)
            yield line

    with plain.open("r", encoding="utf-8", newline="") as stream:
        reader, line = csv.reader(watched(stream), delimiter=delimiter), 0
        for fields in reader:
            if line:
                yield line + 1, fields
            line, last = reader.line_num, list(pending)
            pending.clear()
    try:
        list(csv.reader(last, delimiter=delimiter, strict=True))
    except csv.Error as error:
        if "unexpected end" in str(error):
            opened = line - len(last) + 1
            raise InputError(f"{label}, line {opened}: a quote opens a text that never ends; close or double it") from None


def _from_records(desk: Desk, records: Iterable, schema: str, table: str, label: str, columns, notes) -> Raw:
    """Records of Python's own reading, through the same store and the same count."""
    width, rows, lines, refused = len(columns), 0, [], []
    clean = desk.scratch / f"{schema}.{table}.clean"
    with clean.open("w", encoding="utf-8", newline="") as sink:
        writer = csv.writer(sink, quoting=csv.QUOTE_ALL, lineterminator="\n")
        for line, fields in records:
            if not any(fields):
                continue
            rows += 1
            if any("\0" in field for field in fields):
                refused.append(Refused(label, line, rules.NUL_BYTE, NUL_ADVICE, "|".join(fields).replace("\0", "\\0")))
            elif len(fields) != width:
                advice = RAGGED_ADVICE.format(found=len(fields), expected=width)
                refused.append(Refused(label, line, rules.RAGGED, advice, "|".join(fields)))
            else:
                writer.writerow(fields)
                lines.append(line)
    stored = _store(desk, clean, schema, table, columns, ",", np.array(lines, dtype=np.int64))
    _reconcile(label, rows, stored + len(refused))
    return _view(desk, schema, table, label, columns, rows, refused, notes)


def _excel(desk: Desk, file: Path, schema: str, table: str, encoding: str) -> Raw:
    """The first sheet; its first row names the columns. Numbers, days and times come as what they are, not as they look."""
    import zipfile

    import openpyxl

    label = desk.label(file)
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        sheet = book.worksheets[0]
        records = ((i, [_cell(value) for value in row]) for i, row in enumerate(sheet.iter_rows(values_only=True), 1))
        _, header = next(records, (1, []))
        while header and not header[-1]:
            header.pop()
        if not header:
            raise InputError(f"{label}, line 1: empty; the first row of the first sheet must hold the column names")
        width = len(header)
        squared = ((i, _squared(row, width)) for i, row in records)
        notes = (f"{label}: only its first sheet, '{sheet.title}', was read",) if len(book.worksheets) > 1 else ()
        return _from_records(desk, squared, schema, table, label, columns_of(header, label), notes)
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        raise InputError(f"{label}: not a readable Excel workbook ({error}); save it again as .xlsx") from None


def _squared(row: list[str], width: int) -> list[str]:
    """A spreadsheet row at the width of its header; cells beyond it stay when they hold something."""
    row = row + [""] * (width - len(row))
    return row[:width] if not any(row[width:]) else row


def _cell(value: object) -> str:
    """A cell as text that reads in one way: ISO days and times, decimal points that no thousands separator could be."""
    from datetime import date, datetime

    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        return f"{text}0" if text.partition(".")[2] and len(text.partition(".")[2]) == 3 else text
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ")
    return value.isoformat() if isinstance(value, date) else str(value)


# ---- JSON lines and Parquet


def _json_lines(desk: Desk, file: Path, schema: str, table: str, encoding: str) -> Raw:
    """One JSON object a line; nested values stay JSON text. A line that is no object is refused."""
    label = desk.label(file)
    plain, found = as_utf8(file, label, encoding, desk.scratch)
    seen = scan(plain, "\x1e", quotes=False)
    data = np.memmap(plain, dtype=np.uint8, mode="r")
    good, blank = _sorted_out(seen, data, 1)
    refused = [_refused(seen, data, i, 1, label) for i in np.flatnonzero(~good & ~blank)]
    clean, lines = desk.scratch / f"{schema}.{table}.clean", identifier(schema, f"{table} lines")
    _write_spans(data, seen.starts, good, clean)
    stored = _store(desk, clean, schema, f"{table} lines", ("json",), "\x1e", seen.lines[good], quote="")
    _reconcile(label, int((~blank).sum()), stored + len(refused))
    _view(desk, schema, f"{table} lines", label, ("json",), stored, (), ())
    ask = desk.connection.execute
    is_object = "(json_valid(json) AND coalesce(try(json_type(json)) = 'OBJECT', false))"
    for line, raw in ask(f"SELECT _line, json FROM {lines} WHERE NOT {is_object} ORDER BY _line").fetchall():
        refused.append(Refused(label, line, rules.NOT_JSON, "write one JSON object on each line", raw))
    keys = ask(
        f"SELECT k FROM (SELECT unnest(json_keys(json)) k, _line FROM {lines} WHERE {is_object}) GROUP BY k ORDER BY min(_line), k"
    )
    headers = [key for (key,) in keys.fetchall()]
    columns = columns_of(headers, label)
    listed = ", ".join(f"{_json_value(key)} AS {identifier(column)}" for key, column in zip(headers, columns, strict=True))
    body = f"SELECT {listed + ', ' if listed else ''}_file, _line FROM {lines} WHERE {is_object}"
    relation = identifier(schema, table)
    ask(f"CREATE VIEW {relation} AS {body}")
    return Raw(relation, label, columns, int((~blank).sum()), tuple(sorted(refused, key=lambda r: r.line)))


def _json_value(key: str) -> str:
    where = quoted("/" + key.replace("~", "~0").replace("/", "~1"))
    value = f"json_extract_string(json, {where})"
    return f"CASE WHEN json_type(json, {where}) = 'DOUBLE' THEN {UNAMBIGUOUS.format(value)} ELSE {value} END"


def _parquet(desk: Desk, file: Path, schema: str, table: str, encoding: str) -> Raw:
    """Typed columns as text that reads in one way; `_line` is the row's number."""
    label, source = desk.label(file), f"read_parquet({quoted(file.resolve())}, file_row_number = true)"
    described = desk.connection.execute(f"DESCRIBE SELECT * EXCLUDE (file_row_number) FROM {source}").fetchall()
    columns = columns_of([row[0] for row in described], label)
    listed = ", ".join(
        f"{_as_text(row[0], row[1])} AS {identifier(column)}" for row, column in zip(described, columns, strict=True)
    )
    relation = identifier(schema, table)
    desk.connection.execute(
        f"CREATE VIEW {relation} AS SELECT {listed}, {quoted(label)} AS _file, file_row_number + 1 AS _line FROM {source}"
    )
    (rows,) = desk.connection.execute(
        f"SELECT sum(num_rows)::BIGINT FROM parquet_file_metadata({quoted(file.resolve())})"
    ).fetchone()
    return Raw(relation, label, columns, rows)


def _as_text(column: str, type_: str) -> str:
    """A typed column of the engine as text."""
    value = f"CAST({identifier(column)} AS VARCHAR)"
    return UNAMBIGUOUS.format(value) if type_.startswith(("DOUBLE", "FLOAT", "DECIMAL")) else value
