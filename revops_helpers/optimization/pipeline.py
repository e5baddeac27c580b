"""The pipeline: how it moved, and which of its deals stand still.

Pipeline here is every open deal that sells new ARR (new business and expansion; renewals keep what there is). Money is
first-year ARR in cents of the reporting currency at plan rates.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import pandas as pd

from revops_helpers.metrics import facts
from revops_helpers.metrics.dimensions import in_segment
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import Period, add_months, start_of

NEEDS = ("opportunities.amount", "opportunities.status")
SELLING = ("new", "expansion")
IN = ("created", "pulled_in", "amount_up")
OUT = ("won", "lost", "pushed_out", "amount_down")


@dataclass(frozen=True)
class PipelineFlow:
    """How the open pipeline moved in a period; amounts in cents.

    due_by: only deals expected to close by this day count; None counts all open deals (then none is pulled in or pushed out),
        which is so where no history tells the close dates of an earlier day.
    lines: one row per line, in the order of the sum: line, deals, amount (signed). The amounts of all lines but the last add
        up to the last, `closing`, to the cent. A deal both created and closed in the period is in both lines.
    unpriced: how many of the closing deals have no amount; they count as deals and add nothing.
    """

    period: Period
    due_by: date | None
    currency: str
    lines: pd.DataFrame
    unpriced: int

    def amount(self, line: str) -> int:
        """Signed amount of one line. KeyError for an unknown line."""
        return int(self.lines.set_index("line").amount[line])


def selling(company: Company) -> ibis.Table:
    """One row per deal that sells new ARR, as it stood: opportunity_id, status, amount (cents), priced, close_date if any.

    A deal without an amount has 0 there and is not priced.
    """
    company.require(NEEDS)
    deals = facts.deals(company)
    if "kind" in deals.columns:
        deals = deals.filter(deals.kind.isin(SELLING) | deals.kind.isnull())
    return in_segment(company, deals.mutate(amount=deals.amount.fill_null(0), priced=deals.amount.notnull()))


def pipeline_flow(company: Company, period: Period | None = None, due_by: date | None = None) -> PipelineFlow:
    """Opening + created + pulled in + amount up − won − lost − pushed out − amount down = closing, from the two snapshots.

    period: the company's when none is given. due_by: see PipelineFlow; the end of the fiscal year when none is given.
    Unavailable without deal amounts, statuses and opening dates, and when no open deal has an amount.
    """
    company.require((*NEEDS, "opportunities.created_at"))
    period = period or company.period
    end = add_months(start_of("year", period.end, company.settings.fiscal_year_start), 12) - timedelta(days=1)
    due = (due_by or end) if not company.missing(["opportunity_history.close_date"]) else None
    before = _snapshot(company.on(period.start - timedelta(days=1)), due)
    after = _snapshot(company.on(period.end), due)
    both = after.left_join(before, after.opportunity_id == before.opportunity_id).select(
        status=after.status,
        now=after.amount,
        priced=after.priced,
        here=after.counts,
        existed=before.opportunity_id.notnull(),
        was_open=before.open.fill_null(False),
        was_here=before.counts.fill_null(False),
        was=ibis.ifelse(before.open.fill_null(False), before.amount, after.amount),
    )
    sums = both.agg(unpriced=(both.here & ~both.priced).sum().fill_null(0), **_lines(both)).execute().iloc[0]
    check_priced(int(sums.closing_deals), int(sums.unpriced))
    names = ("opening", *IN, *OUT, "closing")
    sign = dict.fromkeys(OUT, -1)
    rows = [(name, int(sums[f"{name}_deals"]), sign.get(name, 1) * int(sums[f"{name}_amount"])) for name in names]
    lines = pd.DataFrame(rows, columns=["line", "deals", "amount"])
    return PipelineFlow(period, due, company.settings.currency, lines, int(sums.unpriced))


def check_priced(deals: int, unpriced: int) -> None:
    """Unavailable when there are open deals and none has an amount: their worth is unknown, which is not zero."""
    if deals and deals == unpriced:
        raise Unavailable(["opportunities.amount of open deals"])


def _snapshot(company: Company, due: date | None) -> ibis.Table:
    deals = selling(company)
    is_open = deals.status == "open"
    counts = is_open if due is None else is_open & (deals.close_date <= ibis.literal(due)).fill_null(False)
    return deals.select("opportunity_id", "status", "amount", "priced", open=is_open, counts=counts)


def _lines(both: ibis.Table) -> dict[str, ibis.Value]:
    """Deals and amount by line. A deal enters with the amount it had, changes it while it counts, leaves with what it has."""
    closed = both.status.isin(("won", "lost")) & (both.was_open | ~both.existed)
    enters = ~both.was_here & (both.here | closed)
    zero = ibis.literal(0, type="int64")
    change = ibis.ifelse(both.was_open & (both.was_here | enters), both.now - both.was, zero)
    parts = {
        "opening": (both.was_here, both.was),
        "created": (enters & ~both.was_open, both.was),
        "pulled_in": (enters & both.was_open, both.was),
        "amount_up": (change > 0, change),
        "won": ((both.status == "won") & closed, both.now),
        "lost": ((both.status == "lost") & closed, both.now),
        "pushed_out": (both.was_here & (both.status == "open") & ~both.here, both.now),
        "amount_down": (change < 0, -change),
        "closing": (both.here, both.now),
    }
    out: dict[str, ibis.Value] = {}
    for name, (counts, amount) in parts.items():
        out[f"{name}_deals"] = counts.sum().fill_null(0)
        out[f"{name}_amount"] = ibis.ifelse(counts, amount, zero).sum().fill_null(0)
    return out
