"""How old the newest record of each source is, against what company.yml's `freshness` allows. Pure: small frames in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import pandas as pd

from revops_helpers.settings import Freshness, Settings


@dataclass(frozen=True)
class Fresh:
    """What is as old as `days` before the as-of date, by its newest record, of `day` (None: it has no dated record by then).

    what: a source, a table or source.table. status: `ok`, `warn`, `fail`, or `free` where nothing is declared.
    """

    what: str
    day: date | None
    days: int | None
    status: Literal["ok", "warn", "fail", "free"]
    limit: int | None = None

    @property
    def note(self) -> str:
        """What is to be said of it; empty while it is new enough. In English, as rooms below the words speak."""
        if self.status not in ("warn", "fail"):
            return ""
        if self.day is None:
            return f"{self.what}: no dated record by the day of this report"
        return f"{self.what}: the newest record is of {self.day}, {self.days:,} days old, where {self.limit} are allowed"


def freshness(settings: Settings, newest: pd.DataFrame, sources: list[str], as_of: date) -> list[Fresh]:
    """Each source, then whatever else company.yml names. newest: `Company.newest`."""
    return [_judged(what, settings.freshness.get(what), newest, as_of) for what in dict.fromkeys([*sources, *settings.freshness])]


def _judged(what: str, allowed: Freshness | None, newest: pd.DataFrame, as_of: date) -> Fresh:
    source, _, table = what.partition(".")
    of_both = (newest["source"] == source) & (newest["table"] == table)
    days = newest.loc[(newest["source"] == what) | (newest["table"] == what) | of_both, "day"]
    day = days.max().date() if len(days) else None
    age = None if day is None else (as_of - day).days
    limits = [("fail", allowed.fail), ("warn", allowed.warn)] if allowed else []
    for status, limit in limits:
        if limit is not None and (age is None or age >= limit):
            return Fresh(what, day, age, status, limit)
    return Fresh(what, day, age, "ok" if any(limit for _, limit in limits) else "free")
