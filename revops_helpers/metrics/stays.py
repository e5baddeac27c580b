"""How long deals stay in a stage of the pipeline, and how long before a win its lead came."""

from __future__ import annotations

import ibis

from revops_helpers.metrics import costs
from revops_helpers.metrics.dimensions import DEAL
from revops_helpers.metrics.facts import DEAL_IDS, deals, since_records
from revops_helpers.metrics.metric import Metric
from revops_helpers.metrics.process import new_business
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.as_of import cut_off
from revops_helpers.model.company import Company

TENTH_OF_A_DAY = 8_640


def stays_of(company: Company, deals: ibis.Table) -> ibis.Table:
    """One row per stay of a deal in an open stage, as known: what `deals` says of it, stage, position (1 is the deal's first
    stage), began, ended (empty while it waits there) and outcome (moved_on, won, lost, waiting). Rows that repeat the stage are
    one stay. `deals` has opportunity_id and status."""
    history = company.table("opportunity_history", ("opportunity_id", "changed_at", "stage"))
    history = history.filter(history.stage.notnull()).select("opportunity_id", "changed_at", "stage")
    same_deal = ibis.window(group_by="opportunity_id", order_by="changed_at")
    history = history.mutate(before=history.stage.lag().over(same_deal))
    changes = history.filter(history.before.isnull() | (history.before != history.stage))
    changes = changes.mutate(
        position=ibis.row_number().over(same_deal) + 1, ended=changes.changed_at.lead().over(same_deal), began=changes.changed_at
    )
    closed = company.table("opportunities", ("opportunity_id", "closed_at"))
    closed_at = closed.closed_at if "closed_at" in closed.columns else ibis.null("timestamp")
    closed = closed.select(_deal=closed.opportunity_id, closed_at=closed_at)
    rows = changes.join(deals, "opportunity_id")
    rows = rows.left_join(closed, rows.opportunity_id == closed._deal)
    over = (rows.status != "open") & rows.ended.isnull()
    ends_deal = (rows.status != "open") & (rows.ended >= rows.closed_at).fill_null(False)
    outcome = ibis.cases((over | ends_deal, rows.status), (rows.ended.notnull(), "moved_on"), else_="waiting")
    rows = rows.mutate(outcome=outcome, ended=ibis.ifelse(over, rows.closed_at, rows.ended))
    rows = rows.filter((rows.status == "open") | rows.closed_at.isnull() | (rows.began < rows.closed_at))
    return rows.select(*deals.columns, "stage", "position", "began", "ended", "outcome")


def stage_stays(company: Company, windows: Windows) -> ibis.Table:
    """One row per stay in an open stage that began in a window: over, and days (to a tenth) until it was over, or until the as-of
    date's end. Stays that ended on no known day are left out."""
    known = deals(company)
    rows = stays_of(company, known.select(*(name for name in DEAL_IDS if name in known.columns)))
    rows = windows.assign(rows.filter((rows.outcome == "waiting") | rows.ended.notnull()), "began")
    rows = since_records(company, windows, rows, "began", "opportunities", "opportunity_history")
    until = rows.ended.fill_null(ibis.literal(cut_off(company.as_of, company.settings)))
    days = (until.epoch_seconds() - rows.began.epoch_seconds()) // TENTH_OF_A_DAY / 10
    return rows.mutate(over=rows.outcome != "waiting", days=days)


METRICS = (
    Metric(
        id="stage_days",
        label="Days in a stage",
        family="process",
        unit="days",
        grain="stay of a new-business deal in an open stage, begun in the period",
        direction="lower",
        owner="Head of Sales",
        definition="Days within which half of the stays in a stage begun in the period were over: moved on, won or lost.",
        formula="Kaplan-Meier median of the next change of stage, or the closing, − the change into the stage",
        source="CRM: deals and their history",
        needs=("opportunity_history.stage", "opportunity_history.changed_at", "opportunities.status", "opportunities.kind"),
        estimator="median",
        timing="By the company's day on which the deal entered the stage.",
        edge_cases="Deals still in the stage are censored, not dropped. A deal that comes back to a stage stays in it twice. Cut "
        "by stage, it tells where deals wait; all of them together hold quick ones and slow ones.",
        facts=stage_stays,
        where=new_business,
        num=lambda t: t.days,
        den=lambda t: t.over,
        dimensions=("stage", *DEAL),
    ),
    Metric(
        id="lead_to_win_days",
        label="Lead to win",
        family="process",
        unit="days",
        grain="new-business deal won in the period whose lead is on record",
        direction="lower",
        owner="CRO",
        definition="Days before the win within which half of the deals won had got their lead.",
        formula="median of the day of the win − the day on which the lead was created",
        source="CRM: deals and leads",
        needs=costs.FROM_LEAD_TO_WIN,
        estimator="median",
        timing="By the company's day of the win.",
        edge_cases="It looks back from wins, to tell which spend they came of, and says nothing of leads still on their way, as "
        "the sales cycle does. Deals without a lead, or won before it came, are left out.",
        facts=costs.won_from_leads,
        num=lambda t: t.days,
        den=lambda t: t.status == "won",
        dimensions=DEAL,
    ),
)
