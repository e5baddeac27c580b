"""Hazards and the health score in words: what goes with leaving and with growing, and whether the score sees it coming."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from revops_helpers.intelligence.panel import TERM
from revops_helpers.measurement import Measurement
from revops_helpers.words import figures, parts
from revops_helpers.words.definitions import name_cell
from revops_helpers.words.language import N_, Text, _, count, listing, n_, sentences, value_of, with_interval
from revops_helpers.words.parts import Part
from revops_helpers.words.passport import feature_name
from revops_helpers.words.phase import available, lower_first, upper_first

if TYPE_CHECKING:
    from revops_helpers.intelligence.hazards import Hazards
    from revops_helpers.intelligence.health import HealthValidity

# What customers with a factor did, as a clause; {ratio} is how much more often.
MORE: Mapping[tuple[str, str], str] = {
    ("churned", "low_usage"): N_("customers with under half of their seats in use left {ratio} as often"),
    ("churned", "incomplete_handoff"): N_("customers with an incomplete handoff left {ratio} as often"),
    ("expanded", "low_usage"): N_("customers with under half of their seats in use bought more {ratio} as often"),
    ("expanded", "seats_full"): N_("customers whose seats were nearly full bought more {ratio} as often"),
}
SHORT: Mapping[str, str] = {
    "low_usage": N_("Low use of seats"),
    "incomplete_handoff": N_("Handoff incomplete"),
    "seats_full": N_("Seats nearly full"),
}
BANDS: Mapping[str, str] = {"red": N_("Red"), "yellow": N_("Yellow"), "green": N_("Green")}


def measured(row, n: int, unit: str = "ratio") -> Measurement:
    """The hazard ratio of a factor."""
    if row.status != "ok":
        return Measurement(None, n=n, status="insufficient", reason=row.reason, unit=unit)
    return Measurement(row.ratio, n=n, low=row.low, high=row.high, unit=unit)


@available(N_("what goes with leaving, and with growing"))
def hazards_section(hazards: Hazards) -> Part:
    """Hazard ratios drawn, the hazard by tenure and year as a table."""
    if not hazards.events:
        return parts.reading(_none(hazards))
    said = [parts.reading(hazards_reading(hazards)), parts.limit(_limit())]
    told = [(_(SHORT[r.factor]), measured(r, int(r.months))) for r in hazards.ratios.itertuples() if r.status == "ok"]
    if not told:
        return parts.beside(_rates(hazards), *said)
    alt = listing([_("{name} {ratio}", name=name, ratio=with_interval(ratio)) for name, ratio in told])
    traits = listing([lower_first(feature_name(r.factor)) for r in hazards.ratios.itertuples() if r.status == "ok"])
    note = _("Monthly hazard with each trait against without, tenure, year and the other held equal: {traits}.", traits=traits)
    better = "lower" if hazards.outcome == "churned" else "higher"
    drawn = parts.picture(figures.bars(told, reference=1.0, better=better), hazards_title(hazards), note, alt)
    return parts.stack(parts.beside(drawn, *said), parts.details(_("By tenure and by year"), _rates(hazards)))


def _none(hazards: Hazards) -> Text:
    words = {"months": count(hazards.months), "customers": count(hazards.customers)}
    if hazards.outcome == "churned":
        return _("Nobody has left in {months} customer-months of {customers} customers on record.", **words)
    return _("Nobody has bought more in {months} customer-months of {customers} customers on record.", **words)


def hazards_title(hazards: Hazards) -> Text:
    """The strongest trait that stands clear of chance, or that none does."""
    clear = _clear(hazards)
    if not clear:
        return _("No trait stands clear of chance")
    strongest = max(clear, key=lambda row: max(row.ratio, 1 / row.ratio))
    return upper_first(_clause(hazards, strongest, value_of(measured(strongest, int(strongest.months)))))


def _clear(hazards: Hazards) -> list:
    return [row for factor in hazards.ratios.factor if (row := hazards.clear(factor)) is not None]


def _clause(hazards: Hazards, row, ratio: str) -> Text:
    return _(MORE[hazards.outcome, row.factor], ratio=ratio)


def clear_reading(hazards: Hazards, factor: str) -> Text | None:
    """One trait that stands clear of chance, with its interval; None when it does not."""
    row = hazards.clear(factor)
    return None if row is None else _clause(hazards, row, with_interval(measured(row, int(row.months))))


def traits_reading(hazards: Hazards) -> Text:
    """The traits that stand clear of chance; empty when none does."""
    clauses = [_clause(hazards, row, with_interval(measured(row, int(row.months)))) for row in _clear(hazards)]
    return _("**{clauses}.**", clauses=upper_first(listing(clauses))) if clauses else Text("")


def hazards_reading(hazards: Hazards) -> Text:
    """The traits that stand clear of chance, then what the first year is like."""
    none = _("None of the traits on record goes with more or fewer of them beyond chance.")
    return sentences(traits_reading(hazards) or none, _young(hazards))


def _young(hazards: Hazards) -> Text:
    """Whether anybody leaves in the first year; the upper bound is what nothing seen allows."""
    young = hazards.by_tenure[hazards.by_tenure["last"] <= TERM]
    months, events = int(young.months.sum()), int(young.events.sum())
    if hazards.outcome != "churned" or not months or events:
        return Text("")
    return _("In the first {term} months nobody left, in {n} customer-months.", term=count(TERM), n=count(months))


def _limit() -> Text:
    return _(
        "Limit: these go together; that one brings the other about is not shown. What counts is what was known when the month "
        "began, so what changed within the month is missed."
    )


def _rates(hazards: Hazards) -> Part:
    """Monthly hazard by months since the customer came, and of ordinary customers by year."""
    rows = [
        (_band(row.first, row.last), count(row.months), count(row.events), _rate(row)) for row in hazards.by_tenure.itertuples()
    ]
    years = [
        (_("{year}, ordinary customers", year=str(row.year)), count(row.months), count(row.events), _rate(row))
        for row in hazards.by_year.itertuples()
    ]
    heads = [_("Months since the customer came"), _("Customer-months"), _("Events"), _("A month")]
    note = _("Ordinary customers: past their first year, and on record without any of the traits.")
    return parts.stack(parts.table(heads, [*rows, *years], name=_("Hazard by tenure and year")), parts.note(note))


def _band(first: float, last: float | None) -> Text:
    words = {"first": count(first), "last": count(0 if last is None or last != last else last)}
    return _("{first} and more", **words) if last is None or last != last else _("{first} to {last}", **words)


def _rate(row) -> Measurement:
    return Measurement(row.hazard, n=int(row.months), low=max(row.low, 0.0), high=row.high, unit="percent")


@available(N_("whether the health score sees departures coming"))
def health_section(health: HealthValidity) -> Part:
    """The score's own test, and what came after each band."""
    said = [parts.reading(health_reading(health))]
    said.append(
        parts.limit(_("Limit: months with a score only. A customer that was called because of its score may have stayed."))
    )
    if health.bands.empty:
        return parts.stack(*said)
    rows = [
        (_(BANDS[row.band]), count(row.customers), Measurement(row.left, int(row.customers), row.low, row.high, unit="percent"))
        for row in health.bands.itertuples()
    ]
    left = n_("Left within {n} month", "Left within {n} months", health.horizon)
    return parts.beside(parts.table([_("Band"), name_cell("customers"), left], rows, name=_("What came after each band")), *said)


def health_reading(health: HealthValidity) -> Text:
    """Valid, an opinion, or too few to tell."""
    words = {"auc": with_interval(health.auc)}
    if health.auc.value is None or health.auc.status != "ok":
        return n_(
            "**Whether the health score sees departures coming cannot be told:** {n} customer with a score has left.",
            "**Whether the health score sees departures coming cannot be told:** {n} customers with a score have left.",
            health.events,
        )
    if not health.auc.clear_of(0.5):
        return _("**The health score is an opinion:** of two customers, one of which leaves, it ranks the right one lower in "
                 "{auc} of cases, no better than chance.", **words)  # fmt: skip
    if health.auc.value < 0.5:
        return _("**The health score points the wrong way:** customers that leave had the higher score (AUC {auc}).", **words)
    weak = _("That is weak: use what was done, not the score alone.") if health.auc.value < 0.65 else ""
    return sentences(_("**The health score sees some of it coming:** AUC {auc}, where 0.5 is chance.", **words), weak)
