"""What the index page says beyond its notebook: the reports behind it, and the state of the data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

import ibis
import pandas as pd

from revops_helpers.model.company import Company
from revops_helpers.model.tables import TABLES, Table
from revops_helpers.periods import month_end
from revops_helpers.review.collect import Report, role_of
from revops_helpers.words.below import translated
from revops_helpers.words.definitions import PAGE
from revops_helpers.words.language import _, count, day, listing, money, n_, percent
from revops_helpers.words.markup import Part, esc, plain, rich, tag
from revops_helpers.words.names import table_words
from revops_helpers.words.parts import details, ledger_table, note, section, stack, warning
from revops_helpers.words.phase import upper_first
from revops_helpers.words.roles import roles

MONEY = ("opportunities", "subscriptions", "invoices", "financials", "spend")


def reports_part(reports: Iterable[Report]) -> Part:
    """Each report of the review with its bottom line, the worst of its sentences; then the definitions and the files."""
    told = [(name_of(one), f"{one.name}.html", one.lead) for one in reports]
    told.append((_("Definitions"), PAGE, _("What every number means: sentence, formula, timing, edge cases, source and SQL.")))
    rows = [tag("tr", tag("th", tag("a", esc(name), href=to), scope="row") + tag("td", rich(said))) for name, to, said in told]
    lines = [f"{name}: {plain(said)}" for name, _href, said in told]
    files_head = tag("th", esc(_("Files")), scope="row")
    rows.append(tag("tr", files_head + tag("td", _files())))
    html = tag("table", tag("tbody", "".join(rows)), class_="links")
    head = section(_("The reports behind this page"), anchor="pages", short=_("Reports"))
    return stack(head, Part("reports", html, "\n".join(lines)))


def _files() -> str:
    """Links to the files beside the pages."""
    held = {
        "tables/metrics.csv": _("every metric as a tidy table"),
        "exports/actions.csv": _("actions for the task tracker"),
        "tables/quarantine_summary.csv": _("refused rows by rule"),
        "tables/quarantine.csv": _("each refused row"),
        "manifest.json": _("manifest"),
    }
    return ", ".join(tag("a", esc(words), href=file) for file, words in held.items())


def name_of(report: Report) -> str:
    """What a report is called in the navigation: its number and its name, or its role."""
    if role := role_of(report.name):
        return _(roles()[role].name)
    number, _underscore, words = report.name.partition("_")
    return f"{int(number)} {_(_words(words))}" if number.isdigit() else _(_words(report.name))


def _words(stem: str) -> str:
    return stem.replace("_", " ").capitalize()


def data_part(company: Company) -> Part:
    """The row ledger in one bar, then by table; what was refused most; the newest record of each table."""
    ledger = company.ledger
    rows = ledger[ledger["unit"] == "rows"]
    read, accepted, quarantined, excluded = (int(rows[c].sum()) for c in ("read", "accepted", "quarantined", "excluded"))
    newest = {name: newest_day(company, TABLES[name]) for name in company.tables}
    sums = _(
        "**{read}** rows read = **{accepted}** accepted + **{quarantined}** quarantined + **{excluded}** excluded",
        read=count(read), accepted=count(accepted), quarantined=count(quarantined), excluded=count(excluded),
    )  # fmt: skip
    head = section(_title(company, accepted / read if read else 0.0, newest), sums, anchor="data", short=_("Data quality"))
    parts = (accepted, quarantined, excluded)
    bar = "".join(tag("i", style=f"flex:{100 * part / read:.3f}") for part in parts) if read else ""
    drawn = Part("ledger", tag("div", bar, class_="led", aria_hidden="true"), "")
    by_table = details(_("By table and source"), ledger_table(company))
    others = [translated(text) for text in company.notes if not text.startswith("data ends on")]
    said = [note(text) for text in (_money(ledger), _refused(company.quarantine)) if text]
    remarks = n_("One remark on the files", "{n} remarks on the files", len(others))
    folded = [details(remarks, *map(note, others))] if others else []
    return stack(head, *ends_early(company), drawn, *said, by_table, fresh(company, newest), *folded)


def _title(company: Company, share: float, newest: Mapping[str, date | None]) -> str:
    """How much was accepted, and which monthly or weekly totals have not arrived."""
    digits = next((n for n in (0, 1, 2, 3) if share == 1 or round(share * 100, n) < 100), 3)
    missing = sorted(name for name, day_ in newest.items() if day_ and TABLES[name].covers and _old(company, day_) > 7)
    accepted = percent(share, digits)
    if not missing:
        return _("Data: {share} of rows accepted", share=accepted)
    return _(
        "Data: {share} of rows accepted; {tables} not arrived yet", share=accepted, tables=listing([*map(table_words, missing)])
    )


def ends_early(company: Company) -> list[Part]:
    """A warning when the data ends before the date of the review."""
    ends = company.data_ends_on
    if ends is None or ends >= company.as_of:
        return []
    return [warning(_("**The data ends on {day}.** What came after is not in this review.", day=day(ends)))]


def _money(ledger: pd.DataFrame) -> str:
    """The ledger of the money that matters most here, in its largest currency."""
    lines = ledger[ledger["unit"] != "rows"]
    for table in MONEY:
        held = lines[lines["table"] == table]
        if len(held):
            line = held.loc[held["read"].astype(float).idxmax()]
            amounts = {part: money(int(line[part]), line["unit"]) for part in ("read", "accepted", "quarantined", "excluded")}
            words = _("Money in {table}: {read} read = {accepted} accepted + {quarantined} quarantined + {excluded} excluded.")
            return words.format(table=table_words(table), **amounts)
    return ""


def _refused(quarantine: pd.DataFrame | None) -> str:
    """The rule that refused most rows."""
    if quarantine is None or quarantine.empty:
        return _("No row was refused.")
    counted = quarantine.groupby(["rule", "table"], sort=True).size()
    rule, table = counted.idxmax()
    return n_(
        "The largest reason for refusal: {n} row of {table}: {rule}.",
        "The largest reason for refusal: {n} rows of {table}: {rule}.",
        int(counted.max()),
        table=table_words(table),
        rule=translated(rule),
    )


def fresh(company: Company, newest: Mapping[str, date | None]) -> Part:
    """The newest record of each table; old ones stand out."""
    items, lines = [], []
    for last, name in sorted((last, name) for name, last in newest.items() if last is not None):
        old = _old(company, last)
        state = "ok" if old <= 7 else "bad" if TABLES[name].covers else "par"
        text = day(last) if old <= 7 else _("{day}: {n} days old", day=day(last), n=count(old))
        items.append(
            tag("li", tag("b", esc(upper_first(table_words(name)))) + "<br>" + tag("span", esc(text), class_=f"st {state}"))
        )
        lines.append(f"{table_words(name)}: {text}")
    held = Part("fresh", tag("ul", "".join(items), class_="fresh"), "\n".join(lines))
    return details(_("Newest record of each table"), held)


def _old(company: Company, last: date) -> int:
    """Days from the newest record to the end of the data, or to the date of the review where that is earlier."""
    return (min(company.data_ends_on or company.as_of, company.as_of) - last).days


def newest_day(company: Company, table: Table) -> date | None:
    """The last day that a table as it stood says something of, or None where it has no stamps or no rows."""
    rows = company.table(table.name)
    stamps = [rows[name] for name in table.stamp if name in rows.columns]
    if not stamps:
        return None
    newest = rows.aggregate(newest=ibis.coalesce(*(stamp.cast("timestamp") for stamp in stamps)).max()).execute()["newest"][0]
    if pd.isna(newest):
        return None
    last = datetime.date(newest)
    return {"month": month_end(last), "week": last + timedelta(days=6)}.get(table.covers, last)
