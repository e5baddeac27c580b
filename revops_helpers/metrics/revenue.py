"""Recurring revenue: what is live, and how it moved."""

from __future__ import annotations

from functools import partial

from revops_helpers.metrics import products, recurring
from revops_helpers.metrics.dimensions import ACCOUNT
from revops_helpers.metrics.metric import Benchmark, Metric
from revops_helpers.metrics.reasons import NO_CUSTOMERS, NOTHING_LOST

SUBSCRIPTIONS = ("subscriptions.account_id", "subscriptions.mrr", "subscriptions.starts_on", "subscriptions.ends_on")
SNAPSHOT = "On the last day of the period; a line is live from starts_on until the day before ends_on."
MONTHLY = "Month end to month end, at the day it takes effect, not at signature; the months of a period add up."
SAME_GROUND = (
    "Companies of one legal group are one customer. Foreign contracts at plan rates, so currency makes no movement. "
    "A gap within the grace period, once restarted, counts as continuous. Whoever pauses (a line at 0 whose change_reason is "
    "pause, up to a year) stays a customer: the money is contraction, and expansion afterwards."
)

_revenue = partial(
    Metric,
    family="revenue",
    source="billing: subscriptions",
    needs=SUBSCRIPTIONS,
    dimensions=ACCOUNT,
    direction="higher",
    owner="Head of Finance",
    edge_cases=SAME_GROUND,
)
_stock = partial(
    _revenue, facts=recurring.customers_at_end, stock=True, timing=SNAPSHOT, grain="customer on the last day of the period"
)
_movement = partial(
    _revenue,
    unit="money",
    estimator="sum",
    facts=recurring.customer_months,
    timing=MONTHLY,
    grain="customer and month",
    additive=True,
)

BY_PRODUCT = (
    " By product, what a customer drops of one and takes of another is contraction there and expansion here: net new ARR of the "
    "products adds up to the total, and expansion and contraction are each larger by what moved."
)
_held_by_product = {"dimensions": (*ACCOUNT, "product"), "facts_by": {"product": products.held_at_end}, "needs_by": products.NEED}
_moved_by_product = {"dimensions": (*ACCOUNT, "product"), "facts_by": {"product": products.moved}, "needs_by": products.NEED}

