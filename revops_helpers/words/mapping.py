"""How sources fill the model, in words: the tables of the mapping report, for a terminal and in short for the audit."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from revops_helpers.foundation.filled import Filled
from revops_helpers.foundation.identities import Identities
from revops_helpers.model.company import Company
from revops_helpers.model.freshness import Fresh, freshness
from revops_helpers.model.tables import TABLES
from revops_helpers.words.below import translated
from revops_helpers.words.language import N_, Text, _, count, day, n_, percent, sentences

Rows = list[list[str]]
STATUS: Mapping[str, str] = {
    "read": N_("read as it is"),
    "mapped": N_("mapped"),
    "partial": N_("mapped in part"),
    "unavailable": N_("not filled"),
    "ignored": N_("not read"),
}
RULES: Mapping[str, str] = {
    "same_as": N_("the other system's id"),
    "tax_id": N_("tax id"),
    "tax_root": N_("root of the tax id"),
    "email": N_("e-mail address"),
    "domain": N_("web domain"),
}
AGES: Mapping[str, str] = {"ok": N_("new enough"), "warn": N_("old"), "fail": N_("too old"), "free": N_("no limit given")}


def tables_rows(company: Company, found: Filled) -> Rows:
    """One line per table and source: how it was filled, and the columns without a value."""
    head = [_("table"), _("source"), _("status"), _("columns filled"), _("columns without a value"), _("missing")]
    lines = []
    for one in company.mapping[company.mapping["table"] != ""].itertuples():
        given = found.fields[(found.fields["table"] == one.table) & (found.fields["source"] == one.source)]
        held = set(given.loc[given["filled"] > 0, "column"])
        empty = ", ".join(c.name for c in TABLES[one.table].columns if c.name not in held) if held else ""
        lines.append(
            [
                one.table,
                one.source,
                _(STATUS[one.status]),
                _("{there} of {all}", there=count(len(held)), all=count(len(TABLES[one.table].columns))),
                empty,
                one.missing,
            ]
        )
    return [head, *lines] if lines else []


def unread_rows(company: Company) -> Rows:
    """What lies in the exports and nothing reads: columns, and whole files."""
    report = company.mapping
    files = report[report["status"] == "ignored"]
    lines = [[one.source, _("files"), one.missing] for one in files.itertuples()]
    lines += [[one.source, _("columns"), one.unread] for one in report[report["unread"] != ""].itertuples()]
    return [[_("source"), _("what"), _("not read")], *lines] if lines else []


def reference_rows(found: Filled, most: int | None = None) -> Rows:
    """How many references find their row, the worst first; those without any reference come last."""
    head = [_("reference"), _("source"), _("to"), _("references"), _("found"), _("share")]
    order = found.references.assign(share=_shares(found.references)).sort_values("share", kind="stable", na_position="last")
    lines = []
    for one in order.head(most or len(order)).itertuples():
        share = percent(one.share) if one.filled else Text(_("n/a"))
        lines.append([f"{one.table}.{one.column}", one.source, one.to, count(one.filled), count(one.found), share])
    return [head, *lines] if lines else []


def cased_rows(cased: pd.DataFrame) -> Rows:
    """References that would find their row if capitals did not count, and what to do."""
    advice = _("bring the ids of both to one case in a SELECT, such as upper(id)")
    lines = [[f"{one.table}.{one.column}", one.source, one.to, count(one.references), advice] for one in cased.itertuples()]
    return [[_("reference"), _("source"), _("to"), _("references"), _("what to do")], *lines] if lines else []


def _shares(references: pd.DataFrame) -> pd.Series:
    return references["found"] / references["filled"].where(references["filled"] > 0)


def matching_rows(matches: pd.DataFrame) -> Rows:
    """How the records of each link were matched, as `identity.matches` counts."""
    methods = {"key": _("by key"), "domain": _("by e-mail domain"), "none": _("not matched")}
    lines = [
        [
            one.link,
            methods[one.method],
            count(one.rows),
            count(one.total),
            percent(one.rows / one.total) if one.total else _("n/a"),
        ]
        for one in matches.itertuples()
    ]
    return [[_("link"), _("how"), _("records"), _("of"), _("share")], *lines] if lines else []


def ages(company: Company) -> list[Fresh]:
    """How old the newest record of every source is."""
    sources = [] if company.mapping is None else list(dict.fromkeys(company.mapping["source"]))
    return [] if company.newest is None else freshness(company.settings, company.newest, sources, company.as_of)


def age_rows(company: Company) -> Rows:
    """The newest record of every source and of whatever else has a limit."""
    lines = [
        [one.what, "" if one.day is None else day(one.day), "" if one.days is None else count(one.days), _(AGES[one.status])]
        for one in ages(company)
    ]
    return [[_("source"), _("newest record"), _("days old"), _("judged")], *lines] if lines else []


def joined_rows(found: Identities) -> Rows:
    """How many records came to those of another system, by which rule; and how many a rule left apart, since it was in doubt."""
    lines = [[one.table, _(RULES[one.rule]), count(one.records), count(one.apart)] for one in found.joins.itertuples()]
    return [[_("table"), _("joined by"), _("records"), _("left apart, in doubt")], *lines] if lines else []


def conflict_rows(company: Company, found: Identities) -> Rows:
    """Where two systems say otherwise of one record, and who wins."""
    wins, lines = company.settings.survivors, []
    for one in found.conflicts.itertuples():
        order = wins.get(f"{one.table}.{one.column}", wins.get(one.table, ()))
        who = ", ".join([*order, _("the newest record")])
        lines.append([f"{one.table}.{one.column}", count(one.groups), who, "; ".join(one.such)])
    return [[_("column"), _("records that disagree"), _("who wins, in order"), _("such as")], *lines] if lines else []


def broken(company: Company, found: Filled, half: list[tuple[str, str]]) -> list[Text]:
    """What must be repaired before the numbers are used. half: source and file that have not arrived whole."""
    needed = dict.fromkeys(need.partition(".")[0] for need in company.settings.required)
    said = [_("{need} is required, and no source fills it", need=need) for need in company.missing(company.settings.required)]
    for need in company.settings.required:
        table, _dot, column = need.partition(".")
        if column in found.empty(table):
            said.append(_("{need} is required, and every row leaves it empty", need=need))
    for one in company.mapping.itertuples():
        tables_lost = [name for name in one.missing.split(", ") if name.count(".") == 1] if one.status == "partial" else []
        if one.table in needed and tables_lost:
            said.append(
                _(
                    "{table} is required, and {source} lacks {missing}",
                    table=one.table,
                    source=one.source,
                    missing=", ".join(tables_lost),
                )
            )
        if one.table in needed and one.status in ("read", "mapped", "partial") and not one.rows_in:
            said.append(_("{table} is required, and the export of {source} has no row", table=one.table, source=one.source))
    for source, rows in company.mapping[company.mapping["table"] != ""].groupby("source", sort=False)["rows_in"].sum().items():
        if not rows:
            said.append(_("{source}: no row has arrived from it", source=source))
    said += [_("{source}: {file} has not arrived whole", source=source, file=file) for source, file in half]
    said += [translated(one.note) for one in ages(company) if one.status == "fail"]
    return list(dict.fromkeys(said))


def mapping_reading(company: Company, found: Filled, one_each: Identities) -> Text:
    """The short form: what references find, what is one record in two systems, what is old, what nothing reads."""
    unread = sum(len(text.split(", ")) for text in company.mapping["unread"] if text)
    old = "; ".join(translated(one.note) for one in ages(company) if one.status in ("warn", "fail"))
    return sentences(
        _found(found),
        _shared(one_each),
        _("**Old:** {sources}.", sources=Text(old)) if old else "",
        n_("{n} column of the exports is read by nothing.", "{n} columns of the exports are read by nothing.", unread)
        if unread
        else "",
    )


def _found(found: Filled) -> str:
    filled, hit = (int(found.references[name].sum()) for name in ("filled", "found"))
    if not filled:
        return ""
    words = {"found": count(hit), "n": count(filled), "share": percent(hit / filled)}
    said = _("{found} of {n} references find their row ({share}).", **words)
    worst = found.references.assign(share=_shares(found.references)).sort_values("share", kind="stable").iloc[0]
    if worst["share"] == 1:
        return said
    words = {"reference": f"{worst['table']}.{worst['column']}", "source": worst["source"], "share": percent(worst["share"])}
    return sentences(said, _("The fewest do in {reference} from {source}: {share}.", **words))


def _shared(one_each: Identities) -> str:
    n, fields = int(one_each.joins["records"].sum()), count(int(one_each.conflicts["groups"].sum()))
    said = n_(
        "{n} record stands for one that another system has too; in {fields} fields the systems disagree.",
        "{n} records stand for ones that another system has too; in {fields} fields the systems disagree.",
        n,
        fields=fields,
    )
    return said if n else ""
