"""Leads by segment: no number where an account is linked only when a deal is made, and the number where it is linked early."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from revops_helpers.alignment.response import delays, response
from revops_helpers.alignment.service_levels import changes
from revops_helpers.alignment.speed import speed
from revops_helpers.metrics import linked
from revops_helpers.metrics.catalogue import catalogue
from revops_helpers.metrics.counting import lacking
from revops_helpers.metrics.dimensions import ACCOUNT
from revops_helpers.metrics.linked import KnownTooLate
from revops_helpers.metrics.measure import measure, measurements, tidy
from revops_helpers.metrics.rows import rows
from revops_helpers.optimization.funnel import lead_funnel
from revops_helpers.optimization.target_gap import gap_to_plan
from revops_helpers.words.below import translated
from revops_helpers.words.language import use
from revops_helpers.workspace import open_company
from tests.support import company_of

WHY = "most leads have no segment until they are deals"
ACCOUNTS = [{"account_id": "a", "segment": "SMB", "region": "SP"}, {"account_id": "b", "segment": "Enterprise", "region": None}]
IDS = ("leads", "lead_conversion_90d", "lead_to_opportunity", "never_contacted", "lead_to_mql_90d")


def lead(id, account=None, deal=None, created="2026-03-02 13:00", **more):
    stamps = {"created_at": created, "mql_at": "2026-03-03 13:00" if deal else None, "first_contact_at": None}
    return {"lead_id": id, "account_id": account, "opportunity_id": deal, "source": "web", **stamps, **more}


def deal(id, account="a", opened="2026-03-10 13:00", **more):
    row = {"opportunity_id": id, "account_id": account, "lead_id": None, "kind": "new", "status": "open", "created_at": opened}
    return row | {"closed_at": None, "close_date": None, "amount": 100_000, "lost_reason": None} | more


TWO = [deal("o1"), deal("o2", "b")]


def company(leads, deals=TWO, **more):
    return company_of(leads=leads, opportunities=deals, accounts=ACCOUNTS, **more)


DEALS_ONLY = [lead("l1", "a", "o1"), lead("l2", "b", "o2"), *(lead(f"n{i}") for i in range(6))]
HALF = [*DEALS_ONLY[:2], *(lead(f"n{i}", "a" if i < 3 else None) for i in range(6))]


def test_leads_linked_only_as_deals_have_no_number_by_segment():
    found = measure(company(DEALS_ONLY), IDS, by="segment")
    assert found.value.isna().all() and set(found.status) == {"not_applicable"} and set(found.reason) == {WHY}
    assert found.metric.tolist() == list(IDS)  # one row each
    assert measure(company(DEALS_ONLY), "leads", by="source").value.tolist() == [8]
    assert measure(company(DEALS_ONLY), "opportunities_opened", by="segment").value.tolist() == [1, 1]


def test_half_of_the_leads_without_a_deal_are_enough():
    found = measure(company(HALF), "lead_conversion_90d", by="segment")
    assert dict(zip(found.member, found.value, strict=True)) == {"(not recorded)": 0, "Enterprise": 1, "SMB": 1 / 4}
    fewer = measure(company([*HALF, lead("n6")]), "lead_conversion_90d", by="segment")
    assert fewer.reason.tolist() == [WHY]


def test_many_deals_do_not_make_a_segment_known():
    """Six of eight leads have a segment, and none of the two that are no deal: every segment would convert in full."""
    deals = [deal(f"o{i}") for i in range(6)]
    leads = [*(lead(f"l{i}", "a", f"o{i}") for i in range(6)), lead("n1"), lead("n2")]
    assert measure(company(leads, deals), "lead_conversion_90d", by="segment").reason.tolist() == [WHY]


def test_each_dimension_of_the_account_is_asked_for_itself():
    known = company([*DEALS_ONLY[:2], lead("n1", "b"), lead("n2", "b")])
    assert measure(known, "leads", by="segment").value.tolist() == [3, 1]
    assert measure(known, "leads", by="region").reason.tolist() == ["most leads have no region until they are deals"]


def test_no_lead_and_nothing_but_deals_hide_nothing():
    assert measure(company([]), "leads", by="segment").reason.tolist() == []
    assert measure(company(DEALS_ONLY[:2]), "lead_conversion_90d", by="segment").value.tolist() == [1, 1]
    assert measure(company([lead("n1")]), "leads", by="segment").reason.tolist() == [WHY]
    assert measure(company([lead("n1", "a")]), "leads", by="segment").value.tolist() == [1]


def test_only_leads_of_the_measured_windows_are_asked():
    late = [*DEALS_ONLY, *(lead(f"m{i}", "a", created="2025-05-04 13:00") for i in range(9))]
    assert measure(company(late), "leads", by="segment").reason.tolist() == [WHY]


def test_a_deal_of_later_is_none_on_the_day():
    """In March no lead is a deal yet, and six of twelve have a segment; since April only four of the ten that are none have."""
    leads = [*DEALS_ONLY, *(lead(f"m{i}", "a") for i in range(4))]
    known = company(leads, [deal(id, opened="2026-04-10 13:00") for id in ("o1", "o2")])
    assert measure(known, "leads", by="segment").reason.tolist() == [WHY]
    early = measure(known.on(date(2026, 3, 31)), "leads", by="segment")
    assert dict(zip(early.member, early.value, strict=True)) == {"(not recorded)": 6, "Enterprise": 1, "SMB": 5}


def test_leads_without_any_account_say_what_is_needed():
    plain = company_of(leads=[{"lead_id": "l", "created_at": "2026-03-02 13:00"}], accounts=ACCOUNTS)
    assert measure(plain, "leads", by="segment").reason.tolist() == ["needs leads.account_id"]


def test_one_count_serves_every_metric_and_cut(monkeypatch):
    counted, asked = linked._counted, []
    monkeypatch.setattr(linked, "_counted", lambda *of: asked.append(of) or counted(*of))
    known = company(DEALS_ONLY)
    found = tidy(known, IDS, by=("segment", "region", "source"), every=("quarter",))
    assert len(asked) == 1
    assert found[found.dimension == "segment"].reason.tolist() == [WHY] * len(IDS)  # one row each, in no window
    assert found[found.dimension == "source"].value.notna().any()


def test_every_metric_that_counts_leads_is_guarded():
    of_accounts = [m for m in catalogue().values() if m.needs[:1] == ("leads.created_at",) and {*ACCOUNT} & {*m.dimensions}]
    assert len(of_accounts) > 10 and all(metric.of_leads for metric in of_accounts)


def test_no_cut_of_the_sample_shows_only_leads_that_became_deals():
    cuts = measure(open_company("sample"), [m.id for m in catalogue().values() if m.of_leads], by=ACCOUNT)
    assert set(cuts.dimension) == set(ACCOUNT) and cuts.value.isna().all()
    assert cuts.reason.str.fullmatch(r"most leads have no \w+ until they are deals").all()


# --- narrowed to a segment -------------------------------------------------------------------------------------------------


def narrowed(leads, **more):
    return replace(company(leads, **more), segment="SMB")


def test_a_review_of_a_segment_tells_no_lead_metric_and_no_rows():
    part = narrowed(DEALS_ONLY)
    found = measurements(part, [*IDS, "opportunities_opened"])
    assert {m.reason for id, m in found.items() if id in IDS} == {WHY}
    assert found["opportunities_opened"].value == 1
    assert lacking(part, catalogue()["leads"], "") == WHY
    with pytest.raises(KnownTooLate, match=WHY):
        rows(part, "leads")
    for analysis in (lead_funnel, response, speed):
        assert part.ask(analysis).missing == ("a lead's segment before it is a deal",)


def test_a_segment_known_early_is_told_as_before():
    part = narrowed(HALF)
    assert measurements(part, ["leads"])["leads"].value == 4
    assert rows(part, "leads").count().execute() == 4
    assert part.ask(lead_funnel).steps.reached.tolist()[:1] == [4]


def test_whose_part_the_wait_is_and_what_a_change_did_are_not_told_of_deals_only():
    given = [row | {"assigned_at": "2026-03-02 13:10"} for row in DEALS_ONLY]
    assert isinstance(narrowed(given).ask(delays), KnownTooLate)
    change = {"initiative_id": "i", "starts_on": "2026-06-01", "treated_dimension": "segment", "treated_value": "SMB"}
    (told, *_more) = company(given, initiatives=[change | {"metric": "never_contacted"}]).ask(changes)
    assert (told.before.value, told.effect.reason) == (None, WHY)


# --- the gap of a segment --------------------------------------------------------------------------------------------------

MONTHS = [("2026-01-01", "2026-01-31", 10, 0.5), ("2026-02-01", "2026-02-28", 30, 0.1), ("2026-03-01", "2026-03-31", 20, 0.2)]
REST = {"decided_share": 1.0, "win_rate": 0.5, "deal_size": 1_000.0}


def plan():
    for start, end, leads, rate in MONTHS:
        for metric, value in ({"leads": leads, "lead_to_opportunity": rate} | REST).items():
            yield {"period_start": start, "period_end": end, "metric": metric, "segment": "SMB", "value": value}


def gap(leads, targets):
    closed = {"status": "won", "closed_at": "2026-03-20 13:00", "close_date": "2026-03-20"}
    deals = [deal("o1", **closed), deal("o2", "b", **closed), deal("o3", status="lost", close_date="2026-03-21")]
    part = company_of("2026-03-31", leads=leads, opportunities=deals, accounts=ACCOUNTS, targets=targets)
    return gap_to_plan(replace(part, segment="SMB"))


def test_the_gap_of_a_segment_starts_from_deals_where_leads_have_none():
    """Planned: 10 × 0.5 + 30 × 0.1 + 20 × 0.2 = 12 deals opened, half of them won, 1,000 each. Two were opened, one was won."""
    found = gap(DEALS_ONLY, [*plan()])
    assert [(d.id, d.plan, d.actual.value) for d in found.drivers] == [
        ("opportunities_opened", pytest.approx(12), 2),
        ("decided_share", pytest.approx(1), 1),
        ("win_rate", pytest.approx(0.5), 0.5),
        ("deal_size", 100_000, 100_000),
    ]
    assert (found.plan.value, found.actual.value, found.unexplained.value) == (600_000, 100_000, 0)
    assert found.plan.value + found.plan_mismatch.value + sum(d.effect.value for d in found.drivers) == found.actual.value


def test_where_leads_have_a_segment_its_gap_starts_from_them():
    found = gap(HALF, [*plan()])
    assert [d.id for d in found.drivers[:2]] == ["leads", "lead_to_opportunity"]
    assert [d.actual.value for d in found.drivers[:2]] == [4, 0.5]
    assert (found.plan.value, found.unexplained.value) == (600_000, 0)


@pytest.fixture
def in_portuguese():
    use("pt_BR")
    yield
    use("en")


def test_the_reason_is_said_in_portuguese(in_portuguese):
    assert translated(WHY) == "a maioria dos leads só tem segmento depois de virar negócio"
    assert translated("a lead's segment before it is a deal") == "segmento do lead antes de virar negócio"
