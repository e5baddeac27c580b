"""What records cannot tell is found where it is, and nowhere else; hand-worked companies."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revops_helpers.foundation.alike import alike
from revops_helpers.foundation.limits import late_outcomes, record_limits, young
from revops_helpers.metrics.measure import measurement
from revops_helpers.model.company import Unavailable
from revops_helpers.optimization.endings import endings
from revops_helpers.words.endings import endings_reading, is_nobody
from revops_helpers.words.limits import limits_section, serious_lines
from revops_helpers.words.markup import plain
from tests.support import company_of

START = date(2026, 1, 1)


def deal(id, status="won", amount=100, opened="2026-01-01 12:00", closed=None, **more):
    row = {"opportunity_id": id, "status": status, "amount": amount, "currency": "BRL", "kind": "new", "created_at": opened}
    return row | {"close_date": closed if status != "open" else None} | more


def lives(born: list[int], took: list[int | None], as_of=date(2026, 9, 30)) -> pd.DataFrame:
    """One record a row, born on that day of the year and over after so many days."""
    starts = [START + timedelta(days=day) for day in born]
    ends = [None if days is None else start + timedelta(days=days) for start, days in zip(starts, took, strict=True)]
    rows = pd.DataFrame({"born": pd.to_datetime(starts), "ended": pd.to_datetime(pd.Series(ends, dtype=object)), "n": 1})
    return rows[rows.born <= pd.Timestamp(as_of)]


def kinds(company) -> list[str]:
    return [limit.kind for limit in record_limits(company).found]


def test_outcomes_that_were_not_kept_from_the_start_are_noticed():
    """The first win is on day 120. Of the 100 leads born after it half are won on their tenth day; so 50 of the 100 leads born on
    day 0, and 1 of the 2 born on day 110, were to be expected by day 120."""
    rows = lives([0] * 100 + [110, 110] + [130] * 100, [None] * 100 + [10, 10] + [10, None] * 50)
    found = late_outcomes("leads", rows, date(2026, 9, 30))
    assert found.facts["outcome"] == START + timedelta(days=120)
    assert found.facts["expected"] == pytest.approx(51)
    assert found.serious


def test_a_late_first_outcome_that_needs_that_long_is_no_limit():
    rows = lives([0] * 100 + [110] * 100, [150, None] * 50 + [150, None] * 50, date(2026, 12, 31))
    assert late_outcomes("leads", rows, date(2026, 12, 31)) is None


@given(st.lists(st.tuples(st.integers(0, 200), st.one_of(st.none(), st.integers(0, 60))), max_size=60))
def test_late_outcomes_never_crash_and_expect_no_more_than_there_are(drawn):
    rows = lives([born for born, _took in drawn], [took for _born, took in drawn])
    found = late_outcomes("leads", rows, date(2026, 12, 31))
    assert found is None or found.facts["expected"] <= found.facts["before"]


def test_months_too_young_are_named():
    rows = lives([0] * 30 + [250], [40] * 30 + [None])
    found = young("leads", rows, date(2026, 9, 30))
    assert (found.facts["days"], found.facts["records"], found.facts["first"]) == (40, 1, date(2026, 9, 1))
    assert young("leads", rows[:30], date(2026, 9, 30)) is None


def test_wins_without_losses_give_no_win_rate():
    company = company_of(opportunities=[deal("a", closed="2026-03-01"), deal("b", closed="2026-03-02")])
    assert "no_losses" in kinds(company)
    for metric in ("win_rate", "win_rate_value"):
        found = measurement(company, metric)
        assert (found.value, found.status, found.reason) == (None, "not_applicable", "no lost deal on record")
    assert endings(company).win_rate.reason == "no lost deal on record"


def test_one_loss_anywhere_on_record_is_enough_for_a_win_rate():
    lost = deal("c", "lost", closed="2024-03-01", opened="2024-01-01")
    company = company_of(opportunities=[deal("a", closed="2026-03-01"), deal("b", closed="2026-03-02"), lost])
    assert "no_losses" not in kinds(company)
    assert measurement(company, "win_rate").value == 1


def test_losses_without_amounts_give_no_win_rate_by_value():
    rows = [deal("a", closed="2026-03-01"), deal("b", "lost", None, closed="2026-03-02")]
    company = company_of(opportunities=rows)
    assert measurement(company, "win_rate_value").reason == "no lost deal has an amount"
    assert measurement(company, "win_rate").value == 0.5
    assert "unpriced_lost" in kinds(company)


def test_open_deals_without_amounts_are_not_worth_zero():
    company = company_of(opportunities=[deal("a", "open", None), deal("b", closed="2026-03-02")])
    found = measurement(company, "pipeline")
    assert (found.value, found.reason) == (None, "no open deal has an amount")
    assert measurement(company_of(opportunities=[deal("a", "open", 500)]), "pipeline").value == 500


def test_most_wins_at_no_amount_give_no_deal_size():
    rows = [deal("a", amount=0, closed="2026-03-01"), deal("b", amount=None, closed="2026-03-01"), deal("c", closed="2026-03-01")]
    company = company_of(opportunities=rows)
    assert measurement(company, "deal_size").reason == "most won deals have no amount"
    (limit,) = record_limits(company).of("unpriced_won")
    assert (limit.facts["lacking"], limit.share.n, limit.facts["worth"], limit.serious) == (2, 3, 100, True)


def test_a_field_empty_only_on_open_deals_is_named_unless_chance_explains_it():
    rows = [deal(f"o{i}", "open", account_id=None if i % 2 else "a") for i in range(20)]
    rows += [deal(f"w{i}", closed="2026-03-01", account_id="a") for i in range(30)]
    assert [x.column for x in record_limits(company_of(opportunities=rows)).of("only_when_open")] == ["account_id"]
    few = rows[:20] + rows[20:30]
    assert not record_limits(company_of(opportunities=few)).of("only_when_open")


def test_one_name_in_two_ways_is_found_within_and_across_tables():
    rows = [deal("a", product="GTXPro"), deal("b", product="GTX Pro"), deal("c", product="GTX Pro"), deal("d", product="Gtk")]
    lines = [
        {"subscription_id": "s", "account_id": "x", "product": "GTK", "mrr": 1, "currency": "BRL", "starts_on": "2026-01-01"}
    ]
    found = alike(company_of(opportunities=rows, subscriptions=lines))
    assert found[["left", "right", "there"]].values.tolist() == [
        ["GTXPro", "GTX Pro", "opportunities.product"],
        ["Gtk", "GTK", "subscriptions.product"],
    ]


def test_a_rare_name_close_to_a_frequent_one_is_only_a_proposal():
    rows = [deal(f"t{i}", product="technology") for i in range(40)] + [
        deal("x", product="technolgy"),
        deal("y", product="medical"),
    ]
    found = alike(company_of(opportunities=rows))
    assert found[["kind", "left", "right", "rare", "often"]].values.tolist() == [["typo", "technolgy", "technology", 1, 40]]


def test_a_reference_that_misses_by_a_space_is_found():
    company = company_of(opportunities=[deal("a", account_id="Acme Corp")], accounts=[{"account_id": "AcmeCorp"}])
    assert alike(company)[["column", "left", "right"]].values.tolist() == [["account_id", "Acme Corp", "AcmeCorp"]]


def test_a_clean_company_reads_in_one_line():
    company = company_of(opportunities=[deal("a", closed="2026-03-01"), deal("b", "lost", closed="2026-03-01")])
    limits = company.ask(record_limits)
    assert limits.found == ()
    text = limits_section(limits, company).text
    assert "Nothing was found" in text
    assert "wins without losses" in text
    assert serious_lines(limits, company) == []


def test_without_leads_and_deals_the_checks_say_what_they_need():
    with pytest.raises(Unavailable, match="needs opportunities"):
        record_limits(company_of(accounts=[{"account_id": "a"}]))


def test_the_mean_of_the_won_leaves_out_what_the_median_counts():
    """Won after 10 and 20 days, lost after 5, one still open: the mean is 15. At day 10 the curve of wins stands at ¾ × ⅓ = ¼, at
    day 20 at ½, its plateau: half of those that win have won by day 10."""
    rows = [
        deal("a", closed="2026-01-11"),
        deal("b", closed="2026-01-21"),
        deal("c", "lost", closed="2026-01-06"),
        deal("d", "open"),
        deal("e", "open", opened=None),
    ]
    ends = endings(company_of(opportunities=rows))
    assert ends.statuses[["deals", "priced"]].values.tolist() == [[2, 2], [1, 1], [2, 2]]
    assert (ends.mean.value, ends.mean.n, ends.mean.status) == (15, 2, "insufficient")
    assert (ends.median.value, ends.undated) == (10, 1)


def test_one_deal_and_two_read_right_without_a_lost_one():
    def read(n):
        rows = [deal(f"d{i}", closed="2026-01-11") for i in range(n)]
        return plain(endings_reading(endings(company_of(opportunities=rows))))

    assert read(1).startswith("1 deal is won; there is no win rate")
    assert read(2).startswith("2 deals are won; there is no win rate")


@pytest.mark.parametrize("name", ["unknown", "(not set)", "N/A", "", "Other", "não informado"])
def test_names_that_are_no_source_are_known(name):
    assert is_nobody(name)


@pytest.mark.parametrize("name", ["paid_search", "Ana", "nova"])
def test_names_of_sources_are_left_alone(name):
    assert not is_nobody(name)
