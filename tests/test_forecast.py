"""Forecasts: published naïve errors, hand-worked accuracy, coverage of simulated series, and refusal of short histories."""

from datetime import date

import numpy as np
import pytest

from revops_helpers.methods import accuracy, backtest
from revops_helpers.model.company import Unavailable
from revops_helpers.optimization.forecast import monthly_history, year_forecast
from revops_helpers.periods import add_months
from tests.support import company_of

# Australian quarterly beer production (megalitres), 1992 Q1 to 2010 Q2: Australian Bureau of Statistics, as in Hyndman, fpp2.
BEER = [
    *(443, 410, 420, 532, 433, 421, 410, 512, 449, 381, 423, 531, 426, 408, 416, 520, 409, 398, 398, 507, 432, 398, 406, 526),
    *(428, 397, 403, 517, 435, 383, 424, 521, 421, 402, 414, 500, 451, 380, 416, 492, 428, 408, 406, 506, 435, 380, 421, 490),
    *(435, 390, 412, 454, 416, 403, 408, 482, 438, 386, 405, 491, 427, 383, 394, 473, 420, 390, 410, 488, 415, 398, 419, 488),
    *(414, 374),
]


def test_seasonal_naive_on_beer():  # Hyndman, fpp2 §3.4: train to 2007, test 2008 Q1 to 2010 Q2
    train, test = BEER[:64], BEER[64:]
    forecast = backtest.seasonal_naive(4)(train, len(test))[:, 0]
    assert accuracy.rmse(test, forecast) == pytest.approx(14.31, abs=0.005)
    assert accuracy.mae(test, forecast) == pytest.approx(13.40, abs=0.005)
    assert accuracy.mase(test, forecast, train, season=4) == pytest.approx(0.94, abs=0.005)


def test_ets_covers_beer_and_beats_naive():
    """Rolling origins at one to ten quarters; about nine in ten inside the 80 % band here (overlapping sums, so loosely)."""
    rows = backtest.rolling_origin(BEER, backtest.ets(4, draws=1000, seed=1), horizon=4, first=32)
    naive = backtest.rolling_origin(BEER, backtest.seasonal_naive(4), horizon=4, first=32)
    assert len(rows) == 74 - 4 - 32 + 1
    assert 0.65 < accuracy.covered(rows.actual, rows.low_80, rows.high_80) / len(rows) <= 1
    assert accuracy.covered(rows.actual, rows.low_95, rows.high_95) / len(rows) > 0.85
    assert accuracy.mae(rows.actual, rows["median"]) < accuracy.mae(naive.actual, naive["median"])


def test_accuracy_of_four_hand_worked_forecasts():
    actual, forecast = [10, 0, 20, 10], [12, 0, 14, 10]
    assert accuracy.wape(actual, forecast) == 0.2
    assert accuracy.bias(actual, forecast) == -0.1
    assert accuracy.mae(actual, forecast) == 2
    assert accuracy.rmse(actual, forecast) == pytest.approx(10**0.5)
    assert accuracy.mase(actual, forecast, [1, 3, 5]) == 1
    assert accuracy.covered(actual, [10, 1, 0, 0], [12, 2, 30, 9]) == 2


def test_accuracy_without_scale_is_nan_and_without_values_refused():
    assert np.isnan(accuracy.wape([0, 0], [1, 1]))
    assert np.isnan(accuracy.bias([0, 0], [1, 1]))
    assert np.isnan(accuracy.mase([1], [1], [5, 5, 5]))
    assert np.isnan(accuracy.mase([1], [1], [5]))
    with pytest.raises(ValueError, match="at least one"):
        accuracy.mae([], [])


def test_intervals_of_simulated_noise_have_their_coverage():
    values = np.random.default_rng(3).normal(100, 10, 260)
    rows = backtest.rolling_origin(values, backtest.ets(12, draws=1000, seed=2), horizon=3, first=60, step=3)
    inside = {level: accuracy.covered(rows.actual, rows[f"low_{level}"], rows[f"high_{level}"]) for level in backtest.LEVELS}
    share = {level: n / len(rows) for level, n in inside.items()}
    assert 0.35 < share[50] < 0.65
    assert 0.68 < share[80] < 0.92
    assert share[95] > 0.88


def test_the_same_seed_draws_the_same_paths():
    one, two = (backtest.ets(4, draws=50, seed=7)(np.array(BEER), 4) for _ in range(2))
    assert (one == two).all()


def test_a_history_shorter_than_a_season_has_no_naive_forecast():
    with pytest.raises(ValueError, match="a season of 12"):
        backtest.seasonal_naive(12)(np.arange(5), 3)


