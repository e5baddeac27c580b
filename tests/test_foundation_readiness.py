"""The roadmap's gates: each one passes on good data and fails on bad, and what is missing never passes."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from revops_helpers.foundation.readiness import GATES, Gate, Readiness, readiness
from revops_helpers.measurement import Measurement, not_applicable
from tests.support import company_of

YEAR = pd.date_range("2025-10-01", "2026-09-30", freq="MS").strftime("%Y-%m-%d")


def gate(company, name) -> Gate:
    return next(found for found in readiness(company).gates if found.id == name)


def leads(n, **filled):
    empty = {"owner_id": None, "first_contact_at": None, "opportunity_id": None}
    return [{"lead_id": f"l{i}", "created_at": "2026-05-01"} | empty | filled for i in range(n)]


def deals(n, **filled):
    base = {"status": "won", "kind": "new", "created_at": "2026-03-01", "closed_at": "2026-05-01", "lead_id": None, "amount": 1}
    return [{"opportunity_id": f"o{i}"} | base | filled for i in range(n)]


def handoffs(n, done=8):
    return [
        {
            "onboarding_id": f"h{i}",
            "opportunity_id": f"o{i}",
            "handed_off_at": "2026-05-03",
            "items_required": 8,
            "items_done": done,
        }
        for i in range(n)
    ]


def subs(n, ends=None):
    line = {"mrr": 1, "starts_on": "2025-01-01", "ends_on": ends}
    return [line | {"subscription_id": f"s{i}", "account_id": f"a{i}"} for i in range(n)]


def used(n):
    return [{"account_id": f"a{i}", "week": "2026-09-14", "sessions": 1} for i in range(n)]


def ledger(accepted, refused):
    row = {
        "table": "leads",
        "source": "x",
        "unit": "rows",
        "read": accepted + refused,
        "accepted": accepted,
        "quarantined": refused,
    }
    return pd.DataFrame([row | {"excluded": 0}])


def read(accepted, refused):
    return replace(company_of(leads=leads(1)), ledger=ledger(accepted, refused))


def planned(n):
    return [{"metric": f"m{i}", "period_start": "2026-01-01", "period_end": "2026-01-31", "value": 1.0} for i in range(n)]


account = {"account_id": "a", "created_at": "2025-01-01", "owner_id": "u", "tax_id": "11111111000111"}
finance = [{"month": "2026-09-01", "arr": 1200}]
one_line = [{"subscription_id": "s", "account_id": "a", "mrr": 100, "starts_on": "2025-01-01", "ends_on": None}]
CASES = {
    "rows_accepted": (read(99, 1), read(80, 20)),
    "fields_filled": (company_of(leads=leads(9, owner_id="u")), company_of(leads=leads(9))),
    "references_resolved": (
        company_of(leads=leads(1, owner_id="u"), users=[{"user_id": "u"}]),
        company_of(leads=leads(1, owner_id="gone"), users=[{"user_id": "u"}]),
    ),
    "companies_twice": (company_of(accounts=[account]), company_of(accounts=[account, account | {"account_id": "b"}])),
    "arr_untied": (
        company_of(subscriptions=one_line, financials=finance),
        company_of(subscriptions=one_line, financials=[{"month": "2026-09-01", "arr": 1777}]),
    ),
    "won_billed": (
        company_of(opportunities=deals(1, account_id="a0", amount=12), subscriptions=[subs(1)[0] | {"starts_on": "2026-05-10"}]),
        company_of(opportunities=deals(1, account_id="zz", amount=12), subscriptions=subs(1)),
    ),
    "leads_owned": (company_of(leads=leads(3, owner_id="u")), company_of(leads=leads(3))),
    "contacts_recorded": (company_of(leads=leads(3, first_contact_at="2026-05-02")), company_of(leads=leads(3))),
    "deals_with_lead": (company_of(opportunities=deals(3, lead_id="l")), company_of(opportunities=deals(3))),
    "handoffs_recorded": (
        company_of(opportunities=deals(3), onboardings=handoffs(3)),
        company_of(opportunities=deals(3), onboardings=handoffs(1)),
    ),
    "contacted_within_sla": (
        company_of(leads=leads(30, created_at="2026-05-04T15:00", first_contact_at="2026-05-04T15:20")),
        company_of(leads=leads(30, created_at="2026-05-04T15:00", first_contact_at="2026-05-20T15:20")),
    ),
    "handoffs_complete": (company_of(onboardings=handoffs(3)), company_of(onboardings=handoffs(3, done=2))),
    "months_of_history": (
        company_of(opportunity_history=[{"opportunity_id": "o", "changed_at": "2024-09-15", "stage": "x"}]),
        company_of(opportunity_history=[{"opportunity_id": "o", "changed_at": "2026-01-15", "stage": "x"}]),
    ),
    "deals_decided": (company_of(opportunities=deals(100)), company_of(opportunities=deals(99))),
    "planned_drivers": (company_of(targets=planned(11)), company_of(targets=planned(10))),
    "months_of_spend": (
        company_of(spend=[{"month": m, "amount": 1, "function": "sales", "category": "people"} for m in YEAR]),
        company_of(spend=[{"month": m, "amount": 1, "function": "sales", "category": "people"} for m in YEAR[:11]]),
    ),
    "customers_with_usage": (company_of(subscriptions=subs(5), usage=used(4)), company_of(subscriptions=subs(5), usage=used(3))),
    "customers_churned": (
        company_of(subscriptions=subs(100, ends="2026-02-01")),
        company_of(subscriptions=subs(99, ends="2026-02-01")),
    ),
    "leads_converted": (company_of(leads=leads(200, opportunity_id="o"), opportunities=deals(1, opportunity_id="o")),
                        company_of(leads=leads(200))),
}  # fmt: skip


def test_every_gate_has_a_case_here():
    assert set(CASES) == {row[1] for row in GATES}


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_gate_opens_on_good_data_and_stays_shut_on_bad(name):
    good, bad = CASES[name]
    assert gate(good, name).passed and gate(good, name).value.value is not None
    assert not gate(bad, name).passed and gate(bad, name).value.value is not None


def test_no_lead_in_the_period_is_nothing_to_count_and_not_a_need():
    old = company_of(leads=leads(3, created_at="2020-05-04T15:00", first_contact_at="2020-05-04T15:20"))
    assert gate(old, "contacted_within_sla").value.reason.startswith("nothing to count")


def test_what_is_missing_passes_no_gate_and_says_what_it_needs():
    ready = readiness(company_of(users=[{"user_id": "u"}]))
    assert not any(found.passed for found in ready.gates) and ready.position == 1
    assert all(found.value.reason.startswith(("needs ", "nothing to count")) for found in ready.gates)


def test_a_phase_opens_only_after_those_before_it():
    yes, no = Measurement(1.0, unit="percent"), not_applicable("needs x", unit="percent")
    ready = Readiness((Gate(1, "a", yes, 0.5), Gate(2, "b", no, 0.5), Gate(3, "c", yes, 0.5), Gate(4, "d", yes, 0.5)))
    assert [ready.is_open(phase) for phase in (1, 2, 3, 4)] == [True, False, False, False] and ready.position == 2


def test_all_gates_passed_is_the_last_phase():
    assert Readiness((Gate(1, "a", Measurement(0.1, unit="percent"), 0.2, "at_most"),)).position == 4
