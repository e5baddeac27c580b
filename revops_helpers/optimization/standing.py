"""Open deals that stand still: overdue, without a next step, without activity, or too long in their stage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import ibis
import pandas as pd

from revops_helpers.measurement import Measurement
from revops_helpers.model.as_of import cut_off
from revops_helpers.model.company import Company
from revops_helpers.optimization.pipeline import check_priced, selling
from revops_helpers.optimization.stages import NEEDS as HISTORY
from revops_helpers.optimization.stages import stays
from revops_helpers.periods import add_months

RULES = ("overdue", "no_next_step", "no_activity", "too_long_in_stage")
QUIET_DAYS = 30
SLOWEST = 0.9
FEW = 20


@dataclass(frozen=True)
class Standing:
    """Open deals that stand still on the as-of day; amounts in cents.

    open: the whole open pipeline. any: the part of it that breaks a rule.
    rules: one row per rule that the data allow: rule, deals, amount, share (of the open amount; no value without one).
    deals: one row per deal that breaks any, the largest first: opportunity_id, owner_id, stage (where kept), amount, rules
        (names joined by ;).
    unpriced: how many open deals have no amount; they count as deals and add nothing.
    """

    open: Measurement
    any: Measurement
    rules: pd.DataFrame
    deals: pd.DataFrame
    unpriced: int


def standing_deals(company: Company, quiet_days: int = QUIET_DAYS) -> Standing:
    """Which open deals stand still. Unavailable without deal amounts and statuses, and when no open deal has an amount.

    overdue: the close date has passed. no_next_step: none is noted. no_activity: none in the last `quiet_days` days.
    too_long_in_stage: longer there than nine in ten of the stays in that stage that ended in the last twelve months.
    """
    deals = selling(company)
    deals = deals.filter(deals.status == "open").select("opportunity_id", "amount", "priced")
    kept = company.table("opportunities", ("opportunity_id", "owner_id", "stage", "next_step", "close_date"))
    kept = kept.select(
        _deal=kept.opportunity_id, **{n: kept[n] for n in ("owner_id", "stage", "next_step", "close_date") if n in kept.columns}
    )
    rows = deals.left_join(kept, deals.opportunity_id == kept._deal).drop("_deal").to_pandas()
    unpriced = int((~rows.priced).sum())
    check_priced(len(rows), unpriced)
    broken = pd.DataFrame(_broken(company, rows, quiet_days), index=rows.index)
    money = {"unit": "money", "currency": company.settings.currency, "definition_id": "pipeline"}
    any_rule = broken.any(axis=1) if len(broken.columns) else pd.Series(False, index=rows.index)
    kept_names = [name for name in ("owner_id", "stage") if name in rows.columns]
    total = int(rows.amount.sum())
    counts = [(rule, int(hit.sum()), int(rows.amount[hit].sum())) for rule, hit in broken.items()]
    rules = pd.DataFrame(counts, columns=["rule", "deals", "amount"])
    names = broken.apply(lambda row: ";".join(broken.columns[row]), axis=1) if len(rows) else pd.Series(dtype=str)
    listed = rows.assign(rules=names)[any_rule].sort_values(["amount", "opportunity_id"], ascending=[False, True])
    return Standing(
        open=Measurement(total, n=len(rows), **money),
        any=Measurement(int(rows.amount[any_rule].sum()), n=int(any_rule.sum()), **money),
        rules=rules.assign(share=rules.amount / total if total else float("nan")),
        deals=listed[["opportunity_id", *kept_names, "amount", "rules"]].reset_index(drop=True),
        unpriced=unpriced,
    )


def _broken(company: Company, rows: pd.DataFrame, quiet_days: int) -> dict[str, pd.Series]:
    """Rule → whether each deal breaks it, for the rules that the company's tables allow."""
    found: dict[str, pd.Series] = {}
    if "close_date" in rows.columns:
        found["overdue"] = pd.to_datetime(rows.close_date) < pd.Timestamp(company.as_of)
    if "next_step" in rows.columns:
        found["no_next_step"] = rows.next_step.fillna("").astype(str).str.strip() == ""
    if not company.missing(["activities.opportunity_id", "activities.occurred_at"]):
        found["no_activity"] = ~rows.opportunity_id.isin(_active(company, quiet_days))
    if not company.missing(HISTORY):
        found["too_long_in_stage"] = rows.opportunity_id.isin(_too_long(company))
    return found


def _active(company: Company, days: int) -> list[str]:
    """Deals with an activity in the last so many days."""
    begin = cut_off(company.as_of - timedelta(days=days), company.settings)
    acts = company.table("activities", ("opportunity_id", "occurred_at"))
    acts = acts.filter(acts.occurred_at >= begin, acts.opportunity_id.notnull())
    return acts.select("opportunity_id").distinct().to_pandas().opportunity_id.tolist()


def _too_long(company: Company) -> list[str]:
    """Deals that wait in a stage longer than most stays there took; stages with too few past stays judge nobody."""
    cut = cut_off(company.as_of, company.settings)
    year = cut_off(add_months(company.as_of, -12), company.settings)
    rows = stays(company)
    rows = rows.mutate(seconds=rows.ended.fill_null(ibis.literal(cut)).epoch_seconds() - rows.began.epoch_seconds())
    over = rows.filter(rows.ended >= year)
    usual = over.group_by("stage").agg(limit=over.seconds.quantile(SLOWEST), n=over.count())
    usual = usual.filter(usual.n >= FEW).select(_stage=usual.stage, limit=usual["limit"])
    waiting = rows.filter(rows.outcome == "waiting")
    late = waiting.inner_join(usual, waiting.stage == usual._stage)
    return late.filter(late.seconds > late["limit"]).select("opportunity_id").to_pandas().opportunity_id.tolist()
