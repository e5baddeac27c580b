"""Who stays, who leaves, who grows."""

from __future__ import annotations

from functools import partial

from revops_helpers.metrics import handoffs, products, recurring
from revops_helpers.metrics.dimensions import ACCOUNT, DEAL
from revops_helpers.metrics.metric import Benchmark, Metric
from revops_helpers.metrics.process import CLOSED
from revops_helpers.metrics.reasons import NO_HANDOFF_DUE, NO_OPENING_ARR, NO_START, NONE_THEN, NOTHING_REQUIRED
from revops_helpers.metrics.revenue import MONTHLY, SAME_GROUND, SUBSCRIPTIONS

TWELVE = "The customers of a fixed day, the last of the same month a year before, seen again at the end of the period."

_customer = partial(
    Metric,
    family="customer",
    unit="percent",
    source="billing: subscriptions",
    needs=SUBSCRIPTIONS,
    dimensions=ACCOUNT,
    owner="Head of Customer Success",
    estimator="ratio",
    edge_cases=SAME_GROUND,
)
_cohort = partial(
    _customer,
    facts=recurring.year_apart,
    where=lambda t: t.m0 > 0,
    den=lambda t: t.m0,
    timing=TWELVE,
    grain="customer of a year before",
    direction="higher",
    stock=True,
    reach_months=12,
)
_share = partial(
    _customer,
    facts=recurring.shares_of_opening,
    cluster="customer",
    den=lambda t: t.base,
    grain="customer",
    timing=MONTHLY + " The denominator is the ARR at the start of the fiscal year in which the period begins.",
    additive=True,
)
ITEMS = ("onboardings.items_required", "onboardings.items_done")
_handoff = partial(
    Metric,
    family="customer",
    unit="percent",
    source="CRM: deals; customer success platform: onboardings",
    dimensions=DEAL,
    owner="Head of Customer Success",
    direction="higher",
    estimator="proportion",
    facts=handoffs.won_and_handed_off,
    grain="new-business deal won in the period",
    timing="Deals by the company's day on which they were won; what became of them as known on the as-of date.",
)

_agreed = partial(_handoff, known_on=handoffs.agreed_days_over)
YOUNG = " Deals still within them do not count yet, accepted or not; the period is complete when those of its last day are over."

LEFT_BY_PRODUCT = " By product, a customer that moved is lost to the product it left, and no gain to the base of the other."
_by_product = {"dimensions": (*ACCOUNT, "product"), "facts_by": {"product": products.apart}, "needs_by": products.NEED}

