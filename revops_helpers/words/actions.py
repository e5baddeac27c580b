"""The findings of all phases, asked in one place: the executive review ranks them, each role acts on its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from datetime import date
from functools import partial
from importlib import import_module
from typing import Any

from revops_helpers.finding import Finding
from revops_helpers.measurement import Measurement
from revops_helpers.model.company import Company
from revops_helpers.words.language import Text
from revops_helpers.words.messages import current

PHASES = ("foundation", "alignment", "optimization", "intelligence", "planning")


def all_findings(company: Company, phases: Iterable[str] = PHASES) -> list[Finding]:
    """What the phases named found. Loads the words of those phases only, and only where no report of the review has asked yet."""
    asked = [phase for phase in PHASES if phase in set(phases)]
    found = [company.kept(f"findings-{phase}", partial(_found, company, phase), current()) for phase in asked]
    return [_read(told) for kept in found for told in json.loads(kept)]


def _found(company: Company, phase: str) -> bytes:
    found = import_module(f"revops_helpers.words.{phase}").findings(company)
    return json.dumps([_told(finding) for finding in found]).encode()


def _told(finding: Finding) -> dict[str, Any]:
    """The finding as JSON has it; `texts` names the fields that are ours, the others are the data's."""
    told = asdict(finding) | {"review_on": finding.review_on.isoformat(), "stake": asdict(finding.stake)}
    ours = [field.name for field in fields(finding) if isinstance(getattr(finding, field.name), Text)]
    return told | {"texts": ours, "reason_is_ours": isinstance(finding.stake.reason, Text)}


def _read(told: Mapping[str, Any]) -> Finding:
    stake = told["stake"] | ({"reason": Text(told["stake"]["reason"])} if told["reason_is_ours"] else {})
    held = {name: Text(told[name]) if name in told["texts"] else told[name] for name in (field.name for field in fields(Finding))}
    return Finding(**held | {"stake": Measurement(**stake), "review_on": date.fromisoformat(told["review_on"])})
