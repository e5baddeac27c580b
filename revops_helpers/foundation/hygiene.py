"""Are the records complete, connected and alive? And how much money hangs on those that are not?

Every rule counts the records that it can be asked of (tested) and those that fail it, with the 95 % Wilson interval of the
share. Money is attached to a failing deal (its open amount) or company (its ARR), and counted once however many rules fail.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import pandas as pd

from revops_helpers.foundation.rules import CRITICAL, Rule, rules
from revops_helpers.foundation.tie_out import LINES
from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.methods.intervals import wilson
from revops_helpers.metrics.facts import changes, deals
from revops_helpers.model.company import Company

NEEDED = {"deal": "needs opportunities.amount", "account": "needs subscriptions.mrr"}  # to tell the money on deals, on companies


@dataclass(frozen=True)
class Hygiene:
    """What the checks found.

    completeness: one row per critical field that the company's exports have: table, column, decision, tested, failing, share
        (filled), low, high, open_only (whether all that lack it are open deals).
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
    checks = list(rules(company))
    measured = _measured(checks, money)
    fields = measured[measured.rule.isin(["missing", "required"])]
    filled = fields.assign(share=1 - fields.share, low=1 - fields.high, high=1 - fields.low)
    filled["decision"] = [CRITICAL.get(f"{t}.{c}", "") for t, c in zip(filled.table, filled.column, strict=True)]
    failed = set(measured[measured.failing > 0][["rule", "table", "column"]].itertuples(index=False, name=None))
    failing = [check for check in checks if (check.id, check.table, check.column) in failed]
    order = ["failing", "rule", "table", "column"]
    lacking = {(c.table, c.column): c for c in failing if c.id in ("missing", "required")}
    filled["open_only"] = [_open_only(company, lacking.get(at)) for at in zip(filled.table, filled.column, strict=True)]
    columns = ["table", "column", "decision", "tested", "failing", "share", "low", "high", "open_only"]
    return Hygiene(
        completeness=filled[columns].reset_index(drop=True),
        rules=measured.sort_values(order, ascending=[False, True, True, True], ignore_index=True),
        records=_records(failing, money),
        pipeline_at_risk=_at_risk(company, failing, money, "deal"),
        arr_at_risk=_at_risk(company, failing, money, "account"),
        pipeline=_total(money["deal"]),
        arr=_total(money["account"]),
        absent=tuple(need for need in CRITICAL if need.partition(".")[0] in company.accepted and company.missing([need])),
    )


def _open_only(company: Company, check: Rule | None) -> bool:
    """Whether every record that fails the check is an open deal."""
    if check is None or check.table != "opportunities" or company.missing(["opportunities.status"]):
        return False
    decided = company.table("opportunities").filter(ibis._.status != "open").select(id="opportunity_id")
    return int(check.failing.semi_join(decided, "id").count().execute()) == 0


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
    found = ibis.union(*counts).execute() if counts else pd.DataFrame(columns=["place", "what", "value"])
    found = found.pivot(index="place", columns="what", values="value")
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
        return not_applicable(NEEDED[attached], **fields)
    if not keys:
        return Measurement(0, **fields)
    hit = held.semi_join(ibis.union(*keys, distinct=True) if len(keys) > 1 else keys[0], "money_key")
    found = hit.aggregate(money=hit.money.sum().fill_null(0), n=hit.count()).execute().iloc[0]
    return Measurement(int(found.money), n=int(found.n), **fields)


def _total(money: ibis.Table | None) -> int:
    return 0 if money is None else int(money.money.sum().execute() or 0)
