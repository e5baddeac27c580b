"""What was spent, by function, and what the target would cost at today's price of a new customer's ARR."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.metrics.costs import SALES_AND_MARKETING, spend
from revops_helpers.metrics.measure import measurement
from revops_helpers.metrics.reasons import N_
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import Period, add_months
from revops_helpers.planning.cascade import Cascade, next_year

YEAR = 12


@dataclass(frozen=True)
class Budget:
    """Money in cents.

    period: the last twelve closed months. spent: one row per function: function, before (the twelve months before those), now.
    per_arr: cac_ratio of the period under review, spend per unit of new ARR. cost_plan, cost_now: what the coming year's new ARR
        costs at that price, needed at planned and at today's rates; the interval of the price alone. cost_before: marketing and
        sales of the last twelve months.
    """

    period: Period
    spent: pd.DataFrame
    per_arr: Measurement
    cost_plan: Measurement
    cost_now: Measurement
    cost_before: Measurement


def budget(company: Company) -> Budget:
    """Spend by function and the price of the cascade. Unavailable without spend or a target."""
    company.require(("spend.month", "spend.function", "spend.amount"))
    plan = next_year(company)
    end = company.period.end
    year = Period(add_months(end.replace(day=1), 1 - YEAR), end)
    both = Windows.of(company.settings, (year.year_before(), year))
    rows = both.assign(spend(company), "month")
    sums = rows.group_by("window", "function").agg(amount=rows.amount.sum()).to_pandas()
    wide = sums.pivot(index="function", columns="window", values="amount").reindex(columns=[0, 1]).fillna(0).sort_index()
    if wide.empty:
        raise Unavailable([N_("spend in the last two years")])
    spent = pd.DataFrame({"function": wide.index, "before": wide[0].astype(int), "now": wide[1].astype(int)}).reset_index(
        drop=True
    )
    money = {"unit": "money", "currency": company.settings.currency}
    price = measurement(company, "cac_ratio")
    before = int(spent[spent.function.isin(SALES_AND_MARKETING)].now.sum())
    return Budget(
        period=year,
        spent=spent,
        per_arr=price,
        cost_plan=_cost(plan, price, "needed_plan", money),
        cost_now=_cost(plan, price, "needed_now", money),
        cost_before=Measurement(before, n=YEAR, **money),
    )


def _cost(plan: Cascade, price: Measurement, which: str, money: dict) -> Measurement:
    needed = getattr(plan.steps[-1], which)
    if price.value is None or needed.value is None:
        return not_applicable(price.reason or needed.reason, **money)
    low, high = (None if end is None else needed.value * end for end in (price.low, price.high))
    return Measurement(round(needed.value * price.value), price.n, low, high, price.status, price.reason, **money)
