"""The fixed facts of the sample company: its calendar, its markets, its words, and the random streams.

Time inside the simulator is integers: days since DAY0 (2021-10-01, day 0) and seconds since DAY0 in the company's clock,
which has been three hours behind UTC all along (Brazil has had no daylight saving time since 2019).
"""

from __future__ import annotations

import zlib
from datetime import date, timedelta

import holidays
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

SEED = 20260930
DAY0 = date(2021, 10, 1)
END = date(2026, 9, 30)
MONTHS = 60
LAST_DAY = (END - DAY0).days
UTC_BEHIND = 3 * 3600
PLAN_USD = 5.40

MONTH_STARTS = np.array(
    [((DAY0.replace(year=2021 + (9 + m) // 12, month=(9 + m) % 12 + 1)) - DAY0).days for m in range(MONTHS + 13)], dtype=np.int64
)
MONTH_NUMBER = np.array([(9 + m) % 12 + 1 for m in range(MONTHS + 13)])
MONTH_YEAR = np.array([2021 + (9 + m) // 12 for m in range(MONTHS + 13)])
YEAR_MONTH = 51  # January 2026, the first month of the fiscal year under review
YEAR_DAY = int(MONTH_STARTS[YEAR_MONTH])
RECENT_MONTH = 36  # October 2024: leads, touches, activities and usage are kept from here on
RECENT_DAY = int(MONTH_STARTS[RECENT_MONTH])

SEGMENTS = ("SMB", "Mid-market", "Enterprise")
SEGMENT_SHARES = np.array([0.52, 0.36, 0.12])
REGIONS = ("Sul", "Sudeste", "Nordeste", "Centro-Oeste", "Norte")
REGION_SHARES = np.array([0.34, 0.40, 0.12, 0.10, 0.04])
INDUSTRIES = ("Agronegócio", "Indústria", "Varejo", "Saúde", "Logística", "Serviços", "Educação")
INDUSTRY_SHARES = np.array([0.18, 0.20, 0.17, 0.12, 0.11, 0.14, 0.08])
PRODUCTS = ("Araucária Vendas", "Araucária Estoque", "Araucária Fiscal")
PRODUCT_SHARES = np.array([0.50, 0.30, 0.20])
SOURCES = ("website", "webinar", "paid_search", "paid_social", "partner", "outbound", "event")
SOURCE_SHARES = np.array([0.28, 0.13, 0.20, 0.15, 0.08, 0.11, 0.05])
LEAD_STAGES = ("lead", "mql", "sal", "sql", "opportunity", "customer")
STAGES = ("Qualificação", "Descoberta", "Proposta", "Negociação", "Ganho", "Perdido")
CHECKLIST = (
    "objetivos",
    "responsável no cliente",
    "escopo vendido",
    "integrações",
    "dados de origem",
    "prazo prometido",
    "condições comerciais",
    "riscos",
)


class Streams:
    """Independent random streams by name, so that adding one part never moves another."""

    def __init__(self, seed: int, sub_seed: int = 0):
        self.seed, self.sub_seed = seed, sub_seed

    def __call__(self, name: str) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed, self.sub_seed, zlib.crc32(name.encode())])))


def choose(rng: np.random.Generator, shares: np.ndarray, n: int) -> np.ndarray:
    """n codes 0..k-1 drawn with the given shares."""
    return np.searchsorted(np.cumsum(shares / shares.sum())[:-1], rng.random(n), side="right").astype(np.int64)


def bell(rng: np.random.Generator, n: int) -> np.ndarray:
    """n draws that are nearly standard normal (twelve uniforms), the same on every machine, within ±6."""
    total = np.full(n, -6.0)
    for _ in range(12):
        total += rng.random(n)
    return total


def logistic(x: np.ndarray | float) -> np.ndarray:
    return 1 / (1 + np.exp(-np.asarray(x, dtype=float)))


def allocate(total: int, weights: np.ndarray) -> np.ndarray:
    """Whole numbers in proportion to the weights that add up to the total (largest remainders)."""
    exact = total * np.asarray(weights, dtype=float) / np.sum(weights)
    whole = np.floor(exact).astype(np.int64)
    rest = int(total - whole.sum())
    whole[np.argsort(-(exact - whole), kind="stable")[:rest]] += 1
    return whole


def spread(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """counts[i] rows for every i: which i each row belongs to, and its place (from 0) among them."""
    row = np.repeat(np.arange(len(counts)), counts)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)


def month_of(day: np.ndarray) -> np.ndarray:
    """Month index of each day; 0 is October 2021, the months before it are negative."""
    return (_calendar(day).astype("datetime64[M]") - np.datetime64(DAY0, "M")).astype(np.int64)


def day_in_month(day: np.ndarray) -> np.ndarray:
    """0 for the first day of a month."""
    date_ = _calendar(day)
    return (date_ - date_.astype("datetime64[M]")).astype(np.int64)


def _calendar(day: np.ndarray) -> np.ndarray:
    return np.datetime64(DAY0, "D") + np.asarray(day).astype("timedelta64[D]")


def _workdays() -> np.ndarray:
    free = holidays.country_holidays("BR", years=range(2021, 2029))
    days = ((DAY0 + timedelta(days=k), k) for k in range(LAST_DAY + 500))
    return np.array([k for day, k in days if day.weekday() < 5 and day not in free], dtype=np.int64)


WORKDAYS = _workdays()
OPENS, CLOSES = 9 * 60, 18 * 60


def next_workday(day: np.ndarray) -> np.ndarray:
    """The day itself when it is a working day, else the next one."""
    return WORKDAYS[np.searchsorted(WORKDAYS, day)]


def business_position(seconds: np.ndarray) -> np.ndarray:
    """Working minutes since DAY0 at each instant (evenings, weekends and holidays stand still)."""
    day, minute = seconds // 86400, seconds % 86400 // 60
    index = np.searchsorted(WORKDAYS, day)
    inside = WORKDAYS[index] == day
    return index * (CLOSES - OPENS) + np.where(inside, np.clip(minute - OPENS, 0, CLOSES - OPENS), 0)


def after_business_minutes(seconds: np.ndarray, minutes: np.ndarray) -> np.ndarray:
    """The instant that lies so many working minutes later, in seconds."""
    position = business_position(seconds) + minutes
    day = WORKDAYS[position // (CLOSES - OPENS)]
    return day * 86400 + (OPENS + position % (CLOSES - OPENS)) * 60 + seconds % 60


def business_clock(rng: np.random.Generator, n: int) -> np.ndarray:
    """Seconds of the day inside working hours."""
    return rng.integers(OPENS * 60, CLOSES * 60, n)


def salesforce_suffix(prefix: str) -> str:
    """The three letters that make a 15-character id safe where case is ignored; only the prefix has capitals here."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    padded = prefix.ljust(15, "0")
    return "".join(letters[sum(1 << i for i, c in enumerate(padded[k : k + 5]) if c.isupper())] for k in (0, 5, 10))


def ids(prefix: str, n: int, width: int = 6, suffix: str = "", first: int = 1) -> pd.Series:
    """n texts: the prefix, a running number padded to `width`, the suffix."""
    numbers = pc.utf8_lpad(pa.array(np.arange(first, first + n, dtype=np.int64)).cast(pa.string()), width, "0")
    return text(pc.binary_join_element_wise(prefix, numbers, suffix, ""))


def salesforce_ids(prefix: str, n: int, first: int = 1) -> pd.Series:
    """n ids of 18 characters as Salesforce writes them."""
    start = prefix + "5f0"
    return ids(start, n, 15 - len(start), salesforce_suffix(start), first)


def text(values: pa.Array) -> pd.Series:
    return pd.Series(pd.array(values, dtype="str"))


def join(*parts: pd.Series | str) -> pd.Series:
    """Texts put together row by row."""
    arrays = [part if isinstance(part, str) else pa.array(part).cast(pa.string()) for part in parts]
    return text(pc.binary_join_element_wise(*arrays, ""))


def pick(values: pd.Series, index: np.ndarray) -> pd.Series:
    """values[index], missing where the index is -1."""
    return pd.Series(values.array.take(np.asarray(index), allow_fill=True))


def label(names: tuple[str, ...] | list[str], codes: np.ndarray) -> pd.Series:
    """Names for codes, missing where the code is -1."""
    return pd.Series(pd.Categorical.from_codes(np.asarray(codes), list(names)))


def days(index: np.ndarray, known: np.ndarray | None = None) -> pd.Series:
    """Dates for day indexes; missing where not known."""
    result = np.asarray(index, dtype="timedelta64[D]") + np.datetime64(DAY0, "D")
    if known is not None:
        result = np.where(known, result, np.datetime64("NaT", "D"))
    return pd.Series(result.astype("datetime64[s]"))


def times(seconds: np.ndarray, known: np.ndarray | None = None) -> pd.Series:
    """UTC instants for seconds of the company's clock; missing where not known."""
    result = np.asarray(seconds + UTC_BEHIND, dtype="timedelta64[s]") + np.datetime64(DAY0, "s")
    if known is not None:
        result = np.where(known, result, np.datetime64("NaT", "s"))
    return pd.Series(result)


END_SECOND = (LAST_DAY + 1) * 86400 - 1
