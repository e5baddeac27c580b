"""Money spent and promised: spend, quotas, compensation, targets, forecasts, and the CAC that three teams report."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revops_helpers.sample import world as w
from revops_helpers.sample.billing import Lines, mrr_at_month_ends
from revops_helpers.sample.book import EXPAND_BEFORE, NEW
from revops_helpers.sample.deals import Deals
from revops_helpers.sample.funnel import SIZE_OF_YEAR, leads_per_month
from revops_helpers.sample.people import OVER_PROMISER, RAMP, SANDBAGGER, People
from revops_helpers.sample.plan import CHAIN, SHARES, Core, monthly_leads, net_new_arr

# Spend as shares of the month's MRR: function, category, channel, share.
BUDGET = (
    ("marketing", "people", None, 0.050),
    ("marketing", "program", "paid_search", 0.030),
    ("marketing", "program", "paid_social", 0.024),
    ("marketing", "program", "event", 0.022),
    ("marketing", "program", "webinar", 0.007),
    ("marketing", "program", "content", 0.009),
    ("marketing", "program", "email", 0.003),
    ("marketing", "tools", None, 0.008),
    ("marketing", "overhead", None, 0.006),
    ("sales", "people", None, 0.130),
    ("sales", "tools", None, 0.012),
    ("sales", "overhead", None, 0.014),
    ("customer_success", "people", None, 0.060),
    ("customer_success", "tools", None, 0.005),
    ("customer_success", "overhead", None, 0.006),
)
COMMISSION = 0.08
CLAIM_WORDS = {
    "marketing": "mídia e programas do trimestre ÷ contratos novos assinados",
    "sales": "custo de vendas do trimestre ÷ todos os contratos ganhos, com expansões",
    "finance": "todo o custo comercial, com sucesso do cliente ÷ clientes novos ativos no trimestre",
}
FORECAST_BIAS = {SANDBAGGER: 0.65, OVER_PROMISER: 1.50}
FORECAST_NOISE = 0.12
QUOTA_OVER_PLAN = 1.2

# Plan of the metrics that are not drivers, the same every month.
OTHER_TARGETS = {
    "nrr": 1.12,
    "grr": 0.91,
    "logo_churn": 0.08,
    "contacted_within_sla": 0.30,
    "time_to_first_contact_at_work": 180,
    "pipeline_coverage": 3.5,
    "cycle_days": 40,
    "cac": 42_000,
    "ltv_cac": 2.5,
    "cac_payback": 22,
    "magic_number_seed": 0.9,
    "rule_of_40": 0.40,
}


def simulate_spend(streams: w.Streams, core: Core, deals: Deals, lines: Lines) -> pd.DataFrame:
    """Spend per month, function, category and channel; commissions follow the ARR won."""
    rng, mrr = streams("spend"), mrr_at_month_ends(core, lines)
    kinds, n = len(BUDGET), w.MONTHS
    share = np.array([row[3] for row in BUDGET])
    amount = np.round(mrr[:, None] * share * (0.94 + 0.12 * rng.random((n, kinds))) / 100).astype(np.int64) * 100
    month = np.repeat(np.arange(n), kinds)
    table = pd.DataFrame(
        {
            "month": w.days(w.MONTH_STARTS[month]),
            "function": [BUDGET[k][0] for k in range(kinds)] * n,
            "category": [BUDGET[k][1] for k in range(kinds)] * n,
            "channel": [BUDGET[k][2] for k in range(kinds)] * n,
            "campaign_id": None,
            "amount": amount.ravel(),
            "currency": "BRL",
        }
    )
    won = deals.won
    paid = np.bincount(w.month_of(deals.closed[won] // 86400), weights=deals.amount_brl[won], minlength=n)[:n]
    commission = pd.DataFrame(
        {
            "month": w.days(w.MONTH_STARTS[:n]),
            "function": "sales",
            "category": "commission",
            "channel": None,
            "campaign_id": None,
            "amount": np.round(paid * COMMISSION).astype(np.int64),
            "currency": "BRL",
        }
    )
    table = pd.concat([table, commission], ignore_index=True)
    return table.sort_values(["month", "function", "category", "channel"], kind="stable").reset_index(drop=True)


def simulate_quotas(core: Core, people: People, scale: float) -> pd.DataFrame:
    """One quota of new ARR per seller and quarter, smaller while a new seller ramps up; people's quotas add up to 1.2 × plan."""
    rows, quarters, weights = [], [], []
    for quarter in range(w.MONTHS // 3):
        there = people.active("seller", quarter * 3)
        tenure = np.where(people.hired[there] < 0, 12, quarter * 3 - w.month_of(np.maximum(people.hired[there], 0)))
        weights.append(RAMP[np.minimum(tenure + 1, len(RAMP) - 1)])
        rows.append(there)
        quarters.append(np.full(len(there), quarter))
    row, quarter, weight = np.concatenate(rows), np.concatenate(quarters), np.concatenate(weights)
    plan = _planned_new_arr(core, scale)
    total = np.bincount(quarter, weights=weight)
    amount = np.round(plan[quarter] * QUOTA_OVER_PLAN * weight / total[quarter] / 100_000).astype(np.int64) * 100_000
    return pd.DataFrame(
        {
            "user_id": w.pick(people.table["user_id"], row),
            "period_start": w.days(w.MONTH_STARTS[quarter * 3]),
            "period_end": w.days(w.MONTH_STARTS[quarter * 3 + 3] - 1),
            "amount": amount,
            "kind": "new_arr",
        }
    )


def _planned_new_arr(core: Core, scale: float) -> np.ndarray:
    """New ARR planned per quarter, cents: the plan of 2026 in 2026, and in proportion to the leads before."""
    leads = leads_per_month(scale)
    new = float(np.prod([core.plan[name] for name in CHAIN])) / core.plan["leads"]
    growth = np.array([SIZE_OF_YEAR[y] for y in w.MONTH_YEAR[: w.MONTHS]])
    return (leads * growth * new).reshape(-1, 3).sum(axis=1)


def simulate_targets(core: Core, lines: Lines, scale: float) -> pd.DataFrame:
    """Monthly plan of 2025 and 2026: net new ARR, every driver of the gap, and the scorecard's other metrics."""
    drivers = {name: core.plan[name] for name in CHAIN if name != "leads"}
    drivers |= {name: round(core.plan[name] / 9, 6) for name in SHARES}
    slower = round(drivers["expansion"] * EXPAND_BEFORE / core.book.rates["expansion_hazard"], 6)
    before = {"deal_size": 100.0 * round(drivers["deal_size"] * SIZE_OF_YEAR[2025] / 100), "expansion": slower}
    leads, opening = monthly_leads(scale), 12 * int(mrr_at_month_ends(core, lines)[w.YEAR_MONTH - 13])
    return pd.concat(
        [
            _year_of_plan(w.YEAR_MONTH - 12, np.round(leads * 0.9), drivers | before, opening),
            _year_of_plan(w.YEAR_MONTH, leads, drivers, core.book.opening_arr),
        ],
        ignore_index=True,
    )


def _year_of_plan(month: int, leads: np.ndarray, drivers: dict[str, float], opening_arr: int) -> pd.DataFrame:
    """Twelve months from `month` on. Ratios are the same every month, so that the months' products add up to the year's."""
    monthly = [{**drivers, "leads": float(number)} for number in leads]
    values = {name: np.full(12, value, dtype=float) for name, value in (drivers | OTHER_TARGETS).items()}
    values |= {"leads": leads.astype(float), "deal_size": np.full(12, drivers["deal_size"] / 100)}
    values["net_new_arr"] = np.array([net_new_arr(d, opening_arr) / 100 for d in monthly]).round(2)
    values["new_arr"] = np.array([np.prod([d[name] for name in CHAIN]) / 100 for d in monthly]).round(2)
    start = w.MONTH_STARTS[month : month + 13]
    days = {"period_start": w.days(start[:12]), "period_end": w.days(start[1:] - 1)}
    frames = [pd.DataFrame({**days, "metric": name, "segment": None, "value": series}) for name, series in values.items()]
    return pd.concat(frames, ignore_index=True)


def simulate_forecasts(streams: w.Streams, people: People, deals: Deals) -> pd.DataFrame:
    """Each seller's forecast of the quarter, at its start and in the middle of its second month, for the last eight quarters.

    What they commit is what came of it, times their bias and noise: one sandbags, one over-promises, the others do neither.
    """
    rng = streams("forecasts")
    won = np.flatnonzero(deals.won & (deals.table["kind"] == "new").to_numpy())
    outcome = np.zeros((len(people.table), w.MONTHS // 3), dtype=np.int64)
    np.add.at(outcome, (deals.owner[won], w.month_of(deals.closed[won] // 86400) // 3), deals.amount_brl[won])
    frames = []
    for quarter in range(w.RECENT_MONTH // 3, w.MONTHS // 3):
        there = people.active("seller", quarter * 3)
        bias = np.array([FORECAST_BIAS.get(int(person), 1.0) for person in there])
        typical = max(float(np.median(outcome[there, quarter])), 1.0)
        for day in (w.MONTH_STARTS[quarter * 3] + 4, w.MONTH_STARTS[quarter * 3 + 1] + 14):
            noise = 1 + FORECAST_NOISE * w.bell(rng, len(there))
            commit = np.maximum(outcome[there, quarter] * bias * noise, 0)
            best, pipeline = (
                commit + typical * (0.1 + 0.3 * rng.random(len(there))),
                commit + typical * (0.8 + rng.random(len(there))),
            )
            for category, amount in (("commit", commit), ("best", best), ("pipeline", pipeline)):
                columns = {"submitted_on": w.days(np.full(len(there), day)), "user_id": w.pick(people.table["user_id"], there)}
                columns |= {"period_start": w.days(np.full(len(there), w.MONTH_STARTS[quarter * 3])), "category": category}
                frames.append(pd.DataFrame({**columns, "amount": np.round(amount / 100).astype(np.int64) * 100}))
    return pd.concat(frames, ignore_index=True)


def comp_plans() -> pd.DataFrame:
    """One plan: the same rate in each tier, times an accelerator from 80 % and from 100 % of the quota."""
    tiers = ((0.0, 1.0), (0.8, 1.1), (1.0, 1.5))
    bases = (("seller", COMMISSION), ("csm", 0.04), ("sdr", 0.01))
    rows = [("PLANO-2026", role, tier, base, accelerator) for role, base in bases for tier, accelerator in tiers]
    return pd.DataFrame(rows, columns=["plan_id", "role", "from_attainment", "rate", "accelerator"])


def simulate_claims(core: Core, spend: pd.DataFrame, deals: Deals) -> tuple[pd.DataFrame, dict]:
    """CAC of the third quarter of 2026 as marketing, sales and finance report it, and what makes each of them of the canonical.

    Canonical: marketing and sales in full, of the lag from lead to win before, ÷ customers that went live.
    """
    lag = _lag_months(core, deals)
    now, before = (_cost(spend, w.MONTHS - 3 - months) for months in (0, lag))
    event, new = core.book.event, (deals.table["kind"] == "new").to_numpy()
    won = deals.won & (w.month_of(np.maximum(deals.closed, 0) // 86400) >= w.MONTHS - 3)
    live = int(((event["kind"] == NEW) & (event["month"] >= w.MONTHS - 3)).sum())
    signed, all_won = int((won & new).sum()), int(won.sum())
    no_lag = ["lag: same quarter"] if lag else []
    claims = {
        "marketing": (now["marketing", "program"], signed, ["scope: marketing programmes", *no_lag, "customers: signed"]),
        "sales": (now["sales"].sum(), all_won, ["scope: sales", *no_lag, "customers: signed, with expansions"]),
        "finance": (now.sum(), live, ["scope: with customer success", *no_lag]),
    }
    facts = {team: {"cents": int(cents), "customers": n, "switches": how} for team, (cents, n, how) in claims.items()}
    facts["canonical"] = {"cents": int(before[["marketing", "sales"]].sum()), "customers": live, "switches": []}
    start = w.days(w.MONTH_STARTS[[w.MONTHS - 3]])[0]
    costs = {t: facts[t]["cents"] / facts[t]["customers"] / 100 for t in claims if facts[t]["customers"]}  # else no cost to claim
    rows = [(t, "cac", start, round(cost, 2), CLAIM_WORDS[t]) for t, cost in costs.items()]
    return pd.DataFrame(rows, columns=["team", "metric", "period_start", "value", "definition"]), facts


def _lag_months(core: Core, deals: Deals) -> int:
    """Months, in whole quarters, from lead to win of the new business of the last twelve months; a quarter where fewer than 20
    tell."""
    lead = core.funnel.deal["lead"]
    closed = deals.closed[: len(lead)] // 86400
    won = deals.won[: len(lead)] & (lead >= 0) & (w.month_of(np.maximum(closed, 0)) >= w.MONTHS - 12)
    days = closed[won] - core.funnel.lead["created"][lead[won]] // 86400
    return 3 * int(np.median(days) / (365.25 / 4) + 0.5) if len(days) >= 20 else 3


def _cost(spend: pd.DataFrame, first_month: int) -> pd.Series:
    """Cents by function and category over the three months from first_month on."""
    months = w.days(w.MONTH_STARTS[first_month : first_month + 3])
    return spend[spend["month"].isin(months)].groupby(["function", "category"])["amount"].sum()
