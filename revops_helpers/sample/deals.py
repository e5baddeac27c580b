"""Deals with their history: new business from the funnel, expansions from the book."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from revops_helpers.sample import world as w
from revops_helpers.sample.book import EXPANSION, EXPANSION_SIZE
from revops_helpers.sample.people import Accounts, People, assign
from revops_helpers.sample.plan import Core

# Share of a deal's life that each stage takes: Proposta is the bottleneck.
STAGE_SHARES = np.array([0.18, 0.20, 0.44, 0.18])
BOTTLENECK = 2
LOST_AT = np.array([0.30, 0.28, 0.27, 0.15])  # the stage that a lost deal had reached
LOST_REASONS = ("preço", "sem decisão", "concorrente", "sem orçamento", "funcionalidade")
COMPETITORS = ("Ipê Sistemas", "Vertente", "Nimbus ERP")
FORECAST = ("pipeline", "pipeline", "best", "commit", "closed", "omitted")
NEXT_STEPS = ("agendar demonstração", "enviar proposta", "reunião com jurídico", "confirmar orçamento")
EXPANSION_WIN = 0.55
DAY = 86400


@dataclass
class Deals:
    """opportunities as a canonical table, its history as arrays, and what other parts need: seconds, reporting cents, event rows.

    The first rows are the new-business deals of the funnel, in its order; expansions follow.
    """

    table: pd.DataFrame
    history: dict[str, np.ndarray]
    owner: np.ndarray
    opened: np.ndarray
    closed: np.ndarray
    won: np.ndarray
    amount_brl: np.ndarray
    expansion_deal: np.ndarray


def simulate_deals(streams: w.Streams, core: Core, people: People, accounts: Accounts) -> Deals:
    """All deals: new business from the funnel, and the expansions that billing later shows, with those that were lost."""
    rng = streams("deal table")
    new, more = _new(rng, core, people, accounts), _expansions(rng, core, people)
    deal = {name: np.concatenate([new[name], more[name]]) for name in new}
    n = len(deal["opened"])
    ids = w.salesforce_ids("006", n)
    history = _history(rng, deal, people)
    last = np.searchsorted(history["row"], np.arange(n), side="right") - 1
    table = _table(rng, deal, ids, core, people, accounts, {k: v[last] for k, v in history.items()})
    closed = np.where(deal["is_decided"], deal["decided"], -1)
    brl = np.where(deal["usd"], np.round(deal["mrr"] * w.PLAN_USD), deal["mrr"]).astype(np.int64) * 12
    return Deals(table, history, deal["owner"], deal["opened"], closed, deal["won"], brl, more["event"])


def _new(rng, core: Core, people: People, accounts: Accounts) -> dict[str, np.ndarray]:
    deal = core.funnel.deal
    month = np.minimum(w.month_of(deal["decided_on"]), w.MONTHS - 1)
    n = len(month)
    return {
        **{k: deal[k] for k in ("lead", "opened", "decided", "is_decided", "wins", "won", "mrr", "usd", "segment")},
        "account": accounts.of_deal,
        "owner": assign(rng, people, "seller", month, ramp=True),
        "kind": np.zeros(n, dtype=np.int64),
        "event": np.full(n, -1),
    }


def _expansions(rng, core: Core, people: People) -> dict[str, np.ndarray]:
    """A won deal per expansion of billing, and lost and open ones in proportion."""
    event, customer = core.book.event, core.book.customer
    grown = np.flatnonzero(event["kind"] == EXPANSION)
    lost = grown[rng.random(len(grown)) < (1 - EXPANSION_WIN) / EXPANSION_WIN]
    index = np.concatenate([grown, lost])
    won = np.arange(len(index)) < len(grown)
    who = event["customer"][index]
    step = event["mrr"][index] - np.round(event["mrr"][index] / (1 + EXPANSION_SIZE)).astype(np.int64)
    decided_on = np.where(
        won, event["day"][index] - rng.integers(1, 8, len(index)), event["day"][index] + rng.integers(0, 40, len(index))
    )
    decided_on = np.maximum(decided_on, 3)
    opened = np.maximum(decided_on - rng.integers(10, 45, len(index)), 0) * DAY + w.business_clock(rng, len(index))
    shown = opened <= w.END_SECOND
    month = np.clip(w.month_of(decided_on), 0, w.MONTHS - 1)
    deal = {
        "lead": np.full(len(index), -1),
        "opened": opened,
        "decided": np.maximum(decided_on * DAY + w.business_clock(rng, len(index)), opened + 3600),
        "is_decided": decided_on <= w.LAST_DAY,
        "wins": won,
        "won": won & (decided_on <= w.LAST_DAY),
        "mrr": step,
        "usd": customer["usd"][who],
        "segment": customer["segment"][who],
        "account": who,
        "owner": assign(rng, people, "csm", month),
        "kind": np.ones(len(index), dtype=np.int64),
        "event": np.where(won, index, -1),
    }
    return {k: v[shown] for k, v in deal.items()}


def _history(rng, deal: dict[str, np.ndarray], people: People) -> dict[str, np.ndarray]:
    """States of all deals up to the end of the data, sorted by deal and time: row, at, stage, amount, close_on, owner."""
    n = len(deal["opened"])
    reached = np.where(deal["wins"], 3, w.choose(rng, LOST_AT, n))
    weight = STAGE_SHARES * (0.5 + rng.random((n, 4))) * (np.arange(4) <= reached[:, None])
    share = np.cumsum(weight, axis=1) / weight.sum(axis=1)[:, None]
    life = deal["decided"] - deal["opened"]
    enter = deal["opened"][:, None] + (np.concatenate([np.zeros((n, 1)), share[:, :3]], axis=1) * life[:, None]).astype(np.int64)
    pushes = rng.integers(0, 4, n) // 2
    push = deal["opened"] + (life * (0.3 + 0.6 * rng.random(n))).astype(np.int64)
    at = np.concatenate([enter, push[:, None], deal["decided"][:, None]], axis=1)
    there = np.concatenate([np.arange(4) <= reached[:, None], (pushes > 0)[:, None], np.ones((n, 1), dtype=bool)], axis=1)
    there &= at <= np.where(deal["is_decided"], deal["decided"], w.END_SECOND)[:, None]
    at[:, 4] += 1  # never in the same second as a change of stage
    stage = np.tile(np.array([0, 1, 2, 3, 0, 0]), (n, 1))
    stage[:, 4] = ((enter <= push[:, None]) & (np.arange(4) <= reached[:, None])).sum(axis=1) - 1
    stage[:, 5] = np.where(deal["wins"], 4, 5)
    guess = np.round(deal["mrr"] * (0.85 + 0.45 * rng.random(n)) / 100).astype(np.int64) * 100
    amount = 12 * np.where(stage >= BOTTLENECK, deal["mrr"][:, None], guess[:, None])
    typical = np.array([18, 30, 55])[deal["segment"]][:, None]
    rest = (typical * np.array([1.0, 0.8, 0.6, 0.2])[np.minimum(stage, 3)]).astype(np.int64)
    close = at // DAY + rest
    close[:, 4] += 15 * pushes
    close[:, 5] = deal["decided"] // DAY
    row, column = np.nonzero(there)
    order = np.lexsort((column, at[row, column], row))
    row, column = row[order], column[order]
    state = {"at": at[row, column], "stage": stage[row, column], "amount": amount[row, column], "close_on": close[row, column]}
    boss = people.rows["manager"][0]
    owner = np.where(people.hired[deal["owner"][row]] <= state["at"] // DAY, deal["owner"][row], boss)
    return {"row": row, **state, "owner": owner}


def history_table(deals: Deals, people: People) -> pd.DataFrame:
    """opportunity_history as a canonical table: one row per change of stage, close date or outcome, oldest first per deal."""
    history = deals.history
    return pd.DataFrame(
        {
            "opportunity_id": w.pick(deals.table["opportunity_id"], history["row"]),
            "changed_at": w.times(history["at"]),
            "stage": w.label(w.STAGES, history["stage"]),
            "amount": history["amount"],
            "close_date": w.days(history["close_on"]),
            "forecast_category": pd.Series(np.array(FORECAST, dtype=object)[history["stage"]]).astype("category"),
            "owner_id": w.pick(people.table["user_id"], history["owner"]),
        }
    )


def _table(rng, deal: dict, ids: pd.Series, core: Core, people: People, accounts: Accounts, now: dict) -> pd.DataFrame:
    n = len(ids)
    lost = deal["is_decided"] & ~deal["won"]
    lead_ids = w.salesforce_ids("00Q", len(core.funnel.lead["created"]))
    product_led = (deal["segment"] == 0) & (rng.random(n) < 0.25)
    return pd.DataFrame(
        {
            "opportunity_id": ids,
            "account_id": w.pick(accounts.table["account_id"], deal["account"]),
            "owner_id": w.pick(people.table["user_id"], now["owner"]),
            "lead_id": w.pick(lead_ids, deal["lead"]),
            "product": w.label(w.PRODUCTS, w.choose(rng, w.PRODUCT_SHARES, n)),
            "motion": w.label(("sales_led", "product_led"), product_led.astype(np.int64)),
            "kind": w.label(("new", "expansion"), deal["kind"]),
            "next_step": w.label(NEXT_STEPS, np.where(deal["is_decided"], -1, rng.integers(0, 4, n))),
            "amount": now["amount"],
            "currency": w.label(("BRL", "USD"), deal["usd"].astype(np.int64)),
            "created_at": w.times(deal["opened"]),
            "close_date": w.days(now["close_on"]),
            "closed_at": w.times(deal["decided"], deal["is_decided"]),
            "stage": w.label(w.STAGES, now["stage"]),
            "status": w.label(("open", "won", "lost"), np.where(deal["won"], 1, np.where(lost, 2, 0))),
            "forecast_category": pd.Series(np.array(FORECAST, dtype=object)[now["stage"]]).astype("category"),
            "lost_reason": w.label(LOST_REASONS, np.where(lost, rng.integers(0, 5, n), -1)),
            "competitor": w.label(COMPETITORS, np.where(deal["is_decided"] & (rng.random(n) < 0.4), rng.integers(0, 3, n), -1)),
        }
    )
