"""The row ledger on a date, and the days between which the data lies. Pure: the small frames that ingest wrote in."""

from __future__ import annotations

from datetime import date

import pandas as pd

LEDGER = ("table", "source", "unit", "read", "accepted", "quarantined", "excluded")
STRAY_GAP_DAYS = 60
STRAY_SHARE = 1 / 200


def balance(reads: pd.DataFrame, days: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """The row ledger on a date. AssertionError when read is not accepted plus quarantined plus excluded, in rows or in money."""
    index, later = ["table", "source", "unit"], days["day"] > pd.Timestamp(as_of)
    sums = [part.groupby(index, sort=False)["accepted"].sum() for part in (days[~later], days[later])]
    ledger = (
        pd.concat([reads.set_index(index), sums[0], sums[1].rename("excluded")], axis=1).fillna(0).astype("int64").reset_index()
    )
    wrong = ledger[ledger["read"] != ledger["accepted"] + ledger["quarantined"] + ledger["excluded"]]
    if len(wrong):
        raise AssertionError(f"the row ledger does not balance:\n{wrong.to_string(index=False)}")
    return ledger[list(LEDGER)]


def newest_days(days: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """table, source, day: the newest day up to `as_of` from which a row is known; planned rows do not count."""
    rows = days[(days["unit"] == "rows") & (days["day"] <= pd.Timestamp(as_of))]
    return rows.groupby(["table", "source"], sort=False, as_index=False)["day"].max()


def data_ends_on(days: pd.DataFrame, moments: pd.DataFrame) -> tuple[date | None, date | None]:
    """The first and the newest day of the records, or (None, None).

    Moments that systems stamped tell where the data ends, where there are any, else the days of the rows (which may be planned).
    A stray date beyond the rest (fewer than 1 in 200, after a gap of two months) does not count.
    """
    rows = days[(days["unit"] == "rows") & days["day"].notna()].rename(columns={"accepted": "rows"})
    counts = (rows if moments.empty else moments).groupby("day")["rows"].sum().sort_index()
    if counts.empty:
        return None, None
    first = min(counts.index[0], rows["day"].min()) if len(rows) else counts.index[0]
    after_gap = counts.index.to_series().diff().dt.days > STRAY_GAP_DAYS
    beyond = counts[::-1].cumsum()[::-1]
    stray = counts.index[after_gap & (beyond < counts.sum() * STRAY_SHARE)]
    newest = counts.index[counts.index < stray[0]][-1] if len(stray) else counts.index[-1]
    return first.date(), newest.date()
