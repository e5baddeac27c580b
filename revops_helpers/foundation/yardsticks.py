"""The choices inside the definitions of NRR, churn, pipeline and MQL, over the catalogue's own facts; CAC has a file of its own.

Each yardstick reads its facts once, as sums that the engine makes, and then values any combination of choices from them. The
first option of every switch is the catalogue's; a switch whose data is missing is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import ibis

from revops_helpers.foundation.cac import cac
from revops_helpers.foundation.definitions import Choices, Switch, Yardstick, ratio, subsets, sums
from revops_helpers.metrics.journey import deals_as_they_stood
from revops_helpers.metrics.lifecycle import entries
from revops_helpers.metrics.recurring import apart, customer_months, customers_at_end
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import Period, add_months, fiscal_year_start


def yardstick(company: Company, metric: str, period: Period) -> Yardstick | None:
    """The yardstick of a metric over a period; None where there is none, or its data is missing."""
    make = YARDSTICKS.get(metric)
    try:
        return make(company, period) if make else None
    except Unavailable:
        return None


# --- NRR -----------------------------------------------------------------------------------------------------------------


def nrr(company: Company, period: Period) -> Yardstick:
    """What customers of an earlier day pay now. Choices: the earlier day, new customers, those lost, indexation, expansion,
    contraction."""
    year = period.year_before().end
    days = {"year": year, "quarter": period.start - timedelta(days=1)}
    held = {name: _held(company, period, day) for name, day in days.items()}
    switches = (
        Switch("window", ("year", "quarter", "quarter to a year")),
        Switch("new_customers", ("left out", "counted")),
        Switch("lost", ("counted", "left out")),
        Switch("indexation", ("counted", "left out")),
        Switch("expansion", ("counted", "left out")),
        Switch("contraction", ("counted", "left out")),
    )

    def value(choices: Choices) -> float | None:
        h = held["year" if choices["window"] == "year" else "quarter"]
        den = h["m0"] - (h["lost"] if choices["lost"] == "left out" else 0)
        num = h["m1"] + (h["new"] if choices["new_customers"] == "counted" else 0)
        num -= h["indexation"] if choices["indexation"] == "left out" else 0
        num -= h["expansion"] if choices["expansion"] == "left out" else 0
        num += h["contraction"] if choices["contraction"] == "left out" else 0
        share = ratio(num, den)
        return share**4 if share is not None and choices["window"] == "quarter to a year" else share

    return Yardstick(switches, value)


def _held(company: Company, period: Period, then: date) -> dict[str, int]:
    """MRR of the customers of a day, then (m0) and at the period's end (m1), and what lies between; m1 is always
    m0 − lost + indexation + expansion − contraction. new: MRR of the others."""
    t = apart(company, Windows.of(company.settings, period), [then])
    was, stays = t.m0 > 0, (t.m0 > 0) & (t.m1 > 0)
    change = t.m1 - t.m0 - t.uplift
    return sums(
        t,
        m0=t.m0.sum(),
        m1=t.m1.sum(where=was),
        new=t.m1.sum(where=~was),
        lost=t.m0.sum(where=was & (t.m1 == 0)),
        indexation=t.uplift.sum(where=stays),
        expansion=change.sum(where=stays & (change > 0)),
        contraction=-change.sum(where=stays & (change < 0)),
        n=was.sum(),
        gone=(was & (t.m1 == 0)).sum(),
    )


# --- churn ---------------------------------------------------------------------------------------------------------------


def churn(of: str, window: str) -> Callable[[Company, Period], Yardstick]:
    """The share lost. Choices: customers or ARR, in which time, per start or average, who counts as lost, downgrades."""
    windows = ("year", "quarter of the year's start", "quarter", "quarter × 4", "quarter to a year", "month of the quarter")
    departures = ("at the end", "every departure") if window == "year" else ("every departure", "at the end")
    switches = (
        Switch("of", (of, *(other for other in ("customers", "ARR") if other != of))),
        Switch("window", (window, *(other for other in windows if other != window))),
        Switch("per", ("start", "average")),
        Switch("departures", departures),
        Switch("downgrades", ("left out", "counted")),
    )

    def make(company: Company, period: Period) -> Yardstick:
        before = timedelta(days=1)
        year = Period(period.year_before().end + before, period.end)
        opened = fiscal_year_start(period.start, company.settings.fiscal_year_start)
        lost = {
            "year": _lost(company, year, year.start - before),
            "quarter": _lost(company, period, period.start - before),
            "quarter of the year's start": _lost(company, period, opened - before),
        }
        return Yardstick(switches, lambda choices: _churned(lost, choices))

    return make


def _lost(company: Company, span: Period, eve: date) -> dict[str, int]:
    """Customers and MRR on the eve and at the end; those gone since the span's start, and every departure and downgrade in it."""
    held = _held(company, span, span.start - timedelta(days=1))
    moved = customer_months(company, Windows.of(company.settings, span))
    found = sums(moved, left=(moved.churn > 0).sum(), left_mrr=moved.churn.sum(), less=moved.contraction.sum())
    for name, day in (("eve", eve), ("end", span.end)):
        rows = customers_at_end(company, Windows.of(company.settings, Period(day, day)))
        found |= sums(rows, **{f"{name}_n": rows.count(), f"{name}_mrr": rows.mrr.sum()})
    return found | {"gone": held["gone"], "gone_mrr": held["lost"], "down_mrr": held["contraction"]}


