"""Nothing appears and nothing is lost: opening + movements = closing, of what recurs and of the pipeline, to the cent.

Opening and closing are the catalogue's own numbers on two days. The movements are counted apart from them: those of recurring
revenue by the metrics that report them, those of the pipeline from every state that a deal's history holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import ibis
import pandas as pd

from revops_helpers.metrics.dimensions import add_dimension, in_segment
from revops_helpers.metrics.facts import NOT_A_DEAL, closed_on, plan_rates, reporting, zero
from revops_helpers.metrics.measure import measured
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company, Unavailable
from revops_helpers.periods import Period

# The movements in the order in which they are told, with the metric that reports each; all but the last two are gains.
RECURRING: Mapping[str, str] = {
    "new": "new_arr",
    "reactivation": "reactivation_arr",
    "expansion": "expansion_arr",
    "indexation": "indexation_arr",
    "contraction": "contraction_arr",
    "churn": "churned_arr",
}
LOSSES = ("contraction", "churn")
COUNTED = ("new", "reactivation", "churn")  # what makes a customer or ends one
PIPELINE = ("opened", "amount_up", "amount_down", "won", "lost", "struck")
MONTHS_A_YEAR = 12
SUBSCRIPTIONS = ("subscriptions.account_id", "subscriptions.mrr", "subscriptions.starts_on", "subscriptions.ends_on")
DEALS = tuple(f"opportunities.{name}" for name in ("status", "kind", "amount", "close_date", "created_at"))
HISTORY = ("opportunity_history.changed_at", "opportunity_history.amount")
TOTAL = ""
CURRENCY = "fx_effect"

Members = Mapping[str, int]


@dataclass(frozen=True)
class Conservation:
    """What every measure opened with, how it moved, and what it closed with.

    lines: one row per measure (mrr, arr, customers, pipeline) and member: the total ("") first, then the segments, where accounts
        have one. Columns: measure, member, opening, one per movement (signed; absent where the measure has no such movement),
        closing, difference = opening + movements − closing. Money in cents of the reporting currency at plan rates. fx_effect: of
        ARR in a foreign currency, what the month's rates added beyond the plan's; in none of the others.
    absent: measure → what it needs here.
    """

    period: Period
    currency: str
    lines: pd.DataFrame
    absent: Mapping[str, Unavailable]

    def of(self, measure: str) -> pd.DataFrame:
        """The rows of one measure, without the movements that it does not have."""
        return self.lines[self.lines.measure == measure].dropna(axis=1, how="all")


def conservation(company: Company) -> Conservation:
    """Opening + movements = closing over the company's period. Unavailable when neither subscriptions nor deals tell it."""
    parts: list[pd.DataFrame] = []
    absent: dict[str, Unavailable] = {}
    makers: Mapping[tuple[str, ...], Callable[[Company], pd.DataFrame]] = {
        ("mrr", "arr", "customers"): recurring_lines,
        ("pipeline",): pipeline_lines,
    }
    for measures, make in makers.items():
        found = company.ask(make)
        if isinstance(found, Unavailable):
            absent |= dict.fromkeys(measures, found)
        else:
            parts.append(found)
    if not parts:
        raise Unavailable(dict.fromkeys(need for missing in absent.values() for need in missing.missing))
    lines = pd.concat(parts, ignore_index=True)
    if isinstance(found := company.ask(currency_effect), Unavailable):
        absent[CURRENCY] = found
    elif found:
        lines[CURRENCY] = lines.member.map(found).fillna(0).astype("Int64").where(lines.measure == "arr")
    order = ["measure", "member", "opening", *(m for m in (*RECURRING, *PIPELINE) if m in lines), "closing", "difference"]
    order += [CURRENCY] if CURRENCY in lines else []
    return Conservation(company.period, company.settings.currency, lines[order], absent)


