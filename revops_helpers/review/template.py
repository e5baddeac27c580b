"""`revops template`: an empty spreadsheet for a table of the model, with its columns explained."""

from __future__ import annotations

import io
from pathlib import Path

from revops_helpers.model.page import TYPES, meaning_of
from revops_helpers.model.tables import TABLES, Table
from revops_helpers.review.check import aligned
from revops_helpers.settings import InputError, nearest

HEAD = ("column", "type", "required", "what it holds")
FORMATS = {"text": "@", "date": "yyyy-mm-dd", "time": "yyyy-mm-dd hh:mm", "money": "#,##0.00"}  # @ keeps the zeros of a tax id


def write_template(table: str, file: Path) -> str:
    """Write a file with the columns of the table and no rows; Excel where it is called so, else CSV. Returns them explained.

    InputError when the model has no such table, and when the file is there already or is of another kind.
    """
    if table not in TABLES:
        raise InputError(f"the model has no table '{table}'; {nearest(table, TABLES)}")
    if file.suffix.lower() not in (".csv", ".xlsx"):
        raise InputError(f"{file}: a template is a .csv or an .xlsx; name it so")
    spec = TABLES[table]
    content = _workbook(spec) if file.suffix.lower() == ".xlsx" else ",".join(c.name for c in spec.columns).encode() + b"\n"
    try:
        with file.open("xb") as stream:
            stream.write(content)
    except FileExistsError:
        raise InputError(f"{file}: is there already and was left as it is; name another file with --out") from None
    return "\n".join([f"{file}: {spec.grain}. Key: {', '.join(spec.key)}.", *aligned([list(HEAD), *_explained(spec)])])


def _explained(spec: Table) -> list[list[str]]:
    """One line per column, in the words of docs/data_model.md."""

    def meaning(column) -> str:
        return meaning_of(column).replace("`", "") + (f"; names {column.refers}" if column.refers else "")

    return [[c.name, TYPES[c.type], "required" if c.required else "", meaning(c)] for c in spec.columns]


def _workbook(spec: Table) -> bytes:
    """The table on the first sheet, which alone is read; its columns explained on the second."""
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet, columns = book.active, book.create_sheet("columns")
    sheet.title, sheet.freeze_panes, columns.freeze_panes = spec.name, "A2", "A2"
    sheet.append([c.name for c in spec.columns])
    for row in (HEAD, *_explained(spec)):
        columns.append(list(row))
    for place, column in enumerate(spec.columns, 1):
        shape = sheet.column_dimensions[get_column_letter(place)]
        shape.width, shape.number_format = max(12, len(column.name) + 2), FORMATS.get(column.type, "General")
    for letter, width in zip("ABCD", (22, 14, 10, 80), strict=True):
        columns.column_dimensions[letter].width = width
    for head in (*sheet[1], *columns[1]):
        head.font = Font(bold=True)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
