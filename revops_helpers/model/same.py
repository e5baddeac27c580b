"""One company and one person, however many systems know them. Rows stay as accepted; what is joined here is how they are seen.

Records are joined by declared rules in this order, never by a name:

1. `same_as`: one system itself names the record of the other.
2. The tax id, then its root; for persons the e-mail.
3. The web domain of companies, unless it is a mail provider's.

A rule after the first joins records of different systems only, and none where it would put two records of one system together
or two tax id roots: such groups are disputes, and are listed. So groups depend neither on the order of rows nor of sources, and
a group seen from an earlier day needs no record that came later.

Of the values of one group, company.yml's `survivors` says whose stands, by table or column; after that the newest record's that
is not empty. The oldest record's id stands for the group, and references to the others lead to it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import ibis
import pandas as pd

from revops_helpers.model.as_of import exists, latest
from revops_helpers.model.keys import SHARED_DOMAINS, plain_domain, plain_tax, tax_root
from revops_helpers.model.tables import TABLES
from revops_helpers.settings import Settings

KEYS = {"accounts": ("tax_id", "tax_root", "domain"), "leads": ("email",), "users": ("email",)}
MEMBERS = ("id", "source", "one", "rule", "stamp")


@dataclass(frozen=True)
class Same:
    """Which records of a table are one.

    members: one row per record of a group of several: id, source, one (the id that stands for the group), rule by which the
        record came to it ("" for the one itself), stamp.
    disputes: rule, ids: groups that a rule would have made and that were left apart.
    """

    members: pd.DataFrame
    disputes: pd.DataFrame


def same_records(name: str, origin: Mapping[str, ibis.Table], as_of: date, settings: Settings) -> Same | None:
    """The groups of a table among the records known on `as_of`; None where no two records meet."""
    rows, spec = origin[name], TABLES[name]
    rows = _meeting(name, rows.filter(exists(rows, spec, as_of, settings)))
    records = rows.to_pandas().sort_values("id", ignore_index=True)
    if records.empty:
        return None
    group, rule, disputes = joined(records, [key for key in KEYS[name] if key in records])
    records = records.assign(group=group, rule=rule)
    members = records[records.groupby("group")["id"].transform("size") > 1]
    wins = settings.survivors.get(name, ())
    order = members.assign(place=_places(members["source"], wins)).sort_values(["place", "stamp", "id"], na_position="last")
    one = order.groupby("group")["id"].first()
    members = members.assign(one=members["group"].map(one))
    members.loc[members["id"] == members["one"], "rule"] = ""
    return Same(members[list(MEMBERS)].reset_index(drop=True), disputes) if len(members) or len(disputes) else None


def _meeting(name: str, rows: ibis.Table) -> ibis.Table:
    """id, source, same_as, stamp and keys of the records that may meet one of another system, or that one names."""

    def column(of: str) -> ibis.StringValue:
        return rows[of] if of in rows.columns else ibis.null("string")

    keys = {
        "tax_id": lambda: plain_tax(column("tax_id")),
        "tax_root": lambda: tax_root(column("tax_id")),
        "domain": lambda: _own(plain_domain(column("domain"))),
        "email": lambda: column("email").lower().strip().nullif(""),
    }
    stamps = [rows[stamp].cast("timestamp") for stamp in TABLES[name].stamp if stamp in rows.columns]
    stamp = stamps[0] if stamps else ibis.null("timestamp")
    made = {key: keys[key]() for key in KEYS[name]}
    plain = rows.select(id=rows[TABLES[name].key[0]], source=rows._source, same_as=column("same_as"), stamp=stamp, **made)
    meets = plain.same_as.notnull() | plain.id.isin(plain.same_as)
    for key in made:
        sources = [plain.source.min().over(group_by=plain[key]), plain.source.max().over(group_by=plain[key])]
        meets |= plain[key].notnull() & (sources[0] != sources[1])
    return plain.filter(meets)


def _own(domain: ibis.StringValue) -> ibis.StringValue:
    return ibis.ifelse(domain.isin(SHARED_DOMAINS), ibis.null("string"), domain)


def joined(records: pd.DataFrame, keys: Sequence[str]) -> tuple[pd.Series, pd.Series, pd.DataFrame]:
    """The group of each record, the rule by which it came to it ("" where none did), and what was left apart (rule, ids).

    records: id, source, same_as and normalised keys (missing where there is none), an index of 0 … n − 1.
    """
    place = pd.Series(records.index, index=records["id"])
    named = records["same_as"].map(place)
    group = _components(len(records), named.dropna().index, named.dropna().astype(int))
    rule = pd.Series("", index=records.index).mask(group.duplicated(keep=False), "same_as")
    disputes: list[tuple[str, list[str]]] = []
    for key in keys:
        group, came, apart = _by(records, group, key)
        rule = rule.mask(came & (rule == ""), key)
        disputes += [(key, ids) for ids in apart]
    return group, rule, pd.DataFrame(sorted(disputes), columns=["rule", "ids"])


def _by(records: pd.DataFrame, group: pd.Series, key: str) -> tuple[pd.Series, pd.Series, list[list[str]]]:
    """The groups widened by one key, the records of those that grew, and the ids of those that were left apart."""
    n, held = len(records), records[key].dropna()
    codes = pd.Series(held.factorize()[0], index=held.index)
    candidate = group.map(_components(2 * n, group[held.index], codes + n))
    grows = candidate.map(group.groupby(candidate).nunique()) > 1
    fits = _fits(records, group, candidate)
    several = candidate.map(records["source"].groupby(candidate).nunique()) > 1
    apart = [sorted(ids) for _, ids in records["id"][grows & several & ~fits].groupby(candidate)]
    wider = candidate.where(fits, group + 2 * n).rank(method="dense").astype(int) - 1
    return wider, grows & fits, apart


def _components(nodes: int, left: Collection[int], right: Collection[int]) -> pd.Series:
    """Node → the number of its connected component."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = (np.ones(len(left)), (np.asarray(left, dtype=int), np.asarray(right, dtype=int)))
    return pd.Series(connected_components(coo_array(edges, shape=(nodes, nodes)), directed=False)[1])


