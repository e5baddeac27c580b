"""The whole sample company in canonical shape: every table of the model, drawn one at a time from one world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from revops_helpers.sample import activities, billing, deals, demand, office, operations, people, plan, service
from revops_helpers.sample import world as w


class World:
    """One drawn company: its core, people, companies, deals and leads; everything else is made from them on demand."""

    def __init__(self, seed: int, scale: float):
        self.seed, self.scale = seed, scale
        self.core = plan.simulate_core(seed, scale)
        self.streams = w.Streams(seed, self.core.sub_seed)
        self.people = people.simulate_people(self.streams, scale)
        self.campaigns = people.simulate_campaigns(self.people)
        self.accounts = people.simulate_accounts(self.streams, self.core, self.people, scale)
        self.deals = deals.simulate_deals(self.streams, self.core, self.people, self.accounts)
        self.lines = billing.lines_of(self.core)

    @cached_property
    def leads(self) -> demand.Leads:
        return demand.simulate_leads(self.streams, self.core, self.people, self.accounts, self.deals.table["opportunity_id"])

    @cached_property
    def subscriptions(self) -> pd.DataFrame:
        return billing.simulate_subscriptions(self.streams, self.core, self.accounts, self.deals, self.lines)

    @cached_property
    def spend(self) -> pd.DataFrame:
        return operations.simulate_spend(self.streams, self.core, self.deals, self.lines)

    @cached_property
    def finance(self) -> tuple[pd.DataFrame, dict]:
        costs = self.spend.groupby("month")["amount"].sum().to_numpy()
        return billing.simulate_financials(self.streams, self.core, self.lines, self.subscriptions, costs)

    @cached_property
    def claims(self) -> tuple[pd.DataFrame, dict]:
        return operations.simulate_claims(self.core, self.spend, self.deals)

    @cached_property
    def tools(self) -> dict[str, pd.DataFrame]:
        return office.simulate_tools(self.streams, self.people)

    @cached_property
    def work(self) -> dict[str, pd.DataFrame]:
        return office.simulate_work(self.streams, self.people, self.campaigns)

    @cached_property
    def outside(self) -> dict[str, pd.DataFrame]:
        return office.outside(self.streams)

    @cached_property
    def seats(self) -> np.ndarray:
        return service.seats_by_month(self.core, self.subscriptions, self.lines)


MAKERS: dict[str, Callable[[World], pd.DataFrame]] = {
    "users": lambda x: x.people.table,
    "accounts": lambda x: x.accounts.table,
    "leads": lambda x: x.leads.table,
    "lead_history": lambda x: demand.lead_history(x.core, x.leads),
    "campaigns": lambda x: x.campaigns,
    "touches": lambda x: demand.simulate_touches(x.streams, x.core, x.leads.table),
    "opportunities": lambda x: x.deals.table,
    "opportunity_history": lambda x: deals.history_table(x.deals, x.people),
    "activities": lambda x: activities.simulate_activities(x.streams, x.core, x.people, x.deals, x.leads),
    "subscriptions": lambda x: x.subscriptions,
    "invoices": lambda x: billing.simulate_invoices(x.streams, x.subscriptions, x.lines),
    "financials": lambda x: x.finance[0],
    "onboardings": lambda x: service.simulate_onboardings(x.streams, x.core, x.accounts, x.deals, x.people),
    "usage": lambda x: service.simulate_usage(x.streams, x.core, x.accounts, x.seats),
    "health_scores": lambda x: service.simulate_health(x.streams, x.core, x.accounts),
    "tickets": lambda x: service.simulate_tickets(x.streams, x.core, x.accounts),
    "spend": lambda x: x.spend,
    "quotas": lambda x: operations.simulate_quotas(x.core, x.people, x.scale),
    "comp_plans": lambda x: operations.comp_plans(),
    "targets": lambda x: operations.simulate_targets(x.core, x.lines, x.scale),
    "forecasts": lambda x: operations.simulate_forecasts(x.streams, x.people, x.deals),
    "tools": lambda x: x.tools["tools"],
    "tool_users": lambda x: x.tools["tool_users"],
    "integrations": lambda x: x.tools["integrations"],
    "integration_runs": lambda x: x.tools["integration_runs"],
    "work_items": lambda x: x.work["work_items"],
    "work_transitions": lambda x: x.work["work_transitions"],
    "work_links": lambda x: x.work["work_links"],
    "markets": lambda x: x.outside["markets"],
    "initiatives": lambda x: x.outside["initiatives"],
    "metric_claims": lambda x: x.claims[0],
    "readiness_answers": lambda x: x.outside["readiness_answers"],
    "fx_rates": lambda x: x.outside["fx_rates"],
}


@dataclass
class Simulation:
    """tables: canonical name → rows (money in cents, times in UTC). truth: what was planted, for tests only."""

    tables: dict[str, pd.DataFrame]
    truth: dict


def simulate(seed: int = w.SEED, scale: float = 1.0) -> Simulation:
    """Draw the company. At scale 1 it has about 1,200 live customers, 12,600 leads and 100,000 touches."""
    from revops_helpers.sample.truth import truth_of

    world = World(seed, scale)
    return Simulation({name: make(world) for name, make in MAKERS.items()}, truth_of(world))
