"""What growth costs, and what it brings back."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from revops_helpers.methods.intervals import product, quotient, total
from revops_helpers.metrics import costs
from revops_helpers.metrics.metric import Benchmark, Metric
from revops_helpers.metrics.reasons import (
    NO_MARGIN,
    NO_NEW_ARR,
    NO_NEW_CUSTOMERS,
    NO_REVENUE,
    NOT_BURNING,
    NOT_GROWING,
    NOTHING_SPENT,
    NOTHING_WON,
    PART_MISSING,
)
from revops_helpers.metrics.revenue import SUBSCRIPTIONS
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company

SPEND = ("spend.month", "spend.function", "spend.amount")
LOADED = (
    "Marketing and sales in full: people, programmes, tools, commissions paid, overhead. "
    "Customer success belongs to keeping and growing customers. Zero new customers: not applicable, never free."
)
LAGGED = (
    "Spend of the lag before, against the customers of the period. The lag is the median time from lead to win in whole "
    "quarters, of new business won in the twelve months to the report's day; one quarter where fewer than 20 deals tell. "
    "It is the same for every segment."
)
QUARTER_BEFORE = "Spend of one quarter earlier, by definition, whatever the lag from lead to win."
RANGE = " The interval is that of the customers' side; spend is booked."

_cost = partial(
    Metric,
    family="efficiency",
    owner="Head of Finance",
    grain="new customer",
    direction="lower",
    source="finance: spend; billing: subscriptions",
    needs=(*SPEND, *SUBSCRIPTIONS),
    timing=LAGGED,
    edge_cases=LOADED + RANGE,
    facts=costs.acquisition,
    zero_reason=NOTHING_SPENT,
)
_magic = partial(_cost, unit="ratio", direction="higher", owner="CRO", grain="customer and month", estimator="per_fixed")


def parts_of(frames: dict[str, pd.DataFrame], *ids: str) -> list[dict[str, np.ndarray]]:
    """value, low and high of each part; where a part is exact its interval is the value itself."""
    out = []
    for name in ids:
        part = {c: frames[name][c].to_numpy(float) for c in ("value", "low", "high")}
        exact = np.isnan(part["low"]) & np.isnan(part["high"])
        out.append({c: np.where(exact, part["value"], v) for c, v in part.items()})
    return out


def derive(frames: dict[str, pd.DataFrame], value, low, high) -> pd.DataFrame:
    """The result of parts: the smallest n; the first status that is not ok, with its part named where there is no value."""
    first = next(iter(frames.values()))
    out = first[["window", "member"]].copy()
    out["value"], out["low"], out["high"] = value, low, high
    out["n"] = np.min([f.n.to_numpy() for f in frames.values()], axis=0)
    out["status"], out["reason"] = "ok", ""
    parts = [(name, frames[name].reset_index(drop=True)) for name in reversed(frames)]
    for _name, part in parts:
        ill = part.status != "ok"
        out.loc[ill, ["status", "reason"]] = part.loc[ill, ["status", "reason"]]
    for name, part in parts:  # what is not there says more than what is small
        absent = part.value.isna()
        out.loc[absent, ["value", "low", "high"]] = np.nan
        out.loc[absent, "status"] = part.status[absent]
        out.loc[absent, "reason"] = [PART_MISSING.format(metric=name, why=why) for why in part.reason[absent]]
    return out


def ltv(company: Company, windows: Windows, frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Gross margin × MRR per customer × expected paid months."""
    margin = costs.gross_margin(company, windows.span.end)
    mrr, months = parts_of(frames, "arpa", "customer_lifetime")
    low, high = product(mrr["value"], (mrr["low"], mrr["high"]), months["value"], (months["low"], months["high"]))
    ends = margin * (low if margin > 0 else high), margin * (high if margin > 0 else low)
    return derive(frames, margin * mrr["value"] * months["value"], *ends)


