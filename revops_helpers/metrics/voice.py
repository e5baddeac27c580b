"""What customers say and ask: recommendation, satisfaction, tickets, and the health that the company gives them."""

from __future__ import annotations

from functools import partial

import ibis

from revops_helpers.metrics.dimensions import ACCOUNT
from revops_helpers.metrics.facts import by_customer, since_records, with_account, zero
from revops_helpers.metrics.metric import Metric
from revops_helpers.metrics.reasons import NO_BAND, NO_CUSTOMERS, NOBODY_ANSWERED
from revops_helpers.metrics.recurring import customers_at_end
from revops_helpers.metrics.revenue import SUBSCRIPTIONS
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.as_of import cut_off
from revops_helpers.model.company import Company

PROMOTER, DETRACTOR = 9, 6


def answers(company: Company, windows: Windows) -> ibis.Table:
    """One row per account and window with its newest answer to the recommendation question: `score` 1, 0 or −1."""
    rows = company.table("health_scores", ("account_id", "scored_on", "nps"))
    rows = windows.assign(rows.filter(rows.nps.notnull()), "scored_on")
    newest = rows.group_by("window", "account_id").agg(nps=rows.nps.argmax(rows.scored_on))
    return newest.mutate(score=(newest.nps >= PROMOTER).cast("int64") - (newest.nps <= DETRACTOR).cast("int64"))


def asked(company: Company, windows: Windows) -> ibis.Table:
    """One row per ticket opened in a window: closed, csat, and hours to its end, or to the as-of date's."""
    rows = since_records(company, windows, windows.assign(company.table("tickets"), "opened_at"), "opened_at", "tickets")
    end = rows.closed_at.fill_null(ibis.literal(cut_off(company.as_of, company.settings)))
    return rows.mutate(closed=rows.closed_at.notnull(), hours=end.delta(rows.opened_at, unit="minute") / 60)


def tickets_and_customers(company: Company, windows: Windows) -> ibis.Table:
    """Tickets of the window (`tickets` 1) and customers at its end (`held` 1), by customer."""
    opened = windows.assign(company.table("tickets", ("ticket_id", "account_id", "opened_at")), "opened_at")
    opened = with_account(company, by_customer(company, opened))
    held = customers_at_end(company, windows)
    one = ibis.literal(1, type="int64")
    return ibis.union(
        opened.select("window", "customer", "account_id", tickets=one, held=zero()),
        held.select("window", "customer", "account_id", tickets=zero(), held=one),
    )


def banded(company: Company, windows: Windows) -> ibis.Table:
    """One row per customer at the end of the window with a health score by then: mrr, and whether the newest band is green.

    A customer with several accounts is as healthy as its worst one.
    """
    scores = company.table("health_scores", ("account_id", "scored_on", "band"))
    scores = scores.filter(scores.band.notnull()).cross_join(windows.days(end=[p.end for p in windows.periods]))
    scores = scores.filter(scores.scored_on <= scores.end)
    newest = scores.group_by("window", "account_id").agg(band=scores.band.argmax(scores.scored_on))
    worst = by_customer(company, newest).group_by("window", "customer")
    worst = worst.agg(green=(ibis._.band == "green").all()).rename(_window="window", _customer="customer")
    held = customers_at_end(company, windows)
    both = held.join(worst, [held.window == worst._window, held.customer == worst._customer])
    return both.drop("_window", "_customer")


_said = partial(
    Metric,
    family="customer",
    owner="Head of Customer Success",
    dimensions=ACCOUNT,
)

METRICS = (
    _said(
        id="nps",
        label="Net promoter score",
        unit="points",
        direction="higher",
        grain="account that answered in the period",
        definition="Of the accounts that answered, the share of promoters (9–10) less that of detractors (0–6), newest answers.",
        formula="promoters − detractors, ÷ accounts that answered",
        source="customer success: recommendation question",
        timing="By the day of the answer; an account counts once, with its newest answer of the period.",
        edge_cases="Who answers is not who holds: customers that are about to leave answer less.",
        needs=("health_scores.scored_on", "health_scores.nps"),
        estimator="mean",
        facts=answers,
        num=lambda t: t.score,
        zero_reason=NOBODY_ANSWERED,
    ),
    _said(
        id="healthy_arr",
        label="ARR of healthy customers",
        unit="percent",
        direction="higher",
        grain="customer at the end of the period with a health score",
        definition="Of the ARR whose customer has a health score, the share whose newest band is green.",
        formula="Σ MRR of green customers ÷ Σ MRR of customers with a band",
        source="customer success: health scores; billing: subscriptions",
        timing="The newest score by the last day of the period.",
        edge_cases="A customer of several accounts is as healthy as its worst. An opinion until the score is seen to tell churn.",
        needs=("health_scores.scored_on", "health_scores.band", *SUBSCRIPTIONS),
        estimator="share",
        facts=banded,
        num=lambda t: t.green.ifelse(t.mrr, 0),
        den=lambda t: t.mrr,
        stock=True,
        zero_reason=NO_BAND,
    ),
    _said(
        id="tickets_per_customer",
        label="Tickets per customer",
        unit="number",
        direction="lower",
        grain="customer",
        definition="Support tickets opened in the period per customer at its end.",
        formula="tickets opened ÷ customers at the end of the period",
        source="support: tickets; billing: subscriptions",
        timing="Tickets by the company's day of opening; longer periods hold more tickets.",
        edge_cases="Tickets of accounts that pay nothing count too.",
        needs=("tickets.opened_at", "tickets.account_id", *SUBSCRIPTIONS),
        estimator="ratio",
        facts=tickets_and_customers,
        cluster="customer",
        num=lambda t: t.tickets,
        den=lambda t: t.held,
        zero_reason=NO_CUSTOMERS,
    ),
    _said(
        id="ticket_hours",
        label="Time to close a ticket",
        unit="hours",
        direction="lower",
        grain="ticket opened in the period",
        definition="Hours within which half of the tickets opened in the period were closed.",
        formula="Kaplan-Meier median of closed_at − opened_at",
        source="support: tickets",
        timing="By the company's day of opening.",
        edge_cases="Tickets still open are censored, not dropped.",
        needs=("tickets.opened_at", "tickets.closed_at"),
        estimator="median",
        facts=asked,
        num=lambda t: t.hours,
        den=lambda t: t.closed,
    ),
    _said(
        id="csat",
        label="Satisfaction with support",
        unit="number",
        direction="higher",
        grain="ticket opened in the period and answered",
        definition="Mean answer to the satisfaction question of the tickets opened in the period, on the company's own scale.",
        formula="Σ csat ÷ tickets with an answer",
        source="support: tickets",
        timing="By the company's day of opening; answers known by the as-of date.",
        edge_cases="Only answered tickets: the silent ones may be less content.",
        needs=("tickets.opened_at", "tickets.closed_at", "tickets.csat"),
        estimator="mean",
        facts=asked,
        where=lambda t: t.csat.notnull(),
        num=lambda t: t.csat,
        zero_reason=NOBODY_ANSWERED,
    ),
)
