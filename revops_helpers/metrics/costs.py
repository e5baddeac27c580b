"""What growth costs: spend and results beside the customers and deals they bought. All lazy, money in reporting cents."""

from __future__ import annotations

from datetime import date

import ibis

from revops_helpers.metrics.facts import closed_deals, reporting, zero
from revops_helpers.metrics.recurring import customer_months
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import add_months, month_start

LAG_MONTHS = 3
SALES_AND_MARKETING = ("marketing", "sales")
MARGIN = "gross_margin in company.yml, or financials.gross_profit"


def spend(company: Company) -> ibis.Table:
    """One row per line of spend: month, function, amount."""
    rows = company.table("spend")
    return rows.select("month", "function", amount=reporting(company, rows, "spend", "amount"))


def acquisition(company: Company, windows: Windows) -> ibis.Table:
    """Sales and marketing spend of the window (`cost`) and of the window one quarter earlier (`cost_before`), beside the
    customers' movements: logos (1 for a customer's first month), new_mrr (times the gross margin where that is known) and
    net_new_arr. `customer` is the cluster; spend rows have none of their own."""
    paid = spend(company)
    paid = paid.filter(paid.function.isin(SALES_AND_MARKETING))
    moved = customer_months(company, windows)
    nobody, none = ibis.null("string"), {"logos": zero(), "new_mrr": zero(), "net_new_arr": zero()}
    now = windows.assign(paid, "month")
    before = windows.assign(paid, "month", lag=LAG_MONTHS)
    return ibis.union(
        now.select("window", "month", "function", customer=nobody, cost=now.amount, cost_before=zero(), **none),
        before.select("window", "month", "function", customer=nobody, cost=zero(), cost_before=before.amount, **none),
        moved.select(
            "window",
            "customer",
            month=moved.on,
            function=nobody,
            cost=zero(),
            cost_before=zero(),
            logos=(moved.new > 0).cast("int64"),
            new_mrr=moved.new,
            net_new_arr=moved.delta * 12,
        ),
    )


def payback(company: Company, windows: Windows) -> ibis.Table:
    """acquisition with new_margin: the gross margin a month that new customers brought."""
    margin = gross_margin(company, windows.span.end)
    rows = acquisition(company, windows)
    return rows.mutate(new_margin=rows.new_mrr.cast("float64") * margin)  # exact decimals would overflow


def acquisition_by_deals(company: Company, windows: Windows) -> ibis.Table:
    """All spend one quarter earlier (`cost_before`, customer success included) beside new and expansion deals won (`won` 1)."""
    paid = windows.assign(spend(company), "month", lag=LAG_MONTHS)
    sold = closed_deals(company, windows)
    sold = sold.filter((sold.status == "won") & sold.kind.isin(("new", "expansion")))
    return ibis.union(
        paid.select("window", "month", "function", opportunity_id=ibis.null("string"), cost_before=paid.amount, won=zero()),
        sold.select(
            "window",
            "opportunity_id",
            month=sold.closed_on.truncate("M").cast("date"),
            function=ibis.null("string"),
            cost_before=zero(),
            won=ibis.literal(1, type="int64"),
        ),
    )


def gross_margin(company: Company, day: date) -> float:
    """The agreed gross margin, else that of the twelve months to `day`. Unavailable when there is neither."""
    if company.settings.gross_margin:
        return company.settings.gross_margin
    return company.once(f"gross margin {day}", lambda: _booked_margin(company, day))


def _booked_margin(company: Company, day: date) -> float:
    if company.missing(["financials.gross_profit", "financials.revenue"]):
        raise Unavailable([MARGIN])
    rows = company.table("financials")
    year = rows.filter(rows.month > ibis.literal(add_months(month_start(day), -12)), rows.month <= ibis.literal(day))
    profit, revenue = year.agg(profit=year.gross_profit.sum(), revenue=year.revenue.sum()).to_pyarrow().to_pylist()[0].values()
    if not revenue or profit is None:
        raise Unavailable([MARGIN])
    return float(profit / revenue)


def _booked(company: Company, *columns: str) -> ibis.Table:
    rows = company.table("financials")
    return rows.select("month", **{name: reporting(company, rows, "financials", name) for name in columns})


def revenue_growth(company: Company, windows: Windows) -> ibis.Table:
    """Booked revenue of the window less that of the quarter before (`gain`), and the spend of the quarter before."""
    booked = _booked(company, "revenue")
    now, before = windows.assign(booked, "month"), windows.assign(booked, "month", lag=LAG_MONTHS)
    paid = spend(company)
    paid = windows.assign(paid.filter(paid.function.isin(SALES_AND_MARKETING)), "month", lag=LAG_MONTHS)
    return ibis.union(
        now.select("window", "month", gain=now.revenue, cost_before=zero()),
        before.select("window", "month", gain=-before.revenue, cost_before=zero()),
        paid.select("window", "month", gain=zero(), cost_before=paid.amount),
    )


def results_of_twelve_months(company: Company, windows: Windows) -> ibis.Table:
    """Booked revenue and EBITDA by month of the twelve months to the window's end."""
    return windows.last_twelve_months().assign(_booked(company, "revenue", "ebitda"), "month")


def burn(company: Company, windows: Windows) -> ibis.Table:
    """Net burn of the window beside its net new ARR by customer."""
    burnt = windows.assign(_booked(company, "net_burn"), "month")
    moved = customer_months(company, windows)
    return ibis.union(
        burnt.select("window", "month", customer=ibis.null("string"), net_burn=burnt.net_burn, net_new_arr=zero()),
        moved.select("window", "customer", month=moved.on, net_burn=zero(), net_new_arr=moved.delta * 12),
    )
