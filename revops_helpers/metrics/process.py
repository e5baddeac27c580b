"""Leads and deals: volumes, conversion, time. Sales-led process metrics."""

from __future__ import annotations

from revops_helpers.metrics import facts
from revops_helpers.metrics.dimensions import DEAL
from revops_helpers.metrics.metric import Metric

METRICS = (
    Metric(
        id="win_rate",
        label="Win rate",
        family="process",
        unit="percent",
        grain="new-business deal closed in the period",
        direction="higher",
        owner="Head of Sales",
        definition="Of the new-business deals closed in the period, the share that was won.",
        formula="won ÷ (won + lost)",
        source="CRM deals",
        needs=("opportunities.status", "opportunities.kind", "opportunities.close_date"),
        estimator="proportion",
        timing="By the day the deal closed.",
        edge_cases="A lost deal marked duplicate or disqualified does not count; a deal lost to no decision does.",
        facts=facts.closed_deals,
        where=lambda t: t.kind == "new",
        num=lambda t: t.status == "won",
        dimensions=DEAL,
    ),
)
