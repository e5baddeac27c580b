"""From a number to its rows: what they contribute adds up to the number, for every metric, whole, cut and on four rows."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revops_helpers.metrics import estimate
from revops_helpers.metrics.measure import catalogue, measure
from revops_helpers.metrics.rows import rows
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import Period
from revops_helpers.workspace import open_company
from tests.support import company_of
from tests.test_measure import deal, deals

QUARTER = Period(date(2026, 7, 1), date(2026, 9, 30))
MONTHS = [date(2025, month, 1) for month in range(1, 13)] + [date(2026, month, 1) for month in range(1, 10)]


@pytest.fixture(scope="module")
def sample() -> Company:
    return open_company("sample")


def line(customer, mrr, start, end=None):
    return {"subscription_id": f"s-{customer}-{start}", "account_id": customer, "mrr": mrr, "currency": "BRL",
            "starts_on": start, "ends_on": end, "product": "Core", "change_reason": None}  # fmt: skip


def four_rows() -> Company:
    """Four customers, four deals, four leads, one of each that ends badly, and the money behind them."""
    return company_of(
        opportunities=[deal(1, lead_id="l1"), deal(2, "lost"), deal(3, "open", "2026-11-10"), deal(4, closed="2026-08-02")],
        subscriptions=[line("a1", 100_00, "2025-01-15"), line("a2", 50_00, "2025-03-01", "2026-02-01"),
                       line("a3", 70_00, "2026-05-01"), line("a4", 30_00, "2026-09-10")],
        leads=[{"lead_id": f"l{n}", "created_at": f"2026-0{n}-03 12:00", "opportunity_id": "d1" if n == 1 else None,
                "first_contact_at": None if n == 4 else f"2026-0{n}-03 13:00"} for n in range(1, 5)],
        spend=[{"month": m, "function": f, "amount": 10_00, "currency": "BRL"} for m in MONTHS for f in ("marketing", "sales")],
        financials=[{"month": m, "revenue": 200_00 + n * 10_00, "gross_profit": 150_00, "ebitda": 20_00, "net_burn": 5_00,
                     "currency": "BRL"} for n, m in enumerate(MONTHS)],
        targets=[{"period_start": m, "period_end": (pd.Timestamp(m) + pd.offsets.MonthEnd()).date(), "metric": name, "value": 9.0}
                 for m in [*MONTHS[12:], *(date(2026, n, 1) for n in (10, 11, 12))] for name in ("net_new_arr", "new_arr_won")],
        settings={"gross_margin": 0.75},
    )  # fmt: skip


def told(company: Company, metric: str, found: pd.DataFrame) -> float:
    """The number that the rows give: their sum, their ratio, or what the estimator makes of how long each took."""
    kind = catalogue()[metric].estimator
    if kind == "sum":
        return float(found["num"].sum())
    if kind in estimate.TIMES:
        stats = found.assign(window=0, member="", rows=1)[["window", "member", "duration", "ending", "entry", "rows"]]
        return estimate.finish(stats, catalogue()[metric], company.settings)["value"].iloc[0]
    if kind == "explained":
        came = found["den"]
        return 1 - float(((came - found["num"]) ** 2).sum() / ((came - came.mean()) ** 2).sum())
    return float(found["num"].sum()) / float(found["den"].sum())


def check(company: Company, metric: str, period: Period | None = None) -> bool:
    """Whether the metric has a value here; then its rows must give it."""
    value = measure(company, metric, period=period)["value"].iloc[0]
    if pd.isna(value):
        return False
    found = rows(company, metric, period=period).to_pandas()
    if catalogue()[metric].estimator == "derived":
        assert set(found["part"]) and all(
            told(company, part, held) == pytest.approx(measure(company, part, period=period)["value"].iloc[0])
            for part, held in found.groupby("part")
        )
    else:
        assert told(company, metric, found) == pytest.approx(value)
    return True


@pytest.mark.parametrize("metric", sorted(catalogue()))
@pytest.mark.parametrize("period", [None, QUARTER], ids=["year", "quarter"])
def test_the_rows_of_every_metric_add_up_to_it_on_the_sample(sample, metric, period):
    assert check(sample, metric, period) or measure(sample, metric, period=period)["reason"].iloc[0]


def test_they_add_up_on_four_rows_too_and_most_metrics_have_some():
    company = four_rows()
    assert sum(check(company, metric) for metric in catalogue()) >= 40


def test_a_rate_names_its_records_and_what_each_contributes():
    found = rows(company_of(opportunities=deals(2, 1)), "win_rate").to_pandas().sort_values("opportunity_id")
    assert found[["opportunity_id", "num", "den"]].values.tolist() == [["d0", 1, 1], ["d1", 1, 1], ["d2", 0, 1]]


def test_what_contributes_nothing_is_no_row():
    company = company_of(subscriptions=[line("a1", 100_00, "2025-01-15"), line("a2", 50_00, "2026-03-01")])
    assert rows(company, "new_arr").to_pandas()[["customer", "num"]].values.tolist() == [["a2", 600_00]]


def test_a_median_has_how_long_each_took_and_whether_it_is_over():
    found = rows(four_rows(), "time_to_first_contact").to_pandas().sort_values("lead_id")
    assert found["ending"].tolist() == [1, 1, 1, 0] and found["duration"].tolist()[:3] == [60, 60, 60]


def test_a_metric_made_of_others_has_the_rows_of_each():
    found = rows(four_rows(), "ltv_cac").to_pandas()
    assert set(found["part"]) == {"arpa", "customer_lifetime", "cac"}
    assert found[found["part"] == "arpa"]["num"].sum() == 100_00 + 70_00 + 30_00


def test_the_rows_of_one_member_are_those_of_its_number(sample):
    by = measure(sample, "win_rate", by="segment").set_index("member")
    for member in by.index:
        held = rows(sample, "win_rate", member, by="segment").to_pandas()
        assert set(held["member"]) == {member} and told(sample, "win_rate", held) == pytest.approx(by["value"][member])


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(["won", "lost"]), st.sampled_from(["m1", "m2", None])), min_size=1, max_size=12))
def test_the_members_rows_are_the_whole(drawn):
    made = [deal(i, status, motion=motion) for i, (status, motion) in enumerate(drawn)]
    company = company_of(opportunities=made)
    whole = rows(company, "deals_won").to_pandas()
    parts = rows(company, "deals_won", by="motion").to_pandas()
    assert sorted(parts["opportunity_id"]) == sorted(whole["opportunity_id"])
    assert parts["num"].sum() == sum(status == "won" for status, _motion in drawn)


def test_a_segment_has_only_its_own_rows(sample):
    part = open_company("sample", segment=_segments(sample)[0])
    assert check(part, "win_rate") and rows(part, "win_rate").count().execute() < rows(sample, "win_rate").count().execute()


def _segments(company: Company) -> list[str]:
    return sorted(company.table("accounts").select("segment").distinct().drop_null().execute()["segment"])


def test_a_company_from_a_folder_answers_by_itself(sample):
    assert sample.rows("arr").num.sum().execute() == measure(sample, "arr")["value"].iloc[0]
    assert sample.on(date(2026, 3, 31)).rows("customers").count().execute() > 0


def test_what_cannot_be_told_says_why():
    company = company_of(opportunities=deals(1, 1))
    with pytest.raises(KeyError):
        rows(company, "no_such_metric")
    with pytest.raises(ValueError, match="Name the dimension"):
        rows(company, "win_rate", "SMB")
    with pytest.raises(Unavailable, match="subscriptions"):
        rows(company, "arr")
    without = {name: held for name, held in line("a1", 1, "2026-01-01").items() if name != "product"}
    with pytest.raises(Unavailable, match=r"subscriptions\.product"):
        rows(company_of(subscriptions=[without]), "arr", by="product")
    with pytest.raises(Unavailable, match="owner"):
        rows(company_of(subscriptions=[without]), "arr", by="owner")
