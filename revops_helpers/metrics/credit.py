"""Credit for conversions by channel: deals won or opened, shared among the touches before them. All lazy.

The touches of a deal are those of its leads, and those recorded on its account. Only touches before the conversion count: before
the moment it closed or opened, or before that day where only the day is known. What no record says stays a channel of its own,
`(not recorded)`: a touch without channel, a deal without any touch. So credit always sums to the conversions.
"""

from __future__ import annotations

from typing import Literal

import ibis

from revops_helpers.methods.attribution import MODELS, Model, shared
from revops_helpers.metrics.dimensions import NOT_RECORDED
from revops_helpers.metrics.facts import CLOSING, DEAL_IDS, closed_on, deals
from revops_helpers.metrics.kept import kept
from revops_helpers.metrics.reading import Reading
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import Period

Conversion = Literal["won", "opened"]
TOUCH = ("touch_id", "channel", "occurred_at")
LINK = ("opportunity_id", "on", "at")
TOUCHES = ("touches.channel", "touches.occurred_at")
WON = (*TOUCHES, "opportunities.kind", "opportunities.status", "opportunities.close_date")
OPENED = (*TOUCHES, "opportunities.kind", "opportunities.created_at")


def won_by_channel(company: Company, windows: Windows, read: Reading | None = None) -> ibis.Table:
    """credits of the deals won in a window."""
    return credits(company, windows, "won", read)


def credited(company: Company, model: Model, period: Windows | Period | None = None, of: Conversion = "won") -> ibis.Table:
    """One row per new-business deal won (or opened) in the period and channel that has credit by `model`.

    Columns: window, opportunity_id, account_id and lead_id where the company has them, channel, touches (0 where none is
    recorded), credit (0 to 1, summing to 1 for a deal) and amount (credit in cents, summing to the deal's to the cent; absent
    without amounts). Unavailable when touches cannot be told or linked.
    """
    windows = period if isinstance(period, Windows) else Windows.of(company.settings, period or company.period)
    rows = credits(company, windows, of)
    rows = rows.mutate(credit=rows[model]).filter(rows[model] > 0)
    own = [n for n in ("window", "opportunity_id", "account_id", "lead_id", "channel", "touches", "credit") if n in rows.columns]
    if "amount" not in rows.columns:
        return rows.select(*own)
    so_far = ibis.window(group_by=["window", "opportunity_id"], order_by="channel", rows=(None, 0))
    rows = rows.mutate(_until=(rows.credit.sum().over(so_far) * rows.amount).round().cast("int64"))
    before = rows["_until"].lag().over(ibis.window(group_by=["window", "opportunity_id"], order_by="channel")).fill_null(0)
    return rows.select(*own, amount=rows["_until"] - before)


def credits(company: Company, windows: Windows, of: Conversion = "won", read: Reading | None = None) -> ibis.Table:
    """One row per window, new-business deal won (or opened) in it and channel: what `deals` says of it, touches, and the credit
    of the channel by each of methods.attribution.MODELS (first, last, linear). Unavailable when nothing can be linked."""
    company.require(WON if of == "won" else OPENED)
    # Kept before it meets the touches: it is read three times, and the engine then knows that it is the small side of the join.
    sold = kept(company, f"deals_{of}", lambda: _converted(company, windows, of, read), of=(windows, read))
    paths = shared(_touched(company, sold, windows), "opportunity_id", "channel", ["occurred_at", "touch_id"])
    paths = paths.rename(_deal="opportunity_id").view()
    found = sold.left_join(paths, sold.opportunity_id == paths["_deal"])
    known = {name: found[name].fill_null(1.0) for name in MODELS}
    own = [n for n in (*DEAL_IDS, "amount", "on") if n in found.columns]
    rows = found.select(*own, channel=found.channel.fill_null(NOT_RECORDED), touches=found.touches.fill_null(0), **known)
    return windows.assign(rows, "on")


def _converted(company: Company, windows: Windows, of: Conversion, read: Reading | None) -> ibis.Table:
    """The deals won (or opened) in any window, with `on`, the day, and `at`, the moment where it is known."""
    linked = [name for name in ("lead_id", "account_id") if not company.missing([f"touches.{name}"])]
    rows = deals(company, read, "opportunity_id", "kind", "created_at", *CLOSING, *linked, ends=of == "won")
    rows = rows.filter(rows.kind == "new")
    if of == "opened":
        rows = rows.mutate(on=windows.day(rows.created_at), at=rows.created_at)
    else:
        at = rows.closed_at if "closed_at" in rows.columns else ibis.null("timestamp")
        rows = rows.filter(rows.status == "won").mutate(on=closed_on(rows, windows), at=at)
    return rows.filter(windows.within(rows["on"], windows.span))


def _touched(company: Company, sold: ibis.Table, windows: Windows) -> ibis.Table:
    """The touches before each conversion, once each: opportunity_id, touch_id, channel, occurred_at."""
    touches = company.table("touches", (*TOUCH, "lead_id", "account_id"))
    links = {}
    if "lead_id" in touches.columns and (of_leads := _leads(company, sold)) is not None:
        links["lead_id"] = of_leads
    if "account_id" in touches.columns and "account_id" in sold.columns:
        links["account_id"] = sold.select(*LINK, _key=sold.account_id)
    if not links:
        raise Unavailable(["touches.lead_id with opportunities.lead_id, or touches.account_id"])
    found = [touches.inner_join(link, touches[key] == link["_key"]).select(*LINK, *TOUCH) for key, link in links.items()]
    rows = ibis.union(*found, distinct=True) if len(found) > 1 else found[0]
    by_day = windows.day(rows.occurred_at) < rows["on"]
    rows = rows.filter(ibis.ifelse(rows["at"].notnull(), rows.occurred_at < rows["at"], by_day))
    return rows.select("opportunity_id", "touch_id", "occurred_at", channel=rows.channel.fill_null(NOT_RECORDED))


def _leads(company: Company, sold: ibis.Table) -> ibis.Table | None:
    """LINK and `_key`, a lead of the deal, once each, as the deal or the lead says; None where neither does."""
    found = []
    if "lead_id" in sold.columns:
        found.append(sold.select(*LINK, _key=sold.lead_id))
    if not company.missing(["leads.opportunity_id"]):
        leads = company.table("leads", ("lead_id", "opportunity_id"), found=["opportunity_id"]).rename(
            _deal="opportunity_id", _key="lead_id"
        )
        found.append(sold.select(*LINK).inner_join(leads, ibis._.opportunity_id == leads["_deal"]).select(*LINK, "_key"))
    return ibis.union(*found, distinct=True) if len(found) > 1 else found[0] if found else None
