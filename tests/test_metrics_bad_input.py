"""Every metric on the worst input that a company can have: one account, money in a currency without a rate, a month of spend that
never came, credits instead of spend, and periods from before the records. Never a number that is not one; always the reason."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.metrics.estimate import finish
from revops_helpers.metrics.measure import measure
from revops_helpers.model.tables import TABLES
from revops_helpers.periods import Period
from revops_helpers.settings import Settings
from tests.support import company_of

QUARTER = Period(date(2026, 7, 1), date(2026, 9, 30))
MONTHS = [date(2025 + m // 12, m % 12 + 1, 1) for m in range(21)]  # to September 2026
PLAIN = {"integer": 1, "number": 1.0, "money": 100_00, "flag": True, "date": "2026-07-10", "time": "2026-07-10 12:00"}
OWN = {
    "currency": "BRL",
    "ends_on": None,
    "left_on": None,
    "hired_on": "2020-01-01",
    "automated": False,
    "status": "won",
    "kind": "new",
    "function": "sales",
    "period_start": "2026-07-01",
    "period_end": "2026-09-30",
    "metric": "net_new_arr",
}
# One or two of every estimator and family: all of them would take most of a minute.
SAMPLED = ["arpa", "cac", "cac_payback", "cac_ratio", "contacted_within_sla", "cycle_days", "deal_size", "handoff_completion",
           "healthy_arr", "integration_success", "lead_to_mql", "ltv", "ltv_cac", "nps", "on_time_rate", "quota_met",
           "selling_time", "time_to_assignment", "won_within_180d"]  # fmt: skip
BOOKED = ["cac", "cac_allocated", "cac_blended", "cac_payback", "cac_ratio", "cac_ratio_blended", "ltv_cac", "magic_number_lag"]


def row_of(table: str, **given) -> dict:
    """One row with every column filled; whatever names another record names the only one."""
    columns = {c.name: c for c in TABLES[table].columns}
    row = {name: OWN.get(name, PLAIN.get(c.type, c.allowed[0] if c.allowed else "x")) for name, c in columns.items()}
    return {name: value for name, value in (row | given).items() if name in columns}


def one_of_each(settings=None, months=MONTHS, **given):
    """A company with one record of everything, and its books month by month."""
    tables = {name: [row_of(name, **given)] for name in TABLES}
    tables["financials"] = [row_of("financials", month=month, **given) for month in months]
    paid = [{"month": month, "function": function, **given} for month in months for function in ("marketing", "sales")]
    tables["spend"] = [row_of("spend", **line) for line in paid]
    return company_of(settings={"gross_margin": 0.8} | (settings or {}), **tables)


def sound(frame) -> bool:
    """Numbers are finite and inside their intervals; what is not ok says why, and what has no value is not ok."""
    known = frame[frame.value.notna()]
    inside = (known.low.isna() | (known.low <= known.value)) & (known.high.isna() | (known.high >= known.value))
    finite = np.isfinite(known[["value", "low", "high"]].fillna(0)).all(axis=None)
    said = (frame.status == "ok") == (frame.reason == "")
    return bool(finite and inside.all() and said.all() and (frame[frame.value.isna()].status != "ok").all())


def found(metrics, **given):
    """The rows of metrics over QUARTER, by metric; all sound."""
    frame = measure(one_of_each(**given), metrics, period=QUARTER).set_index("metric", drop=False)
    assert sound(frame), frame
    return frame


def test_one_record_of_everything_is_never_enough_and_says_so():
    single = found([*SAMPLED, "arr", "customers", "deals_won"])
    assert {name: single.status[name] for name in SAMPLED if single.status[name] == "ok"} == {}
    assert single.value[["arr", "customers", "deals_won"]].tolist() == [12 * 100_00, 1, 1]
    assert single.reason["won_within_180d"] == "complete on 2027-03-29"  # no cohort is old enough yet


def test_before_records_begin_no_metric_has_a_value_and_each_says_from_when():
    early = found(["arr", "nrr", "win_rate", "cac", "leads"], settings={"records_start": {t: date(2026, 10, 1) for t in TABLES}})
    assert early.value.isna().all() and set(early.status) == {"not_applicable"}
    assert set(early.drop("win_rate").reason) == {"records begin on 2026-10-01, after the period"}


def test_money_in_a_currency_without_a_rate_names_the_currency_and_stops_nothing_else():
    foreign = found([*BOOKED, "arr", "deal_size", "pipeline", "win_rate_value", "customers", "leads"], currency="USD")
    assert set(foreign.drop("leads").reason) == {"needs fx_rates.rate_to_reporting of USD"}
    assert foreign.value.drop("leads").isna().all() and foreign.value["leads"] == 1


@pytest.mark.parametrize("lacking", [date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1)], ids=["first", "inner", "last"])
def test_a_month_of_spend_that_never_came_leaves_no_cost(lacking):
    months = [month for month in MONTHS if month != lacking]
    hole = found(BOOKED, months=months)
    assert hole.value.isna().all() and hole.reason.str.endswith(f"spend of {lacking:%Y-%m} has not arrived").all()


def test_credits_beyond_what_was_spent_are_no_cost_below_zero():
    credit = found([*BOOKED, "burn_multiple", "marketing_spend"], amount=-100_00, net_burn=-1)
    assert credit.value[BOOKED].isna().all() and set(credit.status[BOOKED]) == {"not_applicable"}
    assert credit.reason[BOOKED].str.endswith("nothing was spent").all()
    assert credit.reason["ltv_cac"] == "cac is not known: nothing was spent"
    assert (credit.value["marketing_spend"], credit.reason["burn_multiple"]) == (-300_00, "no cash was burnt")


@pytest.mark.parametrize(("estimator", "first_end"), [("won_median", 2), ("median", 1)])
def test_a_time_that_nobody_watched_from_the_start_has_no_number_and_says_why(estimator, first_end):
    metric = next(metric for metric in catalogue().values() if metric.estimator == estimator)
    rows = pd.DataFrame({"duration": [1, 5, 6, 7], "ending": [first_end, 1, 1, 1], "entry": [0, 3, 3, 3]})
    rows = pd.concat([rows.assign(window=0, member="gap"), rows.assign(window=0, member="whole", entry=0)]).assign(rows=1)
    gap, whole = finish(rows, metric, Settings(name="x", currency="BRL")).itertuples()
    assert (gap.n, gap.status, gap.reason) == (4, "insufficient", "too few were on record early on") and np.isnan(gap.value)
    assert whole.value > 0
