"""Figures: two self-contained SVGs each, the same bytes every time, hostile names as text, and the edge cases of data."""

import math
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.optimization.target_gap import Gap, GapDriver
from revops_helpers.periods import Period
from revops_helpers.words import figures, theme
from revops_helpers.words.axes import MOST_POINTS, thinned
from revops_helpers.words.canvas import Axis, Sheet, drawable
from revops_helpers.words.language import use

HOSTILE = ["$\\frac{a$ x $", "<b>&amp;</b>", "\u202eevil", "a\x00b", "😀 \U0001fae8", "شركة", "", "x" * 300]


@pytest.fixture(autouse=True)
def in_english():
    use("en")


def money(value, low=None, high=None, **more):
    return Measurement(value, 100, low, high, unit="money", currency="BRL", **more)


def gap_of(effects: list[Measurement], plan=800_000_000, label="Driver") -> Gap:
    drivers = tuple(
        GapDriver(
            f"d{i}", f"{label} {i}", "new_business", "percent", 0.1, Measurement(0.09, 99, 0.08, 0.1, unit="percent"), effect
        )
        for i, effect in enumerate(effects)
    )
    total = plan + sum(effect.value or 0 for effect in effects)
    zero = money(0)
    groups = {"new_business": money(total - plan)}
    period = Period(date(2026, 1, 1), date(2026, 9, 30))
    return Gap(period, "plan", "net_new_arr", money(plan), money(total), drivers, groups, zero, zero, 0.0, pd.DataFrame())


GAP = gap_of([money(31_500_000), money(-82_400_000, -130_000_000, -34_000_000), money(-39_900_000, -60_000_000, 5_000_000)])


def progress_of(actual: list[float], plan: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"month": [date(2026, m, 28) for m in range(1, len(plan) + 1)], "plan": plan, "actual": actual})


def sizes(figure) -> list[tuple[int, int]]:
    return [(drawing.width, drawing.height) for drawing in (figure.wide, figure.phone)]


def texts_drawn(monkeypatch) -> list[str]:
    """Every text that a sheet is asked to draw from now on."""
    seen: list[str] = []
    original = Sheet.text

    def spy(self, x, y, words, *args, **kwargs):
        seen.append(str(words))
        original(self, x, y, words, *args, **kwargs)

    monkeypatch.setattr(Sheet, "text", spy)
    return seen


def test_a_figure_is_two_plain_svgs_with_text_as_paths_and_no_date():
    figure = figures.waterfall(GAP)
    assert sizes(figure)[0][0] == 608 and sizes(figure)[1][0] == 358
    for drawing in (figure.wide, figure.phone):
        root = ET.fromstring(drawing.svg)
        assert root.get("viewBox") == f"0 0 {drawing.width} {drawing.height}"
        assert not root.findall(".//{http://www.w3.org/2000/svg}text")
        assert "metadata" not in drawing.svg and "script" not in drawing.svg
        assert set(re.findall(r"https?://[^\"]+", drawing.svg)) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_the_same_data_gives_the_same_bytes():
    assert figures.waterfall(GAP) == figures.waterfall(GAP)


def test_the_picture_takes_the_phone_drawing_at_620_pixels_and_carries_its_words():
    html = figures.bars([("A", money(5))]).html('Bars "A" < 5')
    assert '<source media="(max-width:620px)" srcset="data:image/svg+xml;base64,' in html
    assert 'alt="Bars &quot;A&quot; &lt; 5"' in html


def test_colour_is_earned_when_the_interval_clears_zero_and_pale_is_explained(monkeypatch):
    seen = texts_drawn(monkeypatch)
    figure = figures.waterfall(GAP)
    fills = {colour: figure.wide.svg.count(f"fill: {colour}") for colour in (theme.GOOD, theme.BAD, theme.BAD_TINT)}
    assert all(fills.values())
    assert 1 <= seen.count("could be chance") <= 2  # once a drawing, where there is room
    assert {"+315", "−824", "−399", "−1,300 to −340", "−600 to +50"} <= set(seen)
    assert "R$\u00a08.0\u00a0M" in seen and "Effect, R$\u00a0k" in seen


def test_a_waterfall_leaves_out_what_is_exactly_zero_and_shows_what_is_unexplained(monkeypatch):
    seen = texts_drawn(monkeypatch)
    gap = gap_of([money(0), money(-100_000_000)])
    figures.waterfall(replace(gap, unexplained=money(-5_000_000), actual=money(gap.actual.value - 5_000_000)))
    assert "Driver 0" not in seen and "Driver 1" in seen and "Unexplained" in seen


@pytest.mark.parametrize(
    "gap",
    [
        gap_of([]),
        gap_of([money(0, -10, 10)]),
        gap_of([money(-1_000_000_000)]),
        gap_of([money(-900_000_000, -950_000_000, -850_000_000)], plan=0),
        gap_of([not_applicable("no deal won", unit="money", currency="BRL")]),
    ],
)
def test_a_waterfall_without_drivers_flat_below_zero_or_without_values_is_drawn(gap):
    assert all(width > 0 and height > 80 for width, height in sizes(figures.waterfall(gap)))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_drawn_as_text(name):
    figures.waterfall(gap_of([money(-100_000, -200_000, -1)], label=name))
    figures.bars([(name, money(5, 1, 9))])
    curve = pd.DataFrame({"time": [1.0, 10.0], "share": [0.1, 0.5], "low": [0.0, 0.4], "high": [0.2, 0.6]})
    figures.steps({name: curve}, {1: "1", 10: "10"}, notes={name: name})


