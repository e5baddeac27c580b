"""Did a rate change because its members changed, or because there are more of some members? Rate against mix, by one cut."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum

import pandas as pd

from revops_helpers.measurement import Measurement
from revops_helpers.methods.decomposition import kitagawa
from revops_helpers.metrics.counting import query
from revops_helpers.metrics.measure import as_measurement, catalogue, measure, measurement
from revops_helpers.metrics.metric import Metric
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import Period

COUNTED = ("proportion", "share", "ratio")  # rates whose members, weighted by what they are per, make up the total


@dataclass(frozen=True)
class Mix:
    """How one rate changed from the same months a year before, member by member.

    members: one row per member: member, n_before, n_now (records), share_before, share_after, rate_before, rate_after,
        rate_effect with low and high, mix_effect (all in the rate's own unit). rate + mix + rest = the change, but for rounding.
    few: members with fewer than 20 records on either side; their effects are shown and never ranked.
    """

    metric: str
    dimension: str
    before: Measurement
    now: Measurement
    members: pd.DataFrame
    rate: float
    mix: float
    few: tuple[str, ...]

    @property
    def rest(self) -> float:
        """The part of the change that belongs to no member, such as that of deals whose lead nothing names."""
        return self.now.value - self.before.value - self.rate - self.mix

    @property
    def turned(self) -> bool:
        """Whether every member's rate moved one way and the total the other (Simpson's paradox): only the mix explains that."""
        moved = self.members.rate_after - self.members.rate_before
        change = self.rate + self.mix
        return len(moved) > 1 and bool(((moved > 0) & (change < 0)).all() or ((moved < 0) & (change > 0)).all())


def rate_and_mix(company: Company, metric: str, dimension: str = "segment") -> Mix:
    """The change of a metric against the year before, split by a dimension. Unavailable when either side cannot be measured."""
    record = catalogue()[metric]
    if record.estimator not in COUNTED or dimension not in record.dimensions:
        raise Unavailable([f"{metric} by {dimension}"])
    company.require(record.needs)
    then, now = company.period.year_before(), company.period
    sides = [measure(company, metric, by=dimension, period=period) for period in (then, now)]
    sides = [side[side.value.notna() & (side.n > 0)] for side in sides]
    if any(side.empty for side in sides):
        raise Unavailable([f"{metric} by {dimension} in the period and in the year before"])
    weights = [_weights(company, record, dimension, period) for period in (then, now)]
    weighted = [
        {row.member: (float(weight[row.member]), as_measurement(pd.Series(row._asdict()))) for row in side.itertuples()}
        for side, weight in zip(sides, weights, strict=True)
    ]
    members = kitagawa(*weighted)
    counts = [dict(zip(side.member, side.n.astype(int), strict=True)) for side in sides]
    members = members.assign(
        n_before=[counts[0].get(m, 0) for m in members.member], n_now=[counts[1].get(m, 0) for m in members.member]
    )
    return Mix(
        metric=metric,
        dimension=dimension,
        before=measurement(company, metric, then),
        now=measurement(company, metric, now),
        members=members,
        rate=fsum(members.rate_effect),
        mix=fsum(members.mix_effect),
        few=tuple(members[(members.n_before < 20) | (members.n_now < 20)].member),
    )


def _weights(company: Company, record: Metric, dimension: str, period: Period) -> dict[str, float]:
    """Member → what its rate is per: the sum of its denominators, by which the rates make up the total."""
    found = query(company, [record], Windows.of(company.settings, period), dimension).to_pandas()
    return dict(zip(found["member"], found[f"{record.id}_den"], strict=True))


def win_rate_by_segment(company: Company) -> Mix:
    """Win rate, split by the size segment of the account."""
    return rate_and_mix(company, "win_rate", "segment")


def conversion_by_source(company: Company) -> Mix:
    """Leads that become deals, split by where the lead came from. Unavailable where no deal names its lead."""
    company.require(["opportunities.lead_id"])
    return rate_and_mix(company, "lead_to_opportunity", "source")
