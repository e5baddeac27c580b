"""Which channels the won deals came through: credit by first touch, last touch and all touches alike, side by side.

Credit is bookkeeping: it says which touches stood where on the way to a deal, not that the deal would not have come without them.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from revops_helpers.methods.attribution import Model
from revops_helpers.metrics.credit import WON, credited
from revops_helpers.metrics.dimensions import NOT_RECORDED, in_segment
from revops_helpers.model.company import Company
from revops_helpers.periods import Period

MODELS: tuple[Model, ...] = ("first", "last", "linear")
FEW = 20


@dataclass(frozen=True)
class ClosedLoop:
    """New-business deals won in the period, credited to channels.

    channels: one row per channel, the largest credit first: channel, deals (that it touched), the credit in deals by each model
        (first, last, linear), low and high of them, the ARR credited (arr_first and so on, cents; absent without amounts), best
        and worst place (1 is most credit; empty for what is not recorded and for channels with too few deals to be ranked).
    won: deals won; arr: their ARR in cents, None without amounts. traced: deals with at least one touch on record.
    """

    period: Period
    channels: pd.DataFrame
    won: int
    traced: int
    arr: int | None

    @property
    def moving(self) -> pd.DataFrame:
        """Ranked channels that three or more places lie between, by model; those that move most first."""
        ranked = self.channels[self.channels.best.notna()]
        far = ranked[ranked.worst - ranked.best >= 2]
        return far.assign(places=far.worst - far.best).sort_values(["places", "channel"], ascending=[False, True])


def closed_loop(company: Company) -> ClosedLoop:
    """The company's period. Unavailable without touches and won deals."""
    company.require(WON)
    rows = pd.concat([_by_channel(company, model) for model in MODELS], axis=1).fillna(0.0)
    rows = rows.rename_axis("channel").reset_index()
    credit = rows[list(MODELS)]
    rows = rows.assign(low=credit.min(axis=1), high=credit.max(axis=1), **_places(rows))
    rows = rows.sort_values(["high", "channel"], ascending=[False, True], ignore_index=True)
    won = round(float(rows["first"].sum()))
    arr = int(rows.arr_first.sum()) if "arr_first" in rows.columns else None
    untouched = int(rows.untouched.sum())
    return ClosedLoop(company.period, rows.drop(columns="untouched"), won, won - untouched, arr)


def _by_channel(company: Company, model: Model) -> pd.DataFrame:
    """By channel: the credit, and with the linear model also the deals that it touched and those that nothing touched."""
    rows = in_segment(company, credited(company, model))
    sums = {model: rows.credit.sum()}
    if "amount" in rows.columns:
        sums[f"arr_{model}"] = rows.amount.sum()
    if model == "linear":
        sums |= {"deals": rows.count(), "untouched": (rows.touches == 0).sum()}
    return rows.group_by("channel").agg(**sums).order_by("channel").to_pandas().set_index("channel")


def _places(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """The best and the worst place of each channel over the models; none for what is not recorded or touched too few deals."""
    ranked = rows[(rows.channel != NOT_RECORDED) & (rows.deals >= FEW)]
    places = ranked[list(MODELS)].rank(ascending=False, method="min")
    return {"best": places.min(axis=1), "worst": places.max(axis=1)}
