"""What each source fills of the model: columns with values and without, references that find their row. Of all accepted rows."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import pandas as pd

from revops_helpers.model.company import Company
from revops_helpers.model.tables import TABLES

FIELDS = ("table", "source", "column", "rows", "filled")
REFERENCES = ("table", "source", "column", "to", "filled", "found")


@dataclass(frozen=True)
class Filled:
    """What is filled, whatever the as-of date.

    fields: one row per table, source and column that some source gives: rows of the source, and how many of them hold a value.
    references: one row per table, source and referring column: the table that it points at, how many references there are, and
        how many of them name a row of that table.
    """

    fields: pd.DataFrame
    references: pd.DataFrame

    def empty(self, table: str, source: str | None = None) -> list[str]:
        """The columns given for a table in which no row (of the source) has a value; without rows there are none."""
        of = self.fields[self.fields["table"] == table]
        sums = (of if source is None else of[of["source"] == source]).groupby("column", sort=False)[["rows", "filled"]].sum()
        return list(sums.index[(sums["rows"] > 0) & (sums["filled"] == 0)])


def filled(company: Company) -> Filled:
    """What the sources of the company fill: one query a table. Empty frames where rows come from no source."""
    fields: list[tuple] = []
    references: list[tuple] = []
    for table, rows in company.origin.items():
        columns = [c for c in TABLES[table].columns if c.name in rows.columns]
        ends = {c.name: end for c in columns if (end := _end(company, c.refers)) is not None}
        sums = {f"filled {c.name}": rows[c.name].count() for c in columns}
        sums |= {f"found {name}": rows[name].isin(end).sum() for name, end in ends.items()}
        counted = rows.group_by("_source").agg(_rows=rows.count(), **sums).order_by("_source").to_pandas()
        for one in counted.to_dict("records"):
            source = one["_source"]
            fields += [(table, source, c.name, one["_rows"], one[f"filled {c.name}"]) for c in columns]
            for name in ends:
                to, found = TABLES[table][name].refers.partition(".")[0], one[f"found {name}"]
                references.append((table, source, name, to, one[f"filled {name}"], 0 if pd.isna(found) else int(found)))
    return Filled(pd.DataFrame(fields, columns=list(FIELDS)), pd.DataFrame(references, columns=list(REFERENCES)))


def cased(company: Company, found: Filled) -> pd.DataFrame:
    """table, source, column, to, references: those that find no row and would if capitals did not count."""
    missing = found.references[found.references["found"] < found.references["filled"]]
    lines: list[tuple] = []
    for (table, column, to), _ in missing.groupby(["table", "column", "to"], sort=False):
        rows, end = company.origin[table], _end(company, TABLES[table][column].refers)
        near = ~rows[column].isin(end) & rows[column].lower().isin(end.lower())
        counted = rows.filter(near).group_by("_source").agg(n=ibis._.count()).order_by("_source").to_pandas()
        lines += [(table, one.source, column, to, one.n) for one in counted.rename(columns={"_source": "source"}).itertuples()]
    return pd.DataFrame(lines, columns=["table", "source", "column", "to", "references"])


def _end(company: Company, refers: str) -> ibis.Column | None:
    """The keys that a reference may name; None where it is no reference or the table is not here."""
    table, _, key = refers.partition(".")
    return company.origin[table][key] if table in company.origin and key in company.origin[table].columns else None
