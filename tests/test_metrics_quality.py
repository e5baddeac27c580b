"""Six qualities, their score and the money at risk on hand-worked records: none, one, all well, all bad, and what was refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from revops_helpers.measurement import Measurement
from revops_helpers.methods.intervals import wilson
from revops_helpers.metrics.measure import measure, measurement, measurements, sql
from revops_helpers.metrics.quality import METRICS
from revops_helpers.metrics.reasons import NO_PAST, TOO_FEW
from revops_helpers.model.company import Company
from revops_helpers.periods import Period
from tests.support import company_of

IDS = [metric.id for metric in METRICS]
SIX = IDS[:6]
ACCOUNT = {"account_id": "a", "tax_id": "12345678000195", "segment": "SMB", "owner_id": "u"}
DEAL = {
    "opportunity_id": "o", "account_id": "a", "owner_id": "u", "amount": 700, "status": "open", "kind": "new",
    "created_at": "2026-09-01", "close_date": "2026-12-01",
}  # fmt: skip
USER = {"user_id": "u", "hired_on": "2020-01-01", "left_on": None}
LINE = {"subscription_id": "s", "account_id": "a", "mrr": 10, "starts_on": "2025-01-01", "ends_on": None, "product": "Core"}
TOUCHED = {"opportunity_id": "o", "changed_at": "2026-09-02", "close_date": "2026-12-01"}


def one(**more) -> Company:
    """A company with one record of each kind and nothing wrong with any."""
    return company_of(
        **{
            "accounts": [ACCOUNT], "users": [USER], "opportunities": [DEAL], "subscriptions": [LINE],
            "opportunity_history": [TOUCHED], **more,
        }
    )  # fmt: skip


def bad() -> Company:
    """Companies that repeat each other and have no owner, and a deal due long ago, on no account, of somebody who left."""
    deal = DEAL | {"close_date": "2026-01-01", "created_at": "2025-12-01", "account_id": "gone", "kind": None, "owner_id": "left"}
    twins = [ACCOUNT | {"account_id": a, "owner_id": None, "segment": None} for a in ("a", "b")]
    history = [{"opportunity_id": "o", "changed_at": "2025-12-02", "close_date": "2026-01-01"}]
    left = USER | {"user_id": "left", "left_on": "2026-05-01"}
    line = LINE | {"account_id": "b", "product": None}
    return one(accounts=twins, users=[left], opportunities=[deal], subscriptions=[line], opportunity_history=history)


def refused(company: Company, table: str, rule: str, rows: int, read: int) -> Company:
    """The company, of whose table `read` rows were read and `rows` refused for breaking the rule."""
    line = {"table": table, "source": "crm", "unit": "rows", "read": read, "accepted": read - rows, "quarantined": rows}
    kept = pd.DataFrame({"table": [table] * rows, "rule": [rule] * rows})
    return replace(company, ledger=pd.DataFrame([line | {"excluded": 0}]), quarantine=kept, _made={})


@pytest.fixture(scope="module")
def well() -> dict[str, Measurement]:
    return measurements(one(), IDS)


@pytest.fixture(scope="module")
def ill() -> dict[str, Measurement]:
    return measurements(bad(), IDS)


def test_records_in_order_pass_every_check_and_one_of_each_is_too_few_to_judge(well):
    asked = {"completeness": 9, "uniqueness": 1, "consistency": 1, "timeliness": 2, "referential": 4}
    assert {name: well[f"quality_{name}"].n for name in asked} == asked
    assert all(well[f"quality_{name}"].value == 1 and well[f"quality_{name}"].reason == TOO_FEW for name in asked)


def test_a_quality_that_nothing_was_asked_of_has_no_value_and_is_left_out_of_the_score(well):
    assert well["quality_validity"].status == "not_applicable" and well["quality_validity"].value is None
    assert (well["quality_score"].value, well["quality_score"].n) == (1, 9 + 1 + 1 + 2 + 4)


def test_the_interval_of_the_score_is_made_of_those_of_its_parts(well):
    asked = [9, 1, 1, 2, 4]
    below = sum((1 - float(wilson(n, n)[0])) ** 2 for n in asked) ** 0.5 / 5
    assert well["quality_score"].low == pytest.approx(1 - below) and well["quality_score"].high == 1


def test_no_money_is_at_risk_on_records_in_order(well):
    assert [well[name].value for name in IDS[-3:]] == [0, 0, 0]


def test_records_that_fail_are_counted_quality_by_quality(ill):
    passed = {name: round(ill[f"quality_{name}"].value * ill[f"quality_{name}"].n) for name in ("uniqueness", "consistency")}
    assert passed == {"uniqueness": 1, "consistency": 0}  # the first of the twins stands; the one deal's owner has left
    assert ill["quality_timeliness"].value == 0 and ill["quality_timeliness"].n == 2
    # tax ids 2 of 2, segments and owners 0 of 4, the deal's account, owner, amount and date but not its kind, no product
    assert (ill["quality_completeness"].value, ill["quality_completeness"].n) == (pytest.approx(6 / 12), 12)
    # the deal's account is not there; its owner and the account of the line are
    assert (ill["quality_referential"].value, ill["quality_referential"].n) == (pytest.approx(2 / 3), 3)


def test_the_score_weighs_the_qualities_alike_however_many_records_each_asks(ill):
    assert ill["quality_score"].value == pytest.approx((6 / 12 + 1 / 2 + 0 + 0 + 2 / 3) / 5)


def test_each_amount_at_risk_counts_once_however_many_checks_fail(ill):
    money = {name: (ill[name].value, ill[name].n) for name in IDS[-3:]}
    assert money == {"pipeline_at_risk": (700, 1), "arr_at_risk": (120, 1), "revenue_at_risk": (820, 2)}


def test_money_at_risk_is_cut_by_the_segment_of_its_company():
    deals = [DEAL | {"kind": None}, DEAL | {"opportunity_id": "p", "account_id": "b", "kind": None, "amount": 300}]
    accounts = [ACCOUNT, ACCOUNT | {"account_id": "b", "tax_id": "98765432000110", "segment": "Enterprise"}]
    found = measure(one(opportunities=deals, accounts=accounts), "pipeline_at_risk", by="segment")
    assert dict(zip(found.member, found.value, strict=True)) == {"SMB": 700, "Enterprise": 300}


@pytest.mark.parametrize(
    ("rule", "quality"),
    [
        ("not an amount", "validity"), ("duplicate key", "uniqueness"), ("out of order", "consistency"),
        ("required value missing", "completeness"),
    ],
)  # fmt: skip
def test_a_refused_row_fails_the_quality_that_it_lacks_and_is_asked_of_all_rows_read(rule, quality, well):
    found = measurements(refused(one(), "opportunities", rule, rows=3, read=10), SIX)
    before = well[f"quality_{quality}"].n
    shares = {name: found[f"quality_{name}"] for name in ("completeness", "validity", "uniqueness", "consistency")}
    assert (shares[quality].value, shares[quality].n) == (pytest.approx(1 - 3 / (before + 10)), before + 10)
    assert all(share.value == 1 for name, share in shares.items() if name != quality)


def test_a_branch_that_names_its_head_office_stands_once():
    branch = ACCOUNT | {"account_id": "b", "parent_id": "a"}
    assert measurement(one(accounts=[ACCOUNT | {"parent_id": None}, branch]), "quality_uniqueness").value == 1
    assert measurement(one(accounts=[ACCOUNT, ACCOUNT | {"account_id": "b"}]), "quality_uniqueness").value == 0.5


def test_records_tell_how_they_are_and_not_how_they_were():
    found = measurement(one(), "revenue_at_risk", Period(date(2026, 4, 1), date(2026, 6, 30)))
    assert (found.value, found.status, found.reason) == (None, "not_applicable", NO_PAST)


def test_no_records_at_all_are_not_perfect_records():
    found = measurements(one(accounts=[], users=[], opportunities=[], subscriptions=[], opportunity_history=[]), IDS[:7])
    assert all(m.value is None and m.status == "not_applicable" for m in found.values())
    assert measurement(company_of(users=[USER]), "quality_score").reason == "needs opportunities"


def test_the_query_of_a_quality_holds_its_own_checks_only():
    asked = sql(one(), "quality_timeliness")
    assert "'past_due'" in asked and "'orphan'" not in asked
