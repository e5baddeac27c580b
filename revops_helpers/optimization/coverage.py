"""Does the pipeline cover what is still to be won? Judged by what past pipelines turned into from the same day of the quarter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import ibis
import numpy as np
import pandas as pd
from ibis import _

from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.methods import intervals
from revops_helpers.metrics import facts
from revops_helpers.metrics.dimensions import in_segment
from revops_helpers.metrics.measure import measurement
from revops_helpers.metrics.predictability import planned_wins, quarter_to_win
from revops_helpers.metrics.promises import past_pipelines
from revops_helpers.metrics.reasons import N_, NO_TARGET, TARGET_MET, TOO_FEW
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company
from revops_helpers.optimization.pipeline import NEEDS, check_priced, selling
from revops_helpers.periods import Period

FEW = 20


@dataclass(frozen=True)
class Coverage:
    """Whether new business open on the as-of day can fill the fiscal quarter that the next day belongs to; money in cents.

    open: new-business pipeline due in the rest of the quarter (overdue deals are not: they stand still). to_win: planned ARR won
        of the quarter less what is won so far; None where there is no plan. coverage: open ÷ to_win.
    win_share: of the pipeline that was open on this day of past quarters and due in them, the share of value won in them.
    later_share: of the value won in the rest of past quarters, the share of deals that were not in that pipeline.
    needed: the coverage that made the number in past quarters: open ÷ all that was won in the rest of them, later deals
        included. needed_alone: what it takes if no deal comes later, the metric coverage_needed. expected: what the open pipeline
        and what comes later turn into, at past shares.
    past: one row per past quarter: quarter (its first day), open, won_of_open, won_later (cents).
    """

    quarter: Period
    elapsed: int
    open: Measurement
    to_win: Measurement | None
    coverage: Measurement
    win_share: Measurement
    later_share: Measurement
    needed: Measurement
    needed_alone: Measurement
    expected: Measurement
    past: pd.DataFrame


def coverage(company: Company) -> Coverage:
    """Coverage of the quarter under way, against what past quarters show is needed from this day of it.

    Unavailable without deal amounts and the history of close dates, by which past pipelines are told.
    """
    company.require((*NEEDS, "opportunities.created_at", "opportunity_history.close_date"))
    quarter = quarter_to_win(company, _today(company))
    elapsed = (company.as_of + timedelta(days=1) - quarter.start).days
    past = _past_quarters(company)
    due = _due(company, quarter).agg(amount=_.amount.sum(), n=_.count(), unpriced=(~_.priced).sum()).execute().iloc[0]
    check_priced(int(due.n), 0 if pd.isna(due.unpriced) else int(due.unpriced))
    money = {"unit": "money", "currency": company.settings.currency, "definition_id": "pipeline"}
    amount = Measurement(0 if pd.isna(due.amount) else int(due.amount), n=int(due.n), **money)
    to_win = _to_win(company, quarter)
    won = past.won_of_open + past.won_later
    win_share, in_all = _ratio(past, past.won_of_open, past.open), _ratio(past, won, past.open)
    return Coverage(
        quarter=quarter,
        elapsed=elapsed,
        open=amount,
        to_win=to_win,
        coverage=_covering(amount, to_win),
        win_share=win_share,
        later_share=_ratio(past, past.won_later, won),
        needed=_inverse(in_all),
        needed_alone=measurement(company, "coverage_needed", _today(company)),
        expected=_times(in_all, amount),
        past=past.groupby("quarter", as_index=False)[["open", "won_of_open", "won_later"]].sum(),
    )


def _due(company: Company, quarter: Period) -> ibis.Table:
    """New-business deals open now and due in what is left of the quarter."""
    deals = _new_business(selling(company))
    due = (deals.close_date > ibis.literal(company.as_of)) & (deals.close_date <= ibis.literal(quarter.end))
    return deals.filter(deals.status == "open", due)


def _new_business(deals: ibis.Table) -> ibis.Table:
    return deals.filter((deals.kind == "new") | deals.kind.isnull()) if "kind" in deals.columns else deals


def _past_quarters(company: Company) -> pd.DataFrame:
    """One row per past quarter and deal: quarter, opportunity_id, open, won_of_open, won_later (cents)."""
    rows = in_segment(company, past_pipelines(company, Windows.of(company.settings, _today(company))))
    return rows.select("quarter", "opportunity_id", "open", "won_of_open", "won_later").order_by("quarter").to_pandas()


def _today(company: Company) -> Period:
    return Period(company.as_of, company.as_of)


def _won(company: Company, period: Period) -> pd.Series:
    """opportunity_id → cents of the new-business deals won in a period."""
    deals = in_segment(company, _new_business(facts.closed_deals(company, Windows.of(company.settings, period))))
    won = deals.filter(deals.status == "won").select("opportunity_id", amount=deals.amount.fill_null(0)).to_pandas()
    return won.set_index("opportunity_id").amount


def _to_win(company: Company, quarter: Period) -> Measurement | None:
    planned = planned_wins(company, quarter)
    if planned is None:
        return None
    so_far = int(_won(company, quarter).sum())
    return Measurement(round(planned) - so_far, unit="money", currency=company.settings.currency, definition_id="new_arr_won")


def _ratio(past: pd.DataFrame, x: pd.Series, y: pd.Series) -> Measurement:
    """Sum of x over sum of y, over all past quarters, clustered by deal."""
    deals = pd.DataFrame({"x": x, "y": y}).astype(float).groupby(past.opportunity_id).sum()
    deals = deals[(deals.x != 0) | (deals.y != 0)]
    x, y = deals.x, deals.y
    if y.sum() <= 0:
        return not_applicable("no such deals in past quarters", unit="ratio")
    low, high = intervals.ratio_of_sums(x.sum(), y.sum(), (x * x).sum(), (x * y).sum(), (y * y).sum(), len(deals))
    ends = {"low": max(0.0, float(low)), "high": float(high)} if np.isfinite(low) else {}
    few = int((x > 0).sum()) < FEW
    status = {"status": "insufficient", "reason": TOO_FEW} if few else {}
    return Measurement(float(x.sum() / y.sum()), n=len(deals), unit="ratio", **ends, **status)


def _times(share: Measurement, amount: Measurement) -> Measurement:
    of = {"unit": "money", "currency": amount.currency, "definition_id": "new_arr_won"}
    if share.value is None:
        return replace(share, **of)
    low, high = (None if end is None else end * amount.value for end in (share.low, share.high))
    return replace(share, value=round(share.value * amount.value), low=low, high=high, **of)


def _inverse(share: Measurement) -> Measurement:
    """One over a share, with its interval turned round; open above where the share may be 0."""
    if not share.value:
        return not_applicable(share.reason or N_("nothing was won of the pipeline"), unit="ratio")
    low = 1 / share.high if share.high else None
    high = 1 / share.low if share.low else None
    return replace(share, value=1 / share.value, low=low, high=high, definition_id="coverage_needed")


def _covering(amount: Measurement, to_win: Measurement | None) -> Measurement:
    if to_win is None:
        return not_applicable(NO_TARGET, unit="ratio")
    if to_win.value <= 0:
        return not_applicable(TARGET_MET, unit="ratio")
    return Measurement(amount.value / to_win.value, n=amount.n, unit="ratio", definition_id="pipeline_coverage")
