"""The choices inside the definition of CAC: what was spent on winning customers, and who counts as one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import ibis

from revops_helpers.foundation.definitions import Choice, Choices, Switch, Yardstick, ratio, subsets, sums
from revops_helpers.metrics import costs
from revops_helpers.metrics.facts import by_customer, closed_deals, reporting
from revops_helpers.metrics.recurring import customer_months
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company
from revops_helpers.periods import Period, add_months, month_start

QUARTERS = {0: "same", costs.QUARTER: "before"}
SPREADS = (12, 24, 36, 60)  # months over which commissions are commonly spread (IFRS 15, CPC 47)


def cac(company: Company, period: Period) -> Yardstick:
    """What was spent on winning customers, and who counts as one. Choices: functions and kinds of cost, quarter, commissions,
    live or signed, self-serve, returned customers, expansions, unpaid trials; those of which there are any."""
    paid = _spend(company, period)
    won = _won(company, period)
    quarters = _quarters(costs.lag_months(company))
    functions, kinds = _named(paid, 1), _named(paid, 2)
    spreads = [f"over {months}" for months in SPREADS if _reaches(paid, period, max(quarters.values()) + months)]
    own = tuple(name for name in functions if name in costs.SALES_AND_MARKETING)
    switches = (
        Switch("functions", (own, *(some for some in subsets(functions) if some != own))),
        Switch("kinds", (tuple(kinds), *(some for some in subsets(kinds) if some != tuple(kinds)))),
        Switch("quarter", tuple(quarters)),
        Switch("commissions", ("paid", *spreads)),
        Switch("customers", ("live", "signed") if won.signed[0] else ("live",)),
        Switch("self_serve", ("counted", "left out") if won.live[1] or won.signed[1] else ("counted",)),
        Switch("returned", ("left out", "counted") if won.returned else ("left out",)),
        Switch("expansions", ("left out", "counted") if won.expansions else ("left out",)),
        Switch("trials", ("left out", "counted") if won.trials else ("left out",)),
    )

    @cache
    def cost(functions: Choice, kinds: Choice, quarter: Choice, commissions: str) -> float:
        lag = quarters[str(quarter)]
        start, end = add_months(period.start, -lag), add_months(period.end + timedelta(days=1), -lag)
        read = [(month, kind, v) for (month, f, kind), v in paid.items() if f in functions and kind in kinds]
        spread = commissions != "paid"
        plain = sum(v for month, kind, v in read if start <= month < end and not (spread and kind == "commission"))
        return plain + (_spread(read, int(commissions.removeprefix("over ")), start, end) if spread else 0)

    def value(choices: Choices) -> float | None:
        spent = cost(choices["functions"], choices["kinds"], choices["quarter"], str(choices["commissions"]))
        return ratio(spent, won.count(choices))

    return Yardstick(switches, value)


def _spend(company: Company, period: Period) -> dict[tuple[date, str, str], int]:
    """(month, function, category) → cents, up to the end of the period."""
    company.require(["spend.month", "spend.function", "spend.category", "spend.amount"])
    rows = company.table("spend")
    rows = rows.select("month", "function", "category", amount=reporting(company, rows, "spend", "amount"))
    rows = rows.filter(rows.month <= period.end).group_by("month", "function", "category").agg(amount=rows.amount.sum())
    return {(month_start(r["month"]), r["function"], r["category"]): r["amount"] for r in rows.to_pyarrow().to_pylist()}


def _quarters(lag: int) -> dict[str, int]:
    """Option → months by which spend comes before the customers: the lag first, then the quarter before and the same."""
    return {QUARTERS.get(months, f"{months // 3} before"): months for months in (lag, costs.QUARTER, 0)}


def _named(paid: Iterable[tuple[date, str, str]], place: int) -> list[str]:
    return sorted({key[place] for key in paid})


def _reaches(paid: Iterable[tuple[date, str, str]], period: Period, months: int) -> bool:
    """Whether commissions are on record for that long before the period."""
    since = add_months(period.start, -months)
    return min((month for month, _, kind in paid if kind == "commission"), default=date.max) <= since


def _spread(read: Iterable[tuple[date, str, int]], months: int, start: date, end: date) -> float:
    """The part of each commission that falls from start to before end, when each is spread evenly over months."""
    found = 0.0
    for month, kind, amount in read:
        first, last = max(start, month), min(end, add_months(month, months))
        if kind == "commission" and first < last:
            found += amount / months * ((last.year - first.year) * 12 + last.month - first.month)
    return found


@dataclass(frozen=True)
class _Won:
    """Who was won in a period: customers that went live or signed, in all and without a seller; returned ones; expansions; those
    who try it unpaid."""

    live: tuple[int, int]
    signed: tuple[int, int]
    returned: int
    expansions: int
    trials: int

    def count(self, choices: Choices) -> int:
        """Customers by these choices."""
        new, own = self.live if choices["customers"] == "live" else self.signed
        more = {"returned": self.returned, "expansions": self.expansions, "trials": self.trials}
        added = sum(n for name, n in more.items() if choices[name] == "counted")
        return new - own * (choices["self_serve"] == "left out") + added


def _won(company: Company, period: Period) -> _Won:
    windows = Windows.of(company.settings, period)
    moved = customer_months(company, windows)
    own = _self_serve(company, windows)
    new = moved.filter(moved.came)
    live = sums(new, n=new.count())["n"]
    live_self = int(new.semi_join(own, "customer").count().execute()) if own is not None else 0
    returned, trials = sums(moved, n=moved.returned.sum())["n"], _trials(company, period)
    if company.missing(["opportunities.status", "opportunities.kind", "opportunities.close_date"]):
        return _Won((live, live_self), (0, 0), returned, 0, trials)
    sold = closed_deals(company, windows)
    sold = sold.filter(sold.status == "won")
    product_led = (sold.motion == "product_led").fill_null(False) if "motion" in sold.columns else ibis.literal(False)
    counts = sums(
        sold,
        signed=(sold.kind == "new").sum(),
        alone=((sold.kind == "new") & product_led).sum(),
        expansions=(sold.kind == "expansion").sum(),
    )
    return _Won((live, live_self), (counts["signed"], counts["alone"]), returned, counts["expansions"], trials)


def _trials(company: Company, period: Period) -> int:
    """Customers who began an unpaid line in the period and have never had a paid one by its end: who pays is counted already."""
    lines = by_customer(company, company.table("subscriptions", ("subscription_id", "account_id", "mrr", "starts_on")))
    lines = lines.filter(lines.starts_on <= period.end)
    tries = (lines.mrr == 0) & (lines.starts_on >= period.start)
    each = lines.group_by("customer").agg(tries=tries.any(), paid=(lines.mrr > 0).any())
    return sums(each, n=(each.tries & ~each.paid).sum())["n"]


def _self_serve(company: Company, windows: Windows) -> ibis.Table | None:
    """Customers whose new business was won without a seller, at any time; None where no deal says how it was sold."""
    if company.missing(["opportunities.motion", "opportunities.account_id", "opportunities.kind", "opportunities.status"]):
        return None
    rows = company.table("opportunities", ("opportunity_id", "account_id", "kind", "status", "motion"))
    alone = rows.filter((rows.status == "won") & (rows.kind == "new") & (rows.motion == "product_led"))
    return by_customer(company, alone).select("customer").distinct()
