"""Names that may be one name: the same but for case, spaces and marks, within a column and across tables; and likely typos."""

from __future__ import annotations

import ibis
import pandas as pd

from revops_helpers.foundation.duplicates import jaro_winkler
from revops_helpers.model.company import Company
from revops_helpers.model.tables import TABLES

# Columns of a few names, in which one name written in two ways splits every result by it.
SPELT = (
    "accounts.industry", "accounts.region", "accounts.segment", "campaigns.channel", "leads.source", "opportunities.lost_reason",
    "opportunities.product", "opportunities.stage", "subscriptions.product",
)  # fmt: skip

# Columns of a few names, in which one name written in two ways splits every result by it.
SPELT = (
    "accounts.country", "accounts.industry", "accounts.region", "accounts.segment", "campaigns.channel", "leads.source",
    "opportunities.lost_reason", "opportunities.product", "opportunities.stage", "subscriptions.product", "users.region",
)  # fmt: skip
TYPO = 0.95  # Jaro-Winkler similarity from which a rare name is proposed as a typo of a frequent one
RARE = 0.05  # a name is rare beside one that is at least 20 times as frequent
NAMES = 200  # columns with more names than this are no lists of names
COLUMNS = ["kind", "table", "column", "left", "right", "rare", "often", "there"]


def alike(company: Company) -> pd.DataFrame:
    """One row per pair: kind (alike or typo), table and column of the rarer name, left (it), right (the other), rare and often
    (how many records hold each), there (table.column of the other name). Proposals: nothing is joined."""
    held = {need: _names(company, need) for need in SPELT if not company.missing([need])}
    pairs = [row for need, names in held.items() for row in _within(need, names)]
    by_name: dict[str, list[str]] = {}
    for need in held:
        by_name.setdefault(need.partition(".")[2], []).append(need)
    for group in by_name.values():
        pairs += [
            row for i, one in enumerate(group) for other in group[i + 1 :] for row in _across(one, held[one], other, held[other])
        ]
    pairs += [row for need, key in _references(company) for row in _pointing(company, need, key)]
    return pd.DataFrame(pairs, columns=COLUMNS)


def _names(company: Company, need: str) -> pd.DataFrame:
    """name, plain, n of a column; empty when it holds too many names to be a list."""
    table, _, column = need.partition(".")
    rows = company.table(table)
    counts = rows.filter(rows[column].notnull()).group_by(name=rows[column]).agg(n=lambda t: t.count())
    found = counts.mutate(plain=_plain(counts.name)).limit(NAMES + 1).to_pandas()
    return found[found.plain != ""].sort_values(["n", "name"], ignore_index=True) if len(found) <= NAMES else found.iloc[:0]


def _plain(name: ibis.StringValue) -> ibis.StringValue:
    return name.lower().re_replace(r"[^\p{L}\p{N}]", "")


def _within(need: str, names: pd.DataFrame) -> list[tuple]:
    """Pairs inside one column, the rarer name first."""
    table, _, column = need.partition(".")
    both = names.merge(names, how="cross", suffixes=("", "_"))
    both = both[(both.n < both.n_) | ((both.n == both.n_) & (both.name < both.name_))]
    same = both[both.plain == both.plain_]
    found = [("alike", table, column, x.name, x.name_, x.n, x.n_, need) for x in same.itertuples(index=False)]
    rare = both[(both.n <= RARE * both.n_) & (both.plain != both.plain_) & (both.plain.str.len() > 4)]
    if rare.empty:
        return found
    lines = ibis.memtable(rare.reset_index(drop=True))
    close = lines.filter(jaro_winkler(lines.plain, lines.plain_) >= TYPO).to_pandas()
    return found + [("typo", table, column, x.name, x.name_, x.n, x.n_, need) for x in close.itertuples(index=False)]


def _across(one: str, left: pd.DataFrame, other: str, right: pd.DataFrame) -> list[tuple]:
    """Pairs of one name written in two ways in two tables' columns of the same meaning."""
    known = set(right.name)
    both = left[~left.name.isin(known)].merge(right, on="plain", suffixes=("", "_"))
    table, _, column = one.partition(".")
    return [("alike", table, column, x.name, x.name_, x.n, x.n_, other) for x in both.itertuples(index=False)]


def _references(company: Company) -> list[tuple[str, str]]:
    """Every text column that points at another table's key."""
    return [
        (f"{name}.{column.name}", column.refers)
        for name in company.accepted
        for column in TABLES[name].columns
        if column.refers and not company.missing([f"{name}.{column.name}", column.refers])
    ]


def _pointing(company: Company, need: str, key: str) -> list[tuple]:
    """References that point nowhere and would point at a record but for case, spaces or marks."""
    table, _, column = need.partition(".")
    there, _, name = key.partition(".")
    rows, keys = company.table(table), company.table(there)
    if not (rows[column].type().is_string() and keys[name].type().is_string()):
        return []
    keys = keys.select(_key=name).distinct()
    lost = rows.filter(rows[column].notnull()).anti_join(keys, [rows[column] == keys._key])
    lost = lost.group_by(name=column).agg(n=lambda t: t.count())
    keys = keys.mutate(plain=_plain(keys._key))
    met = lost.mutate(plain=_plain(lost.name)).join(keys, "plain").order_by(["n", "name"]).limit(NAMES).to_pandas()
    met = met.rename(columns={"_key": "key"})
    return [("alike", table, column, x.name, x.key, x.n, 1, key) for x in met.itertuples(index=False)]
