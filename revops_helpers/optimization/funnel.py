"""The lead funnel: of the leads that had time enough, how many reached each stage, each against the one before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import ibis
import numpy as np
import pandas as pd

from revops_helpers.methods import intervals
from revops_helpers.metrics.linked import leads_in_segment
from revops_helpers.metrics.reasons import N_, TOO_FEW
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.as_of import cut_off
from revops_helpers.model.company import Company
from revops_helpers.periods import Every, Period, month_start

NEEDS = ("leads.lead_id", "leads.created_at")
DAYS = 90
FEW = 20
STAMPS = {"mql": "mql_at", "sal": "sal_at", "sql": "sql_at"}
COLUMNS = ("lead_id", "account_id", "opportunity_id", "created_at", *STAMPS.values())


@dataclass(frozen=True)
class LeadFunnel:
    """Leads created in the period and followed for `days` days each.

    steps: one row per stage that the data know, in order: stage (lead, mql, sal, sql, opportunity, customer), reached, of_before
        with low and high (share of those of the stage before, Wilson), of_leads, status and reason. Reaching a later stage
        counts as having reached the earlier ones; only the first way through counts.
    cohorts: by the fiscal window of creation: cohort (its first day), stage, leads, reached, of_leads, low, high, status, reason.
    unripe: leads of the period younger than `days`, which are in no rate.
    """

    period: Period
    days: int
    steps: pd.DataFrame
    cohorts: pd.DataFrame
    unripe: int


def lead_funnel(company: Company, period: Period | None = None, every: Every = "quarter", days: int = DAYS) -> LeadFunnel:
    """The funnel of the leads created in the period, the company's when none is given. Unavailable without leads, or where
    most have no segment to be narrowed to."""
    company.require(NEEDS)
    period = period or company.period
    windows = Windows.of(company.settings, period, every)
    rows = _reached(company, _created(company, windows), days)
    stages = [name for name in ("mql", "sal", "sql", "opportunity", "customer") if name in rows.columns]
    ripe = rows.created_at < ibis.literal(cut_off(company.as_of, company.settings) - timedelta(days=days))
    counts = (
        rows.group_by("window")
        .agg(unripe=(~ripe).sum(), lead=ripe.sum(), **{name: (rows[name] & ripe).sum() for name in stages})
        .order_by("window")
        .to_pandas()
    )
    names = ["lead", *stages]
    starts = [windows.periods[i].start for i in counts.window]
    cohorts = pd.concat([_shares(counts, name, starts) for name in names], ignore_index=True)
    totals = counts[names].sum().astype("int64")
    return LeadFunnel(period, days, _steps(totals), cohorts.sort_values("cohort", kind="stable"), int(counts.unripe.sum()))


def _created(company: Company, windows: Windows) -> ibis.Table:
    """Leads created in a window, after the records began, with the stage stamps that the company keeps."""
    rows = windows.assign(company.table("leads", COLUMNS), "created_at")
    if begin := company.settings.records_start.get("leads"):
        rows = rows.filter(rows.created_at >= cut_off(month_start(begin) - timedelta(days=1), company.settings))
    return leads_in_segment(company, rows, windows.span)


def _reached(company: Company, rows: ibis.Table, days: int) -> ibis.Table:
    """The rows with one flag per known stage: reached, or a later one reached, within `days` of creation."""
    until = rows.created_at + ibis.interval(days=days)
    stamps = {stage: rows[name] for stage, name in STAMPS.items() if name in rows.columns}
    if "opportunity_id" in rows.columns and not company.missing(["opportunities.status"]):
        rows = _with_deals(company, rows)
        known = {"opportunity": "_opened", "customer": "_won"}
        stamps = {stage: rows[STAMPS[stage]] for stage in stamps} | {s: rows[n] for s, n in known.items() if n in rows.columns}
        until = rows.created_at + ibis.interval(days=days)
    flags: dict[str, ibis.BooleanValue] = {}
    later = ibis.literal(False)
    for stage, stamp in reversed(stamps.items()):
        later = later | (stamp <= until).fill_null(False)
        flags[stage] = later
    return rows.mutate(**{stage: flags[stage] for stage in stamps})


def _with_deals(company: Company, rows: ibis.Table) -> ibis.Table:
    """The leads with _opened and _won, when their deal was opened and won, as far as deals say."""
    deals = company.table("opportunities", ("opportunity_id", "status", "created_at", "closed_at", "close_date"))
    known = {"_opened": deals.created_at} if "created_at" in deals.columns else {}
    ends = [deals[name].cast("timestamp") for name in ("closed_at", "close_date") if name in deals.columns]
    if ends:
        known["_won"] = ibis.ifelse(deals.status == "won", ibis.coalesce(*ends), ibis.null())
    deals = deals.select(_deal=deals.opportunity_id, **known)
    return rows.left_join(deals, rows.opportunity_id == deals._deal)


def _steps(totals: pd.Series) -> pd.DataFrame:
    reached = totals.to_numpy()
    before = np.concatenate([reached[:1], reached[:-1]])
    low, high = intervals.wilson(reached, before)
    few = np.minimum(reached, before - reached) < FEW
    few[0] = False
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = {"of_before": reached / before, "low": low, "high": high, "of_leads": reached / reached[0]}
    frame = pd.DataFrame({"stage": totals.index.tolist(), "reached": reached, **shares})
    return frame.assign(**_statuses(before, few))


def _shares(counts: pd.DataFrame, stage: str, starts: list) -> pd.DataFrame:
    """One stage's share of the leads of every cohort."""
    leads, reached = counts.lead.to_numpy(), counts[stage].to_numpy()
    low, high = intervals.wilson(reached, leads)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = reached / leads
    few = np.minimum(reached, leads - reached) < FEW if stage != "lead" else np.zeros(len(leads), bool)
    frame = pd.DataFrame({"cohort": starts, "stage": stage, "leads": leads, "reached": reached, "of_leads": share})
    return frame.assign(low=low, high=high, **_statuses(leads, few))


def _statuses(before: np.ndarray, few: np.ndarray) -> dict[str, np.ndarray]:
    status = np.select([before == 0, few], ["not_applicable", "insufficient"], "ok")
    return {"status": status, "reason": np.select([before == 0, few], [N_("no leads old enough"), TOO_FEW], "")}
