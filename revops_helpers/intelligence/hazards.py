"""Who leaves and who grows, month by month: hazards by tenure and year, and what goes with more or less of them.

Every customer counts in each month at risk with what was known when the month began, so that use, handoff and tenure come
before what they are compared with. These are associations: customers who use less may have other reasons to leave.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from revops_helpers.intelligence.features import features
from revops_helpers.intelligence.panel import TERM, months_on_record, panel
from revops_helpers.intelligence.passport import Outcome
from revops_helpers.methods import intervals
from revops_helpers.methods.hazards import hazard_ratios
from revops_helpers.metrics.reasons import TOO_FEW
from revops_helpers.model.company import Company
from revops_helpers.periods import add_months

FEW = 20  # events in all
FEW_EACH = 5  # events with a trait, and without
# What is asked of each outcome, fixed before anything is counted: few questions, so that chance answers few of them.
FACTORS: dict[Outcome, tuple[str, ...]] = {
    "churned": ("low_usage", "incomplete_handoff"),
    "expanded": ("low_usage", "seats_full"),
}
BANDS = ((0, 3), (4, 12), (13, 24), (25, 36), (37, None))  # months since the customer came, in the month at risk


@dataclass(frozen=True)
class Hazards:
    """Monthly hazards of an outcome since the records of subscriptions begin.

    months, customers, events: customer-months at risk, customers, and events.
    ratios: one row per factor that the company can tell: factor, months and events with it, ratio, low, high (of the monthly
        hazard with it to that without, tenure, year and the other factors held equal), status and reason.
    by_tenure: first, last (months since the customer came; no last in the open band), months, events, hazard, low, high.
    by_year: year, months, events, hazard, low, high of ordinary customers: past their first year, and on record
        without any of the factors; a year without such records is absent. All intervals are 95 %.
    """

    outcome: Outcome
    months: int
    customers: int
    events: int
    ratios: pd.DataFrame
    by_tenure: pd.DataFrame
    by_year: pd.DataFrame

    def clear(self, factor: str) -> pd.Series | None:
        """The row of a factor whose interval lies on one side of 1; None when there is none."""
        rows = self.ratios[(self.ratios.factor == factor) & (self.ratios.status == "ok")]
        rows = rows[(rows.low > 1) | (rows.high < 1)]
        return None if rows.empty else rows.iloc[0]


def churn_hazards(company: Company) -> Hazards:
    """Hazards of leaving. Unavailable without subscriptions."""
    return _hazards(company, "churned")


def expansion_hazards(company: Company) -> Hazards:
    """Hazards of buying more. Unavailable without subscriptions."""
    return _hazards(company, "expanded")


def _hazards(company: Company, outcome: Outcome) -> Hazards:
    rows = company.once("panel of months", partial(_months, company))
    rows = rows[rows[outcome].notna()].reset_index(drop=True)
    known = features(rows, horizon=1)
    traits = known[[name for name in FACTORS[outcome] if name in known]]
    year = rows.landmark.map(lambda day: add_months(day, 1).year)
    month = rows.tenure + 1
    band = np.select([month <= last for _first, last in BANDS[:-1]], range(len(BANDS) - 1), len(BANDS) - 1)
    event = rows[outcome].to_numpy(float)
    ordinary = (month > TERM) & (traits == 0).all(axis=1)
    return Hazards(
        outcome=outcome,
        months=len(rows),
        customers=rows.customer.nunique(),
        events=int(event.sum()),
        ratios=_ratios(traits, band, year.to_numpy(), event, rows.customer.to_numpy()),
        by_tenure=_rates(band, event).assign(
            first=lambda t: [BANDS[i][0] for i in t.level], last=lambda t: [BANDS[i][1] for i in t.level]
        ),
        by_year=_rates(year[ordinary].to_numpy(), event[ordinary]).rename(columns={"level": "year"}),
    )


def _months(company: Company) -> pd.DataFrame:
    return panel(company, months_on_record(company), horizon=1)


def _rates(levels: np.ndarray, event: np.ndarray) -> pd.DataFrame:
    """level, months, events, hazard, low, high."""
    frame = pd.DataFrame({"level": levels, "event": event}).groupby("level", as_index=False).event.agg(["size", "sum"])
    low, high = intervals.wilson(frame["sum"], frame["size"])
    rates = {"months": frame["size"], "events": frame["sum"].astype(int), "hazard": frame["sum"] / frame["size"]}
    return pd.DataFrame({"level": frame.level, **rates, "low": low, "high": high})


def _ratios(traits: pd.DataFrame, band: np.ndarray, year: np.ndarray, event: np.ndarray, customer: np.ndarray) -> pd.DataFrame:
    with_ = {name: (traits[name] == 1).to_numpy() for name in traits}
    without = {name: (traits[name] == 0).to_numpy() for name in traits}
    enough = [name for name in traits if min(event[with_[name]].sum(), event[without[name]].sum()) >= FEW_EACH]
    if event.sum() < FEW:
        enough = []
    found: dict[str, tuple[float, float, float]] = {}
    if enough:
        unknown = [traits[name].isna().to_numpy(int) for name in enough]
        columns = np.column_stack([with_[name] for name in enough])
        fitted = hazard_ratios(columns, np.column_stack([band, year, *unknown]), event, customer)
        found = dict(zip(enough, zip(fitted.ratio, fitted.low, fitted.high, strict=True), strict=True))
    records = [
        (name, int(with_[name].sum()), int(event[with_[name]].sum()), *found.get(name, (np.nan,) * 3))
        for name in traits
        if with_[name].any() or without[name].any()
    ]
    frame = pd.DataFrame(records, columns=["factor", "months", "events", "ratio", "low", "high"])
    few = frame.ratio.isna()
    return frame.assign(status=np.where(few, "insufficient", "ok"), reason=np.where(few, TOO_FEW, ""))
