"""Every number, sum of money and date that a reader sees, in the house style of the language in use, by Babel.

R$ 2.2 M (pt-BR R$ 2,2 mi), a true minus, no-break spaces inside a quantity, no more digits than the interval supports.
The words come from `messages` and are offered here too, so that one import serves.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import date

from babel.dates import format_date, format_interval, format_skeleton
from babel.numbers import format_decimal, get_currency_symbol

from revops_helpers.measurement import Measurement
from revops_helpers.periods import Period, month_end
from revops_helpers.words.messages import (
    N_,
    Quantity,
    Text,
    _,
    clean,
    current,
    data,
    listing,
    locale_now,
    lower_first,
    n_,
    sentences,
    translate_markdown,
    use,
)  # fmt: skip

__all__ = [
    "N_", "Quantity", "Text", "_", "clean", "count", "current", "data", "day", "duration", "exact_money", "in_unit_of",
    "interval_of", "label", "listing", "lower_first", "money", "money_unit", "month", "n_", "number", "ordinal", "percent",
    "points", "ratio", "sentences", "span", "translate_markdown", "unit_of_wait", "use", "value_of", "with_interval",
]  # fmt: skip

GAP = "\u00a0"  # no-break space
SCALES = ((10**9, "B"), (10**6, "M"), (10**3, "k"), (1, ""))


def number(value: float, digits: int = 0, signed: bool = False) -> Quantity:
    """A plain number with a true minus; never "−0"."""
    value = round(value, digits) + 0.0
    body = format_decimal(abs(value), format="#,##0" + ("." + "0" * digits if digits else ""), locale=locale_now())
    sign = "−" if value < 0 else "+" if signed and value > 0 else ""
    return Quantity(sign + body)


def count(n: float) -> Quantity:
    """6,300"""
    return number(n)


# Parts of number formats, which a language needs before it has a catalogue.
_SHORT = {"minutes": "min", "hours": "h", "days": "d"}
HOUSE = {
    "en": {**_SHORT, "months": "mo"},
    "pt_BR": {**_SHORT, "months": "meses", "B": "bi", "M": "mi", "k": "mil", "to": "a", "pp": "p.p."},
}


def _house(word: str) -> str:
    return HOUSE[current()].get(word, word)


def _symbol(currency: str) -> str:
    return "US$" if currency == "USD" else get_currency_symbol(currency, locale=locale_now())


def scale_of(amount: float) -> tuple[int, str, int]:
    """(divisor, letter, digits after the point) for an amount in whole units; 999,960 reads as a million."""
    for divisor, letter in SCALES[:-1]:
        size = abs(amount) / divisor
        if size >= 0.9995:
            return divisor, letter, 0 if size >= (9.95 if letter == "k" else 99.95) else 1
    return 1, "", 0


def money(cents: float, currency: str, signed: bool = False, digits: int | None = None) -> Quantity:
    """R$ 2.2 M, R$ 824 k, −R$ 95. `cents` are hundredths of the currency."""
    divisor, letter, wanted = scale_of(cents / 100)
    body = number(cents / 100 / divisor, wanted if digits is None else digits, signed)
    return Quantity(GAP.join(part for part in (_signed(body, _symbol(currency)), _house(letter)) if part))


def _signed(body: str, symbol: str) -> str:
    """−R$ 824: the sign stands before the symbol."""
    sign = body[0] if body[0] in "−+" else ""
    return f"{sign}{symbol}{GAP}{body[len(sign) :]}"


def money_unit(cents: float, currency: str) -> Quantity:
    """R$ k: in what an axis or a column is given whose largest amount is this."""
    return Quantity(GAP.join(part for part in (_symbol(currency), _house(scale_of(cents / 100)[1])) if part))


def exact_money(cents: int, currency: str, signed: bool = False) -> Quantity:
    """R$ 1,234.56, to the cent."""
    return Quantity(_signed(number(cents / 100, 2, signed), _symbol(currency)))


def percent(share: float, digits: int | None = None, signed: bool = False) -> Quantity:
    """8.8%, 34%, 99.7%. A share that is not nothing never reads as 0 %."""
    if digits is None:
        digits = 0 if share == 0 or 0.0995 <= abs(share) <= 0.99 or abs(share) == 1 or abs(share) >= 1.1 else 1
    if share != 0 and round(abs(share) * 100, digits) == 0:
        return Quantity(f"{'−' if share < 0 else ''}<{GAP}{number(10**-digits, digits)}%")
    return Quantity(f"{number(share * 100, digits, signed)}%")


def points(difference: float, digits: int = 1, signed: bool = False) -> Quantity:
    """−1.6 pp, of a difference between two shares."""
    return Quantity(f"{number(difference * 100, digits, signed)}{GAP}{_house('pp')}")


def ratio(x: float, digits: int = 1) -> Quantity:
    """3.1×"""
    return Quantity(f"{number(x, digits)}×")


def duration(value: float, unit: str, digits: int | None = None) -> Quantity:
    """12.1 h, 43 d, 19 mo, 45 min."""
    digits = digits if digits is not None else 1 if abs(value) < 20 and value != int(value) else 0
    return Quantity(f"{number(value, digits)}{GAP}{_house(unit)}")


def ordinal(n: int) -> Quantity:
    """3rd; in pt-BR 3º."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(n % 10 if n % 100 not in (11, 12, 13) else 0, "th")
    return Quantity(f"{n}{ending}" if current() == "en" else f"{n}º")


