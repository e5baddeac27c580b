"""Whether deals close when they were expected to, and how fast money moves through the pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial

import ibis
import numpy as np
import pandas as pd

from revops_helpers.methods.intervals import poisson_exact, product
from revops_helpers.metrics.dimensions import DEAL
from revops_helpers.metrics.efficiency import derive, parts_of
from revops_helpers.metrics.facts import DEAL_IDS, closed_deals, closed_on, deals, records_begin, zero
from revops_helpers.metrics.journey import deals_as_they_stood, deals_at_risk
from revops_helpers.metrics.kept import kept
from revops_helpers.metrics.metric import Metric
from revops_helpers.metrics.predictability import quarter_to_win
from revops_helpers.metrics.process import CLOSED, NOT_DEALS, new_business
from revops_helpers.metrics.reasons import NO_DEAL_DUE, NOTHING_DECIDED, NOTHING_WON
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company
from revops_helpers.periods import Period, add_months

PAST = 8  # quarters that say what coverage is needed


def due_in_period(company: Company, windows: Windows) -> ibis.Table:
    """One row per deal open when a window began, and due in it by then: amount, slipped (not closed in it) and won (in it)."""
    before = timedelta(days=1)
    eves = Windows(tuple(Period(p.start - before, p.start - before) for p in windows.periods), windows.zone, windows.first_month)
    open_then = deals_as_they_stood(company, eves)
    spans = windows.days(start=[p.start for p in windows.periods], end=[p.end for p in windows.periods])
    due = open_then.filter(open_then.status == "open").drop("closed_on").join(spans, "window")
    due = due.filter(due.close_date >= due.start, due.close_date <= due.end)
    now = deals(company)
    now = now.select(_deal="opportunity_id", _closed=closed_on(now, windows))
    both = due.left_join(now, due.opportunity_id == now._deal)
    in_time = (both._closed <= both.end).fill_null(False)
    return both.mutate(slipped=~in_time).drop("_deal", "_closed", "start", "end")


def past_pipelines(company: Company, windows: Windows) -> ibis.Table:
    """New business of the PAST quarters before the one that a window leads into, from the same day of them on: a row a deal.

    quarter: its first day. open: cents of a deal that was open on that day and due in the rest of the quarter. won_of_open: what
    it was won for in that rest; won_later: the same of deals that were not in that pipeline.
    """
    return kept(company, "past_pipelines", lambda: _past_pipelines(company, windows), of=windows)


def _past_pipelines(company: Company, windows: Windows) -> ibis.Table:
    asked = [(place, *span) for place, period in enumerate(windows.periods) for span in _same_days(company, period)]
    _places, starts, days, ends = zip(*asked, strict=True)
    then = Windows(tuple(Period(day, day) for day in days), windows.zone, windows.first_month)
    places = then.numbers(asked=[float(place) for place in _places])
    spans = (
        then.days(quarter=list(starts), day=list(days), end=list(ends))
        .join(places, "window")
        .filter(ibis._.day >= _known(company))
    )
    due = (
        _new(deals_as_they_stood(company, then))
        .filter(ibis._.status == "open")
        .select("window", "opportunity_id", "close_date", "amount")
    )
    due = due.join(spans, "window").filter(ibis._.close_date > ibis._.day, ibis._.close_date <= ibis._.end)
    won = _new(deals(company)).filter(ibis._.status == "won")
    ever = Windows((Period(min(days), max(ends)),), windows.zone, windows.first_month)
    won = won.select("opportunity_id", "amount", closed=closed_on(won, ever)).cross_join(spans)
    won = won.filter(won.closed > won.day, won.closed <= won.end)
    own = ("asked", "quarter", "opportunity_id")
    both = ibis.union(
        due.select(*own, open=due.amount.fill_null(0), won=zero(), there=ibis.literal(1, type="int64")),
        won.select(*own, open=zero(), won=won.amount.fill_null(0), there=zero()),
    )
    both = both.group_by(own).agg(open=both.open.sum(), won=both.won.sum(), there=both.there.max())
    here = both.there == 1
    both = both.select(
        *("quarter", "opportunity_id", "open"),
        window=both.asked.cast("int64"), won_of_open=ibis.ifelse(here, both.won, 0), won_later=ibis.ifelse(here, 0, both.won),
    )  # fmt: skip
    cuts = deals(company)
    return both.join(cuts.select(*(name for name in DEAL_IDS if name in cuts.columns)), "opportunity_id")


def _same_days(company: Company, period: Period) -> Iterator[tuple[date, date, date]]:
    """Of each of the PAST quarters: its first day, the day that is as far in it as the period's end in its own, its last day."""
    quarter = quarter_to_win(company, period)
    elapsed = min(period.end, company.as_of) - quarter.start
    for back in range(PAST, 0, -1):
        start = add_months(quarter.start, -3 * back)
        yield start, start + elapsed, add_months(start, 3) - timedelta(days=1)


