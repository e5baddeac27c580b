"""Where the records of a delimited text file begin, on which line, and of how many fields, counted apart from the parser.

One vectorised pass over the bytes tells ragged rows, quoted line breaks and NUL bytes, and is what the row ledger counts with.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

QUOTE, NEWLINE, RETURN = 34, 10, 13
CHUNK = 1 << 24


@dataclass(frozen=True)
class Scan:
    """Records of a file, the header first. `starts` holds one offset more than there are records: the end of the file.

    starts: byte offsets; lines: line (from 1) on which each record begins; fields: delimiters outside quotes plus one;
    nul: records that hold a NUL byte; regular: every quote stands where RFC 4180 has it, and each return belongs to a line break.
    """

    starts: np.ndarray
    lines: np.ndarray
    fields: np.ndarray
    nul: np.ndarray
    regular: bool


def scan(file: Path, delimiter: str, quotes: bool = True) -> Scan:
    """Scan UTF-8 text; without `quotes`, every line is a record. Memory: about 20 bytes per record and eight chunks of 16 MB."""
    data = np.memmap(file, dtype=np.uint8, mode="r")
    ends, newlines, separators, nuls, regular, inside = [], [], [], [], True, 0
    for at in range(0, len(data), CHUNK):
        chunk = np.asarray(data[at : at + CHUNK])
        is_newline, is_separator = chunk == NEWLINE, chunk == ord(delimiter)
        newlines.append(np.flatnonzero(is_newline) + at)
        marks = np.flatnonzero(chunk == QUOTE) if quotes else []
        if len(marks) or inside:
            parity = (np.cumsum(chunk == QUOTE, dtype=np.int32) + inside) & 1
            regular &= _regular(data, marks + at, parity[marks], ord(delimiter))
            is_newline &= parity == 0
            is_separator &= parity == 0
            inside = int(parity[-1])
        ends.append(np.flatnonzero(is_newline) + at)
        separators.append(np.flatnonzero(is_separator) + at)
        nuls.append(np.flatnonzero(chunk == 0) + at)
        regular &= _returns_end_lines(data, np.flatnonzero(chunk == RETURN) + at)
    return _records(len(data), *map(np.concatenate, (ends, newlines, separators, nuls)), regular and not inside)


def _regular(data: np.ndarray, at: np.ndarray, opens: np.ndarray, delimiter: int) -> bool:
    """Whether quotes open after, and close before, a delimiter, a line break, a quote or the file's edge."""
    around = np.array([delimiter, NEWLINE, RETURN, QUOTE])
    opening, closing = at[opens == 1], at[opens == 0]
    before = opening[opening > 0] - 1
    after = closing[closing < len(data) - 1] + 1
    return bool(np.isin(data[before], around).all() and np.isin(data[after], around).all())


def _returns_end_lines(data: np.ndarray, at: np.ndarray) -> bool:
    inner = at[at < len(data) - 1] + 1
    return bool((data[inner] == NEWLINE).all())


def _records(size: int, ends, newlines, separators, nuls, regular: bool) -> Scan:
    if size and (not len(ends) or ends[-1] != size - 1):
        ends = np.append(ends, size)
    starts = np.concatenate([[0], np.minimum(ends + 1, size)])
    before = np.searchsorted(separators, starts)
    return Scan(
        starts=starts,
        lines=np.searchsorted(newlines, starts[:-1]) + 1,
        fields=np.diff(before) + 1,
        nul=np.diff(np.searchsorted(nuls, starts)) > 0,
        regular=regular,
    )
