"""What the columns allow and the records do not: a rate of wins without a loss on record, a worth without an amount."""

from __future__ import annotations

from revops_helpers.metrics import facts
from revops_helpers.metrics.kept import there
from revops_helpers.metrics.reading import Part, Reading
from revops_helpers.metrics.reasons import FEW_AMOUNTS_WON, NO_LOSSES, NO_OPEN_AMOUNTS, NO_VALUE_LOST
from revops_helpers.model.company import Company


def no_losses(company: Company, read: Reading | None = None) -> str:
    """Deals were won and none is recorded as lost: then every share of wins is 100 % and says nothing."""
    held = _by_status(company, read, priced=False)
    return NO_LOSSES if held.get("won", (0, 0))[0] and not held.get("lost", (0, 0))[0] else ""


def no_value_lost(company: Company, read: Reading | None = None) -> str:
    """No lost deal has an amount, so the value won is all the value there is."""
    lost, priced = _by_status(company, read).get("lost", (0, 0))
    return no_losses(company, read) or (NO_VALUE_LOST if lost and not priced else "")


def few_amounts_won(company: Company, read: Reading | None = None) -> str:
    """More than half of the won deals have no amount or zero: their mean is not the size of a deal."""
    won, priced = _by_status(company, read).get("won", (0, 0))
    return FEW_AMOUNTS_WON if priced < won / 2 else ""


def no_open_amounts(company: Company, read: Reading | None = None) -> str:
    """There are open deals and none has an amount: their worth is unknown, which is not zero."""
    held, priced = _by_status(company, read).get("open", (0, 0))
    return NO_OPEN_AMOUNTS if held and not priced else ""


def _by_status(company: Company, read: Reading | None, priced: bool = True) -> dict[str, tuple[int, int]]:
    """Status → deals, and how many of them have an amount above zero (all of them unless `priced`: amounts take longer,
    and are made once with all else that is read of deals)."""
    priced = priced or there(company, "deals", Part(frozenset({"status", "amount"}))) is not None

    def count() -> dict[str, tuple[int, int]]:
        rows = facts.deals(company, read, "status", "amount") if priced else facts.few_of_deals(company, ("status",))
        above = (rows.amount > 0).sum() if "amount" in rows.columns else rows.count()
        found = rows.group_by("status").agg(deals=rows.count(), priced=above).to_pandas()
        return {x.status: (int(x.deals), int(x.priced or 0)) for x in found.fillna(0).itertuples()}

    return company.once(f"deals by status {priced}", count)
