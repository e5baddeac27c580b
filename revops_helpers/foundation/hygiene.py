"""Are the records complete, connected and alive? And how much money hangs on those that are not?

Every rule counts the records that it can be asked of (tested) and those that fail it, with the 95 % Wilson interval of the
share. Money is attached to a failing deal (its open amount) or company (its ARR), and counted once however many rules fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import ibis
import pandas as pd

from revops_helpers.foundation.tie_out import LINES
from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.methods.intervals import wilson
from revops_helpers.metrics.facts import changes, deals
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


@dataclass(frozen=True)
class Hygiene:
    """What the checks found.

    completeness: one row per critical field that the company's exports have: table, column, decision, tested, failing, share
        (filled), low, high.
    rules: one row per check: rule, table, column, tested, failing, share (failing), low, high, money (cents), attached.
    records: one row per failing record and check: rule, table, column, id, owner_id, money (cents or none).
    pipeline_at_risk, arr_at_risk: money on failing records, each counted once; n is the number of deals or companies.
    pipeline, arr: the money that they are part of, in cents.
    absent: critical fields that no export fills.
    """

    completeness: pd.DataFrame
    rules: pd.DataFrame
    records: pd.DataFrame
    pipeline_at_risk: Measurement
    arr_at_risk: Measurement
    pipeline: int
    arr: int
    absent: tuple[str, ...]


def hygiene(company: Company) -> Hygiene:
    """Every check that this company's tables allow. Unavailable when there are neither leads, accounts nor deals."""
    if len(company.missing(["accounts", "leads", "opportunities"])) == 3:
        company.require(["opportunities"])
    money = {"deal": _open_amounts(company), "account": _arr(company)}
    checks = list(_rules(company))
    rules = _measured(checks, money)
    fields = rules[rules.rule.isin(["missing", "required"])]
    filled = fields.assign(share=1 - fields.share, low=1 - fields.high, high=1 - fields.low)
    filled["decision"] = [CRITICAL.get(f"{t}.{c}", "") for t, c in zip(filled.table, filled.column, strict=True)]
    failed = set(rules[rules.failing > 0][["rule", "table", "column"]].itertuples(index=False, name=None))
    failing = [check for check in checks if (check.id, check.table, check.column) in failed]
    return Hygiene(
        completeness=filled[["table", "column", "decision", "tested", "failing", "share", "low", "high"]].reset_index(drop=True),
        rules=rules.sort_values(["failing", "rule", "table", "column"], ascending=[False, True, True, True], ignore_index=True),
        records=_records(failing, money),
        pipeline_at_risk=_at_risk(company, failing, money, "deal"),
        arr_at_risk=_at_risk(company, failing, money, "account"),
        pipeline=_total(money["deal"]),
        arr=_total(money["account"]),
        absent=tuple(need for need in CRITICAL if need.partition(".")[0] in company.accepted and company.missing([need])),
    )


def _rules(company: Company) -> Iterator[Rule]:
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
        if not company.missing([need]):
            yield _filled("missing", company, table, column, _asked(company, table, column))


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


def _open_amounts(company: Company) -> ibis.Table | None:
    """money_key (deal), money (cents) of every open deal with an amount."""
    if company.missing(["opportunities.amount", "opportunities.status"]):
        return None
    rows = deals(company)
    held = rows.filter((rows.status == "open") & rows.amount.notnull())
    return held.select(money_key="opportunity_id", money="amount")


def _arr(company: Company) -> ibis.Table | None:
    """money_key (account), money (cents of ARR) of every account with live subscriptions."""
    if company.missing(LINES):
        return None
    moves = changes(company).filter(ibis._.on <= ibis.literal(company.as_of))
    held = moves.group_by(money_key="account_id").aggregate(money=(ibis._.delta.sum() * 12).cast("int64"))
    return held.filter(held.money != 0)


def _measured(rules: list[Rule], money: dict[str, ibis.Table | None]) -> pd.DataFrame:
    """One row per check that could be asked of something, counted in one query: tested, failing, share, low, high, money."""
    counts = []
    for place, rule in enumerate(rules):
        held = money.get(rule.attached)
        sums = {
            "tested": rule.tested.aggregate(value=rule.tested.count()),
            "failing": rule.failing.aggregate(value=rule.failing.count()),
        }
        if held is not None:
            hit = held.semi_join(rule.failing, "money_key")
            sums["money"] = hit.aggregate(value=hit.money.sum().fill_null(0).cast("int64"))
        counts += [sum_.mutate(place=ibis.literal(place), what=ibis.literal(what)) for what, sum_ in sums.items()]
    found = ibis.union(*counts).execute().pivot(index="place", columns="what", values="value")
    found = found.reindex(index=range(len(rules)), columns=["tested", "failing", "money"]).astype("Int64")
    named = pd.DataFrame([(r.id, r.table, r.column, r.attached) for r in rules], columns=["rule", "table", "column", "attached"])
    found = pd.concat([named, found], axis=1)[found.tested > 0].reset_index(drop=True)
    low, high = wilson(found.failing.astype(float), found.tested.astype(float))
    return found.assign(share=(found.failing / found.tested).astype(float), low=low, high=high)


def _records(rules: list[Rule], money: dict[str, ibis.Table | None]) -> ibis.Table | None:
    """One row per failing record and check, lazily, with the money on it; None when nothing fails."""
    rows = []
    for rule in rules:
        named = rule.failing.mutate(rule=ibis.literal(rule.id), table=ibis.literal(rule.table), column=ibis.literal(rule.column))
        held = money.get(rule.attached)
        named = named.mutate(money=ibis.null("int64")) if held is None else named.left_join(held, "money_key")
        rows.append(named.select("rule", "table", "column", "id", "owner_id", named.money.cast("int64")))
    return ibis.union(*rows) if rows else None


def _at_risk(company: Company, rules: list[Rule], money: dict[str, ibis.Table | None], attached: str) -> Measurement:
    """Money on records that fail any of the checks, each record counted once."""
    fields = {"unit": "money", "currency": company.settings.currency, "definition_id": "revenue_at_risk"}
    held, keys = money[attached], [rule.failing.select("money_key") for rule in rules if rule.attached == attached]
    if held is None:
        return not_applicable({"deal": "needs opportunities.amount", "account": "needs subscriptions.mrr"}[attached], **fields)
    if not keys:
        return Measurement(0, **fields)
    hit = held.semi_join(ibis.union(*keys, distinct=True) if len(keys) > 1 else keys[0], "money_key")
    found = hit.aggregate(money=hit.money.sum().fill_null(0), n=hit.count()).execute().iloc[0]
    return Measurement(int(found.money), n=int(found.n), **fields)


def _total(money: ibis.Table | None) -> int:
    return 0 if money is None else int(money.money.sum().execute() or 0)
