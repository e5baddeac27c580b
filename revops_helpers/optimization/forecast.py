"""Will the year's plan be met? Net new ARR to the end of the fiscal year, with intervals and how such intervals did before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.methods import accuracy, backtest, intervals
from revops_helpers.metrics.measure import measure
from revops_helpers.metrics.plan import target
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import Period, add_months, fiscal_year_start, last_closed_month_end, month_end

NEEDS = ("subscriptions.mrr", "subscriptions.starts_on")
LEAST_MONTHS = 24
SEASON = 12
SEED = 20


@dataclass(frozen=True)
class YearForecast:
    """Net new ARR of the fiscal year, in cents.

    history: month (its last day), value: the months that the forecast is made from, oldest first.
    months: one row per month to come: month, then median, low_50, high_50, low_80, high_80, low_95 and high_95 of the sum from
        the start of the year to that month's end. Empty when the year is over.
    so_far: the year's closed months. year_end: the median of the whole year with its 95 % interval.
    plan, chance: the year's plan, and the share of the simulated years that reach it; chance says why where there is no plan.
    widened: how many times wider than the method's own all bands are, because past errors asked for it.
    past: one row per level: level (%), inside, origins, low, high: how often the sum of as many months as are to come, forecast
        at the end of each past quarter, fell inside (shares low and high bound it at 95 %); each past band is widened by what
        the other quarters ask for.
    error, naive_error: mean absolute error of those forecasts and of repeating the year before, in cents; None without origins.
    """

    year: Period
    history: pd.DataFrame
    months: pd.DataFrame
    so_far: Measurement
    year_end: Measurement
    plan: Measurement | None
    chance: Measurement
    widened: float
    past: pd.DataFrame
    error: float | None
    naive_error: float | None

    @property
    def better_than_naive(self) -> bool:
        """Whether the method's past forecasts were nearer than those that repeat the year before."""
        return self.error is not None and self.error < self.naive_error


def year_forecast(company: Company, draws: int = 4000) -> YearForecast:
    """Exponential smoothing of monthly net new ARR to the end of the fiscal year. The same company, the same numbers.

    Unavailable without subscriptions, or with fewer than 24 closed months of them.
    """
    company.require(NEEDS)
    history = monthly_history(company)
    if len(history) < LEAST_MONTHS:
        raise Unavailable([f"{LEAST_MONTHS} closed months of subscriptions (there are {len(history)})"])
    end = history.month.iloc[-1]
    start = fiscal_year_start(end, company.settings.fiscal_year_start)
    year = Period(start, month_end(add_months(start, 11)))
    values = history.value.to_numpy(float)
    closed = (end.year - start.year) * 12 + end.month - start.month + 1
    to_come = SEASON - closed
    forecaster = backtest.ets(SEASON, draws, SEED)
    past, naive = (_origins(values, method, to_come or 3) for method in (forecaster, backtest.seasonal_naive(SEASON)))
    wider = backtest.too_narrow(past)
    total = values[-closed:].sum()
    paths = total + _wide(forecaster(values, to_come).cumsum(axis=0), wider) if to_come else np.full((0, 1), total)
    money = Measurement(round(total), n=closed, unit="money", currency=company.settings.currency, definition_id="net_new_arr")
    plan = target(company, "net_new_arr", year)
    return YearForecast(
        year=year,
        history=history,
        months=backtest.bands(paths).assign(month=[month_end(add_months(start, closed + i)) for i in range(to_come)]),
        so_far=money,
        year_end=_year_end(money, paths),
        plan=plan,
        chance=_chance(plan, paths, total),
        widened=wider,
        past=_covered(backtest.widened_by_the_others(past)),
        error=accuracy.mae(past.actual, past["median"]) if len(past) else None,
        naive_error=accuracy.mae(naive.actual, naive["median"]) if len(past) else None,
    )


def monthly_history(company: Company) -> pd.DataFrame:
    """month (its last day) and net new ARR (cents) of every closed month but the first, which holds the book of before."""
    first = company.table("subscriptions").starts_on.min().execute()
    last = last_closed_month_end(company.as_of)
    agreed = company.settings.records_start.get("subscriptions")
    if pd.isna(first):
        return pd.DataFrame({"month": [], "value": []})
    first = max(date(first.year, first.month, first.day), agreed or date.min)
    start = add_months(first.replace(day=1), 1)
    if start > last:
        return pd.DataFrame({"month": [], "value": []})
    rows = measure(company, "net_new_arr", every="month", period=Period(start, last))
    return pd.DataFrame({"month": rows.period_end.tolist(), "value": rows.value.astype(float).tolist()})


def _year_end(money: Measurement, paths: np.ndarray) -> Measurement:
    if not len(paths):
        return money
    low, middle, high = np.percentile(paths[-1], [2.5, 50, 97.5])
    return replace(money, value=round(float(middle)), low=float(low), high=float(high))


def _chance(plan: Measurement | None, paths: np.ndarray, total: float) -> Measurement:
    """The share of simulated years that reach the plan; its interval is that of the simulation's finite number of draws."""
    fields = {"unit": "percent", "definition_id": "net_new_arr"}
    if plan is None:
        return not_applicable("the plan does not cover the whole year", **fields)
    ends = paths[-1] if len(paths) else np.array([total])
    reached = int((ends >= plan.value).sum())
    if len(ends) == 1:
        return Measurement(float(reached), n=1, **fields)
    low, high = intervals.wilson(reached, len(ends))
    return Measurement(reached / len(ends), n=len(ends), low=float(low), high=float(high), **fields)


def _wide(paths: np.ndarray, factor: float) -> np.ndarray:
    middle = np.median(paths, axis=1, keepdims=True)
    return middle + factor * (paths - middle)


def _origins(values: np.ndarray, forecaster: backtest.Forecaster, horizon: int) -> pd.DataFrame:
    """Past forecasts, one a quarter back from the newest whose months are over, each with 24 months behind it."""
    first = LEAST_MONTHS + (len(values) - horizon - LEAST_MONTHS) % 3
    return backtest.rolling_origin(values, forecaster, horizon, first, step=3)


def _covered(rows: pd.DataFrame) -> pd.DataFrame:
    if rows.empty:
        return pd.DataFrame(columns=["level", "inside", "origins", "low", "high"])
    inside = [accuracy.covered(rows.actual, rows[f"low_{level}"], rows[f"high_{level}"]) for level in backtest.LEVELS]
    low, high = intervals.wilson(inside, [len(rows)] * len(inside))
    return pd.DataFrame({"level": backtest.LEVELS, "inside": inside, "origins": len(rows), "low": low, "high": high})
