"""What is one company or person in several systems: by which rule, what was in doubt, and where the systems disagree."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import pandas as pd

from revops_helpers.model.company import Company
from revops_helpers.model.keys import plain_domain, plain_tax
from revops_helpers.model.same import KEYS, Same, led
from revops_helpers.model.tables import TABLES

EXAMPLES = 3


@dataclass(frozen=True)
class Identities:
    """joins: table, rule, records that came to a record of another system by it, records that it left apart, in doubt.

    disputes: table, rule, ids of records left apart.
    conflicts: table, column, groups that hold two values, and a few of them as `id: system value, system value` (of personal
        columns the ids alone).
    """

    joins: pd.DataFrame
    disputes: pd.DataFrame
    conflicts: pd.DataFrame


def identities(company: Company) -> Identities:
    """All that is joined over systems as of the date; empty frames where nothing is."""
    joins, disputes, conflicts = [], [], []
    for table in KEYS:
        same = company.same(table)
        if same is None:
            continue
        came, apart = same.members[same.members["rule"] != ""], same.disputes
        for rule in ("same_as", *KEYS[table]):
            left = apart.loc[apart["rule"] == rule, "ids"]
            counted = int((came["rule"] == rule).sum()), int(left.map(len).sum())
            joins += [(table, rule, *counted)] if any(counted) else []
            disputes += [(table, rule, ids) for ids in left]
        conflicts += _conflicts(company, table, same) if len(same.members) else []
    return Identities(
        pd.DataFrame(joins, columns=["table", "rule", "records", "apart"]),
        pd.DataFrame(disputes, columns=["table", "rule", "ids"]),
        pd.DataFrame(conflicts, columns=["table", "column", "groups", "such"]),
    )


def _conflicts(company: Company, table: str, same: Same) -> list[tuple]:
    spec = TABLES[table]
    to = ibis.memtable(pd.DataFrame({"_id": same.members["id"], "_one": same.members["one"]}))
    rows = company.origin[table]
    rows = rows.inner_join(to, rows[spec.key[0]] == to._id)
    for column in (c for c in spec.columns if c.name in rows.columns):
        other = company.same(end) if (end := column.refers.partition(".")[0]) in KEYS else None
        rows = rows if other is None else led(rows, column.name, other)
    names = [c for c in rows.columns if c in spec.names and c not in (*spec.key, *spec.stamp, "same_as")]
    plain = {name: _plain(rows[name], name) for name in names}
    groups = rows.group_by("_one").agg(**{name: plain[name].nunique() for name in names})
    counts = groups.agg(**{name: (groups[name] > 1).sum() for name in names}).to_pandas().iloc[0]
    found = [(name, int(counts[name])) for name in names if counts[name] > 0]
    return [(table, name, n, _such(rows, groups, name, spec[name].personal)) for name, n in found]


def _plain(column: ibis.Value, name: str) -> ibis.Value:
    """The value without what is only written otherwise."""
    if name in ("tax_id", "domain"):
        return plain_tax(column) if name == "tax_id" else plain_domain(column)
    return column.lower().strip().nullif("") if column.type().is_string() else column


def _such(rows: ibis.Table, groups: ibis.Table, name: str, personal: bool) -> list[str]:
    """The first few groups that hold two values, each as the systems have it."""
    few = groups.filter(groups[name] > 1).order_by("_one").limit(EXAMPLES).select("_one")
    held = rows.semi_join(few, "_one")
    held = held.filter(held[name].notnull()).select("_one", "_source", value=held[name].cast("string"))
    said = held.order_by("_one", "_source", "value").to_pandas()
    said["value"] = said["_source"] if personal else said["_source"] + " " + said["value"]
    return [f"{one}: {', '.join(values)}" for one, values in said["value"].groupby(said["_one"])]
