"""What the executed notebooks hand to the review: their parts' data, and copies that are the same in every run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import nbformat

from revops_helpers.words.markup import MIME, plain

Payload = Mapping[str, Any]
DASHBOARDS = "dashboards"


@dataclass(frozen=True)
class Report:
    """One executed notebook with what the review takes from it.

    title, lead: its headline as plain text; what it says first, the worst of its bottom line or else its headline, for `rich` to
        show with its numbers' links (both may be empty).
    findings: the data of its findings, in its own order; joint: what they are worth together, or None.
    """

    name: str
    notebook: nbformat.NotebookNode
    title: str
    lead: str
    findings: tuple[Payload, ...]
    joint: Payload | None
    seconds: float


def role_of(name: str) -> str:
    """The role whose page a report is: dashboards/finance → finance; empty for the others."""
    folder, _slash, role = name.rpartition("/")
    return role if folder == DASHBOARDS else ""


def payloads(notebook: Mapping[str, Any]) -> Iterator[Payload]:
    """The data of every part that the notebook shows, parts within parts too, in order."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            if MIME in output.get("data", {}):
                yield from _nested(output["data"][MIME])


def _nested(payload: Payload) -> Iterator[Payload]:
    yield payload
    for part in payload.get("parts", ()):
        yield from _nested(part)


def report(name: str, notebook: nbformat.NotebookNode, seconds: float) -> Report:
    """What one executed notebook says."""
    found = list(payloads(notebook))

    def first(kind: str) -> Payload:
        return next((payload for payload in found if payload["kind"] == kind), {})

    headline = first("header").get("title", "")
    return Report(
        name=name,
        notebook=notebook,
        title=plain(headline),
        lead=next(iter(first("bottom_line").get("sentences", ())), headline),
        findings=tuple(first("findings").get("findings", ())),
        joint=first("findings").get("joint"),
        seconds=seconds,
    )


def all_findings(reports: Iterable[Report]) -> list[Payload]:
    """Every finding once, largest stake first, unknown stakes last. The review (notebook 00) repeats those of the phases."""
    by_id: dict[str, Payload] = {}
    for one in reports:
        for finding in one.findings:
            by_id.setdefault(finding["id"], finding)

    def order(finding: Payload):
        stake = finding["stake"]
        known = stake["value"] is not None and stake["status"] in ("ok", "partial", "censored")
        return (not known, -(stake["value"] or 0), finding["id"])

    return sorted(by_id.values(), key=order)


def reproducible(notebook: nbformat.NotebookNode, parameters: Mapping[str, Any]) -> nbformat.NotebookNode:
    """The executed copy without times, durations and random ids, so that two runs of the same inputs are equal byte for byte.

    parameters: what it shows as given: the data is called by its name, not by where it lay.
    """
    from papermill.translators import PythonTranslator

    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in cell.metadata.get("tags", ()):
            cell.id = "injected-parameters"
            cell.source = PythonTranslator.codify(parameters, "Parameters")
    return notebook
