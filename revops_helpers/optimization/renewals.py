"""Which customers' terms end soon, what they pay, and how much of what they pay for they use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from revops_helpers.measurement import Measurement
from revops_helpers.metrics.dimensions import in_segment
from revops_helpers.metrics.facts import by_customer, reporting, with_account
from revops_helpers.model.company import Company
from revops_helpers.periods import add_months

AHEAD_DAYS = 90
WEEKS = 4
LITTLE = 0.5  # a customer that uses less than this share of its seats uses little
NEEDS = (
    *("subscriptions.account_id", "subscriptions.mrr", "subscriptions.starts_on", "subscriptions.ends_on"),
    "subscriptions.renews_on",
)


@dataclass(frozen=True)
class Renewals:
    """Customers whose term ends within AHEAD_DAYS of the as-of day; amounts in cents.

    until: the last day looked at. due: their ARR that renews. little: the part of it at customers that use little; None where
        usage is not kept.
    customers: one row per customer, those that use little first, then the largest: customer, account_id, renews_on (its first),
        arr, used (active users per seat over the last WEEKS weeks; no value where usage or seats are not known).
    """

    until: date
    due: Measurement
    little: Measurement | None
    customers: pd.DataFrame


def renewals(company: Company, days: int = AHEAD_DAYS) -> Renewals:
    """The lines live on the as-of day whose term ends in the days after it. A term that is over while billing goes on is taken
    to have run on for whole years. Unavailable without subscriptions and the ends of their terms."""
    company.require(NEEDS)
    until = company.as_of + timedelta(days=days)
    lines = _live(company)
    lines["renews_on"] = [_next(day, company.as_of) for day in lines.renews_on]
    due = lines[lines.renews_on <= until]
    rows = due.groupby(["customer", "account_id"], as_index=False).agg(renews_on=("renews_on", "min"), arr=("arr", "sum"))
    rows = rows.merge(_used(company), how="left", on="customer") if len(rows) else rows.assign(used=pd.Series(dtype=float))
    rows["low"] = rows.used < LITTLE
    rows = rows.sort_values(["low", "arr", "customer"], ascending=[False, False, True], ignore_index=True).drop(columns="low")
    money = {"unit": "money", "currency": company.settings.currency, "definition_id": "arr"}
    low = rows[rows.used < LITTLE]
    little = Measurement(int(low.arr.sum()), n=len(low), **money) if rows.used.notna().any() else None
    return Renewals(until, Measurement(int(rows.arr.sum()), n=len(rows), **money), little, rows)


def _live(company: Company) -> pd.DataFrame:
    """customer, account_id (which stands for it), arr (cents), renews_on of the lines live on the day that have a term."""
    names = ("account_id", "mrr", "currency", "starts_on", "ends_on", "renews_on")
    rows = company.table("subscriptions", names)
    live = (rows.starts_on <= company.as_of) & (rows.ends_on.isnull() | (rows.ends_on > company.as_of))
    rows = rows.filter(live & rows.renews_on.notnull()).mutate(arr=reporting(company, rows, "subscriptions", "mrr") * 12)
    rows = in_segment(company, with_account(company, by_customer(company, rows)))
    return rows.select("customer", "account_id", "arr", "renews_on").to_pandas()


def _next(day: date, as_of: date) -> date:
    """The end of the term that is running: the one given, or whole years later."""
    day = pd.Timestamp(day).date()
    years = max(0, as_of.year - day.year)
    return next(end for end in (add_months(day, 12 * n) for n in (0, years, years + 1)) if end > as_of)


def _used(company: Company) -> pd.DataFrame:
    """customer, used: active users per seat over the last WEEKS weeks, over all its accounts."""
    if company.missing(["usage.active_users", "usage.seats", "usage.week"]):
        return pd.DataFrame({"customer": pd.Series(dtype=str), "used": pd.Series(dtype=float)})
    rows = company.table("usage", ("account_id", "week", "active_users", "seats"))
    rows = rows.filter(rows.week > company.as_of - timedelta(weeks=WEEKS), rows.active_users.notnull())
    rows = by_customer(company, rows)
    found = rows.group_by("customer").agg(active=rows.active_users.sum(), seats=rows.seats.sum()).to_pandas()
    found["used"] = (found.active / found.seats.where(found.seats > 0)).astype(float)
    return found[["customer", "used"]]
