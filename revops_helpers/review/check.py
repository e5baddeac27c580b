"""`revops check`: what was read, accepted, refused and why, as text for a terminal. Nothing is run or published."""

from __future__ import annotations

from datetime import date

import pandas as pd

from revops_helpers.ingest import cache_folder
from revops_helpers.model.company import Company
from revops_helpers.review.exports import quarantine_summary
from revops_helpers.words.below import translated
from revops_helpers.words.language import Quantity, _, count, data, exact_money
from revops_helpers.words.mapping import STATUS
from revops_helpers.words.markup import clean
from revops_helpers.workspace import open_company

ALL_DAYS = date(2199, 12, 31)


def checked_data(data: str) -> tuple[str, list[str]]:
    """The report on all of a company's data, and what is wrong beyond single rows: a table of which no row was accepted.

    InputError when the data cannot be read at all.
    """
    company = open_company(data, as_of=ALL_DAYS)
    ends = company.data_ends_on.isoformat() if company.data_ends_on else _("no day")
    blocks = [
        (_("Data of {name}, to {day}", name=company.settings.name, day=ends), []),
        (_("Rows: read = accepted + quarantined + excluded"), _ledger(company.ledger)),
        (_("Sources"), _mapping(company)),
        (_("Refused, by rule"), refused_rows(company.quarantine)),
        (_("Notes"), [[note] for note in company.notes if not note.startswith("data ends on")]),
    ]
    text = "\n\n".join("\n".join([title, *aligned(rows)]) for title, rows in blocks if rows or title == blocks[0][0])
    return text, refused_whole(company.ledger)


def _ledger(ledger: pd.DataFrame) -> list[list[str]]:
    head = [_("table"), _("source"), _("unit"), _("read"), _("accepted"), _("quarantined"), _("excluded")]
    rows = []
    for line in ledger.itertuples():
        amounts = (line.read, line.accepted, line.quarantined, line.excluded)
        shown = [count(a) if line.unit == "rows" else exact_money(a, line.unit) for a in amounts]
        rows.append([line.table, line.source, _("rows") if line.unit == "rows" else line.unit, *shown])
    return [head, *rows]


def _mapping(company: Company) -> list[list[str]]:
    """How each table was come by, and what its SELECT would also have used."""
    report = pd.read_parquet(cache_folder() / company.fingerprint / "_mapping.parquet")
    head = [_("table"), _("source"), _("status"), _("missing")]
    return [head, *([line.table, line.source, _(STATUS[line.status]), line.missing] for line in report.itertuples())]


def refused_rows(quarantine: pd.DataFrame) -> list[list[str]]:
    """How many rows each rule refused, by table, source and column, most first, where the first stands, and what to do."""
    if quarantine.empty:
        return []
    head = [_("rows"), _("table"), _("source"), _("column"), _("rule"), _("first of them"), _("what to do")]
    summary = quarantine_summary(quarantine).sort_values("rows", ascending=False, kind="stable")
    said = ((one, translated(one.rule), _place(one), translated(one.advice)) for one in summary.itertuples())
    return [head, *([count(one.rows), one.table, one.source, one.column, *words] for one, *words in said)]


def _place(one) -> str:
    return one.file if pd.isna(one.line) else _("{file}, line {line}", file=data(one.file), line=int(one.line))


def refused_whole(ledger: pd.DataFrame) -> list[str]:
    """A sentence for every table of which rows were read and none was accepted."""
    rows = ledger[ledger["unit"] == "rows"].groupby("table")[["read", "quarantined"]].sum()
    lost = rows[(rows["read"] > 0) & (rows["read"] == rows["quarantined"])]
    words = _("{table}: all {n} rows were refused; see the rules above")
    return [words.format(table=table, n=count(line.read)) for table, line in zip(lost.index, lost.itertuples(), strict=True)]


def aligned(rows: list[list[str]]) -> list[str]:
    """Columns under each other, indented by two, quantities to the right."""
    cells = [[clean(cell or "").replace("\n", " ") for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))] if cells else []
    right = [i for i in range(len(widths)) if isinstance(rows[-1][i], Quantity)]
    return ["  " + "  ".join(_set(cell, widths[i], i in right) for i, cell in enumerate(row)).rstrip() for row in cells]


def _set(cell: str, width: int, right: bool) -> str:
    return cell.rjust(width) if right else cell.ljust(width)
