"""How far records can be trusted: six qualities of those on which decisions hang, and the money on those that fail a check."""

from __future__ import annotations

from functools import partial, reduce

import ibis
import numpy as np
import pandas as pd

from revops_helpers.methods.intervals import total
from revops_helpers.metrics.checks import QUALITIES, Rule, rules
from revops_helpers.metrics.dimensions import ACCOUNT
from revops_helpers.metrics.efficiency import parts_of
from revops_helpers.metrics.estimate import FEW, frame
from revops_helpers.metrics.facts import changes, deals, zero
from revops_helpers.metrics.kept import kept
from revops_helpers.metrics.metric import Metric
from revops_helpers.metrics.reasons import NOT_CHECKED
from revops_helpers.metrics.revenue import SUBSCRIPTIONS
from revops_helpers.metrics.windows import Windows
from revops_helpers.model import rules as contract
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.model.tables import TABLES

SIX = tuple(f"quality_{quality}" for quality in QUALITIES)
RECORDS = ("accounts", "leads", "opportunities", "subscriptions")
NOTHING_ASKED = {"table": "", "rule": "", "column": "", "asked": 0, "failing": 0}
AMOUNTS = ("opportunities.amount", "opportunities.status")

# Of which quality a row is short that the contract refused; what is not named here could not be read: validity.
REFUSED = {
    contract.MISSING: "completeness",
    contract.NO_CLOSING: "completeness",
    contract.DUPLICATE: "uniqueness",
    contract.ORDER: "consistency",
    contract.ORPHAN: "referential",
}


def checked(company: Company, *qualities: str) -> list[Rule]:
    """The checks that the company's tables allow: all of them, or those of some qualities."""
    names = qualities or QUALITIES
    return [rule for name in names for rule in company.once(f"checks of {name}", lambda name=name: list(rules(company, name)))]


def counts(company: Company, quality: str) -> ibis.Table:
    """One row per check of a quality (the tables allow one at least): rule, table, column, tested, failing."""
    return kept(company, f"{quality}_checks", lambda: _counts(checked(company, quality)))


def _counts(checks: list[Rule]) -> ibis.Table:
    sums = []
    for rule in checks:
        said = {"rule": ibis.literal(rule.id), "table": ibis.literal(rule.table), "column": ibis.literal(rule.column)}
        sums.append(rule.tested.aggregate(tested=rule.tested.count(), failing=zero()).mutate(**said))
        sums.append(rule.failing.aggregate(tested=zero(), failing=rule.failing.count()).mutate(**said))
    rows = ibis.union(*sums)
    both = rows.group_by("rule", "table", "column").agg(tested=rows.tested.sum(), failing=rows.failing.sum())
    return both.cast({"tested": "int64", "failing": "int64"})


def quality_of(company: Company, windows: Windows, quality: str) -> ibis.Table:
    """One row per check of the quality, and one per table for what the contract asks of every row read: table, rule, column,
    asked, failing. Of RECORDS only, and for the windows that the as-of date has not left behind."""
    parts = []
    if any(rule.table in RECORDS for rule in checked(company, quality)):
        rows = counts(company, quality).rename(asked="tested")
        parts.append(rows.filter(rows.table.isin(RECORDS)).select("table", "rule", "column", "asked", "failing"))
    if (refused := _refused(company, quality)) or not parts:
        parts.append(_literally(refused or [NOTHING_ASKED]))
    return (ibis.union(*parts) if len(parts) > 1 else parts[0]).cross_join(windows.not_before(company.as_of))


def _refused(company: Company, quality: str) -> list[dict[str, str | int]]:
    """What the contract asked of every row read of RECORDS, by table, and how many rows it refused for want of the quality."""
    if company.ledger is None or company.quarantine is None:
        return []
    rows = company.ledger[company.ledger.unit == "rows"]
    read = (rows.accepted + rows.quarantined).groupby(rows["table"]).sum()
    short = company.quarantine.rule.map(REFUSED).fillna("validity") == quality
    refused = company.quarantine[short].groupby("table").size()
    asked = [table for table in RECORDS if table in read.index and _asks(table, quality)]
    own = {"rule": "refused", "column": ""}
    return [{"table": name, **own, "asked": int(read[name]), "failing": int(refused.get(name, 0))} for name in asked]


