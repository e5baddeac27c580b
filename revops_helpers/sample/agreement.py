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


def agreement(sources: str) -> str:
    """The whole text, with the lines that say where each source is."""
    return AGREEMENT + sources
