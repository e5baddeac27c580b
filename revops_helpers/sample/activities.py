"""What people did in the last 24 months: calls to leads, work on deals, customer meetings, internal work."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revops_helpers.sample import world as w
from revops_helpers.sample.deals import Deals
from revops_helpers.sample.demand import Leads
from revops_helpers.sample.people import People, assign
from revops_helpers.sample.plan import Core

DAY = 86400
MEETING = 2


def simulate_activities(streams: w.Streams, core: Core, people: People, deals: Deals, leads: Leads) -> pd.DataFrame:
    """activities as a canonical table, oldest first."""
    rng = streams("activities")
    parts = [_to_leads(rng, core, leads), _on_deals(rng, deals), _with_customers(rng, core, people), _internal(rng, people)]
    at = np.concatenate([part["at"] for part in parts])
    keep = np.flatnonzero((at >= w.RECENT_DAY * DAY) & (at <= w.END_SECOND))
    order = keep[np.argsort(at[keep], kind="stable")]
    a = {"at": at[order]}
    for name in ("user", "kind", "direction", "lead", "deal", "account", "minutes", "automated", "facing"):
        values = [np.broadcast_to(part.pop(name, -1), len(part["at"])).astype(np.int32) for part in parts]
        a[name] = np.concatenate(values)[order]
    prefix = w.label(("00T", "00U"), (a["kind"] == MEETING).astype(np.int64))
    activity_id = w.join(prefix, w.ids("5f0", len(order), 9, w.salesforce_suffix("00T5f0")))
    return pd.DataFrame(
        {
            "activity_id": activity_id,
            "user_id": w.pick(people.table["user_id"], a["user"]),
            "kind": w.label(("call", "email", "meeting", "task"), a["kind"]),
            "direction": w.label(("inbound", "outbound", "internal"), a["direction"]),
            "lead_id": w.pick(leads.table["lead_id"], a["lead"]),
            "opportunity_id": w.pick(deals.table["opportunity_id"], a["deal"]),
            "account_id": w.pick(w.salesforce_ids("001", len(core.book.customer["start"])), a["account"]),
            "occurred_at": w.times(a["at"]),
            "minutes": a["minutes"].astype(float),
            "automated": a["automated"] == 1,
            "customer_facing": a["facing"] == 1,
        }
    )


def _to_leads(rng, core: Core, leads: Leads) -> dict[str, np.ndarray]:
    lead, contact = core.funnel.lead, leads.step["contact"]
    n = len(contact)
    auto = np.flatnonzero(rng.random(n) < 0.6)
    first = np.flatnonzero(contact >= 0)
    again = np.repeat(first, rng.integers(0, 4, len(first)))
    row = np.concatenate([auto, first, again])
    human = np.arange(len(row)) >= len(auto)
    later = np.arange(len(row)) >= len(auto) + len(first)
    at = np.where(human, contact[row], lead["created"][row] + rng.integers(20, 90, len(row)))
    at = np.where(later, at + rng.integers(1, 12, len(row)) * DAY, at)
    call = human & (rng.random(len(row)) < 0.6)
    return {
        "user": leads.owner[row],
        "kind": np.where(call, 0, 1),
        "direction": np.ones(len(row), dtype=np.int64),
        "lead": row,
        "at": at,
        "minutes": np.where(call, rng.integers(3, 25, len(row)), np.where(human, rng.integers(2, 8, len(row)), 0)),
        "automated": (~human).astype(np.int64),
        "facing": human.astype(np.int64),
    }


def _on_deals(rng, deals: Deals) -> dict[str, np.ndarray]:
    end = np.where(deals.closed >= 0, deals.closed, w.END_SECOND)
    recent = np.flatnonzero(end >= w.RECENT_DAY * DAY)
    row = np.repeat(recent, rng.integers(3, 10, len(recent)))
    day = (deals.opened[row] + (end - deals.opened)[row] * rng.random(len(row))).astype(np.int64) // DAY
    meeting = rng.random(len(row)) < 0.4
    return {
        "user": deals.owner[row],
        "kind": np.where(meeting, 2, np.where(rng.random(len(row)) < 0.5, 1, 0)),
        "direction": np.where(rng.random(len(row)) < 0.75, 1, 0),
        "deal": row,
        "at": np.clip(w.next_workday(day) * DAY + w.business_clock(rng, len(row)), deals.opened[row], end[row]),
        "minutes": np.where(meeting, rng.integers(4, 13, len(row)) * 5, rng.integers(3, 20, len(row))),
        "automated": np.zeros(len(row), dtype=np.int64),
        "facing": np.ones(len(row), dtype=np.int64),
    }


def _with_customers(rng, core: Core, people: People) -> dict[str, np.ndarray]:
    alive = core.book.alive[:, w.RECENT_MONTH :]
    row, month = np.nonzero(alive & (rng.random(alive.shape) < 0.30))
    month += w.RECENT_MONTH
    day = w.next_workday(w.MONTH_STARTS[month] + rng.integers(0, 26, len(row)))
    return {
        "user": assign(rng, people, "csm", month),
        "kind": np.full(len(row), 2),
        "direction": np.ones(len(row), dtype=np.int64),
        "account": row,
        "at": day * DAY + w.business_clock(rng, len(row)),
        "minutes": rng.integers(4, 13, len(row)) * 5,
        "automated": np.zeros(len(row), dtype=np.int64),
        "facing": np.ones(len(row), dtype=np.int64),
    }


def _internal(rng, people: People) -> dict[str, np.ndarray]:
    """Meetings and CRM upkeep: about a day and a half of every seller's, SDR's and CSM's week."""
    who = np.concatenate([people.rows[role] for role in ("seller", "sdr", "csm")])
    weeks = np.arange(w.RECENT_DAY + 3, w.LAST_DAY, 7)
    user, day = np.repeat(who, len(weeks) * 3), np.tile(np.repeat(weeks, 3), len(who))
    there = (people.hired[user] <= day) & (people.left[user] > day + 6)
    user, day = user[there], day[there]
    task = rng.random(len(user)) < 0.5
    return {
        "user": user,
        "kind": np.where(task, 3, 2),
        "direction": np.full(len(user), 2),
        "at": w.next_workday(day + rng.integers(0, 5, len(user))) * DAY + w.business_clock(rng, len(user)),
        "minutes": np.where(task, rng.integers(12, 40, len(user)) * 5, rng.integers(6, 25, len(user)) * 5),
        "automated": np.zeros(len(user), dtype=np.int64),
        "facing": np.zeros(len(user), dtype=np.int64),
    }
