"""Process alignment in words, on hand-made results: every branch of every sentence, findings with all their fields."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import pytest

from revops_helpers.alignment.closed_loop import ClosedLoop, closed_loop
from revops_helpers.alignment.handoffs import FirstValue, Leaving, leaving
from revops_helpers.alignment.response import METRICS, Delays, Response, response
from revops_helpers.alignment.service_levels import Change, changes
from revops_helpers.alignment.speed import Comparison, Speed, speed
from revops_helpers.measurement import Measurement, not_applicable
from revops_helpers.methods.effects import Effect
from revops_helpers.methods.survival import kaplan_meier
from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.model.company import Unavailable
from revops_helpers.optimization.target_gap import gap_to_plan
from revops_helpers.words import agreements, alignment, checks, handoffs
from revops_helpers.words import closed_loop as credit_words
from revops_helpers.words import response as waits_words
from revops_helpers.words import speed as speed_words
from tests.support import answered, company_of
from tests.test_words_gap import PERIOD, WORSE, M, brl, driver, gap_of
from tests.words import said, share

COMPANY = company_of(opportunities=[])
MISSING = Unavailable(["leads.first_contact_at"])
NEEDED = "leads.first_contact_at (or activities with lead_id and direction)"
FEW = "fewer than 20 events"


def minutes(value, low=None, high=None, **more):
    return Measurement(value, n=100, low=low, high=high, unit="minutes", **more)


def waits(within=0.2, never=0.3, leads=100, target=None, cuts=None, sla=60) -> Response:
    found = (
        share(within, within - 0.05, within + 0.05)
        if within is not None
        else not_applicable("the denominator is zero", unit="percent"),
        share(never, max(0, never - 0.05), never + 0.05),
        minutes(2400.0, 2000.0, 2900.0),
        minutes(240.0, 200.0, 290.0),
    )
    curve = kaplan_meier([30, 600, 9000], [1, 1, 0], weights=[20, 50, 30])
    measured = dict(zip(METRICS, found, strict=True))
    return Response(PERIOD, sla, leads, {"elapsed": curve, "working": curve}, measured, target, cuts or {})


def cut(*rows) -> pd.DataFrame:
    columns = ["member", "value", "low", "high", "n", "status"]
    fixed = {
        "metric": "contacted_within_sla",
        "unit": "percent",
        "currency": "",
        "definition_id": "contacted_within_sla",
        "reason": "",
    }
    return pd.DataFrame(rows, columns=columns).assign(**fixed)


TWO = cut(("web", 0.4, 0.35, 0.45, 300, "ok"), ("event", 0.1, 0.05, 0.15, 300, "ok"), ("x", 0.5, 0.1, 0.9, 4, "insufficient"))


@pytest.mark.parametrize(
    ("found", "title"),
    [
        (waits(), "20% of leads are contacted within 60 min, 30% never"),
        (waits(never=0.0, sla=240), "20% of leads are contacted within 4 h, and none never"),
        (waits(within=None), "30% of leads are not contacted yet"),
    ],
)
def test_waits_are_headed_by_how_many_are_in_time_and_how_many_never(found, title):
    assert said(waits_words.response_title(found)) == title
    assert said(alignment.head(COMPANY, found)).splitlines()[0] == title


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (waits(), "20% [15–25] of 100 leads are contacted within the agreed 60 min of working time."),
        (waits(), "Half are contacted after 4.0 h [3.3–4.8] of working time, 40 h by the clock."),
        (waits(within=None), "No lead's agreed time is over yet, of 100."),
        (waits(target=share(0.5)), "The target of 50% is missed."),
        (waits(target=share(0.1)), "The target of 10% is met."),
        (waits(target=share(0.22)), "Whether the target of 22% is met is within noise."),
    ],
)
def test_the_reading_of_waits(found, text):
    assert text in said(waits_words.response_reading(found))


def test_fewer_than_half_contacted_have_no_median():
    found = waits()
    bound = minutes(9000.0, 8000.0, status="censored", reason="x")
    found = replace(found, measured=found.measured | {"time_to_first_contact_at_work": bound})
    assert "Fewer than half have been contacted so far." in said(waits_words.response_reading(found))


def test_sources_are_compared_only_where_they_stand_clear():
    text = said(waits_words.response_section(waits(cuts={"source": TWO, "owner": TWO})))
    assert "web leads are answered in time most often, 40% [35–45]; Event leads least, 10% [5–15]." in text
    assert "1 row has under 20 leads in time or late and is not ranked." in text and "By owner" in text
    assert "Not split by segment: known for too few leads." in text
    alike = cut(("web", 0.4, 0.3, 0.5, 99, "ok"), ("event", 0.3, 0.2, 0.4, 99, "ok"))
    assert "No row stands clear of another" in said(waits_words.response_section(waits(cuts={"source": alike})))
    assert "There is nothing to compare." in said(waits_words.response_section(waits(cuts={"source": alike.head(1)})))


def test_no_lead_and_nobody_contacted_are_said_without_a_picture():
    assert "No lead was created" in said(waits_words.response_section(waits(leads=0)))
    none = kaplan_meier([100], [0], weights=[9])
    assert "picture" not in waits_words.response_section(replace(waits(), curves={"elapsed": none, "working": none})).html


@pytest.mark.parametrize(
    ("system", "human", "text"),
    [(10.0, 300.0, "The wait is with the person"), (300.0, 10.0, "The wait is with the system"), (None, 10.0, "cannot be told")],
)
def test_the_wait_is_the_systems_or_the_persons(system, human, text):
    wait = minutes(system, system, system) if system else not_applicable("the denominator is zero", unit="minutes")
    assert text in said(waits_words.delays_section(Delays(100, 90, 60, wait, minutes(human, human, human))))


def test_a_wait_reads_in_the_unit_that_suits_it():
    assert [said(waits_words.minutes(minutes(x, x, x)).unit) for x in (30.0, 240.0, 9000.0)] == ["minutes", "hours", "days"]


# --- speed ---------------------------------------------------------------------------------------------------------------


def effect(difference=0.1, half=0.02, odds=1.6) -> Effect:
    gap = Measurement(difference, n=300, low=difference - half, high=difference + half, unit="points")
    ratio = Measurement(odds, n=300, low=odds * 0.9, high=odds * 1.1, unit="ratio")
    risk = share(0.3, 0.25, 0.35)
    return Effect(share(0.3 + difference), risk, gap, ratio, ratio, gap)


def fast(adjusted=effect(), naive=effect(0.2), held=("score", "source"), left=None) -> Speed:  # noqa: B008
    calls = Comparison("opened", 90, 100, 200, naive, adjusted)
    return Speed(60, calls, replace(calls, slow=400), None, held, left or {})


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (fast(), "became deals more often than those contacted later. All else alike: 40% against 30%, 10.0 pp [8.0–12.0]."),
        (fast(), "As they are, the difference is 20.0 pp"),
        (fast(effect(-0.1)), "became deals less often than those contacted later."),
        (fast(effect(0.01)), "became deals about as often as others."),
        (fast(None), "Too few leads to hold anything constant: 100 contacted within 60 min, 200 later."),
        (fast(None, None), "Too few leads to compare: 100 contacted within 60 min, 200 later."),
    ],
)
def test_fast_contact_is_never_given_a_causal_verb(found, text):
    words = said(speed_words.speed_section(found))
    assert text in words and "an association, not an effect" in words
    assert not any(verb in words for verb in ("raises", "increases", "causes", "drives", "improves"))


def test_what_is_held_constant_what_is_not_and_what_bias_would_do_is_said():
    words = said(speed_words.speed_section(fast(left={"segment": 0.03})))
    assert "Held constant: score and source." in words
    assert "Not held constant: segment, known for 3.0% of leads that are no deal." in words
    assert "2.6 times as often each" in words  # E-value of 1.6: 1.6 + √(1.6·0.6)
    assert "No score on record is held constant" in said(speed_words.speed_section(fast(held=("source",))))
    assert "No score on record" not in words


# --- agreements ----------------------------------------------------------------------------------------------------------


def change(beyond=None, metric="contacted_within_sla", initiative="i1") -> Change:
    points = metric == "contacted_within_sla"
    before, after = (
        (share(0.1, 0.05, 0.15), share(0.3, 0.25, 0.35)) if points else (minutes(300.0, 280, 320), minutes(150.0, 140, 160))
    )
    unit, moved = ("points", (0.2, 0.1, 0.3)) if points else ("ratio", (0.5, 0.4, 0.6))
    value, low, high = beyond or moved
    beyond = Measurement(value, n=99, low=low, high=high, unit=unit) if value is not None else not_applicable("x", unit=unit)
    return Change(initiative, "New rule", date(2026, 4, 1), "source", "web", metric, 90, before, after, beyond, beyond, beyond)


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (
            change(),
            "Since 1 Apr 2026, web: contacted within the service level went from 10% to 30%. Beyond what happened to the others",
        ),
        (change((0.01, -0.02, 0.04)), "Beyond the others it is within noise"),
        (change((None, None, None)), "too little on record to tell whether anything moved"),
        (change(metric="time_to_first_contact_at_work"), "working time to first contact went from 5.0 h to 2.5 h."),
    ],
)
def test_a_change_is_told_with_what_happened_to_the_others(x, text):
    assert text in said(agreements.change_reading(x))


def test_of_a_changes_measures_the_clear_one_is_told():
    noise, clear = change((0.01, -0.1, 0.1)), change(metric="time_to_first_contact_at_work")
    assert agreements.one_each([noise, clear]) == [clear]
    assert agreements.one_each([clear, change()]) == [change()]  # a share before a time
    assert "No change on record" in said(agreements.changes_section([], COMPANY))


def test_agreements_without_data_say_what_they_need():
    assert agreements.levels_section(COMPANY).kind == "unavailable"


# --- handoffs ------------------------------------------------------------------------------------------------------------


def value(**medians) -> FirstValue:
    return FirstValue(
        {arm: kaplan_meier([days - 1, days, days + 1], [1, 1, 1], weights=[30] * 3) for arm, days in medians.items()}
    )


def test_first_value_is_told_apart_by_handoff_only_where_there_are_both():
    title = "First value after 20 d when the handoff is complete, 50 d when it is not"
    text = said(handoffs.handoffs_section(value(complete=20, incomplete=50), COMPANY))
    assert text.startswith(title) and "The longer wait is beyond noise." in text
    assert "within noise" in said(handoffs.handoffs_section(value(complete=20, incomplete=20), COMPANY))
    assert "The two cannot be compared." in said(handoffs.handoffs_section(value(complete=20), COMPANY))
    none = FirstValue({"complete": kaplan_meier([9], [0])})
    assert "No customer on record has had a first value yet." in said(handoffs.handoffs_section(none, COMPANY))


def left(ratio=(1.9, 1.4, 2.6)) -> Leaving:
    columns = ["arm", "customers", "left", "years", "rate", "low", "high", "live", "arr"]
    rows = [("complete", 200, 40, 400.0, 0.1, 0.07, 0.14, 160, 9 * M), ("incomplete", 90, 36, 180.0, 0.2, 0.14, 0.28, 54, 3 * M)]
    arms = pd.DataFrame(rows, columns=columns)
    items = arms.rename(columns={"arm": "missing"}).assign(missing=[0, 3])
    hazard = Measurement(ratio[0], n=290, low=ratio[1], high=ratio[2], unit="ratio") if ratio else None
    worth = (
        replace(brl(3 * M * 0.2 * (1 - 1 / 1.9)), low=1e5, high=9e7)
        if ratio
        else not_applicable(FEW, unit="money", currency="BRL")
    )
    return Leaving(arms, hazard, items, worth)


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (
            left(),
            "After an incomplete handoff customers left 1.9 times [1.4–2.6] as often, segment by segment.",
        ),
        (left((1.2, 0.8, 1.8)), "1.2 times [0.8–1.8] as often, which could be chance."),
        (left((0.5, 0.3, 0.8)), "0.5 times [0.3–0.8] as often, segment by segment."),
        (left(None), "Too few customers have left to compare: 76 of those handed off with a checklist."),
    ],
)
def test_leaving_after_a_handoff_is_told_with_its_interval_or_not_at_all(found, text):
    words = said(handoffs.leaving_section(found))
    assert text in words and "an association" in words


# --- credit --------------------------------------------------------------------------------------------------------------


def credit(*rows, won=40, arr=40 * M) -> ClosedLoop:
    """(channel, first, last, linear, best, worst)"""
    frame = pd.DataFrame(rows, columns=["channel", "first", "last", "linear", "best", "worst"])
    ends = frame[["first", "last", "linear"]]
    frame = frame.assign(deals=30, low=ends.min(axis=1), high=ends.max(axis=1))
    money = {f"arr_{name}": frame[name] * M for name in ("first", "last", "linear")} if arr is not None else {}
    return ClosedLoop(PERIOD, frame.assign(**money), won, won - 4, arr)


MOVING = credit(("mail", 30, 6, 20, 1, 3), ("event", 6, 30, 16, 1, 2), ("(not recorded)", 4, 4, 4, float("nan"), float("nan")))
STILL = credit(("mail", 30, 28, 29, 1, 1), ("event", 10, 12, 11, 2, 2), arr=None)


def test_credit_is_a_range_with_its_limit_and_the_unknown_a_channel():
    text = said(credit_words.credit_section(MOVING, COMPANY))
    assert text.startswith("mail ranks 1st to 3rd, depending on the model") and "Attribution is not incrementality" in text
    assert "40 deals were won; 36 (90%) have a touch on record. mail is credited with 15% to 75% of them" in text
    assert "not recorded 4 to 4 deals" in text and "1 channel moves three places or more: mail." in text
    assert "R$ 30 M" in text.replace("R$ 30.0 M", "R$ 30 M")
    still = said(credit_words.credit_section(STILL, COMPANY))
    assert still.startswith("The order of channels hardly depends on the model") and "ARR" not in still
    assert "No new-business deal was won" in said(credit_words.credit_section(credit(won=0), COMPANY))


def test_credit_that_does_not_add_up_is_seen():
    assert checks.credit_adds_up(MOVING) and checks.credit_adds_up(STILL)
    assert not checks.credit_adds_up(replace(MOVING, won=41)) and not checks.credit_adds_up(replace(MOVING, arr=39 * M))


def test_waits_that_fall_are_seen():
    found = waits()
    curve = found.curves["elapsed"]
    assert checks.waits_are_shares(found)
    rising = replace(curve, survival=curve.survival[::-1])
    assert not checks.waits_are_shares(replace(found, curves={"elapsed": rising}))


# --- the whole -----------------------------------------------------------------------------------------------------------


def results(**given) -> dict:
    plain = {response: MISSING, speed: MISSING, leaving: MISSING, changes: MISSING, closed_loop: MISSING, gap_to_plan: MISSING}
    names = {"waits": response, "fast": speed, "left": leaving, "moved": changes, "credit": closed_loop, "gap": gap_to_plan}
    return plain | {names[name]: result for name, result in given.items()}


def test_what_stands_clear_becomes_a_finding_and_moves_a_driver_of_the_gap():
    chain = [driver("leads", 0, 0, 0, plan=1000, actual=1000), driver("lead_to_opportunity", -4 * M, -5 * M, -3 * M)]
    gap = gap_of(drivers=[*chain, driver("deal_size", 0, 0, 0, plan=M / 20, actual=M / 20), WORSE], opening_arr=30 * M)
    company = answered(COMPANY, results(waits=waits(), fast=fast(), left=left(), moved=[change()], credit=MOVING, gap=gap))
    found = {f.id: f for f in alignment.findings(company)}
    assert list(found) == ["late_contact", "never_contacted", "handoffs_incomplete", "agreement_i1", "credit_depends"]
    actual = gap.driver("lead_to_opportunity").actual.value
    assert found["late_contact"].levers == {"lead_to_opportunity": pytest.approx(actual + 0.5 * 0.1)}
    assert found["late_contact"].stake.value > 0 and found["late_contact"].confidence == "low"
    assert found["handoffs_incomplete"].levers["churn"] < gap.driver("churn").actual.value
    assert found["never_contacted"].stake.value is None and found["credit_depends"].stake.reason == "no gain claimed"
    assert all(f.headline and f.action and f.owner and f.evidence.startswith("02_process_alignment#") for f in found.values())
    assert {f.metric for f in found.values()} <= set(catalogue())
    assert {f.review_on for f in found.values()} == {COMPANY.as_of + timedelta(days=90)}
    assert checks.together_no_more_than_apart(gap, list(found.values()))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {
            "waits": waits(never=0.0),
            "fast": fast(effect(0.01)),
            "left": left((1.2, 0.8, 1.8)),
            "moved": [change((0.01, -0.1, 0.1))],
        },
        {"waits": waits(within=None, never=0.0), "fast": fast(None), "left": left(None), "moved": [], "credit": STILL},
        {"moved": [change((-0.2, -0.3, -0.1))], "fast": fast()},
    ],
)
def test_noise_worse_and_missing_give_no_finding(given):
    assert alignment.findings(answered(COMPANY, results(**given))) == []


def test_without_a_gap_a_finding_has_no_lever_and_claims_nothing_it_cannot_count():
    found = {f.id: f for f in alignment.findings(answered(COMPANY, results(waits=waits(), fast=fast(), left=left())))}
    assert found["late_contact"].levers == {} and found["late_contact"].stake.reason == "no gain claimed"
    assert found["handoffs_incomplete"].levers == {} and found["handoffs_incomplete"].stake.value > 0


def test_the_bottom_line_has_at_most_five_sentences_and_survives_what_is_missing():
    every = alignment.bottom_line(COMPANY, waits(), fast(), left(), [change()], MOVING)
    assert len(said(every).splitlines()) == 5
    missing = alignment.bottom_line(COMPANY, *[MISSING] * 5)
    assert said(missing) == f"1. Nothing here can be told yet: that needs {NEEDED}."
    empty = alignment.bottom_line(COMPANY, waits(leads=0), MISSING, MISSING, [], credit(won=0))
    assert len(said(empty).splitlines()) == 1


@pytest.mark.parametrize(
    "section",
    [
        alignment.response_section, alignment.delays_section, alignment.speed_section, alignment.changes_section,
        alignment.handoffs_section, alignment.leaving_section, alignment.credit_section,
    ],
)  # fmt: skip
def test_a_section_without_its_data_says_what_it_needs(section):
    part = section(MISSING) if section in (alignment.response_section, alignment.delays_section, alignment.speed_section,
                                           alignment.leaving_section) else section(MISSING, COMPANY)  # fmt: skip
    assert part.kind == "unavailable" and "leads.first_contact_at" in said(part)


def test_a_company_with_nothing_still_has_a_head_and_doubts():
    assert "cannot be told yet" in said(alignment.head(COMPANY, MISSING))
    assert f"Needs {NEEDED}." in said(alignment.changes_of_mind(COMPANY, MISSING, MISSING))
    assert alignment.score_section(COMPANY).kind == "unavailable"
