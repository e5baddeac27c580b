"""What happens after the sale: handoffs, use, health, tickets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revops_helpers.sample import world as w
from revops_helpers.sample.billing import Lines
from revops_helpers.sample.deals import Deals
from revops_helpers.sample.people import Accounts, People, assign
from revops_helpers.sample.plan import Core

ITEMS = len(w.CHECKLIST)
COMPLETE_FROM = 6  # a handoff with fewer of the eight items is incomplete
DAY = 86400


def simulate_onboardings(streams: w.Streams, core: Core, accounts: Accounts, deals: Deals, people: People) -> pd.DataFrame:
    """One handoff per won deal that billing started; incomplete ones are accepted and give value later."""
    rng, customer, deal = streams("onboardings"), core.book.customer, core.funnel.deal
    who = np.flatnonzero(customer["deal"] >= 0)
    sold = customer["deal"][who]
    n, poor = len(who), customer["incomplete"][who]
    handed = deal["decided"][sold] + rng.integers(2 * 3600, 3 * DAY, n)
    kept = handed <= w.END_SECOND
    accepted = w.after_business_minutes(handed, rng.integers(60, 540 * 3, n) + poor * rng.integers(300, 540 * 4, n))
    live = customer["start"][who] * DAY + w.business_clock(rng, n)
    kickoff = np.minimum(accepted + rng.integers(DAY // 2, 3 * DAY, n), live - 3600)
    accepted = np.minimum(accepted, kickoff - 1800)
    handed = np.minimum(handed, accepted - 1800)
    value = live + rng.integers(4 * DAY, 35 * DAY, n) + poor * rng.integers(3 * DAY, 25 * DAY, n)
    csm = assign(rng, people, "csm", np.clip(w.month_of(handed // DAY), 0, w.MONTHS - 1))
    table = pd.DataFrame(
        {
            "onboarding_id": w.ids("a0C5f", n, 10, w.salesforce_suffix("a0C5f")),
            "opportunity_id": w.pick(deals.table["opportunity_id"], sold),
            "account_id": w.pick(accounts.table["account_id"], who),
            "csm_id": w.pick(people.table["user_id"], csm),
            "handed_off_at": w.times(handed),
            "accepted_at": w.times(accepted, accepted <= w.END_SECOND),
            "items_required": np.full(n, ITEMS),
            "items_done": np.where(poor, rng.integers(2, COMPLETE_FROM, n), rng.integers(COMPLETE_FROM, ITEMS + 1, n)),
            "promised_live_on": w.days(deal["decided_on"][sold] + np.where(rng.random(n) < 0.5, 14, 21)),
            "kickoff_at": w.times(kickoff, kickoff <= w.END_SECOND),
            "live_at": w.times(live, live <= w.END_SECOND),
            "first_value_at": w.times(value, value <= w.END_SECOND),
        }
    )
    return table[kept].reset_index(drop=True)


def seats_by_month(core: Core, subscriptions: pd.DataFrame, lines: Lines) -> np.ndarray:
    """customers × months: seats paid at month end."""
    seats = np.zeros((len(core.book.customer["start"]), w.MONTHS), dtype=np.int32)
    ends = w.MONTH_STARTS[1 : w.MONTHS + 1] - 1
    first, last = np.searchsorted(ends, lines.start), np.searchsorted(ends, np.minimum(lines.end, w.LAST_DAY + 1))
    row, place = w.spread(np.maximum(last - first, 0))
    seats[lines.customer[row], first[row] + place] = subscriptions["seats"].to_numpy()[row]
    return seats


def simulate_usage(streams: w.Streams, core: Core, accounts: Accounts, seats: np.ndarray) -> pd.DataFrame:
    """Active users, sessions and key events of every live customer and week of the last 24 months."""
    rng, customer = streams("usage"), core.book.customer
    monday = np.arange(w.RECENT_DAY + (3 - w.RECENT_DAY) % 7, w.LAST_DAY - 5, 7)
    month = w.month_of(monday)
    there = core.book.alive[:, month] & (customer["start"][:, None] <= monday)
    row, week = np.nonzero(there)
    share = np.where(customer["tight"][row], 0.93, 0.70) * np.where(core.book.low[row, month[week]], 0.45, 1.0)
    paid = np.maximum(seats[row, month[week]], 1)
    active = np.clip(np.round(paid * share * (0.85 + 0.3 * rng.random(len(row)))), 0, paid).astype(np.int64)
    sessions = active * rng.integers(2, 6, len(row))
    return pd.DataFrame(
        {
            "account_id": w.pick(accounts.table["account_id"], row),
            "week": w.days(monday[week]),
            "active_users": active,
            "seats": paid.astype(np.int64),
            "sessions": sessions,
            "key_events": sessions * rng.integers(0, 4, len(row)),
        }
    )


def simulate_health(streams: w.Streams, core: Core, accounts: Accounts) -> pd.DataFrame:
    """A score per live customer on the first of each of the last 24 months, from the usage of the month before."""
    rng = streams("health")
    row, month = np.nonzero(core.book.alive[:, w.RECENT_MONTH - 1 : w.MONTHS - 1])
    month += w.RECENT_MONTH
    n = len(row)
    low = core.book.low[row, month - 1]
    score = np.clip(np.round(74 - 26 * low + 9 * w.bell(rng, n)), 0, 100)
    band = np.where(score >= 70, 0, np.where(score >= 50, 1, 2))
    nps = np.where(rng.random(n) < 0.15, np.clip(np.round(score / 10 + rng.integers(-2, 3, n)), 0, 10), np.nan)
    mood = np.where(rng.random(n) < 0.7, band, rng.integers(0, 3, n))
    return pd.DataFrame(
        {
            "account_id": w.pick(accounts.table["account_id"], row),
            "scored_on": w.days(w.MONTH_STARTS[month]),
            "score": score,
            "band": w.label(("green", "yellow", "red"), band),
            "nps": nps,
            "csm_sentiment": w.label(("confiante", "neutro", "preocupado"), mood),
        }
    )


def simulate_tickets(streams: w.Streams, core: Core, accounts: Accounts) -> pd.DataFrame:
    """Support tickets of the last 24 months; low usage and incomplete handoffs bring more."""
    rng = streams("tickets")
    alive = core.book.alive[:, w.RECENT_MONTH :]
    rate = 0.35 + 0.25 * core.book.customer["incomplete"][:, None] + 0.2 * core.book.low[:, w.RECENT_MONTH :]
    row, month = np.nonzero(alive & (rng.random(alive.shape) < rate))
    month += w.RECENT_MONTH
    n = len(row)
    opened = w.next_workday(w.MONTH_STARTS[month] + rng.integers(0, 25, n)) * DAY + w.business_clock(rng, n)
    priority = w.choose(rng, np.array([0.12, 0.58, 0.30]), n)
    closed = w.after_business_minutes(opened, rng.integers(30, np.array([600, 2400, 5400])[priority]))
    keep = opened <= w.END_SECOND
    known = closed <= w.END_SECOND
    csat = np.where(known & (rng.random(n) < 0.4), rng.integers(2, 6, n), np.nan)
    table = pd.DataFrame(
        {
            "ticket_id": w.salesforce_ids("500", n),
            "account_id": w.pick(accounts.table["account_id"], row),
            "opened_at": w.times(opened),
            "closed_at": w.times(closed, known),
            "priority": w.label(("alta", "média", "baixa"), priority),
            "csat": csat,
        }
    )
    return table[keep].reset_index(drop=True)
