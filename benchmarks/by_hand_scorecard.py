"""The scorecard of the executive report by hand: eight statements over the Parquet, finished in numpy.

Shared as a good analyst shares: the deals as they stood, and what each customer paid, are made once and read by what follows.
Year to date of the sample company; each query is read against its metric's definition in docs/metrics.md.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.by_hand import AS_OF, CUT, GROUPS, LINES, MOVEMENTS
from revops_helpers.methods import intervals, survival

FIRST, EVE, YEAR_BEFORE = "2026-01-01", "2025-12-31", "2025-09-30"
MARGIN, MONTHLY_DISCOUNT = 0.765, 1.12 ** (1 / 12) - 1
TABLES = ("accounts", "subscriptions", "leads", "opportunities", "opportunity_history", "spend", "financials", "targets")
Found = dict[str, tuple[float, float, float]]  # metric → value, low, high
EXACT = (np.nan, np.nan)

GROUPED = "CREATE OR REPLACE TEMP TABLE hand_groups AS WITH {groups} SELECT * FROM groups"

CUSTOMERS = """
CREATE OR REPLACE TEMP TABLE hand_customers AS
WITH groups AS (FROM hand_groups), {lines},
moved AS (SELECT *, closing - delta AS opening, delta - uplift AS sold, month >= DATE '{first}' AS inside FROM states
          WHERE month <= DATE '{as_of}')
SELECT customer, min(month) AS first, max(month) AS last, arg_max(closing, month) AS m1, count(*) FILTER (inside) AS changes,
  coalesce(arg_max(closing, month) FILTER (month <= DATE '{year_before}'), 0) AS m0,
  coalesce(arg_max(closing, month) FILTER (month <= DATE '{eve}'), 0) AS base,
  coalesce(sum(delta) FILTER (inside), 0) AS delta,
  count(*) FILTER (inside AND opening = 0 AND NOT paid_before AND closing > 0) AS logos,
  coalesce(sum(closing) FILTER (inside AND opening = 0 AND NOT paid_before), 0) AS new,
  coalesce(sum(closing) FILTER (inside AND opening = 0 AND paid_before), 0) AS reactivation,
  coalesce(sum(sold) FILTER (inside AND opening <> 0 AND closing <> 0 AND sold > 0), 0) AS expansion,
  coalesce(sum(uplift) FILTER (inside AND opening <> 0 AND closing <> 0), 0) AS indexation,
  coalesce(sum(-sold) FILTER (inside AND opening <> 0 AND closing <> 0 AND sold < 0), 0) AS contraction,
  coalesce(sum(opening) FILTER (inside AND opening <> 0 AND closing = 0), 0) AS churn
FROM moved GROUP BY customer"""

TENURES = """
WITH c AS (
  SELECT m1 = 0 AS gone, 12 * year(first) + month(first) AS began, 12 * year(last) + month(last) AS changed,
         12 * year(DATE '{as_of}') + month(DATE '{as_of}') AS now FROM hand_customers)
SELECT CASE WHEN gone THEN changed ELSE now END - began AS months, gone, greatest(now - 12 - began, 0) AS entry, count(*) AS rows
FROM c WHERE NOT gone OR changed > now - 12 GROUP BY ALL"""

DEALS = """
CREATE OR REPLACE TEMP TABLE hand_deals AS
WITH state AS (
  SELECT opportunity_id, arg_max(close_date, changed_at) AS close_date, arg_max(amount, changed_at) AS amount
  FROM {opportunity_history} WHERE changed_at < TIMESTAMP '{cut}' GROUP BY 1),
