"""company.yml of the sample company."""

from __future__ import annotations

AGREEMENT = """\
# The operating agreement of the sample company, which is invented. Keys and defaults: revops_helpers/settings.py.
name: Araucária Software S.A.
currency: BRL
locale: en
time_zone: America/Sao_Paulo
fiscal_year_start: 1
gross_margin: 0.765
discount_rate: 0.12

working_hours:
  days: [mon, tue, wed, thu, fri]
  start: "09:00"
  end: "18:00"
  country: BR

lifecycle_stages: [lead, mql, sal, sql, opportunity, customer]
opportunity_stages: [Qualificação, Descoberta, Proposta, Negociação, Ganho, Perdido]

slas:
  first_contact_minutes: 60
  handoff_days: 5

handoff_checklist:
  - objetivos
  - responsável no cliente
  - escopo vendido
  - integrações
  - dados de origem
  - prazo prometido
  - condições comerciais
  - riscos

# Leads, touches, activities and usage were not kept before October 2024; deals and billing since October 2021.
records_start:
  leads: 2024-10-01
  lead_history: 2024-10-01
  touches: 2024-10-01
  activities: 2024-10-01
  usage: 2024-10-01
  health_scores: 2024-10-01
  tickets: 2024-10-01
  opportunities: 2021-10-01
  opportunity_history: 2021-10-01
  subscriptions: 2021-10-01
  invoices: 2021-10-01

grace_days: 30

# Contracts in US dollars count at the plan's rate, so that the exchange rate moves no ARR.
plan_rates:
  USD: 5.40

required_fields:
  Proposta: [amount, close_date]
  Negociação: [amount, close_date, next_step]

team:
  seller: sales
  sdr: sales
  csm: customer_success
  marketing: marketing
  manager: sales
  revops: revops
  finance: finance

"""


EXPORTS = """\
# Salesforce, HubSpot, Gainsight and Jira come through the SELECTs that ship with the workbook; the billing system and the
# spreadsheets, which nobody else has, through the ones in selects/.
sources:
  salesforce:
    path: salesforce
    decimal: "."
    dates: ymd
    time_zone: UTC
  hubspot:
    path: hubspot
    decimal: "."
    dates: ymd
    time_zone: UTC
  gainsight:
    path: gainsight
    decimal: "."
    dates: ymd
    time_zone: UTC
  jira:
    path: jira
    dates: ymd
  faturex:
    path: faturex
    selects: selects/faturex
    decimal: ","
    dates: dmy
  planilhas:
    path: planilhas
    selects: selects/planilhas
    decimal: ","
    dates: dmy
    encoding: cp1252
"""

TABLES = """\
sources:
  tables:
    path: tables
    time_zone: UTC
"""


def of_exports() -> str:
    """company.yml beside the exports of the systems."""
    return AGREEMENT + EXPORTS


def of_tables() -> str:
    """company.yml beside canonical tables."""
    return AGREEMENT + TABLES
