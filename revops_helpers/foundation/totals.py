"""Control totals: what the records add up to, to be held against the systems that they come from, and when they begin."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import pandas as pd

from revops_helpers.methods.intervals import wilson
from revops_helpers.metrics.dimensions import NOT_RECORDED
from revops_helpers.metrics.facts import deals
from revops_helpers.model.company import Company
from revops_helpers.model.tables import TABLES


@dataclass(frozen=True)
class Totals:
    """Everything on record up to the as-of day, whatever the period.

    counts: name → number: leads, leads_won (leads with a won deal), deals, won, lost, open, won_amount (cents of the reporting
        currency), mean_cycle (days from opening to winning, won deals); only what the tables tell.
    by_source: one row per source of leads: source, leads, won, share, low, high (Wilson).
    spans: one row per table with dates: table, first, last (days).
    """

    counts: dict[str, float]
    by_source: pd.DataFrame
    spans: pd.DataFrame


def totals(company: Company) -> Totals:
    """The control totals. Unavailable when there are neither leads nor deals."""
    if len(company.missing(["leads", "opportunities"])) == 2:
        company.require(["opportunities"])
    counts, by_source = _deals(company), _leads(company)
    if len(by_source):
        counts = {"leads": int(by_source.leads.sum()), "leads_won": int(by_source.won.sum())} | counts
        low, high = wilson(by_source.won, by_source.leads)
        by_source = by_source.assign(share=by_source.won / by_source.leads, low=low, high=high)
    return Totals(counts, by_source, _spans(company))


def _deals(company: Company) -> dict[str, float]:
    if company.missing(["opportunities.status"]):
        return {}
    rows = deals(company)
    won = rows.status == "won"
    sums = {"deals": rows.count(), **{name: (rows.status == name).sum() for name in ("won", "lost", "open")}}
    if "amount" in rows.columns:
        sums["won_amount"] = rows.amount.sum(where=won)
    if {"closed_at", "created_at"} <= set(rows.columns):
        days = (rows.closed_at.epoch_seconds() - rows.created_at.epoch_seconds()) / 86_400
        sums["mean_cycle"] = days.mean(where=won)
    found = rows.aggregate(**sums).execute().iloc[0].to_dict()
    return {name: float(value) for name, value in found.items() if not pd.isna(value)}


def _leads(company: Company) -> pd.DataFrame:
    """source, leads, won: the leads that a won deal names, or that name a won deal."""
    linked = [need for need in ("opportunities.lead_id", "leads.opportunity_id") if not company.missing([need])]
    if company.missing(["leads", "opportunities.status"]) or not linked:
        return pd.DataFrame({"source": [], "leads": [], "won": []})
    leads, rows = company.table("leads"), company.table("opportunities")
    winners = rows.filter(rows.status == "won")
    if linked[0] == "opportunities.lead_id":
        winners = winners.filter(winners.lead_id.notnull()).select(_lead="lead_id").distinct()
    else:
        winners = leads.join(winners, leads.opportunity_id == winners.opportunity_id).select(_lead=leads.lead_id).distinct()
    joined = leads.left_join(winners, leads.lead_id == winners._lead)
    source = joined.source.fill_null(NOT_RECORDED) if "source" in leads.columns else ibis.literal(NOT_RECORDED)
    found = joined.group_by(source=source).aggregate(leads=joined.count(), won=joined._lead.notnull().sum()).execute()
    return found.sort_values(["leads", "source"], ascending=[False, True], ignore_index=True)


def _spans(company: Company) -> pd.DataFrame:
    """table, first and last day of every table that has dated rows."""
    parts = []
    for name in company.tables:
        rows = company.table(name)
        stamps = [rows[c].cast("timestamp") for c in TABLES[name].stamp if c in rows.columns]
        if stamps:
            at = ibis.coalesce(*stamps)
            parts.append(rows.aggregate(first=at.min(), last=at.max()).mutate(table=ibis.literal(name)))
    if not parts:
        return pd.DataFrame({"table": [], "first": [], "last": []})
    found = (ibis.union(*parts) if len(parts) > 1 else parts[0]).execute().dropna()
    days = {edge: [pd.Timestamp(day).date() for day in found[edge]] for edge in ("first", "last")}
    order = {name: i for i, name in enumerate(TABLES)}
    found = found.assign(**days)[["table", "first", "last"]]
    return found.sort_values("table", key=lambda names: names.map(order), ignore_index=True)
