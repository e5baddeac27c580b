"""Company folders for tests: files written, opened, and what came of them."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

COMPANY = "name: Test S.A.\ncurrency: BRL\n"


def company_folder(folder: Path, files: Mapping[str, str | bytes], company: str = COMPANY) -> Path:
    """A data folder with company.yml and the files, whose folders are made."""
    for name, content in {"company.yml": company, **files}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def ledger_of(company, table: str, unit: str = "rows") -> tuple[int, int, int, int]:
    """(read, accepted, quarantined, excluded) of one table and unit, over its sources."""
    rows = company.ledger[(company.ledger["table"] == table) & (company.ledger["unit"] == unit)]
    return tuple(int(rows[c].sum()) for c in ("read", "accepted", "quarantined", "excluded"))


def rules_of(company) -> list[tuple]:
    """(file, line, column, rule) of every quarantined row."""
    rows = company.quarantine[["file", "line", "column", "rule"]]
    return [(r.file, int(r.line), r.column, r.rule) for r in rows.itertuples()]


def belied(workbook: Path) -> bytes:
    """An Excel workbook whose sheets claim to end at A1, as some programs write them."""
    packed = io.BytesIO()
    with zipfile.ZipFile(workbook) as whole, zipfile.ZipFile(packed, "w") as told:
        for name in whole.namelist():
            told.writestr(name, re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1"', whole.read(name)))
    return packed.getvalue()
