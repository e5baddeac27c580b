"""The exports of the billing system and the spreadsheets, written as in Brazil: semicolons, decimal commas, dd/mm/yyyy."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from revops_helpers.sample.shapes import (
    Column,
    Export,
    brazilian_day,
    brazilian_moment,
    comma,
    grouped_reais,
    mapped,
    reais,
    words,
)

REASONS = {
    "new": "novo",
    "expansion": "expansão",
    "contraction": "redução",
    "indexation": "reajuste",
    "reactivation": "reativação",
}
FUNCTIONS = {"marketing": "Marketing", "sales": "Vendas", "customer_success": "Sucesso do Cliente"}
EXPENSES = {
    "people": "Pessoas",
    "program": "Programas",
    "tools": "Ferramentas",
    "commission": "Comissões",
    "overhead": "Estrutura",
}
CATEGORIES = {"commit": "compromisso", "best": "melhor caso", "pipeline": "pipeline"}
METHODS = {"native": "nativa", "ipaas": "iPaaS", "api": "API", "manual": "manual"}
INITIATIVES = {"launch": "lançamento", "new_segment": "novo segmento", "methodology": "metodologia", "process": "processo"}
METRICS = {
    "leads": "Leads",
    "lead_to_opportunity": "Conversão de lead em oportunidade",
    "decided_share": "Decididas ÷ abertas",
    "win_rate": "Taxa de ganho",
    "deal_size": "Valor médio do contrato",
    "live_share": "Ativado ÷ ganho",
    "expansion": "Expansão",
    "indexation": "Reajuste (IPCA)",
    "reactivation": "Reativação",
    "contraction": "Contração",
    "churn": "Cancelamento",
    "net_new_arr": "ARR novo líquido",
    "new_arr": "ARR de clientes novos",
    "nrr": "NRR",
    "grr": "GRR",
    "logo_churn": "Cancelamento de clientes",
    "contacted_within_sla": "Contato dentro do SLA",
    "time_to_first_contact_at_work": "Minutos úteis até o primeiro contato",
    "pipeline_coverage": "Cobertura de pipeline",
    "cycle_days": "Ciclo de vendas",
    "cac": "CAC",
    "ltv_cac": "LTV/CAC",
    "cac_payback": "Prazo de retorno do CAC",
    "magic_number_seed": "Número mágico",
    "rule_of_40": "Regra dos 40",
}


def customer_of(account: str) -> Column:
    """Billing's own number of the customer behind a Salesforce account id."""
    return lambda rows: pc.binary_join_element_wise("C", pc.utf8_slice_codeunits(words(rows[account]), 9, 15), "")


def yes_no(column: str) -> Column:
    return lambda rows: pc.if_else(pa.array(rows[column]), "sim", "não")


def _billing(name: str, table: str, columns: dict[str, Column]) -> Export:
    return Export(f"faturex/{name}.csv.gz", table, columns, delimiter=";")


def _sheet(name: str, table: str, columns: dict[str, Column]) -> Export:
    return Export(f"planilhas/{name}.csv.gz", table, columns, delimiter=";", encoding="cp1252")


BILLING = (
    _billing(
        "clientes",
        "accounts",
        {"Código": customer_of("account_id"), "Razão social": "name", "CNPJ": "tax_id", "Código CRM": "account_id"},
    ),
    _billing(
        "assinaturas",
        "subscriptions",
        {
            "Assinatura": "subscription_id",
            "Cliente": customer_of("account_id"),
            "Produto": "product",
            "Mensalidade": reais("mrr"),
            "Moeda": "currency",
            "Início": brazilian_day("starts_on"),
            "Fim": brazilian_day("ends_on"),
            "Renovação": brazilian_day("renews_on"),
            "Licenças": "seats",
            "Assinado em": brazilian_day("signed_on"),
            "Motivo": mapped("change_reason", REASONS),
        },
    ),
    _billing(
        "faturas",
        "invoices",
        {
            "Nota": "invoice_id",
            "Cliente": customer_of("account_id"),
            "Assinatura": "subscription_id",
            "Emissão": brazilian_day("issued_on"),
            "Vencimento": brazilian_day("due_on"),
            "Pagamento": brazilian_day("paid_on"),
            "Valor": reais("amount"),
            "Moeda": "currency",
        },
    ),
)

