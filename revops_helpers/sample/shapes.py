"""How systems write: days, moments, money and flags as text, and a file in a system's own shape."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from revops_helpers.sample import world as w

ROWS_AT_A_TIME = 500_000
Column = str | Callable[[pd.DataFrame], object]


@dataclass(frozen=True)
class Export:
    """One file of a system: which canonical table it is made from, its columns in order, and how it is written.

    columns: header → canonical column or a function of the rows. only: the rows that belong into the file.
    blanks: header → every how many rows the cell is empty, as people leave it.
    """

    path: str
    table: str
    columns: Mapping[str, Column]
    only: Callable[[pd.DataFrame], object] | None = None
    delimiter: str = ","
    encoding: str = "utf-8"
    blanks: Mapping[str, int] = field(default_factory=dict)

    def shaped(self, rows: pd.DataFrame, first: int = 0) -> pa.Table:
        """Some rows of the canonical table as the system writes them; `first` is the number of the first of them."""
        number = np.arange(first, first + len(rows))
        if self.only is not None:
            keep = np.asarray(self.only(rows), dtype=bool)
            rows, number = rows[keep], number[keep]
        arrays = {}
        for header, column in self.columns.items():
            values = column(rows) if callable(column) else words(rows[column])
            if isinstance(values, str):
                values = pa.repeat(values, len(rows))
            if every := self.blanks.get(header):
                values = pc.if_else(pa.array(number % every == every // 2), None, values)
            arrays[header] = values
        return pa.table(arrays)


def slices(frame: pd.DataFrame) -> Iterator[tuple[int, pd.DataFrame]]:
    for first in range(0, max(len(frame), 1), ROWS_AT_A_TIME):
        yield first, frame.iloc[first : first + ROWS_AT_A_TIME]


@contextmanager
def zipped(file: Path) -> Iterator[BinaryIO]:
    """A gzip file without a clock in it, so that the same content is the same bytes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0) as packed:
        yield packed


def csv_bytes(table: pa.Table, export: Export, header: bool) -> bytes:
    """The rows as delimited text in the file's encoding."""
    sink = io.BytesIO()
    options = pa.csv.WriteOptions(include_header=header, delimiter=export.delimiter, quoting_style="needed")
    pa.csv.write_csv(table, sink, options)
    return sink.getvalue() if export.encoding == "utf-8" else sink.getvalue().decode("utf-8").encode(export.encoding)


def words(values: pd.Series) -> pa.Array:
    """Texts, whole numbers and plain fractions as they are; missing stays missing."""
    array = pa.array(values, from_pandas=True)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return array.cast(pa.string())


def _stamp(values: pd.Series, form: str) -> pa.Array:
    return pc.strftime(pa.array(values, from_pandas=True).cast(pa.timestamp("s")), format=form)


def iso_day(column: str) -> Column:
    return lambda rows: _stamp(rows[column], "%Y-%m-%d")


def iso_moment(column: str) -> Column:
    """As Salesforce and Gainsight write moments, in UTC."""
    return lambda rows: _stamp(rows[column], "%Y-%m-%dT%H:%M:%S.000Z")


def local_day(column: str) -> Column:
    """The company's day of a moment, as ISO text."""
    return lambda rows: _stamp(rows[column] - pd.Timedelta(seconds=w.UTC_BEHIND), "%Y-%m-%d")


def epoch(column: str) -> Column:
    """Milliseconds since 1970, as HubSpot's older interfaces give them."""
    return lambda rows: pc.multiply(pa.array(rows[column]).cast(pa.timestamp("s")).cast(pa.int64()), 1000).cast(pa.string())


def brazilian_day(column: str) -> Column:
    return lambda rows: _stamp(rows[column], "%d/%m/%Y")


def brazilian_moment(column: str) -> Column:
    return lambda rows: _stamp(rows[column] - pd.Timedelta(seconds=w.UTC_BEHIND), "%d/%m/%Y %H:%M:%S")


def _money(cents: pd.Series, point: str) -> pa.Array:
    array = pa.array(cents, from_pandas=True).cast(pa.int64())
    size = pc.abs(array)
    whole, rest = pc.divide(size, 100), pc.subtract(size, pc.multiply(pc.divide(size, 100), 100))
    sign = pc.if_else(pc.less(array, 0), "-", "")
    return pc.binary_join_element_wise(sign, whole.cast(pa.string()), point, pc.utf8_lpad(rest.cast(pa.string()), 2, "0"), "")


def money(column: str) -> Column:
    """Major units with a decimal point."""
    return lambda rows: _money(rows[column], ".")


def reais(column: str) -> Column:
    """Major units with a decimal comma."""
    return lambda rows: _money(rows[column], ",")


def grouped_reais(column: str) -> Column:
    """As a Brazilian spreadsheet shows money: R$ 1.234,56."""

    def shown(cents: int) -> str:
        digits = f"{abs(cents) // 100:,}".replace(",", ".")
        return f"{'-' if cents < 0 else ''}R$ {digits},{abs(cents) % 100:02d}"

    return lambda rows: pa.array([shown(cents) for cents in rows[column]])


def comma(column: str) -> Column:
    """A number with a decimal comma, at most six digits behind it."""

    def shown(number: float) -> str | None:
        return None if pd.isna(number) else f"{number:.6f}".rstrip("0").rstrip(".").replace(".", ",")

    return lambda rows: pa.array([shown(number) for number in rows[column]])


def lower_flag(column: str) -> Column:
    return lambda rows: pc.if_else(pa.array(rows[column]), "true", "false")


def mapped(column: str, names: Mapping[str, str]) -> Column:
    """The system's own words for the model's."""

    def look_up(rows: pd.DataFrame) -> pa.Array:
        values = words(rows[column])
        found = pc.index_in(values, value_set=pa.array(list(names)))
        return pa.array(list(names.values())).take(found)

    return look_up


def numbered(prefix: str, width: int = 15) -> Column:
    """Ids of 18 characters by the row's own number in the frame."""

    def made(rows: pd.DataFrame) -> pa.Array:
        start = prefix + "5f0"
        number = pc.utf8_lpad(pa.array(rows.index.to_numpy() + 1).cast(pa.string()), width - len(start), "0")
        return pc.binary_join_element_wise(start, number, w.salesforce_suffix(start), "")

    return made
