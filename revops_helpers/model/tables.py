"""The revenue model: every table of marketing, sales and customer success, in one file.

A table states its grain, key, columns, and how it is seen from an earlier date:

- `stamp`: the columns (the first that is filled counts) that say when a row came to be; a row stamped after the as-of date
  does not exist yet. A table with `covers` holds totals of a month or week, which are known when that is over.
- `stamped` columns: facts that happen later in the row's life (a deal's closing, a lead's first contact). A value after the
  as-of date is unknown on it, and so are the columns named in `known_with` (why a deal was lost, once it was closed).
- `history`: the table from whose rows the state columns of this one are taken as they stood; `history_as` names columns that
  are called otherwise there.
- `later` references point at rows that come to be later, and are unknown until those exist.
- `planned` dates (a due date, a renewal) may lie in the future and stay.

Types: text, integer, number (float), money (given in major units, held as integer cents), flag, date, time (held in UTC).
Source: the shared revenue model of the design; times and money as in docs/decisions.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Type = Literal["text", "integer", "number", "money", "flag", "date", "time"]


@dataclass(frozen=True)
class Column:
    """One column. `refers` names the table.column that it points at; `owned` quarantines a row whose reference is absent.
    `instead`: what to do about a value below `at_least`, where correcting it is not all."""

    name: str
    type: Type
    meaning: str
    unit: str = ""
    required: bool = False
    personal: bool = False
    allowed: tuple[str, ...] = ()
    refers: str = ""
    owned: bool = False
    stamped: bool = False
    known_with: str = ""
    later: bool = False
    at_least: float | None = None
    instead: str = ""


@dataclass(frozen=True)
class Table:
    """One table. `money` is the column that the ledger sums; `not_before` pairs (later, earlier) must be in order."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    stamp: tuple[str, ...] = ()
    covers: Literal["", "week", "month"] = ""
    money: str = ""
    history: str = ""
    history_as: tuple[tuple[str, str], ...] = ()
    not_before: tuple[tuple[str, str], ...] = ()
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset(column.name for column in self.columns))

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"table {self.name} has no column {name}")


def text(name, meaning, **more):
    return Column(name, "text", meaning, **more)


def integer(name, meaning, **more):
    return Column(name, "integer", meaning, **more)


def number(name, meaning, **more):
    return Column(name, "number", meaning, **more)


def money(name, meaning, **more):
    return Column(name, "money", meaning, unit=more.pop("unit", "cents"), **more)


def flag(name, meaning, **more):
    return Column(name, "flag", meaning, **more)


def day(name, meaning, **more):
    return Column(name, "date", meaning, **more)


def time(name, meaning, **more):
    return Column(name, "time", meaning, unit="UTC", **more)


def key(name, meaning, **more):
    return Column(name, "text", meaning, required=True, **more)