def balanced(measure: str, opening: Members, closing: Members, moved: Mapping[str, Members]) -> pd.DataFrame:
    """One row per member of any side, sorted, the total first: measure, member, opening, each movement, closing, difference.

    A member that a side does not name has nothing there. Pure, in whole cents or heads.
    """
    members = sorted({*opening, *closing, *(member for amounts in moved.values() for member in amounts)})
    rows = []
    for member in members:
        steps = [int(amounts.get(member, 0)) for amounts in moved.values()]
        start, end = int(opening.get(member, 0)), int(closing.get(member, 0))
        rows.append((measure, member, start, *steps, end, start + sum(steps) - end))
    frame = pd.DataFrame(rows, columns=["measure", "member", "opening", *moved, "closing", "difference"])
    return frame.astype(dict.fromkeys(frame.columns[2:], "Int64"))


# --- what recurs ---------------------------------------------------------------------------------------------------------


def recurring_lines(company: Company) -> pd.DataFrame:
    """MRR, ARR and customers, balanced. Unavailable without subscriptions."""
    company.require(SUBSCRIPTIONS)
    rows = measured(company, list(RECURRING.values()), _cuts(company), Windows.of(company.settings, company.period))

    def movement(name: str, column: str) -> Members:
        sign = -1 if name in LOSSES else 1
        return {member: sign * n for member, n in _members(rows[rows.metric == RECURRING[name]], column).items()}

    arr = {name: movement(name, "value") for name in RECURRING}
    moved = {
        "mrr": {name: {member: n // MONTHS_A_YEAR for member, n in amounts.items()} for name, amounts in arr.items()},
        "arr": arr,
        "customers": {name: movement(name, "n") for name in COUNTED},
    }
    stocks = _at_the_ends(company, tuple(moved))
    return pd.concat([balanced(name, *stocks[name], moved[name]) for name in moved], ignore_index=True)


def currency_effect(company: Company) -> Members:
    """Member → what currency did to ARR over the period; none where nothing recurs in another. Unavailable without rates."""
    if company.missing(SUBSCRIPTIONS) or not plan_rates(company, "subscriptions"):
        return {}
    company.require(["fx_rates"])
    rows = measured(company, [CURRENCY], _cuts(company), Windows.of(company.settings, company.period))
    if rows.value.isna().any():
        raise Unavailable([f"{CURRENCY} of the period: {rows[rows.value.isna()].reason.iloc[0]}"])
    return _members(rows, "value")


def _cuts(company: Company) -> list[str]:
    """The total, and the segments where the accounts have one and the review is about all of them."""
    return [TOTAL] if company.segment or company.missing(["accounts.segment"]) else [TOTAL, "segment"]


def _at_the_ends(company: Company, metrics: tuple[str, ...]) -> dict[str, tuple[Members, Members]]:
    """Metric → member → value on the eve of the period, and on its last day. Unavailable where there is no value."""
    eve = company.period.start - timedelta(days=1)
    spans = (Period(eve, eve), Period(company.period.end, company.period.end))
    rows = measured(company, metrics, _cuts(company), Windows.of(company.settings, spans))
    ends = {day: rows[rows.period_end == day] for day in (eve, company.period.end)}
    return {name: tuple(_members(side[side.metric == name], "value") for side in ends.values()) for name in metrics}


def _members(rows: pd.DataFrame, column: str) -> Members:
    """Member → whole number. Unavailable where one has none, with the reason."""
    if rows.value.isna().any():
        raise Unavailable([rows[rows.value.isna()].reason.iloc[0].removeprefix("needs ")])
    return {member: round(value) for member, value in zip(rows.member, rows[column], strict=True)}


# --- the pipeline --------------------------------------------------------------------------------------------------------


def pipeline_lines(company: Company) -> pd.DataFrame:
    """Open new business, balanced. Unavailable without deals, their amounts, and the history of the amounts.

    A deal enters with the amount that it has at the end of the day on which it is opened, and leaves with the one of the day on
    which it ends. Amounts not known yet count as zero. `struck` are deals lost as duplicate or disqualified, which never were
    any. History keeps no status: a deal that was closed and opened again was open all the time.
    """
    company.require((*DEALS, *HISTORY))
    opening, closing = _at_the_ends(company, ("pipeline",))["pipeline"]
    found = _movements(company).execute()
    moved: dict[str, dict[str, int]] = {name: {} for name in PIPELINE}
    for row in found.itertuples():
        moved[row.movement][row.member] = int(row.amount)
    for amounts in moved.values():
        amounts[TOTAL] = sum(amounts.values())
    shown = _cuts(company) != [TOTAL]
    kept = {name: amounts if shown else {TOTAL: amounts[TOTAL]} for name, amounts in moved.items()}
    return balanced("pipeline", opening, closing, kept)


def _movements(company: Company) -> ibis.Table:
    """member, movement, amount: signed sums over the period, from the deals and every state of their history."""
    period, windows = company.period, Windows.of(company.settings, company.period)
    deals = _new_business(company, windows)
    states = _states(company, deals, windows)
    had = states.group_by("opportunity_id").agg(
        at_birth=states.amount.argmax(states.day, where=states.day <= states.born),
        at_end=states.amount.argmax(states.day, where=states.day <= states.gone),
    )
    known = deals.left_join(had, "opportunity_id")
    told = known.opportunity_id_right.notnull()  # without any history the amount is the export's on every day
    known = known.select(
        *deals.columns,
        at_birth=ibis.ifelse(told, known.at_birth.fill_null(0), known.amount),
        at_end=ibis.ifelse(told, known.at_end.fill_null(0), known.amount),
    )
    opened = known.filter(windows.within(known.born, period))
    ended = known.filter(windows.within(known.gone, period))
    changed = states.filter(
        windows.within(states.day, period),
        states.born.isnull() | (states.day > states.born),
        states.gone.isnull() | (states.day <= states.gone),
        states.amount != states.before,
    )
    up = changed.amount > changed.before
    events = ibis.union(
        opened.select("member", movement=ibis.literal("opened"), amount=opened.at_birth),
        changed.select("member", movement=ibis.ifelse(up, "amount_up", "amount_down"), amount=changed.amount - changed.before),
        ended.select("member", movement=ended.end, amount=-ended.at_end),
    )
    return events.group_by("member", "movement").agg(amount=events.amount.sum())


def _new_business(company: Company, windows: Windows) -> ibis.Table:
    """One row per new-business deal: opportunity_id, member, currency, amount (reporting cents, unknown 0), born and gone (the
    company's days, empty where unknown or still open), end (won, lost or struck)."""
    wanted = ("opportunity_id", "account_id", "status", "kind", "amount", "currency", "created_at", "closed_at", "close_date")
    rows = in_segment(company, company.table("opportunities", (*wanted, "lost_reason")))
    rows = rows.filter(rows.kind == "new")
    rows = add_dimension(company, rows, "segment") if _cuts(company) != [TOTAL] else rows.mutate(member=ibis.literal("all"))
    never = rows.lost_reason.lower().isin(NOT_A_DEAL).fill_null(False) if "lost_reason" in rows.columns else ibis.literal(False)
    rows = rows.select(
        "opportunity_id",
        "member",
        currency=rows.currency if "currency" in rows.columns else ibis.null("string"),
        amount=reporting(company, rows, "opportunities", "amount").fill_null(0),
        born=windows.day(rows.created_at),
        gone=closed_on(rows, windows),
        end=ibis.ifelse((rows.status == "lost") & never, "struck", rows.status),
    )
    return rows.filter(rows.born.isnull() | rows.gone.isnull() | (rows.born <= rows.gone))


def _states(company: Company, deals: ibis.Table, windows: Windows) -> ibis.Table:
    """One row per deal and day on which its history says something: the amount at that day's end and the one before."""
    history = company.table("opportunity_history", ("opportunity_id", "changed_at", "amount"))
    history = history.select("opportunity_id", "changed_at", told=history.amount)
    rows = history.inner_join(deals.drop("amount"), "opportunity_id")
    rows = rows.mutate(amount=rows.told, day=windows.day(rows.changed_at))
    rows = rows.mutate(amount=reporting(company, rows, "opportunities", "amount").fill_null(0))
    daily = rows.group_by("opportunity_id", "member", "born", "gone", "day").agg(amount=rows.amount.argmax(rows.changed_at))
    order = ibis.window(group_by="opportunity_id", order_by="day")
    return daily.mutate(before=daily.amount.lag().over(order).fill_null(zero()))
