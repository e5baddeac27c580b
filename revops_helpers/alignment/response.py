"""How long leads wait for a first human contact: over all leads, those never contacted counted as still waiting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import pandas as pd

from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.methods.survival import Survival, kaplan_meier
from revops_helpers.metrics.dimensions import NOT_RECORDED
from revops_helpers.metrics.journey import first_contacts_at_work
from revops_helpers.metrics.linked import leads_in_segment
from revops_helpers.metrics.measure import measure, measurements
from revops_helpers.metrics.plan import target
from revops_helpers.metrics.reasons import NOT_REACHED, TOO_FEW, ZERO
from revops_helpers.metrics.waiting import assignments, contacts_once_given
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company
from revops_helpers.periods import Period

NEEDS = ("leads.created_at", "leads.first_contact_at")
ASSIGNED = ("leads.assigned_at",)
PARTS = ("time_to_assignment", "assignment_to_contact")
METRICS = ("contacted_within_sla", "never_contacted", "time_to_first_contact", "time_to_first_contact_at_work")
CUTS = ("source", "owner", "segment")
FEW, DAY_MINUTES, KNOWN = 20, 1440, 0.5


@dataclass(frozen=True)
class Response:
    """Leads created in the period; times in minutes, at least one.

    curves: `elapsed` and `working` time to the first contact, the leads without one as still waiting.
    measured: the metrics of METRICS by id. target: of contacted_within_sla. sla: agreed working minutes.
    cuts: dimension → one row per member as metrics.measure gives it, best first, small samples last. Only dimensions that are
        known for most leads (a segment: of most that are no deal, see `metrics.linked`).
    """

    period: Period
    sla: int
    leads: int
    curves: Mapping[str, Survival]
    measured: Mapping[str, Measurement]
    target: Measurement | None
    cuts: Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Delays:
    """Where the wait comes from. system and human: the metrics of PARTS. assigned, contacted: of how many leads, and how many of
    those."""

    leads: int
    assigned: int
    contacted: int
    system: Measurement
    human: Measurement


def response(company: Company) -> Response:
    """Over the company's period. Unavailable without leads' contacts."""
    company.require(NEEDS)
    period = company.period
    rows = _created(company, period)
    minutes = {"elapsed": rows.minutes, "working": rows.business_minutes}
    curves = {name: _curve(rows, value, rows.contacted) for name, value in minutes.items()}
    found = measurements(company, METRICS, period)
    cuts = {name: _by(company, name, period) for name in CUTS}
    cuts = {name: rows for name, rows in cuts.items() if _mostly_known(rows)}
    sla = company.settings.slas.first_contact_minutes
    return Response(period, sla, curves["elapsed"].n, curves, found, target(company, "contacted_within_sla", period), cuts)


def delays(company: Company) -> Delays:
    """The system's part of the wait and people's. Unavailable where no column says when a lead was given to a person."""
    company.require([*NEEDS, *ASSIGNED])
    windows = Windows.of(company.settings, company.period)
    created = leads_in_segment(company, assignments(company, windows), company.period)
    called = leads_in_segment(company, contacts_once_given(company, windows), company.period)
    counts = [created.count(), created.given.sum(), called.contacted.sum()]
    leads, assigned, contacted = (int(x.to_pyarrow().as_py() or 0) for x in counts)
    found = measurements(company, PARTS)
    return Delays(leads, assigned, contacted, *(found[name] for name in PARTS))


def _created(company: Company, period: Period) -> ibis.Table:
    """The leads of the period with their waits."""
    return leads_in_segment(company, first_contacts_at_work(company, Windows.of(company.settings, period)), period)


def _curve(rows: ibis.Table, minutes: ibis.IntegerValue, seen: ibis.BooleanValue) -> Survival:
    """Waits of a minute and more; beyond a day to the hour, so that the engine returns few rows however many leads there are."""
    coarse = ibis.ifelse(minutes > DAY_MINUTES, (minutes + 59) // 60 * 60, ibis.greatest(minutes, 1))
    counts = rows.group_by(wait=coarse, seen=seen).agg(rows=rows.count()).order_by("wait", "seen").to_pandas()
    return kaplan_meier(counts.wait, counts.seen, weights=counts.rows)


def median_of(curve: Survival, unit: str) -> Measurement:
    """The median of a curve; a lower bound where fewer than half have got there."""
    if curve.n == 0:
        return not_applicable(ZERO, unit=unit)
    if curve.median is None:
        bound = curve.median_low if curve.median_low is not None else curve.longest
        fields = {"low": min(bound, curve.longest), "status": "censored", "reason": NOT_REACHED}
        return Measurement(curve.longest, n=curve.n, unit=unit, **fields)
    fields = {} if curve.events >= FEW else {"status": "insufficient", "reason": TOO_FEW}
    return Measurement(curve.median, n=curve.n, low=curve.median_low, high=curve.median_high, unit=unit, **fields)


def _by(company: Company, dimension: str, period: Period) -> pd.DataFrame:
    rows = measure(company, "contacted_within_sla", by=dimension, period=period)
    rows = rows[rows.value.notna()]
    rows = rows.assign(_small=(rows.status != "ok").to_numpy())
    return rows.sort_values(["_small", "value", "member"], ascending=[True, False, True], ignore_index=True).drop(
        columns="_small"
    )


def _mostly_known(rows: pd.DataFrame) -> bool:
    return len(rows) > 0 and rows.n[rows.member != NOT_RECORDED].sum() >= KNOWN * rows.n.sum()