METRICS = (
    _cohort(
        id="nrr",
        label="NRR, 12 months",
        definition="Of the recurring revenue a year before, what the same customers pay now, expansion and losses included.",
        formula="Σ MRR now of the customers of a year before ÷ Σ their MRR then",
        edge_cases=SAME_GROUND
        + " New customers never count; one that left and came back counts with what it pays now."
        + LEFT_BY_PRODUCT,
        num=lambda t: t.m1,
        benchmarks=(Benchmark("median 101%", "Benchmarkit", 2024),),
        **_by_product,
        zero_reason=NONE_THEN,
    ),
    _cohort(
        id="nrr_before_indexation",
        label="NRR without indexation, 12 months",
        definition="NRR less what price indexation added: what customers chose.",
        formula="Σ (MRR now − indexation since) of the customers of a year before ÷ Σ their MRR then",
        num=lambda t: (t.m1 > 0).ifelse(t.m1 - t.uplift, 0),
        edge_cases=SAME_GROUND + LEFT_BY_PRODUCT,
        **_by_product,
        zero_reason=NONE_THEN,
    ),
    _cohort(
        id="grr",
        label="GRR, 12 months",
        definition="Of the recurring revenue a year before, what was kept, growth not counted; never above 100%.",
        formula="Σ min(MRR now, MRR then) ÷ Σ MRR then, by snapshot of the two days",
        edge_cases=SAME_GROUND + " A customer that rose and fell within the year counts by the two days only." + LEFT_BY_PRODUCT,
        estimator="share",
        num=lambda t: (t.m1 < t.m0).ifelse(t.m1, t.m0),
        benchmarks=(Benchmark("90–95% by contract size", "SaaS Capital", 2022),),
        **_by_product,
        zero_reason=NONE_THEN,
    ),
    _cohort(
        id="logo_churn",
        label="Logo churn, 12 months",
        direction="lower",
        definition="Of the customers a year before, the share that no longer pays anything and is not paused.",
        formula="customers lost ÷ customers a year before",
        estimator="proportion",
        where=lambda t: t.held0,
        num=lambda t: ~t.held1,
        den=None,
        zero_reason=NONE_THEN,
    ),
    _cohort(
        id="arr_growth",
        label="ARR growth, 12 months",
        family="revenue",
        owner="CRO",
        grain="customer now or a year before",
        definition="ARR at the end of the period against a year before.",
        formula="ARR now ÷ ARR a year before − 1",
        where=None,
        num=lambda t: t.m1 - t.m0,
        benchmarks=(Benchmark("median 26%", "Benchmarkit", 2024), Benchmark("36%, above US$ 5 M ARR", "KBCM", 2018)),
        **_by_product,
        zero_reason=NONE_THEN,
    ),
    _customer(
        id="expansion_by_cohort",
        label="Expansion in the first 12 months",
        direction="higher",
        grain="customer that started in the same months a year before",
        definition="Expansion of new customers in the twelve months after the month in which they started, as a share of what "
        "they started with.",
        formula="Σ expansion MRR in the 12 months after the start ÷ Σ MRR in the first month",
        timing="The customers that started in the same months a year before, so that each is followed for twelve months.",
        edge_cases=SAME_GROUND + " Customers that left stay in the denominator, with the expansion that they had. Losses are not "
        "taken off, and indexation is none.",
        facts=recurring.grown_in_a_year,
        num=lambda t: t.expansion,
        den=lambda t: t.initial,
        reach_months=12,
        zero_reason=NO_START,
    ),
    _customer(
        id="customer_lifetime",
        label="Expected paid months within 60",
        unit="months",
        estimator="lifetime",
        direction="higher",
        grain="customer that paid in the twelve months to the end of the period",
        definition="Months that a new customer pays within five years if it leaves as customers left in the last twelve months.",
        formula="Σ S(t) ÷ (1 + discount rate)^(t/12) over the months 0 to 59, S by Kaplan-Meier with delayed entry",
        timing="Departures of the twelve months to the end of the period, by age; capped at 60 months.",
        facts=recurring.tenures,
        num=lambda t: t.months_paid,
        den=lambda t: t.left,
        entry="entry",
        stock=True,
        reach_months=12,
    ),
    _share(
        id="expansion",
        label="Expansion, share of opening ARR",
        direction="higher",
        definition="Expansion of the period as a share of the ARR at the start of the fiscal year.",
        formula="expansion ARR ÷ ARR at the start of the fiscal year",
        num=lambda t: t.expansion,
        zero_reason=NO_OPENING_ARR,
    ),
    _share(
        id="indexation",
        label="Indexation, share of opening ARR",
        direction="higher",
        owner="Head of Finance",
        definition="Price indexation of the period as a share of the ARR at the start of the fiscal year.",
        formula="indexation ARR ÷ ARR at the start of the fiscal year",
        num=lambda t: t.indexation,
        zero_reason=NO_OPENING_ARR,
    ),
    _share(
        id="reactivation",
        label="Reactivation, share of opening ARR",
        direction="higher",
        definition="ARR of customers that came back, as a share of the ARR at the start of the fiscal year.",
        formula="reactivated ARR ÷ ARR at the start of the fiscal year",
        num=lambda t: t.reactivation,
        zero_reason=NO_OPENING_ARR,
    ),
    _share(
        id="contraction",
        label="Contraction, share of opening ARR",
        direction="lower",
        definition="Contraction of the period as a share of the ARR at the start of the fiscal year; a positive number.",
        formula="contraction ARR ÷ ARR at the start of the fiscal year",
        num=lambda t: t.contraction,
        zero_reason=NO_OPENING_ARR,
    ),
    _share(
        id="churn",
        label="Churn, share of opening ARR",
        direction="lower",
        definition="ARR lost with customers that left, as a share of the ARR at the start of the fiscal year; a positive number.",
        formula="churned ARR ÷ ARR at the start of the fiscal year",
        num=lambda t: t.churn,
        zero_reason=NO_OPENING_ARR,
    ),
    _agreed(
        id="handoff_completion",
        label="Handoff completion",
        definition="Of the new-business deals won, the share handed off completely and accepted within the agreed days.",
        formula="deals accepted within the agreed working days, with the agreed share of items done ÷ deals whose days are over",
        edge_cases="A deal never handed off is missed once its days are over." + YOUNG,
        needs=(*CLOSED, "onboardings.opportunity_id", "onboardings.accepted_at", *ITEMS),
        where=lambda t: t.ripe,
        num=lambda t: t.done,
        zero_reason=NO_HANDOFF_DUE,
    ),
    _agreed(
        id="handoff_on_time",
        label="Handoffs accepted in time",
        definition="Of the new-business deals won, the share whose handoff customer success accepted within the agreed days.",
        formula="deals accepted within the agreed working days ÷ deals whose days are over",
        edge_cases="Complete or not. A deal never handed off is missed once its days are over." + YOUNG,
        needs=(*CLOSED, "onboardings.opportunity_id", "onboardings.accepted_at"),
        where=lambda t: t.ripe,
        num=lambda t: t.on_time,
        zero_reason=NO_HANDOFF_DUE,
    ),
    _agreed(
        id="handoff_completeness",
        label="Handoff items done",
        definition="Of the checklist items required in the handoffs of the deals won, the share that was done at handoff.",
        formula="Σ items done ÷ Σ items required",
        estimator="share",
        edge_cases="Deals without a handoff are not in it: handoff completion counts them. Those of the last days may get one.",
        needs=(*CLOSED, "onboardings.opportunity_id", *ITEMS),
        where=lambda t: t.items_required > 0,
        num=lambda t: t.items_done.fill_null(0),
        den=lambda t: t.items_required,
        zero_reason=NOTHING_REQUIRED,
    ),
    _handoff(
        id="time_to_first_value",
        label="Time to first value",
        unit="days",
        direction="lower",
        definition="Days from the win within which half of the customers won had their first value.",
        formula="Kaplan-Meier median of first_value_at − closed_at",
        estimator="median",
        edge_cases="Customers still waiting are censored, not dropped, and so are deals that nobody handed off.",
        needs=(*CLOSED, "onboardings.opportunity_id", "onboardings.first_value_at"),
        num=lambda t: t.days,
        den=lambda t: t.valued,
    ),
)
