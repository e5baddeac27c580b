"""The choices inside the definitions of NRR, GRR and churn: what was held on two days, and every movement between them.

The first option of every switch is the catalogue's; a switch whose data is missing is not there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import ibis

from revops_helpers.foundation.definitions import Choices, Switch, Yardstick, ratio, sums
from revops_helpers.metrics.recurring import apart, customer_months, customers_at_end
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company
from revops_helpers.periods import Period, fiscal_year_start

Facts = dict[str, int]
Links = dict[tuple[str, str], list[Facts]]  # (window, movements) → the spans whose shares are multiplied
FLOWS = ("new", "returned", "lost", "indexation", "expansion", "contraction")
DAY = timedelta(days=1)

# Month by month no customer moves twice, so that the two days are every event.
WINDOW = Switch("window", ("year", "quarter", "quarter to a year", "months compounded"))
MOVEMENTS = Switch("movements", ("two days", "every event"))


# --- NRR and GRR ---------------------------------------------------------------------------------------------------------


def nrr(company: Company, period: Period) -> Yardstick:
    """What customers of an earlier day pay now. Choices: the earlier day, two days or every event between them, new and returned
    customers, those lost, indexation, expansion, contraction."""
    parts = ("lost", "indexation", "expansion", "contraction")
    switches = (
        WINDOW,
        MOVEMENTS,
        Switch("new_customers", ("left out", "returned", "counted")),
        *(Switch(name, ("counted", "left out")) for name in parts),
    )
    links = _links(company, period)
    return Yardstick(switches, lambda choices: _chained(links, choices, _net), _opening(links))


def grr(company: Company, period: Period) -> Yardstick:
    """What is left of an earlier day's revenue. Choices: the earlier day, two days or every event, those lost, contraction."""
    switches = (WINDOW, MOVEMENTS, *(Switch(name, ("counted", "left out")) for name in ("lost", "contraction")))
    links = _links(company, period)
    return Yardstick(switches, lambda choices: _chained(links, choices, _gross), _opening(links))


def _net(h: Facts, choices: Choices) -> float | None:
    out = {name for name in FLOWS if choices.get(name) == "left out"}
    num = h["m1"] + {"left out": 0, "returned": h["returned"], "counted": h["new"]}[str(choices["new_customers"])]
    num -= h["indexation"] * ("indexation" in out) + h["expansion"] * ("expansion" in out)
    num += h["contraction"] * ("contraction" in out)
    return ratio(num, h["m0"] - h["lost"] * ("lost" in out))


def _gross(h: Facts, choices: Choices) -> float | None:
    left = h["m0"] - h["lost"]
    num = left - (h["fallen"] if choices["contraction"] == "counted" else 0)
    return ratio(num, h["m0"] if choices["lost"] == "counted" else left)


def _chained(links: Links, choices: Choices, share: Callable[[Facts, Choices], float | None]) -> float | None:
    to_a_year = choices["window"] == "quarter to a year"
    spans = links.get(("quarter" if to_a_year else str(choices["window"]), str(choices["movements"])), [])
    shares = [share(span, choices) for span in spans]
    if not shares or None in shares:
        return None
    return math.prod(shares) ** (4 if to_a_year else 1)


def _links(company: Company, period: Period) -> Links:
    """The spans of every window: the same for NRR and GRR, and read once."""

    def read() -> Links:
        year = Period(period.year_before().end + DAY, period.end)
        months = _months(company, year)
        since = {"year": year.start, "quarter": period.start}
        found: Links = {("months compounded", "two days"): list(months.values())}
        for name, start in since.items():
            within = [h for first, h in months.items() if first >= start]
            back = _returned(company, Period(start, period.end)) if any(h["returned"] for h in within) else 0
            found[name, "two days"] = [_held(company, period, start - DAY) | {"returned": back}]
            found[name, "every event"] = [_together(within)]
        return found

    return company.once(("links", period), read)