METRICS = (
    _stock(
        id="arr",
        label="ARR",
        unit="money",
        definition="Annual recurring revenue live at the end of the period: twelve times the monthly recurring revenue.",
        formula="12 × Σ MRR live",
        estimator="sum",
        num=lambda t: t.mrr * 12,
        **_held_by_product,
    ),
    _stock(
        id="mrr",
        label="MRR",
        unit="money",
        definition="Monthly recurring revenue live at the end of the period, net of discounts, without one-off amounts.",
        formula="Σ MRR live",
        estimator="sum",
        num=lambda t: t.mrr,
        **_held_by_product,
    ),
    _stock(
        id="carr",
        label="Contracted ARR",
        unit="money",
        grain="subscription on the last day of the period",
        definition="ARR of what is signed, live or not yet, less churn of which notice was given.",
        formula="12 × Σ MRR of the newest line of each subscription signed and not over, unless notice of its end was given",
        timing="Signed by the last day of the period; notice counts from notice_on, before the subscription ends.",
        edge_cases=SAME_GROUND
        + " A subscription whose newest signed line is under notice counts as nothing; one signed anew after it counts. Without "
        "signing days it is ARR less notified churn; without notice_on churn comes off only when it has happened.",
        estimator="sum",
        facts=recurring.contracted_at_end,
        num=lambda t: t.mrr * 12,
    ),
    _stock(
        id="customers",
        label="Customers",
        unit="count",
        definition="Legal groups with recurring revenue at the end of the period, or with a pause of it.",
        formula="count of customers with MRR above zero or a pause",
        estimator="sum",
    ),
    _stock(
        id="arpa",
        label="MRR per customer",
        unit="money",
        definition="Mean monthly recurring revenue of the customers at the end of the period.",
        formula="MRR ÷ customers",
        estimator="mean",
        num=lambda t: t.mrr,
        zero_reason=NO_CUSTOMERS,
    ),
    _movement(
        id="net_new_arr",
        label="Net new ARR",
        owner="CRO",
        definition="What ARR grew by in the period: closing less opening.",
        formula="new + reactivation + expansion + indexation − contraction − churn",
        num=lambda t: t.delta * 12,
        edge_cases=SAME_GROUND + BY_PRODUCT,
        **_moved_by_product,
    ),
    _movement(
        id="new_arr",
        label="New ARR",
        owner="CRO",
        definition="ARR of customers that had never paid before, in the month in which they first do.",
        formula="12 × Σ closing MRR of customers without earlier subscriptions",
        where=lambda t: t.came,
        num=lambda t: t.new * 12,
        **_moved_by_product,
    ),
    _movement(
        id="reactivation_arr",
        label="Reactivated ARR",
        owner="Head of Customer Success",
        definition="ARR of customers that come back after more than the grace period without any subscription.",
        formula="12 × Σ closing MRR where opening MRR is zero and they paid before",
        where=lambda t: t.returned,
        num=lambda t: t.reactivation * 12,
        **_moved_by_product,
    ),
    _movement(
        id="expansion_arr",
        label="Expansion ARR",
        owner="Head of Customer Success",
        definition="What existing customers added beyond price indexation, net per customer and month.",
        formula="12 × Σ max(change of MRR − indexation, 0) of customers that stay",
        where=lambda t: t.expansion != 0,
        num=lambda t: t.expansion * 12,
        benchmarks=(Benchmark("40% of the new ARR of all kinds, median", "Benchmarkit", 2024),),
        edge_cases=SAME_GROUND + BY_PRODUCT,
        **_moved_by_product,
    ),
    _movement(
        id="indexation_arr",
        label="Indexation ARR",
        definition="What price indexation (IPCA, IGP-M) added to the contracts of customers that stay.",
        formula="12 × Σ uplift of lines whose change_reason is indexation, over the line before",
        edge_cases=SAME_GROUND + " Without change_reason it cannot be told from expansion and is zero.",
        where=lambda t: t.indexation != 0,
        num=lambda t: t.indexation * 12,
        **_moved_by_product,
    ),
    _movement(
        id="contraction_arr",
        label="Contraction ARR",
        direction="lower",
        owner="Head of Customer Success",
        definition="What customers that stay gave up, indexation aside, net per customer and month; a positive number.",
        formula="12 × Σ max(indexation − change of MRR, 0) of customers that stay",
        edge_cases=SAME_GROUND + " Cancelling one of two subscriptions is contraction, not churn." + BY_PRODUCT,
        where=lambda t: t.contraction != 0,
        num=lambda t: t.contraction * 12,
        **_moved_by_product,
    ),
    _movement(
        id="churned_arr",
        label="Churned ARR",
        direction="lower",
        owner="Head of Customer Success",
        definition="ARR of customers that left altogether, in the month in which they no longer pay; a positive number.",
        formula="12 × Σ opening MRR of customers whose closing MRR is zero without a pause",
        where=lambda t: t.left,
        num=lambda t: t.churn * 12,
        **_moved_by_product,
    ),
    _movement(
        id="quick_ratio",
        label="Quick ratio",
        unit="ratio",
        estimator="ratio",
        cluster="customer",
        owner="CRO",
        definition="ARR gained over ARR lost in the period.",
        formula="(new + reactivation + expansion + indexation) ÷ (contraction + churn)",
        num=lambda t: t.new + t.reactivation + t.expansion + t.indexation,
        den=lambda t: t.contraction + t.churn,
        additive=False,
        zero_reason=NOTHING_LOST,
    ),
    _movement(
        id="involuntary_churn",
        label="Churn with unpaid invoices",
        unit="percent",
        estimator="share",
        cluster="customer",
        direction="lower",
        definition="Of the ARR of customers that left, the share that left with an invoice overdue beyond the grace period.",
        formula="Σ MRR lost with an unpaid overdue invoice ÷ Σ MRR lost",
        source="billing: subscriptions and invoices",
        needs=(*SUBSCRIPTIONS, "invoices.account_id", "invoices.due_on", "invoices.paid_on"),
        edge_cases=SAME_GROUND + " An unpaid last invoice may be the way in which a customer leaves, and not the reason.",
        facts=recurring.unpaid_losses,
        grain="customer that left in the period",
        num=lambda t: t.unpaid.ifelse(t.churn, 0),
        den=lambda t: t.churn,
        additive=False,
        zero_reason=NOTHING_LOST,
    ),
)
