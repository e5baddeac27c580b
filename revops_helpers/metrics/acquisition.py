"""What a new customer cost, by segment and source, by what was spent on media alone, and when it is back if customers leave."""

from __future__ import annotations

from functools import partial

import ibis
import numpy as np
import pandas as pd

from revops_helpers.methods.survival import staying
from revops_helpers.metrics import channels, recurring
from revops_helpers.metrics.costs import SALES_AND_MARKETING, lag_months, spend
from revops_helpers.metrics.dimensions import NOT_RECORDED, add_dimension, in_segment
from revops_helpers.metrics.efficiency import LAGGED, RANGE, SPEND, derive, ltv_to_cac
from revops_helpers.metrics.estimate import HORIZON
from revops_helpers.metrics.facts import by_customer, closed_deals, deals, reporting, zero
from revops_helpers.metrics.metric import Benchmark, Metric
from revops_helpers.metrics.process import CLOSED
from revops_helpers.metrics.reasons import NEVER_BACK, NO_ADDED_ARR, NO_EXPANSION, NO_NEW_CUSTOMERS, NOTHING_WON
from revops_helpers.metrics.revenue import SUBSCRIPTIONS
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company

CELL = ("segment", "source")


def acquisition_by_cell(company: Company, windows: Windows) -> ibis.Table:
    """Sales and marketing spend of the lag before the window (`cost`) and the new customers of the window (`logos` 1),
    each by segment and source.

    Spend of a campaign aimed at a segment goes to that segment, spend with a channel to that source, all other is shared; what is
    not booked to a cell is spread by the new-business deals won or lost in the
    window, for a lost deal cost as much work as a won one. What nothing can be spread by is `(not recorded)`.
    """
    decided = closed_deals(company, windows)
    decided = _celled(company, decided.filter(decided.kind == "new"))
    cells = decided.group_by("window", *CELL).agg(deals=decided.count())
    every = _paid(company, windows)
    aimed, paid = every.filter(every.segment.notnull()), every.filter(every.segment.isnull()).drop("segment")
    direct, whole = aimed.filter(aimed.source.notnull()), aimed.filter(aimed.source.isnull()).drop("source")
    shared = paid.filter(paid.source.isnull()).drop("source")
    of_source, unworked = _spread(cells, paid.filter(paid.source.notnull()), "window", "source")
    # Money on a source without a deal stays with it, and falls on the segments as shared money does.
    segments = cells.group_by("window", "segment").agg(deals=cells.deals.sum())
    parts = (
        direct,
        *_spread(cells, whole, "window", "segment"),
        of_source,
        *_spread(segments, unworked, "window"),
        *_spread(cells, shared, "window"),
    )
    customers = _new_customers(company, windows)
    return ibis.union(
        *(_booked(part) for part in parts),
        customers.select("window", *CELL, "customer", cost=ibis.literal(0.0), logos=ibis.literal(1, type="int64")),
    )


def _paid(company: Company, windows: Windows) -> ibis.Table:
    """Sales and marketing spend of the lag before: window, amount, source (its channel) and segment (what its campaign is
    aimed at), each empty where the books do not say."""
    rows = company.table("spend")
    rows = rows.filter(rows.function.isin(SALES_AND_MARKETING))
    told = rows.mutate(amount=reporting(company, rows, "spend", "amount"))
    source = told.channel if "channel" in told.columns else ibis.null("string")
    if company.missing(["spend.campaign_id", "campaigns.segment"]):
        told = told.select("month", "amount", source=source, segment=ibis.null("string"))
    else:
        aims = company.table("campaigns", ("campaign_id", "segment")).select(
            _campaign="campaign_id", _aim=ibis._.segment.nullif("")
        )
        told = told.select("month", "amount", "campaign_id", source=source)
        told = told.left_join(aims, told.campaign_id == aims["_campaign"]).select("month", "amount", "source", segment="_aim")
    told = windows.assign(told, "month", lag=lag_months(company))
    return told.group_by("window", "source", "segment").agg(amount=told.amount.sum().cast("float64"))


def _celled(company: Company, rows: ibis.Table) -> ibis.Table:
    """The rows with segment and source, as far as the company records them."""
    for name, needs in (("segment", ("accounts.segment",)), ("source", ("leads.source",))):
        key = {"segment": "account_id", "source": "lead_id"}[name]
        if key in rows.columns and not company.missing(needs):
            rows = add_dimension(company, rows, name).rename({name: "member"})
        else:
            rows = rows.mutate(**{name: ibis.literal(NOT_RECORDED)})
    return rows


