"""Does the pipeline cover what is still to be won? Judged by what past pipelines turned into from the same day of the quarter."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd

from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.methods import intervals
from revops_helpers.metrics import facts
from revops_helpers.metrics.measure import target
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company
from revops_helpers.optimization.drivers import FROM_LEADS
from revops_helpers.optimization.pipeline import NEEDS, selling
from revops_helpers.periods import Period, add_months, start_of

FEW = 20


@dataclass(frozen=True)
class Coverage:
    """Whether new business open on the as-of day can fill the fiscal quarter that the next day belongs to; money in cents.

    open: new-business pipeline due by the quarter's end (overdue deals too). to_win: planned ARR won of the quarter less what
        is won so far; None where there is no plan. coverage: open ÷ to_win.
    win_share: of the pipeline that was open on this day of past quarters and due in them, the share of value won in them;
        needed: the coverage that this share asks for, if all is to come from open deals.
    later_share: of the value won in past quarters, the share of deals that were not in that pipeline.
    past: one row per past quarter: quarter (its first day), open, won_of_open, won_later (cents).
    """

    quarter: Period
    elapsed: int
    open: Measurement
    to_win: Measurement | None
    coverage: Measurement
    win_share: Measurement
    needed: Measurement
    later_share: Measurement
    past: pd.DataFrame


def coverage(company: Company, quarters: int = 8) -> Coverage:
    """Coverage of the quarter under way, against what the past `quarters` quarters show is needed from this day of it.

    Unavailable without deal amounts and the history of close dates, by which past pipelines are told.
    """
    company.require((*NEEDS, "opportunity_history.close_date"))
    first_month = company.settings.fiscal_year_start
    start = start_of("quarter", company.as_of + timedelta(days=1), first_month)
    quarter = Period(start, add_months(start, 3) - timedelta(days=1))
    elapsed = (company.as_of + timedelta(days=1) - start).days
    past = _past_quarters(company, quarter, elapsed, quarters)
    due = _due(company, quarter)
    amount = Measurement(
        int(due.amount.sum().execute() or 0), n=int(due.count().execute()), unit="money", currency=company.settings.currency
    )
    to_win = _to_win(company, quarter)
    win_share, later_share = _shares(past)
    return Coverage(
        quarter=quarter,
        elapsed=elapsed,
        open=amount,
        to_win=to_win,
        coverage=_covering(amount, to_win),
        win_share=win_share,
        needed=_inverse(win_share),
        later_share=later_share,
        past=past.groupby("quarter", as_index=False)[["open", "won_of_open", "won_later"]].sum(),
    )


def _due(company: Company, quarter: Period) -> ibis.Table:
    """New-business deals open now and due by the quarter's end."""
    deals = selling(company)
    if "kind" in deals.columns:
        deals = deals.filter((deals.kind == "new") | deals.kind.isnull())
    return deals.filter(deals.status == "open", deals.close_date <= ibis.literal(quarter.end))


def _past_quarters(company: Company, quarter: Period, elapsed: int, quarters: int) -> pd.DataFrame:
    """One row per past quarter and deal: quarter, opportunity_id, open, won_of_open, won_later (cents)."""
    starts = [add_months(quarter.start, -3 * i) for i in range(quarters, 0, -1)]
    known = max(
        (company.settings.records_start.get(t, date.min) for t in ("opportunities", "opportunity_history")), default=date.min
    )
    periods = [Period(s, add_months(s, 3) - timedelta(days=1)) for s in starts if s + timedelta(days=elapsed - 1) >= known]
    parts = [pd.DataFrame(columns=["quarter", "opportunity_id", "open", "won_of_open", "won_later"])]
    for period in periods:
        then = company.on(period.start + timedelta(days=elapsed - 1))
        before = _due(then, period).select("opportunity_id", "amount").to_pandas().set_index("opportunity_id").amount
        won = _won(company, Period(then.as_of + timedelta(days=1), period.end))
        deals = pd.DataFrame({"open": before, "won": won}).astype("Int64").fillna(0).astype("int64").rename_axis("opportunity_id")
        here = deals.index.isin(before.index)
        deals = deals.assign(quarter=period.start, won_of_open=deals.won.where(here, 0), won_later=deals.won.where(~here, 0))
        parts.append(deals.reset_index()[parts[0].columns])
    return pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)


def _won(company: Company, period: Period) -> pd.Series:
    """opportunity_id → cents of the new-business deals won in a period."""
    deals = facts.closed_deals(company, Windows.of(company.settings, period))
    if "kind" in deals.columns:
        deals = deals.filter((deals.kind == "new") | deals.kind.isnull())
    won = deals.filter(deals.status == "won").select("opportunity_id", amount=deals.amount.fill_null(0)).to_pandas()
    return won.set_index("opportunity_id").amount


def _to_win(company: Company, quarter: Period) -> Measurement | None:
    """Planned ARR won of the quarter (its own target, else the product of the planned drivers) less what is won so far."""
    plan = target(company, "new_arr_won", quarter)
    planned = plan.value if plan else _product([target(company, name, quarter) for name in FROM_LEADS])
    if planned is None:
        return None
    so_far = int(_won(company, quarter).sum())
    return Measurement(round(planned) - so_far, unit="money", currency=company.settings.currency, definition_id="new_arr_won")


def _product(plans: list[Measurement | None]) -> float | None:
    return math.prod(plan.value for plan in plans) if all(plans) else None


def _shares(past: pd.DataFrame) -> tuple[Measurement, Measurement]:
    """The share of open value that was won, and of won value that came later, over all past quarters, clustered by deal."""
    deals = past.groupby("opportunity_id")[["open", "won_of_open", "won_later"]].sum().astype(float)
    won = deals.won_of_open + deals.won_later
    return _ratio(deals.won_of_open, deals.open), _ratio(deals.won_later, won)


def _ratio(x: pd.Series, y: pd.Series) -> Measurement:
    x, y = x[(y != 0) | (x != 0)], y[(y != 0) | (x != 0)]
    if y.sum() <= 0:
        return not_applicable("no such deals in past quarters", unit="percent")
    low, high = intervals.ratio_of_sums(x.sum(), y.sum(), (x * x).sum(), (x * y).sum(), (y * y).sum(), len(x))
    ends = {"low": max(0.0, float(low)), "high": min(1.0, float(high))} if np.isfinite(low) else {}
    few = int((x > 0).sum()) < FEW
    status = {"status": "insufficient", "reason": f"fewer than {FEW} won deals"} if few else {}
    return Measurement(float(x.sum() / y.sum()), n=len(x), unit="percent", **ends, **status)


def _inverse(share: Measurement) -> Measurement:
    """One over a share, with its interval turned round; open above where the share may be 0."""
    if not share.value:
        return not_applicable(share.reason or "nothing was won of the pipeline", unit="ratio")
    low = 1 / share.high if share.high else None
    return replace(share, value=1 / share.value, low=low, high=1 / share.low if share.low else None, unit="ratio")


def _covering(amount: Measurement, to_win: Measurement | None) -> Measurement:
    if to_win is None:
        return not_applicable("no plan of new ARR for the quarter", unit="ratio")
    if to_win.value <= 0:
        return not_applicable("the quarter's plan is already met", unit="ratio")
    return Measurement(amount.value / to_win.value, n=amount.n, unit="ratio")
