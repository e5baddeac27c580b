"""What stands twice, in words: candidate pairs by how they were found, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping

from revops_helpers.foundation.duplicates import METHODS, Duplicates
from revops_helpers.model.company import Company
from revops_helpers.words import parts
from revops_helpers.words.language import N_, Text, _, count, listing, n_
from revops_helpers.words.names import table_words
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import available, upper_first

SAME: Mapping[str, str] = {
    "tax_id": N_("same tax id"),
    "email": N_("same e-mail"),
    "tax_root": N_("same tax id root: one legal group"),
    "domain": N_("same web domain"),
    "name": N_("similar name, for a person to decide"),
}


@available(N_("how many companies and people stand twice"))
def duplicates_section(twice: Duplicates, company: Company) -> Part:
    """Candidate pairs by how they were found; nothing is joined."""
    sure = {"certain": _("certain"), "group": _("one group, not a duplicate"), "likely": _("likely"), "proposal": _("for review")}
    rows = []
    for table in twice.records:
        for method, words in SAME.items():
            if pairs := twice.count(method, table=table):
                rows.append(
                    (
                        upper_first(table_words(table)),
                        _(words),
                        count(pairs),
                        count(twice.extra(method, table=table)),
                        sure[METHODS[method]],
                    )
                )
    heads = [_("Table"), _("Found by"), _("Pairs"), _("Records more than needed"), _("How sure")]
    compared = listing(
        [n_("{n} row of {table}", "{n} rows of {table}", n, table=table_words(table)) for table, n in twice.records.items()]
    )
    limit = _(
        "Limit: {compared} compared. Names only propose: nothing is joined by name, and customers are counted by tax id root.",
        compared=compared,
    )
    skipped = (
        n_("{n} name is too common to compare.", "{n} names are too common to compare.", twice.skipped) if twice.skipped else ""
    )
    said = [parts.reading(_twice_reading(twice)), parts.limit(Text(f"{limit} {skipped}".strip()))]
    return parts.beside(parts.table(heads, rows, name=_("Records that stand twice")), *said) if rows else parts.stack(*said)


def _twice_reading(twice: Duplicates) -> str:
    extra = twice.extra("tax_id", "domain", table="accounts")
    people = twice.extra("email", table="leads")
    proposed = twice.count("name", table="accounts")
    said = []
    if extra:
        said.append(n_("**{n} company record repeats another** by tax id or web domain.",
                       "**{n} company records repeat another** by tax id or web domain.", extra))  # fmt: skip
    if people:
        said.append(n_("{n} lead repeats another's e-mail.", "{n} leads repeat another's e-mail.", people))
    if proposed:
        said.append(
            n_("{n} pair of similar names awaits a person's eye.", "{n} pairs of similar names await a person's eye.", proposed)
        )
    return Text(" ".join(said)) or _("Nothing stands twice.")