def _spread(cells: ibis.Table, paid: ibis.Table, *keys: str) -> tuple[ibis.Table, ibis.Table]:
    """Money (`amount`) over the cells of the same `keys`, by their deals; and the money that has no such cell."""
    weighed = cells.mutate(_share=cells.deals / cells.deals.sum().over(ibis.window(group_by=list(keys)))).view()
    own = [name for name in paid.columns if name not in keys]
    money = paid.rename({f"_{key}": key for key in keys}).view()
    found = weighed.join(money, [weighed[key] == money[f"_{key}"] for key in keys])
    told = {name: found[name] for name in (*cells.columns, *own) if name not in ("deals", "amount")}
    return found.select(**told, amount=found["_share"] * found.amount), paid.anti_join(cells, keys)


def _booked(rows: ibis.Table) -> ibis.Table:
    cell = {name: rows[name] if name in rows.columns else ibis.literal(NOT_RECORDED) for name in CELL}
    return rows.select("window", **cell, customer=ibis.null("string"), cost=rows.amount, logos=zero())


def _new_customers(company: Company, windows: Windows) -> ibis.Table:
    """One row per new customer of a window: customer, segment and the source of the first deal that it was won with."""
    rows = recurring.customer_months(company, windows)
    rows = rows.filter(rows.came).select("window", "customer", "account_id")
    sold = deals(company)
    if not {"account_id", "lead_id"} <= set(sold.columns):
        return _celled(company, rows)
    sold = by_customer(company, sold.filter(sold.status == "won", sold.kind == "new", sold.lead_id.notnull()))
    first = sold.group_by(_customer=sold.customer).agg(lead_id=sold.lead_id.argmin(sold.close_date))
    return _celled(company, rows.left_join(first, rows.customer == first["_customer"]).drop("_customer"))


def growth_costs(company: Company, windows: Windows) -> ibis.Table:
    """All spend of the lag before the window (`cost`; `keeping`: that of customer success) beside new and expansion ARR of
    the window, by customer."""
    paid = windows.assign(spend(company), "month", lag=lag_months(company))
    moved = recurring.customer_months(company, windows)
    nobody = ibis.null("string")
    return ibis.union(
        paid.select(
            *("window", "month", "function"), customer=nobody, cost=paid.amount,
            keeping=ibis.ifelse(paid.function == "customer_success", paid.amount, 0), new=zero(), expansion=zero(),
        ),
        moved.select(
            "window", "customer", month=moved.on, function=nobody, cost=zero(), keeping=zero(), new=moved.new * 12,
            expansion=moved.expansion * 12,
        ),
    )  # fmt: skip


