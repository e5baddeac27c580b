"""What billing and finance know: subscription lines, invoices, the monthly accounts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from revops_helpers.sample import world as w
from revops_helpers.sample.book import CHURN, CONTRACTION, NEW, REASONS, reporting_cents
from revops_helpers.sample.deals import Deals
from revops_helpers.sample.people import Accounts
from revops_helpers.sample.plan import Core

SEAT_PRICE = 9_000  # cents a month
NOT_BOOKED = 2  # contractions of September that finance has not booked yet


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


def simulate_invoices(streams: w.Streams, subscriptions: pd.DataFrame, lines: Lines) -> pd.DataFrame:
    """One invoice per live line and month, issued on the fifth, due fifteen days later; some are paid late, a few never."""
    rng = streams("invoices")
    issue = w.MONTH_STARTS[: w.MONTHS] + 4
    first = np.searchsorted(issue, np.maximum(lines.start, 0))
    last = np.searchsorted(issue, np.minimum(lines.end, w.LAST_DAY + 1))
    row, offset = w.spread(np.maximum(last - first, 0))
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


def simulate_financials(
    streams: w.Streams, core: Core, lines: Lines, subscriptions: pd.DataFrame, expenses: np.ndarray
) -> tuple[pd.DataFrame, dict]:
    """The monthly accounts, and how finance's ARR differs from billing's. expenses: sales and marketing, cents a month.

    Finance counts what is signed and not yet live, and has not booked the last contractions of September.
    """
    mrr = mrr_at_month_ends(core, lines)
    early, waiting = _signed_not_live(core, lines, subscriptions)
    missed, unbooked = _unbooked(core, lines)
    arr = (mrr + early) * 12
    arr[-1] += unbooked
    ids = subscriptions["subscription_id"]
    difference = {
        "signed_not_live": {"subscriptions": ids.iloc[waiting].tolist(), "cents": int(early[-1] * 12)},
        "not_booked": {"subscriptions": ids.iloc[missed].tolist(), "cents": unbooked},
    }
    return _accounts_of(streams("financials"), mrr, arr, expenses), difference


def _accounts_of(rng: np.random.Generator, mrr: np.ndarray, arr: np.ndarray, expenses: np.ndarray) -> pd.DataFrame:
    revenue = (mrr * (1010 + rng.integers(0, 16, w.MONTHS))) // 1000
    gross = revenue * 765 // 1000 + rng.integers(-20_000, 20_000, w.MONTHS) * 100
    ebitda = gross - expenses - revenue * 39 // 100
    flow = ebitda - revenue * 3 // 100
    return pd.DataFrame(
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


def _signed_not_live(core: Core, lines: Lines, subscriptions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """MRR cents signed and not yet live at each month end, and the lines behind the last one."""
    brl = reporting_cents(lines.mrr, core.book.customer["usd"][lines.customer])
    before = np.where(np.concatenate([[False], lines.customer[1:] == lines.customer[:-1]]), np.concatenate([[0], brl[:-1]]), 0)
    signed = (subscriptions["signed_on"].to_numpy() - np.datetime64(w.DAY0)).astype("timedelta64[D]").astype(np.int64)
    ends = w.MONTH_STARTS[1 : w.MONTHS + 1] - 1
    change = np.zeros(w.MONTHS + 1, dtype=np.int64)
    np.add.at(change, np.searchsorted(ends, signed), brl - before)
    np.add.at(change, np.searchsorted(ends, lines.start), before - brl)
    waiting = np.flatnonzero((signed <= w.LAST_DAY) & (lines.start > w.LAST_DAY))
    return np.cumsum(change)[: w.MONTHS], waiting


def _unbooked(core: Core, lines: Lines) -> tuple[np.ndarray, int]:
    """The last contractions, as line rows, and the ARR cents that finance still counts for them."""
    cut = np.flatnonzero((lines.kind == CONTRACTION) & (lines.start > w.MONTH_STARTS[w.MONTHS - 1]) & (lines.start <= w.LAST_DAY))
    cut = cut[np.argsort(lines.start[cut], kind="stable")][-NOT_BOOKED:]
    usd = core.book.customer["usd"][lines.customer[cut]]
    return cut, 12 * int((reporting_cents(lines.mrr[cut - 1], usd) - reporting_cents(lines.mrr[cut], usd)).sum())
