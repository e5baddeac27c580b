"""Opening + movements = closing, to the cent: by hand, and whatever the subscriptions and deals are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revops_helpers.foundation.conservation import Conservation, balanced, conservation
from revops_helpers.metrics.measure import measurement
from revops_helpers.model.company import Unavailable
from revops_helpers.words.checks import movements_give_closing
from revops_helpers.words.conservation import conservation_section, reading
from revops_helpers.words.language import use
from revops_helpers.words.markup import plain
from tests.support import company_of

EVE, END = date(2025, 12, 31), date(2026, 9, 30)
SEGMENTS = ("Big", "Small", None)


@pytest.fixture(autouse=True)
def english():
    use("en")


def line(account, mrr, starts, ends=None, id="", **more):
    row = {"subscription_id": id or f"{account} {starts}", "account_id": account, "mrr": mrr, "starts_on": starts}
    return row | {"ends_on": ends} | more


def deal(id, created, amount=100, status="open", closed=None, account="a", **more):
    row = {"opportunity_id": id, "account_id": account, "created_at": created, "amount": amount, "kind": "new", "status": status}
    return row | {"closed_at": closed, "close_date": closed and closed[:10], "lost_reason": None} | more


def state(id, at, amount):
    return {"opportunity_id": id, "changed_at": at, "amount": amount}


def accounts(*segments):
    return [{"account_id": name, "segment": segment} for name, segment in segments]


def row(found: Conservation, measure: str, member: str = "") -> dict:
    held = found.of(measure).set_index("member").loc[member]
    return {name: int(value) for name, value in held.items() if name != "measure" and value != 0}


# --- by hand -------------------------------------------------------------------------------------------------------------


def test_every_movement_of_recurring_revenue_by_hand():
    lines = [
        line("stays", 100, "2025-01-01"),
        line("grows", 200, "2025-01-01", "2026-03-01", id="g"),
        line("grows", 250, "2026-03-01", "2026-05-01", id="g"),
        line("grows", 260, "2026-05-01", id="g", change_reason="indexation"),
        line("shrinks", 300, "2025-01-01", "2026-04-01", id="s"),
        line("shrinks", 280, "2026-04-01", id="s"),
        line("leaves", 400, "2025-01-01", "2026-06-01"),
        line("back", 70, "2024-01-01", "2025-02-01"),
        line("back", 50, "2026-02-01"),
        line("comes", 30, "2026-07-01"),
        line("came and went", 20, "2026-02-01", "2026-08-01"),
    ]
    big = accounts(*((name, "Big") for name in ("stays", "leaves", "comes")))
    small = accounts(*((name, "Small") for name in ("grows", "shrinks", "back", "came and went")))
    found = conservation(company_of(subscriptions=lines, accounts=[*big, *small]))
    moved = {"new": 50, "reactivation": 50, "expansion": 50, "indexation": 10, "contraction": -20, "churn": -420}
    assert row(found, "mrr") == {"opening": 1000, **moved, "closing": 720}
    assert row(found, "arr") == {name: 12 * value for name, value in row(found, "mrr").items()}
    assert row(found, "customers") == {"opening": 4, "new": 2, "reactivation": 1, "churn": -2, "closing": 5}
    assert row(found, "mrr", "Big") == {"opening": 500, "new": 30, "churn": -400, "closing": 130}
    assert row(found, "customers", "Small") == {"opening": 2, "new": 1, "reactivation": 1, "churn": -1, "closing": 3}
    assert found.absent["pipeline"].missing == ("opportunities", "opportunity_history")


def dollars(*rates, plan=5.0, **more):
    lines = [
        line("a", 100_03, "2025-01-01", currency="USD"),
        line("b", 200_00, "2026-02-01", currency="USD"),
        line("gone", 300_00, "2025-01-01", "2026-06-01", currency="USD"),
        line("a", 50_00, "2025-01-01", currency="BRL", id="real"),
    ]
    months = [f"2026-{month:02}-01" for month in range(1, 8)]
    told = [("2025-12-01", 5.2), *((month, 5.3) for month in months), *rates]
    rows = [{"currency": "USD", "month": month, "rate_to_reporting": rate} for month, rate in told] if rates else None
    tables = {"subscriptions": lines, "accounts": accounts(("a", "Big"), ("b", "Small"), ("gone", "Small"))} | more
    return company_of(settings={"plan_rates": {"USD": plan}}, **tables, **({"fx_rates": rows} if rows else {}))


def test_what_currency_did_is_a_line_of_its_own_below_the_movements():
    # At 5.2 on the eve and 6.0 at the end against 5.0: a 100.03 × (1.0 − 0.2), b 200 × 1.0, gone −300 × 0.2, times twelve.
    found = conservation(dollars(("2026-08-01", 5.4), ("2026-09-01", 6.0)))
    at = {
        day: [round(cents * rate) for cents in of]
        for day, rate, of in (("eve", 5.2, (100_03, 300_00)), ("end", 6.0, (100_03, 200_00)))
    }
    whole, big = row(found, "arr"), row(found, "arr", "Big")
    assert big["fx_effect"] == 12 * ((60018 - 50015) - (52016 - 50015)) and row(found, "arr", "Small")["fx_effect"] == 12 * 14000
    assert whole["fx_effect"] == big["fx_effect"] + 12 * 14000
    moved = sum(whole.get(name, 0) for name in ("new", "expansion", "contraction", "churn"))
    opened, closed = (12 * (sum(at[day]) + 5000) for day in ("eve", "end"))
    assert opened + moved + whole["fx_effect"] == closed, "at the month's rates they give closing too"
    assert "fx_effect" not in row(found, "mrr") and movements_give_closing(found)
    text = conservation_section(found).text.replace("\u00a0", " ")
    assert "Currency, at the month's rates | +R$ 2,640.24" in text


def test_without_rates_currency_is_unknown_and_without_a_foreign_currency_it_is_nothing():
    found = conservation(dollars())
    assert found.absent["fx_effect"].missing == ("fx_rates",) and "fx_effect" not in found.lines
    assert "needs fx_rates" in conservation_section(found).text
    late = conservation(dollars(("2026-08-01", 5.4)))
    assert "2026-09 has not arrived" in str(late.absent["fx_effect"])
    reais = company_of(subscriptions=[line("a", 100, "2025-01-01", currency="BRL")], fx_rates=[])
    assert "fx_effect" not in conservation(reais).absent and "fx_effect" not in conservation(reais).lines
    assert measurement(reais, "fx_effect").reason == "nothing recurs in a foreign currency"


def test_every_movement_of_the_pipeline_by_hand():
    deals = [
        deal("stays", "2025-06-01", 130),
        deal("won", "2025-06-01", 90, "won", "2026-03-01"),
        deal("lost", "2025-06-01", 100, "lost", "2026-04-01", account="b"),
        deal("twin", "2025-06-01", 40, "lost", "2026-04-01", lost_reason="Duplicate"),
        deal("fresh", "2026-02-01", 70, account="b"),
        deal("fresh won", "2026-02-01", 40, "won", "2026-05-01"),
        deal("in a day", "2026-02-01", 15, "won", "2026-02-01"),
        deal("long gone", "2025-01-01", 999, "lost", "2025-02-01"),
        deal("no amount yet", "2026-02-01", 60),
        deal("expansion", "2026-02-01", 500, kind="expansion"),
    ]
    history = [
        state("stays", "2025-06-01", 100),
        state("stays", "2026-02-01 09:00", 120),
        state("stays", "2026-02-01 10:00", 130),
        state("won", "2025-06-01", 100),
        state("won", "2026-02-15", 90),
        state("won", "2026-03-05", 1),
        state("fresh", "2026-02-01", 50),
        state("fresh", "2026-02-02", 70),
        state("no amount yet", "2026-08-01", 60),
        state("expansion", "2026-02-01", 400),
    ]
    found = conservation(
        company_of(opportunities=deals, opportunity_history=history, accounts=accounts(("a", "Big"), ("b", "Small")))
    )
    # Opened: fresh 50, fresh won 40, in a day 15, and 0 of the deal whose amount came later; a change after the win is none.
    opening, closing = 100 + 100 + 100 + 40, 130 + 70 + 60
    moved = {"opened": 105, "amount_up": 30 + 20 + 60, "amount_down": -10, "won": -145, "lost": -100, "struck": -40}
    assert row(found, "pipeline") == {"opening": opening, **moved, "closing": closing}
    assert row(found, "pipeline", "Small") == {"opening": 100, "opened": 50, "amount_up": 20, "lost": -100, "closing": 70}
    assert set(found.absent) == {"mrr", "arr", "customers"}


def test_what_the_opening_says_is_what_the_report_of_that_day_said():
    lines = [line("a", 100, "2025-01-01"), line("b", 70, "2026-02-01")]
    deals = [deal("twin", "2025-06-01", 40, "lost", "2026-04-01", lost_reason="duplicate"), deal("x", "2026-02-01", 5)]
    now = company_of(subscriptions=lines, opportunities=deals, opportunity_history=[state("twin", "2025-06-01", 30)])
    then = conservation(replace(now, as_of=EVE, _made={}))
    found = conservation(now)
    for measure in ("mrr", "arr", "customers", "pipeline"):
        assert row(found, measure)["opening"] == row(then, measure)["closing"]


def test_one_segment_under_review_has_only_its_own():
    company = company_of(
        subscriptions=[line("a", 100, "2025-01-01"), line("b", 70, "2026-02-01")],
        opportunities=[deal("x", "2026-02-01", 5), deal("y", "2026-02-01", 7, account="b")],
        opportunity_history=[state("x", "2026-02-01", 5)],
        accounts=accounts(("a", "Big"), ("b", "Small")),
    )
    found = conservation(replace(company, segment="Small"))
    assert row(found, "mrr") == {"new": 70, "closing": 70} and row(found, "pipeline") == {"opened": 7, "closing": 7}
    assert set(found.lines.member) == {""}


def test_nothing_at_all_is_balanced_too():
    found = conservation(company_of(subscriptions=[], opportunities=[], opportunity_history=[]))
    assert len(found.lines) == 4 and not found.absent
    assert (found.lines.drop(columns=["measure", "member"]).fillna(0) == 0).all().all()


def test_what_is_missing_is_named_and_never_zero():
    with pytest.raises(Unavailable, match="subscriptions, opportunities"):
        conservation(company_of(users=[{"user_id": "u"}]))
    found = conservation(company_of(subscriptions=[line("a", 100, "2025-01-01")], opportunities=[deal("x", "2026-02-01")]))
    assert found.absent["pipeline"].missing == ("opportunity_history",) and found.of("pipeline").empty
    said = conservation_section(found).text
    assert "Not available: needs opportunity_history" in said and "the pipeline moves to the cent" in said


def test_open_deals_of_unknown_worth_are_not_worth_nothing():
    company = company_of(opportunities=[deal("x", "2026-02-01", None)], opportunity_history=[state("x", "2026-02-01", None)])
    with pytest.raises(Unavailable, match="amount"):
        conservation(company)


def test_what_does_not_add_up_is_the_difference():
    found = balanced("mrr", {"": 10, "a": 10}, {"": 16, "a": 9, "b": 7}, {"new": {"": 7, "b": 7}, "churn": {"": -1, "a": -2}})
    assert found.member.tolist() == ["", "a", "b"] and found.difference.tolist() == [0, -1, 0]
    assert balanced("mrr", {}, {}, {"new": {}}).empty


# --- whatever the records are --------------------------------------------------------------------------------------------

DAYS = st.integers(-500, 320).map(lambda n: EVE + timedelta(days=n))
HOURS = st.integers(0, 23)


@st.composite
def terms(draw):
    """Subscriptions of a few customers: terms that follow each other, overlap, leave gaps, and end or not."""
    found = []
    for n in range(draw(st.integers(1, 12))):
        start, length, reason = draw(DAYS), draw(st.integers(1, 500)), draw(st.sampled_from([None, "indexation", "pause"]))
        mrr = draw(st.integers(1, 10_000_00)) if reason != "pause" else 0
        ends = start + timedelta(days=length) if draw(st.booleans()) else None
        account = draw(st.sampled_from("abcdef"))
        found.append(line(account, mrr, start.isoformat(), ends and ends.isoformat(), id=f"s{n}", change_reason=reason))
        if ends and draw(st.booleans()):
            again = ends + timedelta(days=draw(st.sampled_from([0, 10, 90])))
            reason = draw(st.sampled_from([None, "indexation", "pause"]))
            mrr = draw(st.integers(1, 10_000_00)) if reason != "pause" else 0
            found.append(line(account, mrr, again.isoformat(), id=f"s{n}", change_reason=reason))
    return found


@st.composite
def histories(draw):
    """(deals, their history): amounts that change, are unknown, come late; ends of every kind; deals without any history."""
    deals, states = [], []
    for n in range(draw(st.integers(1, 12))):
        born, open_ = draw(DAYS), draw(st.booleans())
        gone = born + timedelta(days=draw(st.integers(0, 400)))
        status = "open" if open_ else draw(st.sampled_from(["won", "lost"]))
        reason = draw(st.sampled_from([None, "price", "duplicate", "disqualified"])) if status == "lost" else None
        # The export may hold an end that no record reaches: it is not known by the as-of date.
        closed = None if open_ else f"{gone} 15:00"
        amount, account = draw(st.integers(1, 10_000_00)), draw(st.sampled_from("abcdef"))
        kind = draw(st.sampled_from(["new", "new", "expansion", "renewal"]))
        deals.append(deal(f"d{n}", f"{born} 12:00", amount, status, closed, account, kind=kind, lost_reason=reason))
        at = set(draw(st.lists(st.tuples(DAYS, HOURS), max_size=5)))
        states += [state(f"d{n}", f"{day} {hour:02}:30", draw(st.none() | st.integers(0, 10_000_00))) for day, hour in at]
    deals.append(deal("priced", "2025-01-01 12:00", 1, account="a"))  # else there may be no worth to tell
    return deals, states


def pipeline_on(deals, states, day: date) -> int:
    """The open new business of one day, by a loop."""
    total = 0
    for d in deals:
        gone = d["closed_at"] and date.fromisoformat(d["closed_at"][:10])
        if d["kind"] == "new" and date.fromisoformat(d["created_at"][:10]) <= day and not (gone and gone <= day):
            own = sorted((s["changed_at"], s["amount"]) for s in states if s["opportunity_id"] == d["opportunity_id"])
            told = [amount for at, amount in own if date.fromisoformat(at[:10]) <= day]
            total += ((told[-1] if told else None) if own else d["amount"]) or 0
    return total


def book(lines, deals, states, day=END):
    held = accounts(*((name, SEGMENTS[i % 3]) for i, name in enumerate("abcdef")))
    zone = {"time_zone": "UTC"}
    tables = {"subscriptions": lines, "opportunities": deals, "opportunity_history": states, "accounts": held}
    return company_of(day, zone, **tables)


FEW = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))


@FEW
@given(terms(), histories())
def test_opening_plus_movements_gives_closing_whatever_the_records_are(lines, history):
    deals, states = history
    found = conservation(book(lines, deals, states))
    assert (found.lines.difference == 0).all()
    assert movements_give_closing(found)
    total, parts = found.lines[found.lines.member == ""], found.lines[found.lines.member != ""]
    numbers = [name for name in found.lines if name not in ("measure", "member")]
    for line_ in total.itertuples():
        own = parts[parts.measure == line_.measure][numbers].fillna(0).sum()
        assert all(int(own[name]) == (0 if pd.isna(value := getattr(line_, name)) else int(value)) for name in numbers)
    assert row(found, "pipeline").get("opening", 0) == pipeline_on(deals, states, EVE)
    assert row(found, "pipeline").get("closing", 0) == pipeline_on(deals, states, END)


@FEW
@given(terms(), histories())
def test_records_that_come_later_change_nothing(lines, history):
    deals, states = history
    day = date(2026, 6, 30)
    early = [one for one in lines if one["starts_on"] <= day.isoformat()]
    known = [one for one in deals if one["created_at"][:10] <= day.isoformat()]
    told = [one for one in states if one["changed_at"][:10] <= day.isoformat()]
    late = {one["opportunity_id"] for one in states} - {one["opportunity_id"] for one in told}
    told += [one for one in states if one["opportunity_id"] in late]  # that a history begins later is known: an amount is not
    found, again = conservation(book(lines, deals, states, day)), conservation(book(early, known, told, day))
    pd.testing.assert_frame_equal(found.lines, again.lines)


# --- in words ------------------------------------------------------------------------------------------------------------


def told(*differences: int) -> Conservation:
    frames = [
        balanced(name, {"": 100}, {"": 100 - d}, {"new": {"": 0}})
        for name, d in zip(("mrr", "arr", "customers"), differences, strict=False)
    ]
    company = company_of(subscriptions=[])
    return Conservation(company.period, "BRL", pd.concat(frames, ignore_index=True), {})


def said(found: Conservation) -> str:
    return plain(reading(found)).replace("\u00a0", " ")


def test_the_sentence_says_in_how_many_cases_it_holds_or_where_it_does_not():
    assert said(told(0, 0, 0)) == "Opening plus movements gives closing in all 3 cases, to the cent."
    assert said(told(0)) == "Opening plus movements gives closing in the one case, to the cent."
    off = said(told(5, 0, -2))
    assert off.startswith("Opening plus movements does not give closing in 2 of 3 cases.")
    assert "MRR, Total: +R$ 0.05" in off and "Customers, Total: −2" in off


def test_the_check_fails_on_a_difference_and_where_segments_are_not_the_total():
    assert movements_give_closing(told(0, 0, 0)) and not movements_give_closing(told(0, 1))
    assert movements_give_closing(Unavailable(["subscriptions"]))
    parts = balanced("mrr", {"": 10, "a": 9}, {"": 10, "a": 9}, {"new": {}})
    assert not movements_give_closing(replace(told(0), lines=parts))


def test_the_tables_show_every_step_to_the_cent_and_leave_out_what_did_not_happen():
    lines = [line("a", 100_05, "2025-01-01"), line("b", 70_00, "2026-02-01")]
    text = conservation_section(conservation(company_of(subscriptions=lines))).text.replace("\u00a0", " ")
    assert "Opening | R$ 100.05" in text and "New | +R$ 70.00" in text and "Closing | R$ 170.05" in text
    assert "Difference | R$ 0.00" in text and "Churn" not in text and "Struck" not in text
    many = [line(f"c{i}", 100, "2025-01-01") for i in range(12)]
    held = accounts(*((f"c{i}", f"Segment {i}") for i in range(12)))
    assert "5 more are not shown" in conservation_section(conservation(company_of(subscriptions=many, accounts=held))).text
