"""Names that may be one name: the same but for case, spaces and marks, within a column and across tables; and likely typos."""

from __future__ import annotations

import ibis
import pandas as pd

from revops_helpers.foundation.duplicates import jaro_winkler
from revops_helpers.model.company import Company
from revops_helpers.model.tables import TABLES

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
    pairs += [row for reference in _broken(company, _references(company)) for row in _pointing(company, *reference)]
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
    """Every text column that points at another table's key, and the key."""
    named = [(f"{name}.{column.name}", column.refers) for name in company.accepted for column in TABLES[name].columns]
    there = [(need, key) for need, key in named if key and not company.missing([need, key])]
    return [pair for pair in there if all(_column(company, need).type().is_string() for need in pair)]


def _column(company: Company, need: str) -> ibis.Value:
    table, _, column = need.partition(".")
    return company.table(table)[column]


def _broken(company: Company, references: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The references of which any points nowhere, found in one query."""
    counts = [_lost(company, *pair).agg(n=lambda t: t.count()).mutate(place=i) for i, pair in enumerate(references)]
    found = ibis.union(*counts).to_pandas() if counts else pd.DataFrame({"n": [], "place": []})
    return [references[place] for place in sorted(found[found.n > 0].place)]


def _lost(company: Company, need: str, key: str) -> ibis.Table:
    """name: what the references that point nowhere hold, a row each."""
    names = _column(company, need).name("name").as_table()
    keys = _column(company, key).name("_key").as_table()
    return names.filter(names.name.notnull()).anti_join(keys, names.name == keys._key)


def _pointing(company: Company, need: str, key: str) -> list[tuple]:
    """References that point nowhere and would point at a record but for case, spaces or marks."""
    table, _, column = need.partition(".")
    lost = _lost(company, need, key).group_by("name").agg(n=lambda t: t.count())
    keys = _column(company, key).name("key").as_table().distinct()
    keys = keys.mutate(plain=_plain(keys.key))
    met = lost.mutate(plain=_plain(lost.name)).join(keys, "plain").order_by(["n", "name"]).limit(NAMES).to_pandas()
    return [("alike", table, column, x.name, x.key, x.n, 1, key) for x in met.itertuples(index=False)]
