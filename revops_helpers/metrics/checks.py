"""The checks that records are put to: fields, links, dates, owners, twins. A check that lacks its columns is not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import ibis

from revops_helpers.metrics.kept import stood
from revops_helpers.model.company import Company
from revops_helpers.model.keys import plain_tax
from revops_helpers.model.tables import TABLES

STALE_DAYS = 60  # an open deal without any record of work for longer than this is stale
QUALITIES = ("completeness", "validity", "uniqueness", "consistency", "timeliness", "referential")

MOST_ALIKE = 400  # a key that more records than this share is a placeholder
MOST_PEOPLE = 10  # and so is an e-mail, or a domain, that more than this share

# Fields on which decisions hang, and the decision. Which records must have it: all, unless _ASKED_OF says otherwise.
CRITICAL: dict[str, str] = {
    "accounts.tax_id": "one customer is counted once",
    "accounts.segment": "results are read by segment",
    "accounts.owner_id": "somebody acts",
    "leads.source": "spend is judged by source",
    "leads.owner_id": "somebody calls",
    "opportunities.account_id": "deals meet billing",
    "opportunities.owner_id": "somebody acts",
    "opportunities.amount": "the forecast has a value",
    "opportunities.close_date": "the forecast has a date",
    "opportunities.kind": "new business is told from expansion",
    "opportunities.lost_reason": "losses teach",
    "subscriptions.product": "revenue is read by product",
    "subscriptions.change_reason": "indexation is told from upsell",
}


@dataclass(frozen=True)
class Rule:
    """One check: `tested` rows are asked, `failing` rows fail. `attached` names the money: deal, account or none."""

    id: str
    table: str
    column: str
    tested: ibis.Table
    failing: ibis.Table
    attached: str = ""


def rules(company: Company, quality: str) -> Iterator[Rule]:
    """The checks of one of QUALITIES. What the contract refused counts beside them (metrics/quality.py): all of validity."""
    for checks in CHECKS.get(quality, ()):
        yield from checks(company)


def _critical(company: Company) -> Iterator[Rule]:
    """A field on which a decision hangs is empty."""
    for need in CRITICAL:
        table, _, column = need.partition(".")
        if not company.missing([need]) and not (need == "opportunities.close_date" and _hidden(company)):
            yield _filled("missing", company, table, column, _asked(company, table, column))


def _hidden(company: Company) -> bool:
    """Whether the expected closing day of open deals may be hidden only because no history tells what it was on the date."""
    ends = company.data_ends_on
    return bool(company.missing(["opportunity_history.close_date"])) and ends is not None and ends > company.as_of


def _asked(company: Company, table: str, column: str) -> ibis.Table:
    """The rows that must have the field: open deals for the forecast's date, lost deals for the reason, else all."""
    rows = stood(company, table)
    if "status" not in rows.columns or table != "opportunities":
        return rows
    if column == "close_date":
        return rows.filter(rows.status == "open")
    if column == "lost_reason":
        return rows.filter(rows.status == "lost")
    return rows


def _required(company: Company) -> Iterator[Rule]:
    """Fields that the operating agreement asks for: of every row of a table, or of deals from a stage on."""
    stages = company.settings.opportunity_stages
    for where, columns in company.settings.required_fields.items():
        table = where if where in TABLES else "opportunities"
        for column in columns:
            if company.missing([f"{table}.{column}"]) or f"{table}.{column}" in CRITICAL:
                continue
            rows = stood(company, table)
            if where in stages and not company.missing(["opportunities.stage", "opportunities.status"]):
                rows = rows.filter((rows.status == "open") & rows.stage.isin(stages[stages.index(where) :]))
            yield _filled("required", company, table, column, rows)


def _filled(rule: str, company: Company, table: str, column: str, rows: ibis.Table) -> Rule:
    empty = rows[column].isnull()
    if rows[column].type().is_string():
        empty = empty | (rows[column].strip() == "")
    return _rule(rule, table, column, rows, rows.filter(empty))


def _orphans(company: Company) -> Iterator[Rule]:
    """A reference points at a record that is not there."""
    for name in company.accepted:
        for column in TABLES[name].columns:
            there, _, key = column.refers.partition(".")
            if not there or column.owned or column.later or company.missing([f"{name}.{column.name}", column.refers]):
                continue
            rows = stood(company, name)
            known = stood(company, there).select(_key=key).distinct()
            tested = rows.filter(rows[column.name].notnull())
            yield _rule("orphan", name, column.name, tested, tested.anti_join(known, tested[column.name] == known._key))


def _past_due(company: Company) -> Iterator[Rule]:
    """An open deal's closing date has passed."""
    if not company.missing(["opportunities.close_date", "opportunities.status"]):
        dated = _open(company).filter(ibis._.close_date.notnull())
        yield _rule("past_due", "opportunities", "close_date", dated, dated.filter(dated.close_date < company.as_of))


