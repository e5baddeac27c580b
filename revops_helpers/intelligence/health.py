"""Does the health score see departures coming? An opinion until it does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from revops_helpers.intelligence.panel import HORIZON, SOURCES, history
from revops_helpers.intelligence.passport import FEW
from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.methods import calibration
from revops_helpers.metrics.reasons import TOO_FEW
from revops_helpers.model.company import Company

BANDS = ("red", "yellow", "green")


@dataclass(frozen=True)
class HealthValidity:
    """The company's own health score against who left in the `horizon` months after it.

    auc: the chance that a customer that leaves had the lower score; 0.5 says nothing. events: customers that left.
    bands: band, customers, left (share of the landmarks of such customers followed by a departure), low, high; worst band first.
    """

    horizon: int
    auc: Measurement
    events: int
    bands: pd.DataFrame


def health_validity(company: Company, horizon: int = HORIZON) -> HealthValidity:
    """The score on every landmark that has one. Unavailable without health scores or subscriptions."""
    company.require(SOURCES["health_scores"][1])
    rows = history(company, horizon)
    rows = rows[rows.health.notna() & rows.churned.notna()]
    events = rows.customer[rows.churned > 0].nunique()
    ranked = calibration.auc(-rows.health, rows.churned, rows.customer)
    customers = rows.customer.nunique()
    auc = not_applicable(TOO_FEW)
    if np.isfinite(ranked.value):
        few = min(events, customers - events) < FEW
        held = {"status": "insufficient", "reason": TOO_FEW} if few else {}
        auc = Measurement(ranked.value, n=customers, low=ranked.low, high=ranked.high, **held)
    records = []
    for band in BANDS:
        group = rows[rows.band == band]
        if len(group):
            left = calibration.per_cluster(group.churned, np.ones(len(group)), group.customer)
            records.append((band, group.customer.nunique(), left.value, max(left.low, 0.0), left.high))
    return HealthValidity(horizon, auc, int(events), pd.DataFrame(records, columns=["band", "customers", "left", "low", "high"]))
