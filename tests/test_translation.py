"""The Portuguese catalogue: every message said, its fields and marks kept, the glossary's words used, the .mo true to the .po."""

import ast
import io
import re
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from revops_helpers.metrics.reasons import REASONS
from revops_helpers.model import rules
from revops_helpers.model.tables import TABLES
from revops_helpers.settings import Settings
from revops_helpers.words import below, extract
from revops_helpers.words.below import translated
from revops_helpers.words.language import use

PO = extract.FOLDER / "pt_BR" / "LC_MESSAGES" / "revops.po"
PACKAGE = extract.ROOT / "revops_helpers"
FIELD = re.compile(r"\{\w*\}")

# What is rightly the same in both languages; messages without a word of their own are found by themselves.
SAME = {
    *("ARR", "CAC", "CEO", "CRO", "Churn", "Leads", "MRR", "Marketing", "RevOps", "Total", "item", "lead", "leads", "marketing"),
    *("Display", "Inbound", "Outbound", "Webinar"),
}

# The glossary: where the English has the term, the Portuguese has one of these.
GLOSSARY = {
    "attribution": "atribuição",
    "backlog": "fila",
    "biased?": "viés|enviesad",
    "bottleneck": "gargalo",
    "burn multiple": "múltiplo de queima de caixa",
    "censored": "censurad",
    "churn": "churn|cancela|sai|saí",
    "cohorts?": "coorte",
    "contraction": "contração",
    "customer success": "sucesso do cliente",
    "data quality": "qualidade de dados",
    "deals?": "negócio",
    "drift": "deriva",
    "drivers?": "fator",
    "duplicates?": "duplic",
    "expansions?": "expans",
    "first touch": "primeiro toque",
    "forecasts?": "previs|prev[eê]|forecasts",
    "GRR": "GRR|retenção bruta de receita",
    "gross margin": "margem bruta",
    "handoffs?": "passage|repass|passa de",
    "health scores?": "índice",
    "intervals?": "intervalo",
    "last touch": "último toque",
    "lifetime value": "valor do tempo de vida",
    "magic number": "número mágico",
    "median": "mediana",
    "mix": "composição|mix",
    "net new ARR": "ARR novo líquido",
    "NRR": "NRR|retenção líquida de receita",
    "opportunity": "oportunidade",
    "payback": "retorno",
    "pipeline coverage": "cobertura de pipeline",
    "quotas?": "cota",
    "ramp(?:ed|ing)?": "rampa",
    "reactivation": "reativação",
    "rework": "retrabalho",
    "rule of 40": "regra dos 40",
    "sales cycle": "ciclo de vendas",
    "seats?": "licença",
    "service levels?": "SLA",
    "slipped": "adiad",
    "targets?": "meta|targets",
    "time to first contact": "tempo (útil )?até o primeiro contato",
    "win rate": "taxa de ganho",
}


def pairs() -> list[tuple[str, str]]:
    """(English, Portuguese) of every message, each form of a plural apart."""
    with PO.open("rb") as file:
        held = [message for message in read_po(file) if message.id]
    forms = [((m.id, m.string) if isinstance(m.id, tuple) else ((m.id,), (m.string,))) for m in held]
    return [pair for ids, strings in forms for pair in zip(ids, strings, strict=True)]


PAIRS = pairs()


@pytest.fixture(autouse=True)
def in_portuguese():
    use("pt_BR")
    yield
    use("en")


def test_every_message_has_a_translation_and_none_is_a_guess():
    """Fails after a text was changed: CONTRIBUTING.md, "A new sentence"."""
    found = {message.id for message in extract.collected() if message.id}
    with PO.open("rb") as file:
        held = {message.id: message for message in read_po(file) if message.id}
    assert set(held) == found
    assert [english for english, portuguese in PAIRS if not portuguese.strip()] == []
    assert [message.id for message in held.values() if message.fuzzy] == []


def test_fields_bold_code_and_headings_are_kept():
    def marks(text: str) -> tuple:
        heads = re.findall(r"^#+ ", text, re.MULTILINE)
        return sorted(FIELD.findall(text)), text.count("**"), text.count("`"), heads, text.count("\n\n")

    # A plural may count by {n}, which every plural has, where the English spells the number.
    counted = [(e.replace("{number}", "{n}") if "{number}" in e and "{n}" in p else e, p) for e, p in PAIRS]
    assert [(e, p) for e, p in counted if marks(e) != marks(p)] == []


