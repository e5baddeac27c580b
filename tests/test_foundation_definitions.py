"""What teams report against the catalogue: the same quarter, the metric's unit, and who agrees."""

from __future__ import annotations

import pytest

from revops_helpers.foundation.definitions import claims
from revops_helpers.model.company import Unavailable
from revops_helpers.words.claims import claims_section
from revops_helpers.words.markup import plain
from tests.support import company_of

SUBS = [{"subscription_id": "s", "account_id": "a", "mrr": 100_000, "starts_on": "2025-01-01", "ends_on": None}]


def claimed(*reports, subscriptions=SUBS):
    rows = [{"team": t, "metric": m, "value": v, "period_start": day, "definition": "own words"} for t, m, v, day in reports]
    return company_of(metric_claims=rows, subscriptions=subscriptions)


def text(company) -> str:
    return plain(claims_section(company.ask(claims)).text).replace("\u00a0", " ")


def test_money_is_compared_in_cents_over_the_fiscal_quarter():
    found = claims(claimed(("finance", "ARR", 12_000.0, "2026-07-01"), ("sales", "arr", 18_000.0, "2026-08-01")))
    assert [(c.team, c.claimed, c.agrees) for c in found] == [("finance", 1_200_000, True), ("sales", 1_800_000, False)]
    assert found[0].ours.value == 1_200_000 and found[0].period.start.month == 7


def test_only_the_newest_quarter_is_compared():
    assert len(claims(claimed(("a", "arr", 1.0, "2026-01-01"), ("b", "arr", 2.0, "2026-07-01")))) == 1


def test_a_measure_that_the_catalogue_has_not_cannot_be_told():
    found = claims(claimed(("a", "happiness", 7.0, "2026-07-01")))
    assert found[0].agrees is None and found[0].ours.status == "not_applicable"


def test_the_reading_tells_how_far_apart_and_who_agrees():
    apart = text(claimed(("finance", "arr", 12_000.0, "2026-07-01"), ("sales", "arr", 18_000.0, "2026-07-01")))
    assert "Two teams report ARR for July–September 2026 from R$ 12 k to R$ 18 k, 1.5× apart." in apart
    assert "One report agrees with it." in apart
    assert "No report agrees" in text(claimed(("a", "arr", 1.0, "2026-07-01"), ("b", "arr", 2.0, "2026-07-01")))
    assert "All reports agree" in text(claimed(("a", "arr", 12_000.0, "2026-07-01"), ("b", "arr", 12_000.0, "2026-07-01")))
    assert "The report agrees with it." in text(claimed(("a", "arr", 12_000.0, "2026-07-01")))


def test_without_claims_the_section_says_so():
    with pytest.raises(Unavailable):
        claims(company_of(subscriptions=SUBS))
    assert claims_section(company_of(subscriptions=SUBS).ask(claims)).kind == "unavailable"
