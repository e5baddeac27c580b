"""The keys by which records of different systems meet, in their plainest form: tax ids and web domains."""

from __future__ import annotations

import ibis

CNPJ, ROOT = 14, 8
SHARED_DOMAINS = (
    *("gmail.com", "googlemail.com", "hotmail.com", "outlook.com", "live.com", "msn.com", "icloud.com", "me.com", "aol.com"),
    *("yahoo.com", "yahoo.com.br", "hotmail.com.br", "outlook.com.br", "uol.com.br", "bol.com.br", "terra.com.br", "ig.com.br"),
    *("proton.me", "protonmail.com", "gmx.com", "gmx.de", "web.de"),
)


def plain_tax(tax_id: ibis.StringValue) -> ibis.StringValue:
    """A tax id in capitals and digits; null where nothing is left."""
    # What people write between the characters goes without a regular expression; few ids need one for the rest.
    bare = tax_id.upper().translate("./- ", "")
    return ibis.ifelse(bare.re_search("[^0-9A-Z]"), bare.re_replace("[^0-9A-Z]", ""), bare).nullif("")


def tax_root(tax_id: ibis.StringValue) -> ibis.StringValue:
    """The legal person of a tax id: the first 8 of the 14 characters of a CNPJ, else all of it."""
    plain = plain_tax(tax_id)
    return ibis.ifelse(plain.length() == CNPJ, plain.substr(0, ROOT), plain)


def plain_domain(domain: ibis.StringValue) -> ibis.StringValue:
    """A web domain without scheme, www and path; null where nothing is left."""
    return domain.lower().re_replace(r"^\s*(https?://)?(www\.)?", "").re_replace(r"[/:?\s].*$", "").nullif("")
