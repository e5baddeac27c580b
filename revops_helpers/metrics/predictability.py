"""Is there enough to make the number? Pipeline against what is still to be won, and attainment of the plan."""

from __future__ import annotations

from datetime import timedelta

import ibis

from revops_helpers.metrics import journey, recurring
from revops_helpers.metrics.dimensions import DEAL
from revops_helpers.metrics.metric import Metric
from revops_helpers.metrics.plan import target
from revops_helpers.metrics.process import CLOSED, NOT_DEALS, PLAN_RATES
from revops_helpers.metrics.reading import Reading
from revops_helpers.metrics.reasons import NO_TARGET, TARGET_MET
from revops_helpers.metrics.revenue import SUBSCRIPTIONS
from revops_helpers.metrics.untold import no_open_amounts
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import Period, add_months, start_of

CHAIN = ("leads", "lead_to_opportunity", "decided_share", "win_rate", "deal_size")


def quarter_to_win(company: Company, period: Period) -> Period:
    """The fiscal quarter that is under way the day after the period (or the as-of date, if that is earlier)."""
    tomorrow = min(period.end, company.as_of) + timedelta(days=1)
    start = start_of("quarter", tomorrow, company.settings.fiscal_year_start)
    return Period(start, add_months(start, 3) - timedelta(days=1))


def planned_wins(company: Company, period: Period) -> float | None:
    """Planned new ARR won (cents): the target itself, else the product of the planned drivers; None where neither is planned."""
    own = target(company, "new_arr_won", period)
    if own is not None:
        return own.value
    drivers = [target(company, name, period) for name in CHAIN]
    if None in drivers:
        return None
    product = 1.0
    for driver in drivers:
        product *= driver.value
    return product


def coverage(company: Company, windows: Windows, read: Reading | None = None) -> ibis.Table:
    """For each window, as it stood at its end: open new business closing in the quarter to win (`amount`), and what is still to
    be won in it (`remaining`: the plan in one row, and every deal won so far as a negative one)."""
    quarters = [quarter_to_win(company, p) for p in windows.periods]
    goals = [planned_wins(company, quarter) for quarter in quarters]
    if None in goals:
        raise Unavailable(["targets.value of new_arr_won, or of its drivers, for the quarter"])
    stood = journey.deals_as_they_stood(company, windows, read, "kind", "opportunity_id", "amount")
    spans = windows.days(first=[q.start for q in quarters], last=[q.end for q in quarters])
    rows = stood.filter(stood.kind == "new").join(spans, "window")
    day = ibis.coalesce(rows.closed_on, rows.close_date)
    rows = rows.filter(day >= rows["first"], day <= rows["last"], rows.status != "lost")
    amount = rows.amount.cast("float64")
    open_now = rows.status == "open"
    numbers = windows.numbers(remaining=[float(goal) for goal in goals])
    return ibis.union(
        rows.select(
            "window", "opportunity_id", amount=ibis.ifelse(open_now, amount, 0.0), remaining=ibis.ifelse(open_now, 0.0, -amount)
        ),
        numbers.select("window", opportunity_id=ibis.null("string"), amount=ibis.literal(0.0), remaining=numbers.remaining),
    )


def attainment(company: Company, windows: Windows) -> ibis.Table:
    """Net new ARR by customer and month of each window, and one row with the window's target."""
    goals = [target(company, "net_new_arr", p) for p in windows.periods]
    if None in goals:
        raise Unavailable(["targets of net_new_arr for the whole period"])
    moved = recurring.customer_months(company, windows)
    numbers = windows.numbers(goal=[float(goal.value) for goal in goals])
    return ibis.union(
        moved.select("window", "customer", net_new_arr=(moved.delta * 12).cast("float64"), goal=ibis.literal(0.0)),
        numbers.select("window", customer=ibis.null("string"), net_new_arr=ibis.literal(0.0), goal=numbers.goal),
    )


METRICS = (
    Metric(
        id="pipeline",
        label="Open pipeline",
        family="predictability",
        unit="money",
        grain="new-business deal open at the end of the period",
        direction="higher",
        owner="Head of Sales",
        definition="First-year ARR of the new-business deals open at the end of the period, whenever they are expected to close.",
        formula="Σ amount of open new-business deals",
        source="CRM: deals, as they stood on that day",
        needs=("opportunities.status", "opportunities.kind", "opportunities.amount", "opportunities.close_date"),
        estimator="sum",
        timing="Amount and status as they stood on the last day of the period; without history, the amounts of the export.",
        edge_cases="Deals without an amount add nothing; when no open deal has one there is no value." + PLAN_RATES,
        facts=journey.deals_as_they_stood,
        where=lambda t: (t.kind == "new") & (t.status == "open"),
        num=lambda t: t.amount,
        untold=no_open_amounts,
        dimensions=DEAL,
        stock=True,
    ),
    Metric(
        id="pipeline_coverage",
        label="Pipeline coverage",
        family="predictability",
        unit="ratio",
        grain="new-business deal open at the end of the period",
        direction="higher",
        owner="Head of Sales",
        definition="Open new business expected to close in the fiscal quarter under way the day after the period, "
        "per unit of planned new ARR that is still to be won in it.",
        formula="Σ open amount with close_date in the quarter ÷ (planned new ARR won − won so far in the quarter)",
        source="CRM: deals, as they stood on that day; targets",
        needs=(*CLOSED, "opportunities.amount", "opportunities.created_at", "targets"),
        estimator="per_fixed",
        timing="As the deals stood on the last day of the period; on a quarter's last day the next quarter is meant.",
        edge_cases="What coverage is enough is one over the value win rate from that day on, not three. " + NOT_DEALS,
        facts=coverage,
        num=lambda t: t.amount,
        den=lambda t: t.remaining,
        zero_reason=TARGET_MET,
        untold=no_open_amounts,
        stock=True,
    ),
    Metric(
        id="arr_attainment",
        label="Net new ARR against target",
        family="predictability",
        unit="percent",
        grain="period",
        direction="higher",
        owner="CRO",
        definition="Net new ARR of the period as a share of its target.",
        formula="net new ARR ÷ target of net new ARR",
        source="billing: subscriptions; targets",
        needs=(*SUBSCRIPTIONS, "targets"),
        estimator="exact",
        timing="Both over the same whole months.",
        edge_cases="A target of zero or less has no attainment.",
        facts=attainment,
        num=lambda t: t.net_new_arr,
        den=lambda t: t.goal,
        zero_reason=NO_TARGET,
    ),
)