def _stale(company: Company) -> Iterator[Rule]:
    """An open deal without a change or an activity for STALE_DAYS."""
    if company.missing(["opportunities.status", "opportunities.created_at"]):
        return
    work = []
    if not company.missing(["opportunity_history.changed_at"]):
        work.append(stood(company, "opportunity_history").select("opportunity_id", at="changed_at"))
    if not company.missing(["activities.opportunity_id", "activities.occurred_at"]):
        work.append(stood(company, "activities").select("opportunity_id", at="occurred_at"))
    if not work:
        return
    since = ibis.literal(company.as_of - timedelta(days=STALE_DAYS)).cast("timestamp")
    alive = ibis.union(*work) if len(work) > 1 else work[0]
    alive = alive.filter(alive.at >= since).select(_key="opportunity_id").distinct()
    old = _open(company).filter(ibis._.created_at < since)
    yield _rule("stale", "opportunities", "", _open(company), old.anti_join(alive, old.opportunity_id == alive._key))


def _contact_before_creation(company: Company) -> Iterator[Rule]:
    """A lead was contacted before it was created: an import, or a wrong clock."""
    if not company.missing(["leads.first_contact_at", "leads.created_at"]):
        contacted = stood(company, "leads").filter(ibis._.first_contact_at.notnull())
        early = contacted.filter(contacted.first_contact_at < contacted.created_at)
        yield _rule("contact_before_creation", "leads", "first_contact_at", contacted, early)


def _owner_left(company: Company) -> Iterator[Rule]:
    """An open deal belongs to somebody who has left."""
    if not company.missing(["opportunities.owner_id", "opportunities.status", "users.left_on"]):
        owned = _open(company).filter(ibis._.owner_id.notnull())
        left = stood(company, "users").filter(ibis._.left_on.notnull()).select(_key="user_id")
        yield _rule("owner_left", "opportunities", "owner_id", owned, owned.semi_join(left, owned.owner_id == left._key))


def _twice(company: Company) -> Iterator[Rule]:
    """A company with the tax id of another, or a lead with another's e-mail: all but the first of them."""
    if not company.missing(["accounts.tax_id"]):
        rows = stood(company, "accounts")
        keyed = rows.mutate(id=rows.account_id, key=plain_tax(rows.tax_id))
        yield _rule("twice", "accounts", "tax_id", keyed.filter(keyed.key.notnull()), _repeats(keyed, MOST_ALIKE))
    if not company.missing(["leads.email"]):
        rows = stood(company, "leads")
        keyed = rows.mutate(id=rows.lead_id, key=rows.email.lower().strip().nullif(""))
        yield _rule("twice", "leads", "email", keyed.filter(keyed.key.notnull()), _repeats(keyed, MOST_PEOPLE))


def _repeats(rows: ibis.Table, most: int) -> ibis.Table:
    """The rows whose key another has; a branch that names its head office, or is named by it, does not repeat it."""
    pairs = same_key(rows, most)
    if "parent_id" in rows.columns:
        named = rows.filter(rows.parent_id.notnull())
        one_group = ibis.union(
            named.select(left="parent_id", right="account_id"), named.select(left="account_id", right="parent_id")
        )
        pairs = pairs.anti_join(one_group, ["left", "right"])
    return rows.semi_join(pairs, rows.id == pairs.right)


def same_key(keyed: ibis.Table, most: int) -> ibis.Table:
    """Pairs of ids (left, right) whose `key` is the same, a cluster of n giving n − 1 pairs with its first id; lazily."""
    filled = keyed.filter(keyed.key.notnull() & (keyed.key != ""))
    first = filled.mutate(left=filled.id.min().over(group_by=filled.key), size=filled.id.count().over(group_by=filled.key))
    return first.filter((first.id != first.left) & (first.size <= most)).select("left", right="id")


def _open(company: Company) -> ibis.Table:
    return stood(company, "opportunities").filter(ibis._.status == "open")


def _rule(rule: str, table: str, column: str, tested: ibis.Table, failing: ibis.Table) -> Rule:
    """A check whose failing rows carry id, owner and the id of the deal or company whose money hangs on them."""
    attached = {"opportunities": "deal", "accounts": "account", "subscriptions": "account"}.get(table, "")
    money_key = {"deal": "opportunity_id", "account": "account_id", "": None}[attached]
    key = TABLES[table].key[0]
    nothing = ibis.null("string")
    columns = {
        "id": failing[key].cast("string"),
        "owner_id": failing.owner_id if "owner_id" in failing.columns else nothing,
        "money_key": failing[money_key] if money_key in failing.columns else nothing,
    }
    return Rule(rule, table, column, tested, failing.select(**columns), attached)


CHECKS = {
    "completeness": (_critical, _required),
    "uniqueness": (_twice,),
    "consistency": (_contact_before_creation, _owner_left),
    "timeliness": (_past_due, _stale),
    "referential": (_orphans,),
}