def _opening(links: Links) -> int:
    """ARR of a year before."""
    return 12 * links["year", "two days"][0]["m0"]


def _held(company: Company, period: Period, then: date) -> Facts:
    """MRR of the customers of a day, then (m0) and at the period's end (m1), and what lies between; m1 is always
    m0 − lost + indexation + expansion − contraction. new: MRR of the others. fallen: what customers that stay pay less, with
    indexation."""
    t = apart(company, Windows.of(company.settings, period), [then])
    was, stays = t.m0 > 0, (t.m0 > 0) & t.held1
    change = t.m1 - t.m0 - t.uplift
    return sums(
        t,
        m0=t.m0.sum(where=was),
        m1=t.m1.sum(where=was),
        new=t.m1.sum(where=~was),
        lost=t.m0.sum(where=was & ~t.held1),
        indexation=t.uplift.sum(where=stays),
        expansion=change.sum(where=stays & (change > 0)),
        contraction=-change.sum(where=stays & (change < 0)),
        fallen=(t.m0 - t.m1).sum(where=stays & (t.m1 < t.m0)),
        n=t.held0.sum(),
        gone=(t.held0 & ~t.held1).sum(),
    )


def _returned(company: Company, span: Period) -> int:
    """MRR at the span's end of customers that were none on its eve and are not new in it."""
    t = apart(company, Windows.of(company.settings, span), [span.start - DAY])
    moved = customer_months(company, Windows.of(company.settings, span))
    came = moved.filter(moved.came).select("customer").distinct()
    back = t.filter(~t.held0).anti_join(came, "customer")
    return sums(back, mrr=back.m1.sum())["mrr"]


def _months(company: Company, year: Period) -> dict[date, Facts]:
    """First day → the facts of `_held` of each month of the year, from its movements."""
    windows = Windows.of(company.settings, year, "month")
    t = customer_months(company, windows)
    flows = {"new": t.new + t.reactivation, "returned": t.reactivation, "lost": t.churn}
    flows |= {name: t[name] for name in ("indexation", "expansion", "contraction")}
    fallen = (t.opening - t.closing).sum(where=(t.closing > 0) & (t.delta < 0))
    rows = t.group_by("window").agg(**{name: flow.sum() for name, flow in flows.items()}, fallen=fallen)
    moved = {row["window"]: row for row in rows.to_pyarrow().to_pylist()}
    eve = Period(year.start - DAY, year.start - DAY)
    held = sums(t := customers_at_end(company, Windows.of(company.settings, eve)), mrr=t.mrr.sum())["mrr"]
    found = {}
    for place, month in enumerate(windows.periods):
        facts = {name: moved.get(place, {}).get(name) or 0 for name in (*FLOWS, "fallen")}
        found[month.start] = facts | {"m0": held, "m1": _left(held, facts)}
        held = found[month.start]["m1"] + facts["new"]
    return found


def _together(months: list[Facts]) -> Facts:
    """The movements of consecutive months against what was held before the first."""
    facts = {name: sum(month[name] for month in months) for name in FLOWS}
    return facts | {"m0": months[0]["m0"], "m1": _left(months[0]["m0"], facts), "fallen": facts["contraction"]}


def _left(held: int, facts: Facts) -> int:
    return held - facts["lost"] + facts["indexation"] + facts["expansion"] - facts["contraction"]


# --- churn ---------------------------------------------------------------------------------------------------------------

LONGER: dict[str, Callable[[float], float]] = {
    "quarter × 4": lambda s: 4 * s,
    "quarter to a year": lambda s: 1 - (1 - s) ** 4,
    "month of the quarter": lambda s: s / 3,
    "month to a year": lambda s: 1 - (1 - s / 3) ** 12,
}


