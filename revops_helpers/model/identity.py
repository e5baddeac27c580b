"""Who is one customer, and how far records of different systems find each other: by keys, tax id root and domain, never by name.

Pure: lazy tables of a company in, lazy tables and one small frame out.
"""

from __future__ import annotations

import ibis
import pandas as pd

from revops_helpers.model.company import Company
from revops_helpers.model.keys import SHARED_DOMAINS, plain_domain, tax_root

MATCHES = ("link", "method", "rows", "total")
PARENTS = 3  # levels of parent companies that are followed


def customers(accounts: ibis.Table) -> ibis.Table | None:
    """account_id and customer (legal group).

    The customer is the root of the tax id (CNPJ: 8 of 14 characters; a branch is no new customer), else that of the nearest
    parent that has one, else the topmost parent, else the account. None where accounts say nothing of groups.
    """
    if not {"tax_id", "parent_id"} & set(accounts.columns):
        return None
    root = ibis.null("string")
    if "tax_id" in accounts.columns:
        root = tax_root(accounts.tax_id)
    parent = accounts.parent_id.nullif(accounts.account_id) if "parent_id" in accounts.columns else ibis.null("string")
    rows = accounts.select("account_id", parent=parent, root=root)
    line, found = [rows], rows
    for _ in range(PARENTS if "parent_id" in accounts.columns else 0):
        over = rows.view()
        found = found.left_join(over, line[-1].parent == over.account_id, rname=f"{{name}}_{len(line)}")
        line.append(over)
    roots = [member.root for member in line]
    topmost = [member.parent for member in reversed(line)]
    return found.select(rows.account_id, customer=ibis.coalesce(*roots, *topmost, rows.account_id))


def lead_accounts(company: Company) -> ibis.Table:
    """lead_id, account_id, method: `key` where the systems give it, else `domain` of the e-mail where one customer alone has it.

    Leads without a match are absent. Unavailable when there are no leads or no accounts.
    """
    company.require(["leads", "accounts"])
    leads, accounts = company.table("leads"), company.table("accounts")
    found = []
    if "account_id" in leads.columns:
        keyed = leads.semi_join(accounts, leads.account_id == accounts.account_id)
        found.append(keyed.select("lead_id", "account_id", method=ibis.literal("key")))
    if "email" in leads.columns and "domain" in accounts.columns:
        open_ = leads.filter(leads.lead_id.notin(found[0].lead_id)) if found else leads
        by_domain = open_.select("lead_id", domain=open_.email.lower().re_extract(r"@([^@>\s]+)$", 1))
        owners = _domain_owners(accounts)
        matched = by_domain.inner_join(owners, "domain")
        found.append(matched.select("lead_id", "account_id", method=ibis.literal("domain")))
    if not found:
        return leads.select("lead_id", account_id=ibis.null("string"), method=ibis.null("string")).filter(ibis.literal(False))
    return ibis.union(*found) if len(found) > 1 else found[0]


def _domain_owners(accounts: ibis.Table) -> ibis.Table:
    """domain → the first account of the one customer that has it; shared mail domains and disputed ones are left out."""
    groups = customers(accounts)
    if groups is None:
        groups = accounts.select("account_id", customer=accounts.account_id)
    rows = accounts.select("account_id", domain=plain_domain(accounts.domain)).inner_join(groups, "account_id")
    rows = rows.filter(rows.domain.notnull(), rows.domain.notin(SHARED_DOMAINS))
    owners = rows.group_by("domain").agg(account_id=rows.account_id.min(), owners=rows.customer.nunique())
    return owners.filter(owners.owners == 1).select("domain", "account_id")


LINKS = (
    ("opportunity → account", "opportunities", "account_id", "accounts", "account_id"),
    ("subscription → account", "subscriptions", "account_id", "accounts", "account_id"),
    ("invoice → account", "invoices", "account_id", "accounts", "account_id"),
    ("opportunity → lead", "opportunities", "lead_id", "leads", "lead_id"),
    ("lead → opportunity", "leads", "opportunity_id", "opportunities", "opportunity_id"),
    ("onboarding → opportunity", "onboardings", "opportunity_id", "opportunities", "opportunity_id"),
)


def matches(company: Company) -> pd.DataFrame:
    """How many records of each link find their other end, and by which method: link, method (key, domain, none), rows, total.

    Links whose tables or keys the company lacks are absent; the frame is empty when there is none.
    """
    rows: list[tuple] = []
    if not company.missing(["leads", "accounts"]):
        counted = lead_accounts(company).group_by("method").agg(rows=ibis._.count()).to_pandas()
        total = int(company.table("leads").count().to_pandas())
        rows += _counted("lead → account", dict(zip(counted["method"], counted["rows"], strict=True)), total)
    for link, table, column, other, key in LINKS:
        if not company.missing([f"{table}.{column}", f"{other}.{key}"]):
            records, ends = company.table(table), company.table(other)
            found = records.semi_join(ends, records[column] == ends[key]).count().to_pandas()
            rows += _counted(link, {"key": int(found)}, int(records.count().to_pandas()))
    return pd.DataFrame(rows, columns=list(MATCHES))


def _counted(link: str, by_method: dict[str, int], total: int) -> list[tuple]:
    lost = total - sum(by_method.values())
    return [(link, method, int(n), total) for method, n in sorted(by_method.items(), reverse=True)] + [
        (link, "none", lost, total)
    ]
