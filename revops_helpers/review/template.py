"""`revops template`: an empty spreadsheet for a table of the model, with its columns explained."""

from __future__ import annotations

import io
from pathlib import Path

from revops_helpers.model.page import TYPES
from revops_helpers.model.tables import TABLES, Column, Table
from revops_helpers.review.check import aligned
from revops_helpers.settings import InputError, nearest
from revops_helpers.words.language import _, use
from revops_helpers.words.markup import plain

FORMATS = {"text": "@", "date": "yyyy-mm-dd", "time": "yyyy-mm-dd hh:mm", "money": "#,##0.00"}  # @ keeps the zeros of a tax id


def write_template(table: str, file: Path, language: str | None = None) -> str:
    """Write a file with the columns of the table and no rows; Excel where it is called so, else CSV. Returns them explained, in
    the language: names of columns and their words are the model's in every language.

    InputError when the model has no such table, and when the file is there already or is of another kind.
    """
    if table not in TABLES:
        raise InputError(f"the model has no table '{table}'; {nearest(table, TABLES)}")
    if file.suffix.lower() not in (".csv", ".xlsx"):
        raise InputError(f"{file}: a template is a .csv or an .xlsx; name it so")
    spec = TABLES[table]
    use(language)
    content = _workbook(spec) if file.suffix.lower() == ".xlsx" else ",".join(c.name for c in spec.columns).encode() + b"\n"
    try:
        with file.open("xb") as stream:
            stream.write(content)
    except FileExistsError:
        raise InputError(f"{file}: is there already and was left as it is; name another file with --out") from None
    said = _("{file}: {grain}. Key: {key}.", file=str(file), grain=_(spec.grain), key=", ".join(spec.key))
    return "\n".join([plain(said), *aligned([_head(), *_explained(spec)])])


def _head() -> list[str]:
    return [_("column"), _("type"), _("required"), _("what it holds")]


def _explained(spec: Table) -> list[list[str]]:
    """One line per column: name, type, whether it is required, what it holds."""
    return [[c.name, _(TYPES[c.type]), _("required") if c.required else "", _meaning(c)] for c in spec.columns]


def _meaning(column: Column) -> str:
    """What docs/data_model.md says of a column, in the language in use."""
    said = [_(column.meaning)]
    if column.allowed:
        said.append(_("one of {words}", words=", ".join(column.allowed)))
    if column.unit and column.type in ("integer", "number"):
        said.append(_("in {unit}", unit=_(column.unit)))
    if column.at_least is not None:
        said.append(_("at least {least}", least=f"{column.at_least:g}"))
    if column.refers:
        said.append(_("names {column}", column=column.refers))
    return "; ".join(map(plain, said))


def _workbook(spec: Table) -> bytes:
    """The table on the first sheet, which alone is read; its columns explained on the second."""
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet, columns = book.active, book.create_sheet(_("columns"))
    sheet.title, sheet.freeze_panes, columns.freeze_panes = spec.name, "A2", "A2"
    sheet.append([c.name for c in spec.columns])
    for row in (_head(), *_explained(spec)):
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
