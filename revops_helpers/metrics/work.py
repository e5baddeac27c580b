"""Marketing's work: is it done when it was first promised, how often are dates moved, and how long does it take?"""

from __future__ import annotations

from functools import partial

import ibis

from revops_helpers.metrics.metric import Metric
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.as_of import cut_off
from revops_helpers.model.company import Company


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
    """One row per item begun in a window: done, and days from its beginning to its end, or to the as-of date's."""
    rows = windows.assign(company.table("work_items"), "started_at")
    end = rows.done_at.fill_null(ibis.literal(cut_off(company.as_of, company.settings)))
    return rows.mutate(done=rows.done_at.notnull(), days=end.delta(rows.started_at, unit="minute") / (24 * 60))


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
        edge_cases="Items still open are censored, not dropped.",
        needs=("work_items.started_at", "work_items.done_at"),
        estimator="median",
        facts=begun,
        num=lambda t: t.days,
        den=lambda t: t.done,
    ),
)
