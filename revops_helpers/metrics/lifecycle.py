"""From stage to stage: leads that were qualified, accepted, and became deals, each stage's cohort followed for the same time."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import ibis

from revops_helpers.metrics.dimensions import LEAD
from revops_helpers.metrics.journey import COHORT_DAYS, LEAD_COLUMNS
from revops_helpers.metrics.metric import Metric
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.as_of import cut_off
from revops_helpers.model.company import Company

STAMPS = {"lead": "created_at", "mql": "mql_at", "sal": "sal_at", "sql": "sql_at"}
STAGES = (*STAMPS, "opportunity")


def stage_entries(company: Company, windows: Windows) -> ibis.Table:
    """entries of each window."""
    return windows.assign(entries(company).drop("created_at"), "entered_at")


def entries(company: Company) -> ibis.Table:
    """One row per lead and stage entered: entered_at, ripe (COHORT_DAYS or more before the as-of date's end) and reached_next
    (the next stage that has stamps, within COHORT_DAYS).

    A lead that is seen in a later stage has been in the earlier ones, from that moment at the latest; its first pass counts.
    """
    rows = _with_deal(company, company.table("leads", (*LEAD_COLUMNS, "mql_at", "sal_at", "sql_at", "opportunity_id")))
    there = [stage for stage in STAGES if stage == "opportunity" or STAMPS[stage] in rows.columns]
    stamps = {stage: rows["_opened" if stage == "opportunity" else STAMPS[stage]] for stage in there}
    entered = {stage: ibis.least(*(stamps[later] for later in there[place:])) for place, stage in enumerate(there)}
    entered["lead"] = rows.created_at
    ripe = ibis.literal(cut_off(company.as_of, company.settings) - timedelta(days=COHORT_DAYS))
    soon = ibis.interval(days=COHORT_DAYS)
    own = [name for name in LEAD_COLUMNS if name in rows.columns]
    parts = []
    for place, stage in enumerate(there[:-1]):
        at, then = (entered[name].cast("timestamp") for name in there[place : place + 2])
        reached = (then <= at + soon).fill_null(False)
        parts.append(rows.select(*own, stage=ibis.literal(stage), entered_at=at, ripe=at <= ripe, reached_next=reached))
    found = ibis.union(*parts) if len(parts) > 1 else parts[0]
    return found.filter(found.entered_at.notnull())


def _with_deal(company: Company, rows: ibis.Table) -> ibis.Table:
    """The leads with `_opened`, when the deal that came of them was opened."""
    if company.missing(["leads.opportunity_id", "opportunities.created_at"]):
        return rows.mutate(_opened=ibis.null("timestamp"))
    sold = company.table("opportunities", ("opportunity_id", "created_at"))
    sold = sold.select(_deal="opportunity_id", _opened="created_at")
    return rows.left_join(sold, rows.opportunity_id == sold._deal).drop("_deal")


_stage = partial(
    Metric,
    family="process",
    owner="Head of Marketing",
    source="CRM and marketing automation: leads",
    dimensions=LEAD,
    direction="higher",
    facts=stage_entries,
    timing="By the company's day on which the lead entered the stage.",
)
_rate = partial(
    _stage,
    unit="percent",
    estimator="proportion",
    horizon_days=COHORT_DAYS,
    edge_cases="A lead seen in a later stage has been in the earlier ones. Entries younger than 90 days do not count yet; the "
    "period is partial until its last entry is 90 days old.",
    num=lambda t: t.reached_next,
)


METRICS = (
    _stage(
        id="mqls",
        label="Leads qualified by marketing",
        unit="count",
        grain="lead qualified by marketing in the period",
        definition="Leads that marketing qualified in the period (MQL), each at its first time.",
        formula="count of leads by mql_at, or by the first later stage where that came earlier",
        edge_cases="Rejected ones count: they were qualified. Recycled leads count once.",
        needs=("leads.created_at", "leads.mql_at"),
        estimator="sum",
        where=lambda t: t.stage == "mql",
        additive=True,
    ),
    _rate(
        id="lead_to_mql_90d",
        label="Lead to MQL within 90 days",
        grain="lead created in the period",
        definition="Of the leads created in the period, the share that marketing qualified within 90 days.",
        formula="leads qualified within 90 days ÷ leads created at least 90 days before the as-of date",
        needs=("leads.created_at", "leads.mql_at"),
        where=lambda t: (t.stage == "lead") & t.ripe,
    ),
    _rate(
        id="mql_to_sal_90d",
        label="MQL to SAL within 90 days",
        grain="lead qualified by marketing in the period",
        definition="Of the leads that marketing qualified in the period, the share that sales accepted within 90 days.",
        formula="leads accepted within 90 days ÷ leads qualified at least 90 days before the as-of date",
        needs=("leads.created_at", "leads.mql_at", "leads.sal_at"),
        where=lambda t: (t.stage == "mql") & t.ripe,
    ),
    _rate(
        id="sal_to_sql_90d",
        label="SAL to SQL within 90 days",
        owner="Head of Sales",
        grain="lead accepted by sales in the period",
        definition="Of the leads that sales accepted in the period, the share that sales qualified within 90 days.",
        formula="leads qualified by sales within 90 days ÷ leads accepted at least 90 days before the as-of date",
        needs=("leads.created_at", "leads.sal_at", "leads.sql_at"),
        where=lambda t: (t.stage == "sal") & t.ripe,
    ),
    _rate(
        id="sql_to_opportunity_90d",
        label="SQL to deal within 90 days",
        owner="Head of Sales",
        grain="lead qualified by sales in the period",
        definition="Of the leads that sales qualified in the period, the share from which a deal was opened within 90 days.",
        formula="leads with a deal within 90 days ÷ leads qualified by sales at least 90 days before the as-of date",
        needs=("leads.created_at", "leads.sql_at", "leads.opportunity_id", "opportunities.created_at"),
        where=lambda t: (t.stage == "sql") & t.ripe,
    ),
)
