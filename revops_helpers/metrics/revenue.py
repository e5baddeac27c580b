"""Recurring revenue: what is live, and how it moved."""

from __future__ import annotations

from revops_helpers.metrics import facts
from revops_helpers.metrics.dimensions import ACCOUNT
from revops_helpers.metrics.metric import Metric

SUBSCRIPTIONS = ("subscriptions.mrr", "subscriptions.account_id", "subscriptions.starts_on", "subscriptions.ends_on")

METRICS = (
    Metric(
        id="arr",
        label="ARR",
        family="revenue",
        unit="money",
        grain="customer on the last day of the period",
        direction="higher",
        owner="Head of Finance",
        definition="Annual recurring revenue that is live on the last day of the period: twelve times the monthly recurring revenue.",
        formula="12 × Σ MRR live",
        source="billing subscriptions",
        needs=SUBSCRIPTIONS,
        estimator="sum",
        timing="Snapshot at the end of the last day; a line is live from starts_on until the day before ends_on.",
        edge_cases="Foreign contracts at plan rates. A gap within the grace period, once restarted, counts as continuous.",
        facts=facts.customers_at_end,
        num=lambda t: t.mrr * 12,
        dimensions=ACCOUNT,
        stock=True,
    ),
    Metric(
        id="net_new_arr",
        label="Net new ARR",
        family="revenue",
        unit="money",
        grain="customer and month",
        direction="higher",
        owner="CRO",
        definition="What ARR grew by in the period: closing less opening.",
        formula="new + reactivation + expansion + indexation − contraction − churn",
        source="billing subscriptions",
        needs=SUBSCRIPTIONS,
        estimator="sum",
        timing="Month end to month end, at the effective date.",
        edge_cases="Currency makes no movement: one plan rate for all dates.",
        facts=facts.customer_months,
        num=lambda t: t.delta * 12,
        dimensions=ACCOUNT,
        additive=True,
    ),
)
