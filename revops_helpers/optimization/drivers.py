"""The drivers of net new ARR: which of them a company's tables can tell, what each is, and what it is compared with."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import partial
from typing import Literal

import pandas as pd

from revops_helpers.measurement import Measurement
from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.metrics.counting import untold
from revops_helpers.metrics.measure import measurement, measurements
from revops_helpers.metrics.plan import target
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.model.tables import TABLES
from revops_helpers.periods import Every, Period, fiscal_year_start, month_start, windows

Group = Literal["new_business", "retention"]
Basis = Literal["plan", "last_year", "none"]
Compared = tuple[float | Measurement, Measurement, Basis]

FROM_LEADS = ("leads", "lead_to_opportunity", "decided_share", "win_rate", "deal_size")
FROM_DEALS = ("opportunities_opened", "decided_share", "win_rate", "deal_size")
# The first of these whose data a company has is how its new business is told.
CHAINS = ((*FROM_LEADS, "live_share"), (*FROM_DEALS, "live_share"), ("new_arr",), FROM_LEADS, FROM_DEALS)
SIGNS = {"expansion": 1, "indexation": 1, "reactivation": 1, "contraction": -1, "churn": -1}


def drivers_of(company: Company) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The new-business chain and the retention drivers that this company's tables allow. Unavailable when neither can be told."""
    known = catalogue()

    def there(names: Iterable[str]) -> bool:
        metrics = [known[name] for name in names]
        needed = company.missing(need for metric in metrics for need in metric.needs)
        return not needed and not any(untold(company, metric) for metric in metrics)

    retention = tuple(SIGNS) if there((*SIGNS, "net_new_arr")) else ()
    chain = next((c for c in CHAINS if there(c) and bool(retention) == (c[-1] != "deal_size")), ())
    if not chain:
        missing = company.missing((*known["net_new_arr"].needs, *known["deal_size"].needs))
        raise Unavailable(missing or ["lost deals", "amounts of won deals"])
    return chain, retention


def compare(company: Company, drivers: Iterable[str], period: Period) -> dict[str, Compared]:
    """For each driver: what it is compared with, what it is, and where the comparison comes from."""
    drivers, before = list(drivers), period.year_before()
    plans = planned(company, drivers, period)
    unplanned = [name for name in drivers if name not in plans and _records_from(company, name) <= before.start]
    past = measurements(company, unplanned, before) if unplanned else {}

    def of(name: str, actual: Measurement) -> Compared:
        if name in plans:
            return plans[name], actual, "plan"
        if name in past and past[name].value is not None:
            return past[name], actual, "last_year"
        return number(actual), actual, "none"

    return {name: of(name, actual) for name, actual in measurements(company, drivers, period).items()}


def planned(company: Company, drivers: Iterable[str], period: Period) -> dict[str, float]:
    """Driver → what is planned for the period, in the driver's own base; what the plan is silent about is left out.

    A plan of many months adds up only as its own months do: a rate is weighted by what it is a rate of, so that the product of
    the chain is the sum of the months' products, and a share of opening ARR counts on the opening ARR of its own year.
    """
    plans = {name: plan for name in drivers if (plan := _target(company, name, period)) is not None}
    retention = [name for name in plans if name in SIGNS]
    if retention and (base := number(opening_arr(company, period))):
        years = windows(period, "year", company.settings.fiscal_year_start)
        if len(years) > 1 and (of_years := _targets(company, retention, years)):
            opened = [number(opening_arr(company, year)) / base for year in years]
            plans |= {n: math.fsum(o * v for o, v in zip(opened, of_years[n], strict=True)) for n in retention}
    chain = next((c for c in CHAINS if set(c) <= set(plans)), ())
    return plans | _weighted(company, chain, period)


def _target(company: Company, name: str, period: Period) -> float | None:
    """The target of a driver; that of deals opened follows from those of leads and their rate where it is not planned itself."""
    if (plan := target(company, name, period)) is not None or name != FROM_DEALS[0]:
        return None if plan is None else float(plan.value)
    parts = [target(company, part, period) for part in FROM_LEADS[:2]]
    return None if None in parts else math.prod(float(part.value) for part in parts)


def _targets(company: Company, names: Iterable[str], parts: Iterable[Period]) -> dict[str, list[float]]:
    """Name → its target in each part; empty when the plan is silent about any."""
    parts = list(parts)
    found = {name: [_target(company, name, part) for part in parts] for name in names}
    return found if all(plan is not None for plans in found.values() for plan in plans) else {}


def _weighted(company: Company, chain: tuple[str, ...], period: Period) -> dict[str, float]:
    """The chain over the period: its first the sum of the shortest parts that the plan has, each rate weighted by what it is a
    rate of in them."""
    every: tuple[Every, ...] = ("month", "quarter", "year")
    split = (_targets(company, chain, windows(period, e, company.settings.fiscal_year_start)) for e in every)
    parts = next((found for found in split if found), {}) if len(chain) > 1 else {}
    if not parts:
        return {}
    level = parts[chain[0]]
    found = {chain[0]: math.fsum(level)}
    for name in chain[1:]:
        reached = [before * rate for before, rate in zip(level, parts[name], strict=True)]
        if not math.fsum(level):
            return {}
        found[name] = math.fsum(reached) / math.fsum(level)
        level = reached
    return found


def _records_from(company: Company, driver: str) -> date:
    """The month from which the driver's tables have records: the latest of their first rows and of what company.yml says."""
    tables = sorted({need.partition(".")[0] for need in catalogue()[driver].needs})
    return max(company.once(f"records of {name} from", partial(_first_record, company, name)) for name in tables)


def _first_record(company: Company, table: str) -> date:
    agreed = company.settings.records_start.get(table, date.min)
    rows = company.table(table)
    stamps = [name for name in TABLES[table].stamp if name in rows.columns]
    first = rows[stamps[-1]].min().execute() if stamps else date.min
    return date.max if pd.isna(first) else max(agreed, month_start(date(first.year, first.month, first.day)))


def opening_arr(company: Company, period: Period) -> Measurement:
    """ARR on the last day before the fiscal year in which the period begins, in cents."""
    day = fiscal_year_start(period.start, company.settings.fiscal_year_start) - timedelta(days=1)
    return measurement(company, "arr", Period(day, day))


def identity_of(drivers: Iterable[str], opening: float) -> Callable[..., float]:
    """The identity over these drivers, in cents; `opening` is the opening ARR where that is not a driver itself."""
    retention = sorted(set(drivers) & set(SIGNS))
    chain = sorted(set(drivers) - set(SIGNS) - {"opening_arr"})

    def identity(**values: float) -> float:
        new = math.prod(values[name] for name in chain) if chain else 0.0
        kept = math.fsum(SIGNS[name] * values[name] for name in retention)
        return new + values.get("opening_arr", opening) * kept

    return identity


def group_of(driver: str) -> Group:
    return "retention" if driver in SIGNS or driver == "opening_arr" else "new_business"


def number(value: float | Measurement) -> float:
    """The plain number; a driver without a value counts as 0."""
    return float((value.value or 0) if isinstance(value, Measurement) else value)
