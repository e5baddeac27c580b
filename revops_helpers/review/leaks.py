"""People's addresses and numbers in what is about to be published: found by looking for them there, whatever let them through."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from revops_helpers.model.company import Company
from revops_helpers.model.personal import CPF, DIGITS, EMAIL, PHONE, is_cpf, key_of, salt_of
from revops_helpers.model.tables import TABLES

SHOWN = {".html", ".csv", ".json", ".ipynb", ".md", ".txt", ".log"}
PICTURES = re.compile(r"base64,[A-Za-z0-9+/=]+")
SPACES = re.compile(r"&nbsp;|\\u00a0|\u00a0|\u202f")
MAIL = re.compile(EMAIL)
NUMBER = re.compile(rf"(?<![0-9]\.)(?:{CPF}|{PHONE}|{DIGITS})(?!\.[0-9])", re.ASCII)  # no part of a decimal
Where = Mapping[str, str]  # what was found, in its plainest form → the file that shows it


def leaks(folder: Path, company: Company) -> Iterable[str]:
    """Each e-mail, phone and CPF that a file shows and that is a person's, as a sentence without it.

    A person's is what stands in a personal column of the data, a CPF that the contract made a key of, and every CPF written
    with its dots and right check digits: the contract lets none through. A number that only looks like one is nobody's.
    """
    mails, numbers = _shown(folder)
    digits = {_digits(text): file for text, file in numbers.items()}
    yield from _of_columns(company, mails, "an address", lambda values: values.lower())
    yield from _of_columns(company, digits, "a number", lambda values: _national(values.re_replace(r"[^0-9]", "")))
    dotted = {text: file for text, file in numbers.items() if re.fullmatch(CPF, text) and is_cpf(text)}
    yield from (f"{file} shows a CPF" for file in sorted(set(dotted.values())))
    keyed = _keys({text: file for text, file in numbers.items() if is_cpf(text) and text not in dotted}, company)
    yield from _of_columns(company, keyed, "a CPF", lambda values: values, only="tax_id")


def _shown(folder: Path) -> tuple[Where, Where]:
    """The e-mails and the numbers of phones' and CPFs' length in the text files of a folder; pictures left out."""
    mails: dict[str, str] = {}
    numbers: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in SHOWN:
            text, name = PICTURES.sub("", path.read_text(encoding="utf-8")), str(path.relative_to(folder))
            for mail in MAIL.findall(text):
                mails.setdefault(mail.lower(), name)
            for number in NUMBER.findall(SPACES.sub(" ", text)):
                numbers.setdefault(number, name)
    return mails, numbers


def _digits(text: str) -> str:
    """The digits of a number without country code and trunk zero: 10 or 11 of a phone, 11 of a CPF."""
    digits = re.sub(r"[^0-9]", "", text)
    return re.sub(r"^(?:55(?=[0-9]{10,11}$)|0(?=[0-9]{10,11}$))+", "", digits)


def _national(digits):
    """The same in the engine, of a column of digits."""
    return digits.re_replace(r"^(55|0)?([0-9]{10,11})$", r"\2")


def _keys(numbers: Where, company: Company) -> Where:
    """The keys that the contract would have made of CPFs, written plainly and with dots."""
    salt = salt_of(company.settings.name)
    plain = {re.sub(r"[^0-9]", "", text): file for text, file in numbers.items()}
    dotted = {f"{d[:3]}.{d[3:6]}.{d[6:9]}-{d[9:]}": file for d, file in plain.items()}
    return {key_of(text, salt): file for text, file in (plain | dotted).items()}


def _of_columns(company: Company, found: Where, what: str, form, only: str = "") -> Iterable[str]:
    """Which of what was found stands in a personal column, or in the column named; `form` brings a column into its form."""
    if not found:
        return
    for name, table in company.accepted.items():
        for column in TABLES[name].columns:
            if (column.name == only if only else column.personal) and column.name in table.columns:
                values = form(table[column.name])
                held = table.filter(values.isin(sorted(found))).select(found=values).distinct().execute()
                yield from (f"{file} shows {what} of {name}.{column.name}" for file in sorted({found[x] for x in held["found"]}))
