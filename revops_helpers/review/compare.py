"""Two published reviews beside each other: find them and read them. What changed between them is told by metrics/changes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from revops_helpers.measurement import Measurement
from revops_helpers.metrics.changes import Changes, Reviewed, Told, changes
from revops_helpers.metrics.measure import COLUMNS
from revops_helpers.periods import Period
from revops_helpers.review.publish import NAMED
from revops_helpers.settings import InputError, nearest
from revops_helpers.words.changes import changes_section, no_changes
from revops_helpers.words.markup import Part

NOTHING = "none"  # what --compare is told where nothing shall be compared


def compared(one: str, other: str, out: Path) -> Changes:
    """What changed from the first review to the second; each is a folder, or the name of one under `out`. InputError."""
    before, after = read(named(one, out)), read(named(other, out))
    _same_company(before, after.company)
    return changes(before, after)


def earlier(text: str, out: Path, name: str, company: str, language: str = "") -> Reviewed | Part | None:
    """The review that the one called `name` is compared with: the one that was asked for, else the newest earlier of its kind.

    language: read it in that one of its other languages, where it is there.

    InputError when the one that was asked for is not there, broken or of another company. One that was only found does not
    stand in the way of a review: then what to say in its place.
    """
    if text == NOTHING:
        return None
    place = named(text, out) if text else previous(out, name)
    try:
        found = _read_in(place, language) if place else None
        if found:
            _same_company(found, company)
        return found
    except InputError as error:
        if text:
            raise
        return no_changes(place.name, str(error).removeprefix(f"{place}: "))


def _read_in(place: Path, language: str) -> Reviewed:
    inside = place / language
    return replace(read(inside if (inside / "manifest.json").is_file() else place), name=place.name)


def changes_part(before: Reviewed | Part | None, after: Reviewed) -> Part | None:
    """What the index says of the review before."""
    return changes_section(changes(before, after)) if isinstance(before, Reviewed) else before


def identity(before: Reviewed | Part | None) -> dict[str, str] | None:
    """Which review was compared with, for the manifest."""
    return {"name": before.name, "fingerprint": before.fingerprint} if isinstance(before, Reviewed) else None


def _same_company(review: Reviewed, company: str) -> None:
    if review.company != company:
        raise InputError(f"{review.name}: is a review of {review.company}, not of {company}")


def named(text: str, out: Path) -> Path:
    """The folder of a published review. InputError says which there are."""
    places = [out / text, Path(text)]
    found = next((place for place in places if (place / "manifest.json").is_file()), None)
    if found is None:
        published = sorted(place.name for place in out.glob("*") if NAMED.fullmatch(place.name)) if out.is_dir() else []
        hint = nearest(text, published) if published else f"none is published in {out}"
        raise InputError(f"no review '{text}': {hint}")
    return found.resolve()


def previous(out: Path, name: str) -> Path | None:
    """The newest review in `out` that was told the same as `name` and is of an earlier date; None where there is none."""
    kind = NAMED.fullmatch(name)[2]
    told = (place for place in out.glob("*") if (match := NAMED.fullmatch(place.name)) and match[2] == kind)
    earlier = [place for place in told if place.name < name and (place / "manifest.json").is_file()]
    return max(earlier, default=None, key=lambda place: place.name)


def read(folder: Path) -> Reviewed:
    """A published review. InputError when the folder holds something else, or a review that is broken."""
    try:
        made_of = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        findings = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
        metrics = pd.read_parquet(folder / "tables" / "metrics.parquet", columns=COLUMNS)
        return reviewed(folder.name, made_of, metrics, findings)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException) as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error).partition("\n")[0][:200]
        raise InputError(f"{folder}: not a review that can be compared ({what}); make it again") from None


def reviewed(name: str, made_of: Mapping[str, Any], metrics: pd.DataFrame, findings: Iterable[Mapping[str, Any]]) -> Reviewed:
    """A review from its manifest, its table of metrics and its findings. KeyError, TypeError or ValueError for other shapes."""
    about = made_of["review"]
    span = about["period"]
    told = {
        key: value for given in made_of["parameters"].values() for key, value in given.items() if key not in ("as_of", "data")
    }
    commit = {"code": made_of["commit"]["hash"][:7]} if made_of["commit"] else {}
    ledger = pd.DataFrame(made_of["ledger"], columns=["table", "source", "unit", "read", "accepted", "quarantined", "excluded"])
    return Reviewed(
        name=name,
        company=str(about["company"]),
        as_of=date.fromisoformat(about["as_of"]),
        period_name=str(span["name"]),
        period=Period(date.fromisoformat(span["start"]), date.fromisoformat(span["end"])),
        segment=str(about["segment"]),
        currency=str(about["currency"]),
        language=str(told.get("language", "en")),
        metrics=metrics,
        findings=tuple(_told(finding) for finding in findings),
        ledger=ledger.astype({"accepted": "int64", "quarantined": "int64"}),
        inputs={one["file"]: one["sha256"] for one in made_of["inputs"]},
        parameters=told,
        versions={**made_of["versions"], **commit},
        definitions=dict(made_of["definitions"]),
        fingerprint=str(made_of["fingerprint"]),
        reports=tuple(made_of["parameters"]),
    )


def _told(finding: Mapping[str, Any]) -> Told:
    stake = Measurement(**finding["stake"])
    return Told(finding["id"], finding["headline"], finding["metric"], finding["evidence"].partition("#")[0], stake)
