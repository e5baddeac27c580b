"""The tools: what is paid for and used, and whether the connections between them hold."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import ibis

from revops_helpers.metrics.facts import reporting, since_records
from revops_helpers.metrics.metric import Benchmark, Metric
from revops_helpers.metrics.reasons import NO_RUN_FINISHED, NO_SEATS_PAID, NO_SEATS_USED, TOOLS_ARE_FREE
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.as_of import cut_off
from revops_helpers.model.company import Company

RECENT_DAYS = 30  # a seat is in use when its person was seen in this time


def seats(company: Company, windows: Windows) -> ibis.Table:
    """One row per tool, for the windows that hold the as-of date or end after it: paid, active, annual_cost and unused_cost in
    reporting cents. A tool list says how things are and not how they were, so earlier windows have no rows.

    active: people seen within RECENT_DAYS of the as-of date where tool_users tells of the tool, else the list's own count.
    """
    tools = company.table("tools")
    listed = tools.seats_active if "seats_active" in tools.columns else ibis.null("int64")
    cost = reporting(company, tools, "tools", "annual_cost") if "annual_cost" in tools.columns else ibis.null("int64")
    rows = tools.select("tool_id", paid="seats_paid", listed=listed, annual_cost=cost)
    rows = rows.mutate(active=rows.listed) if company.missing(["tool_users.last_active_on"]) else _seen(company, rows)
    rows = rows.filter(rows.paid > 0, rows.active.notnull())
    rows = rows.mutate(active=ibis.least(rows.active, rows.paid))
    unused = (rows.annual_cost * (rows.paid - rows.active) / rows.paid).round().cast("int64")
    return rows.mutate(unused_cost=unused).drop("listed").cross_join(windows.not_before(company.as_of))


def _seen(company: Company, rows: ibis.Table) -> ibis.Table:
    users = company.table("tool_users", ("tool_id", "user_id", "last_active_on"))
    since = ibis.literal(company.as_of - timedelta(days=RECENT_DAYS))
    users = users.group_by(_tool=users.tool_id).agg(seen=(users.last_active_on > since).fill_null(False).sum())
    joined = rows.left_join(users, rows.tool_id == users._tool)
    return joined.mutate(active=ibis.coalesce(joined.seen, joined.listed)).drop("_tool", "seen")


def runs(company: Company, windows: Windows) -> ibis.Table:
    """One row per integration run started in a window: finished, succeeded, and minutes (so far, where it still runs)."""
    rows = windows.assign(company.table("integration_runs"), "started_at")
    rows = since_records(company, windows, rows, "started_at", "integration_runs")
    end = rows.finished_at.fill_null(ibis.literal(cut_off(company.as_of, company.settings)))
    return rows.mutate(
        finished=rows.finished_at.notnull(),
        succeeded=rows.succeeded.fill_null(False),
        minutes=end.delta(rows.started_at, unit="second") / 60,
    )


_tool = partial(
    Metric,
    family="data_and_stack",
    grain="paid seat of a tool",
    owner="Head of RevOps",
    source="tool list; sign-ins of the tools",
    needs=("tools.seats_paid", "tools.seats_active"),
    estimator="exact",
    timing="As of the report's date: a tool list has no history, so earlier periods have no value.",
    edge_cases="A seat is active when its person was seen in the 30 days before; without sign-ins the list's own count is taken. "
    "Tools paid by use have no seats and are left out.",
    facts=seats,
    stock=True,
    present=True,
)
_run = partial(
    Metric,
    family="data_and_stack",
    grain="integration run started in the period",
    owner="Head of RevOps",
    source="logs of the integrations",
    timing="By the company's day on which the run started.",
    facts=runs,
)

METRICS = (
    _tool(
        id="tool_utilisation",
        label="Seats in use",
        unit="percent",
        direction="higher",
        definition="Of the seats paid for, the share whose person was seen in the tool in the last 30 days.",
        formula="Σ active seats ÷ Σ paid seats",
        num=lambda t: t.active,
        den=lambda t: t.paid,
        benchmarks=(Benchmark("47% of licences used within 30 days, across companies", "Zylo", 2024),),
        zero_reason=NO_SEATS_PAID,
    ),
    _tool(
        id="cost_per_active_seat",
        label="Cost per active seat",
        unit="money",
        direction="lower",
        definition="Yearly cost of the tools per seat in use.",
        formula="Σ yearly cost ÷ Σ active seats",
        needs=("tools.seats_paid", "tools.seats_active", "tools.annual_cost"),
        num=lambda t: t.annual_cost,
        den=lambda t: t.active,
        zero_reason=NO_SEATS_USED,
    ),
    _tool(
        id="unused_tool_cost",
        label="Tool cost without use",
        unit="percent",
        direction="lower",
        definition="Of the yearly cost of the tools, the share that pays for seats nobody used in the last 30 days.",
        formula="Σ yearly cost × unused seats ÷ paid seats, ÷ Σ yearly cost",
        needs=("tools.seats_paid", "tools.seats_active", "tools.annual_cost"),
        num=lambda t: t.unused_cost,
        den=lambda t: t.annual_cost,
        zero_reason=TOOLS_ARE_FREE,
    ),
    _run(
        id="integration_success",
        label="Integration runs that succeed",
        unit="percent",
        direction="higher",
        definition="Of the integration runs started in the period and over by now, the share that succeeded.",
        formula="runs succeeded ÷ runs finished",
        needs=("integration_runs.started_at", "integration_runs.finished_at", "integration_runs.succeeded"),
        estimator="proportion",
        edge_cases="Runs still under way do not count yet. Failures of one job come in rows, so the interval is a floor.",
        where=lambda t: t.finished,
        num=lambda t: t.succeeded,
        zero_reason=NO_RUN_FINISHED,
    ),
    _run(
        id="integration_latency",
        label="Integration run time",
        unit="minutes",
        direction="lower",
        definition="Minutes within which half of the integration runs started in the period were finished.",
        formula="Kaplan-Meier median of finished_at − started_at",
        needs=("integration_runs.started_at", "integration_runs.finished_at", "integration_runs.succeeded"),
        estimator="median",
        edge_cases="Runs still under way are censored, not dropped; failed runs count when they ended.",
        num=lambda t: t.minutes,
        den=lambda t: t.finished,
    ),
)
