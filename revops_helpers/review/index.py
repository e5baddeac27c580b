"""What the index page says beyond its notebook: the reports behind it, and the state of the data."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import ibis
import pandas as pd

from revops_helpers.model.company import Company
from revops_helpers.model.tables import TABLES, Table
from revops_helpers.review.collect import Report
from revops_helpers.words.language import _, count, data, day, exact_money, percent
from revops_helpers.words.markup import Part, esc, plain, rich, tag
from revops_helpers.words.parts import details, ledger_table, note, section, stack, warning


def reports_part(reports: Iterable[Report]) -> Part:
    """Each report of the review with its bottom line: the worst of its sentences."""
    rows, lines = [], []
    for one in reports:
        said = one.bottom_line[0] if one.bottom_line else one.title
        head = tag("th", tag("a", esc(name_of(one)), href=f"{one.name}.html"), scope="row")
        rows.append(tag("tr", head + tag("td", esc(said))))
        lines.append(f"{name_of(one)}: {said}")
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
        "manifest.json": _("manifest"),
    }
    return ", ".join(tag("a", esc(words), href=file) for file, words in held.items())


def name_of(report: Report) -> str:
    """What a report is called in the navigation: its number and its name."""
    number, _underscore, words = report.name.partition("_")
    return f"{int(number)} {_(_words(words))}" if number.isdigit() else _(_words(report.name))


def _words(stem: str) -> str:
    return stem.replace("_", " ").capitalize()


def data_part(company: Company) -> Part:
    """The row ledger in one bar, then by table; what was refused most; the newest record of each table."""
    ledger = company.ledger
    rows = ledger[ledger["unit"] == "rows"]
    read, accepted, quarantined, excluded = (int(rows[c].sum()) for c in ("read", "accepted", "quarantined", "excluded"))
    share = percent(accepted / read) if read else _("none")
    head = section(_("Data: {share} of rows accepted", share=share), anchor="data", short=_("Data quality"))
    sums = _(
        "**{read}** rows read = **{accepted}** accepted + **{quarantined}** quarantined + **{excluded}** excluded",
        read=count(read), accepted=count(accepted), quarantined=count(quarantined), excluded=count(excluded),
    )  # fmt: skip
    parts = (accepted, quarantined, excluded)
    bar = "".join(tag("i", style=f"flex:{100 * part / read:.3f}") for part in parts) if read else ""
    total = Part("ledger", tag("p", rich(sums)) + tag("div", bar, class_="led", aria_hidden="true"), plain(sums))
    by_table = details(_("By table and source"), ledger_table(company))
    return stack(head, *late(company), total, note(_money(ledger)), note(_refused(company.quarantine)), by_table, fresh(company))


def late(company: Company) -> list[Part]:
    """A warning when the data ends before the date of the review."""
    ends = company.data_ends_on
    if ends is None or ends >= company.as_of:
        return []
    return [warning(_("**The data ends on {day}.** What came after is not in this review.", day=day(ends)))]


def _money(ledger: pd.DataFrame) -> str:
    """The largest sum of money in the ledger, from read to accepted."""
    money = ledger[ledger["unit"] != "rows"]
    if money.empty:
        return ""
    line = money.loc[money["read"].astype(float).idxmax()]
    amounts = {part: exact_money(int(line[part]), line["unit"]) for part in ("read", "accepted", "quarantined", "excluded")}
    words = _("Money in {table}: {read} read = {accepted} accepted + {quarantined} quarantined + {excluded} excluded.")
    return words.format(table=data(line["table"]), **amounts)


def _refused(quarantine: pd.DataFrame | None) -> str:
    """The rule that refused most rows."""
    if quarantine is None or quarantine.empty:
        return _("No row was refused.")
    counted = quarantine.groupby(["rule", "table"], sort=True).size()
    rule, table = counted.idxmax()
    return _("The largest reason for refusal: {n} rows of {table}: {rule}.", n=count(counted.max()), table=table, rule=rule)


def fresh(company: Company) -> Part:
    """The newest record of each table; old ones stand out."""
    newest = {name: newest_stamp(company, TABLES[name]) for name in company.tables}
    known = sorted((stamp, name) for name, stamp in newest.items() if stamp is not None)
    ends = company.data_ends_on or company.as_of
    items, lines = [], []
    for stamp, name in known:
        old = (min(ends, company.as_of) - stamp).days
        state = "ok" if old <= 7 else "par" if old <= 31 else "bad"
        text = day(stamp) if old <= 7 else _("{day}: {n} days old", day=day(stamp), n=count(old))
        items.append(tag("li", tag("b", esc(name)) + "<br>" + tag("span", esc(text), class_=f"st {state}")))
        lines.append(f"{name}: {text}")
    held = Part("fresh", tag("ul", "".join(items), class_="fresh"), "\n".join(lines))
    return details(_("Newest record of each table"), held)


def newest_stamp(company: Company, table: Table) -> date | None:
    """The day of the newest row of a table as it stood, or None where it has no stamps or no rows."""
    rows = company.table(table.name)
    stamps = [rows[name] for name in table.stamp if name in rows.columns]
    if not stamps:
        return None
    newest = rows.aggregate(newest=ibis.coalesce(*(stamp.cast("timestamp") for stamp in stamps)).max()).execute()["newest"][0]
    return None if pd.isna(newest) else datetime.date(newest)
