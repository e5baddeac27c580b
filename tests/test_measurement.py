"""A number travels with what is needed to trust it, or does not travel."""

from __future__ import annotations

from datetime import date

import pytest

from revops_helpers.finding import Finding, ranked
from revops_helpers.measurement import STATUSES, Measurement, not_applicable


def test_a_number_without_a_value_says_why():
    with pytest.raises(ValueError, match="needs a status"):
        Measurement(value=None)
    assert not_applicable("no deals", unit="percent").reason == "no deals"


@pytest.mark.parametrize(
    ("fields", "says"), [({"status": "maybe"}, "unknown status"), ({"low": 2.0, "high": 1.0}, "upside down")]
)
def test_nonsense_is_refused(fields, says):
    with pytest.raises(ValueError, match=says):
        Measurement(value=1, **fields)


def test_there_are_five_statuses():
    assert STATUSES == ("ok", "insufficient", "not_applicable", "censored", "partial")


@pytest.mark.parametrize(
    ("measurement", "clear"),
    [
        (Measurement(value=0.2, low=0.1, high=0.3), False),
        (Measurement(value=0.3, low=0.26, high=0.4), True),
        (Measurement(value=0.1, low=0.05, high=0.2), True),
        (Measurement(value=3), True),
        (Measurement(value=0.25), False),
        (Measurement(value=0.9, low=0.8, high=1.0, status="insufficient"), False),
        (not_applicable("no denominator"), False),
        (Measurement(value=30, low=20, high=None, status="censored"), True),
    ],
)
def test_clear_of_a_reference_means_that_the_whole_interval_is(measurement, clear):
    assert measurement.clear_of(0.25) is clear


def test_findings_are_ranked_by_what_is_known_to_be_at_stake():
    def finding(id_, stake):
        return Finding(id_, "gap", "h", "a", stake, "high", "03#gap", "RevOps", "win_rate", date(2026, 10, 31))

    some = [
        finding("unknown", not_applicable("no plan")),
        finding("small", Measurement(value=5)),
        finding("thin", Measurement(value=99, status="insufficient")),
        finding("b_large", Measurement(value=9)),
        finding("a_large", Measurement(value=9)),
    ]
    assert [f.id for f in ranked(some)] == ["a_large", "b_large", "small", "thin", "unknown"]
