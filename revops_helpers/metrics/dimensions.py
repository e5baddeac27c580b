"""What metrics can be cut by: a dimension is a column of the fact itself, or of the record that the fact points at."""

from __future__ import annotations

from dataclasses import dataclass

import ibis

from revops_helpers.model.company import Company, Unavailable

NOT_RECORDED = "(not recorded)"


@dataclass(frozen=True)
class Dimension:
    """A cut. Where the fact has no column of that name it is read from `table.column` over the fact's column `via`."""

    name: str
    table: str
    column: str
    via: str

    @property
    def need(self) -> str:
        return f"{self.table}.{self.column}"


DIMENSIONS = {
    d.name: d
    for d in (
        Dimension("segment", "accounts", "segment", "account_id"),
        Dimension("industry", "accounts", "industry", "account_id"),
        Dimension("region", "accounts", "region", "account_id"),
        Dimension("source", "leads", "source", "lead_id"),
        Dimension("campaign", "leads", "campaign_id", "lead_id"),
        Dimension("seller", "opportunities", "owner_id", "opportunity_id"),
        Dimension("motion", "opportunities", "motion", "opportunity_id"),
        Dimension("product", "opportunities", "product", "opportunity_id"),
        Dimension("owner", "leads", "owner_id", "lead_id"),
        Dimension("channel", "touches", "channel", "touch_id"),
        Dimension("stage", "opportunity_history", "stage", "stage"),
        Dimension("horizon", "forecasts", "submitted_on", "horizon"),
    )
}

ACCOUNT = ("segment", "industry", "region")
DEAL = (*ACCOUNT, "source", "seller", "motion", "product")
LEAD = (*ACCOUNT, "source", "campaign", "owner")


def add_dimension(company: Company, facts: ibis.Table, name: str) -> ibis.Table:
    """The facts with the text column `member`; what no record says is `(not recorded)`. Unavailable where a source lacks it."""
    dimension = DIMENSIONS[name]
    if dimension.name in facts.columns or dimension.column in facts.columns:
        own = facts[dimension.name if dimension.name in facts.columns else dimension.column]
        return facts.mutate(member=own.cast("string").fill_null(NOT_RECORDED))
    company.require([dimension.need])
    if dimension.via not in facts.columns:
        raise Unavailable([f"a column {dimension.via}"])
    key = {"accounts": "account_id", "leads": "lead_id", "opportunities": "opportunity_id"}[dimension.table]
    other = company.table(dimension.table, (key, dimension.column))
    looked_up = other.select(_key=other[key], _member=other[dimension.column])
    joined = facts.left_join(looked_up, facts[dimension.via] == looked_up._key)
    return joined.select(*facts.columns, member=joined._member.cast("string").fill_null(NOT_RECORDED))


def in_segment(company: Company, rows: ibis.Table) -> ibis.Table:
    """The rows of the segment under review, by their account; all rows when the review is about the whole company."""
    if not company.segment:
        return rows
    return add_dimension(company, rows, "segment").filter(ibis._.member == company.segment).drop("member")
