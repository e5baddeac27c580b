"""Where records begin inside a period, times are those of what is on record: what lasted from before says nothing of how long."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from revops_helpers.metrics.measure import measure
from revops_helpers.metrics.recurring import tenures
from revops_helpers.metrics.windows import Windows
from revops_helpers.optimization.endings import endings
from revops_helpers.periods import Period
from tests.support import company_of

BEGIN, AS_OF = date(2026, 7, 1), date(2026, 9, 30)
WHOLE, LATER = Period(date(2026, 1, 1), AS_OF), Period(BEGIN, AS_OF)
# Begun in February and done in July: such are there from before the records, the quick ones of their time are not.
OLD = [("2026-02-10 12:00", "2026-07-20 12:00")] * 30
NEW = [("2026-07-06 12:00", "2026-07-08 12:00")] * 24
SPANS = [(f"r{n}", *span) for n, span in enumerate(OLD + NEW)]


def deals(**more) -> list[dict]:
    rows = [{"opportunity_id": key, "kind": "new", "status": "won", "created_at": a, "closed_at": b} for key, a, b in SPANS]
    return [{**row, "close_date": row["closed_at"][:10], **more} for row in rows]


def stages() -> list[dict]:
    return [{"opportunity_id": key, "changed_at": began, "stage": "demo"} for key, began, _done in SPANS]


def onboardings() -> list[dict]:
    """Handed off on the day after the win; of deals won before the records nothing is on record."""
    late = [(key, f"2026-07-{21 if began < '2026-07' else 9} 12:00") for key, began, _done in SPANS]
    return [{"onboarding_id": key, "opportunity_id": key, "handed_off_at": at, "first_value_at": at} for key, at in late]


def early_wins() -> list[dict]:
    early = {"kind": "new", "status": "won", "created_at": "2026-01-10 12:00", "close_date": "2026-02-10"}
    return [{"opportunity_id": f"e{n}", **early} for n in range(40)]


LEADS = [{"lead_id": key, "created_at": a, "assigned_at": b, "first_contact_at": b} for key, a, b in SPANS]
ITEMS = [{"item_id": key, "kind": "ad", "created_at": a, "started_at": a, "done_at": b, "approved_at": b} for key, a, b in SPANS]
TICKETS = [{"ticket_id": key, "account_id": "a", "opened_at": a, "closed_at": b} for key, a, b in SPANS]
RUNS = [{"run_id": key, "started_at": a, "finished_at": b, "succeeded": True} for key, a, b in SPANS]
CASES = {
    "time_to_first_contact": ("leads", {"leads": LEADS}),
    "time_to_first_contact_at_work": ("leads", {"leads": LEADS}),
    "time_to_assignment": ("leads", {"leads": LEADS}),
    "cycle_days": ("opportunities", {"opportunities": deals()}),
    "stage_days": ("opportunity_history", {"opportunities": deals(), "opportunity_history": stages()}),
    "work_cycle_days": ("work_items", {"work_items": ITEMS}),
    "approval_wait": ("work_items", {"work_items": ITEMS}),
    "ticket_hours": ("tickets", {"tickets": TICKETS}),
    "integration_latency": ("integration_runs", {"integration_runs": RUNS}),
    "time_to_first_value": ("onboardings", {"opportunities": deals() + early_wins(), "onboardings": onboardings()}),
}


@pytest.mark.parametrize("metric", CASES)
def test_the_year_to_date_tells_the_time_of_the_months_on_record(metric):
    table, tables = CASES[metric]
    found = measure(company_of(settings={"records_start": {table: BEGIN}}, **tables), metric, period=(WHOLE, LATER))
    year, later = (found[found.period_start == span.start].iloc[0] for span in (WHOLE, LATER))
    assert (year.status, later.status) == ("partial", "ok")
    assert [*year[["value", "low", "high", "n"]].fillna(-1)] == [*later[["value", "low", "high", "n"]].fillna(-1)]
    unsaid = measure(company_of(**tables), metric, period=WHOLE).iloc[0]
    assert unsaid.n > year.n or unsaid.value != year.value  # so that the beginning matters here


def test_slow_deals_that_outlived_the_beginning_do_not_stretch_the_cycle():
    """Three deals in five are won after 10 days, two after 100, every day: half of them within ten."""
    rows = []
    for day in range(350):
        for stay in (10, 10, 10, 100, 100):
            opened = date(2025, 10, 1) + timedelta(days=day)
            closed = opened + timedelta(days=stay)
            rows.append({"opportunity_id": f"d{len(rows)}", "kind": "new", "status": "won" if closed <= AS_OF else "open",
                         "created_at": f"{opened} 12:00", "close_date": closed})  # fmt: skip
    left = [row for row in rows if row["close_date"] >= date(2026, 6, 1)]
    company = company_of(opportunities=left, settings={"records_start": {"opportunities": date(2026, 6, 1)}})
    found = measure(company, "cycle_days", period=WHOLE).iloc[0]
    assert (found.value, found.low, found.high) == (10, 10, 10)
    assert measure(company_of(opportunities=rows), "cycle_days", period=WHOLE).value.iloc[0] == 10
    assert measure(company_of(opportunities=left), "cycle_days", period=WHOLE).value.iloc[0] == 100
    assert endings(company).median.value == 10


def test_customers_are_under_watch_from_where_subscriptions_begin():
    """Since May 2025: one that stays, and three that left in March, April and July 2026."""
    ends = {"stays": None, "march": "2026-03-10", "april": "2026-04-10", "july": "2026-07-10"}
    line = {"mrr": 100_00, "starts_on": "2025-05-01"}
    lines = [{**line, "subscription_id": name, "account_id": name, "ends_on": end} for name, end in ends.items()]

    def watched(**settings):
        company = company_of(subscriptions=lines, settings=settings)
        rows = tenures(company, Windows.of(company.settings, Period(AS_OF, AS_OF))).to_pandas()
        return {row.customer: (row.entry, row.months_paid, bool(row.left)) for row in rows.itertuples()}

    assert watched() == {"stays": (4, 16, False), "march": (4, 10, True), "april": (4, 11, True), "july": (4, 14, True)}
    from_april = watched(records_start={"subscriptions": date(2026, 4, 1)})
    assert from_april == {"stays": (10, 16, False), "april": (10, 11, True), "july": (10, 14, True)}
    within_april = watched(records_start={"subscriptions": date(2026, 4, 15)})
    assert within_april == {"stays": (11, 16, False), "july": (11, 14, True)}