deals AS (
  SELECT opportunity_id, account_id, lead_id, currency, (created_at - INTERVAL 3 HOUR)::DATE AS opened_on, closed_at,
         coalesce(s.close_date, o.close_date) AS close_date, coalesce(s.amount, o.amount) AS amount,
         CASE WHEN coalesce(closed_at < TIMESTAMP '{cut}', o.close_date <= DATE '{as_of}') THEN status ELSE 'open' END AS status
  FROM {opportunities} o LEFT JOIN state s USING (opportunity_id)
  WHERE (created_at < TIMESTAMP '{cut}' OR created_at IS NULL) AND kind = 'new'
    AND NOT (status = 'lost' AND closed_at IS NOT NULL AND closed_at < TIMESTAMP '{cut}'
             AND lower(coalesce(lost_reason, '')) IN ('duplicate', 'disqualified')))
SELECT account_id, lead_id, opened_on, status, close_date,
       CASE WHEN status <> 'open' THEN coalesce((closed_at - INTERVAL 3 HOUR)::DATE, close_date) END AS closed_on,
       CASE currency WHEN 'USD' THEN round(amount * 5.4)::BIGINT ELSE amount END AS amount
FROM deals"""

SOLD = """
WITH d AS (
  SELECT *, coalesce(opened_on BETWEEN DATE '{first}' AND DATE '{as_of}', false) AS opened,
         coalesce(closed_on BETWEEN DATE '{first}' AND DATE '{as_of}', false) AS decided,
         decided AND status = 'won' AS won,
         coalesce(closed_on, close_date) BETWEEN DATE '{next}' AND DATE '{last}' AS near FROM hand_deals)
SELECT count(*) FILTER (decided) AS decided, count(*) FILTER (opened) AS opened, count(*) FILTER (opened AND decided) AS both,
  count(*) FILTER (opened OR decided) AS deals, count(*) FILTER (won) AS won,
  count(amount) FILTER (won) AS priced, sum(amount) FILTER (won) AS amount, sum(amount::DOUBLE * amount) FILTER (won) AS squares,
  sum(amount) FILTER (near AND status = 'open') AS waiting,
  sum(amount::DOUBLE * amount) FILTER (near AND status = 'open') AS waiting_squares,
  coalesce(sum(amount) FILTER (near AND status = 'won'), 0) AS won_near,
  (SELECT product(goal) * 100 FROM (
     SELECT CASE metric WHEN 'leads' THEN sum(value) ELSE sum(value * days) / sum(days) END AS goal
     FROM (SELECT *, period_end - period_start + 1 AS days FROM {targets}
           WHERE period_start BETWEEN DATE '{next}' AND DATE '{last}')
     WHERE metric IN ('leads', 'lead_to_opportunity', 'decided_share', 'win_rate', 'deal_size') GROUP BY metric)) AS goal
FROM d"""

AGES = """
SELECT coalesce(closed_on, DATE '{as_of}') - opened_on AS age,
       CASE status WHEN 'won' THEN 1 WHEN 'lost' THEN 2 ELSE 0 END AS ending,
       greatest(DATE '{first}' - opened_on, 0) AS entry, count(*) AS rows
FROM hand_deals
WHERE opened_on <= DATE '{as_of}' AND (closed_on IS NULL OR (closed_on >= DATE '{first}' AND closed_on >= opened_on))
GROUP BY ALL"""

LAG = """
SELECT 3 * floor(median(closed_on - (created_at - INTERVAL 3 HOUR)::DATE) / (365.25 / 4) + 0.5)::INT
FROM hand_deals JOIN (SELECT lead_id, created_at FROM {leads}) USING (lead_id)
WHERE status = 'won' AND closed_on BETWEEN DATE '{as_of}' - INTERVAL 1 YEAR + INTERVAL 1 DAY AND DATE '{as_of}'
  AND closed_on >= (created_at - INTERVAL 3 HOUR)::DATE"""

PAYING = """
WITH sold AS (
  SELECT coalesce(customer, account_id) AS customer, sum(amount) AS won
  FROM hand_deals LEFT JOIN hand_groups USING (account_id)
  WHERE status = 'won' AND closed_on BETWEEN DATE '{first}' AND DATE '{as_of}' GROUP BY 1),
