"""What billing and finance know: subscription lines, invoices, the monthly accounts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from revops_helpers.sample import world as w
from revops_helpers.sample.book import CHURN, NEW, REASONS, reporting_cents
from revops_helpers.sample.deals import Deals
from revops_helpers.sample.people import Accounts
from revops_helpers.sample.plan import Core

SEAT_PRICE = 9_000  # cents a month
ARR_COUNTED_EARLY = 3  # signed contracts that finance counts before they are live
CREDITS_MISSED = 2  # contractions of September that finance has not booked yet


@dataclass
class Lines:
    """Subscription lines as arrays: customer, day from, day to (NEVER while it runs), mrr, kind, event row (-1 if none)."""

    customer: np.ndarray
    start: np.ndarray
    end: np.ndarray
    mrr: np.ndarray
    kind: np.ndarray
    event: np.ndarray


NEVER = 10**6


def lines_of(core: Core) -> Lines:
    """Every change of price ends one line and begins the next; a customer that has left has no line until it is back."""
    event, customer = core.book.event, core.book.customer
    silent = np.flatnonzero((customer["start"] < 0) | (customer["start"] > w.LAST_DAY))
    who = np.concatenate([event["customer"], silent])
    day = np.concatenate([event["day"], customer["start"][silent]])
    kind = np.concatenate([event["kind"], np.full(len(silent), NEW)])
    mrr = np.concatenate([event["mrr"], customer["mrr"][silent]])
    row = np.concatenate([np.arange(len(event["day"])), np.full(len(silent), -1)])
    order = np.lexsort((day, who))
    who, day, kind, mrr, row = (values[order] for values in (who, day, kind, mrr, row))
    end = np.full(len(who), NEVER)
    same = np.flatnonzero(who[1:] == who[:-1])
    end[same] = day[same + 1]
    runs = kind != CHURN
    return Lines(who[runs], day[runs], end[runs], mrr[runs], kind[runs], row[runs])


def simulate_subscriptions(streams: w.Streams, core: Core, accounts: Accounts, deals: Deals, lines: Lines) -> pd.DataFrame:
    """subscriptions as a canonical table."""
    rng, customer = streams("subscriptions"), core.book.customer
    n_customers = len(customer["start"])
    deal = customer["deal"][lines.customer]
    product = np.where(deal >= 0, deals.table["product"].cat.codes.to_numpy()[deal], lines.customer % len(w.PRODUCTS))
    signed = np.where((deal >= 0) & (lines.kind == NEW), deals.closed[deal] // 86400, lines.start)
    expansion = np.full(len(core.book.event["day"]), -1)
    base = len(core.funnel.deal["opened"])
    made = np.flatnonzero(deals.expansion_deal >= 0)
    expansion[deals.expansion_deal[made]] = deals.closed[base + made] // 86400
    bought = (lines.event >= 0) & (expansion[np.maximum(lines.event, 0)] >= 0)
    signed = np.where(bought, expansion[np.maximum(lines.event, 0)], signed)
    brl = reporting_cents(lines.mrr, customer["usd"][lines.customer])
    term = np.maximum(lines.start, customer["start"][lines.customer])
    years = np.ceil((term - customer["start"][lines.customer] + 1) / 365).astype(np.int64)
    slack = rng.integers(0, 3, n_customers)[lines.customer]
    return pd.DataFrame(
        {
            "subscription_id": w.pick(w.ids("ASS-", n_customers), lines.customer),
            "account_id": w.pick(accounts.table["account_id"], lines.customer),
            "product": w.label(w.PRODUCTS, product),
            "mrr": lines.mrr,
            "currency": w.label(("BRL", "USD"), customer["usd"][lines.customer].astype(np.int64)),
            "starts_on": w.days(lines.start),
            "ends_on": w.days(np.where(lines.end < NEVER, lines.end, 0), lines.end < NEVER),
            "renews_on": w.days(customer["start"][lines.customer] + 365 * years),
            "seats": np.maximum(3, np.round(brl / SEAT_PRICE).astype(np.int64) + slack),
            "signed_on": w.days(np.minimum(signed, lines.start)),
            "change_reason": w.label(REASONS, lines.kind),
        }
    )


def simulate_invoices(streams: w.Streams, core: Core, subscriptions: pd.DataFrame, lines: Lines) -> pd.DataFrame:
    """One invoice per live line and month, issued on the fifth, due fifteen days later; some are paid late, a few never."""
    rng = streams("invoices")
    issue = w.MONTH_STARTS[: w.MONTHS] + 4
    first = np.searchsorted(issue, np.maximum(lines.start, 0))
    last = np.searchsorted(issue, np.minimum(lines.end, w.LAST_DAY + 1))
    row = np.repeat(np.arange(len(lines.start)), np.maximum(last - first, 0))
    offset = np.arange(len(row)) - np.repeat(np.cumsum(np.maximum(last - first, 0)) - np.maximum(last - first, 0), np.maximum(last - first, 0))
    issued = issue[first[row] + offset]
    order = np.lexsort((row, issued))
    row, issued = row[order], issued[order]
    late = rng.random(len(row))
    paid = issued + 15 + np.where(late < 0.72, rng.integers(-6, 1, len(row)), rng.integers(1, 45, len(row)))
    known = (paid <= w.LAST_DAY) & (late < 0.985)
    return pd.DataFrame(
        {
            "invoice_id": w.ids("NF-", len(row), 8),
            "account_id": w.pick(subscriptions["account_id"], row),
            "subscription_id": w.pick(subscriptions["subscription_id"], row),
            "issued_on": w.days(issued),
            "due_on": w.days(issued + 15),
            "paid_on": w.days(np.where(known, paid, 0), known),
            "amount": lines.mrr[row],
            "currency": pd.Series(subscriptions["currency"].array.take(row)),
        }
    )


def mrr_at_month_ends(core: Core, lines: Lines) -> np.ndarray:
    """MRR in reporting cents at the end of each of the 60 months."""
    brl = reporting_cents(lines.mrr, core.book.customer["usd"][lines.customer])
    ends = w.MONTH_STARTS[1 : w.MONTHS + 1] - 1
    change = np.zeros(w.MONTHS + 1, dtype=np.int64)
    np.add.at(change, np.searchsorted(ends, lines.start), brl)
    stops = lines.end <= w.LAST_DAY
    np.add.at(change, np.searchsorted(ends, lines.end[stops]), -brl[stops])
    return np.cumsum(change)[: w.MONTHS]


def simulate_financials(streams: w.Streams, core: Core, lines: Lines, expenses: np.ndarray) -> tuple[pd.DataFrame, dict]:
    """The monthly accounts, and how finance's ARR differs from billing's at the end. expenses: sales and marketing, cents."""
    rng, mrr = streams("financials"), mrr_at_month_ends(core, lines)
    revenue = (mrr * (1010 + rng.integers(0, 16, w.MONTHS))) // 1000
    gross = revenue * 765 // 1000 + rng.integers(-20_000, 20_000, w.MONTHS) * 100
    other = revenue * 39 // 100
    ebitda = gross - expenses - other
    flow = ebitda - revenue * 3 // 100
    difference = _difference(core, lines)
    arr = mrr * 12
    arr[-1] += difference["signed_not_live"]["cents"] + difference["credits_missed"]["cents"]
    table = pd.DataFrame(
        {
            "month": w.days(w.MONTH_STARTS[: w.MONTHS]),
            "revenue": revenue,
            "gross_profit": gross,
            "ebitda": ebitda,
            "free_cash_flow": flow,
            "net_burn": np.maximum(-flow, 0),
            "arr": arr,
            "currency": "BRL",
        }
    )
    return table, difference


def _difference(core: Core, lines: Lines) -> dict:
    """Contracts that finance counts before they are live, and contractions of September that it has not booked."""
    usd = core.book.customer["usd"]
    early = np.flatnonzero(core.book.customer["start"] > w.LAST_DAY)[:ARR_COUNTED_EARLY]
    early_cents = 12 * reporting_cents(core.book.customer["mrr"][early], usd[early])
    event = core.book.event
    cut = np.flatnonzero((event["kind"] == 2) & (event["month"] <= w.MONTHS - 1))[-CREDITS_MISSED:]
    after = event["mrr"][cut]
    rows = [np.flatnonzero((lines.event == k))[0] - 1 for k in cut]
    missed = 12 * (reporting_cents(lines.mrr[rows], usd[event["customer"][cut]]) - reporting_cents(after, usd[event["customer"][cut]]))
    return {
        "signed_not_live": {"customers": early.tolist(), "cents": int(early_cents.sum())},
        "credits_missed": {"customers": event["customer"][cut].tolist(), "cents": int(missed.sum())},
    }
