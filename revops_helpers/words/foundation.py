"""Phase 1 in words: can the data be trusted, and do we agree on what we measure? Results in; parts, sentences, findings out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from revops_helpers.finding import Finding
from revops_helpers.foundation.duplicates import Duplicates, duplicates
from revops_helpers.foundation.hygiene import Hygiene, hygiene
from revops_helpers.foundation.tie_out import ArrTie, arr_tie
from revops_helpers.foundation.won_billed import DealTie, deal_tie
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.words import parts
from revops_helpers.words.claims import claims_section
from revops_helpers.words.conservation import conservation_section
from revops_helpers.words.coverage import coverage_section, totals_section
from revops_helpers.words.duplicates import duplicates_section
from revops_helpers.words.language import N_, Quantity, Text, _, count, day, n_, percent, value_of
from revops_helpers.words.language import money as amount
from revops_helpers.words.limits import limits_section, serious_lines
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import doubts, finding, header, is_there, money, needs
from revops_helpers.words.readiness import gates_card
from revops_helpers.words.records import (
    checks_section,
    fields_section,
    ledger_section,
    quality_section,
    quarantine_section,
)
from revops_helpers.words.tie_out import arr_section, deals_section

__all__ = [
    "arr_section", "bottom_line", "changes_of_mind", "checks_section", "claims_section", "conservation_section",
    "coverage_section", "deals_section", "duplicates_section", "fields_section", "findings", "gates_card", "head",
    "ledger_section", "limits_section", "quality_section", "quarantine_section", "totals_section",
]  # fmt: skip

if TYPE_CHECKING:
    from revops_helpers.foundation.limits import Limits
    from revops_helpers.optimization.target_gap import Gap

KICKER = N_("Phase 1 report: for finance, sales and RevOps")
_finding = partial(finding, "foundation", "01_foundation_audit", confidence="high", metric="arr")
TIED = 0.01  # ARR that finance and billing report may differ by this share before it is a finding


# --- head and bottom line ------------------------------------------------------------------------------------------------


def head(company: Company, arr: ArrTie | Unavailable, deals: DealTie | Unavailable, clean: Hygiene | Unavailable) -> Part:
    """The head of the report; its title says what can be relied on and what cannot."""
    if is_there(arr) or is_there(deals):
        deck = _(
            "What every other report rests on: the revenue first, then every row read, then the fields on which decisions hang."
        )
    else:
        deck = _("Without billing and finance's ARR this audit can check the records, but not the revenue.")
    return header(company, KICKER, title(arr, clean), deck, whole=True)


def title(arr: ArrTie | Unavailable, clean: Hygiene | Unavailable) -> Text:
    """What can be relied on, and what cannot."""
    revenue, weak = revenue_clause(arr), _weak_clause(clean)
    return _("{revenue}; {records}", revenue=revenue, records=weak) if weak else revenue


def revenue_clause(arr: ArrTie | Unavailable) -> Text:
    """Whether ARR ties to finance."""
    if not is_there(arr):
        return _("Revenue cannot be checked against finance yet")
    if not arr.last.unexplained:
        return _("ARR ties to finance") if not arr.last.difference else _("ARR ties to finance once known causes are counted")
    share = Quantity(percent(max(abs(untied(arr)), 0.001)), "arr")
    return (
        _("ARR ties to finance within {share}", share=share)
        if is_tied(arr)
        else _("ARR and finance's differ by {share}", share=share)
    )


def _weak_clause(clean: Hygiene | Unavailable) -> Text | None:
    if not is_there(clean) or not clean.pipeline or not clean.pipeline_at_risk.value:
        return None
    share = Quantity(percent(clean.pipeline_at_risk.value / clean.pipeline), "pipeline_at_risk")
    return _("{share} of the pipeline rests on records that fail a check", share=share)


def untied(arr: ArrTie) -> float:
    """The difference that no known cause explains, as a share of finance's ARR."""
    return float(arr.last.unexplained) / float(arr.last.finance) if arr.last.finance else 0.0


def is_tied(arr: ArrTie) -> bool:
    """Whether that share is small enough to rely on."""
    return abs(untied(arr)) <= TIED


