"""Where the company stands on the roadmap: gates, each a computed number against a threshold.

A phase is open when every gate of it and of the phases before it is passed. What is missing does not pass: its gate names what it
needs. The thresholds are this product's own judgement of what the analyses of a phase need, stated here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import ibis
import pandas as pd

from revops_helpers.foundation.duplicates import duplicates
from revops_helpers.foundation.hygiene import hygiene
from revops_helpers.foundation.tie_out import arr_tie
from revops_helpers.foundation.won_billed import deal_tie
from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.methods.intervals import wilson
from revops_helpers.metrics.measure import measurement
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import add_months, last_closed_month_end, month_start

PHASES = (1, 2, 3, 4)


@dataclass(frozen=True)
class Gate:
    """One gate: what was measured, and which value of it opens the gate."""

    phase: int
    id: str
    value: Measurement
    threshold: float
    sense: Literal["at_least", "at_most"] = "at_least"

    @property
    def passed(self) -> bool:
        """Whether the number meets the threshold. A number that is not there does not."""
        if self.value.value is None:
            return False
        return self.value.value >= self.threshold if self.sense == "at_least" else self.value.value <= self.threshold


@dataclass(frozen=True)
class Readiness:
    """All gates, in the order of the roadmap."""

    gates: tuple[Gate, ...]

    def of(self, phase: int) -> tuple[Gate, ...]:
        """The gates of one phase."""
        return tuple(gate for gate in self.gates if gate.phase == phase)

    def is_open(self, phase: int) -> bool:
        """Whether every gate up to and including the phase's is passed."""
        return all(gate.passed for gate in self.gates if gate.phase <= phase)

    @property
    def position(self) -> int:
        """The phase whose gates are being worked on: the first that is not open; 4 when all are."""
        return next((phase for phase in PHASES if not self.is_open(phase)), PHASES[-1])


def readiness(company: Company) -> Readiness:
    """Every gate, measured on this company as of its date."""
    return Readiness(
        tuple(Gate(phase, id, _measured(company, make, unit), bar, sense) for phase, id, make, unit, bar, sense in GATES)
    )


def _measured(company: Company, make: Callable, unit: str) -> Measurement:
    """What the gate measures, or why it cannot be."""
    try:
        found = make(company)
    except Unavailable as missing:
        return not_applicable(str(missing), unit=unit)
    if not isinstance(found, tuple):
        return Measurement(found, n=found, unit=unit)
    part, whole = found
    if not whole:
        return not_applicable("nothing to count", unit=unit)
    low, high = wilson(part, whole) if unit == "percent" and 0 <= part <= whole and isinstance(part, int) else (None, None)
    return Measurement(part / whole, n=int(whole), low=low, high=high, unit=unit)


def _result(company: Company, analysis: Callable):
    """The analysis, made once for the company; its Unavailable is raised here."""
    found = company.ask(analysis)
    if isinstance(found, Unavailable):
        raise found
    return found


def _rows_accepted(company: Company) -> tuple[int, int]:
    if company.ledger is None:
        raise Unavailable(["the row ledger"])
    rows = company.ledger[company.ledger.unit == "rows"]
    return int(rows.accepted.sum()), int((rows.accepted + rows.quarantined).sum())


def _fields_filled(company: Company) -> tuple[int, int]:
    fields = _result(company, hygiene).completeness
    return int((fields.tested - fields.failing).sum()), int(fields.tested.sum())


def _references_resolved(company: Company) -> tuple[int, int]:
    rules = _result(company, hygiene).rules
    links = rules[rules.rule == "orphan"]
    return int((links.tested - links.failing).sum()), int(links.tested.sum())


def _companies_once(company: Company) -> tuple[int, int]:
    company.require(["accounts"])
    found = _result(company, duplicates)
    return found.extra("tax_id", "domain", table="accounts"), found.records["accounts"]


def _arr_untied(company: Company) -> tuple[float, int]:
    last = _result(company, arr_tie).last
    return float(abs(last.unexplained)), int(last.finance)


def _won_billed(company: Company) -> tuple[int, int]:
    totals = _result(company, deal_tie).totals.set_index("case").records
    billed = int(totals.reindex(["matched", "differs"]).fillna(0).sum())
    return billed, billed + int(totals.get("unbilled", 0))


def _year(company: Company, months: int = 12) -> ibis.Value:
    """The first instant of the last `months` closed months."""
    first = add_months(month_start(last_closed_month_end(company.as_of)), 1 - months)
    return ibis.literal(first).cast("timestamp")


def _leads_owned(company: Company) -> tuple[int, int]:
    company.require(["leads.owner_id", "leads.created_at"])
    leads = company.table("leads")
    return _share(leads.filter(leads.created_at >= _year(company)), lambda t: t.owner_id.notnull())


def _leads_contacted_on_record(company: Company) -> tuple[int, int]:
    company.require(["leads.first_contact_at", "leads.created_at"])
    leads = company.table("leads")
    return _share(leads.filter(leads.created_at >= _year(company)), lambda t: t.first_contact_at.notnull())


def _deals_with_lead(company: Company) -> tuple[int, int]:
    company.require(["opportunities.lead_id", "opportunities.kind", "opportunities.created_at"])
    deals = company.table("opportunities")
    return _share(deals.filter((deals.created_at >= _year(company)) & (deals.kind == "new")), lambda t: t.lead_id.notnull())


def _handoffs_recorded(company: Company) -> tuple[int, int]:
    company.require(["onboardings.opportunity_id", "opportunities.status", "opportunities.kind", "opportunities.closed_at"])
    deals = company.table("opportunities")
    grace = timedelta(days=company.settings.grace_days)
    due = ibis.literal(company.as_of - grace).cast("timestamp")
    won = deals.filter((deals.status == "won") & (deals.kind == "new") & deals.closed_at.between(_year(company), due))
    handed = company.table("onboardings").select(_key="opportunity_id").distinct()
    return int(won.semi_join(handed, won.opportunity_id == handed._key).count().execute()), int(won.count().execute())


