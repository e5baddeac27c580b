"""Leads, their history, and the marketing touches around them, for the last 24 months."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from revops_helpers.sample import names
from revops_helpers.sample import world as w
from revops_helpers.sample.funnel import CHANNELS
from revops_helpers.sample.people import Accounts, People, assign, campaign_of
from revops_helpers.sample.plan import Core

STATUSES = ("novo", "MQL", "SAL", "SQL", "convertido", "rejeitado")
REASONS = ("sem orçamento", "sem perfil", "sem resposta", "concorrente")
TOUCH_CHANNELS = (*CHANNELS, "website", "paid_search", "partner", "outbound")
TOUCH_KINDS = ("email_open", "webinar", "page", "ad_click", "event", "form", "ad_click", "referral", "call")
SOURCE_TOUCH = {"website": 5, "webinar": 1, "paid_search": 6, "paid_social": 3, "partner": 7, "outbound": 8, "event": 4}
TOUCHES_BEFORE = {"email": 4, "webinar": 1, "content": 3, "paid_social": 4, "event": 1}  # at most, of those reached
REPEATED_LEADS = 0.012  # share of leads that are there a second time
MINUTE, DAY = 60, 86400


def journey(streams: w.Streams, core: Core) -> dict[str, np.ndarray]:
    """Seconds of every step of every lead; -1 where it never happened (by the end of the data)."""
    rng, lead = streams("journey"), core.funnel.lead
    n = len(lead["created"])
    mql = lead["created"] + rng.integers(0, 25, n) * MINUTE
    contact = np.where(lead["reached"] & (lead["contact"] <= w.END_SECOND), lead["contact"], -1)
    worked = contact >= 0
    accepted = worked & (lead["converted"] | (rng.random(n) < w.logistic(0.4 + 0.5 * lead["heat"])))
    qualified = accepted & (lead["converted"] | (rng.random(n) < 0.45))
    gap = np.maximum(lead["converts"] - lead["contact"], 0)
    sal = contact + (gap * (0.1 + 0.2 * rng.random(n))).astype(np.int64)
    sql = contact + (gap * (0.6 + 0.3 * rng.random(n))).astype(np.int64)
    rejected = contact + rng.integers(1, 12, n) * DAY
    steps = {
        "assigned": lead["created"] + rng.integers(1, 30, n) * MINUTE,
        "mql": np.where((rng.random(n) < w.logistic(1.4 + 0.9 * lead["heat"])) | accepted, mql, -1),
        "contact": contact,
        "sal": np.where(accepted, sal, -1),
        "sql": np.where(qualified, sql, -1),
        "converts": np.where(lead["converted"], lead["converts"], -1),
        "rejected": np.where(worked & ~qualified & (rng.random(n) < 0.7), rejected, -1),
    }
    return {name: np.where(at <= w.END_SECOND, at, -1) for name, at in steps.items()}


@dataclass
class Leads:
    """leads as a canonical table; per lead: its owner's row, the seconds of its steps, and which lead it copies (-1: none)."""

    table: pd.DataFrame
    owner: np.ndarray
    step: dict[str, np.ndarray]
    copy_of: np.ndarray


def simulate_leads(streams: w.Streams, core: Core, people: People, accounts: Accounts, deal_ids: pd.Series) -> Leads:
    """Every lead since October 2024. Some of those that went nowhere are people who had been there before."""
    rng, lead, deal = streams("lead table"), core.funnel.lead, core.funnel.deal
    step = journey(streams, core)
    n = len(lead["created"])
    owner = assign(rng, people, "sdr", lead["month"])
    of_lead = np.full(n, -1)
    of_lead[deal["lead"][deal["lead"] >= 0]] = np.flatnonzero(deal["lead"] >= 0)
    account = np.where(of_lead >= 0, accounts.of_deal[of_lead], -1)
    name, local = names.persons(rng, n)
    company, domain = names.companies(w.choose(rng, w.INDUSTRY_SHARES, n), n, first=500_000)
    matched = account >= 0
    company = company.mask(matched, w.pick(accounts.table["name"], account))
    domain = domain.mask(matched, w.pick(accounts.table["domain"], account))
    campaign = campaign_of(lead["source"], lead["month"])
    table = pd.DataFrame(
        {
            "lead_id": w.salesforce_ids("00Q", n),
            "name": name,
            "email": w.join(local, "@", domain),
            "phone": names.phones(rng, n),
            "company": company,
            "title": w.label(names.TITLES, rng.integers(0, len(names.TITLES), n)),
            "country": w.label(("BR", "US"), (rng.random(n) < 0.06).astype(np.int64)),
            "source": w.label(w.SOURCES, lead["source"]),
            "campaign_id": w.pick(w.salesforce_ids("701", 48), campaign),
            "owner_id": w.pick(people.table["user_id"], owner),
            "score": 50 + 20 * lead["heat"],
            "created_at": w.times(lead["created"]),
            **{f"{s}_at": w.times(step[s], step[s] >= 0) for s in ("assigned", "mql", "sal", "sql", "rejected")},
            "rejected_reason": w.label(REASONS, np.where(step["rejected"] >= 0, rng.integers(0, 4, n), -1)),
            "first_contact_at": w.times(step["contact"], step["contact"] >= 0),
            "account_id": w.pick(accounts.table["account_id"], account),
            "opportunity_id": w.pick(deal_ids, of_lead),
        }
    )
    return Leads(table, owner, step, _repeat(streams("repeated leads"), table, of_lead < 0))


