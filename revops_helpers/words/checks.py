"""The sanity checks that every notebook asserts in plain sight: parts sum to wholes, shares are shares, and nothing is lost.

What is not available has nothing to check: then a check holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from revops_helpers.finding import Finding
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.optimization.target_gap import joint_value

if TYPE_CHECKING:
    from revops_helpers.alignment.closed_loop import ClosedLoop
    from revops_helpers.alignment.response import Response
    from revops_helpers.foundation.conservation import Conservation
    from revops_helpers.foundation.hygiene import Hygiene
    from revops_helpers.foundation.tie_out import ArrTie
    from revops_helpers.foundation.won_billed import DealTie
    from revops_helpers.intelligence.outlook import Outlook
    from revops_helpers.optimization.forecast import YearForecast
    from revops_helpers.optimization.pipeline import PipelineFlow
    from revops_helpers.optimization.target_gap import Gap
    from revops_helpers.planning.capacity import Capacity
    from revops_helpers.planning.cascade import Cascade
    from revops_helpers.planning.quotas import Quotas
    from revops_helpers.words.parts import ScoreRow


def no_row_is_lost(company: Company) -> bool:
    """read = accepted + quarantined + excluded, for every table, in rows and in money."""
    ledger = company.ledger
    return ledger is None or bool((ledger.read == ledger.accepted + ledger.quarantined + ledger.excluded).all())


def arr_adds_up(arr: ArrTie | Unavailable) -> bool:
    """finance − billing = causes + rounding + unexplained, to the cent, at every month end."""
    if isinstance(arr, Unavailable):
        return True
    explained = arr.months[[*arr.causes, "rounding", "unexplained"]].sum(axis=1)
    return bool((arr.months.finance - arr.months.billing == explained).all())


def movements_give_closing(moved: Conservation | Unavailable) -> bool:
    """opening + movements = closing, to the cent, of every measure and segment; and the segments add up to the total."""
    if isinstance(moved, Unavailable):
        return True
    numbers = moved.lines.drop(columns=["measure", "member"]).fillna(0)
    whole = moved.lines.member == ""
    total, parts = (numbers[side].groupby(moved.lines.measure[side]).sum() for side in (whole, ~whole))
    return bool((numbers.difference == 0).all() and (total.loc[parts.index] == parts).all(axis=None))


def deals_add_up(deals: DealTie | Unavailable) -> bool:
    """The cases hold every won deal and every billing start once, to the cent."""
    if isinstance(deals, Unavailable):
        return True
    won, billed = deals.pairs.won.sum(), deals.pairs.billed.sum()
    return (
        bool(deals.totals.won.sum() == won and deals.totals.billed.sum() == billed)
        and deals.pairs.opportunity_id.dropna().is_unique
    )


def shares_are_shares(clean: Hygiene | Unavailable) -> bool:
    """Every share lies in its interval, and between 0 and 1."""
    if isinstance(clean, Unavailable):
        return True
    rules = clean.rules
    return bool(((rules.low >= 0) & (rules.low <= rules.share) & (rules.share <= rules.high) & (rules.high <= 1)).all())


def intervals_hold_their_values(rows: Sequence[ScoreRow]) -> bool:
    """Every number lies in its interval."""
    bounds = [(row.value.low, row.value.value, row.value.high) for row in rows if row.value.value is not None]
    return all((low is None or low <= value) and (high is None or value <= high) for low, value, high in bounds)


def gap_adds_up(gap: Gap | Unavailable) -> bool:
    """plan + what the plan does not add up to + the drivers' effects + unexplained = actual, to the cent."""
    if isinstance(gap, Unavailable):
        return True
    effects = sum(driver.effect.value for driver in gap.drivers)
    return gap.plan.value + gap.plan_mismatch.value + effects + gap.unexplained.value == gap.actual.value


def pipeline_is_conserved(flow: PipelineFlow | Unavailable) -> bool:
    """opening + in − out = closing, to the cent."""
    if isinstance(flow, Unavailable):
        return True
    return int(flow.lines.amount.iloc[:-1].sum()) == int(flow.lines.amount.iloc[-1])


def cascade_gives_the_target(plan: Cascade | Unavailable) -> bool:
    """From the first step's volume along the rates, with what customers bring, comes the target again, to the cent; at least the
    target where customers meet it alone. A step that cannot be told has nothing to check."""
    from revops_helpers.planning.cascade import forwards

    if isinstance(plan, Unavailable):
        return True
    sides = ((True, plan.first.needed_plan), (False, plan.first.needed_now))
    again = [(forwards(plan, planned) - plan.target.value, need.value) for planned, need in sides if need.value is not None]
    return all(abs(more) < 1 or (not need and more > 0) for more, need in again)


def every_quota_is_in_one_band(asked: Quotas | Unavailable) -> bool:
    """The bands of attainment hold every quota once, and what people have adds up to the sums."""
    if isinstance(asked, Unavailable):
        return True
    sums = int(asked.people.quota.sum()), int(asked.people.credited.sum())
    return int(asked.bands.quotas.sum()) == asked.assigned.n and sums == (asked.assigned.value, asked.credited.value)


def bands_are_nested(forecast: YearForecast | Capacity | Unavailable) -> bool:
    """The 50 % band lies in the 80 % band, and that in the 95 % band."""
    if isinstance(forecast, Unavailable) or not len(forecast.months):
        return True
    m = forecast.months
    order = [m.low_95, m.low_80, m.low_50, m["median"], m.high_50, m.high_80, m.high_95]
    return all(bool((a <= b).all()) for a, b in pairwise(order))


def together_no_more_than_apart(gap: Gap | Unavailable, findings: Sequence[Finding]) -> bool:
    """Acting on all findings is worth no more than the sum of acting on each."""
    if isinstance(gap, Unavailable):
        return True
    apart = sum(max(0, finding.stake.value or 0) for finding in findings if finding.levers)
    return joint_value(gap, findings).value <= apart + 1


def risk_adds_up(outlook: Outlook | Unavailable) -> bool:
    """The segments' expected losses add up to the whole, and nothing is shown of a model that is not to be used."""
    if isinstance(outlook, Unavailable):
        return True
    if outlook.expected.value is None or not outlook.passport.use:
        return outlook.expected.value is None and outlook.customers.empty and outlook.by_segment.empty
    parts = outlook.by_segment.expected.sum() if len(outlook.by_segment) else outlook.expected.value
    return abs(parts - outlook.expected.value) <= 1 and bool(outlook.customers.chance.between(0, 1).all())


def credit_adds_up(credit: ClosedLoop | Unavailable) -> bool:
    """Every model shares out each won deal once, and its ARR to the cent."""
    if isinstance(credit, Unavailable):
        return True
    models = [name for name in ("first", "last", "linear") if name in credit.channels]
    whole = all(abs(credit.channels[name].sum() - credit.won) < 1e-6 * max(1, credit.won) for name in models)
    return whole and (credit.arr is None or all(int(credit.channels[f"arr_{name}"].sum()) == credit.arr for name in models))


def waits_are_shares(waits: Response | Unavailable) -> bool:
    """The share contacted only rises with time, inside its band, and never passes 100 %."""
    if isinstance(waits, Unavailable):
        return True
    return all(
        bool((c.survival[1:] <= c.survival[:-1]).all() and (c.low <= c.survival).all() and (c.survival <= c.high).all())
        and (not len(c.survival) or 0 <= c.survival[-1] <= c.survival[0] <= 1)
        for c in waits.curves.values()
    )