def _asks(table: str, quality: str) -> bool:
    """Whether the contract asks rows of the table for the quality at all."""
    if quality == "referential":
        return any(column.owned for column in TABLES[table].columns)
    return quality != "timeliness" and (quality != "consistency" or bool(TABLES[table].not_before))


def _literally(rows: list[dict[str, str | int]]) -> ibis.Table:
    """The rows as constants of the query, so that its SQL holds them."""
    place = ibis.range(len(rows)).unnest().name("place").as_table()
    kinds = {name: "int64" if isinstance(value, int) else "string" for name, value in rows[0].items()}
    lists = {name: ibis.array([ibis.literal(row[name], type=kind) for row in rows]) for name, kind in kinds.items()}
    return place.select(**{name: values[place.place] for name, values in lists.items()})


# --- money on records that fail ------------------------------------------------------------------------------------------


def money(company: Company) -> dict[str, ibis.Table | None]:
    """What hangs on a record: deal → open amounts, account → ARR; money_key, account_id and money (cents), None where untold."""
    return {"deal": _open_amounts(company), "account": _arr(company)}


def _open_amounts(company: Company) -> ibis.Table | None:
    if company.missing(AMOUNTS):
        return None
    rows = deals(company)
    rows = rows.filter((rows.status == "open") & rows.amount.notnull())
    own = rows.account_id if "account_id" in rows.columns else ibis.null("string")
    return rows.select(money_key="opportunity_id", account_id=own, money="amount")


def _arr(company: Company) -> ibis.Table | None:
    if company.missing(SUBSCRIPTIONS):
        return None
    moves = changes(company).filter(ibis._.on <= ibis.literal(company.as_of))
    held = moves.group_by(money_key="account_id").aggregate(money=(ibis._.delta.sum() * 12).cast("int64"))
    return held.filter(held.money != 0).select("money_key", account_id="money_key", money="money")


def at_risk(company: Company) -> ibis.Table:
    """One row per deal or account that fails a check, however many: attached (deal or account), money_key, account_id, money."""
    return kept(company, "at_risk", lambda: _at_risk(company))


def _at_risk(company: Company) -> ibis.Table:
    found = []
    for attached, held in money(company).items():
        if held is not None:
            keys = [rule.failing.select("money_key") for rule in checked(company) if rule.attached == attached]
            hit = held.semi_join(ibis.union(*keys) if len(keys) > 1 else keys[0], "money_key") if keys else held.limit(0)
            found.append(hit.mutate(attached=ibis.literal(attached)))
    if not found:
        raise Unavailable([*AMOUNTS, *SUBSCRIPTIONS])
    return ibis.union(*found) if len(found) > 1 else found[0]


def at_risk_now(company: Company, windows: Windows) -> ibis.Table:
    """at_risk for the windows that the as-of date has not left behind."""
    return at_risk(company).cross_join(windows.not_before(company.as_of))