def _repeat(rng: np.random.Generator, table: pd.DataFrame, free: np.ndarray) -> np.ndarray:
    """Make copies in place: the same person a second time, half of them with the same e-mail, half with a private one."""
    pool = np.flatnonzero(free)
    pool = np.sort(pool[np.argsort(rng.random(len(pool)), kind="stable")[: 2 * round(REPEATED_LEADS * len(free))]])
    first, again = pool[::2][: len(pool) // 2], pool[1::2]
    for column in ("name", "company", "title"):
        table[column] = _copied(table[column], first, again)
    same = np.arange(len(again)) % 2 == 0
    mail = _copied(table["email"], first[same], again[same])
    private = w.join(mail.str.split("@").str[0], "@correio.example")
    table["email"] = _copied(mail, first[~same], again[~same], private)
    copy_of = np.full(len(table), -1)
    copy_of[again] = first
    return copy_of


def _copied(values: pd.Series, source: np.ndarray, target: np.ndarray, taken: pd.Series | None = None) -> pd.Series:
    index = np.arange(len(values))
    index[target] = source
    if taken is None:
        return w.pick(values, index)
    return values.mask(np.isin(np.arange(len(values)), target), w.pick(taken, index))


def lead_history(core: Core, leads: Leads) -> pd.DataFrame:
    """lead_history as a canonical table: one row per status that a lead took on, oldest first per lead."""
    lead, step, table = core.funnel.lead, leads.step, leads.table
    order = ("created", "mql", "sal", "sql", "converts", "rejected")
    at = np.stack([lead["created"] if s == "created" else step[s] for s in order], axis=1)
    # A lead whose creation and qualification share a second keeps the later status.
    at[:, 0] = np.where(at[:, 1] == at[:, 0], at[:, 0] - 1, at[:, 0])
    row, status = np.nonzero(at >= 0)
    when = at[row, status]
    sort = np.lexsort((status, when, row))
    row, status, when = row[sort], status[sort], when[sort]
    return pd.DataFrame(
        {
            "lead_id": w.pick(table["lead_id"], row),
            "changed_at": w.times(when),
            "status": w.label(STATUSES, status),
            "owner_id": w.pick(table["owner_id"], row),
            "score": table["score"].to_numpy()[row],
        }
    )


def simulate_touches(streams: w.Streams, core: Core, leads: pd.DataFrame) -> pd.DataFrame:
    """touches: the one that brought the lead, what it had seen in the thirty days before, and mail sent to it afterwards."""
    rng, lead = streams("touches"), core.funnel.lead
    n = len(lead["created"])
    source = np.array([SOURCE_TOUCH[name] for name in w.SOURCES])[lead["source"]]
    rows, channels, moments = [np.arange(n)], [source], [lead["created"]]
    for code, channel in enumerate(CHANNELS):
        count = np.where(lead[f"saw_{channel}"], rng.integers(1, TOUCHES_BEFORE[channel] + 1, n), 0)
        row = np.repeat(np.arange(n), count)
        rows.append(row)
        channels.append(np.full(len(row), code))
        moments.append(lead["created"][row] - rng.integers(MINUTE, 30 * DAY, len(row)))
    row = np.repeat(np.arange(n), rng.integers(0, 9, n))
    rows.append(row)
    channels.append(np.zeros(len(row), dtype=np.int64))
    moments.append(lead["created"][row] + rng.integers(DAY, 45 * DAY, len(row)))
    return _touch_table(np.concatenate(rows), np.concatenate(channels), np.concatenate(moments), leads)


def _touch_table(row: np.ndarray, channel: np.ndarray, at: np.ndarray, leads: pd.DataFrame) -> pd.DataFrame:
    keep = (at >= w.RECENT_DAY * DAY) & (at <= w.END_SECOND)
    row, channel, at = row[keep], channel[keep], at[keep]
    order = np.argsort(at, kind="stable")
    row, channel, at = row[order], channel[order], at[order]
    quarter = (w.month_of(at // DAY) - w.RECENT_MONTH) // 3
    campaign_channel = np.array([5, 1, 0, 3, 4, 0, 2, -1, -1])[channel]
    campaign = np.where(campaign_channel >= 0, campaign_channel * 8 + quarter, -1)
    return pd.DataFrame(
        {
            "touch_id": w.ids("T", len(row), 9),
            "lead_id": w.pick(leads["lead_id"], row),
            "account_id": w.pick(leads["account_id"], row),
            "campaign_id": w.pick(w.salesforce_ids("701", 48), campaign),
            "channel": w.label(TOUCH_CHANNELS, channel),
            "kind": pd.Series(pd.Categorical.from_codes(_kind_codes(channel), _KINDS)),
            "occurred_at": w.times(at),
        }
    )


_KINDS = list(dict.fromkeys(TOUCH_KINDS))


def _kind_codes(channel: np.ndarray) -> np.ndarray:
    return np.array([_KINDS.index(kind) for kind in TOUCH_KINDS])[channel]