SHEETS = (
    _sheet(
        "metas",
        "targets",
        {
            "Início": brazilian_day("period_start"),
            "Fim": brazilian_day("period_end"),
            "Métrica": mapped("metric", METRICS),
            "Valor": comma("value"),
        },
    ),
    _sheet(
        "gastos",
        "spend",
        {
            "Mês": brazilian_day("month"),
            "Área": mapped("function", FUNCTIONS),
            "Categoria": mapped("category", EXPENSES),
            "Canal": "channel",
            "Valor (R$)": grouped_reais("amount"),
        },
    ),
    _sheet(
        "resultados",
        "financials",
        {
            "Mês": brazilian_day("month"),
            "Receita": reais("revenue"),
            "Lucro bruto": reais("gross_profit"),
            "EBITDA": reais("ebitda"),
            "Fluxo de caixa livre": reais("free_cash_flow"),
            "Queima líquida": reais("net_burn"),
            "ARR": reais("arr"),
        },
    ),
    _sheet(
        "cotas",
        "quotas",
        {
            "Usuário": "user_id",
            "Início": brazilian_day("period_start"),
            "Fim": brazilian_day("period_end"),
            "Cota": grouped_reais("amount"),
            "Tipo": "kind",
        },
    ),
    _sheet(
        "previsoes",
        "forecasts",
        {
            "Enviada em": brazilian_day("submitted_on"),
            "Usuário": "user_id",
            "Trimestre": brazilian_day("period_start"),
            "Categoria": mapped("category", CATEGORIES),
            "Valor": grouped_reais("amount"),
        },
    ),
    _sheet(
        "comissoes",
        "comp_plans",
        {
            "Plano": "plan_id",
            "Função": "role",
            "A partir de": comma("from_attainment"),
            "Taxa": comma("rate"),
            "Acelerador": comma("accelerator"),
        },
    ),
    _sheet(
        "ferramentas",
        "tools",
        {
            "Código": "tool_id",
            "Ferramenta": "name",
            "Fornecedor": "vendor",
            "Categoria": "category",
            "Responsável": "owner_id",
            "Custo anual": grouped_reais("annual_cost"),
            "Licenças pagas": "seats_paid",
            "Licenças ativas": "seats_active",
            "Renovação": brazilian_day("renews_on"),
            "Aviso prévio (dias)": "notice_days",
            "Capacidades": "capabilities",
            "Requisitos atendidos": "requirements_met",
        },
    ),
    _sheet("licencas", "tool_users", {"Código": "tool_id", "Usuário": "user_id", "Último uso": brazilian_day("last_active_on")}),
    _sheet(
        "integracoes",
        "integrations",
        {
            "Integração": "integration_id",
            "De": "from_tool",
            "Para": "to_tool",
            "Método": mapped("method", METHODS),
            "Objeto": "object",
            "Sentido": "direction",
        },
    ),
    _sheet(
        "execucoes",
        "integration_runs",
        {
            "Integração": "integration_id",
            "Início": brazilian_moment("started_at"),
            "Fim": brazilian_moment("finished_at"),
            "Sucesso": yes_no("succeeded"),
            "Registros": "records",
            "Erro": "error",
        },
    ),
    _sheet(
        "mercados",
        "markets",
        {
            "Segmento": "segment",
            "Região": "region",
            "Setor": "industry",
            "Empresas endereçáveis": "addressable_accounts",
            "ARR endereçável": grouped_reais("addressable_arr"),
            "Crescimento": comma("growth"),
        },
    ),
    _sheet(
        "iniciativas",
        "initiatives",
        {
            "Código": "initiative_id",
            "Iniciativa": "name",
            "Tipo": mapped("kind", INITIATIVES),
            "Início": brazilian_day("starts_on"),
            "Dimensão tratada": "treated_dimension",
            "Valor tratado": "treated_value",
            "Métrica": "metric",
        },
    ),
    _sheet(
        "cac_declarado",
        "metric_claims",
        {
            "Time": "team",
            "Métrica": "metric",
            "Trimestre": brazilian_day("period_start"),
            "Valor": comma("value"),
            "Como foi calculado": "definition",
        },
    ),
    _sheet(
        "diagnostico",
        "readiness_answers",
        {"Respondente": "respondent_role", "Pergunta": "question", "Resposta": "answer", "Evidência": "evidence"},
    ),
    _sheet("cambio", "fx_rates", {"Moeda": "currency", "Mês": brazilian_day("month"), "Taxa": comma("rate_to_reporting")}),
)
