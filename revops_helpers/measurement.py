"""The record that every number travels in. No bare float leaves the metric layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Status = Literal["ok", "insufficient", "not_applicable", "censored", "partial"]
STATUSES: tuple[str, ...] = get_args(Status)


@dataclass(frozen=True)
class Measurement:
    """One measured number with what is needed to trust it.

    value, low, high: in `unit`; None where there is no number (never 0 for "unknown"). low and high bound the 95 %
        interval; both None means an exact count or sum when value is given.
    n: the count of records that carry the number (the denominator of a rate, the accounts of a ratio).
    status: `ok`; `insufficient` (shown, not ranked); `not_applicable` (a zero denominator, no such thing here);
        `censored` (still running: the value is a lower bound, or that of the cases old enough); `partial` (the source has not
        fully arrived).
    reason: why the status is not ok, in the reader's words; empty when ok.
    unit: one of metrics.metric.UNITS. Money is in integer cents of `currency`.
    definition_id: the id of the metric that defines the number.
    """

    value: float | int | None
    n: int = 0
    low: float | None = None
    high: float | None = None
    status: Status = "ok"
    reason: str = ""
    unit: str = "number"
    currency: str | None = None
    definition_id: str = ""

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"unknown status {self.status!r}; one of {', '.join(STATUSES)}")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"interval upside down: {self.low} > {self.high}")
        if self.value is None and self.status == "ok":
            raise ValueError("a measurement without a value needs a status that says why")

    @property
    def exact(self) -> bool:
        """A count or a sum of records: no sampling error is claimed."""
        return self.value is not None and self.low is None and self.high is None

    def clear_of(self, reference: float) -> bool:
        """True when the whole interval (or the exact value) lies on one side of `reference`."""
        if self.value is None or self.status in ("insufficient", "not_applicable"):
            return False
        if self.exact:
            return self.value != reference
        return (self.low is not None and self.low > reference) or (self.high is not None and self.high < reference)


def not_applicable(reason: str, **fields) -> Measurement:
    """The measurement of something that has no value here, with the reason in the reader's words."""
    return Measurement(value=None, status="not_applicable", reason=reason, **fields)