def months_back(company: Company, windows: Windows, frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The first month by which those of the new customers that still pay have paid back what all of them cost."""
    payback = frames["cac_payback"]
    rows = in_segment(company, recurring.tenures(company, windows))
    stats = rows.group_by("window", "months_paid", "left", "entry").agg(n=rows.count()).to_pandas()
    paid = {w: np.cumsum(staying(g.months_paid, g.left, g.entry, g.n, HORIZON)) for w, g in stats.groupby("window")}
    columns = {
        name: [_reached(paid.get(window), months) for window, months in zip(payback.window, payback[name], strict=True)]
        for name in ("value", "low", "high")
    }
    out = derive(frames, columns["value"], columns["low"], columns["high"])
    never = out.value.isna() & payback.value.notna().to_numpy()
    out.loc[never, ["low", "high"]] = np.nan
    out.loc[never, ["status", "reason"]] = ["not_applicable", NEVER_BACK]
    return out


def _reached(paid: np.ndarray | None, months: float) -> float:
    """The first month at which `paid` (months paid up to then, per customer that came) reaches `months`; NaN where none does."""
    if paid is None or np.isnan(months):
        return float("nan")
    there = np.flatnonzero(paid >= months - 1e-9)
    return float(there[0] + 1) if len(there) else float("nan")


_cost = partial(
    Metric,
    family="efficiency",
    owner="Head of Finance",
    direction="lower",
    timing=LAGGED,
    lag=lag_months,
)

_ratio = partial(
    _cost,
    unit="ratio",
    grain="customer and month",
    source="finance: spend; billing: subscriptions",
    needs=(*SPEND, *SUBSCRIPTIONS),
    estimator="fixed_per",
    facts=growth_costs,
    cluster="customer",
)

METRICS = (
    _ratio(
        id="cac_ratio_blended",
        label="CAC ratio, blended",
        definition="All go-to-market spend, earlier by the lag from lead to win, per unit of new and expansion ARR.",
        formula="marketing + sales + customer success spend, one lag earlier ÷ (new ARR + expansion ARR)",
        edge_cases="Indexation is not won by anybody and is not in it. Neither new nor expansion ARR: not applicable." + RANGE,
        num=lambda t: t.cost,
        den=lambda t: t.new + t.expansion,
        benchmarks=(Benchmark("US$ 1.14 of spend per US$ of new ARR, blended", "KBCM", 2018),),
        zero_reason=NO_ADDED_ARR,
    ),
    _ratio(
        id="cac_ratio_expansion",
        label="CAC ratio, expansion",
        definition="Customer success spend, earlier by the lag from lead to win, per unit of expansion ARR of the period.",
        formula="customer success spend, one lag earlier ÷ expansion ARR",
        edge_cases="Customer success also keeps customers, so it is an upper bound of what expansion costs. No expansion: not "
        "applicable." + RANGE,
        num=lambda t: t.keeping,
        den=lambda t: t.expansion,
        zero_reason=NO_EXPANSION,
    ),
    _cost(
        id="cac_allocated",
        label="CAC by segment and source",
        unit="money",
        grain="new customer",
        definition="Sales and marketing spend, earlier by the lag from lead to win, per new customer of the period, by segment "
        "and source.",
        formula="(spend of campaigns aimed at the segment + spend booked to the source "
        "+ shared spend × its share of deals won or lost) ÷ new customers",
        source="finance: spend; billing: subscriptions; CRM: deals",
        needs=(*SPEND, *SUBSCRIPTIONS, *CLOSED),
        edge_cases="The key is the number of new-business deals won or lost in the period: a lost deal cost work too. It is a "
        "choice, and another key gives other numbers. In total it is CAC. No new customer: not applicable, never free.",
        estimator="per_count",
        facts=acquisition_by_cell,
        num=lambda t: t.cost,
        den=lambda t: t.logos,
        dimensions=CELL,
        needs_by={
            "segment": ("accounts.segment", "opportunities.account_id"),
            "source": ("leads.source", "opportunities.lead_id", "opportunities.account_id", "spend.channel"),
        },
        zero_reason=NO_NEW_CUSTOMERS,
    ),
    _cost(
        id="ltv_cac_allocated",
        label="LTV to CAC by segment",
        unit="ratio",
        direction="higher",
        owner="CRO",
        grain="new customer",
        definition="What a customer of a segment brings within five years per unit spent on winning one of the same segment.",
        formula="customer lifetime value of the segment ÷ CAC of the segment",
        source="finance: spend; billing: subscriptions; CRM: deals",
        needs=(*SPEND, *SUBSCRIPTIONS, *CLOSED),
        edge_cases="CAC with shared spend on the segment by its deals won or lost, which is a choice. One gross margin for all "
        "segments. In total it is LTV to CAC.",
        estimator="derived",
        parts=("ltv", "cac_allocated"),
        combine=ltv_to_cac,
        dimensions=("segment",),
        needs_by={"segment": ("accounts.segment", "opportunities.account_id")},
    ),
    _cost(
        id="paid_cac",
        label="Paid CAC",
        unit="money",
        grain="new-business deal won in the period and channel",
        definition="Programme money spent on channels, earlier by the lag from lead to win, per new-business deal won that is "
        "credited to them.",
        formula="programme spend by channel, one lag earlier ÷ deals won credited to those channels, shared by all touches",
        source="finance: spend; CRM: deals; marketing automation: touches",
        needs=(*channels.RETURNS, "touches.lead_id", "opportunities.lead_id"),
        edge_cases="Media only: people, tools and sales are left out, so it is no full cost. Credit by position is bookkeeping. "
        "No credit: not applicable, never free.",
        estimator="fixed_per",
        facts=channels.returns,
        cluster="opportunity_id",
        num=lambda t: t.cost,
        den=lambda t: t.deals,
        reach_months=12,
        dimensions=("channel",),
        zero_reason=NOTHING_WON,
    ),
    _cost(
        id="cac_payback_survival",
        label="CAC payback, departures counted",
        unit="months",
        grain="new customer",
        definition="Months until the new customers that still pay have paid back, in gross margin, what all of them cost.",
        formula="first t with Σ S(s) over the months before t ≥ CAC payback, S by Kaplan-Meier with delayed entry",
        source="finance: spend; billing: subscriptions",
        needs=(*SPEND, *SUBSCRIPTIONS),
        timing="Spend of the lag before, as in CAC; departures of the twelve months to the end of the period.",
        edge_cases="Never, where too many leave before; within 60 months only. The interval is that of the payback, departures "
        "as estimated; where its upper end is never reached there is none.",
        estimator="derived",
        parts=("cac_payback", "customer_lifetime"),
        combine=months_back,
    ),
)
