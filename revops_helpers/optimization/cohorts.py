"""Do customers grow after they start? Expansion since the start ÷ what they started with, by start quarter and age."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from revops_helpers.measurement import Measurement
from revops_helpers.metrics.dimensions import in_segment
from revops_helpers.metrics.estimate import ESTIMATORS
from revops_helpers.metrics.measure import as_measurement
from revops_helpers.metrics.reasons import COMPLETE_ON
from revops_helpers.metrics.recurring import expansion_since_start
from revops_helpers.metrics.revenue import SUBSCRIPTIONS
from revops_helpers.model.company import Company
from revops_helpers.periods import add_months, start_of

AGES = (3, 6, 9, 12, 18, 24)  # months since the start month
COHORTS = 8


@dataclass(frozen=True)
class Growth:
    """Expansion by the fiscal quarter in which customers started.

    cohorts: one row per start quarter, newest last: start (its first day), customers, initial (cents of MRR, first month).
    cells: (start, age in months) → expansion since the start ÷ initial, of all customers of the cohort, those that left among
        them; censored and without a value until the age is over for the last of them, with the day on which it will be.
    moved: cents of MRR that all expansions of all customers that ever started add up to.
    """

    cohorts: pd.DataFrame
    cells: Mapping[tuple[date, int], Measurement]
    moved: int


def expansion_by_start(company: Company, quarters: int = COHORTS) -> Growth:
    """The triangle of the newest start quarters. Unavailable without subscriptions."""
    company.require(SUBSCRIPTIONS)
    rows = in_segment(company, expansion_since_start(company)).to_pandas()
    first_month = company.settings.fiscal_year_start
    rows["cohort"] = [start_of("quarter", pd.Timestamp(day).date(), first_month) for day in rows.started]
    each = rows.drop_duplicates("customer")
    cohorts = each.groupby("cohort").agg(customers=("customer", "size"), initial=("initial", "sum")).tail(quarters)
    cohorts = cohorts.rename_axis("start").reset_index()
    cells = {(start, age): _cell(company, rows[rows.cohort == start], start, age) for start in cohorts.start for age in AGES}
    return Growth(cohorts, cells, int(rows.expansion.sum()))


def _cell(company: Company, rows: pd.DataFrame, start: date, age: int) -> Measurement:
    known = known_on(start, age)
    if known > company.as_of:
        n = rows.customer.nunique()
        return Measurement(None, n=n, status="censored", reason=COMPLETE_ON.format(day=known), unit="percent")
    held = rows.assign(expansion=rows.expansion.where(rows.age <= age, 0)).groupby("customer")
    x, y = held.expansion.sum().to_numpy(float), held.initial.first().to_numpy(float)
    sums = [x.sum(), y.sum(), (x * x).sum(), (x * y).sum(), (y * y).sum(), len(y), (x > 0).sum(), len(y)]
    found = ESTIMATORS["ratio"](np.array([len(y)]), *(np.array([float(one)]) for one in sums))
    if not x.any():  # no expansion at all has no variance, which is no proof that there will be none
        found["low"], found["high"] = 0.0, np.nan
    named = {"unit": "percent", "currency": "", "definition_id": "expansion_by_cohort"}
    return as_measurement(pd.Series({**found.iloc[0], **named}))


def known_on(start: date, age: int) -> date:
    """The last day of the month in which the customers that started last in the quarter reach the age."""
    return add_months(start, 3 + age) - timedelta(days=1)
