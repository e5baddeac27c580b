"""What marketing spends, beside what came of it and what was planned for it. All lazy, money in reporting cents.

Spend comes by channel only where it was booked so: media and events, as a rule. People and tools have no channel, and are a
member of their own, `(not recorded)`, in every cut.
"""

from __future__ import annotations

import ibis

from revops_helpers.methods.attribution import MODELS
from revops_helpers.metrics.costs import QUARTER, lag_months
from revops_helpers.metrics.credit import WON, credits
from revops_helpers.metrics.dimensions import add_dimension
from revops_helpers.metrics.facts import reporting, zero
from revops_helpers.metrics.journey import deals_opened
from revops_helpers.metrics.lifecycle import stage_entries
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company

RETURNS = ("spend.month", "spend.function", "spend.category", "spend.channel", "spend.amount", *WON)
BOUGHT = {"lead": "leads", "mql": "mqls", "sql": "sqls"}


def marketing_spend(company: Company) -> ibis.Table:
    """One row per line of marketing's spend: month, category and channel (empty where none is booked), amount."""
    rows = company.table("spend")
    rows = rows.filter(rows.function == "marketing")
    told = {name: rows[name] if name in rows.columns else ibis.null("string") for name in ("category", "channel")}
    return rows.select("month", **told, amount=reporting(company, rows, "spend", "amount"))


def spent(company: Company, windows: Windows) -> ibis.Table:
    """One row per line of marketing's spend in a window."""
    return windows.assign(marketing_spend(company), "month")


def leads_bought(company: Company, windows: Windows) -> ibis.Table:
    """Marketing's spend one quarter before the window (`cost`, its channel as `source`) beside the leads that entered a stage in
    it: leads, mqls and sqls (1 or 0), each at its first time."""
    entered = stage_entries(company, windows)
    entered = entered.filter(entered.stage.isin(list(BOUGHT)))
    counts = {name: (entered.stage == stage).cast("int64") for stage, name in BOUGHT.items()}
    source = entered.source if "source" in entered.columns else ibis.null("string")
    paid = windows.assign(marketing_spend(company), "month", lag=QUARTER)
    return ibis.union(
        _paid(paid, "lead_id", *BOUGHT.values()),
        entered.select("window", "lead_id", month=ibis.null("date"), source=source, cost=zero(), **counts),
    )


def deals_bought(company: Company, windows: Windows) -> ibis.Table:
    """Marketing's spend one quarter before the window (`cost`, its channel as `source`) beside the new-business deals opened in
    it (`opened` 1), by the source of their lead."""
    opened = deals_opened(company, windows)
    opened = opened.filter(opened.kind == "new")
    if company.missing(["opportunities.lead_id", "leads.source"]):
        opened = opened.mutate(source=ibis.null("string"))
    else:
        opened = add_dimension(company, opened, "source").rename(source="member")
    one = ibis.literal(1, type="int64")
    paid = windows.assign(marketing_spend(company), "month", lag=QUARTER)
    return ibis.union(
        _paid(paid, "opportunity_id", "opened"),
        opened.select("window", "opportunity_id", month=ibis.null("date"), source="source", cost=zero(), opened=one),
    )


def _paid(paid: ibis.Table, key: str, *counts: str) -> ibis.Table:
    nothing = dict.fromkeys(counts, zero())
    return paid.select("window", "month", source="channel", cost="amount", **{key: ibis.null("string")}, **nothing).select(
        "window", key, "month", "source", "cost", *counts
    )


def against_budget(company: Company, windows: Windows) -> ibis.Table:
    """Marketing's programme spend of the window (`cost`), of the months in which a campaign with a budget ran, beside the part of
    each campaign's budget that falls on the window's days (`budget`)."""
    planned = _budgets(company)
    paid = marketing_spend(company)
    paid = windows.assign(paid.filter(paid.category == "program"), "month")
    after = paid.month + ibis.interval(months=1)
    paid = paid.semi_join(planned, [planned.starts_on < after, planned.ends_on >= paid.month])
    days = windows.days(first=[p.start for p in windows.periods], last=[p.end for p in windows.periods])
    runs = planned.join(days, [planned.starts_on <= days["last"], planned.ends_on >= days["first"]])
    within = ibis.least(runs.ends_on, runs["last"]).delta(ibis.greatest(runs.starts_on, runs["first"]), unit="day") + 1
    share = within / (runs.ends_on.delta(runs.starts_on, unit="day") + 1)
    nothing = ibis.literal(0.0)
    return ibis.union(
        runs.select("window", "campaign_id", "channel", month=ibis.null("date"), cost=nothing, budget=runs.budget * share),
        paid.select(
            *("window", "channel", "month"), campaign_id=ibis.null("string"), cost=paid.amount.cast("float64"), budget=nothing
        ).select("window", "campaign_id", "channel", "month", "cost", "budget"),
    )


def _budgets(company: Company) -> ibis.Table:
    """One row per campaign whose budget can be put on days: campaign_id, channel, starts_on, ends_on, budget."""
    rows = company.table("campaigns")
    channel = rows.channel if "channel" in rows.columns else ibis.null("string")
    rows = rows.filter(rows.budget.notnull(), rows.ends_on >= rows.starts_on)
    budget = reporting(company, rows, "campaigns", "budget")
    return rows.select("campaign_id", "starts_on", "ends_on", channel=channel, budget=budget)


def returns(company: Company, windows: Windows) -> ibis.Table:
    """Programme spend by channel of the lag before the window (`cost`) beside the first-year ARR of the new business won in it
    that each model credits to those channels: first, last, linear; and `deals`, those won, shared by all touches.
    What no money was spent on is left out."""
    paid = marketing_spend(company)
    paid = paid.filter(paid.category == "program", paid.channel.notnull())
    bought = paid.select(_channel="channel").distinct()
    won = credits(company, windows)
    won = won.semi_join(bought, won.channel == bought["_channel"])
    amount = won.amount.fill_null(0).cast("float64") if "amount" in won.columns else 0.0
    paid = windows.assign(paid, "month", lag=lag_months(company))
    nothing = ibis.literal(0.0)
    keys = ("window", "opportunity_id", "channel", "month")
    credited = {name: won[name] * amount for name in MODELS} | {"deals": won.linear}
    return ibis.union(
        won.mutate(month=ibis.null("date"), cost=nothing).select(*keys, "cost", **credited),
        paid.mutate(opportunity_id=ibis.null("string"), cost=paid.amount.cast("float64")).select(
            *keys, "cost", **dict.fromkeys(credited, nothing)
        ),
    )
