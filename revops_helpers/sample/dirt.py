"""Rows that no contract should accept, planted at the end of each export, each breaking one rule of the model.

They are copies of good rows that were spoilt, never good rows that are missing: what is accepted is the company as simulated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

# The rules of the contract that are broken, in its words (model/py, which stands above the sample and is not imported).
MISSING, DUPLICATE, ORPHAN, RAGGED_ROW = "required value missing", "duplicate key", "orphan", "ragged row"
ORDER, BELOW, IMPOSSIBLE = "out of order", "below the minimum", "impossible date"
UNKNOWN_WORD, NO_RATE = "unknown word", "no exchange rate"
NO_DAY, NO_TIME, NO_AMOUNT = "not a day", "not a time", "not an amount"

Spoilt = Mapping[str, str | Callable[[int], str] | None]


@dataclass(frozen=True)
class Bad:
    """`count` rows that break `rule` in the canonical `table`: header → what stands there instead."""

    table: str
    rule: str
    count: int
    changes: Spoilt


def new_id(prefix: str) -> Callable[[int], str]:
    """An id that nothing else has."""
    return lambda i: f"{prefix}{'X' * (14 - len(prefix))}{i:04d}"


def _deal(rule: str, count: int, **changes) -> Bad:
    return Bad("opportunities", rule, count, {"Id": new_id(f"006{rule[:3].upper().replace(' ', '')}"), **changes})


def _line(rule: str, count: int, **changes) -> Bad:
    return Bad("subscriptions", rule, count, {"Assinatura": new_id(f"ASS-{rule[:3]}"), **changes})


BAD: dict[str, tuple[Bad, ...]] = {
    "salesforce/User.csv.gz": (Bad("users", ORDER, 1, {"Id": new_id("005"), "LeaveDate__c": "2015-01-31"}),),
    "salesforce/Account.csv.gz": (Bad("accounts", DUPLICATE, 6, {}),),
    "salesforce/Lead.csv.gz": (
        Bad("leads", DUPLICATE, 11, {}),
        Bad("leads", MISSING, 4, {"Id": new_id("00Q"), "CreatedDate": None, "ConvertedOpportunityId": None}),
    ),
    "salesforce/LeadHistory.csv.gz": (Bad("lead_history", ORPHAN, 12, {"LeadId": new_id("00Q0")}),),
    "salesforce/Opportunity.csv.gz": (
        Bad("opportunities", DUPLICATE, 9, {}),
        _deal(ORDER, 5, CloseDate="2021-01-04", IsClosed="true"),
        _deal(BELOW, 4, Amount="-1200.00"),
        _deal(UNKNOWN_WORD, 3, Type="Piloto"),
        _deal(NO_DAY, 2, CloseDate="2026-02-31"),
        _deal(IMPOSSIBLE, 2, CloseDate="2206-05-12"),
        _deal(NO_RATE, 2, CurrencyIsoCode="ARS"),
    ),
    "salesforce/OpportunityHistory.csv.gz": (Bad("opportunity_history", ORPHAN, 14, {"OpportunityId": new_id("0060")}),),
    "salesforce/Task.csv.gz": (
        Bad("activities", DUPLICATE, 5, {}),
        Bad("activities", BELOW, 6, {"Id": new_id("00T1"), "CallDurationInSeconds": "-60"}),
        Bad("activities", UNKNOWN_WORD, 7, {"Id": new_id("00T2"), "TaskSubtype": "LinkedIn"}),
    ),
    "salesforce/Case.csv.gz": (Bad("tickets", ORDER, 5, {"Id": new_id("500"), "ClosedDate": "2020-02-03T12:00:00.000Z"}),),
    "hubspot/email_events.csv.gz": (
        Bad("touches", MISSING, 8, {"id": new_id("T1"), "created": None}),
        Bad("touches", NO_TIME, 3, {"id": new_id("T2"), "created": "n/a"}),
    ),
    "gainsight/ScorecardHistory.csv.gz": (
        Bad("health_scores", UNKNOWN_WORD, 3, {"ScoreDate": "2026-09-15", "ScoreLabel": "Blue"}),
    ),
    "gainsight/AdoptionWeekly.csv.gz": (
        Bad("usage", DUPLICATE, 12, {}),
        Bad("usage", BELOW, 5, {"ActiveUsers": "-1"}),
    ),
    "faturex/assinaturas.csv.gz": (
        Bad("subscriptions", DUPLICATE, 4, {}),
        _line(MISSING, 3, Cliente="C999999"),
        _line(NO_AMOUNT, 2, Mensalidade="a combinar"),
        _line(ORDER, 3, Início="10/03/2024", Fim="09/03/2024"),
        _line(UNKNOWN_WORD, 2, Motivo="cortesia"),
    ),
    "faturex/faturas.csv.gz": (
        Bad("invoices", DUPLICATE, 10, {}),
        Bad("invoices", ORDER, 4, {"Nota": new_id("NF-"), "Vencimento": "01/01/2021"}),
    ),
    "planilhas/gastos.csv.gz": (
        Bad("spend", UNKNOWN_WORD, 3, {"Área": "Jurídico"}),
        Bad("spend", NO_AMOUNT, 2, {"Canal": "a definir", "Valor (R$)": "a confirmar"}),
        Bad("spend", MISSING, 1, {"Mês": None, "Canal": "Total"}),
    ),
    "planilhas/metas.csv.gz": (Bad("targets", MISSING, 2, {"Valor": None}),),
    "planilhas/execucoes.csv.gz": (Bad("integration_runs", ORPHAN, 4, {"Integração": "I-99"}),),
}
# Records that a missing quote has torn in two: file → canonical table, how many.
RAGGED = {"faturex/faturas.csv.gz": ("invoices", 2)}


def bad_rows(path: str, good: pa.Table) -> pa.Table | None:
    """The bad rows of a file, made of its first good ones; None where it has none."""
    parts, first = [], 3
    for bad in BAD.get(path, ()):
        index = (first + 7 * np.arange(bad.count)) % len(good)
        first += 7 * bad.count
        rows = good.take(pa.array(index))
        for header, value in bad.changes.items():
            values = [value(i) if callable(value) else value for i in range(bad.count)]
            rows = rows.set_column(rows.schema.get_field_index(header), header, pa.array(values, type=pa.string()))
        parts.append(rows)
    return pa.concat_tables(parts) if parts else None


def torn(path: str, delimiter: str) -> bytes:
    """Lines that hold fewer fields than the header."""
    count = RAGGED.get(path, ("", 0))[1]
    return "".join(f"NF-torn{i}{delimiter}C000001\n" for i in range(count)).encode()


def planted() -> dict[str, dict[str, int]]:
    """Canonical table → rule → how many rows break it."""
    counts: dict[str, dict[str, int]] = {}
    for bad in (bad for all_ in BAD.values() for bad in all_):
        table = counts.setdefault(bad.table, {})
        table[bad.rule] = table.get(bad.rule, 0) + bad.count
    for table, count in RAGGED.values():
        counts.setdefault(table, {})[RAGGED_ROW] = count
    return counts
