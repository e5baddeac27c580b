"""The whole sample company in canonical shape: every table of the model, and the truth that was planted."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from revops_helpers.sample import billing, deals, demand, office, operations, people, plan, service
from revops_helpers.sample import world as w


@dataclass
class Simulation:
    """tables: canonical name → rows (money in cents, times in UTC). truth: what was planted, for tests only."""

    tables: dict[str, pd.DataFrame]
    truth: dict
    core: plan.Core
    seed: int
    scale: float
    extras: dict = field(default_factory=dict)


def simulate(seed: int = w.SEED, scale: float = 1.0) -> Simulation:
    """Draw the company. scale 1 has about 1,200 live customers and 12,600 leads; everything but the fixed lists grows with it."""
    core = plan.simulate_core(seed, scale)
    streams = w.Streams(seed, core.sub_seed)
    staff = people.simulate_people(streams, scale)
    accounts = people.simulate_accounts(streams, core, staff)
    sold = deals.simulate_deals(streams, core, staff, accounts)
    leads = demand.simulate_leads(streams, core, staff, accounts, sold.table["opportunity_id"])
    campaigns = people.simulate_campaigns(staff)
    lines = billing.lines_of(core)
    subscriptions = billing.simulate_subscriptions(streams, core, accounts, sold, lines)
    seats = service.seats_by_month(core, subscriptions, lines)
    spend = operations.simulate_spend(streams, core, sold, lines)
    costs = spend.groupby("month")["amount"].sum().to_numpy()
    financials, difference = billing.simulate_financials(streams, core, lines, costs)
    claims, claimed = operations.simulate_claims(core, spend, sold)
    tables = {
        "users": staff.table,
        "accounts": accounts.table,
        "leads": leads["leads"],
        "lead_history": leads["lead_history"],
        "campaigns": campaigns,
        "touches": demand.simulate_touches(streams, core, leads["leads"]),
        "opportunities": sold.table,
        "opportunity_history": sold.history,
        "activities": deals.simulate_activities(streams, core, staff, sold, leads),
        "subscriptions": subscriptions,
        "invoices": billing.simulate_invoices(streams, core, subscriptions, lines),
        "financials": financials,
        "onboardings": service.simulate_onboardings(streams, core, accounts, sold.table["opportunity_id"], staff),
        "usage": service.simulate_usage(streams, core, accounts, seats),
        "health_scores": service.simulate_health(streams, core, accounts),
        "tickets": service.simulate_tickets(streams, core, accounts),
        "spend": spend,
        "quotas": operations.simulate_quotas(core, staff),
        "comp_plans": operations.comp_plans(),
        "targets": operations.simulate_targets(core, scale),
        "forecasts": operations.simulate_forecasts(streams, staff, sold),
        **office.simulate_tools(streams, staff),
        **office.simulate_work(streams, staff, campaigns),
        "metric_claims": claims,
        **office.outside(streams),
    }
    facts = {"finance_difference": difference, "claims": claimed}
    return Simulation(tables, {**facts}, core, seed, scale)


