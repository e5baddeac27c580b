"""Is a fast first contact worth it? Leads contacted within the service level beside those contacted later, others alike.

Nobody drew lots over who was called first: hot leads are called sooner and convert more anyway. So what was known of a lead
when it came in is held constant; what was not recorded is not, and the E-value says how strong it would have to be.

Two comparisons, both free of immortal time. *From the call*: among leads that were contacted, each followed for the same days
from its own contact. *From the deadline*: all leads not yet a deal when the service level ran out, contacted by then or not;
it counts leads that nobody ever called among the late.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import ibis
import pandas as pd

from revops_helpers.measurement import Measurement
from revops_helpers.methods.business_time import business_minutes, local_time
from revops_helpers.methods.effects import Effect, e_value_of, effect_of
from revops_helpers.metrics.linked import leads_in_segment
from revops_helpers.model.as_of import cut_off
from revops_helpers.model.company import Company

NEEDS = ("leads.created_at", "leads.first_contact_at", "leads.opportunity_id", "opportunities.created_at")
DAYS, DAYS_TO_WIN = 90, 180
KNOWN = 0.9  # of the leads without a deal, for how many a thing must be known to be held constant
COVARIATES = ("score", "source", "segment", "owner", "hour", "quarter")
COLUMNS = ("lead_id", "account_id", "opportunity_id", "source", "owner_id", "score", "created_at", "first_contact_at")


@dataclass(frozen=True)
class Comparison:
    """Fast against slow. naive: as they are; adjusted: with `Speed.adjusted_for` held constant; None where too few to tell."""

    outcome: str
    days: int
    fast: int
    slow: int
    naive: Effect | None
    adjusted: Effect | None

    @property
    def e_value(self) -> Measurement | None:
        """How strong hidden bias would have to be to explain the adjusted risk ratio away."""
        return e_value_of(self.adjusted.ratio) if self.adjusted else None


@dataclass(frozen=True)
class Speed:
    """minutes: the service level, in working time. calls: from the call, deals opened; wins: the same, deals won (None where the
    company does not say when). deadline: from the deadline, deals opened. adjusted_for: what was held constant. left_out: what
    could not be, with the share of leads without a deal for which it is known."""

    minutes: int
    calls: Comparison
    deadline: Comparison
    wins: Comparison | None
    adjusted_for: tuple[str, ...]
    left_out: dict[str, float]


def speed(company: Company) -> Speed:
    """Over all leads on record that had the days to become a deal. Unavailable without contacts or deals' opening dates."""
    company.require(NEEDS)
    cells = _cells(company)
    known = _known(cells)
    used = tuple(name for name, share in known.items() if share >= KNOWN)
    return Speed(
        company.settings.slas.first_contact_minutes,
        _compare(cells, "call", "opened", DAYS, used),
        _compare(cells, "deadline", "opened", DAYS, used),
        _compare(cells, "call_to_win", "won", DAYS_TO_WIN, used) if "call_to_win" in cells else None,
        used,
        {name: share for name, share in known.items() if share < KNOWN},
    )


def _compare(cells: pd.DataFrame, among: str, outcome: str, days: int, used: tuple[str, ...]) -> Comparison:
    rows = cells[cells[among].notna()]
    rows = rows.assign(outcome=rows[among].astype(int), fast=rows.fast.astype(int))
    by = rows.groupby("fast").leads.sum()
    effects = [effect_of(rows, "fast", "outcome", held, "leads") for held in ((), used)]
    return Comparison(outcome, days, int(by.get(1, 0)), int(by.get(0, 0)), *effects)


def _known(cells: pd.DataFrame) -> dict[str, float]:
    """For what share of the leads that did not become a deal each covariate is known. One that is recorded when a deal is made
    would tell the outcome, so it must be known of the others too."""
    without = cells[cells.deadline.fillna(False).astype(int) == 0]
    total = without.leads.sum()
    there = [name for name in COVARIATES if name in cells]
    return {name: float(without.leads[without[name].notna()].sum() / total) if total else 0.0 for name in there}


def _cells(company: Company) -> pd.DataFrame:
    """Leads counted by covariates, fast, and their outcome in each comparison (empty where they are not in it)."""
    rows = _leads(company)
    keys = ["fast", "call", "deadline", *(n for n in ("call_to_win", *COVARIATES) if n in rows.columns)]
    return rows.group_by(keys).agg(leads=rows.count()).order_by(keys).to_pandas()


