"""Mix against rate: every change of a total is the rates of its segments and the mix of them, Simpson's case included."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revops_helpers.methods.decomposition import kitagawa
from revops_helpers.model.company import Unavailable
from revops_helpers.optimization.mix import conversion_by_source, rate_and_mix, win_rate_by_segment
from revops_helpers.words.language import use
from revops_helpers.words.markup import plain
from revops_helpers.words.optimization import mix_section
from tests.support import company_of


@pytest.fixture(autouse=True)
def english():
    use("en")


def decided(*groups):
    """Deals by (account, year, won, lost, amount of each)."""
    rows = []
    for account, year, won, lost, amount in groups:
        for n in range(won + lost):
            row = {"opportunity_id": f"{account}{year}-{n}", "account_id": account, "kind": "new", "amount": amount}
            ends = {"status": "won" if n < won else "lost", "close_date": f"{year}-03-10", "closed_at": f"{year}-03-10 12:00"}
            rows.append(row | ends | {"created_at": f"{year}-01-05 12:00"})
    segments = [{"account_id": "easy", "segment": "Easy"}, {"account_id": "hard", "segment": "Hard"}]
    return company_of(opportunities=rows, accounts=segments)


SIMPSON = (("easy", 2025, 48, 32, 100), ("hard", 2025, 4, 16, 100), ("easy", 2026, 13, 7, 100), ("hard", 2026, 20, 60, 100))


def test_every_segment_wins_more_often_and_the_total_less_often():
    company = decided(*SIMPSON)
    split = win_rate_by_segment(company)
    assert (split.before.value, split.now.value) == (0.52, 0.33)
    assert (split.members.rate_after - split.members.rate_before).round(9).tolist() == [0.05, 0.05]
    assert split.rate == pytest.approx(0.05) and split.mix == pytest.approx(-0.24)
    assert split.turned
    said = plain(mix_section(split, company).text).replace("\u00a0", " ")
    assert "+5.0 pp came from the rates, −24.0 pp from the mix" in said
    assert "Every row moved the other way than the total: the mix alone turned it." in said


def test_the_same_mix_leaves_all_to_the_rates():
    company = decided(
        ("easy", 2025, 30, 20, 100), ("hard", 2025, 10, 40, 100), ("easy", 2026, 25, 25, 100), ("hard", 2026, 5, 45, 100)
    )
    split = win_rate_by_segment(company)
    assert split.mix == 0 and split.rate == pytest.approx(-0.10) and not split.turned
    assert "the mix alone" not in mix_section(split, company).text


def test_a_rate_of_money_is_weighted_by_the_money_it_is_per():
    """By value a segment of few large deals weighs what it is worth, not how many deals it has."""
    company = decided(
        ("easy", 2025, 25, 25, 100), ("hard", 2025, 20, 20, 900), ("easy", 2026, 30, 20, 100), ("hard", 2026, 10, 30, 700)
    )  # fmt: skip
    split = rate_and_mix(company, "win_rate_value", "segment")
    assert split.before.value == 0.5 and split.now.value == pytest.approx(10_000 / 33_000)
    assert split.rate + split.mix == pytest.approx(split.now.value - split.before.value)
    assert split.members.set_index("member").share_before["Hard"] == pytest.approx(36_000 / 41_000)
    assert split.members.n_before.tolist() == [50, 40]


def test_what_is_no_rate_or_has_no_year_before_cannot_be_split():
    with pytest.raises(Unavailable):
        rate_and_mix(decided(*SIMPSON), "arr", "segment")
    with pytest.raises(Unavailable, match="year before"):
        win_rate_by_segment(decided(*SIMPSON[2:]))


def test_a_segment_without_records_has_no_rate_of_its_own():
    company = decided(("easy", 2025, 3, 2, 100), ("hard", 2025, 1, 4, 100), ("easy", 2026, 2, 3, 100))
    text = plain(mix_section(win_rate_by_segment(company), company).text)
    row = next(line for line in text.splitlines() if line.startswith("Hard"))
    assert row.split(" | ")[1:4] == ["0", "20%", "n/a"], row


def came(linked):
    """Leads and deals of two years: two leads of one source in each; one deal in 2025, two in 2026; `linked` name their lead."""
    days = [f"{year}-03-0{n}" for year in (2025, 2026) for n in (1, 2)]
    leads = [{"lead_id": f"l{day}", "created_at": day, "source": "web"} for day in days]
    names = {day: f"l{day}" if day in linked else None for day in days[1:]}
    deals = [{"opportunity_id": day, "created_at": day, "kind": "new", "lead_id": name} for day, name in names.items()]
    return company_of(leads=leads, opportunities=deals)


def test_what_belongs_to_no_member_is_told_and_the_parts_make_up_the_change():
    company = came(("2025-03-02", "2026-03-01"))
    split = conversion_by_source(company)
    assert (split.before.value, split.now.value) == (0.5, 1.0)
    assert (split.rate, split.mix, split.rest) == (0, 0, 0.5)
    assert "+50.0 pp belongs to records without a source" in plain(mix_section(split, company).text).replace("\u00a0", " ")


def test_deals_that_never_name_their_lead_cannot_be_split_by_source():
    deals = [{"opportunity_id": "o", "created_at": "2026-03-01", "kind": "new"}]
    with pytest.raises(Unavailable, match=r"opportunities\.lead_id"):
        conversion_by_source(
            company_of(leads=[{"lead_id": "l", "created_at": "2026-03-01", "source": "web"}], opportunities=deals)
        )


COUNTS = st.dictionaries(st.sampled_from("abcd"), st.tuples(st.integers(1, 500), st.integers(0, 500)), min_size=1)


@given(COUNTS, COUNTS)
def test_any_change_of_a_total_is_rate_and_mix(before, after):
    sides = [{name: (n + more, n / (n + more)) for name, (n, more) in side.items()} for side in (before, after)]
    totals = [sum(n for n, _ in side.values()) / sum(map(sum, side.values())) for side in (before, after)]
    split = kitagawa(*sides)
    assert split.rate_effect.sum() + split.mix_effect.sum() == pytest.approx(totals[1] - totals[0], abs=1e-12)
