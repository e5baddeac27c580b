"""The findings of all phases, asked in one place: the executive review ranks them, each role acts on its own."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

from revops_helpers.finding import Finding
from revops_helpers.model.company import Company

PHASES = ("foundation", "alignment", "optimization", "intelligence", "planning")


def all_findings(company: Company, phases: Iterable[str] = PHASES) -> list[Finding]:
    """What the phases named found. Loads the words of those phases only."""
    asked = [import_module(f"revops_helpers.words.{phase}") for phase in PHASES if phase in set(phases)]
    return [finding for phase in asked for finding in phase.findings(company)]
