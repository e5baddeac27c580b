"""What a review is asked for, checked before anything runs: the request, its notebooks, what its folder is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from revops_helpers.review import run
from revops_helpers.review.collect import DASHBOARDS
from revops_helpers.review.parameters import Parameter, declared, iso_date, without_secrets
from revops_helpers.settings import InputError, read_settings
from revops_helpers.words.roles import role_named, roles
from revops_helpers.workspace import folder_of

STANDARD = ("data", "as_of", "period", "segment", "language")
ROLES = "role_dashboard"  # the notebook that is run for every role


@dataclass(frozen=True)
class Request:
    """What to review. Empty texts mean: the newest closed month, the whole company, the company's own language, all notebooks.

    show_people: people are named in the lists of the reports, instead of given by id.
    hyper: the metrics as Tableau's extract too.
    also: other languages of the same pages, each in a folder of its own in the review.
    allow_stale: sources older than company.yml allows are only noted.
    compare: an earlier review, by its name under `out` or its folder; else the newest earlier one of its kind; "none" for none.
    """

    data: str = "sample"
    as_of: str = ""
    period: str = "ytd"
    segment: str = ""
    language: str = ""
    also: tuple[str, ...] = ()
    notebooks: tuple[str, ...] = ()
    out: Path = Path("reports")
    jobs: int = 2
    compare: str = ""
    show_people: bool = False
    hyper: bool = False
    allow_stale: bool = False
    more: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None


def sources(request: Request) -> dict[str, nbformat.NotebookNode]:
    """Name → notebook to run; that of the roles once for each role, or for the one that was asked for."""
    found = {name: run.read(path) for name, path in run.find(request.folder or run.NOTEBOOKS, request.notebooks).items()}
    if ROLES not in found:
        return found
    of_roles, asked = found.pop(ROLES), request.more.get("role", "")
    if asked:
        role_named(asked)
    return found | {f"{DASHBOARDS}/{role}": of_roles for role in roles() if asked in ("", role)}


def told_more(request: Request) -> list[str]:
    """What the reader asked for beyond the company's plain review of a date."""
    own = read_settings(folder_of(request.data) / "company.yml").locale
    period = [request.period] if request.period != Request.period else []
    segment = [f"segment-{request.segment}"] if request.segment else []
    language = [request.language] if request.language not in ("", own) else []
    people = ["show-people"] if request.show_people else []
    every, some = (set(run.find(request.folder or run.NOTEBOOKS, names)) for names in ((), request.notebooks))
    short = sorted(stem.partition("_")[0] if stem[0].isdigit() else stem for stem in some)
    only = [f"only-{'-'.join(short)}"] if some != every else []
    return [*period, *segment, *language, *people, *only, *(f"{name}-{value}" for name, value in sorted(request.more.items()))]


def given(request: Request) -> dict[str, Any]:
    """The parameters that the reader gave; None where nothing was."""
    without_secrets({name: getattr(request, name) for name in (*STANDARD, "compare")} | {"out": request.out} | dict(request.more))
    without_secrets(dict.fromkeys(request.notebooks))
    if request.as_of:
        iso_date(request.as_of)
    for name in set(request.more) & {*STANDARD, "show_people"}:
        raise InputError(f"parameter '{name}' has an option of its own: --{name.replace('_', '-')}")
    data = request.data if request.data == "sample" else str(folder_of(request.data))
    standard = {name: getattr(request, name) or None for name in STANDARD if name != "data"}
    people = {"show_people": True} if request.show_people else {}
    return {"data": data, **standard, **people, **request.more}


def declared_by(source: nbformat.NotebookNode, name: str) -> dict[str, Parameter]:
    """What a notebook declares. InputError unless it takes the parameters of every review."""
    found = declared(source, name)
    for missing in (parameter for parameter in STANDARD if parameter not in found):
        raise InputError(f"{name}: does not declare the parameter '{missing}'; a notebook of a review has {', '.join(STANDARD)}")
    return found
