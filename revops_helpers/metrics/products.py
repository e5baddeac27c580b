"""Recurring revenue by customer and product: what is held, a year apart, and how it moved. All lazy, MRR in reporting cents.

Who is new, who came back and who left is the customer's own story, whatever the product. Of customers that stay, each product
tells its own difference: what moves from one product to another is contraction there and expansion here, and adds up to nothing.
"""

from __future__ import annotations

import ibis

from revops_helpers.metrics import recurring
from revops_helpers.metrics.facts import changes, with_account
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company

NEED = {"product": ("subscriptions.product",)}


def held_at_end(company: Company, windows: Windows) -> ibis.Table:
    """One row per customer, product and window: mrr (cents) on the window's last day, where there is any."""
    held = apart(company, windows)
    return held.filter(held.m1 != 0).select("window", "customer", "account_id", "product", mrr="m1")


def apart(company: Company, windows: Windows) -> ibis.Table:
    """One row per customer and product with mrr at the end of the window or a year before: m0 (then), m1 (at the end), uplift
    between."""
    rows = changes(company, None, "customer", "product", "uplift")
    days = windows.days(then=[p.year_before().end for p in windows.periods], end=[p.end for p in windows.periods])
    rows = rows.join(days, rows.on <= days.end)
    held = rows.group_by("window", "customer", "product").agg(
        m0=rows.delta.sum(where=rows.on <= rows.then).fill_null(0),
        m1=rows.delta.sum(),
        uplift=rows.uplift.sum(where=rows.on > rows.then).fill_null(0),
    )
    return with_account(company, held.filter((held.m0 != 0) | (held.m1 != 0)))


def moved(company: Company, windows: Windows) -> ibis.Table:
    """One row per customer, product and month of the windows in which its mrr changed: delta and the six movements (losses
    positive), and whether the customer came, returned or left.
    Over products, delta, new, reactivation, indexation and churn add up to recurring.customer_months; expansion and
    contraction do so in their difference."""
    rows = changes(company, None, "customer", "product", "uplift")
    rows = rows.mutate(month=rows.on.truncate("M").cast("date"))
    rows = rows.group_by("customer", "product", on=rows.month).agg(delta=rows.delta.sum(), uplift=rows.uplift.sum())
    whole = recurring.states(company)
    whole = whole.select("account_id", "paid_before", _customer="customer", _on="on", was=recurring.was_held(whole),
                         held=recurring.held(whole))  # fmt: skip
    both = rows.join(whole, [rows.customer == whole["_customer"], rows.on == whole["_on"]]).drop("_customer", "_on")
    begins, leaves = ~both.was & both.held, both.was & ~both.held
    stays, sold = both.was & both.held, both.delta - both.uplift

    def when(condition: ibis.BooleanValue, value: ibis.IntegerValue) -> ibis.IntegerValue:
        return ibis.ifelse(condition, value, 0)

    told = both.select(
        *("customer", "account_id", "product", "on", "delta"),
        came=begins & ~both.paid_before,
        returned=begins & both.paid_before,
        left=leaves,
        new=when(begins & ~both.paid_before, both.delta),
        reactivation=when(begins & both.paid_before, both.delta),
        indexation=when(stays, both.uplift),
        expansion=when(stays & (sold > 0), sold),
        contraction=when(stays & (sold < 0), -sold),
        churn=when(leaves, -both.delta),
    )
    return windows.assign(told, "on")
