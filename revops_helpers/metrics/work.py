"""Marketing's work: is it done when it was first promised, how often are dates moved, and how long does it take?"""

from __future__ import annotations

from functools import partial

import ibis

from revops_helpers.metrics.facts import since_records
from revops_helpers.metrics.metric import Metric
from revops_helpers.metrics.reading import Reading
from revops_helpers.metrics.reasons import NO_REQUEST_DUE, NO_REQUESTS, NOTHING_WAS_DUE
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.as_of import cut_off
from revops_helpers.model.company import Company

REQUEST = ("item_id", "kind", "due_on", "done_at", "created_at", "campaign_id", "assignee_id")
APPROVAL = ("item_id", "kind", "created_at", "done_at", "approved_at", "campaign_id", "assignee_id")
REQUESTS = ("request", "service request", "solicitação", "pedido", "requisição")  # as trackers call them


def promised(company: Company, windows: Windows) -> ibis.Table:
    """One row per item whose original due day is in a window: due (that day is over), on_time, redated."""
    rows = windows.assign(company.table("work_items"), "original_due_on")
    done = windows.day(rows.done_at)
    due = rows.due_on if "due_on" in rows.columns else rows.original_due_on
    return rows.mutate(
        due=rows.original_due_on <= ibis.literal(company.as_of),
        on_time=(done <= rows.original_due_on).fill_null(False),
        redated=(due != rows.original_due_on).fill_null(False),
    )


def begun(company: Company, windows: Windows) -> ibis.Table:
    """One row per item begun in a window: done, and days from its beginning to its end, or to the as-of date's. Items done before
    they began are left out."""
    rows = windows.assign(company.table("work_items"), "started_at")
    rows = since_records(company, windows, rows, "started_at", "work_items")
    end = rows.done_at.fill_null(ibis.literal(cut_off(company.as_of, company.settings)))
    rows = rows.mutate(done=rows.done_at.notnull(), days=end.delta(rows.started_at, unit="minute") / (24 * 60))
    return rows.filter(rows.days >= 0)


def requests(company: Company, windows: Windows) -> ibis.Table:
    """One row per request due in a window: judged (done, or its due day is over) and met (done by its due day)."""
    rows = company.table("work_items", REQUEST)
    rows = windows.assign(rows.filter(_is_request(rows)), "due_on")
    met = (windows.day(rows.done_at) <= rows.due_on).fill_null(False)
    return rows.mutate(judged=rows.done_at.notnull() | (rows.due_on <= ibis.literal(company.as_of)), met=met)


def no_requests(company: Company, read: Reading | None = None) -> str:
    """Nothing on record is a request, so none was answered in time or late. `read`: it asks nothing that others read."""
    rows = company.table("work_items", ("item_id", "kind"))
    return "" if rows.filter(_is_request(rows)).count().to_pyarrow().as_py() else NO_REQUESTS


def _is_request(rows: ibis.Table) -> ibis.BooleanValue:
    return rows.kind.strip().lower().isin(REQUESTS)


def submitted(company: Company, windows: Windows) -> ibis.Table:
    """One row per item created in a window that was approved or waits for it: approved, and days from its creation to the
    approval or to the as-of date's end.

    No record says which items need approval. An item done without one did not; an open one waits where most finished items of its
    kind were approved.
    """
    rows = company.table("work_items", APPROVAL)
    rows = rows.mutate(kind=rows.kind.fill_null(""), approved=rows.approved_at.notnull())
    kinds = rows.filter(rows.done_at.notnull()).group_by(_kind="kind").agg(usual=ibis._.approved.mean() > 0.5)
    found = rows.left_join(kinds, rows.kind == kinds["_kind"])
    waits = found.done_at.isnull() & found.usual.fill_null(False)
    found = windows.assign(found.filter(found.approved | waits), "created_at")
    found = since_records(company, windows, found, "created_at", "work_items")
    end = found.approved_at.fill_null(ibis.literal(cut_off(company.as_of, company.settings)))
    return found.filter(end >= found.created_at).mutate(days=end.delta(found.created_at, unit="minute") / (24 * 60))


