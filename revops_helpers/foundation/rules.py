"""The checks that records are put to: fields, links, dates, owners, spelling. A check that lacks its columns is not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import ibis

from revops_helpers.model.company import Company
from revops_helpers.model.tables import TABLES

STALE_DAYS = 60  # an open deal without any record of work for longer than this is stale

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


def rules(company: Company) -> Iterator[Rule]:
    yield from _critical(company)
    yield from _required(company)
    yield from _orphans(company)
    yield from _past_due(company)
    yield from _stale(company)
    yield from _contact_before_creation(company)
    yield from _owner_left(company)


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
    rows = company.table(table)
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
            rows = company.table(table)
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
            rows = company.table(name)
            known = company.table(there).select(_key=key).distinct()
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
        work.append(company.table("opportunity_history").select("opportunity_id", at="changed_at"))
    if not company.missing(["activities.opportunity_id", "activities.occurred_at"]):
        work.append(company.table("activities").select("opportunity_id", at="occurred_at"))
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
        contacted = company.table("leads").filter(ibis._.first_contact_at.notnull())
        early = contacted.filter(contacted.first_contact_at < contacted.created_at)
        yield _rule("contact_before_creation", "leads", "first_contact_at", contacted, early)


def _owner_left(company: Company) -> Iterator[Rule]:
    """An open deal belongs to somebody who has left."""
    if not company.missing(["opportunities.owner_id", "opportunities.status", "users.left_on"]):
        owned = _open(company).filter(ibis._.owner_id.notnull())
        left = company.table("users").filter(ibis._.left_on.notnull()).select(_key="user_id")
        yield _rule("owner_left", "opportunities", "owner_id", owned, owned.semi_join(left, owned.owner_id == left._key))


def _open(company: Company) -> ibis.Table:
    return company.table("opportunities").filter(ibis._.status == "open")


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
