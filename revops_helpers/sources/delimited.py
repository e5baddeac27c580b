"""Comma, semicolon and tab separated text, and JSON lines: split in the engine, counted by `scan`, ragged records set aside."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from revops_helpers.model import rules
from revops_helpers.model.contract import Refused
from revops_helpers.model.formats import identifier, quoted, unambiguous
from revops_helpers.settings import InputError
from revops_helpers.sources.names import columns_of
from revops_helpers.sources.scan import NEWLINE, RETURN, Scan, scan
from revops_helpers.sources.store import Place, Raw, keep, keep_records, nul, ragged, view
from revops_helpers.sources.text import as_utf8

PIECE, MOST_SHOWN = 1 << 26, 1 << 12
NO_DELIMITER = "\x1e"


def delimited(place: Place) -> Raw:
    """A CSV or tab-separated file. The delimiter is the one that splits the first line into most names."""
    plain, encoding = as_utf8(place)
    header, delimiter = _header(plain, place.label)
    columns = columns_of(header, place.label)
    unasked = place.encoding == "auto" and encoding not in ("utf-8", "utf-8-sig")
    notes = (f"{place.label} was read as {encoding}",) if unasked else ()
    seen = scan(plain, delimiter)
    if seen.regular:
        counted, refused, lines, clean = _split(place, plain, seen, len(columns), has_header=True)
        kept = keep(place, columns, lines, delimiter, clean=clean, longest=_longest(seen))
        raw = view(place, columns, counted, kept, refused, notes)
    else:
        raw = keep_records(place, columns, _records(plain, place.label, delimiter), notes, delimiter)
    if plain.is_relative_to(place.desk.scratch):
        plain.unlink()
    return raw


def _header(plain: Path, label: str) -> tuple[list[str], str]:
    """The names in the first line and the delimiter that splits it into most."""
    with plain.open("r", encoding="utf-8", newline="") as stream:
        start = stream.read(1 << 20)
    if any(ord(letter) < 32 and letter not in "\t\r\n" for letter in start.split("\n", 1)[0]):
        raise InputError(f"{label}, line 1: control characters where column names should be; this is not a text table")
    splits = [(next(csv.reader(io.StringIO(start, newline=""), delimiter=d), []), d) for d in ",;\t"]
    header, delimiter = max(splits, key=lambda split: len(split[0]))
    if header and header[0].lower().startswith("sep="):
        raise InputError(f"{label}, line 1: '{header[0]}' tells Excel how to split and names no column; remove that line")
    if not any(cell.strip() for cell in header):
        raise InputError(f"{label}, line 1: empty; the first line must hold the column names")
    return header, delimiter


def _split(
    place: Place, plain: Path, seen: Scan, width: int, has_header: bool
) -> tuple[int, list[Refused], np.ndarray, Path | None]:
    """The count of records, the refused ones, the lines of the good, and where these stand: written out, or the file as it is."""
    data = np.memmap(plain, dtype=np.uint8, mode="r")
    ends = seen.starts[1:] - (data[seen.starts[1:] - 1] == NEWLINE)
    ends -= (ends > seen.starts[:-1]) & (data[np.maximum(ends - 1, 0)] == RETURN)
    blank = ends - seen.starts[:-1] == seen.fields - 1  # nothing but delimiters
    blank[0] |= has_header
    good = (seen.fields == width) & ~seen.nul & ~blank
    refused, label = [], place.label  # one text for however many rows
    for i in np.flatnonzero(~good & ~blank):
        raw = data[seen.starts[i] : min(ends[i], seen.starts[i] + MOST_SHOWN)].tobytes().decode("utf-8", "ignore")
        line = int(seen.lines[i])
        refused.append(nul(label, line, raw) if seen.nul[i] else ragged(label, line, int(seen.fields[i]), width, raw))
    counted, lines = int((~blank).sum()), seen.lines[good]
    if has_header and good[1:].all() and not seen.returns and len(lines) and lines[0] == 2 and data[-1] == NEWLINE:
        return counted, refused, lines, plain
    _write_runs(data, seen.starts, good, place.scratch("clean"))
    return counted, refused, lines, None


def _longest(seen: Scan) -> int:
    """Bytes of the longest record."""
    return int(np.diff(seen.starts).max(initial=0)) + 1


def _write_runs(data: np.ndarray, starts: np.ndarray, wanted: np.ndarray, target: Path) -> None:
    """The wanted records, copied in runs, every line break as a bare newline: the parser fails on others beside quoted ones."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], wanted, [False]]).astype(np.int8)))
    with target.open("wb") as sink:
        for first, after in starts[edges].reshape(-1, 2):
            for at in range(int(first), int(after), PIECE):
                sink.write(data[at : min(at + PIECE, int(after))].tobytes().replace(b"\r", b""))
        if len(edges) and data[-1] != NEWLINE:
            sink.write(b"\n")


def _records(plain: Path, label: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line, fields) of every record after the header, split by Python: quotes inside a field are taken as they stand."""
    csv.field_size_limit(1 << 30)
    pending: list[str] = []

    def watched(stream: io.TextIOBase) -> Iterator[str]:
        for line in stream:
            pending.append(line)
            yield line

    line, last = 0, [""]
    with plain.open("r", encoding="utf-8", newline="") as stream:
        reader = csv.reader(watched(stream), delimiter=delimiter)
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


def json_lines(place: Place) -> Raw:
    """One JSON object a line; nested values stay JSON text. A line that is no object is refused."""
    plain, _ = as_utf8(place)
    seen = scan(plain, NO_DELIMITER, quotes=False)
    counted, refused, lines, _ = _split(place, plain, seen, 1, has_header=False)
    arrived, stored = keep(place, ["json"], lines, NO_DELIMITER, quote="", longest=_longest(seen))
    if counted != arrived + len(refused):
        raise InputError(
            f"{place.label}: {counted:,} lines were counted and {arrived + len(refused):,} were read; export it again"
        )
    ask = place.desk.connection.execute
    is_object = "(json_valid(json) AND coalesce(try(json_type(json)) = 'OBJECT', false))"
    for line, raw in ask(f"SELECT _line, json FROM {stored} WHERE NOT {is_object}").fetchall():
        refused.append(Refused(place.label, line, rules.NOT_JSON, "write one JSON object on each line", raw))
    found = f"SELECT unnest(json_keys(json)) AS k, _line FROM {stored} WHERE {is_object}"
    keys = [key for (key,) in ask(f"SELECT k FROM ({found}) GROUP BY k ORDER BY min(_line), k").fetchall()]
    columns = columns_of(keys, place.label)
    listed = "".join(f"{_json_value(key)} AS {identifier(column)}, " for key, column in zip(keys, columns, strict=True))
    rows = f"SELECT {listed}{quoted(place.label)} AS _file, _line FROM {stored} WHERE {is_object}"
    ask(f"CREATE VIEW {place.relation} AS {rows}")
    return Raw(place.relation, place.label, columns, counted, tuple(sorted(refused, key=lambda r: r.line)))


def _json_value(key: str) -> str:
    where = quoted("/" + key.replace("~", "~0").replace("/", "~1"))
    value = f"json_extract_string(json, {where})"
    return f"CASE WHEN json_type(json, {where}) = 'DOUBLE' THEN {unambiguous(value)} ELSE {value} END"