def churn(of: str, window: str) -> Callable[[Company, Period], Yardstick]:
    """The share lost. Choices: customers or ARR, in which time, per start or average, who counts as lost, downgrades, and whether
    a loss counts when it happens or when notice of it is given."""
    windows = ("year", "quarter of the year's start", "quarter", *LONGER)
    departures = ("at the end", "every departure") if window == "year" else ("every departure", "at the end")
    switches = (
        Switch("of", (of, *(other for other in ("customers", "ARR") if other != of))),
        Switch("window", (window, *(other for other in windows if other != window))),
        Switch("per", ("start", "average")),
        Switch("departures", departures),
        Switch("downgrades", ("left out", "counted")),
    )

    def make(company: Company, period: Period) -> Yardstick:
        year = Period(period.year_before().end + DAY, period.end)
        opened = fiscal_year_start(period.start, company.settings.fiscal_year_start)
        starts = {"year": year.start, "quarter": period.start, "quarter of the year's start": opened}
        sizes = {name: _sizes(company, start - DAY, period.end) for name, start in starts.items()}
        noticed = _at_notice(company)
        seen = {"when it ends": company} | ({"at notice": noticed} if noticed else {})
        lost = {
            (name, when): _lost(of, span) for when, of in seen.items() for name, span in (("year", year), ("quarter", period))
        }
        whole = 12 * sizes[window]["eve_mrr"] if of == "ARR" else None
        return Yardstick((*switches, Switch("notice", tuple(seen))), lambda choices: _churned(sizes, lost, choices), whole)

    return make


def _at_notice(company: Company) -> Company | None:
    """The same company, in which a line that nothing follows is over when notice of its end was given; None where none was."""
    if company.missing(["subscriptions.notice_on", "subscriptions.ends_on"]):
        return None
    given = company.table("subscriptions", ("subscription_id", "notice_on"))
    if not sums(given, n=given.notice_on.notnull().sum())["n"]:
        return None
    lines = company.accepted["subscriptions"]
    same = [name for name in ("subscription_id", "account_id", "product") if name in lines.columns]
    follows = lines.starts_on.lead().over(ibis.window(group_by=same, order_by="starts_on"))
    goes_on = (follows == lines.ends_on).fill_null(False)
    lines = lines.mutate(ends_on=ibis.ifelse(goes_on, lines.ends_on, ibis.least(lines.ends_on, lines.notice_on)))
    return replace(company, accepted={**company.accepted, "subscriptions": lines}, _made={})


def _sizes(company: Company, eve: date, end: date) -> Facts:
    """Customers and MRR on the eve and at the end."""
    found = {}
    for name, day in (("eve", eve), ("end", end)):
        rows = customers_at_end(company, Windows.of(company.settings, Period(day, day)))
        found |= sums(rows, **{f"{name}_n": rows.count(), f"{name}_mrr": rows.mrr.sum()})
    return found


def _lost(company: Company, span: Period) -> Facts:
    """Customers and MRR gone since the span's start, and every departure and downgrade in it."""
    held = _held(company, span, span.start - DAY)
    moved = customer_months(company, Windows.of(company.settings, span))
    found = sums(moved, left=moved.left.sum(), left_mrr=moved.churn.sum(), less=moved.contraction.sum())
    return found | {"gone": held["gone"], "gone_mrr": held["lost"], "down_mrr": held["contraction"]}


def _churned(sizes: dict[str, Facts], lost: dict[tuple[str, str], Facts], choices: Choices) -> float | None:
    window, arr = str(choices["window"]), choices["of"] == "ARR"
    h = lost["year" if window == "year" else "quarter", str(choices["notice"])]
    size = sizes.get(window, sizes["quarter"])
    at_end = choices["departures"] == "at the end"
    num = h[("gone" if at_end else "left") + ("_mrr" if arr else "")]
    if choices["downgrades"] == "counted":
        if not arr:
            return None  # a customer that pays less is still a customer
        num += h["down_mrr" if at_end else "less"]
    what = "mrr" if arr else "n"
    den = size[f"eve_{what}"] if choices["per"] == "start" else (size[f"eve_{what}"] + size[f"end_{what}"]) / 2
    share = ratio(num, den)
    return share if share is None else LONGER.get(window, lambda s: s)(share)