def test_only_names_without_a_translation_stay_english():
    same = {english for english, portuguese in PAIRS if english == portuguese}
    assert {text for text in same if re.search(r"[A-Za-z]", FIELD.sub("", text))} == SAME


@pytest.mark.parametrize("term", GLOSSARY)
def test_the_glossary_is_kept_to(term):
    said = [(FIELD.sub("", english), portuguese) for english, portuguese in PAIRS]
    with_it = [(english, portuguese) for english, portuguese in said if re.search(rf"\b{term}\b", english, re.IGNORECASE)]
    assert [pair for pair in with_it if not re.search(GLOSSARY[term], pair[1], re.IGNORECASE)] == []


def test_the_catalogue_is_kept_so_that_changes_can_be_read():
    lines = PO.read_text(encoding="utf-8").splitlines()
    assert not any(line.startswith(("#:", "#,", "#~")) and "format" not in line for line in lines)
    with PO.open("rb") as file:
        order = [message.id if isinstance(message.id, str) else message.id[0] for message in read_po(file) if message.id]
    assert order == sorted(order)


def test_the_compiled_catalogue_is_that_of_the_text():
    """Fails after the .po was edited by hand: run `make docs`."""
    fresh = io.BytesIO()
    with PO.open("rb") as file:
        write_mo(fresh, read_po(file, locale="pt_BR"))
    assert PO.with_suffix(".mo").read_bytes() == fresh.getvalue()


# --- what the rooms below say --------------------------------------------------------------------------------------------


def in_words(node: ast.expr) -> str | None:
    """A text or an f-string as the rooms below would fill it: every field with a word."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "xyz" for part in node.values)
    return None


def calls(name: str) -> list[str]:
    """The texts that are given to calls of `name` anywhere in the package."""
    found = []
    for file in sorted(Path(PACKAGE).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(name):
                given = [e for a in node.args for e in (a.elts if isinstance(a, ast.List) else [a])]
                found += [text for text in map(in_words, given) if text]
    return found


def is_said(text: str) -> bool:
    return translated(text) != text


def test_every_advice_on_a_refused_row_is_said():
    settings = Settings(name="Test", currency="BRL", plan_rates={"USD": 5.0})
    given = [(table, rules.checks(table, table.names, settings, ["USD"])) for table in TABLES.values()]
    advice = {check.advice for _table, checks in given for check in checks}
    assert len(advice) > 100 and [text for text in sorted(advice) if not is_said(text)] == []
    assert [rule for rule in rules.RULES if not is_said(rule)] == []


def test_every_need_that_is_a_sentence_is_said():
    needs = [text for text in calls("Unavailable") if " " in text]
    assert len(needs) > 10 and [text for text in needs if not is_said(text)] == []


def test_every_note_on_the_files_is_said():
    notes = [text for text in calls("notes.append") if not text.startswith("data ends on")]  # which the index says itself
    notes = [n.replace("ignoredxyz", "ignored; did you mean xyz?").replace("modelxyz", "model; it is not read") for n in notes]
    assert len(notes) > 4 and [text for text in notes if not is_said(text)] == []
    assert translated("x.csv: 9,968 more columns are not in the model and are ignored").startswith("x.csv: mais 9.968 colunas")


def test_every_reason_is_said_with_days_and_measures_in_the_readers_style():
    assert translated("records begin on 2026-03-01, after the period") == "os registros começam em 01/03/2026, depois do período"
    assert translated("spend of 2026-09 has not arrived").replace("\u00a0", " ") == "spend de set. 2026 não chegou"
    assert translated("cac is not known: nothing was spent") == "CAC não é conhecido: nada foi gasto"
    filled = [re.sub(r"\{(day|month)\}", lambda found: "2026-03-01"[: 10 if found[1] == "day" else 7], text) for text in REASONS]
    assert [text for text in filled if not is_said(FIELD.sub("xyz", text))] == []


def test_a_text_that_fits_no_pattern_is_data():
    assert translated("**bold** of the data") == below.data("**bold** of the data")
