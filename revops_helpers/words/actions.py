"""The findings of all phases, asked in one place: the executive review ranks them, each role acts on its own."""

from __future__ import annotations

from revops_helpers.finding import Finding
from revops_helpers.model.company import Company


def all_findings(company: Company) -> list[Finding]:
    """What every phase found. Loads the words of all phases, so a report asks for it only if it shows them all."""
    from revops_helpers.words import foundation, optimization

    return [finding for phase in (foundation, optimization) for finding in phase.findings(company)]