def day(value: date) -> Text:
    """30 Sep 2026; in pt-BR 30/09/2026."""
    pattern = "d MMM y" if current() == "en" else "dd/MM/y"
    return Text(format_date(value, pattern, locale=locale_now()).replace(" ", GAP))


def month(value: date) -> Text:
    """Sep 2026"""
    return Text(format_date(value, "MMM y", locale=locale_now()).replace(" ", GAP))


def span(period: Period, short: bool = False) -> Text:
    """January–September 2026; September 2026; Oct 2025–Sep 2026; days where the period is not made of whole months.

    short: Jan–Sep 2026, for the cell of a table.
    """
    start, end = period.start, period.end
    months = "yMMM" if short else "yMMMM"
    if start.day != 1 or end != month_end(end):
        return Text(f"{day(start)} – {day(end)}")
    if start.year != end.year:
        return Text(f"{month(start)}–{month(end)}")
    if start.month == 1 and end.month == 12:
        return Text(str(end.year))
    if start.month == end.month:
        return Text(format_skeleton(months, end, locale=locale_now()))
    return Text(format_interval(start, end, months, locale=locale_now()).replace("\u2009", " ").replace(" – ", "–"))


def digits_of(low: float | None, high: float | None, most: int = 2) -> int | None:
    """Digits after the point that an interval supports: it is at least 7.5 of the last one wide. None if exact."""
    if low is None or high is None or not math.isfinite(high - low):
        return None
    width = high - low
    return most if width <= 0 else min(most, max(0, math.ceil(-math.log10(width / 7.5) - 1e-9)))


def unit_of_wait(minutes: float) -> tuple[int, str]:
    """(minutes in it, its name) of the unit in which a wait reads best: hours from two on, days from two on."""
    return (1440, "days") if abs(minutes) >= 2880 else (60, "hours") if abs(minutes) >= 120 else (1, "minutes")


