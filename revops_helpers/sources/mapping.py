"""SELECTs that turn a system's raw tables into canonical tables, and the conventions they are written by.

**Where.** `revops_helpers/sources/<system>/<table>.sql` ships with the product: one SELECT (DuckDB's dialect, CTEs and UNION
welcome) per canonical table. An entry of `sources:` in company.yml names a `path` (a folder, or one file, relative to the data
folder); its `system` (default: the entry's own name) finds the shipped SELECTs; files in its `selects` folder, named
`<table>.sql` too, replace or add to them, and one that holds nothing but comments switches the shipped one off. An entry with no
SELECT at all holds canonical tables by name (`opportunities.csv`), as does the data folder itself.

**Raw tables.** Every file of the entry is a raw table, named as the file without its endings in snake_case:
`Opportunity.csv.gz` → `opportunity`, `OpportunityFieldHistory.csv` → `opportunity_field_history`, `Metas 2026.xlsx` (first
sheet) → `metas_2026`. Another entry's tables are reached as `entry.table` (`salesforce.account`). Only tables that some SELECT
names are read.

**Raw columns** are all text (VARCHAR), empty cells are NULL, and names meet in snake_case without accents: `CreatedDate` and
`Created Date` → `created_date`, `AccountId` → `account_id`, `MQLDate__c` → `mql_date_c`, `property_hs_all-funky` →
`property_hs_all_funky`, `Situação` → `situacao`, `ARR (R$)` → `arr_r`, no name → `column_3`, a leading digit → `c2026`. JSON lines
give nested objects as JSON text (`fields ->> '$.status.name'`).

**What a SELECT gives.** Columns named as in the model (model/tables.py), any subset, in any order; a name the model lacks is refused.
Hand the raw text through wherever you can: the contract reads numbers, dates, times, flags and enumerations per column, by the
entry's declared `decimal`, `dates`, `time_zone`, or decides them over the whole column. Only where a SELECT has to calculate,
compare or sort by value, use the macros made from the entry's declared formats (undeclared: point decimals, ISO or unmistakable dates):

    as_number(text) → DOUBLE       as_day(text) → DATE       as_moment(text) → TIMESTAMP, already UTC

Results that are not text (numbers, DATE, TIMESTAMP meaning UTC, BOOLEAN) are taken as they are. Money is in major units.
Enumerations must come out in the model's words (`case stage when 'Closed Won' then 'won' …`); case, blanks and hyphens do not matter.
A time given as a day alone is that day's start where the source is. A won or lost deal without `closed_at` takes its `close_date`.

**What is missing.** A raw column that a SELECT names and the file lacks is read as NULL and reported. A raw table that is missing
makes the SELECT unavailable (reported, never an error), unless it is only LEFT JOINed: then it counts as empty, and is reported.

**Where a row came from.** Every raw table carries `_file` and `_line`. The position of the first table in FROM is handed through by
itself when the outer SELECT is plain (each branch of a UNION too). With GROUP BY, DISTINCT or a CTE in front, give it if you can:
`any_value(t._file) as _file, min(t._line) as _line`; else a refused row names the file's source only.

Several entries may fill one canonical table; their rows follow each other in the order of company.yml, and of two rows with one key
the first stays. Rows that a WHERE or a join leaves out are reported beside the rows of the first table in FROM.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches

import pandas as pd

from revops_helpers.model.contract import Part
from revops_helpers.model.tables import TABLES
from revops_helpers.settings import Settings
from revops_helpers.sources.entries import Entry
from revops_helpers.sources.reading import Desk, Raw, read

REPORT = ("table", "source", "status", "missing", "rows_in", "rows_out")


@dataclass
class Mapped:
    """What the sources give: parts by canonical table, the report (`REPORT`), notes for the reader, records of each input file.

    status: `read` (a canonical file), `mapped`, `partial` (`missing` names raw tables and columns read as empty), `unavailable`.
    """

    parts: dict[str, list[Part]] = field(default_factory=dict)
    report_rows: list[tuple] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)

    @property
    def report(self) -> pd.DataFrame:
        return pd.DataFrame(self.report_rows, columns=list(REPORT))

    def add(self, part: Part, status: str, missing: str, rows_in: int) -> None:
        self.parts.setdefault(part.table, []).append(part)
        self.report_rows.append((part.table, part.source, status, missing, rows_in, part.rows))

    def took(self, raw: Raw) -> None:
        self.rows[raw.file] = raw.rows
        self.notes.extend(raw.notes)


def mapped(desk: Desk, entries: list[Entry], settings: Settings) -> Mapped:
    """Read what the entries hold and hand it on as parts for the contract. InputError when a file or a SELECT is wrong."""
    found = Mapped()
    for entry in entries:
        found.notes.extend(entry.notes)
        if not entry.selects:
            for part, raw in _canonical(desk, entry, found):
                found.add(part, "read", "", raw.rows)
    return found


def _canonical(desk: Desk, entry: Entry, found: Mapped) -> Iterator[tuple[Part, Raw]]:
    """The files of an entry that are canonical tables already."""
    for table, file in entry.files.items():
        raw = read(desk, file, entry.name, table, entry.encoding)
        found.took(raw)
        columns = tuple(c for c in raw.columns if c in TABLES[table].names)
        for stray in (c for c in raw.columns if c not in TABLES[table].names):
            close = get_close_matches(stray, TABLES[table].names, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            found.notes.append(f"{raw.file}: column {stray} is not in the model and is ignored{hint}")
        relation = f"(SELECT *, _line AS _row FROM {raw.relation})"
        yield Part(table, entry.name, relation, raw.file, columns, entry.form, raw.rows, raw.refused), raw
