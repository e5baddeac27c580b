"""Which channels stood on the path of what was won: credit by position, which is bookkeeping and no effect."""

from __future__ import annotations

from functools import partial

from revops_helpers.metrics import credit
from revops_helpers.metrics.dimensions import DEAL
from revops_helpers.metrics.metric import Metric

_credited = partial(
    Metric,
    family="marketing",
    unit="number",
    grain="new-business deal won in the period and channel",
    direction="higher",
    owner="Head of Marketing",
    source="CRM: deals; marketing automation: touches",
    needs=(*credit.WON, "touches.lead_id", "opportunities.lead_id"),
    estimator="sum",
    timing="By the company's day on which the deal was won; touches before that moment only, however old.",
    edge_cases="A touch without channel and a deal without any touch are `(not recorded)`; credit sums to the deals won. "
    "Credit by position says where deals passed, not what won them.",
    facts=credit.won_by_channel,
    dimensions=("channel", *DEAL),
    additive=True,
    reach_months=12,
)

METRICS = (
    _credited(
        id="first_touch_won",
        label="Deals won, by first touch",
        definition="New-business deals won in the period, each credited to the channel of its first touch.",
        formula="count of deals whose first touch was of the channel",
        where=lambda t: t["first"] > 0,
        num=lambda t: t["first"],
    ),
    _credited(
        id="last_touch_won",
        label="Deals won, by last touch",
        definition="New-business deals won in the period, each credited to the channel of its last touch before closing.",
        formula="count of deals whose last touch was of the channel",
        where=lambda t: t["last"] > 0,
        num=lambda t: t["last"],
    ),
    _credited(
        id="linear_won",
        label="Deals won, credit shared by all touches",
        definition="New-business deals won in the period, each shared equally by the touches before it.",
        formula="Σ over deals of touches of the channel ÷ touches of the deal",
        where=lambda t: t.linear > 0,
        num=lambda t: t.linear,
    ),
)
