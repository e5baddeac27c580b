"""Who stays, who leaves, who grows."""

from __future__ import annotations

from functools import partial

from revops_helpers.metrics import recurring
from revops_helpers.metrics.dimensions import ACCOUNT
from revops_helpers.metrics.metric import Benchmark, Metric
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

METRICS = (
    _cohort(
        id="nrr",
        label="NRR, 12 months",
        definition="Of the recurring revenue a year before, what the same customers pay now, expansion and losses included.",
        formula="Σ MRR now of the customers of a year before ÷ Σ their MRR then",
        edge_cases=SAME_GROUND + " New customers never count; one that left and came back counts with what it pays now.",
        num=lambda t: t.m1,
        benchmarks=(Benchmark("median 101%", "Benchmarkit", 2024),),
    ),
    _cohort(
        id="nrr_before_indexation",
        label="NRR without indexation, 12 months",
        definition="NRR less what price indexation added: what customers chose.",
        formula="Σ (MRR now − indexation since) of the customers of a year before ÷ Σ their MRR then",
        num=lambda t: (t.m1 > 0).ifelse(t.m1 - t.uplift, 0),
    ),
    _cohort(
        id="grr",
        label="GRR, 12 months",
        definition="Of the recurring revenue a year before, what was kept, growth not counted; never above 100%.",
        formula="Σ min(MRR now, MRR then) ÷ Σ MRR then, by snapshot of the two days",
        edge_cases=SAME_GROUND + " A customer that rose and fell within the year counts by the two days only.",
        num=lambda t: (t.m1 < t.m0).ifelse(t.m1, t.m0),
        benchmarks=(Benchmark("90–95% by contract size", "SaaS Capital", 2022),),
    ),
    _cohort(
        id="logo_churn",
        label="Logo churn, 12 months",
        direction="lower",
        definition="Of the customers a year before, the share that no longer pays anything.",
        formula="customers lost ÷ customers a year before",
        estimator="proportion",
        num=lambda t: t.m1 == 0,
        den=None,
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
    ),
    _share(
        id="indexation",
        label="Indexation, share of opening ARR",
        direction="higher",
        owner="Head of Finance",
        definition="Price indexation of the period as a share of the ARR at the start of the fiscal year.",
        formula="indexation ARR ÷ ARR at the start of the fiscal year",
        num=lambda t: t.indexation,
    ),
    _share(
        id="reactivation",
        label="Reactivation, share of opening ARR",
        direction="higher",
        definition="ARR of customers that came back, as a share of the ARR at the start of the fiscal year.",
        formula="reactivated ARR ÷ ARR at the start of the fiscal year",
        num=lambda t: t.reactivation,
    ),
    _share(
        id="contraction",
        label="Contraction, share of opening ARR",
        direction="lower",
        definition="Contraction of the period as a share of the ARR at the start of the fiscal year; a positive number.",
        formula="contraction ARR ÷ ARR at the start of the fiscal year",
        num=lambda t: t.contraction,
    ),
    _share(
        id="churn",
        label="Churn, share of opening ARR",
        direction="lower",
        definition="ARR lost with customers that left, as a share of the ARR at the start of the fiscal year; a positive number.",
        formula="churned ARR ÷ ARR at the start of the fiscal year",
        num=lambda t: t.churn,
    ),
)