def bottom_line(company: Company, arr, deals, clean, twice, limits: Limits | Unavailable | None = None) -> Part:
    """The three to five sentences that matter: what forbids conclusions, then most money first."""
    lines = (
        _arr_line(company, arr),
        _unbilled_line(company, deals),
        _risk_line(company, clean),
        _rows_line(company),
        _twice_line(twice),
    )
    said = sorted((line for line in lines if line), key=lambda line: -line[0])
    nothing = _("**Nothing to audit:** the data has neither deals, companies nor billing.")
    first = serious_lines(limits, company)
    return parts.bottom_line([*first, *(text for _size, text in said)][: max(5, len(first) + 2)] or [nothing])


def _arr_line(company: Company, arr: ArrTie | Unavailable) -> tuple[float, str]:
    if not is_there(arr):
        return 0, _("**Revenue** is not checked against finance: that needs {needs}.", needs=needs(arr))
    left, gap, currency, when = (
        int(arr.last.unexplained),
        int(arr.last.difference),
        company.settings.currency,
        day(arr.last.month_end),
    )
    if not gap:
        return 0, _("**Revenue:** billing and finance report the same ARR on {day}, to the cent.", day=when)
    if not left:
        explained = Quantity(amount(abs(gap), currency), "arr")
        return 0, _("**Revenue:** the {gap} between finance and billing on {day} is explained in full.", gap=explained, day=when)
    shown, share = (Quantity(told, "arr") for told in (amount(abs(left), currency), percent(abs(untied(arr)))))
    return abs(left), _(
        "**Revenue:** {left} of ARR ({share}) on {day} is in no cause we know of.", left=shown, share=share, day=when
    )


def _unbilled_line(company: Company, deals: DealTie | Unavailable) -> tuple[float, str] | None:
    if not is_there(deals):
        return None
    lost = deals.total("unbilled")
    if not lost.records:
        if not (deals.total("matched").records or deals.total("differs").records):
            return None  # none has had its time to be billed
        return 0, _("**Won deals:** every deal whose time has come is billed.")
    worth = amount(int(lost.won), company.settings.currency)
    text = n_(
        "**Won, never billed:** {n} deal worth {worth} a year.",
        "**Won, never billed:** {n} deals worth {worth} a year.",
        int(lost.records),
        worth=worth,
    )
    return float(lost.won), text


def _risk_line(company: Company, clean: Hygiene | Unavailable) -> tuple[float, str] | None:
    if not is_there(clean) or clean.pipeline_at_risk.value is None or not clean.pipeline:
        return None
    risk = clean.pipeline_at_risk
    if not risk.value:
        return 0, _("**Pipeline:** no open deal fails a check.")
    share, worth = Quantity(percent(risk.value / clean.pipeline), "pipeline_at_risk"), value_of(risk)
    text = n_(
        "**Pipeline:** {worth} ({share}) hangs on {n} open deal that fails a check, counted once.",
        "**Pipeline:** {worth} ({share}) hangs on {n} open deals that fail a check, each counted once.",
        risk.n,
        worth=worth,
        share=share,
    )
    return float(risk.value), text


def _rows_line(company: Company) -> tuple[float, str] | None:
    if company.ledger is None or company.ledger.empty:
        return None
    rows = company.ledger[company.ledger.unit == "rows"]
    read, refused = int(rows.read.sum()), int(rows.quarantined.sum())
    if not refused:
        return 0, _("**Rows:** all {read} rows read are accounted for, and none was refused.", read=count(read))
    kept = {"read": count(read), "refused": count(refused), "share": percent(refused / read)}
    return 1, _("**Rows:** all {read} read are accounted for; {refused} ({share}) broke a rule and are kept apart.", **kept)


def _twice_line(twice: Duplicates | Unavailable) -> tuple[float, str] | None:
    if not is_there(twice) or "accounts" not in twice.records:
        return None
    extra = twice.extra("tax_id", "domain", table="accounts")
    if not extra:
        return 0, _("**Companies:** none of {n} stands twice by tax id or web domain.", n=count(twice.records["accounts"]))
    share = percent(extra / twice.records["accounts"])
    return 2, n_(
        "**Companies:** {n} record ({share}) repeats another.",
        "**Companies:** {n} records ({share}) repeat another.",
        extra,
        share=share,
    )


# --- findings ------------------------------------------------------------------------------------------------------------


