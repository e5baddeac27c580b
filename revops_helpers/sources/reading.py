"""Files into raw tables: all text, every record accounted for. CSV, tab-separated, JSON lines, Parquet and Excel.

A raw table is a view in the ingest engine over text columns, `_file` and `_line`; beside it stand the records that could not be
split into fields. Records are counted apart from the parser, and any difference stops the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, time

from revops_helpers.model.formats import identifier, quoted, unambiguous
from revops_helpers.model.personal import hide
from revops_helpers.settings import InputError
from revops_helpers.sources.delimited import delimited, json_lines
from revops_helpers.sources.names import columns_of
from revops_helpers.sources.store import Place, Raw, keep_records

READERS = 2  # files at a time


def read(place: Place) -> Raw:
    """One file as a raw table. InputError when it is not a table at all."""
    return read_all([place])[0]


def read_all(places: Sequence[Place]) -> list[Raw]:
    """Files as raw tables, in their order. While the engine parses one, another is unpacked and counted; the largest first."""
    for schema in dict.fromkeys(place.schema for place in places):
        places[0].desk.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {identifier(schema)}")
    with ThreadPoolExecutor(READERS) as pool:
        begun = {place: pool.submit(_beside, place) for place in sorted(places, key=_size, reverse=True)}
        return [begun[place].result() for place in places]


def _size(place: Place) -> int:
    return place.file.stat().st_size if place.file.exists() else 0


def _beside(place: Place) -> Raw:
    """The file read over a connection of its own to the same engine."""
    with place.desk.connection.cursor() as connection:
        return _read(replace(place, desk=replace(place.desk, connection=connection)))


def _read(place: Place) -> Raw:
    import duckdb

    kind = place.file.name.lower().removesuffix(".gz").rpartition(".")[2]
    reader = {"parquet": _parquet, "xlsx": _excel, "jsonl": json_lines, "ndjson": json_lines}.get(kind, delimited)
    try:
        return reader(place)
    except duckdb.Error as error:
        reason = hide(str(error).splitlines()[0][:300])
        raise InputError(f"{place.label}: cannot be read ({reason}); export it again") from None


def _parquet(place: Place) -> Raw:
    """Typed columns as text that reads in one way; `_line` is the row's number."""
    execute, file = place.desk.connection.execute, quoted(place.file.resolve())
    rows = f"read_parquet({file}, file_row_number = true)"
    typed = [row[:2] for row in execute(f"DESCRIBE SELECT * EXCLUDE (file_row_number) FROM {rows}").fetchall()]
    columns = columns_of([name for name, _ in typed], place.label)
    texts = (
        unambiguous(f"CAST({identifier(name)} AS VARCHAR)")
        if type_.startswith(("DOUBLE", "FLOAT", "DECIMAL"))
        else f"CAST({identifier(name)} AS VARCHAR)"
        for name, type_ in typed
    )
    listed = ", ".join(f"{text} AS {identifier(column)}" for text, column in zip(texts, columns, strict=True))
    position = f"{quoted(place.label)} AS _file, file_row_number + 1 AS _line"
    execute(f"CREATE VIEW {place.relation} AS SELECT {listed}, {position} FROM {rows}")
    (counted,) = execute(f"SELECT sum(num_rows)::BIGINT FROM parquet_file_metadata({file})").fetchone()
    return Raw(place.relation, place.label, columns, counted)


def _excel(place: Place) -> Raw:
    """The first sheet; its first row names the columns. Numbers, days and times come as what they are, not as they look."""
    import zipfile

    import openpyxl

    try:
        book = openpyxl.load_workbook(place.file, read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what the file says of its size is often wrong, and would cut rows and columns off
        records = ((i, [_cell(value) for value in row]) for i, row in enumerate(sheet.iter_rows(values_only=True), 1))
        _, header = next(records, (1, []))
        while header and not header[-1]:
            header.pop()
        if not header:
            raise InputError(f"{place.label}, line 1: empty; the first row of the first sheet must hold the column names")
        notes = [f"{place.label}: only its first sheet, '{sheet.title}', was read"] if len(book.worksheets) > 1 else []
        return keep_records(place, columns_of(header, place.label), _squared(records, len(header)), notes)
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        raise InputError(f"{place.label}: not a readable Excel workbook ({error}); save it again as .xlsx") from None


def _squared(records: Iterator[tuple[int, list[str]]], width: int) -> Iterator[tuple[int, list[str]]]:
    """Spreadsheet rows at the width of the header; cells beyond it stay when they hold something."""
    for line, row in records:
        row = row + [""] * (width - len(row))
        yield line, row if any(row[width:]) else row[:width]


def _cell(value: object) -> str:
    """A cell as text that reads in one way: ISO days and times, decimal points that no thousands separator could be."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        return f"{text}0" if len(text.partition(".")[2]) == 3 else text
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time.min else value.isoformat(" ")
    return value.isoformat() if isinstance(value, date) else str(value)
