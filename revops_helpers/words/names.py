"""How reports name what they list: a record by its id, as a link where company.yml says where records are; a person by id."""

from __future__ import annotations

from urllib.parse import quote

import pandas as pd

from revops_helpers.model.company import Company
from revops_helpers.words.language import Text, data
from revops_helpers.words.markup import Part, esc, tag


def record(company: Company, table: str, id: object) -> Part | Text:
    """One record: its id, leading to where it is kept (`record_url` of the table, else of the one system that it came from)."""
    shown = data("" if pd.isna(id) else str(id))
    template = _address(company, table)
    if not template or not shown:
        return shown
    return Part("record", tag("a", esc(shown), href=template.replace("{id}", quote(str(id), safe=""))), str(shown))


def _address(company: Company, table: str) -> str:
    urls = company.settings.record_url
    if table in urls or not urls or company.ledger is None:
        return urls.get(table, "")
    systems = set(company.ledger.source[company.ledger.table == table])
    return urls.get(next(iter(systems)), "") if len(systems) == 1 else ""


def person(company: Company, id: object) -> Text:
    """Somebody who works here: the id, with the name only where the company was opened to show people."""
    if pd.isna(id):
        return data("")
    return data(_names(company).get(str(id), str(id)))


def _names(company: Company) -> dict[str, str]:
    if not company.show_people or company.missing(["users.name"]):
        return {}

    def read() -> dict[str, str]:
        users = company.table("users", ("user_id", "name")).to_pandas().dropna()
        return dict(zip(users.user_id, users.name, strict=True))

    return company.once("names of people", read)
