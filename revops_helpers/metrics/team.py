"""How productive the sales team is: ramp, quota attainment, effort per deal and where the time goes."""

from __future__ import annotations

from functools import partial

from revops_helpers.metrics import sellers
from revops_helpers.metrics.dimensions import DEAL
from revops_helpers.metrics.metric import Benchmark, Metric
from revops_helpers.metrics.process import CLOSED
from revops_helpers.metrics.reasons import NO_QUOTA, NOBODY_AT_WORK, NOTHING_DECIDED, NOTHING_LOGGED

WHO = "Sellers are people in a role in which at least half have owned a new-business deal; without roles, those who have."
QUOTAS = ("quotas.user_id", "quotas.amount", "users.hired_on", "users.left_on", *CLOSED, "opportunities.owner_id")

_team = partial(Metric, family="team", owner="Head of Sales", direction="higher")
_quota = partial(
    _team,
    grain="person and quota period that ends in the period under review",
    source="quotas; HR: people; CRM: deals",
    needs=(*QUOTAS, "opportunities.amount"),
    facts=sellers.quota_periods,
    timing="Quota periods that lie wholly in the period; deals by the day on which they closed.",
    edge_cases="A quota counts for the days that the person was there, so leavers and new people are in. "
    "Deals are their owner's. Quotas of another kind than new ARR are left out.",
)
_time = partial(
    _team,
    unit="percent",
    grain="seller",
    source="calendar and sales engagement: activities; HR: people",
    estimator="ratio",
    facts=sellers.sellers_time,
    cluster="user_id",
    num=lambda t: t.logged,
    den=lambda t: t.working,
    timing="Activities by the company's day on which they took place.",
)
TIME = (*sellers.SELLERS, "activities.user_id", "activities.minutes", "activities.customer_facing")

METRICS = (
    _team(
        id="ramp_months",
        label="Ramp of new sellers",
        unit="months",
        direction="lower",
        grain="seller hired since deals are on record",
        definition="Months from hiring until half of the new sellers had a three-month stretch with at least 80% of the deals "
        "that tenured sellers won in the same months.",
        formula="Kaplan-Meier median of the months to the first three-month mean ≥ 0.8 × that of sellers of 12 months or more",
        source="HR: people; CRM: deals",
        needs=tuple(dict.fromkeys((*sellers.SELLERS, *CLOSED))),
        estimator="median",
        timing="Full calendar months after the one of hiring, up to the end of the period.",
        edge_cases=f"Those who left or are still ramping count as not there yet. {WHO} Luck can carry a seller over the line.",
        facts=sellers.ramps,
        num=lambda t: t.months,
        den=lambda t: t.ramped.cast("int64"),
        stock=True,
    ),
    _quota(
        id="quota_attainment",
        label="Quota attainment",
        unit="percent",
        definition="New ARR won by people with a quota as a share of their quotas, all together.",
        formula="Σ credited ÷ Σ quota, prorated",
        estimator="exact",
        num=lambda t: t.credited,
        den=lambda t: t.quota,
        zero_reason=NO_QUOTA,
    ),
    _quota(
        id="quota_met",
        label="Quotas met in full",
        unit="percent",
        definition="Of the quotas whose period ended, the share whose owner won at least as much as was asked.",
        formula="quotas with credited ≥ quota ÷ quotas",
        estimator="proportion",
        num=lambda t: t.credited >= t.quota,
        benchmarks=(Benchmark("33% at quota, first half", "Lightspeed", 2023),),
        zero_reason=NO_QUOTA,
    ),
    _team(
        id="activities_per_deal",
        label="Activities per closed deal",
        unit="number",
        direction="neither",
        grain="new-business deal closed in the period",
        definition="Mean number of calls, e-mails, meetings and tasks of people on the new-business deals closed in the period.",
        formula="activities on closed deals ÷ closed deals",
        source="sales engagement: activities; CRM: deals",
        needs=(*CLOSED, "activities.opportunity_id"),
        estimator="mean",
        timing="Deals by the day on which they closed, with the activities known on the as-of date.",
        edge_cases="What machines sent is left out; what was done and not logged is not there.",
        facts=sellers.deals_with_activities,
        where=lambda t: t.kind == "new",
        num=lambda t: t.activities,
        dimensions=DEAL,
        zero_reason=NOTHING_DECIDED,
    ),
    _time(
        id="selling_time",
        label="Selling time, share of logged time",
        definition="Of the minutes that sellers logged, the share spent with customers and prospects.",
        formula="customer-facing minutes ÷ logged minutes",
        estimator="share",
        needs=TIME,
        num=lambda t: t.facing,
        den=lambda t: t.logged,
        edge_cases=f"Says nothing of time that is not logged: read it beside the logged share of working time. {WHO}",
        benchmarks=(Benchmark("41% of the time", "CSO Insights", 2011),),
        zero_reason=NOTHING_LOGGED,
    ),
    _time(
        id="admin_time",
        label="Administration, share of logged time",
        direction="lower",
        definition="Of the minutes that sellers logged, the share spent without customers or prospects.",
        formula="(logged minutes − customer-facing minutes) ÷ logged minutes",
        estimator="share",
        needs=TIME,
        num=lambda t: t.logged - t.facing,
        den=lambda t: t.logged,
        edge_cases=f"The rest of selling time: meetings within, the CRM, travel. What nobody logs is mostly of it. {WHO}",
        zero_reason=NOTHING_LOGGED,
    ),
    _time(
        id="logged_time",
        label="Logged share of working time",
        definition="Of the minutes that sellers were at work by the company's working hours, the share that the systems know of.",
        formula="logged minutes ÷ working minutes",
        needs=TIME,
        edge_cases=f"Working minutes are full-time, holidays out, for the days that the person was there. {WHO}",
        zero_reason=NOBODY_AT_WORK,
    ),
)
