"""The metrics whose definitions have choices that are known, over the catalogue's own facts; those of MQL are here.

Each yardstick reads its facts once, as sums that the engine makes, and then values any combination of choices from them. The
first option of every switch is the catalogue's; a switch whose data is missing is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import ibis

from revops_helpers.foundation.cac import cac
from revops_helpers.foundation.definitions import Choices, Switch, Yardstick, sums
from revops_helpers.foundation.open_pipeline import pipeline
from revops_helpers.foundation.retained import churn, grr, nrr
from revops_helpers.metrics.lifecycle import entries
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import Period


def yardstick(company: Company, metric: str, period: Period) -> Yardstick | None:
    """The yardstick of a metric over a period; None where there is none, or its data is missing."""
    make = YARDSTICKS.get(metric)
    try:
        return make(company, period) if make else None
    except Unavailable:
        return None


def mqls(company: Company, period: Period) -> Yardstick:
    """Leads qualified by marketing. Choices: those qualified or those created in the period, by a later stage too or by their own
    stamp only, rejected ones, those that sales accepted, and one or every lead of an e-mail address."""
    company.require(["leads.created_at", "leads.mql_at"])
    windows = Windows.of(company.settings, period)
    leads = company.table("leads", ("lead_id", "mql_at", "sal_at", "rejected_at", "email"))
    entered = entries(company)
    entered = entered.filter(entered.stage == "mql").select("lead_id", "entered_at", "created_at")
    rows = entered.join(leads, "lead_id")
    has = {name: rows[name].notnull() if name in leads.columns else ibis.literal(False) for name in ("sal_at", "rejected_at")}
    address = ibis.coalesce(rows.email.lower(), rows.lead_id) if "email" in leads.columns else rows.lead_id
    later = any(not company.missing([f"leads.{name}"]) for name in ("sal_at", "sql_at", "opportunity_id"))
    switches = (
        Switch("day", ("qualified", "created")),
        Switch("stamp", ("or a later stage", "own") if later else ("or a later stage",)),
        Switch("rejected", ("counted", "left out") if "rejected_at" in leads.columns else ("counted",)),
        Switch("accepted", ("all", "accepted") if "sal_at" in leads.columns else ("all",)),
    )
    own = rows.mql_at.notnull()
    when = {
        ("qualified", "or a later stage"): windows.within(rows.entered_at, period),
        ("qualified", "own"): windows.within(rows.mql_at, period),
        ("created", "or a later stage"): windows.within(rows.created_at, period),
        ("created", "own"): own & windows.within(rows.created_at, period),
    }
    yes = ibis.literal(True)
    kept = {
        (day, stamp, rejected, accepted): when[day, stamp]
        & (yes if rejected == "counted" else ~has["rejected_at"])
        & (yes if accepted == "all" else has["sal_at"])
        for day, stamp, rejected, accepted in product(*(switch.options for switch in switches))
    }
    every = sums(rows, **{" ".join(key): condition.sum() for key, condition in kept.items()})
    one = sums(rows, **{" ".join(key): address.nunique(where=condition) for key, condition in kept.items()})

    def value(choices: Choices) -> float:
        counted = one if choices["same_email"] == "one" else every
        return float(counted[" ".join(str(choices[switch.id]) for switch in switches)])

    return Yardstick((*switches, Switch("same_email", ("every", "one") if "email" in leads.columns else ("every",))), value)


YARDSTICKS: dict[str, Callable[[Company, Period], Yardstick]] = {
    "cac": cac,
    "nrr": nrr,
    "grr": grr,
    "logo_churn": churn("customers", "year"),
    "churn": churn("ARR", "quarter of the year's start"),
    "pipeline": pipeline,
    "mqls": mqls,
}
