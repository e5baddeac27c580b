"""Collect every message of the product into `locale/revops.pot`, and bring the catalogues of the languages up to it.

    python -m revops_helpers.words.extract

writes the .pot anew, then every language's .po (new messages empty, old ones gone) and its .mo. The .mo is kept in the
repository, so that a fresh clone speaks every language without a build; a test holds it to its .po.

Messages come from calls of `_`, `N_`, `n_` and `not_applicable` in the code, from the page's template, from the names
and Markdown cells of the notebooks (a whole cell is one message) and from the words of the metric catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from revops_helpers.words.below import messages_below
from revops_helpers.words.messages import DOMAIN, FOLDER
from revops_helpers.words.roles import roles
from revops_helpers.words.tables import report_words

ROOT = Path(__file__).parents[2]
POT = FOLDER / f"{DOMAIN}.pot"
CALLS = {"_": None, "N_": None, "n_": (1, 2), "not_applicable": None}
METRIC_WORDS = ("label", "grain", "owner", "definition", "formula", "source", "timing", "edge_cases")

Message = tuple[str, str | tuple[str, str]]


def messages() -> Iterator[Message]:
    """(where, message) of everything that is translated; where is a path below the repository or a metric's id."""
    package = Path(__file__).parents[1]
    for kind, method in (("py", "python"), ("j2", "jinja2")):
        for file in sorted(package.rglob(f"*.{kind}")):
            for _line, message, _comments, _context in extract_from_file(method, file, keywords=CALLS):
                yield _place(file), message
    for file in sorted((ROOT / "notebooks").glob("*.ipynb")):
        yield _place(file), report_words(file.stem)
        for cell in nbformat.read(file, as_version=4).cells:
            if cell.cell_type == "markdown" and cell.source.strip():
                yield _place(file), cell.source.strip()
    yield from _words_below()


def _place(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def _words_below() -> Iterator[Message]:
    """What the rooms below this one say, which cannot mark their messages."""
    from revops_helpers.metrics.catalogue import HOW, catalogue
    from revops_helpers.metrics.checks import CRITICAL
    from revops_helpers.metrics.dimensions import DIMENSIONS, NOT_RECORDED
    from revops_helpers.metrics.metric import UNITS

    yield from (("foundation:hygiene", decision) for decision in CRITICAL.values())
    yield from (("metric:unit", unit) for unit in UNITS)
    yield from (("metric:interval", how) for how in HOW.values())
    yield from (("notebooks/roles.yml", role.name) for role in roles().values())
    yield from (("metric:dimension", words) for words in (NOT_RECORDED, *(name.capitalize() for name in DIMENSIONS)))
    yield from (("model", words) for words in messages_below())

    for metric in catalogue().values():
        for name in METRIC_WORDS:
            if text := getattr(metric, name):
                yield f"metric:{metric.id}", text
        yield from ((f"metric:{metric.id}", benchmark.text) for benchmark in metric.benchmarks)


def collected(locale: str | None = None, found: Iterable[Message] = ()) -> Catalog:
    """The messages (all of the product where none are given) as one catalogue; the same messages make the same file."""
    head = "# Messages of the RevOps Workbook, written by revops_helpers.words.extract."
    fixed, us = datetime(2026, 1, 1, tzinfo=UTC), "RevOps Workbook"
    who = {"project": us, "version": "1", "last_translator": us, "language_team": us, "msgid_bugs_address": us}
    catalogue = Catalog(locale, header_comment=head, creation_date=fixed, revision_date=fixed, fuzzy=False, **who)
    for place, message in found or messages():
        if message:
            catalogue.add(message, locations=[(place, 0)])
    return catalogue


def update() -> list[Path]:
    """Write the .pot, and bring every language's .po and .mo to the messages of today."""
    found = list(messages())
    with POT.open("wb") as out:
        write_po(out, collected(found=found), include_lineno=False, sort_output=True, width=100)
    return [POT, *(_updated(file, found) for file in sorted(FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.po")))]


def _updated(file: Path, found: Iterable[Message]) -> Path:
    with file.open("rb") as source:
        known = {message.id: message.string for message in read_po(source) if message.id}
    catalogue = collected(file.parents[1].name, found)
    for message in catalogue:
        if message.id in known:
            message.string = known[message.id]
    with file.open("wb") as out:
        write_po(out, catalogue, no_location=True, sort_output=True, width=100)
    with file.with_suffix(".mo").open("wb") as out:
        write_mo(out, catalogue)
    return file


if __name__ == "__main__":
    for written in update():
        print(written)
