"""What a query leaves out because nobody reads it changes no number: first, narrow and alone, or later, from what is kept."""

from __future__ import annotations

import pandas as pd
import pytest

from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.metrics.measure import measure
from revops_helpers.metrics.metric import Metric
from revops_helpers.metrics.reading import narrows, reading, wanted
from revops_helpers.model.as_of import as_it_stood
from tests.support import company_of

DEALS = [
    {
        "opportunity_id": f"d{i}",
        "account_id": f"a{i % 2}",
        "lead_id": f"l{i}",
        "owner_id": "u1",
        "kind": "expansion" if i == 6 else "new",
        "status": ("won", "lost", "open")[i % 3],
        "lost_reason": "duplicate" if i == 4 else None,
        "amount": 100_00 * i,
        "currency": "BRL",
        "created_at": "2026-01-10 12:00",
        "closed_at": None if i % 3 == 2 or i == 3 else f"2026-0{1 + i}-20 12:00",
        "close_date": f"2026-0{1 + i}-20",
    }
    for i in range(7)
]
HISTORY = [{"opportunity_id": f"d{i}", "changed_at": "2026-01-15", "amount": 7_00, "close_date": "2026-03-01"} for i in range(4)]
LEADS = [{"lead_id": f"l{i}", "created_at": "2026-01-05", "source": "ads", "opportunity_id": f"d{i}"} for i in range(6)]
LINES = [
    {"subscription_id": f"s{i}", "account_id": f"a{i}", "product": "core", "mrr": 100_00 * (i + 1), "currency": "BRL"}
    | {"starts_on": f"2025-0{2 + i}-01", "ends_on": "2026-05-01" if i == 1 else None}
    for i in range(3)
]
ACCOUNTS = [
    {"account_id": f"a{i}", "segment": "smb" if i else "enterprise", "parent_id": "a0" if i == 2 else None} for i in range(3)
]
ASKED = (
    "win_rate",
    "deals_won",
    "new_arr_won",
    "cycle_days",
    "decided_share",
    "leads",
    "lead_won_180d",
    "arr",
    "nrr",
    "churned_arr",
)


def company():
    return company_of(opportunities=DEALS, opportunity_history=HISTORY, leads=LEADS, subscriptions=LINES, accounts=ACCOUNTS)


@pytest.mark.parametrize("by", ["", "segment"])
def test_the_first_query_and_a_later_one_give_the_same_numbers(by):
    ids = [i for i in ASKED if not by or by in catalogue()[i].dimensions]
    asked_before = company()
    measure(asked_before, ids, every="month")
    for metric in ids:
        assert narrows(catalogue()[metric].facts), metric
        narrow, kept = (measure(one, metric, by=by, every="month") for one in (company(), asked_before))
        pd.testing.assert_frame_equal(narrow, kept)


def test_a_deal_without_a_closing_moment_closed_on_the_day_that_its_history_gives():
    found = measure(company(), "deals_won", every="month")
    assert found.value[found.period_start == pd.Timestamp("2026-03-01").date()].tolist() == [1]


def test_a_query_reads_the_columns_of_its_metrics_and_cuts_and_what_its_facts_need():
    read = reading([catalogue()["win_rate"], catalogue()["new_arr_won"]], ["segment"])
    assert read.columns == {"status", "amount", "segment", "account_id"}
    assert wanted(read, "close_date") == read.columns | {"close_date"}
    assert wanted(None, "close_date") == frozenset()


@pytest.mark.parametrize("metric", catalogue().values(), ids=list(catalogue()))
def test_what_every_metric_reads_is_told_without_data(metric: Metric):
    assert reading([metric], []).columns >= {name for name in (metric.cluster, metric.entry) if name}


def test_a_reference_that_is_looked_up_by_the_caller_is_not_hidden_before():
    late = company_of("2026-07-31", leads=LEADS, opportunities=[{**DEALS[1], "created_at": "2026-08-10 12:00"}])
    hidden = as_it_stood("leads", late.accepted, late.as_of, late.settings, ["lead_id", "opportunity_id"])
    told = as_it_stood("leads", late.accepted, late.as_of, late.settings, ["lead_id", "opportunity_id"], ["opportunity_id"])
    assert hidden.opportunity_id.notnull().sum().execute() in (0, None)
    assert told.opportunity_id.notnull().sum().execute() == 6
    assert measure(late, "lead_won_180d").value.iloc[0] == 0