def _known(company: Company) -> ibis.DateScalar:
    """From when on the records tell how deals stood."""
    return ibis.literal(max(records_begin(company, "opportunities", "opportunity_history"), date(1900, 1, 1)))


def _new(rows: ibis.Table) -> ibis.Table:
    return rows.filter((rows.kind == "new") | rows.kind.isnull()) if "kind" in rows.columns else rows


def pushed(company: Company, windows: Windows) -> ibis.Table:
    """One row per deal won or lost in a window with pushes: how often its expected closing day was moved to a later one."""
    history = company.table("opportunity_history", ("opportunity_id", "changed_at", "close_date"))
    history = history.filter(history.close_date.notnull())
    order = ibis.window(group_by="opportunity_id", order_by="changed_at")
    moved = history.mutate(later=(history.close_date > history.close_date.lag().over(order)).fill_null(False))
    counts = moved.group_by(_deal=moved.opportunity_id).agg(pushes=moved.later.sum())
    rows = closed_deals(company, windows)
    return rows.join(counts, rows.opportunity_id == counts._deal).drop("_deal")


def velocity(company: Company, windows: Windows, frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Deals in the pipeline × win rate × deal size ÷ days in it, where deals decided are a Poisson count."""
    inside, days, rate, size = parts_of(frames, "deals_in_pipeline", "days_in_pipeline", "win_rate", "deal_size")
    decided = frames["days_in_pipeline"].n.to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        pace = inside["value"] / days["value"]
        bounds = tuple(pace * bound / decided for bound in poisson_exact(decided))
    low, high = product(rate["value"], (rate["low"], rate["high"]), size["value"], (size["low"], size["high"]))
    won = rate["value"] * size["value"]
    return derive(frames, pace * won, *product(pace, bounds, won, (low, high)))


_due = partial(
    Metric,
    family="predictability",
    unit="percent",
    grain="new-business deal open and due in the period when it began",
    direction="lower",
    owner="Head of Sales",
    source="CRM: deals and their history",
    needs=(*CLOSED, "opportunity_history.close_date", "opportunity_history.changed_at", "opportunity_history.opportunity_id"),
    dimensions=DEAL,
    timing="Open and due as the deals stood the evening before the period; what became of them by its end.",
    edge_cases=NOT_DEALS + " Deals opened in the period are not promised at its start. Of a period under way, those due so far.",
    facts=due_in_period,
    where=new_business,
)

METRICS = (
    _due(
        id="slipped_share",
        label="Deals that slipped",
        definition="Of the new-business deals that were due in the period when it began, the share neither won nor lost in it.",
        formula="deals not closed in the period ÷ deals open and due in it at its start",
        estimator="proportion",
        num=lambda t: t.slipped,
        zero_reason=NO_DEAL_DUE,
    ),
    _due(
        id="slipped_value",
        label="Pipeline that slipped",
        definition="Of the amount of the new-business deals due in the period as it began, the share neither won nor lost in it.",
        formula="Σ amount of deals not closed in the period ÷ Σ amount of deals open and due in it at its start",
        needs=(*CLOSED, "opportunities.amount", "opportunity_history.close_date", "opportunity_history.changed_at"),
        estimator="share",
        num=lambda t: t.slipped.ifelse(t.amount, 0),
        den=lambda t: t.amount,
        zero_reason=NO_DEAL_DUE,
    ),
    _due(
        id="coverage_needed",
        label="Coverage needed",
        unit="ratio",
        grain="new-business deal and past quarter in the rest of which it was due",
        definition="One over the value win rate from the same day of past quarters: pipeline open then and due in what is left "
        "of the quarter, per unit of it that was won in that rest.",
        formula="Σ amount of deals open on the day and due in the rest of the quarter ÷ Σ amount of those of them won in it",
        needs=(*CLOSED, "opportunities.amount", "opportunity_history.close_date", "opportunity_history.changed_at"),
        timing="The eight fiscal quarters before the one under way the day after the period, each from the day that lies as far "
        "in it as the period's last day.",
        edge_cases=NOT_DEALS
        + " Amounts as they stood on the day, against those won. What was opened later and won is not in it: "
        "less may be needed. Nothing won of it: not applicable.",
        estimator="ratio",
        facts=past_pipelines,
        where=None,
        cluster="opportunity_id",
        num=lambda t: t.open,
        den=lambda t: t.won_of_open,
        stock=True,
        reach_months=27,
        zero_reason=NOTHING_WON,
    ),
    _due(
        id="pushes_per_deal",
        label="Pushes per deal",
        unit="number",
        grain="new-business deal closed in the period",
        definition="How often the expected closing day of a deal closed in the period was moved to a later one, on average.",
        formula="Σ moves of close_date to a later day ÷ deals closed",
        timing="By the company's day on which the deal closed; moves since its history begins.",
        edge_cases=NOT_DEALS + " Deals without history are left out.",
        estimator="mean",
        facts=pushed,
        num=lambda t: t.pushes,
        zero_reason=NOTHING_DECIDED,
    ),
    _due(
        id="deals_in_pipeline",
        label="Deals in the pipeline",
        unit="number",
        direction="neither",
        grain="new-business deal open on some day of the period",
        definition="New-business deals that were open at once, on average over the period.",
        formula="Σ nights of the period over which a deal was open ÷ nights of the period",
        source="CRM: deals",
        needs=(*CLOSED, "opportunities.created_at"),
        timing="Every night of the period; of one under way, those so far.",
        edge_cases=NOT_DEALS + " Deals without an opening date are left out. Deals that nobody works on and nobody closes count.",
        estimator="sum",
        facts=deals_at_risk,
        num=lambda t: t.share,
    ),
    _due(
        id="days_in_pipeline",
        label="Days in the pipeline",
        unit="days",
        grain="new-business deal open on some day of the period",
        definition="Days that a new-business deal stays open until it is won or lost, on average, as deals ended in the period.",
        formula="Σ nights of the period over which a deal was open ÷ deals closed in the period",
        source="CRM: deals",
        needs=(*CLOSED, "opportunities.created_at"),
        timing="Nights and closings of the period, whenever the deal was opened.",
        edge_cases=NOT_DEALS + " Deals still open count with their nights, so that slow ones are not missing. The sales cycle "
        "is another time: the median of the won. None closed: not applicable.",
        estimator="ratio",
        facts=deals_at_risk,
        num=lambda t: t.nights,
        den=lambda t: t.ending > 0,
        zero_reason=NOTHING_DECIDED,
    ),
    _due(
        id="pipeline_velocity",
        label="Pipeline velocity, a day",
        unit="money",
        grain="new-business deal open on some day of the period",
        direction="higher",
        definition="First-year ARR that the pipeline turns out a day: deals in it, how many are won, their size and their stay.",
        formula="deals in the pipeline × win rate × deal size ÷ days in the pipeline",
        source="CRM: deals",
        needs=(*CLOSED, "opportunities.amount", "opportunities.created_at"),
        timing="All four of the deals open on some day of the period, so that it does not grow with the period's length.",
        edge_cases="With these parts it is the ARR won a day, and they tell why that moved. A deal not decided yet adds to the "
        "deals in the pipeline and to the days alike. Deals without an opening date are left out of both.",
        estimator="derived",
        parts=("deals_in_pipeline", "days_in_pipeline", "win_rate", "deal_size"),
        combine=velocity,
        facts=None,
        where=None,
    ),
)