def lines(months: int, mrr=lambda i: 10_000, first="2024-01-01"):
    """One new customer each month, after a first one that was there before."""
    start = date.fromisoformat(first)
    return [
        {
            "subscription_id": f"s{i}",
            "account_id": f"a{i}",
            "mrr": mrr(i),
            "currency": "BRL",
            "starts_on": add_months(start, i),
            "ends_on": None,
        }
        for i in range(months)
    ]


def plan(value, year=2026):
    return [{"period_start": f"{year}-01-01", "period_end": f"{year}-12-31", "metric": "net_new_arr", "value": value}]


def test_a_steady_company_is_forecast_to_go_on():
    company = company_of(subscriptions=lines(33), targets=plan(14_000))
    forecast = year_forecast(company)
    assert forecast.so_far.value == 9 * 120_000
    assert forecast.year_end.value == 12 * 120_000
    assert forecast.months["median"].tolist() == [10 * 120_000, 11 * 120_000, 12 * 120_000]
    assert forecast.months.month.tolist() == [date(2026, 10, 31), date(2026, 11, 30), date(2026, 12, 31)]
    assert forecast.chance.value == 1
    assert forecast.error == forecast.naive_error == 0
    assert not forecast.better_than_naive
    assert forecast.past.inside.tolist() == forecast.past.origins.tolist()


def test_a_plan_out_of_reach_has_no_chance_and_no_plan_says_so():
    assert year_forecast(company_of(subscriptions=lines(33), targets=plan(15_000))).chance.value == 0
    chance = year_forecast(company_of(subscriptions=lines(33))).chance
    assert chance.status == "not_applicable"
    assert "plan" in chance.reason


def test_noise_gives_bands_that_nest_and_a_chance_between():
    noise = np.random.default_rng(5).integers(5_000, 15_000, 50)
    company = company_of(subscriptions=lines(45, lambda i: int(noise[i]), "2023-01-01"), targets=plan(14_400))
    forecast = year_forecast(company, draws=500)
    last = forecast.months.iloc[-1]
    edges = [last[c] for c in ("low_95", "low_80", "low_50", "median", "high_50", "high_80", "high_95")]
    assert edges == sorted(edges)
    assert forecast.year_end.low < forecast.year_end.value < forecast.year_end.high
    assert 0 < forecast.chance.low < forecast.chance.value < forecast.chance.high < 1
    assert forecast.past.level.tolist() == [50, 80, 95]


def test_a_year_that_is_over_is_known():
    forecast = year_forecast(company_of(as_of="2026-12-31", subscriptions=lines(36), targets=plan(14_400)))
    assert forecast.months.empty
    assert forecast.year_end.exact
    assert forecast.chance.value == 1


def test_the_first_month_is_not_growth():
    history = monthly_history(company_of(subscriptions=lines(33)))
    assert history.month.iloc[0] == date(2024, 2, 29)
    assert len(history) == 32


def test_fewer_than_24_months_are_refused():
    with pytest.raises(Unavailable, match=r"24 closed months of subscriptions \(there are 22"):
        year_forecast(company_of(subscriptions=lines(23, first="2024-11-01")))
    with pytest.raises(Unavailable, match="there are 0"):
        year_forecast(company_of(subscriptions=lines(1, first="2026-09-01")))


def test_no_subscriptions_are_named():
    with pytest.raises(Unavailable, match="subscriptions"):
        year_forecast(company_of(targets=plan(1)))


def test_bands_that_were_too_narrow_are_widened():
    """A forecaster that claims a tenth of the true spread: its errors say so, and honest bands come of it."""

    def overconfident(history, horizon):
        return np.random.default_rng(len(history)).normal(100, 1, (horizon, 500))

    values = np.random.default_rng(4).normal(100, 10, 120)
    rows = backtest.rolling_origin(values, overconfident, horizon=3, first=24, step=3)
    assert backtest.too_narrow(rows) == pytest.approx(10, rel=0.3)
    assert accuracy.covered(rows.actual, rows.low_95, rows.high_95) / len(rows) < 0.4
    honest = backtest.widened_by_the_others(rows)
    assert accuracy.covered(honest.actual, honest.low_95, honest.high_95) / len(honest) > 0.85
    assert backtest.too_narrow(rows.assign(actual=rows["median"])) == 1


def test_all_measures_of_accuracy_are_the_single_ones():
    all_at_once = accuracy.accuracy([8, 12], [10, 9], [1, 3, 5])
    assert (all_at_once.wape, all_at_once.mae, all_at_once.mase, all_at_once.n) == (5 / 20, 2.5, 1.25, 2)
    assert np.isnan(accuracy.accuracy([8], [10]).mase)
