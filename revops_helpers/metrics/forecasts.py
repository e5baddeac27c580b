"""How true forecasts and targets turned out: what people committed to beside what they won, and plans beside what came."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import ibis

from revops_helpers.metrics import recurring
from revops_helpers.metrics.facts import closed_on, deals
from revops_helpers.metrics.metric import Metric
from revops_helpers.metrics.plan import planned_periods
from revops_helpers.metrics.process import CLOSED
from revops_helpers.metrics.reasons import ALL_ALIKE, NO_RANGE, NO_REPEAT, NO_TARGET, NOTHING_WON
from revops_helpers.metrics.revenue import SUBSCRIPTIONS
from revops_helpers.metrics.sellers import records_from
from revops_helpers.metrics.untold import few_amounts_won
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company, Unavailable

LENGTHS = (1, 3, 12)  # months that a forecast may be for


def period_months(company: Company) -> int:
    """Months of a forecast period: the shortest step between their first days; a quarter where there is one only."""
    days = company.table("forecasts", ("period_start",)).distinct().to_pyarrow()["period_start"].to_pylist()
    steps = [(b.year - a.year) * 12 + b.month - a.month for a, b in pairwise(sorted(days))]
    return min(LENGTHS, key=lambda length: abs(length - min(steps, default=3)))


def submissions(company: Company, windows: Windows) -> ibis.Table:
    """One row per person, forecast period that ended in a window (and by the as-of date) and month in which they forecast it, the
    last word of the month: owner_id, period_start, ends_on, horizon, submitted (of whom and when: the cluster), commit and best
    (empty where not said), won (the person's new business of the period); cents.

    horizon: M1 is the first month of the period, M0 any day before it. What was submitted after the period is no forecast.
    """
    said = _said(company)
    month = (said.submitted_on.year() - said.period_start.year()) * 12 + said.submitted_on.month() - said.period_start.month() + 1
    said = said.mutate(horizon=ibis.literal("M") + ibis.greatest(month, 0).cast("string"))
    last = {name: said.amount.argmax(said.submitted_on, where=said.category == name) for name in ("commit", "best")}
    rows = said.group_by("owner_id", "period_start", "ends_on", "horizon").agg(**last)
    rows = rows.mutate(submitted=rows.owner_id + " " + rows.period_start.cast("string"))
    people = rows.select("owner_id", "period_start", "ends_on").distinct()
    own = _won(company, windows).rename(_owner="owner_id")
    won = people.join(
        own, [people.owner_id == own["_owner"], own.closed_on >= people.period_start, own.closed_on <= people.ends_on]
    )
    won = won.group_by(_who=won.owner_id, _start=won.period_start).agg(_won=won.amount.sum())
    found = rows.left_join(won, [rows.owner_id == won["_who"], rows.period_start == won["_start"]])
    money = {name: found[name].cast("float64") for name in ("commit", "best")}
    return windows.assign(found.select(*_names(rows), **money, won=found["_won"].fill_null(0).cast("float64")), "ends_on")


def _names(rows: ibis.Table) -> list[str]:
    return [name for name in rows.columns if name not in ("commit", "best")]


def whole_forecasts(company: Company, windows: Windows) -> ibis.Table:
    """One row per forecast period that ended in a window and month of forecasting: horizon, commit (of all together), won (all
    new business of the period) and repeated (that of the same months a year before). Periods without records then have no row."""
    rows = submissions(company, windows)
    rows = (
        rows.filter(rows.commit.notnull()).group_by("window", "period_start", "ends_on", "horizon").agg(commit=rows.commit.sum())
    )
    since = records_from(company) or company.as_of
    rows = rows.mutate(_first=rows.period_start - ibis.interval(months=12), _last=rows.ends_on - ibis.interval(months=12))
    rows = rows.filter(rows["_first"].cast("date") >= ibis.literal(since))
    sold = _won(company, windows)
    for name, first, last in (("won", "period_start", "ends_on"), ("repeated", "_first", "_last")):
        spans = rows.select(_start="period_start", _from=rows[first].cast("date"), _to=rows[last].cast("date")).distinct()
        both = spans.join(sold, [sold.closed_on >= spans["_from"], sold.closed_on <= spans["_to"]])
        sums = both.group_by(_start=both["_start"]).agg(_sum=both.amount.sum().cast("float64"))
        joined = rows.left_join(sums, rows.period_start == sums["_start"])
        rows = joined.select(*rows.columns, **{name: joined["_sum"].fill_null(0.0)})
    return rows.drop("_first", "_last")


def _said(company: Company) -> ibis.Table:
    """Forecasts with an amount, made by the end of a period that is over and on record: owner_id, period_start, ends_on …"""
    months = company.once("months of a forecast period", lambda: period_months(company))
    since = records_from(company) or company.as_of
    said = company.table("forecasts").rename(owner_id="user_id")
    after = (said.period_start + ibis.interval(months=months)).cast("date")
    said = said.mutate(ends_on=(after - ibis.interval(days=1)).cast("date"))
    over = (said.ends_on <= ibis.literal(company.as_of)) & (said.period_start >= ibis.literal(since))
    return said.filter(said.amount.notnull(), over, said.submitted_on <= said.ends_on)


def _won(company: Company, windows: Windows) -> ibis.Table:
    """New business won: owner_id, closed_on, amount."""
    sold = deals(company)
    sold = sold.filter(sold.status == "won", sold.kind == "new", sold.amount.notnull())
    owner = sold.owner_id if "owner_id" in sold.columns else ibis.null("string")
    return sold.select(owner_id=owner, closed_on=closed_on(sold, windows), amount="amount")


def planned(company: Company, windows: Windows) -> ibis.Table:
    """One row per planned period of net new ARR that ended in a window: period_end, goal and net_new_arr. Unavailable without."""
    rows = planned_periods(company, "net_new_arr")
    span = windows.span
    rows = [(period, goal) for period, goal in rows if span.start <= period.end <= min(span.end, company.as_of)]
    if not rows:
        raise Unavailable(["targets of net_new_arr for a period that is over"])
    inner = Windows.of(company.settings, tuple(period for period, _goal in rows))
    moved = recurring.customer_months(company, inner)
    came = moved.group_by(_plan=moved.window).agg(_came=(moved.delta.sum() * 12).cast("float64"))
    goals = inner.numbers(goal=[goal for _period, goal in rows]).join(
        inner.days(period_end=[p.end for p, _goal in rows]), "window"
    )
    both = goals.left_join(came, goals.window == came["_plan"])
    return windows.assign(both.select("period_end", "goal", net_new_arr=both["_came"].fill_null(0.0)), "period_end")


_forecast = partial(
    Metric,
    family="predictability",
    unit="percent",
    grain="person, forecast period and month of forecasting",
    owner="Head of Sales",
    direction="lower",
    source="sales: forecasts submitted; CRM: deals",
    needs=("forecasts.amount", *CLOSED, "opportunities.amount", "opportunities.owner_id"),
    estimator="ratio",
    facts=submissions,
    cluster="submitted",
    where=lambda t: t.commit.notnull(),
    timing="By the last day of the period that was forecast, if it is over; each person's last word of each month counts.",
    dimensions=("seller", "horizon"),
    zero_reason=NOTHING_WON,
    untold=few_amounts_won,
)

METRICS = (
    _forecast(
        id="forecast_wape",
        label="Forecast error by person",
        definition="How far commits lay from the new business that the person won, over or under, as a share of what was won.",
        formula="Σ |commit − won| ÷ Σ won (WAPE)",
        edge_cases="Never a mean of single percentages: one zero makes those meaningless. Errors of people may cancel out in the "
        "total, which the bias shows. Commits for periods before deals are on record are left out.",
        num=lambda t: (t.commit - t.won).abs(),
        den=lambda t: t.won,
    ),
    _forecast(
        id="forecast_bias",
        label="Forecast bias",
        direction="neither",
        definition="By how much commits together lay above (or below) the new business won, as a share of it.",
        formula="Σ (commit − won) ÷ Σ won",
        edge_cases="Above zero is too hopeful. Commits that were never made count on neither side.",
        num=lambda t: t.commit - t.won,
        den=lambda t: t.won,
    ),
    _forecast(
        id="forecast_mase",
        label="Forecast error against repeating last year",
        unit="ratio",
        grain="forecast period and month of forecasting",
        definition="The error of all commits together per unit of the error that repeating the year before would have made.",
        formula="Σ |commit − won| ÷ Σ |won a year before − won| (MASE, seasonal naïve)",
        edge_cases="Below 1 is better than repeating. Periods without records of the year before are left out. The scale is "
        "that of the periods forecast, not of a history before them.",
        facts=whole_forecasts,
        cluster="period_start",
        where=None,
        num=lambda t: (t.commit - t.won).abs(),
        den=lambda t: (t.repeated - t.won).abs(),
        dimensions=("horizon",),
        zero_reason=NO_REPEAT,
    ),
    _forecast(
        id="forecast_variance_explained",
        label="Share of variance explained by forecasts",
        direction="higher",
        definition="How much of the differences in what people won their commits had told, as a share of the variance.",
        formula="1 − Σ (won − commit)² ÷ Σ (won − mean won)²",
        edge_cases="The mean is that of the same people and periods, which nobody knew beforehand. Below zero, it would have "
        "been nearer than the commits. Squares: a few large misses weigh most. Nothing differs in what was won: not applicable.",
        estimator="explained",
        num=lambda t: t.commit,
        den=lambda t: t.won,
        zero_reason=ALL_ALIKE,
    ),
    _forecast(
        id="forecast_range_held",
        label="Forecasts that held what came",
        direction="higher",
        definition="Of the forecasts with a commit and a best case, the share where what was won lay between the two.",
        formula="forecasts with commit ≤ won ≤ best ÷ forecasts with both",
        edge_cases="Ends included. A best case below the commit holds nothing.",
        where=lambda t: t.commit.notnull() & t.best.notnull(),
        estimator="share",
        num=lambda t: t.won.between(t.commit, t.best),
        den=lambda t: ibis.literal(1, type="int64"),
        zero_reason=NO_RANGE,
    ),
    _forecast(
        id="targets_met",
        label="Targets met",
        grain="period with a target of net new ARR",
        owner="CRO",
        direction="higher",
        definition="Of the periods with a target of net new ARR that are over, the share in which it was met.",
        formula="periods with net new ARR ≥ target ÷ periods with a target",
        source="billing: subscriptions; targets",
        needs=(*SUBSCRIPTIONS, "targets"),
        timing="By the last day of the planned period; the shortest periods that the plan has.",
        edge_cases="Just missed and far missed count the same. A target below zero is met by losing less.",
        estimator="proportion",
        facts=planned,
        cluster=None,
        where=None,
        num=lambda t: t.net_new_arr >= t.goal,
        dimensions=(),
        zero_reason=NO_TARGET,
        untold=None,
    ),
)
