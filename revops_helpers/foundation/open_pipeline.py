"""The choices inside the definition of open pipeline: which deals, and what each is worth."""

from __future__ import annotations

from datetime import timedelta

import ibis

from revops_helpers.foundation.definitions import Choices, Switch, Yardstick, subsets
from revops_helpers.metrics.facts import deals_with
from revops_helpers.metrics.journey import deals_as_they_stood
from revops_helpers.metrics.stays import stays_of
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company
from revops_helpers.periods import Period, add_months

FEW = 5  # of so many forecast categories every subset is tried, of more each alone
STAGES = ("opportunity_history.stage", "opportunity_history.changed_at")


def pipeline(company: Company, period: Period) -> Yardstick:
    """What is open at the end of the period. Choices: kinds of deal, how soon they are due, overdue deals, forecast categories,
    the first stage, and amounts in full or by how many deals of their kind that were in the stage have been won."""
    stood = _open(company, period)
    then = company.on(min(period.end, company.as_of))
    begun, chances = _stages(then) if not then.missing((*STAGES, "opportunities.kind")) else ({}, {})
    kinds = sorted({r["kind"] for r in stood} - {"new"})
    categories = sorted({r["category"] for r in stood} - {""})
    some = subsets(categories) if len(categories) <= FEW else [(name,) for name in categories]
    part = [one for one in some if {*one} != {r["category"] for r in stood}]
    first = _first_stage(then, {r["stage"] for r in stood} - {""}, begun)
    switches = (
        Switch("deals", (("new",), *(("new", *some) for some in subsets(kinds)))),
        Switch("due", ("any day", "next quarter")),
        Switch("overdue", ("counted", "left out")),
        Switch("categories", ("all", *part)),
        Switch("without_stage", ("none", first) if first else ("none",)),
        Switch("worth", ("in full", "by stage") if chances else ("in full",)),
    )

    def value(choices: Choices) -> float | None:
        whens = {"next quarter"} | ({"later"} if choices["due"] == "any day" else set())
        whens |= {"overdue"} if choices["overdue"] == "counted" else set()
        rows = [r for r in stood if r["kind"] in choices["deals"] and r["when"] in whens]
        rows = [r for r in rows if r["stage"] != choices["without_stage"]]
        rows = [r for r in rows if choices["categories"] == "all" or r["category"] in choices["categories"]]
        if choices["worth"] == "in full":
            return float(sum(r["amount"] for r in rows))
        weights = [chances.get((r["kind"], r["stage"])) for r in rows]
        return None if None in weights else sum(r["amount"] * w for r, w in zip(rows, weights, strict=True))

    return Yardstick(switches, value)


def _open(company: Company, period: Period) -> list[dict]:
    """kind, when it is due, stage and category (empty where unknown) and amount of the deals open at the end of the period."""
    rows = deals_as_they_stood(company, Windows.of(company.settings, period))
    rows = rows.filter(rows.status == "open", rows.amount.notnull())
    state = company.on(min(period.end, company.as_of)).table("opportunities", ("opportunity_id", "stage", "forecast_category"))
    state = state.rename(_deal="opportunity_id")
    rows = rows.left_join(state, rows.opportunity_id == state["_deal"])
    due = rows.close_date if "close_date" in rows.columns else ibis.null("date")
    after = period.end + timedelta(days=1)
    next_quarter = add_months(after, 3) - timedelta(days=1)
    when = ibis.cases((due <= period.end, "overdue"), (due <= next_quarter, "next quarter"), else_="later")
    texts = {"kind": "kind", "stage": "stage", "category": "forecast_category"}
    known = {name: rows[of].fill_null("") if of in rows.columns else ibis.literal("") for name, of in texts.items()}
    return rows.group_by(**known, when=when).agg(amount=rows.amount.sum()).to_pyarrow().to_pylist()


def _stages(company: Company) -> tuple[dict[str, int], dict[tuple[str, str], float]]:
    """Stage → deals that began in it; and kind and stage → the share won of the decided deals that were in it."""
    known = deals_with(company, ("opportunity_id", "status", "kind"))
    stays = stays_of(company, known.mutate(kind=known.kind.fill_null("")))
    each = stays.group_by("kind", "stage", "opportunity_id").agg(status=stays.status.max(), began=(stays.position == 1).any())
    counts = {"won": (each.status == "won").sum(), "decided": (each.status != "open").sum(), "began": each.began.sum()}
    rows = each.group_by("kind", "stage").agg(**counts).to_pyarrow().to_pylist()
    begun = {stage: sum(r["began"] for r in rows if r["stage"] == stage) for stage in sorted({r["stage"] for r in rows})}
    return begun, {(r["kind"], r["stage"]): r["won"] / r["decided"] for r in rows if r["decided"]}


def _first_stage(company: Company, open_now: set[str], begun: dict[str, int]) -> str | None:
    """The first stage of company.yml, else the one in which most deals began; None where no open deal is in it."""
    agreed = company.settings.opportunity_stages
    first = agreed[0] if agreed else max(begun, key=lambda stage: begun[stage], default=None)
    return first if first in open_now else None
