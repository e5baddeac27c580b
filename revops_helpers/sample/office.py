"""The tools, integrations, work items and answers of the company, and the outside facts: markets, exchange rates."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revops_helpers.sample import world as w
from revops_helpers.sample.funnel import DEAL_SIZE, SLA_MONTH, SLA_SOURCE
from revops_helpers.sample.people import People

DAY = 86400
# name, vendor, category, owner's role, yearly cost in reais, seats paid, share of them active, renewal, notice in days
TOOLS = (
    ("Salesforce", "Salesforce", "CRM", "revops", 420_000, 60, 0.93, "2027-01-31", 60),
    ("HubSpot Marketing", "HubSpot", "automação de marketing", "marketing", 210_000, 10, 0.90, "2027-03-15", 45),
    ("Gainsight", "Gainsight", "sucesso do cliente", "revops", 180_000, 14, 0.86, "2026-12-20", 60),
    ("Jira", "Atlassian", "trabalho", "revops", 36_000, 30, 0.80, "2027-02-10", 30),
    ("Cadência Pro", "Cadência", "engajamento de vendas", "manager", 96_000, 26, 0.88, "2026-11-30", 60),
    ("Toque Vendas", "Toque", "engajamento de vendas", "manager", 72_000, 24, 0.42, "2026-12-15", 60),
    ("Mapa Dados", "Mapa", "enriquecimento", "marketing", 60_000, 20, 0.35, "2027-04-01", 30),
    ("Painel BI", "Painel", "BI", "revops", 48_000, 25, 0.60, "2027-05-01", 30),
    ("Assina Já", "Assina", "assinatura", "finance", 24_000, 20, 0.75, "2026-10-31", 30),
    ("Faturex", "Faturex", "faturamento", "finance", 84_000, 8, 0.88, "2027-06-30", 60),
)
CAPABILITIES = (
    "crm;pipeline;relatórios;previsão",
    "email;formulários;páginas;pontuação",
    "saúde;onboarding;playbooks",
    "tarefas;fluxos",
    "sequências;discador;gravação;email",
    "sequências;discador;email",
    "enriquecimento;firmografia",
    "relatórios;painéis",
    "assinatura",
    "faturas;assinaturas;cobrança",
)
REDUNDANT_PAIR = (4, 5)
UNUSED = 6
# from, to, method, object, runs a day, failure rate
INTEGRATIONS = (
    (1, 0, "native", "leads", 24, 0.004),
    (0, 9, "api", "contratos", 4, 0.010),
    (0, 2, "native", "contas", 4, 0.006),
    (9, 7, "ipaas", "faturas", 2, 0.012),
    (6, 0, "api", "contas", 6, 0.310),
    (3, 7, "api", "tarefas", 1, 0.008),
)
FAILING = 4
CAMPAIGN_TASKS = ("briefing", "texto", "arte", "página", "segmentação", "revisão", "disparo", "relatório")
STATES = ("a fazer", "em andamento", "concluído")
LATE_SHARE, NEVER_DONE = 0.28, 0.04
QUESTIONS = (
    ("metrics_defined", "As métricas têm uma definição única e escrita?"),
    ("data_owner", "Existe um responsável pela qualidade dos dados?"),
    ("handoff_agreed", "A passagem de vendas para CS tem uma lista acordada?"),
    ("sla_agreed", "Marketing e vendas têm um SLA por escrito?"),
    ("forecast_rhythm", "A previsão é revista toda semana?"),
    ("review_rhythm", "Existe uma revisão trimestral de RevOps?"),
)
ROLES = ("CRO", "CMO", "CFO", "CS", "RevOps")


def simulate_tools(streams: w.Streams, people: People) -> dict[str, pd.DataFrame]:
    """tools, tool_users, integrations and integration_runs."""
    rng = streams("tools")
    n = len(TOOLS)
    owner = np.array([people.rows[row[3]][0] for row in TOOLS])
    paid = np.array([row[5] for row in TOOLS])
    active = np.round(paid * np.array([row[6] for row in TOOLS])).astype(np.int64)
    tool_id = w.ids("F-", n, 2)
    tools = pd.DataFrame(
        {
            "tool_id": tool_id,
            "name": [row[0] for row in TOOLS],
            "vendor": [row[1] for row in TOOLS],
            "category": [row[2] for row in TOOLS],
            "owner_id": w.pick(people.table["user_id"], owner),
            "annual_cost": [row[4] * 100 for row in TOOLS],
            "seats_paid": paid,
            "seats_active": active,
            "renews_on": pd.to_datetime([row[7] for row in TOOLS]),
            "notice_days": [row[8] for row in TOOLS],
            "capabilities": list(CAPABILITIES),
            "requirements_met": list(CAPABILITIES),
        }
    )
    return {"tools": tools, "tool_users": _tool_users(rng, people, tools, active), **_integrations(streams, tool_id)}


def _tool_users(rng, people: People, tools: pd.DataFrame, active: np.ndarray) -> pd.DataFrame:
    there = np.flatnonzero((people.left > w.LAST_DAY) & (people.hired <= w.LAST_DAY))
    sales_first = there[np.argsort(~np.isin(there, np.concatenate([people.rows["seller"], people.rows["sdr"]])), kind="stable")]
    seats = np.minimum(tools["seats_paid"].to_numpy(), len(there))
    tool, place = w.spread(seats)
    used = place < active[tool]
    ago = np.where(used, rng.integers(0, 28, len(tool)), rng.integers(45, 300, len(tool)))
    known = used | (rng.random(len(tool)) < 0.5)
    return pd.DataFrame(
        {
            "tool_id": w.pick(tools["tool_id"].astype("str"), tool),
            "user_id": w.pick(people.table["user_id"], sales_first[place]),
            "last_active_on": w.days(w.LAST_DAY - ago, known),
        }
    )


def _integrations(streams: w.Streams, tool_id: pd.Series) -> dict[str, pd.DataFrame]:
    """Connections and their runs of the last 90 days; one job fails about a third of the time."""
    rng = streams("integrations")
    ids = w.ids("I-", len(INTEGRATIONS), 2)
    per_day = np.array([row[4] for row in INTEGRATIONS])
    job, order = w.spread(per_day * 90)
    step = DAY // per_day[job]
    at = (w.LAST_DAY - 89) * DAY + order * step + job * 60
    failed = rng.random(len(job)) < np.array([row[5] for row in INTEGRATIONS])[job]
    took = rng.integers(20, 400, len(job))
    error = np.where(failed, rng.integers(0, 3, len(job)), -1)
    runs = pd.DataFrame(
        {
            "integration_id": w.pick(ids, job),
            "started_at": w.times(at),
            "finished_at": w.times(at + took),
            "succeeded": ~failed,
            "records": np.where(failed, 0, rng.integers(0, 400, len(job))),
            "error": w.label(("429 limite de chamadas", "campo obrigatório ausente", "tempo esgotado"), error),
        }
    )
    keep = (at + took) <= w.END_SECOND
    table = pd.DataFrame(
        {
            "integration_id": ids,
            "from_tool": w.pick(tool_id, np.array([row[0] for row in INTEGRATIONS])),
            "to_tool": w.pick(tool_id, np.array([row[1] for row in INTEGRATIONS])),
            "method": [row[2] for row in INTEGRATIONS],
            "object": [row[3] for row in INTEGRATIONS],
            "direction": "one_way",
        }
    )
    return {"integrations": table, "integration_runs": runs[keep].reset_index(drop=True)}


def simulate_work(streams: w.Streams, people: People, campaigns: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """work_items, work_transitions and work_links: every campaign and its tasks; each task waits for the one before."""
    ids = w.ids("MKT-", len(campaigns) * (1 + len(CAMPAIGN_TASKS)), 1)
    task = _tasks(streams("work"), people, campaigns, ids)
    items = pd.concat([_epics(campaigns, ids), task], ignore_index=True)
    later = np.flatnonzero(np.arange(len(task)) % len(CAMPAIGN_TASKS) > 0)
    ends = {"from_item_id": task["item_id"].array.take(later - 1), "to_item_id": task["item_id"].array.take(later)}
    return {"work_items": items, "work_transitions": _transitions(items), "work_links": pd.DataFrame({**ends, "kind": "blocks"})}


def _started(campaigns: pd.DataFrame) -> np.ndarray:
    return (campaigns["starts_on"].to_numpy() - np.datetime64(w.DAY0)).astype("timedelta64[D]").astype(np.int64)


def _tasks(rng: np.random.Generator, people: People, campaigns: pd.DataFrame, ids: pd.Series) -> pd.DataFrame:
    """Every campaign's tasks: planned, begun, reviewed, done; often late, and then half of them get a new due date."""
    steps, n = len(CAMPAIGN_TASKS), len(campaigns) * len(CAMPAIGN_TASKS)
    campaign, step = np.repeat(np.arange(len(campaigns)), steps), np.tile(np.arange(steps), len(campaigns))
    start = _started(campaigns)[campaign]
    due = start - 40 + step * 6
    created = (start - 55) * DAY + w.business_clock(rng, n)
    begun = w.next_workday(due - rng.integers(4, 9, n)) * DAY + w.business_clock(rng, n)
    late = rng.random(n) < LATE_SHARE
    day = w.next_workday(np.where(late, due + rng.integers(1, 12, n), due - rng.integers(0, 3, n)))
    done = np.maximum(day * DAY + w.business_clock(rng, n), begun + 7200)
    approved = np.where(step == 5, done - 3600, -1)
    known = (done <= w.END_SECOND) & (rng.random(n) >= NEVER_DONE)
    state = np.where(known, 2, np.where(begun <= w.END_SECOND, 1, 0))
    people_rows = people.rows["marketing"][(campaign + step) % len(people.rows["marketing"])]
    return pd.DataFrame(
        {
            "item_id": ids[len(campaigns) :].reset_index(drop=True),
            "parent_id": w.pick(ids, campaign),
            "kind": "tarefa",
            "campaign_id": w.pick(campaigns["campaign_id"], campaign),
            "project": "MKT",
            "title": w.join(w.label(CAMPAIGN_TASKS, step).astype("str"), " · ", w.pick(campaigns["name"], campaign)),
            "assignee_id": w.pick(people.table["user_id"], people_rows),
            "created_at": w.times(created),
            "due_on": w.days(np.where(late & (rng.random(n) < 0.5), due + 7, due)),
            "original_due_on": w.days(due),
            "started_at": w.times(begun, begun <= w.END_SECOND),
            "done_at": w.times(done, known),
            "status": w.label(STATES, state).astype("str"),
            "approved_at": w.times(approved, (approved >= 0) & known),
        }
    )