def findings(company: Company) -> list[Finding]:
    """What phase 1 found, each with its stake, owner, action and review date. The gap gives deals never billed their lever."""
    from revops_helpers.optimization.target_gap import gap_to_plan

    found = (
        _unbilled(company, company.ask(deal_tie), company.ask(gap_to_plan)),
        _untied(company, company.ask(arr_tie)),
        _at_risk(company, company.ask(hygiene)),
        _refused(company),
        _repeated(company, company.ask(duplicates)),
    )
    return [finding for finding in found if finding]


def _unbilled(company: Company, deals: DealTie | Unavailable, gap) -> Finding | None:
    """Deals won and never billed: the ARR is there for the asking. Acting moves the share of won ARR that goes live."""
    if not is_there(deals) or not deals.total("unbilled").records:
        return None
    lost = deals.total("unbilled")
    levers = _live_lever(deals, gap)
    headline = n_("{n} won deal was never billed.", "{n} won deals were never billed.", int(lost.records))
    action = _("Bill them or mark them lost, and let no deal be won without a billing start.")
    stake = money(company, int(lost.won), n=int(lost.records))
    more = {"kind": "growth", "metric": "live_share" if levers else "arr", "levers": levers}
    return _finding(company, "won_not_billed", "billing", "finance", headline, action, stake, **more)


def _live_lever(deals: DealTie, gap: Gap | Unavailable | None) -> dict[str, float]:
    """live_share after billing them, scaled so that twelve months of the identity give the amount once."""
    if not is_there(gap) or "live_share" not in {driver.id for driver in gap.drivers}:
        return {}
    new = deals.pairs[deals.pairs.kind == "new"]
    live, unbilled, won = gap.driver("live_share").actual.value, int(new[new.case == "unbilled"].won.sum()), int(new.won.sum())
    return {"live_share": live + unbilled / won / gap.per_year} if live is not None and unbilled else {}


def _untied(company: Company, arr: ArrTie | Unavailable) -> Finding | None:
    if not is_there(arr) or is_tied(arr):
        return None
    gap = amount(abs(int(arr.last.unexplained)), company.settings.currency)
    headline = _("ARR and finance's differ by {gap} for no known cause.", gap=gap)
    action = _("Agree one ARR definition with finance and close the difference line by line.")
    return _finding(company, "arr_untied", "arr", "finance", headline, action)


def _at_risk(company: Company, clean: Hygiene | Unavailable) -> Finding | None:
    if not is_there(clean) or not clean.pipeline_at_risk.value:
        return None
    risk = clean.pipeline_at_risk
    words = {"worth": value_of(risk)}
    headline = n_("{n} open deal worth {worth} fails a check.", "{n} open deals worth {worth} fail a check.", risk.n, **words)
    action = _("Work through the list: close what is dead, date what is alive, give each deal an owner.")
    return _finding(company, "records_at_risk", "checks", "sales", headline, action, metric="pipeline")


def _refused(company: Company) -> Finding | None:
    if company.quarantine is None or company.quarantine.empty:
        return None
    headline = n_("{n} row was refused when read.", "{n} rows were refused when read.", len(company.quarantine))
    action = _("Repair them where they are kept, largest rule first; the next run takes them in.")
    return _finding(company, "rows_refused", "quarantine", "revops", headline, action)


def _repeated(company: Company, twice: Duplicates | Unavailable) -> Finding | None:
    extra = twice.extra("tax_id", "domain", table="accounts") if is_there(twice) else 0
    if not extra:
        return None
    headline = n_("{n} company record repeats another.", "{n} company records repeat another.", extra)
    action = _("Review the pairs, merge them, and refuse a second record with the same tax id or domain.")
    return _finding(company, "companies_twice", "duplicates", "revops", headline, action)


def changes_of_mind(company: Company, arr, deals, clean, twice) -> Part:
    """What would change these conclusions: what was assumed, and what is missing."""
    assumed = [
        _("Customers are legal groups: companies with one tax id root are one customer."),
        _("Money is at plan rates, so currency makes no difference between months."),
        _("A gap of up to {days} days between subscription lines is no churn.", days=count(company.settings.grace_days)),
        _("A day is the company's own, in {zone}.", zone=company.settings.time_zone),
    ]
    return doubts(assumed, (arr, deals, clean, twice))