def ltv_to_cac(company: Company, windows: Windows, frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The first part, LTV, ÷ the second, CAC; independent of each other."""
    worth, cost = parts_of(frames, *frames)
    low, high = quotient(worth["value"], (worth["low"], worth["high"]), cost["value"], (cost["low"], cost["high"]))
    with np.errstate(divide="ignore", invalid="ignore"):
        return derive(frames, worth["value"] / cost["value"], low, high)


def growth_and_margin(company: Company, windows: Windows, frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """ARR growth + EBITDA margin; the margin is booked and has no interval."""
    growth, margin = parts_of(frames, "arr_growth", "ebitda_margin")
    low, high = total(growth["value"], (growth["low"], growth["high"]), margin["value"], (margin["low"], margin["high"]))
    return derive(frames, growth["value"] + margin["value"], low, high)


METRICS = (
    _cost(
        id="cac",
        label="CAC",
        unit="money",
        definition="Sales and marketing spend, fully loaded, earlier by the lag from lead to win, per new customer.",
        formula="marketing + sales spend, one lag earlier ÷ new customers",
        estimator="per_count",
        cluster="customer",  # counts alike, and in one query with the magic numbers
        num=lambda t: t.cost_before,
        den=lambda t: t.logos,
        lag=costs.lag_months,
        zero_reason=NO_NEW_CUSTOMERS,
    ),
    _cost(
        id="cac_blended",
        label="Blended CAC",
        unit="money",
        grain="new-business or expansion deal won",
        definition="All go-to-market spend, customer success included, earlier by the lag from lead to win, per new or "
        "expansion deal won.",
        formula="marketing + sales + customer success spend, one lag earlier ÷ (new + expansion deals won)",
        source="finance: spend; CRM: deals",
        needs=(*SPEND, "opportunities.status", "opportunities.kind", "opportunities.close_date"),
        edge_cases="Never to be set beside the lifetime value of a new customer: it counts expansions too." + RANGE,
        estimator="per_count",
        facts=costs.acquisition_by_deals,
        num=lambda t: t.cost_before,
        den=lambda t: t.won,
        lag=costs.lag_months,
        zero_reason=NOTHING_WON,
    ),
    _cost(
        id="cac_ratio",
        label="CAC ratio, new customers",
        unit="ratio",
        definition="Sales and marketing spend, earlier by the lag from lead to win, per unit of new ARR of the period.",
        formula="marketing + sales spend, one lag earlier ÷ new ARR",
        estimator="fixed_per",
        cluster="customer",
        num=lambda t: t.cost_before,
        den=lambda t: t.new_mrr * 12,
        lag=costs.lag_months,
        zero_reason=NO_NEW_ARR,
        benchmarks=(Benchmark("US$ 2.00 of spend per US$ of new ARR, median", "Benchmarkit", 2024),),
    ),
    _cost(
        id="cac_payback",
        label="CAC payback",
        unit="months",
        definition="Months of gross margin from new customers that pay back what it cost to win them.",
        formula="marketing + sales spend, one lag earlier ÷ (MRR of new customers × gross margin)",
        edge_cases=LOADED + " Both sides are totals. Departures before payback are not counted here." + RANGE,
        estimator="fixed_per",
        facts=costs.payback,
        widens=costs.acquisition,
        cluster="customer",
        num=lambda t: t.cost_before,
        den=lambda t: t.new_margin,
        lag=costs.lag_months,
        zero_reason=NO_MARGIN,
    ),
    _cost(
        id="ltv",
        label="Customer lifetime value",
        unit="money",
        direction="higher",
        grain="customer",
        definition="Gross margin that a customer brings within five years, if customers leave as in the last twelve months.",
        formula="gross margin × MRR per customer × expected paid months within 60",
        source="billing: subscriptions; gross margin of the agreement, else of the booked results",
        needs=SUBSCRIPTIONS,
        timing="MRR per customer at the end of the period; departures of the twelve months to it.",
        edge_cases="Capped at 60 months, so that no departure is not an endless life. Gross margin, not revenue.",
        estimator="derived",
        parts=("arpa", "customer_lifetime"),
        combine=ltv,
        facts=None,
        stock=True,
        dimensions=("segment", "industry", "region"),
        zero_reason="",
    ),
    _cost(
        id="ltv_cac",
        label="LTV to CAC",
        unit="ratio",
        direction="higher",
        owner="CRO",
        definition="What a customer brings within five years per unit spent on winning one.",
        formula="customer lifetime value ÷ CAC",
        estimator="derived",
        parts=("ltv", "cac"),
        combine=ltv_to_cac,
        facts=None,
        zero_reason="",
    ),
    _magic(
        id="magic_number_seed",
        label="Magic number, same period",
        definition="Net new ARR of the period per unit of sales and marketing spend of the same period.",
        formula="net new ARR ÷ marketing + sales spend, same period",
        timing="Both in the period.",
        cluster="customer",
        num=lambda t: t.net_new_arr,
        den=lambda t: t.cost,
    ),
    _magic(
        id="magic_number_lag",
        label="Magic number, spend one quarter earlier",
        definition="Net new ARR of the period per unit of sales and marketing spend of one quarter earlier.",
        formula="net new ARR ÷ marketing + sales spend, one quarter earlier",
        timing=QUARTER_BEFORE,
        cluster="customer",
        num=lambda t: t.net_new_arr,
        den=lambda t: t.cost_of_last_quarter,
        lag=costs.a_quarter,
    ),
    _magic(
        id="magic_number_svp",
        label="Magic number by revenue",
        grain="month of results",
        definition="Growth of booked quarterly revenue, times four, per unit of sales and marketing spend of the quarter before.",
        lag=costs.a_quarter,
        reach_months=costs.QUARTER,
        formula="4 × (revenue − revenue one quarter earlier) ÷ marketing + sales spend, one quarter earlier",
        source="finance: results and spend",
        needs=(*SPEND, "financials.month", "financials.revenue"),
        timing="Each month against the one a quarter earlier; the months of the period add up.",
        edge_cases="Booked totals carry no sampling error. The original definition, by Scale Venture Partners.",
        estimator="exact",
        facts=costs.revenue_growth,
        num=lambda t: t.gain * 4,
        den=lambda t: t.cost_before,
    ),
    _cost(
        id="ebitda_margin",
        label="EBITDA margin, 12 months",
        unit="percent",
        direction="higher",
        grain="month of results",
        definition="EBITDA as a share of booked revenue over the twelve months to the end of the period.",
        formula="Σ EBITDA ÷ Σ revenue",
        source="finance: results",
        needs=("financials.month", "financials.revenue", "financials.ebitda"),
        timing="The twelve months to the end of the period.",
        edge_cases="Booked totals carry no sampling error.",
        estimator="exact",
        facts=costs.results_of_twelve_months,
        num=lambda t: t.ebitda,
        den=lambda t: t.revenue,
        zero_reason=NO_REVENUE,
        stock=True,
        reach_months=12,
    ),
    _cost(
        id="rule_of_40",
        label="Rule of 40 (ARR growth + EBITDA margin)",
        unit="percent",
        direction="higher",
        owner="CEO",
        grain="company",
        definition="ARR growth over twelve months plus EBITDA margin of the same months: EBITDA is the proxy for profit here.",
        formula="ARR growth + EBITDA margin",
        source="billing: subscriptions; finance: results",
        needs=(*SUBSCRIPTIONS, "financials.month", "financials.revenue", "financials.ebitda"),
        timing="The twelve months to the end of the period.",
        edge_cases="Below some US$ 10 M ARR it is mostly noise. The interval is that of the growth.",
        estimator="derived",
        parts=("arr_growth", "ebitda_margin"),
        combine=growth_and_margin,
        facts=None,
        zero_reason="",
        stock=True,
    ),
    _cost(
        id="burn_multiple",
        label="Burn multiple",
        unit="ratio",
        grain="customer and month",
        definition="Net cash burnt in the period per unit of net new ARR of the period.",
        formula="net burn ÷ net new ARR",
        source="finance: results; billing: subscriptions",
        needs=("financials.month", "financials.net_burn", *SUBSCRIPTIONS),
        timing="Both in the period.",
        edge_cases="Not applicable when ARR did not grow or no cash was burnt." + RANGE,
        estimator="fixed_per",
        facts=costs.burn,
        cluster="customer",
        num=lambda t: t.net_burn,
        den=lambda t: t.net_new_arr,
        zero_reason=NOT_GROWING,
        free_reason=NOT_BURNING,
        benchmarks=(Benchmark("below 1 amazing, 1–1.5 great, 1.5–2 good, 2–3 suspect, above 3 bad", "David Sacks", 2020),),
    ),
)
