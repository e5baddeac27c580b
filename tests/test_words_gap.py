"""The gap in words, on hand-made results: ahead, on plan, behind, last year, no plan, noise, rests, forecasts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.model.company import Unavailable
from revops_helpers.optimization.forecast import YearForecast
from revops_helpers.optimization.target_gap import Gap, GapDriver
from revops_helpers.periods import Period
from revops_helpers.words import gap as words
from revops_helpers.words.markup import plain

PERIOD = Period(date(2026, 1, 1), date(2026, 9, 30))
M = 10**8  # cents in a million


def brl(value, low=None, high=None, **more):
    return Measurement(value, n=40, low=low, high=high, unit="money", currency="BRL", **more)


def driver(name, effect, low, high, plan=0.25, actual=0.2):
    group = "retention" if name in ("churn", "expansion") else "new_business"
    value = Measurement(actual, n=400, low=actual - 0.01, high=actual + 0.01, unit="percent")
    return GapDriver(name, name.replace("_", " ").capitalize(), group, "percent", plan, value, brl(effect, low, high))


def gap_of(plan=8 * M, actual=5.84 * M, drivers=(), basis="plan", **more) -> Gap:
    progress = pd.DataFrame(
        {"month": [date(2026, 9, 30), date(2026, 12, 31)], "plan": [plan, plan * 1.3], "actual": [actual, None]}
    )
    fields = {
        "period": PERIOD, "basis": basis, "outcome": "net_new_arr", "plan": brl(round(plan)), "actual": brl(round(actual)),
        "drivers": tuple(drivers), "subtotals": {"new_business": brl(-M), "retention": brl(-M)}, "plan_mismatch": brl(0),
        "unexplained": brl(0), "opening_arr": 20 * M, "progress": progress,
    }  # fmt: skip
    return Gap(**(fields | more))


BAD = driver("win_rate", -1.5 * M, -2.5 * M, -0.5 * M)
WORSE = driver("churn", -0.8 * M, -1.2 * M, -0.4 * M, plan=0.06, actual=0.09)
NOISE = driver("deal_size", -0.2 * M, -0.9 * M, 0.5 * M)
GOOD = driver("leads", 0.4 * M, 0.3 * M, 0.5 * M)


def said(text) -> str:
    return plain(text).replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("gap", "title"),
    [
        (gap_of(), "27% behind plan: R$ 2.2 M short of R$ 8.0 M net new ARR"),
        (gap_of(actual=8.8 * M), "10% ahead of plan: R$ 800 k above R$ 8.0 M net new ARR"),
        (gap_of(actual=8.01 * M), "On plan: R$ 8.0 M net new ARR"),
        (gap_of(actual=8 * M, basis="last_year"), "Level with last year: R$ 8.0 M net new ARR"),
        (gap_of(basis="last_year"), "27% below last year: R$ 2.2 M less than its R$ 8.0 M net new ARR"),
        (gap_of(actual=10 * M, basis="last_year"), "25% above last year: R$ 2.0 M more than its R$ 8.0 M net new ARR"),
        (gap_of(plan=0, actual=-M), "R$ 1.0 M short of the R$ 0 net new ARR planned"),
        (gap_of(plan=-M, actual=M), "R$ 2.0 M above the −R$ 1.0 M net new ARR planned"),
        (gap_of(plan=-M, actual=-2 * M, basis="last_year"), "R$ 1.0 M less net new ARR than last year"),
        (gap_of(outcome="new_arr_won"), "27% behind plan: R$ 2.2 M short of R$ 8.0 M ARR won"),
        (Unavailable(["targets"]), "How far from plan cannot be told yet"),
    ],
)
def test_the_title_tells_direction_share_and_money(gap, title):
    assert said(words.title(gap)) == title


def test_the_deck_names_what_is_clear_what_is_noise_and_what_helped():
    deck = said(words.deck(gap_of(drivers=[BAD, WORSE, NOISE, GOOD])))
    assert deck.startswith("January–September 2026 brought R$ 5.8 M.")
    assert "Two drivers stand clear of noise: win rate (−R$ 1.5 M) and churn (−R$ 800 k)." in deck
    assert "Worse too, but it could be chance: deal size." in deck and "Better than plan: leads (+R$ 400 k)." in deck


def test_one_clear_driver_and_several_in_noise_read_right():
    two = said(words.deck(gap_of(drivers=[BAD, NOISE, replace(NOISE, id="expansion")])))
    assert "One driver stands clear of noise: win rate (−R$ 1.5 M)." in two
    assert "Worse too, but each could be chance: deal size and expansion." in two


def test_behind_with_nothing_clear_says_so_and_ahead_does_not():
    assert "No driver stands clear of noise." in said(words.deck(gap_of(drivers=[NOISE])))
    assert "No driver" not in said(words.deck(gap_of(actual=9 * M, drivers=[GOOD])))


def test_without_a_plan_the_deck_says_that_last_year_is_the_measure():
    deck = said(words.deck(gap_of(basis="last_year", drivers=[BAD, GOOD])))
    assert "no plan to hold it against" in deck and "Better than last year: leads" in deck


def test_without_a_gap_the_deck_says_what_is_needed():
    assert "needs subscriptions (mrr, starts_on), targets" in said(
        words.deck(Unavailable(["subscriptions.mrr", "subscriptions.starts_on", "targets"]))
    )


def test_the_waterfall_is_headed_by_its_two_or_three_shortfalls():
    assert said(words.waterfall_title(gap_of(drivers=[WORSE, BAD]))) == "Too few deals are won and more customers leave"
    assert said(words.waterfall_title(gap_of(drivers=[NOISE]))) == "No driver is clearly below plan"
    assert said(words.waterfall_title(gap_of(drivers=[NOISE], basis="last_year"))) == "No driver is clearly below last year"


def test_the_pictures_carry_their_numbers_in_words():
    part = words.waterfall(gap_of(drivers=[BAD, GOOD]))
    assert "Win rate −R$ 1.5 M" in said(part.text) and "actual R$ 5.8 M" in said(part.text) and "<picture" in part.html
    assert "5.8 M by Sep 2026" in said(words.fan(gap_of(), None).text)


def test_rests_of_cents_are_not_drawn_and_rests_of_money_are_shown():
    def text(gap):
        return said(words.drivers_table(gap).text)

    small = gap_of(drivers=[BAD], plan_mismatch=brl(-1), unexplained=brl(99))
    assert "does not add up" not in text(small) and "Unexplained" not in text(small)
    large = gap_of(drivers=[BAD], plan_mismatch=brl(-5 * M), unexplained=brl(M))
    assert "does not add up" in text(large) and "Unexplained" in text(large)


def test_what_is_compared_with_nothing_shows_no_number_of_last_year_and_no_effect():
    new = replace(GOOD, basis="none", effect=replace(brl(0), status="not_applicable", reason="no year before"))
    text = said(words.drivers_table(gap_of(basis="last_year", drivers=[new])).text)
    row = next(line for line in text.splitlines() if "Leads" in line)
    assert [cell.strip() for cell in row.split("|")][1::2] == ["n/a", "n/a"], row


def test_the_arr_at_the_start_is_told_as_money_and_by_its_name():
    opening = replace(BAD, id="opening_arr", label="ARR", plan=6 * M, actual=brl(8 * M))
    text = said(words.drivers_table(gap_of(basis="last_year", drivers=[opening])).text)
    assert "Opening ARR R$ 6.0 M R$ 8.0 M" in " ".join(text.replace("|", " ").split())


def forecast_of(plan=10.4 * M, chance=None, months=3, inside=7, origins=8, **more) -> YearForecast:
    bands = {f"{side}_{level}": 8 * M for side in ("low", "high") for level in (50, 80, 95)}
    ahead = pd.DataFrame([{"month": date(2026, 10 + i, 28), "median": 8.3 * M} | bands for i in range(months)])
    past = pd.DataFrame([{"level": 80, "inside": inside, "origins": origins, "low": 0.4, "high": 0.9}] if origins else [],
                        columns=["level", "inside", "origins", "low", "high"])  # fmt: skip
    fields = {
        "year": Period(date(2026, 1, 1), date(2026, 12, 31)), "history": pd.DataFrame(), "months": ahead, "so_far": brl(5.8 * M),
        "year_end": brl(8.3 * M, 7.1 * M, 10 * M), "plan": None if plan is None else brl(round(plan)), "widened": 1.0,
        "past": past,
        "chance": chance or Measurement(0.015, n=4000, low=0.011, high=0.02, unit="percent"), "error": 1.0, "naive_error": 2.0,
    }  # fmt: skip
    return YearForecast(**(fields | more))


@pytest.mark.parametrize(
    ("forecast", "title"),
    [
        (forecast_of(), "1.5% chance of the year's R$ 10.4 M"),
        (
            forecast_of(chance=Measurement(0.0, n=4000, low=0.0, high=0.0009, unit="percent")),
            "Under 0.1% chance of the year's R$ 10.4 M",
        ),
        (
            forecast_of(chance=Measurement(1.0, n=4000, low=0.9991, high=1.0, unit="percent")),
            "Over 99.9% chance of the year's R$ 10.4 M",
        ),
        (forecast_of(plan=None, chance=not_applicable("no plan", unit="percent")), "The year is likely to end at R$ 8.3 M"),
        (None, "R$ 5.8 M so far"),
    ],
)
def test_the_fan_is_headed_by_the_chance_or_by_what_is_known(forecast, title):
    assert said(words.fan_title(gap_of(), forecast)) == title


def test_past_coverage_is_told_in_counts_and_its_absence_too():
    assert said(words.coverage(forecast_of())) == "The 80% band held in 7 of 8 past quarters."
    assert said(words.coverage(forecast_of(origins=0))) == "No past forecast could be checked."
