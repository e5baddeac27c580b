"""A whole company whose every text is hostile, for tests: markup, formulas, paths and marks in every text column of every table,
and in company.yml; e-mails, phones and CPF numbers in every personal and every free column. Drawn by the sample's generator."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import yaml

from revops_helpers.model.tables import TABLES, Column
from revops_helpers.sample.simulation import MAKERS, World
from revops_helpers.sample.world import STAGES

# What data may hold, each before the value that tells rows apart. None of it may ever be more than text.
PAYLOADS = (
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "</title></style><svg onload=alert(1)>",
    "\" autofocus onfocus='alert(1)' x=\"",
    "<a href=javascript:alert(1)>go</a>",
    "[link](http://evil.example/x) ",
    "![img](http://evil.example/x.png) ",
    "**bold** _it_ ~~no~~ `code` # ",
    "a | b | c ",
    "$x^2$ ",
    "$\\frac{a$ $ ",
    "=cmd|' /C calc'!A0 ",
    "+1+1 ",
    "-2+3 ",
    "@SUM(1,1) ",
    "\t=1+1 ",
    "\r=1+1 ",
    "'; DROP TABLE accounts; -- ",
    "../../etc/passwd ",
    "C:\\Windows\\..\\x ",
    "\u202egnp.exe ",
    "zero\u200bwidth\ufeff\u2060 ",
    "e\u0301\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001fae8 ",
    "شركة ",
    "{placeholder} {0} {{x}} {company.settings} ",
    "%s %(name)s %d %",
    "W" * 300,
    "line\nbreak ",
    "&lt;b&gt;&amp;&#x3c;script&#x3e; ",
    "\u0007\u001b[31mred ",
    "\ue001win_rate\ue00218%\ue003 ",
)
# Values that the model or an analysis knows by name: half of the rows keep them, or nothing would be left to show.
KNOWN_BY_NAME = {
    "targets.metric", "metric_claims.metric", "initiatives.metric", "initiatives.treated_dimension",
    "readiness_answers.respondent_role", "readiness_answers.question", "readiness_answers.answer",
}  # fmt: skip
AS_WRITTEN = {"currency"}
# Planted where no page may show it: every personal column, and inside free text. Any of these in a review is a leak.
MARK = "zyxqzq"
EMAIL = f"ana.{MARK}@{MARK}-mail.example"
PHONE, PHONES = "(11) 98765-4321", ("98765-4321", "987654321", "98765 4321")
CPF, CPFS = "529.982.247-25", ("529.982.247-25", "52998224725")
LEAKS = (MARK, *PHONES, *CPFS)
PERSONAL = f"Ana {EMAIL}, {PHONE} {CPF}; 11987654321 52998224725"
Spell = Callable[[str, Column, str], str]


def hostile(text: str) -> str:
    """The text after a payload; equal texts stay equal, others stay different."""
    return PAYLOADS[zlib.crc32(text.encode()) % len(PAYLOADS)] + text


def with_people(value: str, often: int) -> str:
    """Personal data of every kind before a free text, in one of `often` values."""
    return f"{PERSONAL} {value}" if zlib.crc32(value.encode()) % often == 0 else value


def spelled(table: str, column: Column, value: str) -> str:
    """One value as the hostile company has it."""
    if column.allowed or column.name in AS_WRITTEN:
        return value
    if column.personal:
        return hostile(f"{MARK}.{value}")
    if f"{table}.{column.name}" in KNOWN_BY_NAME:
        return hostile(value) if zlib.crc32(f"{value}{column.name}".encode()) % 2 else value
    if column.name == "tax_id":
        return (CPF, value, hostile(value))[zlib.crc32(value.encode()) % 3]
    if column.name in TABLES[table].key or column.refers:
        return hostile(f"{MARK}.{value}@{MARK}.example") if zlib.crc32(value.encode()) % 4 == 0 else hostile(value)
    return hostile(with_people(value, 3))


def write_hostile(folder: Path, seed: int = 1, scale: float = 0.05, spell: Spell = spelled) -> Path:
    """The company's folder: one CSV per table of the model, and company.yml."""
    folder.mkdir(parents=True, exist_ok=True)
    world = World(seed, scale)
    for name, make in MAKERS.items():
        canonical(name, make(world), spell).to_csv(folder / f"{name}.csv", index=False, quoting=csv.QUOTE_ALL)
    stage = TABLES["opportunities"]["stage"]
    agreed = {
        "name": "".join(PAYLOADS[n] for n in (0, 5, 7, 9, 20, 24)) + "S.A.",
        "currency": "BRL",
        "opportunity_stages": [spell("opportunities", stage, value) for value in STAGES],
        "handoff_checklist": [hostile(f"item {n}") for n in range(8)],
        "plan_rates": {"USD": 5.4},
        "team": {hostile("seller"): "sales", hostile("csm"): "customer_success", hostile("mkt"): hostile("mkt")},
        "records_start": {"leads": "2024-10-01", "opportunities": "2021-10-01", "subscriptions": "2021-10-01"},
    }
    (folder / "company.yml").write_text(yaml.safe_dump(agreed, allow_unicode=True), encoding="utf-8")
    return folder


def canonical(name: str, frame: pd.DataFrame, spell: Spell) -> pd.DataFrame:
    """A simulated table as a company would export it: money in major units, days without a time, texts as `spell` has them."""
    shown = {}
    for column in TABLES[name].columns:
        if column.name == "same_as":  # no record of the sample is known to another system
            shown[column.name] = [spell(name, column, f"other {n}") for n in range(len(frame))]
            continue
        if column.name not in frame.columns:
            continue
        values = frame[column.name]
        if column.type == "text":
            known = {v: spell(name, column, str(v)) for v in values.dropna().unique()}
            shown[column.name] = values.astype(object).map(known)
        elif column.type == "money":
            shown[column.name] = (values / 100).map("{:.2f}".format)
        elif column.type in ("date", "time"):
            shown[column.name] = values.dt.strftime("%Y-%m-%d" if column.type == "date" else "%Y-%m-%d %H:%M:%SZ")
        else:
            shown[column.name] = values
    return pd.DataFrame(shown)
