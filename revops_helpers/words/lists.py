"""The lists of the roles' pages: what each role works through, the largest first, each with the sentence that it comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import pandas as pd

from revops_helpers.measurement import Measurement
from revops_helpers.metrics.dimensions import NOT_RECORDED
from revops_helpers.metrics.measure import as_measurement, catalogue, measure, measurement
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.words import parts
from revops_helpers.words.definitions import name_cell
from revops_helpers.words.language import N_, Quantity, Text, _, count, day, money, month, n_, percent, span, value_of
from revops_helpers.words.names import member as called
from revops_helpers.words.names import person, record
from revops_helpers.words.parts import Part
from revops_helpers.words.phase import available, is_there, needs

MOST = 6  # rows of a list on a page of its own; the phase reports have more
FEWER, FEWEST, LEAST = 4, 3, 2  # beside findings, beside another list, and where each takes two lines
TEAM = ("new_arr_won", "deals_won", "win_rate", "pipeline")
BY_SOURCE = ("leads", "lead_conversion_90d", "lead_won_180d", "never_contacted")
MOVES: Mapping[str, str] = {
    "new_arr": N_("New"),
    "reactivation_arr": N_("Came back"),
    "expansion_arr": N_("Expansion"),
    "indexation_arr": N_("Indexation"),
    "contraction_arr": N_("Contraction"),
    "churned_arr": N_("Churn"),
    "net_new_arr": N_("Net new"),
    "arr": N_("At the end"),
}
LOSSES = ("contraction_arr", "churned_arr")


class View(NamedTuple):
    """A sentence that can head a page or a section, None where it cannot be told; and what shows it."""

    title: Text | None
    part: Part


def lacking(company: Company, metric: str, found: pd.DataFrame) -> Text | str:
    missing = company.missing(catalogue()[metric].needs)
    return needs(Unavailable(missing)) if missing else _("records of the period")


def deals(company: Company, member: str = "") -> View:
    """Open deals that stand still, of one person or of all, the largest first."""
    from revops_helpers.optimization.standing import standing_deals
    from revops_helpers.words.pipeline import deals_table, standing_section

    found = company.ask(standing_deals)
    if not is_there(found):
        return View(None, standing_section(found, company))
    rows = found.deals
    if member:
        rows = rows[rows.owner_id == member] if "owner_id" in rows.columns else rows.head(0)
    words = {"worth": Quantity(money(int(rows.amount.sum()), company.settings.currency), "pipeline")}
    if rows.empty:
        return View(_("No open deal stands still"), parts.reading(_("No open deal breaks a rule.")))
    title = n_("{n} open deal worth {worth} stands still", "{n} open deals worth {worth} stand still", len(rows), **words)
    return View(title, _capped(rows, lambda some: deals_table(some, company)))


def _capped(rows: pd.DataFrame, shown: Callable[[pd.DataFrame], Part], most: int = MOST) -> Part:
    """The first rows, and how many more there are."""
    rest = len(rows) - most
    more = [parts.note(n_("{n} more is not shown.", "{n} more are not shown.", rest))] if rest > 0 else []
    return parts.stack(shown(rows.head(most)), *more)


def team(company: Company, member: str = "") -> View:
    """What each person won, how often, what is open, and how much of that stands still."""
    from revops_helpers.optimization.standing import standing_deals

    found = measure(company, list(TEAM), by="seller")
    known = found[found.value.notna() & (found.member == member if member else True)]
    if known.empty:
        return View(None, parts.unavailable(lacking(company, "new_arr_won", found), _("what each person won")))
    still = company.ask(standing_deals)
    stuck = still.deals.groupby("owner_id").amount.sum() if is_there(still) and "owner_id" in still.deals else {}
    cells = {key: as_measurement(row) for key, row in known.set_index(["member", "metric"], drop=False).iterrows()}
    won = {name: cells[name, "new_arr_won"].value if (name, "new_arr_won") in cells else 0 for name in known.member.unique()}
    order = pd.DataFrame({"name": list(won), "won": list(won.values())}).sort_values(["won", "name"], ascending=[False, True])

    def shown(some: pd.DataFrame) -> Part:
        currency = company.settings.currency
        rows = [
            (_member(company, name), *(_cell(cells.get((name, metric))) for metric in TEAM), money(stuck.get(name, 0), currency))
            for name in some.name
        ]
        heads = [_("Person"), name_cell("new_arr_won", _("ARR won")), *map(name_cell, TEAM[1:]), _("Of it standing still")]
        return parts.table(heads, rows, name=_("The team"))

    return View(_team_title(company, order.won), _capped(order, shown))


def _member(company: Company, name: str) -> Text:
    return _("(not recorded)") if name == NOT_RECORDED else person(company, name)


def _cell(m: Measurement | None) -> Measurement | Text | str:
    return "" if m is None else value_of(m) if m.exact else m


def _team_title(company: Company, won: pd.Series) -> Text:
    """How few people won half of it."""
    total = int(won.sum())
    if not total:
        return _("Nobody has won a deal in the period yet")
    half = int((won.cumsum() < total / 2).sum()) + 1
    words = {"all": count(int((won > 0).sum())), "total": Quantity(money(total, company.settings.currency), "new_arr_won")}
    return _("{n} of {all} people with wins won half of the {total}", n=count(half), **words)


def sources(company: Company, member: str = "") -> View:
    """Each source: leads, how many become deals, how many are won, how many nobody contacted."""
    found = measure(company, list(BY_SOURCE), by="source")
    known = found[found.value.notna()]
    if known.empty:
        return View(None, parts.unavailable(lacking(company, "leads", found), _("leads by source")))
    cells = {key: as_measurement(row) for key, row in known.set_index(["member", "metric"], drop=False).iterrows()}
    leads_of = known[known.metric == "leads"].sort_values(["value", "member"], ascending=[False, True])

    def shown(some: pd.DataFrame) -> Part:
        rows = [(called(name), *(_cell(cells.get((name, metric))) for metric in BY_SOURCE)) for name in some.member]
        return parts.table([_("Source"), *(name_cell(metric) for metric in BY_SOURCE)], rows, name=_("Sources"))

    return View(_sources_title(known[known.metric == "lead_conversion_90d"]), _capped(leads_of, shown, FEWER))


def _sources_title(rates: pd.DataFrame) -> Text:
    judged = [(str(row["member"]), as_measurement(row)) for _i, row in rates.sort_values("value").iterrows()]
    judged = [(name, m) for name, m in judged if m.status in ("ok", "partial", "censored") and None not in (m.low, m.high)]
    if len(judged) < 2 or judged[0][1].high >= judged[-1][1].low:
        return _("No source's leads become deals clearly more often than another's")
    (worst, low), (best, high) = judged[0], judged[-1]
    words = {"best": called(best), "high": value_of(high), "worst": called(worst), "low": value_of(low)}
    return _("{high} of the leads from {best} become deals within 90 days, {low} of those from {worst}", **words)


def movements(company: Company, member: str = "") -> View:
    """What moved ARR, month by month."""
    found = measure(company, list(MOVES), every="month")
    if found.value.isna().all():
        return View(None, parts.unavailable(lacking(company, "arr", found), _("what moved ARR, month by month")))
    currency, held = company.settings.currency, found.set_index(["period_end", "metric"]).value

    def cell(end, metric: str) -> Text | str:
        value = held.get((end, metric))
        return "" if pd.isna(value) else money(-value if metric in LOSSES else value, currency)

    ends = sorted(end for end in found[found.value.notna()].period_end.unique())
    rows = [(month(end), *(cell(end, metric) for metric in MOVES)) for end in ends]
    grid = parts.table(
        [_("Month"), *(name_cell(metric, _(name)) for metric, name in MOVES.items())], rows, name=_("What moved ARR")
    )
    grew = measurement(company, "net_new_arr").value or 0
    words = {"change": Quantity(money(abs(grew), currency), "net_new_arr"), "period": span(company.period)}
    title = _("ARR grew by {change} in {period}", **words) if grew >= 0 else _("ARR fell by {change} in {period}", **words)
    return View(title, grid)


def renewals(company: Company, member: str = "") -> View:
    """Customers whose term ends soon, the largest first, with how much they use."""
    from revops_helpers.optimization.renewals import renewals as asked

    return _renewals(company.ask(asked), company)


def _renewals(found, company: Company) -> View:
    shown = available(N_("which customers renew soon, and how much they use"))(_renewals_table)(found, company)
    if not is_there(found):
        return View(None, shown)
    words = {"due": value_of(found.due), "until": day(found.until)}
    if found.little is None or not found.little.n:
        return View(_("{due} of ARR renews by {until}", **words), shown)
    little = value_of(found.little)
    title = _("{due} of ARR renews by {until}; {little} of it at customers that use less than half their seats", little=little,
              **words)  # fmt: skip
    return View(title, shown)


def _renewals_table(found, company: Company) -> Part:
    def table(some: pd.DataFrame) -> Part:
        rows = [
            (
                record(company, "accounts", row.account_id),
                day(pd.Timestamp(row.renews_on).date()),
                money(int(row.arr), company.settings.currency),
                "" if pd.isna(row.used) else percent(row.used),
            )
            for row in some.itertuples()
        ]
        heads = [_("Customer"), _("Renews on"), name_cell("arr"), _("Seats in use, last 4 weeks")]
        return parts.table(heads, rows, name=_("Renewals"))

    if found.customers.empty:
        return parts.reading(_("No customer's term ends by {until}.", until=day(found.until)))
    return _capped(found.customers, table, FEWER)


def arr_tie(company: Company, member: str = "") -> View:
    """Whether ARR ties to finance."""
    from revops_helpers.foundation.tie_out import arr_tie as asked
    from revops_helpers.words.foundation import revenue_clause
    from revops_helpers.words.tie_out import arr_section

    found = company.ask(asked)
    return View(revenue_clause(found), arr_section(found, company))


def checks(company: Company, member: str = "") -> View:
    """The checks that records fail, most money first."""
    from revops_helpers.foundation.hygiene import hygiene
    from revops_helpers.words.records import checks_section, checks_table

    found = company.ask(hygiene)
    if not is_there(found):
        return View(None, checks_section(found, company))
    shown = checks_table(found, company, FEWEST)
    if not found.pipeline_at_risk.value:
        return View(None, shown)
    risk = found.pipeline_at_risk
    words = {"worth": value_of(risk), "share": Quantity(percent(risk.value / found.pipeline), "pipeline_at_risk")}
    return View(_("{worth} of open pipeline ({share}) rests on records that fail a check", **words), shown)


def records(company: Company, member: str = "") -> View:
    """What can be relied on, and what cannot."""
    from revops_helpers.foundation.hygiene import hygiene
    from revops_helpers.foundation.tie_out import arr_tie as tie
    from revops_helpers.words.foundation import title
    from revops_helpers.words.records import ledger_section

    return View(title(company.ask(tie), company.ask(hygiene)), ledger_section(company))


def refused(company: Company, member: str = "") -> View:
    """The rows that were refused, by table and rule."""
    from revops_helpers.words.records import quarantine_table

    rows = company.quarantine
    n = 0 if rows is None else len(rows)
    title = n_("{n} row was refused when read", "{n} rows were refused when read", n) if n else _("No row was refused")
    return View(title, quarantine_table(company, LEAST))