def _fits(records: pd.DataFrame, group: pd.Series, candidate: pd.Series) -> pd.Series:
    """Whether a wider group holds at most one group with records of each system, and at most one tax id root."""
    of = pd.DataFrame({"candidate": candidate, "source": records["source"], "group": group})
    most = of.groupby(["candidate", "source"])["group"].nunique().groupby("candidate").max()
    fits = candidate.map(most) == 1
    if "tax_root" in records:
        fits &= candidate.map(records["tax_root"].groupby(candidate).nunique()) <= 1
    return fits


def _places(sources: pd.Series, wins: Sequence[str]) -> pd.Series:
    """Where each source stands in the declared order; those that it does not name come after."""
    return sources.map({source: place for place, source in enumerate(wins)}).fillna(len(wins))


# ---- how tables are seen


def one_each(
    name: str,
    stood: Callable[[tuple[str, ...]], ibis.Table],
    asked: tuple[str, ...],
    same: Mapping[str, Same],
    settings: Settings,
) -> ibis.Table:
    """A table as it stood, one row for each company or person, and references that lead to it.

    stood: gives the table with the columns named, or all. Of two rows that then have one key, that of the winning record stays.
    """
    spec = TABLES[name]
    table = stood(tuple({*asked, *spec.key}) if asked else ())
    columns = asked or table.columns
    wanted = [c for c in table.columns if c in columns]
    refers = {c: end for c in table.columns if (end := spec[c].refers.partition(".")[0]) in same and len(same[end].members)}
    for column, end in refers.items():
        ranks = _ranks(same[end].members, settings.survivors.get(end, ())) if column in spec.key else None
        table = led(table, column, same[end], ranks)
    if name in same and len(same[name].members):
        table = _survivors(table, name, same[name], settings)
    elif set(spec.key) & set(refers) and set(spec.key) <= set(table.columns):
        order = [table[f"_rank {c}"] for c in spec.key if c in refers]
        table = table.mutate(_nth=ibis.row_number().over(group_by=list(spec.key), order_by=order))
        table = table.filter(table._nth == 0)
    return table.select(*wanted)


def _ranks(members: pd.DataFrame, wins: Sequence[str]) -> pd.Series:
    """The order in which records give the values of their group: the declared, then the newest, then by id."""
    order = members.assign(
        place=_places(members["source"], wins), age=-members["stamp"].astype("int64").where(members["stamp"].notna())
    )
    order = order.sort_values(["place", "age", "id"], na_position="last")
    return pd.Series(range(len(order)), index=order.index).sort_index()


def led(table: ibis.Table, column: str, same: Same, ranks: pd.Series | None = None) -> ibis.Table:
    """The table with a reference led to the record that stands for the group; ranks are handed through beside it."""
    told = pd.DataFrame({"_id": same.members["id"], "_one": same.members["one"]})
    to = ibis.memtable(told if ranks is None else told.assign(_rank=ranks))
    found = table.left_join(to, table[column] == to._id)
    values = {c: found[c] for c in table.columns} | {column: ibis.coalesce(found._one, found[column])}
    return found.select(**values, **({} if ranks is None else {f"_rank {column}": found._rank}))


def _survivors(table: ibis.Table, name: str, same: Same, settings: Settings) -> ibis.Table:
    """One row for each group, by the survivorship rule; a stamp is the earliest of them."""
    spec, wins, members = TABLES[name], settings.survivors, same.members
    key = spec.key[0]
    orders = {c: wins.get(f"{name}.{c}", wins.get(name, ())) for c in table.columns if c != key}
    ranks = {order: f"_rank{place}" for place, order in enumerate(dict.fromkeys(orders.values()))}
    told = pd.DataFrame({"_id": members["id"], "_one": members["one"]} | {c: _ranks(members, o) for o, c in ranks.items()})
    to = ibis.memtable(told)
    found = table.inner_join(to, table[key] == to._id)
    values = {
        c: found[c].min() if c in spec.stamp else latest(found[c], -found[ranks[order]], found[c].notnull())
        for c, order in orders.items()
    }
    ones = found.group_by(**{key: found._one}).agg(**values).select(*table.columns)
    return table.anti_join(to, table[key] == to._id).union(ones)