def test_characters_that_no_font_has_are_one_mark_and_direction_marks_are_gone():
    assert drawable("a\U0001fae8b\u202ec\u2068d\u2069") == "a\ufffdbcd"
    assert drawable("a→b ≥ 3 × −1") == "a→b ≥ 3 × −1"


@pytest.mark.parametrize(
    ("actual", "plan"),
    [
        ([1e8, 2e8, math.nan], [1.5e8, 3e8, 4.5e8]),
        ([math.nan] * 3, [1.5e8, 3e8, 4.5e8]),
        ([1e8, 2e8, math.nan], [math.nan] * 3),
        ([math.nan], [math.nan]),
        ([0.0], [0.0]),
        ([-1e8, -2e8], [1e8, 2e8]),
    ],
)
def test_the_fan_draws_what_is_known(actual, plan):
    assert sizes(figures.fan(progress_of(actual, plan))) == [(360, 450), (358, 260)]


def test_the_fan_states_plan_likely_actual_and_intervals(monkeypatch):
    seen = texts_drawn(monkeypatch)
    ahead = pd.DataFrame({"month": [date(2026, 3, 28)], "median": [3e8], "low_80": [2.5e8], "high_80": [3.5e8]})
    figures.fan(progress_of([1e8, 2e8, math.nan], [1.5e8, 3e8, 4.5e8]), ahead)
    assert {"Plan 4.5", "Likely 3.0", "Actual 2.0", "−1.0", "80%: 2.5–3.5"} <= set(seen)


def test_bars_show_what_is_clear_of_the_reference_and_what_is_not():
    def fill(m, better="higher"):
        svg = figures.bars([("a", m)], reference=0.25, better=better).wide.svg
        return [name for name in ("GOOD", "BAD", "HAIR") if f"fill: {getattr(theme, name)}" in svg]

    clear, unclear = Measurement(0.4, 99, 0.3, 0.5, unit="percent"), Measurement(0.4, 9, 0.2, 0.6, unit="percent")
    assert (fill(clear), fill(clear, "lower"), fill(unclear)) == (["GOOD"], ["BAD"], ["HAIR"])


@pytest.mark.parametrize(
    "items", [[], [("a", not_applicable("x"))], [("a", money(0))], [("a", money(-5, -9, -1)), ("b", money(3))]]
)
def test_bars_of_nothing_of_zero_and_of_losses_are_drawn(items):
    assert sizes(figures.bars(items))[0][0] == 660


def test_lines_take_the_tidy_frame_and_name_each_line_at_its_end(monkeypatch):
    seen = texts_drawn(monkeypatch)
    rows = [
        {
            "member": m,
            "period_end": date(2026, i, 28),
            "value": v * i,
            "low": v * i - 0.01,
            "high": v * i + 0.01,
            "unit": "percent",
            "currency": None,
        }
        for m, v in (("Inbound", 0.1), ("Outbound", 0.05))
        for i in (1, 2, 3)
    ]
    figures.lines(pd.DataFrame(rows), target=0.4, incomplete=1)
    assert {"Inbound 30%", "Outbound 15%", "Target 40%"} <= set(seen)
    figures.lines(pd.DataFrame(rows)[:1])
    figures.lines(pd.DataFrame(rows)[:0])


def test_curves_are_thinned_and_keep_their_ends():
    frame = pd.DataFrame({"time": range(5000)})
    kept = thinned(frame)["time"]
    assert len(kept) <= MOST_POINTS and (kept.iloc[0], kept.iloc[-1]) == (0, 4999)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (5.4e8, 8.6e8), (-3, 7), (0.081, 0.095), (0, 0)])
def test_ticks_are_round_few_and_inside_the_axis(low, high):
    ticks = Axis(low, high, 0, 100).ticks(5)
    assert len(ticks) <= 6 and all(low - 1e-9 <= t <= high + 1e-9 for t in ticks)


def test_drawing_leaves_no_setting_behind():
    import matplotlib

    before = dict(matplotlib.rcParams)
    figures.bars([("a", money(5))])
    assert dict(matplotlib.rcParams) == before


def test_text_colours_are_readable_on_white_and_on_their_wash():
    for colour in (theme.INK, theme.SECOND, theme.THIRD, theme.GOOD, theme.BAD, *theme.SERIES):
        assert theme.contrast(colour, "#ffffff") >= 4.8, colour
    assert theme.contrast(theme.INK, theme.BAD_WASH) >= 4.8 and theme.contrast(theme.INK, theme.WASH) >= 4.8


def test_the_measure_of_contrast_is_right():
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert theme.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # WCAG's well-known near miss


def test_importing_the_words_loads_no_plotting_library():
    code = "import sys, revops_helpers.words.figures, revops_helpers.words.parts; print('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