def score(company: Company, windows: Windows, frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The mean of the qualities that have a value, each with the same weight; its interval from theirs (MOVER)."""
    parts, first = parts_of(frames, *frames), next(iter(frames.values()))
    there = np.array([np.isfinite(part["value"]) for part in parts])
    shares = [{name: np.where(t, part[name], 0.0) for name in part} for t, part in zip(there, parts, strict=True)]

    def add(one: dict[str, np.ndarray], more: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        low, high = total(one["value"], (one["low"], one["high"]), more["value"], (more["low"], more["high"]))
        return {"value": one["value"] + more["value"], "low": low, "high": high}

    known, n = np.maximum(there.sum(axis=0), 1), sum(f.n.to_numpy() for f in frames.values())
    failed = sum(f.n.to_numpy() * np.nan_to_num(1 - f.value.to_numpy(float)) for f in frames.values())
    sums = {name: end / known for name, end in reduce(add, shares).items()}
    few, zero = np.minimum(n - failed, failed) < FEW - 0.5, ~there.any(axis=0)
    out = frame(sums["value"], np.maximum(sums["low"], 0), np.minimum(sums["high"], 1), n=n, too_few=few, zero=zero)
    out.loc[zero, "reason"] = first.reason.to_numpy()[zero]
    return first[["window", "member"]].reset_index(drop=True).join(out)


NOW = "As of the report's date: records tell how they are and not how they were, so earlier periods have no value."
ASKED = (
    "Companies, leads, deals and subscription lines only. Refused rows are asked too. The checks of one record count one by one, "
    "as if independent, so the interval is a floor."
)
_quality = partial(
    Metric,
    family="data_and_stack",
    unit="percent",
    grain="check that a record was put to",
    direction="higher",
    owner="Head of RevOps",
    source="all sources: the records, and the rows that were refused",
    needs=("opportunities",),
    estimator="proportion",
    timing=NOW,
    edge_cases=ASKED,
    stock=True,
    present=True,
    zero_reason=NOT_CHECKED,
)


def _of(quality: str, label: str, definition: str, formula: str) -> Metric:
    return _quality(
        id=f"quality_{quality}",
        label=label,
        definition=definition,
        formula=formula,
        facts=partial(quality_of, quality=quality),
        num=lambda t: t.asked - t.failing,
        den=lambda t: t.asked,
    )


_risk = partial(
    Metric,
    family="data_and_stack",
    unit="money",
    direction="lower",
    owner="Head of RevOps",
    estimator="sum",
    timing=NOW,
    facts=at_risk_now,
    num=lambda t: t.money,
    dimensions=ACCOUNT,
    stock=True,
    present=True,
)

METRICS = (
    _of(
        "completeness",
        "Fields that are filled",
        "Of the fields on which decisions hang, asked of every record that should have them, the share that is filled.",
        "fields filled ÷ fields asked for, with the required fields of every row read",
    ),
    _of(
        "validity",
        "Rows that can be read",
        "Of the rows read, the share whose values are what they should be: a day, an amount, a word of the list.",
        "rows not refused for a value ÷ rows read",
    ),
    _of(
        "uniqueness",
        "Records that stand once",
        "Of the records asked, the share that repeats no other: by key, by tax id, by e-mail.",
        "records that repeat none ÷ records with a key, a tax id or an e-mail",
    ),
    _of(
        "consistency",
        "Records that do not contradict themselves",
        "Of the records with two facts to hold against each other, the share where they agree: dates in order, owners not gone.",
        "records whose facts agree ÷ records with such facts",
    ),
    _of(
        "timeliness",
        "Open deals that are kept up",
        "Of the checks of open deals against today, the share passed: expected to close in time to come, and worked on of late.",
        "checks passed ÷ checks of open deals: closing day not past, work within 60 days",
    ),
    _of(
        "referential",
        "References that find their record",
        "Of the references from one record to another, the share whose record is there.",
        "references found ÷ references filled",
    ),
    _quality(
        id="quality_score",
        label="Data quality score",
        definition="How far records pass their checks: the mean of completeness, validity, uniqueness, consistency, timeliness "
        "and references.",
        formula="Σ of the six shares ÷ 6",
        edge_cases="Each of the six has the same weight; one that nothing can be asked of is left out. " + ASKED,
        estimator="derived",
        parts=SIX,
        combine=score,
    ),
    _risk(
        id="pipeline_at_risk",
        label="Pipeline on records that fail a check",
        grain="open deal that fails a check",
        definition="Amount of the open deals whose record fails a check on which decisions hang.",
        formula="Σ amount of open deals that fail at least one check",
        source="CRM: deals",
        needs=AMOUNTS,
        edge_cases="A deal counts once, however many checks it fails. A record that fails may still be right: it is what rests "
        "on it, not what would be lost.",
        where=lambda t: t.attached == "deal",
    ),
    _risk(
        id="arr_at_risk",
        label="ARR on records that fail a check",
        grain="company record with ARR that fails a check",
        definition="ARR of the company records that fail a check on which decisions hang, or whose subscription lines do.",
        formula="12 × Σ MRR of companies that fail at least one check",
        source="billing: subscriptions; CRM: companies",
        needs=SUBSCRIPTIONS,
        edge_cases="A company counts once, however many checks it and its lines fail. Not what would be lost.",
        where=lambda t: t.attached == "account",
    ),
    _risk(
        id="revenue_at_risk",
        label="Revenue at risk from records",
        grain="open deal or company record that fails a check",
        definition="ARR and open pipeline that rest on records which fail a check on which decisions hang.",
        formula="ARR of failing companies + amount of failing open deals",
        source="billing: subscriptions; CRM: companies and deals",
        needs=(*SUBSCRIPTIONS, *AMOUNTS),
        edge_cases="Each amount counts once, however many checks fail; live ARR and open deals are different money. What rests "
        "on the records, not what would be lost.",
    ),
)
