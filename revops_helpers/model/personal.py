"""Personal data where it does not belong: e-mails, phones and CPF numbers in names, ids and notes, and people's names as ids.

A column marked personal in model/tables.py keeps what it holds, and no report shows it. Any other text is masked before it is
accepted, so that nothing after the contract can show it: ids by a keyed hash (equal ids stay equal), notes by a word in brackets.
A company's CNPJ is no personal data; a CPF in its place is. Source: LGPD art. 6, III (necessity) and 12; docs/decisions.md.
"""

from __future__ import annotations

import os
import re
from hashlib import sha256

from revops_helpers.model.formats import quoted
from revops_helpers.model.tables import Column, Table

KEY = "REVOPS_KEY"
LONGEST = 1_000  # characters of a text that are kept
# Read by RE2 and by Python alike. Ten or eleven digits alone are a phone or a CPF in a note, and nothing but an id in an id.
EMAIL = r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+"
CPF = r"\b[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}\b"
PHONE = (
    r"(?:\+[0-9]{1,3}[ .-]?)?(?:\(0?[0-9]{2}\)[ .-]?9?[ .-]?[0-9]{4}[ .-]?|\b0?[0-9]{2}[ .-]9?[ .-]?[0-9]{4}[.-])[0-9]{4}\b"
    r"|\+[0-9]{1,3}[ .-]?[0-9]{8,11}\b"
)
DIGITS = r"\b(?:55)?[0-9]{10,11}\b"
MASKS = ((EMAIL, "[e-mail]"), (CPF, "[CPF]"), (PHONE, "[tel.]"), (DIGITS, "[nº]"))
PLAIN_ID = "[A-Za-z0-9_-]{1,200}"  # nothing around it, nothing personal in it: most ids, told by one test
FULL_NAME = r"\pL[\pL.'’-]*(?: \pL[\pL.'’-]*)+"


def hide(text: str) -> str:
    """The text with e-mails, CPFs and phone numbers masked: for messages that may quote data."""
    for pattern, mask in MASKS:
        text = re.sub(pattern, mask, text, flags=re.ASCII)
    return text


def is_cpf(text: str) -> bool:
    """Whether the text is a CPF, with or without its dots: eleven digits, not all alike, whose last two are right (modulo 11)."""
    digits = [int(c) for c in re.sub(r"[.-]", "", text) if c in "0123456789"]
    if len(digits) != 11 or len(set(digits)) == 1:
        return False
    sums = (sum(d * (n + 1 - i) for i, d in enumerate(digits[:n])) for n in (9, 10))
    return [s * 10 % 11 % 10 for s in sums] == digits[9:]


def key_of(text: str, salt: str) -> str:
    """What the contract makes of an id that is an address or a number; the engine's own formula is in `masked`."""
    return f"key-{sha256((salt + text.lower()).encode()).hexdigest()[:12]}"


def salt_of(company: str) -> str:
    """What keys the hashes: the secret in `REVOPS_KEY`, else the company's name: whoever knows an e-mail can then find it."""
    return os.environ.get(KEY) or company


def is_id(spec: Table, column: Column) -> bool:
    """Whether a text column holds ids, of its own table or of another."""
    return column.type == "text" and not column.allowed and (column.name in spec.key or bool(column.refers))


def masked(spec: Table, column: Column, x: str, salt: str) -> str:
    """SQL of a text column's trimmed value `x`, of bounded length and without personal data."""
    if column.allowed:
        return x
    hashed = f"'key-' || left(sha256({quoted(salt)} || lower({x})), 12)"
    if is_id(spec, column):
        return f"CASE WHEN strlen({x}) > {LONGEST} THEN {hashed} ELSE {_id(spec, column, x, hashed)} END"
    x = f"CASE WHEN strlen({x}) > {LONGEST} THEN left({x}, {LONGEST}) ELSE {x} END"
    if column.personal:
        return x
    if column.name == "domain":
        return f"regexp_replace({x}, '^.*@', '')"
    if column.name == "tax_id":
        return f"CASE WHEN regexp_full_match({x}, '{CPF}|[0-9]{{11}}') THEN {hashed} ELSE {x} END"
    return _note(x, hashed)


def _id(spec: Table, column: Column, x: str, hashed: str) -> str:
    """An id as it is, unless it is an e-mail or a CPF, or the name of a person. Cheap tests first: ids are many."""
    addressed = f"CASE WHEN regexp_matches({x}, {quoted(f'{EMAIL}|{CPF}')}) THEN {hashed} ELSE {x} END"
    found = f"WHEN contains({x}, '@') OR contains({x}, '.') THEN {addressed}"
    if "users.user_id" in (column.refers, f"{spec.name}.{column.name}"):
        named = f"CASE WHEN regexp_full_match({x}, {quoted(FULL_NAME)}) THEN {hashed} ELSE {addressed} END"
        found = f"WHEN contains({x}, ' ') THEN {named} {found}"
    return f"CASE {found} ELSE {x} END"


def _note(x: str, hashed: str) -> str:
    """A free text: what is nothing but an address or a number stays apart from others, the rest is masked within."""
    cleaned = x
    for pattern, mask in MASKS:
        cleaned = f"regexp_replace({cleaned}, {quoted(pattern)}, {quoted(mask)}, 'g')"
    any_of = quoted("|".join(pattern for pattern, _mask in MASKS))
    found = f"CASE WHEN regexp_full_match({x}, {any_of}) THEN {hashed} ELSE {cleaned} END"
    found = f"CASE WHEN regexp_matches({x}, {any_of}) THEN {found} ELSE {x} END"
    return f"CASE WHEN regexp_matches({x}, '@|[0-9]{{3}}') THEN {found} ELSE {x} END"
