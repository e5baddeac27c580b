"""Any text file as plain UTF-8: unpacked, its encoding declared or detected, junk refused with the line it stands on."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from revops_helpers.settings import InputError
from revops_helpers.sources.store import Place

PIECE = 1 << 24
GZIP = zlib.MAX_WBITS | 16
PACKED = 1 << 17  # bytes of a gzip file at a time; they unpack to some ten times as many
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
OTHER_KINDS = ((b"PK\x03\x04", "an Excel or zip file"), (b"\x1f\x8b", "gzip-compressed"), (b"PAR1", "a Parquet file"))


def as_utf8(place: Place) -> tuple[Path, str]:
    """A plain UTF-8 file without byte order mark (the file itself when it is one), and the encoding that was read."""
    label, encoding = place.label, place.encoding
    plain = _unpacked(place) if place.file.name.lower().endswith(".gz") else place.file
    if plain.stat().st_size == 0:
        raise InputError(f"{label}: the file is empty (0 bytes, not even column names); export it again or remove it")
    with plain.open("rb") as stream:
        head = stream.read(4096)
    for magic, kind in OTHER_KINDS:
        if head.startswith(magic):
            raise InputError(f"{label}: not text but {kind}; name it with the ending of what it is, or export it again")
    if encoding == "auto" and sum(byte < 9 or 13 < byte < 32 for byte in head) > len(head) / 10 and not head.startswith(WIDE):
        wide = head.count(0) > len(head) * 0.3
        kind = (
            "looks like UTF-16 without a byte order mark; declare `encoding: utf-16-le` for its source"
            if wide
            else ("binary, not text; name it with the ending of what it is, or export it again")
        )
        raise InputError(f"{label}: {kind}")
    found = _checked_name(encoding, label) if encoding != "auto" else _detected(plain, head, label)
    if found in ("utf-8", "ascii"):
        if encoding != "auto":
            _check_utf8(plain, label)
        return plain, found
    return _rewritten(plain, label, found, place.scratch("utf8")), found


def _unpacked(place: Place) -> Path:
    target = place.scratch("plain")
    try:
        with place.file.open("rb") as source, target.open("wb") as sink:
            for piece in _members(source):
                sink.write(piece)
    except (EOFError, zlib.error) as error:
        raise InputError(f"{place.label}: not a complete gzip file ({error}); export it again") from None
    return target


def _members(source: BinaryIO) -> Iterator[bytes]:
    """What the gzip members of a file hold, checked by zlib itself; zeros after the last are padding."""
    unpack = zlib.decompressobj(GZIP)
    while packed := source.read(PACKED):
        while packed := (packed.lstrip(b"\0") if unpack.eof else packed):
            unpack = zlib.decompressobj(GZIP) if unpack.eof else unpack
            yield unpack.decompress(packed)
            packed = unpack.unused_data
    if source.tell() and not unpack.eof:
        raise EOFError("it ends in the middle")


def _checked_name(encoding: str, label: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise InputError(
            f"{label}: company.yml declares encoding '{encoding}', which is unknown; write one such as cp1252"
        ) from None


def _detected(file: Path, head: bytes, label: str) -> str:
    for mark, name in MARKS:
        if head.startswith(mark):
            return name
    try:
        _check_utf8(file, label)
    except InputError:
        data = file.read_bytes()
        text = data.decode("utf-8", errors="replace")
        broken = text.count("�")
        if sum(letter > "\x7f" for letter in text) > 2 * broken:
            raise
        return "cp1252"
    return "utf-8"


def _check_utf8(file: Path, label: str) -> None:
    """InputError naming the line of the first byte that is not UTF-8."""
    decoder, at = codecs.getincrementaldecoder("utf-8")(), 0
    with file.open("rb") as stream:
        while piece := stream.read(PIECE):
            try:
                decoder.decode(piece, final=len(piece) < PIECE)
            except UnicodeDecodeError as error:
                held = len(error.object) - len(piece)  # bytes of a letter that the piece before began
                raise InputError(
                    f"{label}, line {_line_at(file, at - held + error.start)}: a byte that is not UTF-8 "
                    f"(0x{error.object[error.start]:02x}); "
                    "save the file as UTF-8, or declare its `encoding` (such as cp1252) for its source in company.yml"
                ) from None
            at += len(piece)


def _line_at(file: Path, offset: int) -> int:
    """The line, from 1, on which a byte stands."""
    line = 1
    with file.open("rb") as stream:
        while offset > 0 and (piece := stream.read(min(PIECE, offset))):
            line, offset = line + piece.count(b"\n"), offset - len(piece)
    return line


def _rewritten(file: Path, label: str, encoding: str, target: Path) -> Path:
    line = 1
    try:
        with file.open("r", encoding=encoding, newline="") as source, target.open("w", encoding="utf-8", newline="") as sink:
            while piece := source.read(PIECE):
                line += piece.count("\n")
                sink.write(piece)
    except UnicodeError as error:
        raise InputError(
            f"{label}, after line {line}: cannot be read as {encoding} ({error.reason if hasattr(error, 'reason') else error}); "
            "declare its `encoding` for its source in company.yml, or save it as UTF-8"
        ) from None
    return target
