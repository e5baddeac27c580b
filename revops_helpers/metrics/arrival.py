"""Whether the records of a window have arrived: what is not over, not recorded yet, or too young to judge is said so."""

from __future__ import annotations

from datetime import date
from functools import partial

import pandas as pd

from revops_helpers.metrics.metric import Metric
from revops_helpers.metrics.reasons import BEFORE_RECORDS, COMPLETE_ON, NO_PAST, NO_RECORDS, NOT_ARRIVED, NOT_BEGUN, NOT_OVER
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company
from revops_helpers.model.tables import TABLES
from revops_helpers.periods import Period, add_months, month_start

NUMBERS = ["value", "low", "high"]


def arrived(company: Company, metric: Metric, windows: Windows, found: pd.DataFrame) -> pd.DataFrame:
    """The values with the status of windows whose records are not whole: partial, or without a value where there are none."""
    states = [state(company, metric, period) for period in windows.periods]
    if not any(status for status, *_ in states):
        return found
    found = found.copy()
    for number, (status, reason, has_value) in enumerate(states):
        here = found.window == number
        if not has_value:
            found.loc[here, NUMBERS] = float("nan")
        if status and has_value and not reason.startswith(COMPLETE_ON.partition("{")[0]):
            here &= found.status != "not_applicable"
        if status:
            found.loc[here, ["status", "reason"]] = [status, reason]
    return found


def state(company: Company, metric: Metric, period: Period) -> tuple[str, str, bool]:
    """Status, reason and whether there is a value at all; an empty status where the records are whole."""
    if period.start > company.as_of:
        return "not_applicable", NOT_BEGUN, False
    if metric.present and period.end < company.as_of:
        return "not_applicable", NO_PAST, False
    tables = sorted({need.partition(".")[0] for need in metric.needs})
    begins = [(company.settings.records_start[t], t) for t in tables if t in company.settings.records_start]
    if begins:
        begin, table = max(begins)
        first, last = reads(company, metric, period, table)
        if last < begin:
            return "not_applicable", NO_RECORDS.format(day=begin), False
        if first < begin:
            return "partial", BEFORE_RECORDS.format(day=begin), True
    for table in tables:
        if TABLES[table].covers == "month":
            first, last = (month_start(day) for day in reads(company, metric, period, table))
            there = company.once(f"months of {table}", partial(_months, company, table))
            if last not in there or (hole := _hole(there, first, last)):
                missing = last if last not in there else hole
                return "partial", NOT_ARRIVED.format(table=table, month=missing.isoformat()[:7]), False
    if metric.known_on and (ripe := metric.known_on(company.settings, period.end)) > company.as_of:
        return "censored", COMPLETE_ON.format(day=ripe), True
    if period.end > company.as_of:
        return "partial", NOT_OVER, True
    return "", "", True


def reads(company: Company, metric: Metric, period: Period, table: str) -> tuple[date, date]:
    """The first and the last day of a table that the metric reads for a period."""
    first = period.end if metric.stock else period.start
    last = period.end
    if metric.lag and table == "spend":
        months = metric.lag(company)
        return add_months(first, -months), add_months(last, -months)
    return add_months(first, -metric.reach_months), last


def _months(company: Company, table: str) -> frozenset[date]:
    """The months of which a table has rows."""
    days = company.table(table).select("month").distinct().to_pyarrow()["month"].to_pylist()
    return frozenset(month_start(day) for day in days)


def _hole(there: frozenset[date], first: date, last: date) -> date | None:
    """The first month from `first` to `last` of which there is nothing: what is summed over it would look too small."""
    while first <= last:
        if first not in there:
            return first
        first = add_months(first, 1)
    return None
