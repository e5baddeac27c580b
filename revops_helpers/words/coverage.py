"""What is there, in words: control totals, tables and columns, and what the missing ones would unlock."""

from __future__ import annotations

from collections.abc import Mapping

from revops_helpers.foundation.filled import Filled, filled
from revops_helpers.foundation.identities import identities
from revops_helpers.foundation.totals import Totals
from revops_helpers.measurement import Measurement
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.model.tables import TABLES
from revops_helpers.words import parts
from revops_helpers.words.definitions import name_cell
from revops_helpers.words.language import (
    N_,
    Text,
    _,
    count,
    day,
    duration,
    exact_money,
    listing,
    n_,
    percent,
    sentences,
)
from revops_helpers.words.mapping import mapping_reading, reference_rows
from revops_helpers.words.names import member, table_words
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import available, named, unavailable_metrics, upper_first

MOST = 12  # rows shown of a list
TOTALS: Mapping[str, str] = {
    "leads": N_("Leads"),
    "leads_won": N_("Leads with a won deal"),
    "deals": N_("Deals"),
    "won": N_("Deals won"),
    "lost": N_("Deals lost"),
    "open": N_("Deals open"),
    "won_amount": N_("Amount won"),
    "mean_cycle": N_("Mean days from opening to winning"),
}


@available(N_("what the records add up to"))
def totals_section(all_: Totals, company: Company) -> Part:
    """Control totals to hold against the systems, and leads by source."""
    lines = [(_(TOTALS[name]), _total(name, value, company)) for name, value in all_.counts.items() if name in TOTALS]
    left = parts.table([_("On record, of all time"), _("Total")], lines, name=_("Control totals"))
    limit = _("Limit: totals of all accepted records up to the day of this report, not of its period.")
    said = [parts.reading(totals_reading(all_)), parts.limit(limit)]
    if len(all_.by_source) < 2:
        return parts.beside(left, *said)
    rows = [(member(str(x.source)), count(x.leads), count(x.won), _won_share(x)) for x in all_.by_source.head(MOST).itertuples()]
    right = parts.table([_("Source"), name_cell("leads"), _("Won"), _("Won, of leads")], rows, name=_("Leads by source"))
    return parts.stack(parts.beside(left, right), *said)


def _total(name: str, value: float, company: Company) -> Text:
    if name == "won_amount":
        return exact_money(int(value), company.settings.currency)
    return duration(value, "days", 2) if name == "mean_cycle" else count(value)


def _won_share(x) -> Measurement:
    return Measurement(float(x.share), n=int(x.leads), low=float(x.low), high=float(x.high), unit="percent")


def totals_reading(all_: Totals) -> Text:
    """The two shares that everybody knows by heart."""
    said, counts = [], all_.counts
    leads, became = counts.get("leads", 0), counts.get("leads_won", 0)
    if leads:
        words = {"won": count(became), "leads": count(leads), "share": percent(became / leads, 1)}
        said.append(
            n_("**{won} of {leads} leads is won: {share}.**", "**{won} of {leads} leads are won: {share}.**", became, **words)
        )
    won = counts.get("won", 0)
    if won and not counts.get("lost", 0):
        said.append(_("No lost deal is on record, so deals alone tell no win rate."))
    elif decided := won + counts.get("lost", 0):
        words = {"won": count(won), "decided": count(decided), "share": percent(won / decided, 1)}
        said.append(
            n_(
                "{won} of {decided} decided deals is won: {share}.",
                "{won} of {decided} decided deals are won: {share}.",
                won,
                **words,
            )
        )
    return sentences(*said) or _("The records hold neither won deals nor leads with their deals.")


def coverage_section(company: Company, all_: Totals | Unavailable) -> Part:
    """Which tables of the revenue model the company has, how full their columns are, and what the missing ones would unlock."""
    held = [name for name in TABLES if name in company.accepted]
    lacking = [name for name in TABLES if name not in company.accepted]
    spans = {} if isinstance(all_, Unavailable) else {x.table: (x.first, x.last) for x in all_.spans.itertuples()}
    found = company.ask(filled)
    rows = [_coverage_row(company, name, spans, found) for name in held]
    heads = [_("Table"), _("Source"), _("Rows"), _("From"), _("To"), _("Columns filled"), _("Columns that no export fills")]
    grid = parts.table(heads, rows, name=_("Tables of the revenue model"))
    first = n_("**{n} of {all} tables is here.**", "**{n} of {all} tables are here.**", len(held), all=count(len(TABLES)))
    absent = _("Not exported: {tables}.", tables=listing([*map(table_words, lacking)])) if lacking else ""
    shown = [parts.reading(sentences(first, absent)), parts.details(_("Rows and columns of every table"), grid)]
    if len(found.references):
        heads_and_lines = reference_rows(found, MOST)
        grid = parts.table(
            [*map(upper_first, heads_and_lines[0])], heads_and_lines[1:], name=_("References that find the fewest rows")
        )
        shown += [
            parts.reading(mapping_reading(company, found, company.ask(identities))),
            parts.details(_("References that find the fewest rows"), grid),
        ]
    if unlocked := unavailable_metrics(company):
        lines = [(need, named(labels, 4)) for need, labels in unlocked]
        shown.append(parts.table([_("Needs"), _("Would unlock")], lines, name=_("What is missing")))
    return parts.stack(*shown)


def _coverage_row(company: Company, name: str, spans: Mapping[str, tuple], found: Filled) -> tuple:
    wanted = [column.name for column in TABLES[name].columns]
    empty = found.empty(name)
    there = [column for column in wanted if column in company.accepted[name].columns and column not in empty]
    report = company.mapping
    sources = "" if report is None else ", ".join(report.loc[(report["table"] == name) & (report["rows_out"] > 0), "source"])
    missing = [column for column in wanted if column not in there]
    rows = int(company.table(name).count().execute())
    days = [Text(day(when)) for when in spans[name]] if name in spans else ["", ""]
    full = _("{there} of {all}", there=count(len(there)), all=count(len(wanted)))
    return name, sources, count(rows), *days, full, ", ".join(missing)
