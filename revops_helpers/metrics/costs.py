"""What growth costs: spend and results beside the customers and deals they bought. All lazy, money in reporting cents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import numpy as np

from revops_helpers.metrics.estimate import FEW
from revops_helpers.metrics.facts import closed_deals, closed_on, closed_without_moment, few_of_deals, reporting, zero
from revops_helpers.metrics.reading import Reading
from revops_helpers.metrics.recurring import customer_months
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import Period, add_months, month_start

QUARTER = 3
QUARTER_DAYS = 365.25 / 4
FROM_LEAD_TO_WIN = (
    "opportunities.lead_id",
    "opportunities.kind",
    "opportunities.status",
    "opportunities.close_date",
    "leads.created_at",
)
SALES_AND_MARKETING = ("marketing", "sales")
MARGIN = "gross_margin in company.yml, or financials.gross_profit"


@dataclass(frozen=True)
class Lag:
    """How long before a win it is paid for. months: whole quarters; days: the median from lead to win that they are rounded from,
    over so many deals; None where fewer than FEW tell, and then it is one quarter."""

    months: int
    days: float | None
    deals: int


def a_quarter(company: Company) -> int:
    """Months by which spend comes before what a definition sets against the quarter after it."""
    return QUARTER


def lag_months(company: Company) -> int:
    """Months by which spend comes before the customers that it wins."""
    return lag(company).months


def lag(company: Company) -> Lag:
    """The lag from lead to win of new business won in the twelve months to the as-of date, the whole company's whatever segment
    the review is about: shared spend is then counted once, and segments add up to the company."""
    return company.once(("lag",), lambda: _lag(company))


def _lag(company: Company) -> Lag:
    if company.missing(FROM_LEAD_TO_WIN):
        return Lag(QUARTER, None, 0)
    year = Windows.of(company.settings, Period(add_months(company.as_of + timedelta(days=1), -12), company.as_of))
    # Few columns, and those of no history: this is asked for beside every query that reads the lag.
    end = "close_date" if company.missing(["opportunities.closed_at"]) else "closed_at"
    sold = _new_and_won(few_of_deals(company, ("status", "kind", "lead_id", end), closed_without_moment))
    sold = year.assign(sold.mutate(closed_on=closed_on(sold, year)), "closed_on")
    # Counted first, and so known to be few: the engine then looks the leads up among them, and not them among the leads.
    won = sold.group_by("lead_id", "closed_on").agg(deals=sold.count())
    won = _since_the_lead(company, year, won)
    held = won.group_by("days").agg(deals=won.deals.sum()).to_pandas()
    deals = int(held.deals.sum())
    if deals < FEW:
        return Lag(QUARTER, None, deals)
    days = float(np.median(np.repeat(held.days, held.deals)))
    return Lag(QUARTER * int(days / QUARTER_DAYS + 0.5), days, deals)


def won_from_leads(company: Company, windows: Windows, read: Reading | None = None) -> ibis.Table:
    """One row per new-business deal won in a window whose lead is on record, with the days since that lead was created."""
    return _since_the_lead(company, windows, _new_and_won(closed_deals(company, windows, read, "kind", "lead_id")))


def _new_and_won(deals: ibis.Table) -> ibis.Table:
    return deals.filter((deals.status == "won") & (deals.kind == "new"))


def _since_the_lead(company: Company, windows: Windows, won: ibis.Table) -> ibis.Table:
    leads = company.table("leads", ("lead_id", "created_at"))
    leads = leads.select(_lead="lead_id", _came=windows.day(leads.created_at))
    both = won.join(leads, won.lead_id == leads["_lead"])
    both = both.filter(both.closed_on >= both["_came"])
    return both.select(*won.columns, days=both.closed_on.delta(both["_came"], unit="day"))


def spend(company: Company) -> ibis.Table:
    """One row per line of spend: month, function, amount."""
    rows = company.table("spend")
    return rows.select("month", "function", amount=reporting(company, rows, "spend", "amount"))


def acquisition(company: Company, windows: Windows, read: Reading | None = None) -> ibis.Table:
    """Sales and marketing spend of the window (`cost`), of the lag before (`cost_before`) and of one quarter before
    (`cost_of_last_quarter`), beside the customers' movements: logos (1 for a customer's first month), new_mrr (times the gross
    margin where that is known) and net_new_arr. `customer` is the cluster; spend rows have none of their own."""
    paid = spend(company)
    paid = paid.filter(paid.function.isin(SALES_AND_MARKETING))
    moved = customer_months(company, windows, read)
    nobody, none = ibis.null("string"), {"logos": zero(), "new_mrr": zero(), "net_new_arr": zero()}
    lags = {"cost": 0, "cost_before": lag_months(company), "cost_of_last_quarter": QUARTER}
    booked = {months: windows.assign(paid, "month", lag=months) for months in lags.values()}
    return ibis.union(
        *(
            rows.select(
                *("window", "month", "function"),
                customer=nobody,
                **{name: rows.amount if lags[name] == months else zero() for name in lags},
                **none,
            )
            for months, rows in booked.items()
        ),
        moved.select(
            "window",
            "customer",
            month=moved.on,
            function=nobody,
            **{name: zero() for name in lags},
            logos=moved.came.cast("int64"),
            new_mrr=moved.new,
            net_new_arr=moved.delta * 12,
        ),
    )


def payback(company: Company, windows: Windows, read: Reading | None = None) -> ibis.Table:
    """acquisition with new_margin: the gross margin a month that new customers brought."""
    margin = gross_margin(company, windows.span.end)
    rows = acquisition(company, windows, read)
    return rows.mutate(new_margin=rows.new_mrr.cast("float64") * margin)  # exact decimals would overflow


def acquisition_by_deals(company: Company, windows: Windows) -> ibis.Table:
    """All spend of the lag before (`cost_before`, customer success included) beside new and expansion deals won (`won` 1)."""
    paid = windows.assign(spend(company), "month", lag=lag_months(company))
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
    now, before = windows.assign(booked, "month"), windows.assign(booked, "month", lag=QUARTER)
    paid = spend(company)
    paid = windows.assign(paid.filter(paid.function.isin(SALES_AND_MARKETING)), "month", lag=QUARTER)
    return ibis.union(
        now.select("window", "month", gain=now.revenue, cost_before=zero()),
        before.select("window", "month", gain=-before.revenue, cost_before=zero()),
        paid.select("window", "month", gain=zero(), cost_before=paid.amount),
    )


def results_of_twelve_months(company: Company, windows: Windows, read: Reading | None = None) -> ibis.Table:
    """Booked revenue and EBITDA by month of the twelve months to the window's end. `read`: they leave nothing out."""
    return windows.last_twelve_months().assign(_booked(company, "revenue", "ebitda"), "month")


def burn(company: Company, windows: Windows) -> ibis.Table:
    """Net burn of the window beside its net new ARR by customer."""
    burnt = windows.assign(_booked(company, "net_burn"), "month")
    moved = customer_months(company, windows)
    return ibis.union(
        burnt.select("window", "month", customer=ibis.null("string"), net_burn=burnt.net_burn, net_new_arr=zero()),
        moved.select("window", "customer", month=moved.on, net_burn=zero(), net_new_arr=moved.delta * 12),
    )
