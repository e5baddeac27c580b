"""Companies and leads that stand twice: certain by tax id or e-mail, likely by domain, only proposed by name.

Nothing is joined here. Pairs are for a person's review; customers are counted by the tax id root in the metric layer.
Names are compared by Jaro-Winkler similarity (Winkler 1990) inside blocks, so that the work grows with the number of
companies and not with its square.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import pandas as pd

from revops_helpers.metrics.checks import MOST_ALIKE, MOST_PEOPLE, same_key
from revops_helpers.model.company import Company
from revops_helpers.model.keys import plain_domain, plain_tax, tax_root

SIMILAR = 0.92  # names at least this alike are proposed
BLOCK = MOST_ALIKE  # names that share their beginning (or end) with more companies than this are not compared on it
PAIR = ["table", "left", "right", "method", "score"]

# How sure each method is, in the order in which a pair is claimed: the first method that finds a pair keeps it.
METHODS = {"tax_id": "certain", "email": "certain", "tax_root": "group", "domain": "likely", "name": "proposal"}
_LEGAL_FORMS = r"\b(ltda|s/?\.?a\.?|me|epp|eireli|inc|llc|ltd|corp|gmbh|cia|comercio|servicos|do brasil)(\W|$)"


@dataclass(frozen=True)
class Duplicates:
    """Candidate pairs and what was compared.

    pairs: one row per pair of records: table, left, right (ids, left < right), method (a key of METHODS), score (1 when the
        method is an equality).
    records: table → how many records were compared.
    skipped: how many records were not compared by name because too many names begin and end alike.
    """

    pairs: pd.DataFrame
    records: dict[str, int]
    skipped: int

    def count(self, *methods: str, table: str | None = None) -> int:
        """How many pairs were found by the methods."""
        chosen = self.pairs.method.isin(methods)
        return int((chosen & (self.pairs.table == table)).sum() if table else chosen.sum())

    def extra(self, *methods: str, table: str) -> int:
        """How many records would go if each cluster of pairs became one: records in clusters minus clusters."""
        chosen = self.pairs[self.pairs.method.isin(methods) & (self.pairs.table == table)]
        return _merges(zip(chosen.left, chosen.right, strict=True))


@ibis.udf.scalar.builtin(name="jaro_winkler_similarity")
def jaro_winkler(left: str, right: str) -> float:
    """Jaro-Winkler similarity, 0 to 1 (the engine's own)."""


@ibis.udf.scalar.builtin(name="strip_accents")
def _strip_accents(text: str) -> str:
    """The text without diacritics (the engine's own)."""


def duplicates(company: Company) -> Duplicates:
    """Candidate pairs among companies and among leads. Unavailable without accounts and without leads."""
    if missing := company.missing(["accounts", "leads.email"]):
        company.require(missing if len(missing) == 2 else [])
    pairs, records, skipped = [pd.DataFrame(columns=PAIR)], {}, 0
    if not company.missing(["accounts"]):
        found, records["accounts"], skipped = _among_accounts(company)
        pairs.append(found)
    if not company.missing(["leads.email"]):
        leads = company.table("leads").select(id="lead_id", key=company.table("leads").email.lower().strip())
        pairs.append(_equal(leads, "email", MOST_PEOPLE).assign(table="leads"))
        records["leads"] = int(leads.count().execute())
    kept = pd.concat([frame for frame in pairs if len(frame)] or pairs[:1], ignore_index=True)[PAIR]
    return Duplicates(kept.sort_values(["table", "method", "left", "right"], ignore_index=True), records, skipped)


def _among_accounts(company: Company) -> tuple[pd.DataFrame, int, int]:
    accounts = _normalised(company)
    found = [
        _equal(accounts.select("id", key=accounts.tax_id), "tax_id"),
        _equal(accounts.select("id", key=accounts.tax_root), "tax_root"),
        _equal(accounts.select("id", key=accounts.domain), "domain", MOST_PEOPLE),
    ]
    proposed, skipped = _alike(accounts)
    pairs = pd.concat([*found, proposed], ignore_index=True)
    pairs = pairs.drop_duplicates(["left", "right"], keep="first")
    linked = accounts.filter(accounts.parent.notnull()).select("id", "parent").execute()
    known = set(zip(linked.id, linked.parent, strict=True)) | set(zip(linked.parent, linked.id, strict=True))
    declared = [pair in known for pair in zip(pairs.left, pairs.right, strict=True)]
    pairs = pairs[~pd.Series(declared, index=pairs.index, dtype=bool)]
    return pairs.assign(table="accounts"), int(accounts.count().execute()), skipped


def _normalised(company: Company) -> ibis.Table:
    """id, tax_id, tax_root (8 characters), domain, name and parent of every company; empty texts are null."""
    accounts = company.table("accounts")

    def column(name: str) -> ibis.StringValue:
        return accounts[name] if name in accounts.columns else ibis.null("string")

    name = _strip_accents(column("name").lower()).re_replace(_LEGAL_FORMS, " ").re_replace(r"[^a-z0-9]", "").nullif("")
    return accounts.select(
        id=accounts.account_id,
        tax_id=plain_tax(column("tax_id")),
        tax_root=tax_root(column("tax_id")),
        domain=plain_domain(column("domain")),
        name=name,
        parent=column("parent_id"),
    )


def _equal(keyed: ibis.Table, method: str, shared: int = BLOCK) -> pd.DataFrame:
    """The pairs of same_key, found by the method."""
    return same_key(keyed, shared).execute().assign(method=method, score=1.0)


def _alike(accounts: ibis.Table) -> tuple[pd.DataFrame, int]:
    """Pairs with similar names whose tax ids do not contradict, and how many names could not be compared."""
    named = accounts.filter(accounts.name.length() >= 4)
    blocked = ibis.union(
        named.mutate(block=ibis.literal("^") + named.name.left(4)), named.mutate(block=ibis.literal("$") + named.name.right(4))
    )
    blocked = blocked.mutate(size=blocked.id.count().over(group_by=blocked.block))
    fits = blocked.filter(blocked.size <= BLOCK)
    left, right = fits, fits.view()
    pairs = left.join(right, [left.block == right.block, left.id < right.id]).select(
        left="id",
        right="id_right",
        score=jaro_winkler(left.name, right.name),
        apart=left.tax_root.notnull() & right.tax_root.notnull() & (left.tax_root != right.tax_root),
    )
    pairs = pairs.filter((pairs.score >= SIMILAR) & ~pairs.apart).select("left", "right", "score").distinct()
    skipped = int(named.count().execute()) - int(fits.id.nunique().execute())
    return pairs.execute().assign(method="name"), skipped


def _merges(pairs) -> int:
    """How many unions a set of pairs makes (union-find)."""
    parent: dict[str, str] = {}

    def root(item: str) -> str:
        while parent.setdefault(item, item) != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    merges = 0
    for left, right in pairs:
        a, b = root(left), root(right)
        merges += a != b
        parent[a] = b
    return merges
