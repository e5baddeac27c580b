"""What marketing spends, against its budget, per lead, and against what its channels are credited with."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from revops_helpers.metrics import channels
from revops_helpers.metrics.costs import a_quarter, gross_margin, lag_months
from revops_helpers.metrics.efficiency import SPEND, derive, parts_of
from revops_helpers.metrics.metric import Metric
from revops_helpers.metrics.reasons import NO_BUDGET, NO_LEADS, NO_MQLS, NO_SQLS, NOTHING_OPENED, NOTHING_SPENT
from revops_helpers.metrics.untold import few_amounts_won
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company

LAGGED = "Marketing's spend of one quarter earlier, in full, against what came in the period; a lead is not yet a win."
PER = (
    "Spend per source is what was booked to that channel; people and tools have none and stand as `(not recorded)`. "
    "No count, or a source on which nothing was spent: not applicable, never free."
)
CREDITED = (
    "Only channels on which programme money was spent, and only that money: people and tools are left out. "
    "Credit by position is bookkeeping: it does not say what the money moved. Deals without an amount count as zero."
)


def campaign_roi(company: Company, windows: Windows, frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Gross margin × credited ARR ÷ spend − 1, of the one part that is given; nobody loses more than all, and where no deal is
    credited there is no spread to tell an interval by."""
    margin = gross_margin(company, windows.span.end)
    (credited,) = parts_of(frames, *frames)
    value, low, high = (margin * credited[name] - 1 for name in ("value", "low", "high"))
    found = derive(frames, value, np.maximum(low, -1), high)
    found.loc[found.n == 0, ["low", "high"]] = np.nan
    return found


_spend = partial(
    Metric,
    family="marketing",
    owner="Head of Marketing",
    unit="money",
    source="finance: spend",
    needs=SPEND,
)
_per = partial(
    _spend,
    direction="lower",
    source="finance: spend; CRM: leads",
    timing=LAGGED,
    edge_cases=PER,
    estimator="per_count",
    facts=channels.leads_bought,
    num=lambda t: t.cost,
    lag=a_quarter,
    dimensions=("source",),
    needs_by={"source": ("leads.source", "spend.channel")},
)
_roas = partial(
    _spend,
    unit="ratio",
    direction="higher",
    grain="new-business deal won in the period and channel",
    source="finance: spend; CRM: deals; marketing automation: touches",
    needs=(*channels.RETURNS, "opportunities.amount", "touches.lead_id", "opportunities.lead_id"),
    timing="Deals by the day on which they were won; spend of the lag before, as in CAC; touches before the win, however old.",
    edge_cases=CREDITED,
    estimator="per_fixed",
    facts=channels.returns,
    cluster="opportunity_id",
    den=lambda t: t.cost,
    lag=lag_months,
    reach_months=12,
    dimensions=("channel",),
    zero_reason=NOTHING_SPENT,
    untold=few_amounts_won,
)
_roi = partial(
    _roas,
    unit="percent",
    edge_cases=CREDITED + " Gross profit of the first year only. The models give a range, and no model is the true one.",
    estimator="derived",
    facts=None,
    cluster=None,
    den=None,
    zero_reason="",
    untold=None,
)

