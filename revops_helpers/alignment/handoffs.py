"""Handoffs from sales to customer success: how complete they are, how long customers wait for value, and who leaves after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd

from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.methods import intervals
from revops_helpers.methods.effects import hazard_ratio
from revops_helpers.methods.survival import Survival, kaplan_meier
from revops_helpers.metrics.customer import ITEMS
from revops_helpers.metrics.dimensions import NOT_RECORDED, add_dimension, in_segment
from revops_helpers.metrics.facts import by_customer, deals
from revops_helpers.metrics.handoffs import first_handoffs, won_and_handed_off
from revops_helpers.metrics.process import CLOSED
from revops_helpers.metrics.reasons import TOO_FEW
from revops_helpers.metrics.recurring import held, states
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import Period

NEEDS = (*CLOSED, "onboardings.opportunity_id", "onboardings.handed_off_at", *ITEMS)
VALUE = ("onboardings.first_value_at",)
LEAVING = ("opportunities.account_id", "subscriptions.account_id", "subscriptions.mrr", "subscriptions.ends_on")
FEW = 20
YEAR = 365.25
COMPLETE, INCOMPLETE, NONE = "complete", "incomplete", "none"


@dataclass(frozen=True)
class FirstValue:
    """Days from the win to the first value, complete and incomplete handoffs apart: a Kaplan-Meier curve for each."""

    curves: Mapping[str, Survival]


@dataclass(frozen=True)
class Leaving:
    """Customers after a complete and an incomplete handoff; one row each of `arms`: arm, customers, left, years watched, rate a
    year with low and high (Garwood), live (customers now) and arr (their ARR, cents).

    ratio: hazard of leaving after an incomplete handoff against a complete one, segments apart (Cox); None where too few left.
    by_items: the same by how many items were left out: missing, customers, left, years, rate, low, high.
    avoidable: ARR a year that leaves beyond what would if incomplete were like complete; cents, interval from that of the ratio.
    """

    arms: pd.DataFrame
    ratio: Measurement | None
    by_items: pd.DataFrame
    avoidable: Measurement


def first_value(company: Company) -> FirstValue:
    """All deals won on record. Unavailable without handoff items and first values."""
    company.require([*NEEDS, *VALUE])
    span = Period(_first_handoff(company), company.as_of)
    rows = in_segment(company, won_and_handed_off(company, Windows.of(company.settings, span)))
    rows = rows.mutate(arm=_arm(rows))
    counts = rows.group_by("arm", "days", "valued").agg(rows=rows.count()).order_by("arm", "days", "valued").to_pandas()
    groups = {arm: counts[counts.arm == arm] for arm in (COMPLETE, INCOMPLETE)}
    return FirstValue({arm: kaplan_meier(g.days, g.valued, weights=g.rows) for arm, g in groups.items() if len(g)})


def leaving(company: Company) -> Leaving:
    """All customers on record that were handed off. Unavailable without handoff items and subscriptions."""
    company.require([*NEEDS, *LEAVING])
    customers = _customers(company)
    arms = _arms(customers)
    counts = arms.set_index("arm").left.reindex([COMPLETE, INCOMPLETE], fill_value=0)
    enough = counts.sum() >= FEW and counts.min() >= FEW / 4
    exposed = customers.assign(exposed=customers.arm == INCOMPLETE)
    ratio = hazard_ratio(exposed, "exposed", "age", "left", "entry", "segment", "customers") if enough else None
    return Leaving(arms, ratio, _by_items(customers), _avoidable(company, arms, ratio))


def _first_handoff(company: Company) -> date:
    """The day from which handoffs are on record, as company.yml says or the first one shows."""
    if agreed := company.settings.records_start.get("onboardings"):
        return agreed
    first = company.table("onboardings", ("handed_off_at",)).handed_off_at.min().to_pyarrow().as_py()
    if first is None:
        raise Unavailable(["onboardings.handed_off_at"])
    return first.date()


def _arm(rows: ibis.Table) -> ibis.StringValue:
    return ibis.cases((rows.complete.isnull(), NONE), (rows.complete, COMPLETE), else_=INCOMPLETE)


def _customers(company: Company) -> pd.DataFrame:
    """Customers with a handoff, counted: arm, missing (items), segment, age (days from the first paid day until they left or the
    as-of date), entry (age from which they were watched), left, customers, and mrr now (cents)."""
    paid = states(company, by_month=False)
    gone = ~held(paid)
    paid = paid.group_by("customer").agg(
        account_id=paid.account_id.min(), first=paid.on.min(), gone=paid.on.min(where=gone), mrr=paid.closing.argmax(paid.on)
    )
    handed = _handed_off(company)
    rows = paid.join(handed, paid.customer == handed._customer)
    as_of = ibis.literal(company.as_of)
    until = ibis.coalesce(rows.gone, as_of)
    begun = company.settings.records_start.get("subscriptions", date.min + timedelta(days=1))
    watched = ibis.greatest(rows.handed_on, ibis.literal(begun), rows["first"])
    rows = rows.mutate(
        age=until.delta(rows["first"], unit="day"), entry=watched.delta(rows["first"], unit="day"), left=rows.gone.notnull()
    )
    rows = rows.filter(rows["first"] <= as_of, rows.age > rows.entry)
    if company.missing(["accounts.segment"]):
        rows = rows.mutate(segment=ibis.literal(NOT_RECORDED))
    else:
        rows = add_dimension(company, rows, "segment").rename(segment="member")
    rows = rows.filter(rows.segment == company.segment) if company.segment else rows
    keys = ["arm", "missing", "segment", "age", "entry", "left"]
    live = ibis.ifelse(rows.left, 0, rows.mrr)
    return rows.group_by(keys).agg(customers=rows.count(), mrr=live.sum()).order_by(keys).to_pandas()


def _handed_off(company: Company) -> ibis.Table:
    """Each customer's first handoff: _customer, arm, missing, handed_on."""
    won = deals(company)
    won = won.filter((won.status == "won") & (won.kind == "new") & won.account_id.notnull())
    handed = first_handoffs(company)
    rows = by_customer(company, won.select("opportunity_id", "account_id")).join(handed, "opportunity_id")
    rows = rows.filter(rows.complete.notnull())
    order = ibis.window(group_by="customer", order_by=["handed_off_at", "opportunity_id"])
    rows = rows.mutate(_place=ibis.row_number().over(order))
    rows = rows.filter(rows._place == 0)
    missing = ibis.greatest(rows.items_required - rows.items_done.fill_null(0), 0)
    return rows.select(_customer="customer", arm=_arm(rows), missing=missing, handed_on=rows.handed_off_at.date())


