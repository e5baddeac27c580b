"""By how much spend comes before the customers that it is set against, in words beside CAC."""

from __future__ import annotations

from collections.abc import Iterable

from revops_helpers.measurement import Measurement
from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.metrics.costs import QUARTER, lag, lag_months
from revops_helpers.model.company import Company
from revops_helpers.words.language import Text, _, count, n_, sentences, value_of


def is_lagged(metric: str) -> bool:
    """Whether a metric, or one that it is computed from, sets spend against what came the lag from lead to win later."""
    record = catalogue().get(metric)
    return record is not None and (record.lag is lag_months or any(is_lagged(part) for part in record.parts))


def lag_note(company: Company, metrics: Iterable[str]) -> Text | None:
    """The lag that these metrics use here, and what tells it; nothing where none of them has one."""
    if not any(is_lagged(metric) for metric in metrics):
        return None
    found = lag(company)
    quarters = found.months // QUARTER
    if quarters:
        used = n_("**Lag from lead to win: one quarter.**", "**Lag from lead to win: {n} quarters.**", quarters)
    else:
        used = _("**Lag from lead to win: none, spend is that of the same period.**")
    if found.days is None:
        return sentences(used, _("It is the default: fewer than 20 deals won in twelve months name their lead."))
    days = value_of(Measurement(found.days, n=found.deals, unit="days", definition_id="lead_to_win_days"))
    told = _("Half of the {n} deals won in twelve months took {days} or less.", n=count(found.deals), days=days)
    return sentences(used, told)
