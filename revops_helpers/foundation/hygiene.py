"""Are the records complete, connected and alive? And how much money hangs on those that are not?

Every rule counts the records that it can be asked of (tested) and those that fail it, with the 95 % Wilson interval of the
share. Money is attached to a failing deal (its open amount) or company (its ARR), and counted once however many rules fail.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import pandas as pd

from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.methods.intervals import wilson
from revops_helpers.metrics.checks import CRITICAL, QUALITIES, Rule
from revops_helpers.metrics.quality import at_risk, checked, counts
from revops_helpers.metrics.quality import money as money_of
from revops_helpers.model.company import Company, Unavailable

CHECK, SUMS = ["rule", "table", "column"], ["tested", "failing"]
NEEDED = {"deal": "needs opportunities.amount", "account": "needs subscriptions.mrr"}  # to tell the money on deals, on companies


@dataclass(frozen=True)
class Hygiene:
    """What the checks found.

    completeness: one row per critical field that the company's exports have: table, column, decision, tested, failing, share
        (filled), low, high, open_only (whether all that lack it are open deals).
    rules: one row per check: rule, table, column, tested, failing, share (failing), low, high, money (cents), attached.
    pipeline_at_risk, arr_at_risk: money on failing records, each counted once; n is the number of deals or companies.
    pipeline, arr: the money that they are part of, in cents.
    absent: critical fields that no export fills.
    """

    completeness: pd.DataFrame
    rules: pd.DataFrame
    pipeline_at_risk: Measurement
    arr_at_risk: Measurement
    pipeline: int
    arr: int
    absent: tuple[str, ...]


def hygiene(company: Company) -> Hygiene:
    """Every check that this company's tables allow. Unavailable when there are neither leads, accounts nor deals."""
    if len(company.missing(["accounts", "leads", "opportunities"])) == 3:
        company.require(["opportunities"])
    money, checks = money_of(company), checked(company)
    measured = _measured(company, checks)
    fields = measured[measured.rule.isin(["missing", "required"])]
    filled = fields.assign(share=1 - fields.share, low=1 - fields.high, high=1 - fields.low)
    filled["decision"] = [CRITICAL.get(f"{t}.{c}", "") for t, c in zip(filled.table, filled.column, strict=True)]
    failing = _failing(measured, checks)
    measured["money"] = _money_on(measured, failing, money)
    order = ["failing", "rule", "table", "column"]
    lacking = {(c.table, c.column): c for c in failing if c.id in ("missing", "required")}
    filled["open_only"] = [_open_only(company, lacking.get(at)) for at in zip(filled.table, filled.column, strict=True)]
    columns = ["table", "column", "decision", "tested", "failing", "share", "low", "high", "open_only"]
    return Hygiene(
        completeness=filled[columns].reset_index(drop=True),
        rules=measured.sort_values(order, ascending=[False, True, True, True], ignore_index=True),
        pipeline_at_risk=_at_risk(company, money, "deal"),
        arr_at_risk=_at_risk(company, money, "account"),
        pipeline=_total(money["deal"]),
        arr=_total(money["account"]),
        absent=tuple(need for need in CRITICAL if need.partition(".")[0] in company.accepted and company.missing([need])),
    )


def failing_records(company: Company) -> ibis.Table | None:
    """One row per failing record and check, lazily: rule, table, column, id. None when all pass."""
    found = company.ask(hygiene)
    failing = [] if isinstance(found, Unavailable) else _failing(found.rules, checked(company))
    rows = [
        check.failing.select(
            rule=ibis.literal(check.id), table=ibis.literal(check.table), column=ibis.literal(check.column), id="id"
        )
        for check in failing
    ]
    return ibis.union(*rows) if rows else None


def _failing(measured: pd.DataFrame, checks: list[Rule]) -> list[Rule]:
    failed = set(measured[measured.failing > 0][CHECK].itertuples(index=False, name=None))
    return [check for check in checks if (check.id, check.table, check.column) in failed]


def _open_only(company: Company, check: Rule | None) -> bool:
    """Whether every record that fails the check is an open deal."""
    if check is None or check.table != "opportunities" or company.missing(["opportunities.status"]):
        return False
    decided = company.table("opportunities").filter(ibis._.status != "open").select(id="opportunity_id")
    return int(check.failing.semi_join(decided, "id").count().execute()) == 0


def _measured(company: Company, checks: list[Rule]) -> pd.DataFrame:
    """One row per check that could be asked of something: attached, tested, failing, share, low, high."""
    named = pd.DataFrame([(r.id, r.table, r.column, r.attached) for r in checks], columns=[*CHECK, "attached"])
    parts = [counts(company, quality).to_pandas() for quality in QUALITIES if checked(company, quality)]
    found = named.merge(pd.concat([pd.DataFrame(columns=[*CHECK, *SUMS]), *parts]), on=CHECK, how="left")
    found = found.astype(dict.fromkeys(SUMS, "Int64"))[found.tested > 0].reset_index(drop=True)
    low, high = wilson(found.failing.astype(float), found.tested.astype(float))
    return found.assign(share=(found.failing / found.tested).astype(float), low=low, high=high)


def _money_on(measured: pd.DataFrame, failing: list[Rule], money: dict[str, ibis.Table | None]) -> pd.Series:
    """The money on the records that fail each check, in one query; none where no money hangs on such records."""
    told = measured.attached.map(lambda attached: 0 if money.get(attached) is not None else None).astype("Int64")
    sums = []
    for place, rule in enumerate(failing):
        if (held := money.get(rule.attached)) is not None:
            hit = held.semi_join(rule.failing, "money_key")
            sums.append(hit.aggregate(money=hit.money.sum().fill_null(0).cast("int64")).mutate(place=ibis.literal(place)))
    if sums:
        found = ibis.union(*sums).execute() if len(sums) > 1 else sums[0].execute()
        keys = [[rule.id, rule.table, rule.column] for rule in failing]
        for key, amount in zip((keys[place] for place in found.place), found.money, strict=True):
            told.loc[(measured[CHECK] == key).all(axis=1)] = amount
    return told


def _at_risk(company: Company, money: dict[str, ibis.Table | None], attached: str) -> Measurement:
    """Money on records that fail any of the checks, each record counted once."""
    name = {"deal": "pipeline_at_risk", "account": "arr_at_risk"}[attached]
    fields = {"unit": "money", "currency": company.settings.currency, "definition_id": name}
    if money[attached] is None:
        return not_applicable(NEEDED[attached], **fields)
    hit = at_risk(company).filter(ibis._.attached == attached)
    found = hit.aggregate(money=hit.money.sum().fill_null(0), n=hit.count()).execute().iloc[0]
    return Measurement(int(found.money), n=int(found.n), **fields)


def _total(money: ibis.Table | None) -> int:
    return 0 if money is None else int(money.money.sum().execute() or 0)