def _arms(customers: pd.DataFrame) -> pd.DataFrame:
    arms = [_rates(arm, customers[customers.arm == arm]) for arm in (COMPLETE, INCOMPLETE)]
    return pd.DataFrame(arms).rename(columns={"group": "arm"})


def _by_items(customers: pd.DataFrame) -> pd.DataFrame:
    rows = [_rates(int(missing), group) for missing, group in customers.groupby("missing")]
    return pd.DataFrame(rows, columns=["group", *_COLUMNS]).rename(columns={"group": "missing"})


_COLUMNS = ["customers", "left", "years", "rate", "low", "high", "live", "arr"]


def _rates(group: object, rows: pd.DataFrame) -> dict[str, object]:
    """How many customers, how many left, in how many years watched; and those there now with their ARR."""
    left = int(rows.customers[rows.left].sum())
    years = float(((rows.age - rows.entry) * rows.customers).sum() / YEAR)
    low, high = (float(end) for end in intervals.poisson_exact(left))
    per = years or np.nan
    held = {"live": int(rows.customers[~rows.left.astype(bool)].sum()), "arr": int(12 * rows.mrr.sum())}
    rate = {"rate": left / per, "low": low / per, "high": high / per}
    return {"group": group, "customers": int(rows.customers.sum()), "left": left, "years": years, **rate, **held}


def _avoidable(company: Company, arms: pd.DataFrame, ratio: Measurement | None) -> Measurement:
    """ARR with incomplete handoffs × the rate at which it leaves × the part of that beyond the complete ones: 1 − 1/ratio."""
    money = {"unit": "money", "currency": company.settings.currency, "definition_id": "churned_arr"}
    if ratio is None:
        return not_applicable(TOO_FEW, **money)
    worse = arms[arms.arm == INCOMPLETE].iloc[0]
    low, value, high = (worse.arr * worse.rate * (1 - 1 / end) for end in (ratio.low, ratio.value, ratio.high))
    return Measurement(round(value), n=int(worse.live), low=low, high=high, **money)
