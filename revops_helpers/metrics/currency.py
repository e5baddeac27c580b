"""What exchange rates did to recurring revenue, which every other number counts at the plan's rates. Lazy, in reporting cents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import ibis

from revops_helpers.metrics.dimensions import ACCOUNT
from revops_helpers.metrics.facts import WHO, bridged, lines, plan_rates, with_account
from revops_helpers.metrics.metric import Metric
from revops_helpers.metrics.reading import Reading
from revops_helpers.metrics.reasons import NO_FOREIGN
from revops_helpers.metrics.revenue import SUBSCRIPTIONS
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company


def no_foreign(company: Company, read: Reading | None = None) -> str:
    """Nothing recurs in another currency than that of the reports."""
    return "" if plan_rates(company, "subscriptions") else NO_FOREIGN


def effects(company: Company, windows: Windows) -> ibis.Table:
    """One row per window, customer and side with lines in a foreign currency: effect, its mrr at the month's rates less that at
    the plan's; on the window's last day, and with the other sign on the eve of its first."""
    rows = _foreign(company)
    ends, eves = [p.end for p in windows.periods], [p.start - timedelta(days=1) for p in windows.periods]
    return with_account(company, ibis.union(_on(company, rows, windows, ends, 1), _on(company, rows, windows, eves, -1)))


def _foreign(company: Company) -> ibis.Table:
    """Lines in a foreign currency: customer, currency, own (cents of it a month), mrr, starts_on and over, the day from which
    ARR counts them no more."""
    told = company.table("subscriptions", ("subscription_id", "starts_on", "currency", "mrr"))
    told = told.filter(told.currency.isin(list(plan_rates(company, "subscriptions"))))
    told = told.select(_id="subscription_id", _from="starts_on", currency="currency", own="mrr")
    every = lines(company)
    rows = every.join(told, [every.subscription_id == told["_id"], every.starts_on == told["_from"]]).drop("_id", "_from")
    loose = bridged(rows.filter(rows.ends_on.notnull(), ~rows.goes_on), every, company.settings.grace_days, WHO)
    loose = loose.select(_id="subscription_id", _from="starts_on", _on="on")
    rows = rows.left_join(loose, [rows.subscription_id == loose["_id"], rows.starts_on == loose["_from"]])
    rows = rows.select("customer", "currency", "own", "mrr", "starts_on", "ends_on", "_on")
    return rows.mutate(over=ibis.coalesce(rows["_on"], rows.ends_on))  # a step of its own, which Ibis can join to


def _on(company: Company, rows: ibis.Table, windows: Windows, days: Sequence[date], sign: int) -> ibis.Table:
    """window, customer, effect on the day of each window, at the newest rate of each currency by then."""
    days = windows.days(day=list(days))
    rates = company.table("fx_rates", ("currency", "month", "rate_to_reporting"))
    rates = rates.join(days, rates.month <= days.day)
    rates = rates.group_by(_window=rates.window, _code=rates.currency.upper()).agg(
        rate=rates.rate_to_reporting.argmax(rates.month)
    )
    live = rows.join(days, [rows.starts_on <= days.day, rows.over.isnull() | (rows.over > days.day)])
    live = live.join(rates, [live.window == rates["_window"], live.currency == rates["_code"]])
    effect = (live.own * live.rate).round().cast("int64") - live.mrr
    return live.group_by("window", "customer").agg(effect=(effect.sum() * sign).cast("int64"))


METRICS = (
    Metric(
        id="fx_effect",
        label="Currency effect on ARR",
        family="revenue",
        unit="money",
        grain="customer with subscriptions in a foreign currency",
        direction="neither",
        owner="Head of Finance",
        definition="What exchange rates added to ARR over the period, beyond the plan's rates at which all other numbers count.",
        formula="change over the period of 12 × Σ (MRR at the rate of the month − MRR at the plan's rate)",
        source="billing: subscriptions; finance: exchange rates",
        needs=(*SUBSCRIPTIONS, "subscriptions.currency", "fx_rates.currency", "fx_rates.month", "fx_rates.rate_to_reporting"),
        estimator="sum",
        timing="From the eve of the period to its last day, each at the rate of its month.",
        edge_cases="It is in no movement: opening, movements and closing are at the plan's rates, and this is the difference to "
        "the month's. A currency without a rate for the month counts at its newest before, and before its first at the plan's.",
        facts=effects,
        num=lambda t: t.effect * 12,
        dimensions=ACCOUNT,
        additive=True,
        reach_months=1,
        untold=no_foreign,
    ),
)
