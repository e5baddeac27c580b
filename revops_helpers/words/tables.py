"""Tables: first cell is the row's head, numbers to the right, the interval small under its value, a scroll box of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date
from typing import Literal

from revops_helpers.finding import Finding, ranked
from revops_helpers.measurement import Measurement
from revops_helpers.words.below import translated
from revops_helpers.words.definitions import named
from revops_helpers.words.language import (
    GAP,
    Quantity,
    Text,
    _,
    count,
    data,
    day,
    exact_money,
    interval_of,
    number,
    value_of,
    with_interval,
)
from revops_helpers.words.marks import interval_bar
from revops_helpers.words.markup import Part, esc, linked, plain, rich, tag

MOST_COLUMNS = 9
FINDING_SHAPES = ("k", None, "n", "g", "c", None, None, None, "e")  # confidence and evidence are not printed
Short = Literal["", "before", "instead"]
Cell = str | int | float | date | Measurement | Part | None


def cell_html(cell: Cell) -> str:
    """One cell: our own Text may hold **bold**, any other string is data and stays as it is."""
    if cell is None:
        return ""
    if isinstance(cell, Part):
        return cell.html
    if isinstance(cell, Measurement):
        under = esc(interval_of(cell)) if cell.value is not None else esc(translated(cell.reason))
        return f"{esc(value_of(cell))}{f'<small>{under}</small>' if under else ''}"
    if isinstance(cell, Text):
        return rich(cell)
    if isinstance(cell, date):
        return esc(day(cell))
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return esc(number(cell, 0 if cell == int(cell) else 2)) if cell == cell else ""
    return esc(data(cell))


def cell_text(cell: Cell) -> str:
    """The same as plain text."""
    if isinstance(cell, Part):
        return cell.text
    if isinstance(cell, Measurement):
        return with_interval(cell)
    if isinstance(cell, date):
        return day(cell)
    return "" if cell is None else plain(cell) if isinstance(cell, str) else str(cell)


def numeric(cells: Iterable[Cell]) -> bool:
    """True when a column holds only numbers, measurements and formatted quantities, and at least one."""
    held = [cell for cell in cells if cell is not None and cell != ""]
    return bool(held) and all(
        isinstance(cell, Quantity | Measurement | int | float) and not isinstance(cell, bool) for cell in held
    )


def table(columns: Sequence[str | Part], rows: Iterable[Sequence[Cell]], caption: str = "", name: str = "") -> Part:
    """A table of up to nine columns. Cells: text, numbers, dates, Measurement (interval under the value), a Part, None.
    A head is text or a Part, such as the name of a metric that leads to its definition (`name_cell`); the head of a column, or
    else of a row, whose measurements are all of one metric leads there by itself.

    name: what a screen reader calls the scroll box; the caption, else the first column's head. ValueError when ragged.
    """
    rows = [tuple(row) for row in rows]
    if len(columns) > MOST_COLUMNS or any(len(row) != len(columns) for row in rows):
        raise ValueError(f"a table has at most {MOST_COLUMNS} columns and every row as many cells as there are columns")
    columns, rows = _leading(columns, rows)
    shapes = ["n" if numeric(row[i] for row in rows) else None for i in range(len(columns))]
    head = "".join(tag("th", cell_html(column), scope="col", class_=shape) for column, shape in zip(columns, shapes, strict=True))
    title = tag("caption", rich(caption)) if caption else ""
    body = "".join(_row(row, shapes) for row in rows)
    grid = tag("table", title + tag("thead", tag("tr", head)) + tag("tbody", body))
    lines = [" | ".join(map(cell_text, columns)), *(" | ".join(map(cell_text, row)) for row in rows)]
    return Part(
        "table", scroll(grid, name or caption or cell_text(columns[0])), "\n".join([plain(caption), *lines] if caption else lines)
    )


def _leading(columns: Sequence[str | Part], rows: list[tuple]) -> tuple[list[str | Part], list[tuple]]:
    """The heads, those of one metric as links to its definition: columns first, then rows that hold what no column told.
    Where each row has its own name there is nothing to add."""
    named = all(isinstance(row[0], Part) for row in rows)
    of_column = ["" if named else _metric_of(row[i] for row in rows) for i in range(len(columns))]
    told = [place for place, metric in enumerate(of_column) if metric]
    of_row = [_metric_of(cell for place, cell in enumerate(row) if place not in told) for row in rows]
    heads = [_lead(metric, cell) for metric, cell in zip(of_column, columns, strict=True)]
    return heads, [(_lead(metric, row[0]), *row[1:]) for metric, row in zip(of_row, rows, strict=True)]


def _metric_of(cells: Iterable[Cell]) -> str:
    """The one metric that measurements are of; empty where there are several, or none."""
    found = {cell.definition_id for cell in cells if isinstance(cell, Measurement)}
    return found.pop() if len(found) == 1 else ""


def _lead(metric: str, cell: Cell) -> Cell:
    return Part("name", linked(metric, cell_html(cell)), cell_text(cell)) if metric and not isinstance(cell, Part) else cell


def _row(row: Sequence[Cell], shapes: Sequence[str | None]) -> str:
    first = tag("th", cell_html(row[0]), scope="row", class_=shapes[0])
    return tag("tr", first + "".join(tag("td", cell_html(c), class_=s) for c, s in zip(row[1:], shapes[1:], strict=True)))


def scroll(grid: str, name: str) -> str:
    """A box of its own for a wide table, reachable by keyboard and named."""
    return tag("div", grid, class_="scroll", role="region", tabindex="0", aria_label=plain(name))


def findings_table(findings: Sequence[Finding], joint: Measurement | None = None, short: Short = "") -> Part:
    """The findings, largest stake first, with what they are worth together; on the phone each row is a card.

    short: in print a table of action, money and owner comes before the whole one, which starts a page ("before"), or takes its
    place ("instead"), with the finding before each action.
    """
    order = ranked(list(findings))
    held = {"findings": [_collected(f) for f in order], "joint": asdict(joint) if joint else None}
    if not order:
        text = _("No finding stands clear of noise.")
        return Part("findings", tag("p", rich(text), class_="none"), plain(text), held)
    bounds = [b for f in order for b in (f.stake.low, f.stake.high, f.stake.value, 0) if b is not None]
    heads = _finding_heads()
    shapes = FINDING_SHAPES
    head = "".join(_head(text, shape) for text, shape in zip(heads, shapes, strict=True))
    rows = "".join(_finding_row(i, finding, (min(bounds), max(bounds)), heads) for i, finding in enumerate(order, 1))
    grid = tag("thead", tag("tr", head, role="row"), role="rowgroup") + tag("tbody", rows, role="rowgroup")
    note = _overlap(order, joint)
    html = _brief(order, short) if short else ""
    html += tag("table", grid, class_="cards", role="table", aria_label=_("Findings")) + (
        tag("p", rich(note), class_="note") if note else ""
    )
    lines = [f"{i}. {plain(f.headline)} {plain(f.action)} ({with_interval(f.stake)})" for i, f in enumerate(order, 1)]
    return Part("findings", html, "\n".join([*lines, plain(note)]).strip(), held)


def _brief(order: Sequence[Finding], short: Short) -> str:
    """What is done, for how much, by whom: for paper only."""
    heads = zip((_("#"), _("Action"), _("Worth"), _("Owner")), (None, None, "n", None), strict=True)
    head = "".join(tag("th", rich(text), scope="col", class_=shape) for text, shape in heads)
    rows = "".join(
        tag("tr", tag("td", str(i)) + tag("th", _said(f), scope="row") + tag("td", _worth(f.stake), class_="n w")
            + tag("td", rich(data(f.owner))))
        for i, f in enumerate(order, 1)
    )  # fmt: skip
    return tag("table", tag("thead", tag("tr", head)) + tag("tbody", rows), class_=f"brief {short}")


def _worth(stake: Measurement) -> str:
    """Without a reason where there is no value: the deck above gives it."""
    return cell_html(stake) if stake.value is not None else esc(value_of(stake))


def _said(finding: Finding) -> str:
    return tag("b", rich(finding.headline)) + " " + tag("span", rich(finding.action))


def _head(text: str, shape: str | None) -> str:
    named = None if text else _("95% interval")
    return tag("th", rich(text), role="columnheader", scope="col", class_=shape, aria_label=named)


def _finding_heads() -> tuple[str, ...]:
    first = (_("#"), _("Finding and action"), _("Worth"), "")
    return (*first, _("Confidence"), _("Owner"), _("Metric that should move"), _("Review"), _("Evidence"))


def _overlap(order: Sequence[Finding], joint: Measurement | None) -> str:
    if joint is None or joint.value is None or len(order) < 2:
        return ""
    stakes = [f.stake.value for f in order if f.kind == "growth" and f.stake.value is not None]
    total, together = sum(stakes), with_interval(joint)
    if total <= joint.value:
        return _("Together they are worth {together}.", together=together)
    whole = value_of(Measurement(total, unit=joint.unit, currency=joint.currency, definition_id=joint.definition_id))
    if joint.value < max(stakes):
        return _(
            "Amounts overlap, and one goes beyond the plan: together no more than the shortfall that they close is counted,"
            " {together}, not the sum of {whole}.",
            together=together, whole=whole,
        )  # fmt: skip
    return _("Amounts overlap: together they are worth {together}, not the sum of {whole}.", together=together, whole=whole)


def _finding_row(place: int, finding: Finding, span: tuple[float, float], heads: Sequence[str]) -> str:
    stake = finding.stake
    clear = stake.clear_of(0) and (stake.value or 0) > 0
    bar = interval_bar(stake.value, stake.low, stake.high, span=span, zero=True, state="good" if clear else "open")
    worth = [tag("td", cell_html(stake), role="cell", class_="n w"), tag("td", bar, role="cell", class_="g")]
    levels = {"high": _("high"), "medium": _("medium"), "low": _("low")}
    see = tag("a", rich(page_name(finding.evidence.partition("#")[0]) or _("above")), href=where(finding.evidence))
    first, last = (levels[finding.confidence], data(finding.owner)), day(finding.review_on)
    held = [*map(rich, first), named(finding.metric), rich(last)]
    cells = [
        tag("td", str(place), role="cell", class_="k"),
        tag("th", _said(finding), role="rowheader", scope="row"),
        *worth,
        *(
            tag("td", html, role="cell", class_=s, data_l=h)
            for h, html, s in zip(heads[4:8], held, FINDING_SHAPES[4:8], strict=True)
        ),
        tag("td", see, role="cell", class_=FINDING_SHAPES[8], data_l=heads[8]),
    ]
    return tag("tr", "".join(cells), role="row")


def where(evidence: str) -> str:
    """The link to a section: "03_optimization#win-rate" → "03_optimization.html#win-rate"; "#win-rate" stays on the page."""
    page, _hash, anchor = evidence.partition("#")
    return (f"{page}.html" if page else "") + (f"#{anchor}" if anchor else "")


def page_name(stem: str) -> Text:
    """What a report is called: 03_optimization → "3 Optimization"."""
    place, name = stem.partition("_")[0], _(report_words(stem))
    return Text(f"{int(place)}{GAP}{name}") if place.isdigit() else name


def report_words(stem: str) -> str:
    """The name of a notebook without its number, in English: 03_optimization → Optimization."""
    return stem.lstrip("0123456789_").replace("_", " ").capitalize()


def _collected(finding: Finding) -> dict[str, object]:
    words = {"headline": plain(finding.headline), "action": plain(finding.action)}
    return {**asdict(finding), **words, "review_on": finding.review_on.isoformat()}


def ledger_table(company) -> Part:
    """read = accepted + quarantined + excluded, for every table, in rows and in money."""
    ledger = company.ledger
    heads = (_("Table"), _("Source"), _("Unit"), _("Read"), _("Accepted"), _("Quarantined"), _("Excluded"))
    rows = []
    for line in ledger.itertuples():
        rows_counted = line.unit == "rows"
        amounts = [line.read, line.accepted, line.quarantined, line.excluded]
        shown = [count(a) if rows_counted else exact_money(a, line.unit) for a in amounts]
        rows.append((line.table, line.source, _("rows") if rows_counted else data(line.unit), *shown))
    return table(heads, rows, _("read = accepted + quarantined + excluded, for every table"))
