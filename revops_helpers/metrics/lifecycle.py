"""From stage to stage, as cohorts followed for the same time and as volumes of a period: qualified, accepted, deals, won."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import ibis

from revops_helpers.metrics.dimensions import DEAL, LEAD
from revops_helpers.metrics.facts import closed_on
from revops_helpers.metrics.journey import COHORT_DAYS, DEAL_DAYS, LEAD_COLUMNS, cohort_known, deal_known, deals_opened
from revops_helpers.metrics.metric import Metric
from revops_helpers.metrics.process import CLOSED, NOT_DEALS
from revops_helpers.metrics.reasons import NO_LEADS, NO_MQLS, NO_SALS, TOO_YOUNG
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


def deals_followed(company: Company, windows: Windows) -> ibis.Table:
    """New-business deals opened in a window: ripe (opened DEAL_DAYS or more before the as-of date) and won_soon (won within
    DEAL_DAYS of the day on which it was opened)."""
    rows = deals_opened(company, windows)
    rows = rows.filter(rows.kind == "new").mutate(opened_on=windows.day(rows.created_at), closed_on=closed_on(rows, windows))
    soon = rows.closed_on <= rows.opened_on + ibis.interval(days=DEAL_DAYS)
    ripe = rows.opened_on <= ibis.literal(company.as_of - timedelta(days=DEAL_DAYS))
    return rows.mutate(ripe=ripe, won_soon=((rows.status == "won") & soon).fill_null(False))


_stage = partial(
    Metric,
    family="process",
    owner="Head of Marketing",
    source="CRM and marketing automation: leads",
    dimensions=LEAD,
    of_leads=True,
    direction="higher",
    facts=stage_entries,
    timing="By the company's day on which the lead entered the stage.",
)
_rate = partial(
    _stage,
    unit="percent",
    estimator="proportion",
    known_on=cohort_known,
    edge_cases="A lead seen in a later stage has been in the earlier ones. Entries younger than 90 days do not count yet; the "
    "period is partial until its last entry is 90 days old.",
    num=lambda t: t.reached_next,
)
_pace = partial(
    _stage,
    unit="ratio",
    estimator="ratio",
    cluster="lead_id",
    timing="Both by the company's day of entering the stage, whichever leads they are: for planning volumes.",
    edge_cases="May be above 1, and lies below the cohort's rate while volume grows. A lead seen in a later stage has been in "
    "the earlier ones; the first pass counts.",
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
        zero_reason=TOO_YOUNG,
    ),
    _rate(
        id="mql_to_sal_90d",
        label="MQL to SAL within 90 days",
        grain="lead qualified by marketing in the period",
        definition="Of the leads that marketing qualified in the period, the share that sales accepted within 90 days.",
        formula="leads accepted within 90 days ÷ leads qualified at least 90 days before the as-of date",
        needs=("leads.created_at", "leads.mql_at", "leads.sal_at"),
        where=lambda t: (t.stage == "mql") & t.ripe,
        zero_reason=TOO_YOUNG,
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
        zero_reason=TOO_YOUNG,
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
        zero_reason=TOO_YOUNG,
    ),
    _pace(
        id="lead_to_mql",
        label="MQLs per lead",
        grain="lead created, or qualified by marketing, in the period",
        definition="Leads that marketing qualified in the period per lead created in it.",
        formula="leads qualified by marketing ÷ leads created",
        needs=("leads.created_at", "leads.mql_at"),
        num=lambda t: t.stage == "mql",
        den=lambda t: t.stage == "lead",
        zero_reason=NO_LEADS,
    ),
    _pace(
        id="mql_to_sal",
        label="SALs per MQL",
        grain="lead qualified by marketing, or accepted by sales, in the period",
        definition="Leads that sales accepted in the period per lead that marketing qualified in it.",
        formula="leads accepted by sales ÷ leads qualified by marketing",
        needs=("leads.created_at", "leads.mql_at", "leads.sal_at"),
        num=lambda t: t.stage == "sal",
        den=lambda t: t.stage == "mql",
        zero_reason=NO_MQLS,
    ),
    _pace(
        id="sal_to_sql",
        label="SQLs per SAL",
        owner="Head of Sales",
        grain="lead accepted or qualified by sales in the period",
        definition="Leads that sales qualified in the period per lead that sales accepted in it.",
        formula="leads qualified by sales ÷ leads accepted by sales",
        needs=("leads.created_at", "leads.sal_at", "leads.sql_at"),
        num=lambda t: t.stage == "sql",
        den=lambda t: t.stage == "sal",
        zero_reason=NO_SALS,
    ),
    Metric(
        id="won_within_180d",
        label="Deals won within 180 days",
        family="process",
        unit="percent",
        grain="new-business deal opened in the period",
        direction="higher",
        owner="Head of Sales",
        definition="Of the new-business deals opened in the period, the share that was won within 180 days.",
        formula="deals won within 180 days ÷ deals opened at least 180 days before the as-of date",
        source="CRM: deals",
        needs=(*CLOSED, "opportunities.created_at"),
        estimator="proportion",
        timing="By the company's day on which the deal was opened, whatever became of it.",
        edge_cases=NOT_DEALS + " Deals still open after 180 days are not won. Younger deals do not count yet; the period is "
        "complete when its last deal is 180 days old.",
        facts=deals_followed,
        where=lambda t: t.ripe,
        num=lambda t: t.won_soon,
        known_on=deal_known,
        dimensions=DEAL,
        zero_reason=TOO_YOUNG,
    ),
)