def _contacted_within_sla(company: Company) -> tuple[int, int]:
    found = measurement(company, "contacted_within_sla")
    if found.value is None and found.reason.startswith("needs "):
        raise Unavailable([found.reason.removeprefix("needs ")])
    if found.value is None:
        return 0, 0
    return round(found.value * found.n), found.n


def _handoffs_complete(company: Company) -> tuple[int, int]:
    company.require(["onboardings.items_required", "onboardings.items_done", "onboardings.handed_off_at"])
    rows, share = company.table("onboardings"), company.settings.slas.handoff_complete
    enough = lambda t: t.items_done >= t.items_required * share - 1e-9  # noqa: E731
    return _share(rows.filter(rows.handed_off_at >= _year(company)), enough)


def _share(rows: ibis.Table, holds: Callable) -> tuple[int, int]:
    counted = rows.aggregate(k=holds(rows).sum(), n=rows.count()).execute().iloc[0]
    return int(counted.k) if counted.n else 0, int(counted.n)


def _months_of_history(company: Company) -> int:
    company.require(["opportunity_history.changed_at"])
    first = company.table("opportunity_history").changed_at.min().execute()
    if pd.isna(first):
        return 0
    end = last_closed_month_end(company.as_of)
    return max(0, (end.year - first.year) * 12 + end.month - first.month + (first.day == 1))


def _deals_decided(company: Company) -> int:
    company.require(["opportunities.closed_at", "opportunities.status"])
    deals = company.table("opportunities")
    return int(deals.filter((deals.status != "open") & (deals.closed_at >= _year(company))).count().execute())


def _planned_drivers(company: Company) -> int:
    company.require(["targets.metric", "targets.period_start"])
    year = company.table("targets").filter(ibis._.period_start.between(company.period.start, company.period.end))
    return int(year.metric.nunique().execute())


def _months_of_spend(company: Company) -> int:
    company.require(["spend.amount", "spend.month"])
    spend = company.table("spend")
    return int(spend.filter(spend.month.cast("timestamp") >= _year(company)).month.nunique().execute())


def _customers_with_usage(company: Company) -> tuple[int, int]:
    company.require(["usage.account_id", "usage.week", "subscriptions.account_id", "subscriptions.starts_on"])
    live = _live_accounts(company)
    usage = company.table("usage")
    recent = usage.filter(usage.week >= ibis.literal(company.as_of - timedelta(weeks=8))).select(_key="account_id").distinct()
    return int(live.semi_join(recent, live.account_id == recent._key).count().execute()), int(live.count().execute())


def _live_accounts(company: Company) -> ibis.Table:
    subs = company.table("subscriptions")
    ended = (subs.ends_on <= ibis.literal(company.as_of)).fill_null(False) if "ends_on" in subs.columns else ibis.literal(False)
    return subs.filter((subs.starts_on <= ibis.literal(company.as_of)) & ~ended).select("account_id").distinct()


def _churned(company: Company) -> int:
    company.require(["subscriptions.account_id", "subscriptions.starts_on", "subscriptions.ends_on"])
    subs = company.table("subscriptions")
    live = _live_accounts(company)
    gone = subs.filter(subs.ends_on >= _year(company, 24).cast("date")).anti_join(live, "account_id")
    return int(gone.account_id.nunique().execute())


def _leads_converted(company: Company) -> int:
    company.require(["leads.opportunity_id", "leads.created_at"])
    leads = company.table("leads")
    return int(leads.filter(leads.opportunity_id.notnull() & (leads.created_at >= _year(company, 24))).count().execute())


def gates() -> Iterator[str]:
    """The ids of all gates, in order."""
    return (gate[1] for gate in GATES)


# phase, id, what is measured, unit, threshold, sense
GATES: tuple[tuple[int, str, Callable, str, float, str], ...] = (
    (1, "rows_accepted", _rows_accepted, "percent", 0.95, "at_least"),
    (1, "fields_filled", _fields_filled, "percent", 0.90, "at_least"),
    (1, "references_resolved", _references_resolved, "percent", 0.98, "at_least"),
    (1, "companies_twice", _companies_once, "percent", 0.03, "at_most"),
    (1, "arr_untied", _arr_untied, "percent", 0.01, "at_most"),
    (1, "won_billed", _won_billed, "percent", 0.95, "at_least"),
    (2, "leads_owned", _leads_owned, "percent", 0.95, "at_least"),
    (2, "contacts_recorded", _leads_contacted_on_record, "percent", 0.50, "at_least"),
    (2, "deals_with_lead", _deals_with_lead, "percent", 0.60, "at_least"),
    (2, "handoffs_recorded", _handoffs_recorded, "percent", 0.90, "at_least"),
    (2, "contacted_within_sla", _contacted_within_sla, "percent", 0.60, "at_least"),
    (2, "handoffs_complete", _handoffs_complete, "percent", 0.80, "at_least"),
    (3, "months_of_history", _months_of_history, "months", 24, "at_least"),
    (3, "deals_decided", _deals_decided, "count", 100, "at_least"),
    (3, "planned_drivers", _planned_drivers, "count", 11, "at_least"),
    (3, "months_of_spend", _months_of_spend, "months", 12, "at_least"),
    (4, "customers_with_usage", _customers_with_usage, "percent", 0.80, "at_least"),
    (4, "customers_churned", _churned, "count", 100, "at_least"),
    (4, "leads_converted", _leads_converted, "count", 200, "at_least"),
)
