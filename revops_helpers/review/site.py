"""The pages of a review: one for every notebook; the index, which is the executive review with what stands behind it; and the
definitions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from babel import Locale
from nbformat.v4 import new_notebook

from revops_helpers.model.company import Company
from revops_helpers.review.collect import Report, role_of
from revops_helpers.review.index import data_part, name_of, reports_part
from revops_helpers.review.manifest import commit
from revops_helpers.review.page import build_page
from revops_helpers.words.definitions import PAGE
from revops_helpers.words.glossary import glossary, headline
from revops_helpers.words.language import _, current, day, span
from revops_helpers.words.markup import Part, rich, tag

INDEX = "index.html"
FIRST = "00_"


def write_pages(
    folder: Path,
    company: Company,
    reports: Iterable[Report],
    queries: Mapping[str, str],
    absent: Iterable[str] = (),
    changed: Part | None = None,
    spoken: Sequence[str] = (),
) -> None:
    """Every report as `<name>.html`; `index.html`, which is the executive review, the reports behind it and the state of the
    data; and the page of definitions.

    queries: metric → its SQL. absent: names of reports that this review leaves out; links to them become plain words. changed:
    since the review before. spoken: every language that the review is there in, the first in the review's own folder and each
    other in a folder of its own.
    """
    reports = list(reports)
    first = next((one for one in reports if one.name.startswith(FIRST)), None)
    nav = [(_("Executive review") if first else _("Reports"), INDEX)]
    nav += [(name_of(one), f"{one.name}.html") for one in reports if one is not first]
    nav.append((_("Definitions"), PAGE))
    write = partial(_write, folder, company, nav=nav, absent=list(absent), spoken=spoken)
    pages = {f"{one.name}.html": write(f"{one.name}.html", one.notebook, _title(one, company)) for one in reports}
    behind = [*([changed] if changed else []), reports_part([one for one in reports if one is not first]), data_part(company)]
    said = _("Review of {name}", name=company.settings.name)
    whole = (first.notebook, _title(first, company)) if first else (new_notebook(), said)
    pages[INDEX] = write(INDEX, *whole, behind=behind)
    shown = shown_on([(name, pages[href], href) for name, href in nav if href in pages])
    head = headline(company)
    behind = [Part("head", tag("h1", rich(head)), head), *glossary(company, queries, shown)]
    write(PAGE, new_notebook(), f"{head} · {company.settings.name}", behind=behind)


def shown_on(pages: Iterable[tuple[str, str, str]]) -> dict[str, list[tuple[str, str]]]:
    """Metric → (name, address) of the pages that show it: those that lead to its definition. pages: name, HTML, address."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name, html, href in pages:
        for metric in dict.fromkeys(re.findall(rf'href="{re.escape(PAGE)}#([^"]+)"', html)):
            found.setdefault(metric, []).append((name, href))
    return found


def _title(report: Report, company: Company) -> str:
    """The headline; before it the role, because roles may have one headline in common."""
    said = f"{name_of(report)}: {report.title}" if role_of(report.name) and report.title else report.title or name_of(report)
    return f"{said} · {company.settings.name}"


def _write(
    folder: Path,
    company: Company,
    name: str,
    notebook,
    title: str,
    *,
    nav,
    absent: Iterable[str],
    spoken: Sequence[str],
    behind: Iterable[Part] = (),
) -> str:
    """One page, written and returned, its links as from the folder of the review."""
    html = build_page(
        notebook,
        title=title,
        nav=nav,
        language=current(),
        elsewhere=elsewhere(name, spoken),
        extra_sections=behind,
        here=name,
        brand=company.settings.name,
        when=when(company),
        footer=footer(company),
    )
    html = without_links(html, absent)
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(_from_below(html) if "/" in name else html, encoding="utf-8")
    return html


def elsewhere(name: str, spoken: Sequence[str]) -> list[tuple[str, str, str]]:
    """(language tag, what the language calls itself, address) of the same page in every other language."""
    up = "../" if current() not in spoken[:1] else ""
    at = {language: "" if language == spoken[0] else f"{language}/" for language in spoken if language != current()}
    return [(one.replace("_", "-"), Locale.parse(one).get_language_name().capitalize(), f"{up}{at[one]}{name}") for one in at]


def without_links(html: str, absent: Iterable[str]) -> str:
    """The page with the links to reports that are not there turned into their words."""
    for other in absent:
        html = re.sub(rf'<a [^>]*?href="{re.escape(other)}\.html(?:#[^"]*)?"[^>]*>(.*?)</a>', r"\1", html)
    return html


def _from_below(html: str) -> str:
    """The links of a page in a folder of its own: to the other pages of the review, one folder up."""
    return re.sub(r'<a ([^>]*)href="(?!#|[a-z]+:)', r'<a \1href="../', html)


def when(company: Company) -> str:
    """The line at the top of every page: from which day, about which period, of which part, and where the data ends early."""
    ends = company.data_ends_on
    early = _("data ends on {day}", day=day(ends)) if ends is not None and ends < company.as_of else ""
    of = (_("As of {day}", day=day(company.as_of)), early, span(company.period), company.segment or "")
    return " · ".join(word for word in (*of, company.settings.currency, _("closed months only")) if word)


def footer(company: Company) -> list[str]:
    """What a reader has to know of every page, and what made it."""
    head = commit()
    code = _("Code {hash}{changed}", hash=head["hash"][:7], changed="+" if head["changed"] else "") if head else ""
    inputs = _("inputs {fingerprint}", fingerprint=company.fingerprint[:7])
    said = _("Intervals are 95% unless said otherwise. Personal data is left out: people appear as roles or keyed ids.")
    if company.show_people:
        said = _("Intervals are 95% unless said otherwise. This review names people: keep it among those who may know.")
    invented = _("This is a simulated company: its customers, people and numbers are invented.")
    return [*([invented] if company.settings.simulated else []), said, ", ".join(text for text in (code, inputs) if text)]