paid AS (
  SELECT sum(amount) FILTER (month BETWEEN DATE '{first}' AND DATE '{as_of}') AS cost,
         sum(amount) FILTER (month BETWEEN DATE '{first}' - INTERVAL 3 MONTH AND DATE '{as_of}' - INTERVAL 3 MONTH) AS cost_last,
         sum(amount) FILTER (
           month BETWEEN DATE '{first}' - INTERVAL {lag} MONTH AND DATE '{as_of}' - INTERVAL {lag} MONTH) AS cost_before
  FROM {spend} WHERE "function" IN ('marketing', 'sales')),
booked AS (
  SELECT sum(ebitda)::DOUBLE / sum(revenue) AS margin FROM {financials}
  WHERE month BETWEEN DATE '{year_before}' AND DATE '{as_of}'),
c AS (
  SELECT * REPLACE (coalesce(m0, 0) AS m0, coalesce(m1, 0) AS m1, coalesce(base, 0) AS base),
         changes > 0 OR base <> 0 AS counts, changes > 0 OR won IS NOT NULL AS sells, coalesce(won, 0) AS won_,
         least(m0, m1) AS held
  FROM hand_customers FULL JOIN sold USING (customer))
SELECT any_value(cost) AS cost, any_value(cost_before) AS cost_before, any_value(cost_last) AS cost_last,
  any_value(margin) AS margin,
  12 * sum(m1) AS arr, 12 * sum(delta) AS net_new_arr, 12 * sum(new) AS new_arr, sum(logos) AS logos,
  sum(power(delta::DOUBLE, 2)) AS delta2, sum(power(new::DOUBLE, 2)) AS new2,
  count(*) FILTER (m1 <> 0) AS paying, sum(power(m1::DOUBLE, 2)) AS m11, sum(m0) AS m0, sum(power(m0::DOUBLE, 2)) AS m00,
  count(*) FILTER (m0 <> 0 OR m1 <> 0) AS either, sum(m1::DOUBLE * m0) AS m10,
  count(*) FILTER (m0 > 0) AS before, sum(m1) FILTER (m0 > 0) AS kept, sum(power(m1::DOUBLE, 2)) FILTER (m0 > 0) AS kept2,
  sum(held) AS held, sum(power(held::DOUBLE, 2)) AS held2, sum(held::DOUBLE * m0) AS held0,
  sum(held::DOUBLE * held / m0) FILTER (m0 > 0) AS held_shares,
  count(*) FILTER (m0 > 0 AND m1 = 0) AS lost,
  count(*) FILTER (counts) AS opening, sum(base) AS base, sum(power(base::DOUBLE, 2)) AS base2, {shares},
  count(*) FILTER (sells) AS sellers, sum(won_) AS won, sum(won_::DOUBLE * won_) AS won2, sum(new::DOUBLE * won_) AS live_won
FROM c CROSS JOIN paid CROSS JOIN booked"""

LEADS = """
WITH days AS (
  SELECT day, open, sum(open) OVER (ORDER BY day) - open AS worked
  FROM (SELECT day::DATE AS day, CASE WHEN isodow(day) < 6 AND day NOT IN ({holidays}) THEN 540 ELSE 0 END AS open
        FROM generate_series(DATE '{first}', DATE '{as_of}', INTERVAL 1 DAY) t(day))),
made AS (
  SELECT lead_id, count(*) AS deals FROM hand_deals WHERE opened_on BETWEEN DATE '{first}' AND DATE '{as_of}' GROUP BY 1),
l AS (
  SELECT lead_id, created_at - INTERVAL 3 HOUR AS began,
         CASE WHEN first_contact_at < TIMESTAMP '{cut}' THEN first_contact_at - INTERVAL 3 HOUR END AS contact
  FROM {leads} WHERE created_at >= TIMESTAMP '{first} 03:00:00' AND created_at < TIMESTAMP '{cut}'),
