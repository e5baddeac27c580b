"""Leads and deals by hand-worked tables: conversion, time with the ones still waiting, and what does not count."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from revops_helpers.foundation.totals import totals
from revops_helpers.metrics.measure import measure, measurement, measurements
from revops_helpers.periods import Period
from tests.support import company_of

OLIST = Path(__file__).parent.parent.parent / "shared" / "data" / "olist_funnel"


def lead(number, created="2026-03-02 12:00", contact=None, deal=None, **more):
    return {
        "lead_id": f"l{number}",
        "created_at": created,
        "first_contact_at": contact,
        "opportunity_id": deal,
        "account_id": None,
        "source": "website",
        **more,
    }


def deal(number, opened="2026-03-10 12:00", status="open", closed=None, **more):
    return {
        "opportunity_id": f"d{number}",
        "account_id": f"a{number}",
        "lead_id": None,
        "kind": "new",
        "status": status,
        "amount": 1000_00,
        "currency": "BRL",
        "created_at": opened,
        "closed_at": closed and f"{closed} 15:00",
        "close_date": closed or "2026-12-31",
        "lost_reason": None,
        **more,
    }


def found(company, metric, period=None):
    m = measurement(company, metric, period)
    return m.value, m.n, m.status


# --- conversion -----------------------------------------------------------------------------------------------------------


def test_lead_to_opportunity_counts_deals_opened_over_leads_created_each_by_its_day():
    leads = [lead(i) for i in range(4)] + [lead(9, created="2025-12-30 12:00")]
    deals = [deal(1, lead_id="l0"), deal(2, lead_id="l9"), deal(3), deal(4, kind="expansion"), deal(5, opened="2025-12-01")]
    company = company_of(leads=leads, opportunities=deals)
    assert found(company, "leads")[0] == 4
    assert found(company, "opportunities_opened")[0] == 3
    assert found(company, "lead_to_opportunity")[:2] == (3 / 4, 4)


def test_its_interval_is_that_of_independent_leads():
    # 100 of 500 leads: nearly the binomial's. Where deals stem from earlier leads the interval must be wider.
    own = [deal(i, lead_id=f"l{i}") for i in range(100)]
    leads = [lead(i) for i in range(500)]
    same = measurement(company_of(leads=leads, opportunities=own), "lead_to_opportunity")
    assert (same.low, same.high) == pytest.approx((0.2 - 1.96 * 0.0179, 0.2 + 1.96 * 0.0179), abs=1e-3)
    others = [deal(i, lead_id=f"old{i}") for i in range(100)]
    apart = measurement(company_of(leads=leads, opportunities=others), "lead_to_opportunity")
    assert apart.high - apart.low > same.high - same.low


def test_conversion_of_a_cohort_waits_ninety_days_for_every_lead():
    leads = [
        lead(1, "2026-03-02", deal="d1"),
        lead(2, "2026-03-02", deal="d2"),
        lead(3, "2026-03-02"),
        lead(4, "2026-09-01", deal="d4"),
    ]
    deals = [deal(1, "2026-05-31"), deal(2, "2026-06-01 12:00"), deal(4, "2026-09-02")]
    company = company_of(leads=leads, opportunities=deals)
    march, september = (Period(date(2026, m, 1), date(2026, m, 30)) for m in (3, 9))
    assert found(company, "lead_conversion_90d", march) == (1 / 3, 3, "insufficient")
    whole = measurement(company, "lead_conversion_90d")
    assert (whole.value, whole.status, whole.reason) == (1 / 3, "censored", "complete on 2026-12-29")
    young = measurement(company, "lead_conversion_90d", september)
    assert (young.value, young.status, young.reason) == (None, "censored", "complete on 2026-12-29")


def test_period_conversion_lies_below_the_cohorts_when_leads_grow():
    # Source: the known answers. p 20 %, leads grow 6 % a month, deals follow after four months: 20 % × 1.06^-4 = 15.8 %.
    starts = pd.date_range("2025-05-01", "2026-09-01", freq="MS")
    volume = [round(1000 * 1.06**i) for i in range(len(starts))]
    leads, deals = [], []
    for month, (start, n) in enumerate(zip(starts, volume, strict=True)):
        leads += [lead(f"{month}-{i}", str(start.replace(day=15)), deal=f"d{month}-{i}" if i < n / 5 else None) for i in range(n)]
        opened = str(start.replace(day=15) + pd.DateOffset(months=4))
        deals += [deal(f"{month}-{i}", opened, lead_id=f"l{month}-{i}") for i in range(round(n / 5))]
    company = company_of(leads=leads, opportunities=deals)
    august = Period(date(2026, 8, 1), date(2026, 8, 31))
    assert found(company, "lead_to_opportunity", august)[0] == pytest.approx(0.1584, abs=2e-4)


def test_leads_won_are_counted_of_those_that_had_half_a_year():
    leads = [lead(n, "2026-01-10 16:00", deal=f"d{n}") for n in range(1, 7)] + [lead(7, "2026-01-10 16:00")]
    deals = [
        deal(1, status="won", closed="2026-02-01"),
        deal(2, status="won", closed="2026-07-09"),  # on the 180th day
        {**deal(3, status="won", closed="2026-03-01"), "closed_at": None},  # the day alone is known
        deal(4, status="won", closed="2026-08-01"),  # later
        deal(5, status="lost", closed="2026-02-01"),
        deal(6),
    ]
    young = [lead(8, "2026-05-01 12:00", deal="d8")]
    deals.append(deal(8, status="won", closed="2026-05-02"))
    company = company_of(leads=leads + young, opportunities=deals)
    m = measurement(company, "lead_won_180d", Period(date(2026, 1, 1), date(2026, 1, 31)))
    assert (m.value, m.n, m.status) == (3 / 7, 7, "insufficient")
    whole = measurement(company, "lead_won_180d")
    assert (whole.value, whole.n, whole.status, whole.reason) == (3 / 7, 7, "censored", "complete on 2027-03-29")
    early = measurement(company.on(date(2026, 6, 30)), "lead_won_180d")
    assert (early.value, early.n) == (None, 0)


def test_a_cohort_of_leads_looks_the_same_half_a_year_later_and_a_year_after():
    """In 2024 as in 2025: half are won after 100 days and a quarter after 300, which the first look at them cannot know."""
    leads, deals = [], []
    for year in (2024, 2025):
        for n in range(80):
            name, opened = f"{year}-{n}", date(year, 2, 1)
            days = 100 if n % 2 else 300 if n % 4 else None
            leads.append(lead(name, f"{opened} 12:00", deal=f"d{name}"))
            won = {"status": "won", "closed": str(opened + timedelta(days=days))} if days else {}
            deals.append(deal(name, f"{opened} 13:00", **won))
    company = company_of(leads=leads, opportunities=deals, as_of="2025-09-30")
    spans = tuple(Period(date(year, 1, 1), date(year, 3, 31)) for year in (2024, 2025))
    rows = measure(company, "lead_won_180d", period=spans)
    assert list(rows.value) == [0.5, 0.5]
    assert list(rows.status) == ["ok", "ok"]


# --- closed deals ---------------------------------------------------------------------------------------------------------


def test_win_rates_sizes_and_counts_of_hand_worked_deals():
    deals = [
        deal(1, status="won", closed="2026-04-01", amount=3000_00),
        deal(2, status="won", closed="2026-05-01", amount=1000_00),
        deal(3, status="lost", closed="2026-05-01", amount=4000_00, lost_reason="no decision"),
        deal(4, status="lost", closed="2026-05-01", lost_reason="Duplicate"),
        deal(5, status="lost", closed="2026-05-01", lost_reason="disqualified"),
        deal(6, status="won", closed="2026-05-01", kind="expansion"),
        deal(7, opened="2025-11-01", status="won", closed="2025-12-31"),
        deal(8),
    ]
    company = company_of(opportunities=deals)
    got = {name: m.value for name, m in measurements(company, ["win_rate", "win_rate_value", "deals_won", "deal_size"]).items()}
    assert got == {"win_rate": 2 / 3, "win_rate_value": 4000 / 8000, "deals_won": 2, "deal_size": 2000_00}
    assert measurement(company, "new_arr_won").value == 4000_00
    assert found(company, "decided_share")[0] == 3 / 4


def test_a_deal_closed_after_the_as_of_date_is_open():
    rows = [deal(1, status="won", closed="2026-04-01"), deal(2, status="lost", closed="2026-10-01")]
    rows.append(deal(3, status="lost", closed="2025-04-01", opened="2025-01-01 12:00"))
    assert found(company_of(opportunities=rows), "win_rate")[:2] == (1, 1)


def test_foreign_deals_count_at_the_plans_rate():
    rows = [deal(1, status="won", closed="2026-04-01", currency="USD"), deal(2, status="won", closed="2026-04-01")]
    assert found(company_of(opportunities=rows, settings={"plan_rates": {"USD": 5.4}}), "deal_size")[0] == 3200_00


def test_what_is_won_and_not_live_yet_keeps_the_live_share_below_one():
    deals = [
        deal(1, status="won", closed="2026-04-01", amount=1200_00),
        deal(2, status="won", closed="2026-09-01", amount=1200_00),
    ]
    live = [
        {"subscription_id": "s", "account_id": "a1", "mrr": 100_00, "starts_on": "2026-05-01", "ends_on": None, "currency": "BRL"}
    ]
    assert found(company_of(opportunities=deals, subscriptions=live), "live_share")[:2] == (0.5, 2)


# --- time -----------------------------------------------------------------------------------------------------------------


def test_leads_never_contacted_hold_the_median_back_and_are_not_dropped():
    quick = [lead(i, contact="2026-03-02 12:30") for i in range(30)]
    never = [lead(100 + i) for i in range(20)]
    assert found(company_of(leads=quick + never), "time_to_first_contact") == (30, 50, "ok")
    assert found(company_of(leads=quick + never), "never_contacted")[:2] == (20 / 50, 50)
    more = company_of(leads=quick + [lead(100 + i) for i in range(40)])
    m = measurement(more, "time_to_first_contact")
    waited = (datetime(2026, 10, 1, 3) - datetime(2026, 3, 2, 12)) // timedelta(minutes=1) - 1
    assert (m.status, m.value, m.high) == ("censored", waited, None)


def test_a_contact_stamped_before_the_lead_is_left_out():
    leads = [lead(1, contact="2026-03-02 11:00"), lead(2, contact="2026-03-02 13:00")]
    assert found(company_of(leads=leads), "time_to_first_contact")[:2] == (60, 1)


def test_the_service_level_runs_in_working_time_and_is_missed_only_when_it_is_over():
    # São Paulo is three hours behind UTC; 2026-03-06 is a Friday.
    leads = [
        lead(1, "2026-03-06 20:50", "2026-03-09 12:40"),  # Friday 17:50, Monday 9:40: 50 working minutes
        lead(2, "2026-03-06 13:00", "2026-03-06 14:30"),  # 90 minutes
        lead(3, "2026-03-06 13:00"),  # never
        lead(4, "2026-09-30 20:30"),  # half an hour before closing on the as-of day: not due yet
    ]
    company = company_of(leads=leads)
    assert found(company, "contacted_within_sla")[:2] == (1 / 3, 3)
    first_two = Period(date(2026, 3, 1), date(2026, 3, 31))
    m = measurement(company_of(leads=leads[:2]), "time_to_first_contact_at_work", first_two)
    assert (m.value, m.n) == (50, 2)


def test_the_cycle_is_neither_that_of_the_fast_nor_stretched_by_losses():
    # Forty deals a month for nine months; the won need 30 or 90 days in equal parts, the lost 60. The mean of the won on an
    # open book misses the slow ones of the last months.
    rows = []
    for month in range(1, 10):
        for i in range(40):
            opened = date(2026, month, 1)
            days, status = {0: (30, "won"), 1: (90, "won")}.get(i % 4, (60, "lost"))
            closed = opened + timedelta(days=days)
            over = closed <= date(2026, 9, 30)
            rows.append(deal(f"{month}-{i}", f"{opened} 12:00", status if over else "open", closed.isoformat() if over else None))
    m = measurement(company_of(opportunities=rows), "cycle_days")
    assert (m.n, m.status) == (360, "ok")
    assert m.value in (30, 90) and (m.low, m.high) == (30, 90)
    won = [r for r in rows if r["status"] == "won"]
    naive = sum((date.fromisoformat(r["close_date"]) - date.fromisoformat(r["created_at"][:10])).days for r in won) / len(won)
    assert naive < 60


def test_the_cycle_of_deals_opened_before_the_period_counts_from_the_age_they_had():
    early = [deal(i, "2025-11-01 12:00", "won", "2026-02-09") for i in range(25)]  # 100 days
    late = [deal(100 + i, "2026-02-01 12:00", "won", "2026-02-11") for i in range(25)]  # 10 days
    m = measurement(company_of(opportunities=early + late), "cycle_days")
    assert (m.n, m.status, m.low) == (50, "ok", 10)
    only_early = measurement(company_of(opportunities=early), "cycle_days")
    assert only_early.value == 100


def test_no_deal_won_no_cycle():
    m = measurement(company_of(opportunities=[deal(1), deal(2, status="lost", closed="2026-04-01")]), "cycle_days")
    assert (m.value, m.status, m.n) == (None, "not_applicable", 2)


# --- third-party data -----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not OLIST.is_dir(), reason="third-party data folder ../shared/data/olist_funnel is absent")
def test_olists_leads_convert_as_published():
    # Source: the known answers. 842 of 8,000 leads won, and the rates of four sources.
    files = {f.stem: pd.read_csv(f) for f in OLIST.glob("*.csv")}
    mql = next(f for f in files.values() if "first_contact_date" in f.columns)
    won = next(f for f in files.values() if "won_date" in f.columns)
    leads = [
        {"lead_id": r.mql_id, "created_at": f"{r.first_contact_date} 12:00", "source": None if pd.isna(r.origin) else r.origin,
         "opportunity_id": r.mql_id if r.mql_id in set(won.mql_id) else None}
        for r in mql.itertuples()
    ]  # fmt: skip
    deals = [
        {"opportunity_id": r.mql_id, "status": "won", "closed_at": r.won_date, "close_date": r.won_date[:10]}
        for r in won.itertuples()
    ]
    company = company_of(leads=leads, opportunities=deals, as_of="2018-12-31")
    whole = totals(company)
    assert (whole.counts["leads_won"] / whole.counts["leads"], whole.counts["leads"]) == (pytest.approx(0.10525), 8000)
    by = whole.by_source.set_index("source").share
    published = {"paid_search": 0.1230, "organic_search": 0.1180, "social": 0.0556, "unknown": 0.1629}
    assert {name: by[name] for name in published} == pytest.approx(published, abs=5e-5)