_work = partial(
    Metric,
    family="marketing",
    owner="Head of Marketing",
    source="work tracking: items",
)
_promised = partial(
    _work,
    grain="item first promised for the period",
    unit="percent",
    estimator="proportion",
    facts=promised,
    timing="By the first due day; re-dating an item does not move it to another period.",
    where=lambda t: t.due,
)

METRICS = (
    _promised(
        id="on_time_rate",
        label="Work done when first promised",
        direction="higher",
        definition="Of the items whose first due day is over, the share done by that day.",
        formula="items done by original_due_on ÷ items whose original_due_on has passed",
        edge_cases="Open and overdue items are in the denominator. A later date agreed afterwards does not make an item on time.",
        needs=("work_items.original_due_on", "work_items.done_at"),
        num=lambda t: t.on_time,
        zero_reason=NOTHING_WAS_DUE,
    ),
    _promised(
        id="redated_share",
        label="Work given another date",
        direction="lower",
        definition="Of the items whose first due day is over, the share that was given another date.",
        formula="items with due_on other than original_due_on ÷ items whose original_due_on has passed",
        edge_cases="However often an item was re-dated, it counts once.",
        needs=("work_items.original_due_on", "work_items.due_on", "work_items.done_at"),
        num=lambda t: t.redated,
        zero_reason=NOTHING_WAS_DUE,
    ),
    _work(
        id="work_cycle_days",
        label="Work cycle",
        unit="days",
        direction="lower",
        grain="item begun in the period",
        definition="Days within which half of the items begun in the period were done.",
        formula="Kaplan-Meier median of done_at − started_at",
        timing="By the company's day on which work began.",
        edge_cases="Items still open are censored, not dropped. Items done before they began are left out.",
        needs=("work_items.started_at", "work_items.done_at"),
        estimator="median",
        facts=begun,
        num=lambda t: t.days,
        den=lambda t: t.done,
    ),
    _work(
        id="work_cycle_days_p85",
        label="Work cycle, 85% of items",
        unit="days",
        direction="lower",
        grain="item begun in the period",
        definition="Days within which 85% of the items begun in the period were done: what can be promised.",
        formula="Kaplan-Meier 85% quantile of done_at − started_at",
        timing="By the company's day on which work began.",
        edge_cases="Items still open are censored, not dropped. Items done before they began are left out. Where fewer than 85% "
        "have got there, the longest time watched is a lower bound and is said to be one.",
        needs=("work_items.started_at", "work_items.done_at"),
        estimator="median",
        share=0.85,
        facts=begun,
        num=lambda t: t.days,
        den=lambda t: t.done,
    ),
    _promised(
        id="request_sla",
        label="Requests answered by their due day",
        direction="higher",
        grain="request due in the period",
        definition="Of the requests to marketing that are done or past their due day, the share done by that day.",
        formula="requests done by due_on ÷ (requests done + requests open whose due_on has passed)",
        timing="By the due day as agreed now.",
        edge_cases="Open and not due yet: in neither. Open and overdue: missed. Requests without a due day are left out.",
        needs=("work_items.kind", "work_items.due_on", "work_items.done_at"),
        facts=requests,
        where=lambda t: t.judged,
        num=lambda t: t.met,
        untold=no_requests,
        zero_reason=NO_REQUEST_DUE,
    ),
    _work(
        id="approval_wait",
        label="Wait for approval",
        unit="days",
        direction="lower",
        grain="item created in the period that was approved or waits for it",
        definition="Days within which half of the items that need approval got it, from their creation.",
        formula="Kaplan-Meier median of approved_at − created_at",
        timing="By the company's day on which the item was created.",
        edge_cases="Items still waiting are censored, not dropped. An item done without approval needed none; an open one waits "
        "where most finished items of its kind were approved. Approvals before the creation are left out.",
        needs=("work_items.kind", "work_items.done_at", "work_items.approved_at"),
        estimator="median",
        facts=submitted,
        num=lambda t: t.days,
        den=lambda t: t.approved,
    ),
)