def _epics(campaigns: pd.DataFrame, ids: pd.Series) -> pd.DataFrame:
    """One item per campaign, done two days after its start."""
    start = _started(campaigns)
    ids = ids[: len(campaigns)]
    finished = start <= w.LAST_DAY
    return pd.DataFrame(
        {
            "item_id": ids,
            "parent_id": pd.Series([None] * len(ids), dtype="str"),
            "kind": "campanha",
            "campaign_id": campaigns["campaign_id"],
            "project": "MKT",
            "title": campaigns["name"],
            "assignee_id": campaigns["owner_id"],
            "created_at": w.times((start - 60) * DAY + 36_000),
            "due_on": w.days(start),
            "original_due_on": w.days(start),
            "started_at": w.times((start - 50) * DAY + 36_000),
            "done_at": w.times((start + 2) * DAY + 60_000, finished),
            "status": "concluído",
            "approved_at": w.times(np.zeros(len(ids), dtype=np.int64), np.zeros(len(ids), dtype=bool)),
        }
    )


def _transitions(items: pd.DataFrame) -> pd.DataFrame:
    """Status changes that the dates of each item tell."""
    parts = []
    for column, before, after in zip(("created_at", "started_at", "done_at"), (None, *STATES), STATES, strict=False):
        there = items[items[column].notna()]
        columns = {"item_id": there["item_id"], "changed_at": there[column], "from_status": before, "to_status": after}
        parts.append(pd.DataFrame({**columns, "author_id": there["assignee_id"]}))
    return pd.concat(parts, ignore_index=True).sort_values(["item_id", "changed_at"], kind="stable").reset_index(drop=True)


