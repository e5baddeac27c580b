"""The page docs/data_model.md, made from model/tables.py and the rules of the contract."""

from __future__ import annotations

from revops_helpers.model import rules
from revops_helpers.model.tables import TABLES, Column, Table

OPENING = """# The revenue model

One data model that connects marketing, sales and customer success. This page is made from `revops_helpers/model/tables.py` by
`make docs`; change the model there. A company rarely has every table or column: what is missing is shown in the report as
"not available", with what it would unlock.

Put a file named as the table (`opportunities.csv`, `.csv.gz`, `.parquet`, `.jsonl`, `.xlsx`) beside `company.yml`, or map a
system's own export with SELECTs (`revops_helpers/sources/mapping.py` says how). Column names may be written in any case and with
blanks. Money is given in major units (1234.56) and held as integer cents; times are held in UTC; a time without a zone is in the
source's `time_zone`, else the company's; a day alone, given for a time, is its start where the company is.

Marks: **required**: a row without it is set aside · *personal*: left out of reports · *stamped*: a fact that happens later in the
row's life and is unknown before · → the table that a reference points at (*owned*: a row whose reference is absent is set aside).
"""

TYPES = {
    "text": "text",
    "integer": "whole number",
    "number": "number",
    "money": "money",
    "flag": "true or false",
    "date": "day",
    "time": "time",
}


def data_model_page() -> str:
    """The whole page in Markdown."""
    parts = [OPENING, _contents(), *(_table(spec) for spec in TABLES.values()), _rules()]
    return "\n".join(parts).rstrip() + "\n"


def _contents() -> str:
    rows = [f"| [{spec.name}](#{spec.name}) | {spec.grain.removeprefix('one row per ')} |" for spec in TABLES.values()]
    return "\n".join(["| table | one row per |", "|---|---|", *rows, ""])


def _table(spec: Table) -> str:
    lines = [f"## {spec.name}", "", f"{spec.grain[0].upper()}{spec.grain[1:]}. Key: {', '.join(f'`{c}`' for c in spec.key)}."]
    lines += [f"{sentence}" for sentence in _sentences(spec)]
    lines += ["", "| column | type | meaning | |", "|---|---|---|---|"]
    lines += [f"| `{c.name}` | {_type(c)} | {meaning_of(c)} | {_marks(c)} |" for c in spec.columns]
    return "\n".join([*lines, ""])


def _sentences(spec: Table) -> list[str]:
    found = []
    if spec.covers:
        found.append(f"A row is known when the {spec.covers} that it covers is over.")
    elif spec.stamp:
        found.append(f"A row exists from {' or, where that is empty, '.join(f'`{c}`' for c in spec.stamp)} on.")
    if spec.history:
        found.append(f"Its state on an earlier date comes from [{spec.history}](#{spec.history}).")
    if spec.money:
        found.append(f"The ledger sums `{spec.money}`.")
    found += [f"`{later}` must not come before `{earlier}`." for later, earlier in spec.not_before]
    return found


def _type(column: Column) -> str:
    return TYPES[column.type]


def meaning_of(column: Column) -> str:
    """What a column holds: its words, unit and least value, in Markdown."""
    words = [column.meaning]
    if column.allowed:
        words.append(f"one of {', '.join(f'`{word}`' for word in column.allowed)}")
    if column.unit and column.type in ("integer", "number"):
        words.append(f"in {column.unit}")
    if column.at_least is not None:
        words.append(f"at least {column.at_least:g}")
    return "; ".join(words)


def _marks(column: Column) -> str:
    marks = [word for word, on in (("**required**", column.required), ("*personal*", column.personal)) if on]
    if column.stamped:
        marks.append("*stamped*")
    if column.known_with:
        marks.append(f"known with `{column.known_with}`")
    if column.refers:
        table = column.refers.partition(".")[0]
        marks.append(f"→ [{table}](#{table})" + (" *owned*" if column.owned else ""))
    return " · ".join(marks)


def _rules() -> str:
    opening = [
        "## The rules a row is held to",
        "",
        "A row that breaks one is set aside with its file, line, column, raw text and what to do; the ledger counts it:",
        "read = accepted + quarantined + excluded by the as-of date, in rows and in money of each currency.",
        "",
    ]
    return "\n".join([*opening, *(f"- {rule}" for rule in rules.RULES)])
