"""Names of files and columns, so that API dumps, loader exports and warehouse landings meet."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from revops_helpers.settings import InputError

ENDINGS = (".csv.gz", ".tsv.gz", ".jsonl.gz", ".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".xlsx")
# What tables also come in and is not read: older and larger spreadsheets, packed files, other texts.
OTHERS = (".xls", ".xlsm", ".xlsb", ".ods", ".json", ".json.gz", ".txt", ".zip", ".bz2", ".xz", ".zst", ".avro", ".orc")


def snake(text: str) -> str:
    """snake_case without accents: 'CreatedDate', 'Created Date' → created_date; 'Situação' → situacao; nothing left → ''."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    plain = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", plain)
    plain = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", plain)
    name = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")
    return f"c{name}" if name[:1].isdigit() else name


def columns_of(headers: Sequence[str], where: str) -> tuple[str, ...]:
    """The column names of the headers. InputError when two headers meet in one name.

    A name that differs from another by a leading underscore alone, as landings add them, gets `_2` behind it.
    """
    names: dict[str, str] = {}
    plain = {snake(header) for header in headers if not header.startswith("_")}
    for position, header in enumerate(headers, 1):
        name = snake(header) or f"column_{position}"
        if header.startswith("_") and name in plain:
            name = f"{name}_2"
        if name in names:
            raise InputError(f"{where}, line 1: columns '{names[name]}' and '{header}' have the same name; rename or remove one")
        names[name] = header
    return tuple(names)


def table_of(file: Path) -> str:
    """The raw table that a file holds: its name without the endings, in snake_case; '' when it is not a table file."""
    lowered = file.name.lower()
    for ending in ENDINGS:
        if lowered.endswith(ending) and not lowered.startswith((".", "~$")):
            return snake(file.name[: -len(ending)])
    return ""


def files_of(folder: Path) -> dict[str, Path]:
    """Raw table → its file, of a folder (not of its folders) or of one file. InputError when two files hold one table."""
    found: dict[str, Path] = {}
    for file in sorted(folder.iterdir()) if folder.is_dir() else [folder]:
        table = table_of(file) if file.is_file() else ""
        if not table:
            continue
        if table in found:
            raise InputError(f"{found[table]} and {file.name}: two files hold table '{table}'; keep one")
        found[table] = file
    return found


def others_of(folder: Path) -> dict[Path, str]:
    """Files of a folder (or one file) of a kind that may hold a table and is not read → the raw table that they are named as."""
    files = sorted(folder.iterdir()) if folder.is_dir() else [folder]
    others = [f for f in files if f.is_file() and f.name.lower().endswith(OTHERS) and not f.name.startswith((".", "~$"))]
    return {file: snake(file.name.partition(".")[0]) for file in others}


def label(data: Path, file: Path) -> str:
    """What a file is called: its place below the data folder, else its whole path."""
    return str(file.relative_to(data)) if file.is_relative_to(data) else str(file)
