"""From what was known of a customer to numbers that a model can weigh, in the order in which events may afford them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revops_helpers.intelligence.panel import HORIZON, TERM

LOW, FULL = 0.5, 0.85  # seats in use now, and in the better weeks of a year: below is low usage, from there on nearly full
COMPLETE = 0.75  # of the handoff checklist: a handoff with less is incomplete

# Feature → the step that its odds ratio is told for; None where it is yes or no. The order is fixed before anything is fitted:
# what few events can carry comes first. Members of segment and product come last, each against the largest.
STEPS: dict[str, float | None] = {
    "first_year": None,  # how much of the horizon lies in the customer's first year, in which a contract is taken to bind
    "low_usage": None,
    "incomplete_handoff": None,
    "seats_full": None,
    "usage_change": 0.1,  # of the seats, against the 12 weeks before
    "tickets": 1.0,
    "overdue": 1.0,
    "arr": 1.0,  # doublings
    "tenure": 1.0,  # doublings of months + 1
    "health": 10.0,
}
GROUPS = ("segment", "product")
FEWEST = 0.05  # of the rows: a smaller member of a group gets no number of its own


def features(rows: pd.DataFrame, horizon: int = HORIZON) -> pd.DataFrame:
    """One column per feature that the rows of a panel can tell, in the order of STEPS; NaN where it is not on record."""
    made = {
        "first_year": ((TERM - rows.tenure) / horizon).clip(0, 1),
        "arr": np.log2(rows.arr.clip(lower=1).astype(float)),
        "tenure": np.log2(rows.tenure.clip(lower=0) + 1),
    }
    if "usage" in rows:
        made["low_usage"] = flag(rows.usage < LOW, rows.usage)
        # Where even the better weeks are low, nobody knows whether the seats would be full.
        made["seats_full"] = flag(rows.usage_best >= FULL, rows.usage_best.where(rows.usage_best >= LOW))
        made["usage_change"] = rows.usage - rows.usage_before
    if "handoff" in rows:
        made["incomplete_handoff"] = flag(rows.handoff < COMPLETE, rows.handoff)
    made |= {name: rows[name] for name in ("tickets", "overdue", "health") if name in rows}
    return pd.DataFrame({name: made[name].astype(float) for name in STEPS if name in made}).reset_index(drop=True)


def flag(holds: pd.Series, known: pd.Series) -> pd.Series:
    """1 or 0; NaN where what it rests on is not on record."""
    return holds.astype(float).where(known.notna())


def design(rows: pd.DataFrame, like: pd.DataFrame, horizon: int = HORIZON) -> pd.DataFrame:
    """All features of the rows, and a 0/1 column `segment=…` or `product=…` per common member of `like`, the rows fitted to.

    What never differs in `like` tells nothing and is left out.
    """
    known = features(like, horizon)
    columns = {name: values for name, values in features(rows, horizon).items() if known[name].nunique() > 1}
    for group in (name for name in GROUPS if name in like):
        shares = like[group].value_counts(normalize=True)
        for member in sorted(str(m) for m, share in shares.iloc[1:].items() if share >= FEWEST):
            columns[f"{group}={member}"] = (rows[group].astype(str) == member).to_numpy(float)
    return pd.DataFrame(columns, index=range(len(rows)))


def step_of(name: str) -> float:
    """The step that a feature's odds ratio is told for."""
    return STEPS.get(name) or 1.0