timed AS (
  SELECT lead_id, contact IS NOT NULL AS contacted, began > contact AS wrong,
         z.worked + greatest(least(60 * hour(until) + minute(until) - 540, z.open), 0)
         - a.worked - greatest(least(60 * hour(began) + minute(began) - 540, a.open), 0) AS minutes
  FROM (SELECT *, coalesce(contact, TIMESTAMP '{as_of} 23:59:00') AS until FROM l)
  LEFT JOIN days a ON a.day = began::DATE LEFT JOIN days z ON z.day = until::DATE)
SELECT minutes, contacted, coalesce(wrong, false) AS wrong, count(timed.lead_id) AS leads, sum(deals) AS deals,
       sum(CASE WHEN made.lead_id IS NULL THEN deals ELSE deals * deals END) AS squares,
       sum(deals) FILTER (timed.lead_id IS NOT NULL) AS own,
       sum(CASE WHEN made.lead_id IS NULL THEN deals ELSE 1 END) FILTER (timed.lead_id IS NULL) AS others
FROM timed FULL JOIN made ON timed.lead_id = made.lead_id GROUP BY ALL"""


def scorecard(execute, folder: Path) -> Found:
    """Every metric of the scorecard, with its interval."""
    for statement in (GROUPED, CUSTOMERS, DEALS):
        execute(text(statement, folder))
    lag = execute(text(LAG, folder)).fetchone()[0]
    queries = (TENURES, SOLD, AGES, PAYING, LEADS)
    tenures, sold, ages, paying, leads = (execute(text(query, folder, lag)).df() for query in queries)
    paying = paying.iloc[0]
    return {**_growth(paying), **_efficiency(paying, tenures), **_kept(paying), **_sales(sold.iloc[0], ages), **_leads(leads)}


def text(query: str, folder: Path, lag: int = 0) -> str:
    """The query with its parts, days and the files of its tables filled in; lag: months by which spend comes first."""
    given = {name: f"read_parquet('{folder / name}.parquet')" for name in TABLES}
    given |= {"as_of": AS_OF, "cut": CUT, "first": FIRST, "lag": lag, "eve": EVE, "year_before": YEAR_BEFORE}
    given |= {"next": "2026-10-01", "last": "2026-12-31"}
    days = ("2026-01-01", "2026-04-03", "2026-04-21", "2026-05-01", "2026-09-07")
    given["holidays"] = ", ".join(f"DATE '{day}'" for day in days)
    given["shares"] = ", ".join(
        f"sum({x}) AS {x}, sum(power({x}::DOUBLE, 2)) AS {x}2, sum({x}::DOUBLE * base) AS {x}_base" for x in MOVEMENTS[1:]
    )
    return query.format(**given, groups=GROUPS.format(**given), lines=LINES.format(**given))


def _growth(c: pd.Series) -> Found:
    grown = intervals.ratio_of_sums(c.arr / 12 - c.m0, c.m0, c.m11 - 2 * c.m10 + c.m00, c.m10 - c.m00, c.m00, c.either)
    growth = c.arr / 12 / c.m0 - 1
    return {
        **{name: (c[name], *EXACT) for name in ("arr", "net_new_arr", "new_arr")},
        "rule_of_40": (growth + c.margin, *intervals.total(growth, grown, c.margin, (c.margin, c.margin))),
    }


def _efficiency(c: pd.Series, tenures: pd.DataFrame) -> Found:
    spread = 12 * np.sqrt(c.delta2)
    low, high = intervals.random_sum(MARGIN * c.new_arr / 12, MARGIN**2 * c.new2)
    fewest, most = intervals.poisson_exact(c.logos)
    cac = (c.cost_before / c.logos, c.cost_before / most, c.cost_before / fewest)
    return {
        "cac": cac,
        "cac_payback": (c.cost_before / (MARGIN * c.new_arr / 12), c.cost_before / high, c.cost_before / low),
        "ltv_cac": _over(_lifetime_value(c, tenures), cac),
        **{
            name: tuple(bound / cost for bound in (c.net_new_arr, *intervals.random_sum(c.net_new_arr, spread**2)))
            for name, cost in (("magic_number_seed", c.cost), ("magic_number_lag", c.cost_last))
        },
    }


def _lifetime_value(c: pd.Series, tenures: pd.DataFrame) -> tuple[float, float, float]:
    months, error = survival.expected_lifetime(
        tenures.months, tenures.gone, tenures.entry, tenures.rows, monthly_discount=MONTHLY_DISCOUNT
    )
    longest = survival.expected_lifetime([60], [False], monthly_discount=MONTHLY_DISCOUNT)[0]
    low, high = intervals.random_sum(months, error**2)
    mrr = c.arr / 12
    bounds = intervals.product(
        mrr / c.paying, intervals.mean_interval(c.paying, mrr, c.m11), months, (max(low, 0), min(high, longest))
    )
    return tuple(MARGIN * x for x in (mrr / c.paying * months, *bounds))


def _over(a: tuple[float, float, float], b: tuple[float, float, float]) -> tuple[float, float, float]:
    return (a[0] / b[0], *intervals.quotient(a[0], a[1:], b[0], b[1:]))


def _kept(c: pd.Series) -> Found:
    found = {
        "nrr": (c.kept / c.m0, *intervals.ratio_of_sums(c.kept, c.m0, c.kept2, c.m10, c.m00, c.before)),
        "grr": (c.held / c.m0, *intervals.weighted_share(c.held, c.m0, c.held2, c.held0, c.m00, c.before, c.held_shares)),
        "logo_churn": (c.lost / c.before, *intervals.wilson(c.lost, c.before)),
    }
    for x in MOVEMENTS[1:]:
        bounds = intervals.ratio_of_sums(c[x], c.base, c[f"{x}2"], c[f"{x}_base"], c.base2, c.opening)
        found[x] = (c[x] / c.base, *bounds)
    live = intervals.ratio_of_sums(c.new_arr, c.won, 144 * c.new2, 12 * c.live_won, c.won2, c.sellers)
    return found | {"live_share": (c.new_arr / c.won, *live)}


def _sales(d: pd.Series, ages: pd.DataFrame) -> Found:
    decided = intervals.ratio_of_sums(d.decided, d.opened, d.decided, d.both, d.opened, d.deals)
    pipe, remaining = intervals.random_sum(d.waiting, d.waiting_squares), d.goal - d.won_near
    days = survival.time_to_win(ages.age + 0.5, ages.ending, ages.entry, ages.rows)
    return {
        "decided_share": (d.decided / d.opened, *decided),
        "win_rate": (d.won / d.decided, *intervals.wilson(d.won, d.decided)),
        "deal_size": (d.amount / d.priced, *intervals.mean_interval(d.priced, d.amount, d.squares)),
        "pipeline_coverage": (d.waiting / remaining, *(bound / remaining for bound in pipe)),
        "cycle_days": (days.median - 0.5, days.low - 0.5, days.high - 0.5),
    }


def _leads(found: pd.DataFrame) -> Found:
    leads, deals, squares, own, others = found[["leads", "deals", "squares", "own", "others"]].sum()
    timed = found[~found.wrong & (found.leads > 0)]
    first = survival.kaplan_meier(timed.minutes, timed.contacted, weights=timed.leads)
    due = timed[timed.contacted | (timed.minutes > 60)]
    met, judged = due.leads[due.contacted & (due.minutes <= 60)].sum(), due.leads.sum()
    return {
        "leads": (leads, *EXACT),
        "lead_to_opportunity": (deals / leads, *intervals.ratio_of_sums(deals, leads, squares, own, leads, leads + others)),
        "time_to_first_contact_at_work": (first.median, first.median_low, first.median_high),
        "contacted_within_sla": (met / judged, *intervals.wilson(met, judged)),
    }
