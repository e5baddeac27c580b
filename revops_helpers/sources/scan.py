"""Where the records of a delimited text file begin, on which line, and of how many fields, counted apart from the parser.

One vectorised pass over the bytes tells ragged rows, quoted line breaks and NUL bytes, and is what the row ledger counts with.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

QUOTE, NEWLINE, RETURN = 34, 10, 13
CHUNK = 1 << 19  # what the processor keeps at hand


@dataclass(frozen=True)
class Scan:
    """Records of a file, the header first. `starts` holds one offset more than there are records: the end of the file.

    starts: byte offsets; lines: line (from 1) on which each record begins; fields: delimiters outside quotes plus one;
    nul: records that hold a NUL byte; regular: every quote stands where RFC 4180 has it, and each return belongs to a line break;
    returns: whether there is any return.
    """

    starts: np.ndarray
    lines: np.ndarray
    fields: np.ndarray
    nul: np.ndarray
    regular: bool
    returns: bool


def scan(file: Path, delimiter: str, quotes: bool = True) -> Scan:
    """Scan UTF-8 text; without `quotes`, every line is a record. Memory: about 50 bytes per record and some chunks."""
    data = np.memmap(file, dtype=np.uint8, mode="r")
    pieces = [_Piece(data[:0], 0, 0, _QUIET, delimiter, quotes)]
    for at in range(0, len(data), CHUNK):
        last = pieces[-1]
        around = int(data[at - 1]) if at else NEWLINE, int(data[at + CHUNK]) if at + CHUNK < len(data) else NEWLINE
        pieces.append(_Piece(np.asarray(data[at : at + CHUNK]), at, last.inside, around, delimiter, quotes))
    ends = np.concatenate([piece.ends for piece in pieces])
    totals = np.concatenate([piece.totals + before for piece, before in zip(pieces, _before(pieces), strict=True)])
    regular = all(piece.regular for piece in pieces) and not pieces[-1].inside
    return _records(len(data), ends, totals, sum(piece.total for piece in pieces), regular, any(p.returns for p in pieces))


_QUIET = (NEWLINE, NEWLINE)


def _before(pieces: list[_Piece]) -> np.ndarray:
    """What had been counted before each piece."""
    totals = np.array([piece.total for piece in pieces])
    return np.cumsum(totals, axis=0) - totals


class _Piece:
    """What a part of the file says, which begins at `at`, inside a quote or not, between the bytes `around`.

    ends: offsets of the line breaks that end records; totals: delimiters, line breaks and NUL bytes up to each of them, from the
    start of the piece; total: the same up to its end.
    """

    def __init__(self, chunk: np.ndarray, at: int, inside: int, around: tuple[int, int], delimiter: str, quotes: bool):
        marks, kinds = self._marks(chunk, ord(delimiter), quotes)
        is_quote = kinds == QUOTE if quotes else np.zeros(len(kinds), dtype=bool)
        quoted = is_quote
        if inside or is_quote.any():  # within a quote when the number of quotes so far is odd; its last bit survives overflow
            quoted = ((np.cumsum(is_quote, dtype=np.uint8) + np.uint8(inside)) & 1).view(bool)
        self.inside = int(quoted[-1]) if len(quoted) else inside
        ends = np.flatnonzero((kinds == NEWLINE) & ~quoted)
        self.ends = marks[ends] + at
        counted = [np.flatnonzero(which) for which in ((kinds == ord(delimiter)) & ~quoted, kinds == NEWLINE, kinds == 0)]
        self.totals = np.stack([np.searchsorted(each, ends, side="right") for each in counted], axis=1)
        self.total = np.array([len(each) for each in counted])
        returns = kinds == RETURN
        self.returns = bool(returns.any())
        self.regular = (not self.returns or self._end_lines(marks, kinds, returns, around[1], len(chunk))) and (
            not is_quote.any() or self._at_edges(marks, kinds, is_quote, quoted, around, len(chunk), ord(delimiter))
        )

    @staticmethod
    def _marks(chunk: np.ndarray, delimiter: int, quotes: bool) -> tuple[np.ndarray, np.ndarray]:
        """Offsets of the bytes that can matter, and the bytes: below 14 are tabs, NUL and all that breaks a line."""
        matters = chunk <= RETURN
        matters |= chunk == delimiter
        if quotes:
            matters |= chunk == QUOTE
        marks = np.flatnonzero(matters)
        return marks, chunk[marks]

    @staticmethod
    def _end_lines(marks: np.ndarray, kinds: np.ndarray, returns: np.ndarray, after: int, size: int) -> bool:
        """Whether a line break, or the end of the file, follows each return."""
        following = np.append(kinds[1:], after)
        adjacent = np.diff(np.append(marks, size)) == 1
        return bool((adjacent & (following == NEWLINE))[returns].all())

    @staticmethod
    def _at_edges(marks, kinds, is_quote, quoted, around: tuple[int, int], size: int, delimiter: int) -> bool:
        """Whether quotes open after, and close before, a delimiter, a line break, a quote or the file's edge."""
        edges = (kinds == delimiter) | (kinds == NEWLINE) | (kinds == RETURN) | is_quote
        first, last = (byte in (delimiter, NEWLINE, RETURN, QUOTE) for byte in around)
        adjacent = marks[1:] - marks[:-1] == 1
        before = np.concatenate([[first and marks[0] == 0], adjacent & edges[:-1]])
        after = np.append(adjacent & edges[1:], last and marks[-1] == size - 1)
        return bool((~is_quote | np.where(quoted, before, after)).all())


def _records(size: int, ends: np.ndarray, totals: np.ndarray, total: np.ndarray, regular: bool, returns: bool) -> Scan:
    """The records that end there, and one more where the file does not end with a line break."""
    if size and (not len(ends) or ends[-1] != size - 1):
        ends, totals = np.append(ends, size), np.concatenate([totals, [total]])
    separators, newlines, nuls = np.concatenate([np.zeros((1, 3), dtype=np.int64), totals]).T
    return Scan(
        starts=np.concatenate([[0], np.minimum(ends + 1, size)]),
        lines=newlines[:-1] + 1,
        fields=np.diff(separators) + 1,
        nul=np.diff(nuls) > 0,
        regular=regular,
        returns=returns,
    )