def _churned(lost: dict[str, dict[str, int]], choices: Choices) -> float | None:
    window, arr = str(choices["window"]), choices["of"] == "ARR"
    h = lost[window if window in lost else "quarter"]
    what, size = ("_mrr", "mrr") if arr else ("", "n")
    num = h[("gone" if choices["departures"] == "at the end" else "left") + what]
    if choices["downgrades"] == "counted":
        if not arr:
            return None  # a customer that pays less is still a customer
        num += h["down_mrr" if choices["departures"] == "at the end" else "less"]
    den = h[f"eve_{size}"] if choices["per"] == "start" else (h[f"eve_{size}"] + h[f"end_{size}"]) / 2
    share = ratio(num, den)
    if share is None:
        return None
    longer: dict[str, Callable[[float], float]] = {
        "quarter × 4": lambda s: 4 * s,
        "quarter to a year": lambda s: 1 - (1 - s) ** 4,
        "month of the quarter": lambda s: s / 3,
    }
    return longer[window](share) if window in longer else share


# --- pipeline ------------------------------------------------------------------------------------------------------------


def pipeline(company: Company, period: Period) -> Yardstick:
    """What is open at the end of the period. Choices: kinds of deal, how soon they are due, overdue deals, forecast categories,
    the first stage."""
    rows = deals_as_they_stood(company, Windows.of(company.settings, period))
    rows = rows.filter(rows.status == "open")
    due = rows.close_date if "close_date" in rows.columns else ibis.null("date")
    quarter = Period(period.end + timedelta(days=1), add_months(period.end + timedelta(days=1), 3) - timedelta(days=1))
    when = ibis.cases((due <= period.end, "overdue"), (due <= quarter.end, "next quarter"), else_="later")
    found = rows.group_by(kind=rows.kind.fill_null(""), when=when).agg(amount=rows.amount.sum()).to_pyarrow().to_pylist()
    kinds = sorted({r["kind"] for r in found} - {"new"})
    every = [("new",), *(("new", *some) for some in subsets(kinds))]
    switches = (
        Switch("deals", tuple(every)),
        Switch("due", ("any day", "next quarter")),
        Switch("overdue", ("counted", "left out")),
    )

    def value(choices: Choices) -> float | None:
        whens = {"next quarter"} | ({"later"} if choices["due"] == "any day" else set())
        whens |= {"overdue"} if choices["overdue"] == "counted" else set()
        return float(sum(r["amount"] or 0 for r in found if r["kind"] in choices["deals"] and r["when"] in whens))

    return Yardstick(switches, value)


# --- MQL -----------------------------------------------------------------------------------------------------------------


def mqls(company: Company, period: Period) -> Yardstick:
    """Leads qualified by marketing. Choices: those qualified or those created in the period, rejected ones, those that sales
    accepted, and one or every lead of an e-mail address."""
    company.require(["leads.created_at", "leads.mql_at"])
    windows = Windows.of(company.settings, period)
    leads = company.table("leads", ("lead_id", "sal_at", "rejected_at", "email"))
    entered = entries(company)
    entered = entered.filter(entered.stage == "mql").select("lead_id", "entered_at", "created_at")
    rows = entered.join(leads, "lead_id")
    has = {name: rows[name].notnull() if name in leads.columns else ibis.literal(False) for name in ("sal_at", "rejected_at")}
    address = ibis.coalesce(rows.email.lower(), rows.lead_id) if "email" in leads.columns else rows.lead_id
    when = {"qualified": windows.within(rows.entered_at, period), "created": windows.within(rows.created_at, period)}
    kept = {
        (day, rejected, accepted): when[day]
        & (ibis.literal(True) if rejected == "counted" else ~has["rejected_at"])
        & (ibis.literal(True) if accepted == "all" else has["sal_at"])
        for day in when
        for rejected in ("counted", "left out")
        for accepted in ("all", "accepted")
    }
    every = sums(rows, **{" ".join(key): condition.sum() for key, condition in kept.items()})
    one = sums(rows, **{" ".join(key): address.nunique(where=condition) for key, condition in kept.items()})
    switches = (
        Switch("day", ("qualified", "created")),
        Switch("rejected", ("counted", "left out") if "rejected_at" in leads.columns else ("counted",)),
        Switch("accepted", ("all", "accepted") if "sal_at" in leads.columns else ("all",)),
        Switch("same_email", ("every", "one") if "email" in leads.columns else ("every",)),
    )

    def value(choices: Choices) -> float:
        counted = one if choices["same_email"] == "one" else every
        return float(counted[" ".join(str(choices[name]) for name in ("day", "rejected", "accepted"))])

    return Yardstick(switches, value)


YARDSTICKS: dict[str, Callable[[Company, Period], Yardstick]] = {
    "cac": cac,
    "nrr": nrr,
    "logo_churn": churn("customers", "year"),
    "churn": churn("ARR", "quarter of the year's start"),
    "pipeline": pipeline,
    "mqls": mqls,
}