_tables = (
    Table(
        "users",
        "one row per person in a revenue team",
        ("user_id",),
        (
            key("user_id", "id of the person"),
            text("name", "name", personal=True),
            text("email", "work e-mail", personal=True),
            text("same_as", "the same person in another system", refers="users.user_id"),
            text("role", "role, such as seller, SDR, CSM, manager"),
            text("team", "team"),
            text("manager_id", "whom the person reports to", refers="users.user_id"),
            text("region", "sales region"),
            day("hired_on", "first day in the team"),
            day("left_on", "last day in the team", stamped=True),
        ),
        stamp=("hired_on",),
        not_before=(("left_on", "hired_on"),),
    ),
    Table(
        "accounts",
        "one row per customer or prospect company",
        ("account_id",),
        (
            key("account_id", "id of the company"),
            text("name", "trade name"),
            text("domain", "web domain"),
            text("tax_id", "tax id (CNPJ in Brazil); its root is the legal group"),
            text("same_as", "the same company in another system", refers="accounts.account_id"),
            text("parent_id", "parent company", refers="accounts.account_id"),
            text("industry", "industry"),
            integer("employees", "people employed", unit="people", at_least=0),
            text("country", "country code"),
            text("region", "region"),
            text("segment", "size segment"),
            text("owner_id", "who owns the account", refers="users.user_id"),
            time("created_at", "when the record was created"),
            text("currency", "contract currency"),
        ),
        stamp=("created_at",),
    ),
    Table(
        "leads",
        "one row per lead or contact in its journey",
        ("lead_id",),
        (
            key("lead_id", "id of the lead"),
            text("name", "name", personal=True),
            text("email", "e-mail", personal=True),
            text("phone", "phone", personal=True),
            text("same_as", "the same person in another system", refers="leads.lead_id"),
            text("company", "company as typed"),
            text("title", "job title"),
            text("country", "country code"),
            text("source", "where the lead came from"),
            text("campaign_id", "campaign that brought it", refers="campaigns.campaign_id"),
            text("owner_id", "who works it", refers="users.user_id"),
            number("score", "score given by marketing", unit="points"),
            time("created_at", "when the lead was created", required=True),
            time("assigned_at", "when it was given to a person", stamped=True),
            time("mql_at", "when marketing qualified it", stamped=True),
            time("sal_at", "when sales accepted it", stamped=True),
            time("sql_at", "when sales qualified it", stamped=True),
            time("rejected_at", "when sales rejected it", stamped=True),
            text("rejected_reason", "why it was rejected", known_with="rejected_at"),
            time("first_contact_at", "first human outbound contact; from activities where no lead has one", stamped=True),
            text("account_id", "account it was matched to", refers="accounts.account_id", later=True),
            text("opportunity_id", "deal it became", refers="opportunities.opportunity_id", later=True),
        ),
        stamp=("created_at",),
        history="lead_history",
    ),
    Table(
        "lead_history",
        "one row per state of a lead from changed_at on",
        ("lead_id", "changed_at"),
        (
            key("lead_id", "the lead", refers="leads.lead_id", owned=True),
            time("changed_at", "when the state began", required=True),
            text("status", "status"),
            text("owner_id", "owner", refers="users.user_id"),
            number("score", "score", unit="points"),
        ),
        stamp=("changed_at",),
    ),
    Table(
        "campaigns",
        "one row per campaign",
        ("campaign_id",),
        (
            key("campaign_id", "id of the campaign"),
            text("name", "name"),
            text("channel", "channel"),
            text("kind", "kind"),
            text("segment", "segment aimed at"),
            text("owner_id", "owner", refers="users.user_id"),
            day("starts_on", "first day"),
            day("ends_on", "last day, as planned"),
            money("budget", "budget", at_least=0),
            text("status", "status"),
        ),
        stamp=("starts_on",),
        money="budget",
        not_before=(("ends_on", "starts_on"),),
    ),
    Table(
        "touches",
        "one row per marketing or sales touch",
        ("touch_id",),
        (
            key("touch_id", "id of the touch"),
            text("lead_id", "lead touched", refers="leads.lead_id"),
            text("account_id", "account touched", refers="accounts.account_id"),
            text("campaign_id", "campaign", refers="campaigns.campaign_id"),
            text("channel", "channel"),
            text("kind", "kind of touch"),
            time("occurred_at", "when", required=True),
        ),
        stamp=("occurred_at",),
    ),
    Table(
        "opportunities",
        "one row per deal",
        ("opportunity_id",),
        (
            key("opportunity_id", "id of the deal"),
            text("account_id", "account", refers="accounts.account_id"),
            text("owner_id", "seller", refers="users.user_id"),
            text("lead_id", "lead it came from", refers="leads.lead_id"),
            text("product", "product"),
            text("motion", "how it is sold", allowed=("sales_led", "product_led")),
            text("kind", "what it sells", allowed=("new", "expansion", "renewal")),
            text("next_step", "next step as noted"),
            money("amount", "first-year ARR", at_least=0),
            text("currency", "currency of the amount"),
            time("created_at", "when the deal was opened"),
            day("close_date", "expected or actual closing day, as planned"),
            time("closed_at", "when it was won or lost", stamped=True),
            text("stage", "stage"),
            text("status", "open, won or lost", allowed=("open", "won", "lost")),
            text("forecast_category", "forecast category"),
            text("lost_reason", "why it was lost", known_with="closed_at"),
            text("competitor", "main competitor", known_with="closed_at"),
        ),
        stamp=("created_at",),
        money="amount",
        history="opportunity_history",
        not_before=(("closed_at", "created_at"),),
    ),
    Table(
        "opportunity_history",
        "one row per state of a deal from changed_at on",
        ("opportunity_id", "changed_at"),
        (
            key("opportunity_id", "the deal", refers="opportunities.opportunity_id", owned=True),
            time("changed_at", "when the state began", required=True),
            text("stage", "stage"),
            money("amount", "first-year ARR", at_least=0),
            day("close_date", "expected closing day"),
            text("forecast_category", "forecast category"),
            text("owner_id", "seller", refers="users.user_id"),
        ),
        stamp=("changed_at",),
    ),
    Table(
        "activities",
        "one row per call, e-mail, meeting or task",
        ("activity_id",),
        (
            key("activity_id", "id of the activity"),
            text("user_id", "who did it", refers="users.user_id"),
            text("kind", "kind", allowed=("call", "email", "meeting", "task")),
            text("direction", "direction", allowed=("inbound", "outbound", "internal")),
            text("lead_id", "lead", refers="leads.lead_id"),
            text("opportunity_id", "deal", refers="opportunities.opportunity_id"),
            text("account_id", "account", refers="accounts.account_id"),
            time("occurred_at", "when", required=True),
            number("minutes", "length", unit="minutes", at_least=0),
            flag("automated", "sent by a machine"),
            flag("customer_facing", "time with a customer or prospect"),
        ),
        stamp=("occurred_at",),
    ),
    Table(
        "subscriptions",
        "one row per subscription line and period",
        ("subscription_id", "starts_on"),
        (
            key("subscription_id", "id of the line"),
            text("account_id", "customer", required=True, refers="accounts.account_id"),
            text("product", "product"),
            money(
                "mrr",
                "monthly recurring revenue",
                unit="cents a month",
                required=True,
                at_least=0,
                instead="a credit note is no line: take it off the mrr of the line that it corrects",
            ),
            text("currency", "currency"),
            day("starts_on", "first day on which it runs", required=True),
            day("ends_on", "first day on which it no longer runs; empty while it runs", stamped=True),
            day("renews_on", "contracted end of the term, as planned"),
            integer("seats", "seats paid", unit="seats", at_least=0),
            day("signed_on", "day of signature"),
            day("notice_on", "day on which notice of its end was given; empty without one", stamped=True),
            text(
                "change_reason",
                "why this line differs from the one before; a pause is a line at 0",
                allowed=("new", "expansion", "contraction", "indexation", "renewal", "reactivation", "migration", "pause"),
            ),
        ),
        stamp=("signed_on", "starts_on"),
        money="mrr",
        not_before=(("ends_on", "starts_on"),),
    ),
    Table(
        "invoices",
        "one row per invoice",
        ("invoice_id",),
        (
            key("invoice_id", "id of the invoice"),
            text("account_id", "customer", refers="accounts.account_id"),
            text("subscription_id", "subscription line billed"),
            day("issued_on", "day of issue", required=True),
            day("due_on", "due day, as planned"),
            day("paid_on", "day of payment", stamped=True),
            money("amount", "amount billed"),
            text("currency", "currency"),
        ),
        stamp=("issued_on",),
        money="amount",
        not_before=(("due_on", "issued_on"),),
    ),
    Table(
        "financials",
        "one row per month",
        ("month",),
        (
            day("month", "first day of the month", required=True),
            money("revenue", "revenue"),
            money("gross_profit", "gross profit"),
            money("ebitda", "EBITDA"),
            money("free_cash_flow", "free cash flow"),
            money("net_burn", "net cash burnt"),
            money("arr", "ARR that finance reports at month end"),
            text("currency", "currency"),
        ),
        stamp=("month",),
        covers="month",
        money="revenue",
    ),
    Table(
        "onboardings",
        "one row per sales to customer success handoff of a won deal",
        ("onboarding_id",),
        (
            key("onboarding_id", "id of the handoff"),
            text("opportunity_id", "deal won", refers="opportunities.opportunity_id"),
            text("account_id", "customer", refers="accounts.account_id"),
            text("csm_id", "who takes over", refers="users.user_id"),
            time("handed_off_at", "when sales handed it off", required=True),
            time("accepted_at", "when customer success accepted it", stamped=True),
            integer("items_required", "checklist items required", unit="items", at_least=0),
            integer("items_done", "checklist items done at handoff", unit="items", at_least=0),
            day("promised_live_on", "promised go-live, as planned"),
            time("kickoff_at", "kick-off", stamped=True),
            time("live_at", "go-live", stamped=True),
            time("first_value_at", "first value event", stamped=True),
        ),
        stamp=("handed_off_at",),
    ),
    Table(
        "usage",
        "one row per account and week",
        ("account_id", "week"),
        (
            key("account_id", "customer", refers="accounts.account_id"),
            day("week", "Monday of the week", required=True),
            integer("active_users", "active users", unit="people", at_least=0),
            integer("seats", "seats paid", unit="seats", at_least=0),
            integer("sessions", "sessions", unit="sessions", at_least=0),
            integer("key_events", "key events", unit="events", at_least=0),
        ),
        stamp=("week",),
        covers="week",
    ),
    Table(
        "health_scores",
        "one row per account and date",
        ("account_id", "scored_on"),
        (
            key("account_id", "customer", refers="accounts.account_id"),
            day("scored_on", "day of the score", required=True),
            number("score", "score", unit="points"),
            text("band", "band", allowed=("green", "yellow", "red")),
            number("nps", "answer to the recommendation question", unit="points"),
            text("csm_sentiment", "opinion of the CSM"),
        ),
        stamp=("scored_on",),
    ),
    Table(
        "tickets",
        "one row per support ticket",
        ("ticket_id",),
        (
            key("ticket_id", "id of the ticket"),
            text("account_id", "customer", refers="accounts.account_id"),
            time("opened_at", "opened", required=True),
            time("closed_at", "closed", stamped=True),
            text("priority", "priority"),
            number("csat", "satisfaction answer", unit="points", known_with="closed_at"),
        ),
        stamp=("opened_at",),
        not_before=(("closed_at", "opened_at"),),
    ),
    Table(
        "spend",
        "one row per month, function, category, channel and campaign",
        ("month", "function", "category", "channel", "campaign_id"),
        (
            day("month", "first day of the month", required=True),
            text("function", "function", required=True, allowed=("marketing", "sales", "customer_success")),
            text("category", "category", required=True, allowed=("people", "program", "tools", "commission", "overhead")),
            text("channel", "channel"),
            text("campaign_id", "campaign", refers="campaigns.campaign_id"),
            money("amount", "amount spent", required=True),
            text("currency", "currency"),
        ),
        stamp=("month",),
        covers="month",
        money="amount",
    ),
    Table(
        "quotas",
        "one row per person and period",
        ("user_id", "period_start", "kind"),
        (
            key("user_id", "person", refers="users.user_id"),
            day("period_start", "first day", required=True),
            day("period_end", "last day", required=True),
            money("amount", "quota", at_least=0),
            text("kind", "what the quota counts"),
        ),
        money="amount",
        not_before=(("period_end", "period_start"),),
    ),
    Table(
        "comp_plans",
        "one row per plan, role and tier",
        ("plan_id", "role", "from_attainment"),
        (
            key("plan_id", "plan"),
            text("role", "role", required=True),
            number("from_attainment", "attainment from which the tier counts", unit="share", required=True),
            number("rate", "commission rate", unit="share"),
            number("accelerator", "accelerator", unit="times"),
        ),
    ),
    Table(
        "targets",
        "one row per period, metric and segment",
        ("period_start", "period_end", "metric", "segment"),
        (
            day("period_start", "first day", required=True),
            day("period_end", "last day", required=True),
            text("metric", "metric id or plan driver", required=True),
            text("segment", "segment; empty for the whole company"),
            number("value", "target: a share for percents, major units for money", required=True),
        ),
        not_before=(("period_end", "period_start"),),
    ),
    Table(
        "forecasts",
        "one row per forecast submission",
        ("submitted_on", "user_id", "period_start", "category"),
        (
            day("submitted_on", "day of submission", required=True),
            key("user_id", "who forecast", refers="users.user_id"),
            day("period_start", "first day of the period forecast", required=True),
            text("category", "category", required=True, allowed=("commit", "best", "pipeline")),
            money("amount", "amount forecast", at_least=0),
        ),
        stamp=("submitted_on",),
        money="amount",
    ),
    Table(
        "tools",
        "one row per tool in the stack",
        ("tool_id",),
        (
            key("tool_id", "id of the tool"),
            text("name", "name"),
            text("vendor", "vendor"),
            text("category", "category"),
            text("owner_id", "owner", refers="users.user_id"),
            money("annual_cost", "yearly cost", at_least=0),
            integer("seats_paid", "seats paid", unit="seats", at_least=0),
            integer("seats_active", "seats in use", unit="seats", at_least=0),
            day("renews_on", "renewal day, as planned"),
            integer("notice_days", "notice before renewal", unit="days", at_least=0),
            text("capabilities", "capabilities, separated by ;"),
            text("requirements_met", "requirements met, separated by ;"),
        ),
        money="annual_cost",
    ),
    Table(
        "tool_users",
        "one row per tool and person",
        ("tool_id", "user_id"),
        (
            key("tool_id", "tool", refers="tools.tool_id", owned=True),
            key("user_id", "person", refers="users.user_id"),
            day("last_active_on", "last day of use", stamped=True),
        ),
    ),
    Table(
        "integrations",
        "one row per connection between two tools",
        ("integration_id",),
        (
            key("integration_id", "id of the integration"),
            text("from_tool", "tool that sends", refers="tools.tool_id"),
            text("to_tool", "tool that receives", refers="tools.tool_id"),
            text("method", "method", allowed=("native", "ipaas", "api", "manual")),
            text("object", "object that travels"),
            text("direction", "direction"),
        ),
    ),
    Table(
        "integration_runs",
        "one row per run of an integration job",
        ("integration_id", "started_at"),
        (
            key("integration_id", "integration", refers="integrations.integration_id", owned=True),
            time("started_at", "started", required=True),
            time("finished_at", "finished", stamped=True),
            flag("succeeded", "succeeded", known_with="finished_at"),
            integer("records", "records moved", unit="records", at_least=0),
            text("error", "error as logged", known_with="finished_at"),
        ),
        stamp=("started_at",),
        not_before=(("finished_at", "started_at"),),
    ),
    Table(
        "work_items",
        "one row per marketing task, request or launch milestone",
        ("item_id",),
        (
            key("item_id", "id of the item"),
            text("parent_id", "parent item", refers="work_items.item_id"),
            text("kind", "kind"),
            text("campaign_id", "campaign", refers="campaigns.campaign_id"),
            text("project", "project"),
            text("title", "title"),
            text("assignee_id", "assignee", refers="users.user_id"),
            time("created_at", "created", required=True),
            day("due_on", "due day, as planned"),
            day("original_due_on", "first due day"),
            time("started_at", "work began", stamped=True),
            time("done_at", "done", stamped=True),
            text("status", "status"),
            time("approved_at", "approved", stamped=True),
        ),
        stamp=("created_at",),
        history="work_transitions",
        history_as=(("status", "to_status"),),
    ),
    Table(
        "work_transitions",
        "one row per status change of a work item",
        ("item_id", "changed_at", "to_status"),
        (
            key("item_id", "item", refers="work_items.item_id", owned=True),
            time("changed_at", "when", required=True),
            text("from_status", "status before"),
            text("to_status", "status after", required=True),
            text("author_id", "who changed it", refers="users.user_id"),
        ),
        stamp=("changed_at",),
    ),
    Table(
        "work_links",
        "one row per dependency between two work items",
        ("from_item_id", "to_item_id", "kind"),
        (
            key("from_item_id", "item", refers="work_items.item_id", owned=True),
            key("to_item_id", "item it acts on", refers="work_items.item_id", owned=True),
            text("kind", "kind", required=True, allowed=("blocks", "relates")),
        ),
    ),
    Table(
        "markets",
        "one row per segment, region and industry",
        ("segment", "region", "industry"),
        (
            key("segment", "segment"),
            key("region", "region"),
            key("industry", "industry"),
            integer("addressable_accounts", "addressable companies", unit="companies", at_least=0),
            money("addressable_arr", "addressable ARR", at_least=0),
            number("growth", "yearly growth", unit="share"),
        ),
        money="addressable_arr",
    ),
    Table(
        "initiatives",
        "one row per go-to-market change",
        ("initiative_id",),
        (
            key("initiative_id", "id of the initiative"),
            text("name", "name"),
            text("kind", "kind", allowed=("launch", "new_segment", "methodology", "process")),
            day("starts_on", "first day", required=True),
            text("treated_dimension", "dimension that tells who is treated"),
            text("treated_value", "value of the dimension that is treated"),
            text("metric", "metric that should move"),
        ),
        stamp=("starts_on",),
    ),
    Table(
        "metric_claims",
        "one row per number that a team has reported",
        ("team", "metric", "period_start"),
        (
            key("team", "team"),
            key("metric", "metric as the team names it"),
            day("period_start", "first day of the period", required=True),
            number("value", "value: a share for percents, major units for money"),
            text("definition", "the team's own words"),
        ),
        stamp=("period_start",),
    ),
    Table(
        "readiness_answers",
        "one row per answer of one respondent to the operating survey",
        ("respondent_role", "question"),
        (
            key("respondent_role", "role of who answered"),
            key("question", "question"),
            text("answer", "answer"),
            text("evidence", "evidence given"),
        ),
    ),
    Table(
        "fx_rates",
        "one row per currency and month",
        ("currency", "month"),
        (
            key("currency", "currency"),
            day("month", "first day of the month", required=True),
            number("rate_to_reporting", "units of the reporting currency for one unit", required=True, at_least=0),
        ),
        stamp=("month",),
        covers="month",
    ),
)

TABLES: dict[str, Table] = {table.name: table for table in _tables}


def column(need: str) -> Column:
    """The column behind `table.column`. KeyError when the model lacks it."""
    table, _, name = need.partition(".")
    return TABLES[table][name]