METRICS = (
    _spend(
        id="marketing_spend",
        label="Marketing spend",
        grain="line of spend",
        direction="neither",
        definition="What marketing spent in the period: people, programmes, tools and overhead.",
        formula="Σ spend of the function marketing",
        timing="By the month for which it was booked.",
        edge_cases="Credits are negative lines and are taken off. Spend without a channel is `(not recorded)`.",
        estimator="sum",
        facts=channels.spent,
        num=lambda t: t.amount,
        dimensions=("channel",),
        needs_by={"channel": ("spend.channel",)},
        additive=True,
    ),
    _spend(
        id="spend_against_budget",
        label="Programme spend against budget",
        unit="percent",
        grain="campaign and line of spend",
        direction="neither",
        definition="Marketing's programme spend as a share of the budgets of the campaigns that ran.",
        formula="Σ programme spend ÷ Σ campaign budget × days of the campaign in the period ÷ days of the campaign",
        source="finance: spend; marketing automation: campaigns",
        needs=(*SPEND, "spend.category", "campaigns.budget", "campaigns.starts_on", "campaigns.ends_on"),
        timing="Budgets are spread evenly over the planned days of a campaign.",
        edge_cases="Months in which no campaign with a budget ran are left out on both sides. Campaigns without a budget, a "
        "first or a last day have none to compare. People and tools are not in a campaign's budget.",
        estimator="exact",
        facts=channels.against_budget,
        num=lambda t: t.cost,
        den=lambda t: t.budget,
        dimensions=("channel",),
        needs_by={"channel": ("spend.channel", "campaigns.channel")},
        zero_reason=NO_BUDGET,
    ),
    _per(
        id="cost_per_lead",
        label="Cost per lead",
        grain="lead created in the period",
        definition="Marketing's spend of one quarter earlier per lead created in the period.",
        formula="marketing spend, one quarter earlier ÷ leads created",
        needs=(*SPEND, "leads.created_at"),
        den=lambda t: t.leads,
        zero_reason=NO_LEADS,
    ),
    _per(
        id="cost_per_mql",
        label="Cost per MQL",
        grain="lead qualified by marketing in the period",
        definition="Marketing's spend of one quarter earlier per lead that marketing qualified in the period.",
        formula="marketing spend, one quarter earlier ÷ leads qualified by marketing",
        needs=(*SPEND, "leads.created_at", "leads.mql_at"),
        den=lambda t: t.mqls,
        zero_reason=NO_MQLS,
    ),
    _per(
        id="cost_per_sql",
        label="Cost per SQL",
        grain="lead qualified by sales in the period",
        definition="Marketing's spend of one quarter earlier per lead that sales qualified in the period.",
        formula="marketing spend, one quarter earlier ÷ leads qualified by sales",
        needs=(*SPEND, "leads.created_at", "leads.sql_at"),
        den=lambda t: t.sqls,
        zero_reason=NO_SQLS,
    ),
    _per(
        id="cost_per_opportunity",
        label="Cost per deal opened",
        grain="new-business deal opened in the period",
        definition="Marketing's spend of one quarter earlier per new-business deal opened in the period, from whatever source.",
        formula="marketing spend, one quarter earlier ÷ new-business deals opened",
        source="finance: spend; CRM: deals",
        needs=(*SPEND, "opportunities.created_at", "opportunities.kind"),
        facts=channels.deals_bought,
        den=lambda t: t.opened,
        needs_by={"source": ("opportunities.lead_id", "leads.source", "spend.channel")},
        zero_reason=NOTHING_OPENED,
    ),
    _roas(
        id="first_touch_return",
        label="ARR won per unit spent, by first touch",
        definition="First-year ARR won, credited to the channel of the first touch, per unit of programme money spent on it.",
        formula="Σ first-year ARR credited to channels paid for ÷ programme spend on them, one lag earlier",
        num=lambda t: t["first"],
    ),
    _roas(
        id="last_touch_return",
        label="ARR won per unit spent, by last touch",
        definition="First-year ARR won, credited to the channel of the last touch, per unit of programme money spent on it.",
        formula="Σ first-year ARR credited to channels paid for ÷ programme spend on them, one lag earlier",
        num=lambda t: t["last"],
    ),
    _roas(
        id="linear_return",
        label="ARR won per unit spent, credit shared by all touches",
        definition="First-year ARR won, shared equally by all touches, per unit of programme money spent on the channel.",
        formula="Σ first-year ARR credited to channels paid for ÷ programme spend on them, one lag earlier",
        num=lambda t: t.linear,
    ),
    _roi(
        id="first_touch_roi",
        label="Campaign ROI, by first touch",
        definition="Gross profit of the first year credited by first touch, less the programme money spent, as a share of it.",
        formula="(gross margin × first-year ARR credited − programme spend) ÷ programme spend",
        parts=("first_touch_return",),
        combine=campaign_roi,
    ),
    _roi(
        id="last_touch_roi",
        label="Campaign ROI, by last touch",
        definition="Gross profit of the first year credited by last touch, less the programme money spent, as a share of it.",
        formula="(gross margin × first-year ARR credited − programme spend) ÷ programme spend",
        parts=("last_touch_return",),
        combine=campaign_roi,
    ),
    _roi(
        id="linear_roi",
        label="Campaign ROI, credit shared by all touches",
        definition="Gross profit of the first year, credit shared by all touches, less programme money spent, as a share of it.",
        formula="(gross margin × first-year ARR credited − programme spend) ÷ programme spend",
        parts=("linear_return",),
        combine=campaign_roi,
    ),
)
