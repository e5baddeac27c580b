"""A finding: what is wrong, what it is worth, who acts, and how we shall know that it worked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from revops_helpers.measurement import Measurement

Confidence = Literal["high", "medium", "low"]


@dataclass(frozen=True)
class Finding:
    """One ranked finding.

    stake: annual net new ARR (or yearly cost) at stake, in cents of the reporting currency, with interval.
    kind: `growth` when the stake is net new ARR; `cost` when acting saves money and adds no ARR.
    levers: the gap drivers that acting would move, driver id → value after acting. Findings that share a driver overlap;
        optimization.target_gap values them jointly, so that actions never add up to more than they close together.
    evidence: the section (notebook stem and anchor) in which the proof stands.
    """

    id: str
    phase: str
    headline: str
    action: str
    stake: Measurement
    confidence: Confidence
    evidence: str
    owner: str
    metric: str
    review_on: date
    kind: Literal["growth", "cost"] = "growth"
    levers: Mapping[str, float] = field(default_factory=dict)


def ranked(findings: list[Finding]) -> list[Finding]:
    """Largest stake first; a stake that is unknown or too small a sample comes last; ties by id."""

    def key(finding: Finding):
        known = finding.stake.value is not None and finding.stake.status in ("ok", "partial", "censored")
        return (not known, -(finding.stake.value or 0), finding.id)

    return sorted(findings, key=key)
