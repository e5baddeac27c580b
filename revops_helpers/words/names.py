"""How reports name what they list: a record by its id, as a link where company.yml says where records are; a person by id; a
member of a cut, a field and a team in words where data hold a code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

import pandas as pd

from revops_helpers.model.company import Company
from revops_helpers.words.language import N_, Text, _, data
from revops_helpers.words.markup import Part, esc, tag

CODE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)+|[A-Z0-9]+(_[A-Z0-9]+)+")  # paid_search, PAID_SEARCH
# Code words that systems write without a mark of being one: sources, channels and teams. Others stay as they are.
KNOWN = (
    *(N_("Website"), N_("Webinar"), N_("Paid search"), N_("Paid social"), N_("Organic search"), N_("Organic social")),
    *(N_("Partner"), N_("Outbound"), N_("Inbound"), N_("Event"), N_("Email"), N_("Content"), N_("Referral"), N_("Direct")),
    *(N_("Direct traffic"), N_("Social"), N_("Display"), N_("Other"), N_("Unknown")),
    *(N_("Marketing"), N_("Sales"), N_("Customer success"), N_("Finance")),
)
FIELDS: Mapping[str, str] = {
    "accounts.tax_id": N_("Tax id of the company"),
    "accounts.segment": N_("Segment of the company"),
    "accounts.owner_id": N_("Owner of the company"),
    "leads.source": N_("Source of the lead"),
    "leads.owner_id": N_("Owner of the lead"),
    "leads.email": N_("E-mail of the lead"),
    "opportunities.account_id": N_("Company of the deal"),
    "opportunities.owner_id": N_("Owner of the deal"),
    "opportunities.amount": N_("Amount of the deal"),
    "opportunities.close_date": N_("Closing date of the deal"),
    "opportunities.kind": N_("Kind of the deal"),
    "opportunities.lost_reason": N_("Reason of the loss"),
    "opportunities.next_step": N_("Next step of the deal"),
    "subscriptions.product": N_("Product of the subscription"),
    "subscriptions.change_reason": N_("Reason of the change"),
}
# What is in a table of the model, as it stands within a sentence.
TABLES: Mapping[str, str] = {
    "users": N_("people"), "accounts": N_("companies"), "leads": N_("leads"), "lead_history": N_("lead history"),
    "campaigns": N_("campaigns"), "touches": N_("touches"), "opportunities": N_("deals"),
    "opportunity_history": N_("deal history"), "activities": N_("activities"), "subscriptions": N_("subscriptions"),
    "invoices": N_("invoices"), "financials": N_("financial results"), "onboardings": N_("onboardings"),
    "usage": N_("product use"), "health_scores": N_("health scores"), "tickets": N_("support tickets"), "spend": N_("spend"),
    "quotas": N_("quotas"), "comp_plans": N_("compensation plans"), "targets": N_("targets"), "forecasts": N_("forecasts"),
    "tools": N_("tools"), "tool_users": N_("users of tools"), "integrations": N_("integrations"),
    "integration_runs": N_("integration runs"), "work_items": N_("work items"), "work_transitions": N_("moves of work items"),
    "work_links": N_("links of work items"), "markets": N_("markets"), "initiatives": N_("initiatives"),
    "metric_claims": N_("reported numbers"), "readiness_answers": N_("readiness answers"), "fx_rates": N_("exchange rates"),
}  # fmt: skip


def table_words(name: str) -> Text:
    """What is in a table of the model."""
    return _(TABLES[name]) if name in TABLES else data(name)


def member(value: str) -> Text:
    """A member of a cut, such as a source: a code word reads as words, Paid search, and in the reader's language where it is
    known; any other data as it is."""
    words = value.replace("_", " ").capitalize()
    if words in KNOWN and value in (value.lower(), value.upper()):
        return _(words)
    return data(words if CODE.fullmatch(value) else value)


def field(table: str, column: str) -> Text:
    """A field of the model in words; table.column where it has none."""
    name = f"{table}.{column}"
    return _(FIELDS[name]) if name in FIELDS else data(name)


def record(company: Company, table: str, id: object) -> Part | Text:
    """One record: its id, leading to where it is kept (`record_url` of the table, else of the one system that it came from)."""
    shown = data("" if pd.isna(id) else str(id))
    template = _address(company, table)
    if not template or not shown:
        return shown
    prefix = next((prefix for prefix in company.prefixes(table) if str(id).startswith(prefix)), "")
    known = quote(str(id).removeprefix(prefix), safe="")
    return Part("record", tag("a", esc(shown), href=template.replace("{id}", known)), str(shown))


def _address(company: Company, table: str) -> str:
    urls = company.settings.record_url
    if table in urls or not urls or company.ledger is None:
        return urls.get(table, "")
    systems = set(company.ledger.source[company.ledger.table == table])
    return urls.get(next(iter(systems)), "") if len(systems) == 1 else ""


def person(company: Company, id: object) -> Text:
    """Somebody who works here: the id, with the name only where the company was opened to show people."""
    if pd.isna(id):
        return data("")
    return data(_names(company).get(str(id), str(id)))


def _names(company: Company) -> dict[str, str]:
    if not company.show_people or company.missing(["users.name"]):
        return {}

    def read() -> dict[str, str]:
        users = company.table("users", ("user_id", "name")).to_pandas().dropna()
        return dict(zip(users.user_id, users.name, strict=True))

    return company.once("names of people", read)
