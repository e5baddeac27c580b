"""What was planted in the sample company, for tests and for nothing else."""

from __future__ import annotations

import numpy as np

from revops_helpers.methods.decomposition import shapley
from revops_helpers.sample import book, deals, funnel, office, operations, people, plan, service
from revops_helpers.sample import world as w
from revops_helpers.sample.simulation import World


def truth_of(world: World) -> dict:
    """Everything planted, with its parameters and counts, as plain numbers and texts (money in cents)."""
    return {
        "seed": world.seed,
        "scale": world.scale,
        "sub_seed": world.core.sub_seed,
        **_gap(world.core),
        "response": _response(world.core),
        "bottleneck": {
            "stage": w.STAGES[deals.BOTTLENECK],
            "shares": dict(zip(w.STAGES, deals.STAGE_SHARES.tolist(), strict=False)),
        },
        "null_channel": {"channel": funnel.NULL_CHANNEL, "effects": funnel.CHANNEL_ON_CONVERSION, "unit": "logit"},
        "handoffs": {
            "complete_from": service.COMPLETE_FROM,
            "incomplete_share": book.INCOMPLETE_SHARE,
            "hazard_ratio": book.INCOMPLETE_ON_CHURN,
        },
        "hazards": _hazards(world.core),
        "duplicates": _duplicates(world),
        "stack": _stack(world),
        "ramp": people.RAMP.tolist(),
        "forecast_bias": {world.people.table["user_id"].iloc[row]: bias for row, bias in operations.FORECAST_BIAS.items()},
        "sla_change": {
            "starts_on": str(w.days(w.MONTH_STARTS[[funnel.SLA_MONTH]])[0].date()),
            "source": funnel.SLA_SOURCE,
            "ratio_of_medians": float(np.exp(funnel.SLA_ON_RESPONSE)),
        },
        "claims": world.claims[1],
        "finance_difference": world.finance[1],
        "deals_and_billing": _deals_and_billing(world),
        "indexation": {str(year): rate for year, rate in book.IPCA.items()},
    }


def _gap(core: plan.Core) -> dict:
    opening = core.book.opening_arr
    planted = round(plan.net_new_arr(core.actual, opening))
    effects = shapley(core.plan, core.actual, lambda **drivers: plan.net_new_arr(drivers, opening))
    names = (*plan.CHAIN, *plan.SHARES)
    return {
        "drivers": {name: {"plan": core.plan[name], "actual": core.actual[name]} for name in names},
        "effects": {name: float(effects[name]) for name in names},
        "gap": {
            "opening_arr": opening,
            "plan": core.plan_arr,
            "planted": planted,
            "planted_share": 1 - planted / core.plan_arr,
            "realised": core.realised_arr,
            "realised_share": core.gap,
        },
    }


def _response(core: plan.Core) -> dict:
    return {
        "fast_minutes": funnel.FAST_MINUTES,
        "logit": {"fast": funnel.FAST_ON_CONVERSION, "heat": funnel.HEAT_ON_CONVERSION, **funnel.CHANNEL_ON_CONVERSION},
        "heat": "(score - 50) / 20",
        "intercepts": {"to 2025": float(core.funnel.lead["intercept"][0]), "2026": float(core.funnel.lead["intercept"][1])},
        "never_contacted": float(1 - core.funnel.lead["reached"].mean()),
    }


def _hazards(core: plan.Core) -> dict:
    return {
        "monthly_churn": {"to 2025": book.CHURN_BEFORE, "2026": core.book.rates["churn_hazard"]},
        "monthly_expansion": {"to 2025": book.EXPAND_BEFORE, "2026": core.book.rates["expansion_hazard"]},
        "churn_ratio": {"low usage": book.LOW_USAGE_ON_CHURN, "incomplete handoff": book.INCOMPLETE_ON_CHURN},
        "expansion_ratio": {"low usage": book.LOW_USAGE_ON_EXPANSION, "seats nearly full": book.TIGHT_ON_EXPANSION},
        "no_churn_before_month": book.TERM + 1,
        "expansion_size": book.EXPANSION_SIZE,
    }


def _duplicates(world: World) -> dict:
    copies = world.leads.copy_of
    again = np.flatnonzero(copies >= 0)
    mail = world.leads.table["email"].to_numpy()
    same = mail[again] == mail[copies[again]]
    return {
        "accounts": {way: [list(pair) for pair in pairs] for way, pairs in world.accounts.copies.items()},
        "leads": {"email": int(same.sum()), "name": int((~same).sum())},
    }


def _stack(world: World) -> dict:
    tools = world.tools["tools"]
    ids = tools["tool_id"].tolist()
    return {
        "redundant_pair": [ids[k] for k in office.REDUNDANT_PAIR],
        "unused": ids[office.UNUSED],
        "unused_seats": {
            t: int(paid - used) for t, paid, used in zip(ids, tools["seats_paid"], tools["seats_active"], strict=True)
        },
        "failing_integration": world.tools["integrations"]["integration_id"].iloc[office.FAILING],
        "failure_rate": office.INTEGRATIONS[office.FAILING][5],
    }


def _deals_and_billing(world: World) -> dict:
    deal, customer = world.core.funnel.deal, world.core.book.customer
    unbilled = np.flatnonzero(deal["won"] & ~deal["billed"])
    unsold = np.flatnonzero((customer["deal"] < 0) & (customer["start"] >= 0))
    ids = world.deals.table["opportunity_id"]
    year = deal["decided_on"][unbilled] >= w.YEAR_DAY
    late = customer["start"][unsold] >= w.YEAR_DAY
    return {
        "won_never_billed": len(unbilled),
        "won_never_billed_this_year": ids.iloc[unbilled[year]].tolist(),
        "billed_without_deal": len(unsold),
        "billed_without_deal_this_year": world.accounts.table["account_id"].iloc[unsold[late]].tolist(),
    }
