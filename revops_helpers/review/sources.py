"""`revops sources check`: which source fills what, what matches what, what is missing and would unlock what, what is broken."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from revops_helpers.foundation.filled import Filled, cased, filled
from revops_helpers.foundation.identities import identities
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.model.identity import matches
from revops_helpers.review.check import aligned, refused_rows, refused_whole
from revops_helpers.review.exports import quarantine_summary
from revops_helpers.review.manifest import records
from revops_helpers.review.needs import gaps
from revops_helpers.words import mapping
from revops_helpers.words.language import _, count, day, label
from revops_helpers.words.markup import plain
from revops_helpers.words.phase import named
from revops_helpers.words.phase import needs as needed
from revops_helpers.workspace import folder_of, open_company

BEGUN = (
    ".part",
    ".partial",
    ".tmp",
    ".temp",
    ".crdownload",
    ".filepart",
    ".download",
)  # what transfers call a file until it is whole


def checked_sources(data: str, as_of: str = "", language: str | None = None, as_json: bool = False) -> tuple[str, list[str]]:
    """The mapping report of a company, for a terminal or as JSON, and what is broken.

    InputError when the data cannot be read at all: a required column is missing, or a SELECT fails.
    """
    company = open_company(data, as_of=as_of, language=language)
    found = filled(company)
    wrong = [plain(text) for text in mapping.broken(company, found, _half_landed(data, company)) + refused_whole(company.ledger)]
    return (_as_json if as_json else _as_text)(company, found, gaps(company), wrong), wrong


def _half_landed(data: str, company: Company) -> list[tuple[str, str]]:
    """Source and name of every file that a transfer has begun, or that holds not a byte."""
    folder, landed = folder_of(data), []
    for name, source in company.settings.sources.items():
        place = folder / source.path
        files = sorted(place.rglob("*")) if place.is_dir() else [place]
        landed += [(name, f.name) for f in files if f.is_file() and (f.suffix.lower() in BEGUN or not f.stat().st_size)]
    return landed


def _as_text(company: Company, found: Filled, lacking: Mapping[str, tuple], wrong: list[str]) -> str:
    ends = day(company.data_ends_on) if company.data_ends_on else _("no day")
    title = _("Data of {name}, to {day}", name=company.settings.name, day=ends)
    about = [title, _("As of {day}", day=day(company.as_of))]
    unlocked = [(needed(Unavailable([need])), *of) for need, of in lacking.items()]
    needs = [[need, named(map(label, ids), 4), ", ".join(reports)] for need, ids, reports in unlocked]
    both = identities(company)
    blocks = [
        (_("Tables"), mapping.tables_rows(company, found)),
        (_("In the exports and not read"), mapping.unread_rows(company)),
        (_("References that find their row"), mapping.reference_rows(found)),
        (_("References that miss their row by capitals alone"), mapping.cased_rows(cased(company, found))),
        (_("Refused, by rule"), refused_rows(company.quarantine)),
        (_("How records were matched"), mapping.matching_rows(matches(company))),
        (_("One record for what several systems know"), mapping.joined_rows(both)),
        (_("Where systems disagree"), mapping.conflict_rows(company, both)),
        (_("Age of the newest record"), mapping.age_rows(company)),
        (_("Not here, and what it would unlock"), [[_("needs"), _("measures"), _("reports")], *needs] if needs else []),
        (_("Broken: {n}", n=count(len(wrong))), [[text] for text in wrong]),
    ]
    return "\n\n".join(["\n".join(about), *("\n".join([name, *aligned(rows)]) for name, rows in blocks if rows)])


def _as_json(company: Company, found: Filled, lacking: Mapping[str, tuple], wrong: list[str]) -> str:
    both = identities(company)
    report: dict[str, Any] = {
        "company": company.settings.name,
        "as_of": company.as_of.isoformat(),
        "tables": records(company.mapping),
        "fields": records(found.fields),
        "references": records(found.references),
        "cased": records(cased(company, found)),
        "refused": records(quarantine_summary(company.quarantine)),
        "matches": records(matches(company)),
        "joins": records(both.joins),
        "disputes": records(both.disputes),
        "conflicts": records(both.conflicts),
        "ages": [asdict(one) | {"day": one.day and one.day.isoformat()} for one in mapping.ages(company)],
        "gaps": [{"needs": need, "metrics": ids, "reports": reports} for need, (ids, reports) in lacking.items()],
        "broken": wrong,
    }
    return json.dumps(report, ensure_ascii=False, indent=1)