def _leads(company: Company) -> ibis.Table:
    """One row per lead with the columns of _cells."""
    cut, settings = cut_off(company.as_of, company.settings), company.settings
    rows = leads_in_segment(company, company.table("leads", COLUMNS))
    rows = rows.filter(rows.first_contact_at.isnull() | (rows.first_contact_at >= rows.created_at))
    rows = _with_deals(company, _as_first_recorded(company, rows))
    first, last = rows.created_at.min().to_pyarrow().as_py() or cut, company.as_of
    until = {"contact_until": rows.first_contact_at, "opened_until": rows.opened}
    for name, when in until.items():
        rows = rows.mutate(**{name: when.fill_null(ibis.literal(cut - timedelta(minutes=1)))})
        rows = business_minutes(rows, "created_at", name, settings.working_hours, settings.zone, first.date(), last)
        rows = rows.rename(**{f"{name}_minutes": "business_minutes"})
    limit = settings.slas.first_contact_minutes
    fast = rows.first_contact_at.notnull() & (rows.contact_until_minutes <= limit)
    untouched = rows.opened.isnull() | (rows.opened_until_minutes > limit)
    outcomes = {
        "call": _within(
            rows.first_contact_at, rows.opened, DAYS, cut, rows.opened.isnull() | (rows.opened >= rows.first_contact_at)
        ),
        "deadline": _within(rows.created_at, rows.opened, DAYS, cut, untouched),
    }
    if "won" in rows.columns:
        before = rows.won.isnull() | (rows.won >= rows.first_contact_at)
        outcomes["call_to_win"] = _within(rows.first_contact_at, rows.won, DAYS_TO_WIN, cut, before)
    local = local_time(rows.created_at, settings.zone, first.date(), last)
    weekend = local.day_of_week.index() >= 5
    hour = ibis.ifelse(weekend, ibis.literal("weekend"), (local.hour() // 3).cast("string"))
    quarter = local.year().cast("string") + "-" + local.quarter().cast("string")
    return rows.mutate(fast=fast, hour=hour, quarter=quarter, **outcomes)


def _within(start, event, days: int, cut, eligible) -> ibis.BooleanValue:
    """Whether the event came within `days` of the start; empty where the days are not over or the row is not eligible."""
    came = (event <= start + ibis.interval(days=days)).fill_null(False)
    over = start <= ibis.literal(cut - timedelta(days=days))
    return ibis.ifelse((over & eligible).fill_null(False), came, ibis.null("boolean"))


def _with_deals(company: Company, rows: ibis.Table) -> ibis.Table:
    """The leads with `opened` and `won`, when their deal was opened and won; and the segment of their account."""
    deals = company.table("opportunities", ("opportunity_id", "created_at", "status", "closed_at"))
    known = {"opened": deals.created_at}
    if {"status", "closed_at"} <= set(deals.columns):
        known["won"] = ibis.ifelse(deals.status == "won", deals.closed_at, ibis.null())
    deals = deals.select(_deal=deals.opportunity_id, **known)
    rows = rows.left_join(deals, rows.opportunity_id == deals._deal).drop("_deal")
    if "account_id" not in rows.columns or company.missing(["accounts.segment"]):
        return rows
    accounts = company.table("accounts", ("account_id", "segment"))
    accounts = accounts.select(_account=accounts.account_id, segment=accounts.segment)
    return rows.left_join(accounts, rows.account_id == accounts._account).drop("_account")


def _as_first_recorded(company: Company, rows: ibis.Table) -> ibis.Table:
    """Owner and score as they were when the lead came in, where its history says: what came later may follow from the call."""
    if "owner_id" in rows.columns:
        rows = rows.rename(owner="owner_id")
    if company.missing(["lead_history"]):
        return rows
    history = company.table("lead_history")
    names = {"owner": "owner_id", "score": "score"}
    names = {name: column for name, column in names.items() if column in history.columns and name in rows.columns}
    if not names:
        return rows
    first = ibis.struct({name: history[column] for name, column in names.items()}).argmin(history.changed_at)
    first = history.group_by(_lead=history.lead_id).agg(_first=first)
    joined = rows.left_join(first, rows.lead_id == first._lead)
    state = {name: ibis.coalesce(joined._first[name], joined[name]) for name in names}
    return joined.mutate(**state).drop("_lead", "_first")