def outside(streams: w.Streams) -> dict[str, pd.DataFrame]:
    """markets, initiatives, readiness_answers and fx_rates."""
    rng = streams("outside")
    tables = {"markets": _markets(rng), "initiatives": _initiatives(), "readiness_answers": _answers(rng)}
    rate = np.round(5.0 + 0.5 * np.sin(np.arange(w.MONTHS) / 7.0) + 0.1 * rng.random(w.MONTHS), 4)
    rate[w.YEAR_MONTH] = w.PLAN_USD
    fx = pd.DataFrame({"currency": "USD", "month": w.days(w.MONTH_STARTS[: w.MONTHS]), "rate_to_reporting": rate})
    return {**tables, "fx_rates": fx}


def _markets(rng: np.random.Generator) -> pd.DataFrame:
    shape = (len(w.SEGMENTS), len(w.REGIONS), len(w.INDUSTRIES))
    s, r, i = (axis.ravel() for axis in np.indices(shape))
    share = w.SEGMENT_SHARES[s] * w.REGION_SHARES[r] * w.INDUSTRY_SHARES[i]
    companies = np.round(20_000 * share * (0.7 + 0.6 * rng.random(len(s))))
    return pd.DataFrame(
        {
            "segment": w.label(w.SEGMENTS, s),
            "region": w.label(w.REGIONS, r),
            "industry": w.label(w.INDUSTRIES, i),
            "addressable_accounts": companies.astype(np.int64),
            "addressable_arr": (companies * DEAL_SIZE[s]).astype(np.int64) * 100,
            "growth": np.round(0.02 + 0.10 * rng.random(len(s)), 3),
        }
    )


def _initiatives() -> pd.DataFrame:
    sla = ("INI-1", "SLA de primeira resposta para leads do site", "process", w.days(w.MONTH_STARTS[[SLA_MONTH]])[0])
    launch = ("INI-2", "Lançamento do Araucária Fiscal 3", "launch", pd.Timestamp("2026-02-02"))
    names = ["initiative_id", "name", "kind", "starts_on", "treated_dimension", "treated_value", "metric"]
    treated = (("source", SLA_SOURCE, "time_to_first_contact"), ("product", "Araucária Fiscal", "win_rate"))
    return pd.DataFrame([(*sla, *treated[0]), (*launch, *treated[1])], columns=names)


def _answers(rng: np.random.Generator) -> pd.DataFrame:
    asked = [(role, key, text) for role in ROLES for key, text in QUESTIONS]
    answers = [("sim", "em parte", "não")[code] for code in rng.integers(0, 3, len(asked))]
    rows = [(role, key, answer, text) for (role, key, text), answer in zip(asked, answers, strict=True)]
    return pd.DataFrame(rows, columns=["respondent_role", "question", "answer", "evidence"])
