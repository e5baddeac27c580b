"""What must hold before a review is published. Every check is listed in the manifest with whether it held."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pandas as pd

from revops_helpers.measurement import STATUSES
from revops_helpers.model.company import Company
from revops_helpers.review.collect import Report
from revops_helpers.review.leaks import leaks

FORBIDDEN = ("script", "iframe", "frame", "object", "embed", "applet", "base", "form", "link", "audio", "video", "portal")
FETCHES = ("src", "srcset", "poster", "background", "data", "xlink:href", "action", "formaction", "ping", "manifest")
CSS_FETCH = re.compile(r"@import|url\(\s*(?!['\"]?(?:data:|#))", re.IGNORECASE)
MANIFEST = "manifest.json"  # is written last, since it lists the gates


@dataclass(frozen=True)
class Gate:
    """One check: its name, what it found against publishing (empty when it holds)."""

    name: str
    problems: tuple[str, ...]

    @property
    def held(self) -> bool:
        return not self.problems

    def record(self) -> dict[str, Any]:
        return {"gate": self.name, "held": self.held, "problems": list(self.problems)}


def check(folder: Path, company: Company, reports: Iterable[Report], metrics: pd.DataFrame) -> list[Gate]:
    """Every gate of a built review."""
    folder, reports = folder.resolve(), list(reports)
    return [
        Gate("every notebook ran to its end", tuple(_unfinished(reports))),
        Gate("read = accepted + quarantined + excluded in every table", tuple(_unbalanced(company.ledger))),
        Gate("findings are whole, and worth together no more than their sum", tuple(_loose_findings(reports))),
        Gate("metrics have known statuses and intervals the right way up", tuple(_odd_metrics(metrics))),
        Gate("pages are valid, need no network and link to what is there", tuple(_bad_pages(folder))),
        Gate("no person's e-mail, phone or CPF stands in a page, table, notebook or log", tuple(leaks(folder, company))),
    ]


def _unfinished(reports: Iterable[Report]) -> Iterable[str]:
    for one in reports:
        cells = [cell for cell in one.notebook.cells if cell.cell_type == "code" and cell.source.strip()]
        if any(cell.execution_count is None for cell in cells):
            yield f"{one.name}: a cell has not run"
        if any(output.output_type == "error" for cell in cells for output in cell.outputs):
            yield f"{one.name}: a cell shows an error"


def _unbalanced(ledger: pd.DataFrame | None) -> Iterable[str]:
    if ledger is None or ledger.empty:
        yield "there is no row ledger"
        return
    for line in ledger.itertuples():
        if line.read != line.accepted + line.quarantined + line.excluded:
            yield f"{line.table} from {line.source}, in {line.unit}"


def _loose_findings(reports: Iterable[Report]) -> Iterable[str]:
    for one in reports:
        ids = [finding["id"] for finding in one.findings]
        for name in sorted({i for i in ids if ids.count(i) > 1}):
            yield f"{one.name}: finding {name} stands twice"
        for finding in one.findings:
            for part in ("headline", "action", "owner", "metric", "evidence"):
                if not finding[part]:
                    yield f"{one.name}: finding {finding['id']} has no {part}"
        stakes = [f["stake"]["value"] for f in one.findings if f["kind"] == "growth" and f["stake"]["value"] is not None]
        joint = (one.joint or {}).get("value")
        if joint is not None and stakes and joint > sum(max(0, stake) for stake in stakes) * (1 + 1e-9) + 1:
            yield f"{one.name}: the findings are valued higher together than one by one"


def _odd_metrics(metrics: pd.DataFrame) -> Iterable[str]:
    for status in sorted(set(metrics["status"]) - set(STATUSES)):
        yield f"status {status!r} is not one of {', '.join(STATUSES)}"
    for name in sorted(set(metrics.loc[metrics["low"] > metrics["high"], "metric"])):
        yield f"{name}: an interval is upside down"
    for name in sorted(set(metrics.loc[metrics["value"].isna() & (metrics["status"] == "ok"), "metric"])):
        yield f"{name}: no value and no reason"


@dataclass
class _Page(HTMLParser):
    """What one page holds that matters here."""

    problems: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    h1: int = 0
    language: str = ""
    policy: str = ""
    inside: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        held = {name: value or "" for name, value in attributes}
        self.inside = tag
        if tag in FORBIDDEN:
            self.problems.append(f"holds <{tag}>")
        if tag == "img" and "alt" not in held:
            self.problems.append("has an image without alternative text")
        self.h1 += tag == "h1"
        if tag == "html":
            self.language = held.get("lang", "")
        if tag == "meta" and held.get("http-equiv", "").lower() == "content-security-policy":
            self.policy = held.get("content", "")
        if tag == "meta" and held.get("http-equiv", "").lower() == "refresh":
            self.problems.append("sends the reader elsewhere")
        if "id" in held:
            self.ids.append(held["id"])
        for name, value in held.items():
            self._attribute(tag, name, value)

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name.startswith("on"):
            self.problems.append(f"holds a handler {name}")
        if name in FETCHES and not value.startswith(("data:image/", "#")):
            self.problems.append(f"fetches {value[:60]!r}")
        if name == "style" and CSS_FETCH.search(value):
            self.problems.append("fetches from a style")
        if name == "href" and tag in ("a", "area"):
            self.links.append(value)
        elif name == "href" and not value.startswith(("#", "data:")):
            self.problems.append(f"fetches {value[:60]!r}")

    def handle_data(self, text: str) -> None:
        if self.inside == "style" and CSS_FETCH.search(text):
            self.problems.append("fetches from its style sheet")

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""


def read_page(html: str) -> _Page:
    page = _Page()
    page.feed(html)
    page.close()
    if page.h1 != 1:
        page.problems.append(f"has {page.h1} first headings, not one")
    if not page.language:
        page.problems.append("does not say its language")
    if "default-src 'none'" not in page.policy or "script-src" in page.policy:
        page.problems.append("has no policy that forbids scripts and requests")
    for name in sorted({i for i in page.ids if page.ids.count(i) > 1}):
        page.problems.append(f"has the id {name!r} twice")
    return page


def _bad_pages(folder: Path) -> Iterable[str]:
    pages = {path: read_page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}
    if folder / "index.html" not in pages:
        yield "there is no index.html"
    for path, page in pages.items():
        for problem in dict.fromkeys(page.problems):
            yield f"{path.relative_to(folder)} {problem}"
        for link in dict.fromkeys(page.links):
            if problem := _broken(link, path, pages, folder):
                yield f"{path.relative_to(folder)} links to {link!r}, {problem}"


def _broken(link: str, page: Path, pages: Mapping[Path, _Page], folder: Path) -> str:
    parts = urlsplit(link)
    if parts.scheme in ("http", "https", "mailto"):
        return ""  # followed only when the reader clicks
    if parts.scheme or parts.netloc:
        return "which is no address for a report"
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if folder not in (target, *target.parents):
        return "which is outside the review"
    if not target.exists() and target != folder / MANIFEST:
        return "which is not there"
    held = pages.get(target)
    if parts.fragment and held is not None and unquote(parts.fragment) not in held.ids:
        return "a place which is not on that page"
    return ""
