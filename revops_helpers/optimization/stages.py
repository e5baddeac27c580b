"""Where deals wait and where they are lost: conversion and time of every pipeline stage, and the bottleneck."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import ibis
import numpy as np
import pandas as pd

from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.methods import intervals
from revops_helpers.methods.survival import kaplan_meier
from revops_helpers.metrics.facts import records_begin
from revops_helpers.metrics.reasons import NOT_REACHED, TOO_FEW
from revops_helpers.metrics.stays import TENTH_OF_A_DAY, stays_of
from revops_helpers.model.as_of import cut_off
from revops_helpers.model.company import Company
from revops_helpers.optimization.pipeline import selling
from revops_helpers.periods import Period, add_months

NEEDS = ("opportunity_history.stage", "opportunity_history.changed_at", "opportunities.status")
FEW = 20


@dataclass(frozen=True)
class StageFunnel:
    """Stays in pipeline stages that began in the period.

    stages: one row per stage in the order of the pipeline: stage, entered, moved_on (to another open stage, or won), lost,
        waiting; conversion with low and high (moved on ÷ moved on and lost, Wilson); days with days_low and days_high (median
        stay by Kaplan-Meier, those still waiting counted as not over; the longest stay seen, as a lower bound and `censored`,
        when less than half are over); status and reason.
    bottleneck: the stage in which deals stay longest; its measurement in `wait`, days. None when there is no stage with enough
        stays. clear: whether its interval lies above the interval of every other stage.
    """

    period: Period
    stages: pd.DataFrame
    bottleneck: str | None
    wait: Measurement
    clear: bool


def stage_funnel(company: Company, period: Period | None = None) -> StageFunnel:
    """The stages over a period: the twelve months to the as-of date when none is given. Unavailable without deal history."""
    company.require(NEEDS)
    period = period or Period(add_months(company.as_of, -12) + timedelta(days=1), company.as_of)
    counts = _counts(company, period)
    order = _order(company, counts)
    rows = pd.DataFrame([_stage(stage, counts[counts.stage == stage]) for stage in order], columns=_COLUMNS)
    ranked = rows[rows.status != "insufficient"].sort_values(["status", "days", "stage"], ascending=[True, False, True])
    if ranked.empty:
        return StageFunnel(period, rows, None, not_applicable("no stage with enough stays", unit="days"), False)
    worst = ranked.iloc[0]
    others = rows[(rows.stage != worst.stage) & (rows.entered > 0)]
    clear = bool((worst.days_low > others.days_high).all()) and len(others) > 0
    ends = {"low": _none(worst.days_low), "high": _none(worst.days_high)}
    wait = Measurement(float(worst.days), n=int(worst.entered), **ends, unit="days", definition_id="stage_days")
    return StageFunnel(period, rows, str(worst.stage), wait, clear)


_COLUMNS = [
    *("stage", "entered", "moved_on", "lost", "waiting", "conversion", "low", "high"),
    *("days", "days_low", "days_high", "status", "reason"),
]


def stays(company: Company) -> ibis.Table:
    """One row per stay of a deal in an open stage, as known: opportunity_id, stage, position (1 is the deal's first stage),
    began, ended (empty while it waits there) and outcome (moved_on, won, lost, waiting). Rows that repeat the stage are one stay.
    """
    company.require(NEEDS)
    found = stays_of(company, selling(company).select("opportunity_id", "status"))
    return found.select("opportunity_id", "stage", "position", "began", "ended", "outcome")


def _counts(company: Company, period: Period) -> pd.DataFrame:
    """stage, outcome, days (to a tenth), n and mean position of the stays that began in the period, within the records."""
    cut = cut_off(company.as_of, company.settings)
    agreed = records_begin(company, "opportunities", "opportunity_history")
    rows = stays(company)
    begins = cut_off(max(period.start, agreed) - timedelta(days=1), company.settings)
    rows = rows.filter(rows.began >= begins, rows.began < cut_off(period.end, company.settings))
    until = rows.ended.fill_null(ibis.literal(cut))
    days = (until.epoch_seconds() - rows.began.epoch_seconds()) // TENTH_OF_A_DAY / 10
    return rows.group_by(rows.stage, rows.outcome, days=days).agg(n=rows.count(), position=rows.position.mean()).to_pandas()


def _order(company: Company, counts: pd.DataFrame) -> list[str]:
    """The stages that deals were in: as company.yml orders them, others after, by how early in a deal they come."""
    agreed = {stage: i for i, stage in enumerate(company.settings.opportunity_stages)}
    weighted = counts.assign(at=counts.position * counts.n).groupby("stage")[["at", "n"]].sum()
    mean = (weighted["at"] / weighted.n).to_dict()
    return sorted(mean, key=lambda stage: (agreed.get(stage, len(agreed)), mean[stage], stage))


def _stage(stage: str, counts: pd.DataFrame) -> tuple:
    by = counts.groupby("outcome").n.sum()
    moved, lost = int(by.get("moved_on", 0) + by.get("won", 0)), int(by.get("lost", 0))
    entered, waiting = int(counts.n.sum()), int(by.get("waiting", 0))
    low, high = (float(end) for end in intervals.wilson(moved, moved + lost))
    conversion = moved / (moved + lost) if moved + lost else np.nan
    curve = kaplan_meier(counts.days, counts.outcome != "waiting", weights=counts.n)
    days = [np.nan if value is None else value for value in (curve.median, curve.median_low, curve.median_high)]
    status, reason = "ok", ""
    if curve.events < FEW:
        status, reason = "insufficient", TOO_FEW
    elif curve.median is None:
        status, reason, days[0] = "censored", NOT_REACHED, curve.longest
    return stage, entered, moved, lost, waiting, conversion, low, high, *days, status, reason


def _none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