def in_unit_of(m: Measurement, value: float, signed: bool = False) -> Quantity:
    """`value` (m's own, a bound of it, its target) in m's unit with the digits that m's interval supports."""
    if m.unit == "minutes":
        per, unit = unit_of_wait(value if m.value is None else m.value)
        if per > 1:
            whole, low, high = (None if x is None else x / per for x in (m.value, m.low, m.high))
            return in_unit_of(replace(m, value=whole, low=low, high=high, unit=unit), value / per, signed)
    factor = 100 if m.unit in ("percent", "points") else 1
    digits = digits_of(*((None, None) if m.low is None or m.high is None else (m.low * factor, m.high * factor)))
    if m.unit == "money":
        divisor, _letter, wanted = scale_of((m.value or value) / 100)
        bounds = None if m.low is None or m.high is None else digits_of(m.low / 100 / divisor, m.high / 100 / divisor)
        return money(value, m.currency or "", signed, wanted if bounds is None else min(bounds, wanted + 1))
    if m.unit == "percent":
        small = max(abs(x) for x in (m.value or 0, m.low or 0, m.high or 0)) < 0.01
        return percent(value, digits if digits is None or small else min(digits, 1), signed)
    if m.unit == "points":
        return points(value, 1 if digits is None else digits, signed)
    if m.unit == "ratio":
        return ratio(value, 1 if digits is None else max(digits, 1))
    if m.unit in ("minutes", "hours", "days", "months"):
        return duration(value, m.unit, None if digits is None else min(digits, 1))
    if m.unit == "count":
        return number(value, 0, signed)
    return number(value, digits if digits is not None else 0 if abs(value - round(value)) < 1e-6 else 2, signed)


def value_of(m: Measurement, signed: bool = False) -> Quantity:
    """The value with its unit: 8.8%, R$ 5.8 M, > 7.0 mo where it is a lower bound, n/a where there is none."""
    if m.value is None:
        return Quantity(_("n/a"))
    is_bound = m.status == "censored" and m.high is None  # a cohort in part too young has both ends of its interval
    return Quantity(f">{GAP}{in_unit_of(m, m.value)}" if is_bound else in_unit_of(m, m.value, signed), m.definition_id)


def interval_of(m: Measurement) -> Quantity:
    """The 95 % interval without its unit: 8.1–9.5, −20 to 360, "exact" for counts, "" where there is no value.

    Too few cases give no interval (the mean of one deal): that is "unknown", never "exact".
    """
    if m.value is None:
        return Quantity("")
    if m.exact:
        return Quantity(_("unknown") if m.status == "insufficient" else _("exact"))
    if m.low is None or m.high is None:
        sign, bound = ("≥", m.low) if m.low is not None else ("≤", m.high)
        return Quantity(f"{sign}{GAP}{in_unit_of(m, bound)}")
    if m.unit == "money":
        return _money_interval(m)
    low, high = (re.sub(r"\D+$", "", in_unit_of(m, bound)) for bound in (m.low, m.high))
    return _between(low, high, m.low < 0)


def _money_interval(m: Measurement) -> Quantity:
    divisor, letter, wanted = scale_of((m.value or max(abs(m.low), abs(m.high))) / 100)
    digits = min(digits_of(m.low / 100 / divisor, m.high / 100 / divisor) or 0, wanted + 1)
    low, high = (number(bound / 100 / divisor, digits) for bound in (m.low, m.high))
    return Quantity(GAP.join(part for part in (_between(low, high, m.low < 0), _house(letter)) if part))


def _between(low: str, high: str, negative: bool) -> Quantity:
    return Quantity(f"{low}{GAP}{_house('to')}{GAP}{high}" if negative else f"{low}–{high}")


def with_interval(m: Measurement) -> Quantity:
    """34% [33–35]; only the value where it is exact or missing."""
    inside = interval_of(m)
    return value_of(m) if m.value is None or m.exact else Quantity(f"{value_of(m)} [{inside}]", m.definition_id)


def label(metric_id: str) -> Text:
    """The name of a metric, a dimension or a stretch of time in the reader's language; another id is written in words."""
    from revops_helpers.metrics.catalogue import catalogue

    metric = catalogue().get(metric_id)
    if metric:
        return _(metric.label)
    words = metric_id.replace("_", " ").capitalize()
    return told if (told := _(words)) != words else data(words)
