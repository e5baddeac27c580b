"""Whether leads have a segment before they are deals: where an account is linked only then, leads by segment are the deals."""

from __future__ import annotations

import json
from collections.abc import Sequence

import ibis

from revops_helpers.metrics.dimensions import ACCOUNT, DIMENSIONS, in_segment
from revops_helpers.metrics.reasons import UNLINKED
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import Period

ENOUGH = 0.5


class KnownTooLate(Unavailable):
    """Leads cannot be cut by that dimension."""

    def __init__(self, dimension: str):
        super().__init__([f"a lead's {dimension} before it is a deal"])
        self.dimension = dimension

    def __str__(self) -> str:
        return UNLINKED.format(dimension=self.dimension)


def require_linked(company: Company, dimensions: Sequence[str], span: Period | None) -> None:
    """Unavailable where leads created in the span (ever, when there is none) cannot be cut by these dimensions.

    Of those without a deal, at least ENOUGH must have the dimension: of the others it is known because they are deals, and a cut
    would show their share of success, whatever that of all leads is.
    """
    for name in dimensions:
        if name in ACCOUNT:
            company.require([DIMENSIONS[name].need, "leads.account_id"])
            known = _known(company, span)
            if known[name] < ENOUGH * known["leads"]:
                raise KnownTooLate(name)


def leads_in_segment(company: Company, rows: ibis.Table, span: Period | None = None) -> ibis.Table:
    """`in_segment` for rows that are leads created in the span (ever); Unavailable where most of them have no segment."""
    require_linked(company, ["segment"] if company.segment else [], span)
    return in_segment(company, rows)


def _known(company: Company, span: Period | None) -> dict[str, int]:
    """How many leads without a deal were created in the span (`leads`), and for how many each dimension of accounts is known."""

    def count() -> bytes:
        counts = _counted(company, span).to_pyarrow().to_pylist()[0]
        return json.dumps({name: counts[name] or 0 for name in counts}).encode()

    return company.once(("linked", span), lambda: json.loads(company.kept("linked", count, str(span))))


def _counted(company: Company, span: Period | None) -> ibis.Table:
    rows = company.table("leads", ("created_at", "account_id", "opportunity_id"))
    if span:
        rows = rows.filter(Windows.of(company.settings, span).within(rows.created_at, span))
    if "opportunity_id" in rows.columns:
        rows = rows.filter(rows.opportunity_id.isnull())
    accounts = company.table("accounts", ("account_id", *ACCOUNT))
    there = [name for name in ACCOUNT if name in accounts.columns]
    accounts = accounts.select(*there, _account=accounts.account_id)
    joined = rows.left_join(accounts, rows.account_id == accounts["_account"])
    return joined.agg(leads=joined.count(), **{name: joined[name].count() for name in there})
