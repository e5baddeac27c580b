"""The same results by hand: DuckDB SQL and pandas over the same Parquet, as an analyst who knows the definitions writes them.

Each function gives what `measure` gives, intervals included, and the benchmark holds them equal before it times them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from revops_helpers.methods.intervals import ratio_of_sums, weighted_share, wilson

AS_OF, CUT = "2026-09-30", "2026-10-01 03:00:00"
FIRST, BEFORE = "2025-10-01", "2024-10-01"
MOVEMENTS = ("new", "reactivation", "expansion", "indexation", "contraction", "churn")

GROUPS = """
a AS (
  SELECT account_id, nullif(parent_id, account_id) AS parent,
         CASE WHEN length(tax) = 14 THEN tax[1:8] ELSE nullif(tax, '') END AS root
  FROM (SELECT account_id, parent_id, regexp_replace(upper(tax_id), '[^0-9A-Z]', '', 'g') AS tax
        FROM {accounts} WHERE created_at < TIMESTAMP '{cut}' OR created_at IS NULL)),
groups AS (
  SELECT a.account_id,
         coalesce(a.root, p.root, q.root, r.root, r.parent, q.parent, p.parent, a.parent, a.account_id) AS customer
  FROM a LEFT JOIN a p ON a.parent = p.account_id LEFT JOIN a q ON p.parent = q.account_id
       LEFT JOIN a r ON q.parent = r.account_id)"""

LINES = """
priced AS (
  SELECT subscription_id, account_id, product, starts_on, change_reason,
         CASE WHEN ends_on <= DATE '{as_of}' THEN ends_on END AS ends_on,
         CASE currency WHEN 'USD' THEN round(mrr * 5.4)::BIGINT ELSE mrr END AS mrr
  FROM {subscriptions} WHERE coalesce(signed_on, starts_on) <= DATE '{as_of}'),
l AS MATERIALIZED (
  SELECT s.*, coalesce(customer, s.account_id) AS customer,
         CASE WHEN change_reason = 'indexation' THEN coalesce(mrr - lag(mrr) OVER line, 0) ELSE 0 END AS uplift,
         coalesce(lead(starts_on) OVER line = ends_on, false) AS goes_on
  FROM priced s LEFT JOIN groups USING (account_id)
  WINDOW line AS (PARTITION BY subscription_id ORDER BY starts_on)),
loose AS (
  SELECT x.customer, coalesce(min(n.starts_on), x.ends_on) AS ended, x.mrr, x.subscription_id, x.starts_on
  FROM l x LEFT JOIN l n ON n.customer = x.customer AND n.product IS NOT DISTINCT FROM x.product
       AND n.starts_on BETWEEN x.ends_on AND x.ends_on + 30
  WHERE x.ends_on IS NOT NULL AND NOT x.goes_on
  GROUP BY x.customer, x.ends_on, x.mrr, x.subscription_id, x.starts_on),
monthly AS (
  SELECT customer, month, sum(delta) AS delta, sum(gross) AS gross, sum(uplift) AS uplift
  FROM (SELECT customer, date_trunc('month', starts_on) AS month, mrr AS delta, mrr AS gross, uplift FROM l
        UNION ALL
        SELECT customer, date_trunc('month', ends_on), -mrr, 0, 0 FROM l WHERE ends_on IS NOT NULL AND goes_on
        UNION ALL SELECT customer, date_trunc('month', ended), -mrr, 0, 0 FROM loose)
  GROUP BY customer, month),
states AS (
  SELECT customer, month, delta, uplift, sum(delta) OVER w AS closing, sum(uplift) OVER w AS uplifted,
         sum(gross) OVER w > gross AS paid_before,
         coalesce(lead(month) OVER (PARTITION BY customer ORDER BY month), DATE '9999-12-31') AS until
  FROM monthly WINDOW w AS (PARTITION BY customer ORDER BY month ROWS UNBOUNDED PRECEDING))"""

MOVED = """
WITH {groups}, {lines},
moved AS (SELECT *, closing - delta AS opening, delta - uplift AS sold FROM states
          WHERE month BETWEEN DATE '{first}' AND DATE '{as_of}')
SELECT month, 12 * sum(delta) AS net_new_arr,
  12 * sum(closing) FILTER (opening = 0 AND NOT paid_before) AS new_arr,
  12 * sum(closing) FILTER (opening = 0 AND paid_before) AS reactivation_arr,
  12 * sum(sold) FILTER (opening <> 0 AND closing <> 0 AND sold > 0) AS expansion_arr,
  12 * sum(uplift) FILTER (opening <> 0 AND closing <> 0) AS indexation_arr,
  12 * sum(-sold) FILTER (opening <> 0 AND closing <> 0 AND sold < 0) AS contraction_arr,
  12 * sum(opening) FILTER (opening <> 0 AND closing = 0) AS churned_arr
FROM moved GROUP BY month ORDER BY month"""

RETAINED = """
WITH {groups}, {lines},
ends AS (SELECT (DATE '{first}' + to_months(i + 1) - INTERVAL 1 DAY)::DATE AS day,
                (DATE '{first}' + to_months(i - 11) - INTERVAL 1 DAY)::DATE AS before FROM range(12) t(i)),
earlier AS (SELECT day, customer, closing AS m0 FROM states JOIN ends ON month <= before AND until > before WHERE closing > 0),
now AS (SELECT day, customer, closing AS m1 FROM states JOIN ends ON month <= day AND until > day)
SELECT day, count(*) AS n, sum(m1) AS kept, sum(least(m0, m1)) AS held, count(*) FILTER (m1 = 0) AS lost, sum(m0) AS base,
  sum(m1::DOUBLE * m1) AS kk, sum(m1::DOUBLE * m0) AS kb, sum(least(m0, m1)::DOUBLE * least(m0, m1)) AS hh,
  sum(least(m0, m1)::DOUBLE * m0) AS hb, sum(m0::DOUBLE * m0) AS bb,
  sum(least(m0, m1)::DOUBLE * least(m0, m1) / m0) AS shares
FROM earlier JOIN now USING (day, customer) GROUP BY day ORDER BY day"""

FUNNEL = """
WITH undated AS (SELECT opportunity_id FROM {opportunities} WHERE closed_at IS NULL AND status = 'won'),
state AS (
  SELECT opportunity_id, arg_max(close_date, changed_at) AS day
  FROM {opportunity_history} SEMI JOIN undated USING (opportunity_id) WHERE changed_at < TIMESTAMP '{cut}' GROUP BY 1),
deals AS (
  SELECT opportunity_id, created_at, CASE
    WHEN status = 'won' AND coalesce(closed_at < TIMESTAMP '{cut}', close_date <= DATE '{as_of}')
    THEN coalesce(closed_at, s.day, close_date) END AS won_at
  FROM {opportunities} LEFT JOIN state s USING (opportunity_id) WHERE created_at < TIMESTAMP '{cut}' OR created_at IS NULL)
SELECT coalesce(source, '(not recorded)') AS source, count(*) AS leads,
       count(*) FILTER (l.created_at <= TIMESTAMP '{cut}' - INTERVAL 180 DAY) AS followed,
       count(*) FILTER (l.created_at <= TIMESTAMP '{cut}' - INTERVAL 180 DAY
                        AND won_at <= l.created_at + INTERVAL 180 DAY) AS won,
       count(*) FILTER (l.created_at <= TIMESTAMP '{cut}' - INTERVAL 90 DAY) AS ripe,
       count(*) FILTER (l.created_at <= TIMESTAMP '{cut}' - INTERVAL 90 DAY
                        AND d.created_at <= l.created_at + INTERVAL 90 DAY) AS converted
FROM {leads} l LEFT JOIN deals d USING (opportunity_id)
WHERE l.created_at >= TIMESTAMP '{first} 03:00:00' AND l.created_at < TIMESTAMP '{cut}' GROUP BY 1 ORDER BY 1"""

WON = """
WITH state AS (
  SELECT opportunity_id, arg_max(close_date, changed_at) AS close_date, arg_max(amount, changed_at) AS amount
  FROM {opportunity_history} WHERE changed_at < TIMESTAMP '{cut}' GROUP BY 1),
closed AS (
  SELECT o.account_id, o.status, coalesce((o.closed_at - INTERVAL 3 HOUR)::DATE, s.close_date, o.close_date) AS day,
         CASE o.currency WHEN 'USD' THEN round(coalesce(s.amount, o.amount) * 5.4) ELSE coalesce(s.amount, o.amount) END AS amount
  FROM {opportunities} o LEFT JOIN state s USING (opportunity_id)
  WHERE (o.created_at < TIMESTAMP '{cut}' OR o.created_at IS NULL) AND o.kind = 'new' AND o.status <> 'open'
    AND coalesce(o.closed_at < TIMESTAMP '{cut}', o.close_date <= DATE '{as_of}')
    AND NOT (o.status = 'lost' AND coalesce(lower(o.lost_reason) IN ('duplicate', 'disqualified'), false)))
SELECT date_trunc('quarter', day) AS quarter, coalesce(segment, '(not recorded)') AS segment, count(*) AS n,
       count(*) FILTER (status = 'won') AS won, sum(amount) FILTER (status = 'won') AS amount
FROM closed LEFT JOIN {accounts} USING (account_id)
WHERE day BETWEEN DATE '{first}' AND DATE '{as_of}' GROUP BY ALL ORDER BY segment, quarter"""

CREDITED = """
WITH state AS (
  SELECT opportunity_id, arg_max(close_date, changed_at) AS close_date
  FROM {opportunity_history} WHERE changed_at < TIMESTAMP '{cut}' GROUP BY 1),
sold AS (
  SELECT * FROM (
    SELECT o.opportunity_id, o.lead_id, o.closed_at,
           coalesce((o.closed_at - INTERVAL 3 HOUR)::DATE, s.close_date, o.close_date) AS day
    FROM {opportunities} o LEFT JOIN state s USING (opportunity_id)
    WHERE (o.created_at < TIMESTAMP '{cut}' OR o.created_at IS NULL) AND o.kind = 'new' AND o.status = 'won'
      AND coalesce(o.closed_at < TIMESTAMP '{cut}', o.close_date <= DATE '{as_of}'))
  WHERE day BETWEEN DATE '{first}' AND DATE '{as_of}'),
links AS (
  SELECT opportunity_id, lead_id FROM sold WHERE lead_id IS NOT NULL
  UNION
  SELECT opportunity_id, l.lead_id FROM sold JOIN {leads} l USING (opportunity_id) WHERE l.created_at < TIMESTAMP '{cut}'),
path AS (
  SELECT opportunity_id, coalesce(channel, '(not recorded)') AS channel, count(*) OVER (PARTITION BY opportunity_id) AS steps,
         row_number() OVER (PARTITION BY opportunity_id ORDER BY occurred_at, touch_id) AS step
  FROM {touches} t JOIN links k ON k.lead_id = t.lead_id JOIN sold USING (opportunity_id)
  WHERE occurred_at < TIMESTAMP '{cut}'
    AND CASE WHEN closed_at IS NULL THEN (occurred_at - INTERVAL 3 HOUR)::DATE < day ELSE occurred_at < closed_at END)
SELECT coalesce(channel, '(not recorded)') AS channel, sum(coalesce(step = 1, true)::INT) AS first_touch_won,
       sum(coalesce(step = steps, true)::INT) AS last_touch_won, sum(coalesce(1.0 / steps, 1)::DOUBLE) AS linear_won
FROM sold LEFT JOIN path USING (opportunity_id) GROUP BY 1 ORDER BY 1"""


def text(query: str, folder: Path) -> str:
    """The query with its parts and the files of the tables filled in."""
    names = ("accounts", "subscriptions", "leads", "opportunities", "opportunity_history", "touches")
    given = {name: f"read_parquet('{folder / name}.parquet')" for name in names}
    given |= {"as_of": AS_OF, "cut": CUT, "first": FIRST}
    parts = {"groups": GROUPS.format(**given), "lines": LINES.format(**given)}
    return query.format(**given, **parts)


def movements(execute, folder: Path) -> pd.DataFrame:
    return execute(text(MOVED, folder)).df().fillna(0)


def retention(execute, folder: Path) -> pd.DataFrame:
    found = execute(text(RETAINED, folder)).df()
    nrr = ratio_of_sums(found.kept, found.base, found.kk, found.kb, found.bb, found.n)
    grr = weighted_share(found.held, found.base, found.hh, found.hb, found.bb, found.n, found.shares)
    for name, x, bounds in (("nrr", "kept", nrr), ("grr", "held", grr)):
        found[name] = found[x] / found.base
        found[f"{name}_low"], found[f"{name}_high"] = bounds
    found["logo_churn"] = found.lost / found.n
    found["logo_churn_low"], found["logo_churn_high"] = wilson(found.lost, found.n)
    return found


def funnel(execute, folder: Path) -> pd.DataFrame:
    return _rates(execute(text(FUNNEL, folder)).df())


def _rates(found: pd.DataFrame) -> pd.DataFrame:
    for name, k, n in (("lead_won_180d", "won", "followed"), ("lead_conversion_90d", "converted", "ripe")):
        found[name] = found[k] / found[n]
        found[f"{name}_low"], found[f"{name}_high"] = wilson(found[k], found[n])
    return found


def won(execute, folder: Path) -> pd.DataFrame:
    found = execute(text(WON, folder)).df()
    found["win_rate"] = found.won / found.n
    found["win_rate_low"], found["win_rate_high"] = wilson(found.won, found.n)
    return found


def credit(execute, folder: Path) -> pd.DataFrame:
    return execute(text(CREDITED, folder)).df()


# --- pandas ---------------------------------------------------------------------------------------------------------------


def _customers(folder: Path) -> pd.Series:
    """account_id → customer."""
    rows = pd.read_parquet(folder / "accounts.parquet", columns=["account_id", "parent_id", "tax_id", "created_at"])
    rows = rows[~(rows.created_at >= CUT)].set_index("account_id")
    plain = rows.tax_id.str.upper().str.replace("[^0-9A-Z]", "", regex=True).replace("", None)
    root = plain.where(plain.str.len() != 14, plain.str[:8])
    parent = rows.parent_id.where(rows.parent_id != rows.index)
    top, above = parent, parent
    for _ in range(3):
        root = root.fillna(above.map(root))
        above = above.map(parent)
        top = above.fillna(top)
    return root.fillna(top).fillna(rows.index.to_series())


def movements_in_pandas(folder: Path) -> pd.DataFrame:
    names = ["subscription_id", "account_id", "product", "mrr", "currency", "starts_on", "ends_on", "signed_on", "change_reason"]
    rows = pd.read_parquet(folder / "subscriptions.parquet", columns=names)
    for name in ("starts_on", "ends_on", "signed_on"):
        rows[name] = pd.to_datetime(rows[name])
    rows = rows[rows.signed_on.fillna(rows.starts_on) <= AS_OF].sort_values(["subscription_id", "starts_on"])
    rows["ends_on"] = rows.ends_on.where(rows.ends_on <= AS_OF)
    rows["mrr"] = rows.mrr.where(rows.currency != "USD", (rows.mrr * 5.4).round()).astype("int64")
    rows["customer"] = rows.account_id.map(_customers(folder)).fillna(rows.account_id)
    same = rows.subscription_id.eq(rows.subscription_id.shift())
    uplift = (rows.mrr - rows.mrr.shift()).where(same & rows.change_reason.eq("indexation"), 0)
    rows["uplift"] = uplift.fillna(0).astype("int64")
    following = rows.starts_on.shift(-1).where(rows.subscription_id.eq(rows.subscription_id.shift(-1)))
    rows["on"] = rows.ends_on
    loose = rows[rows.ends_on.notna() & ~following.eq(rows.ends_on)]
    starts = rows[["customer", "product", "starts_on"]].rename(columns={"starts_on": "restart"}).sort_values("restart")
    order = loose.reset_index().sort_values("ends_on")
    bridged = pd.merge_asof(
        order,
        starts,
        left_on="ends_on",
        right_on="restart",
        by=["customer", "product"],
        direction="forward",
        tolerance=pd.Timedelta(days=30),
    ).set_index("index")
    rows.loc[bridged.index, "on"] = bridged.restart.fillna(bridged.ends_on)
    ended = rows[rows.on.notna()]
    events = pd.concat(
        [
            pd.DataFrame(
                {"customer": rows.customer, "on": rows.starts_on, "delta": rows.mrr, "gross": rows.mrr, "uplift": rows.uplift}
            ),
            pd.DataFrame({"customer": ended.customer, "on": ended.on, "delta": -ended.mrr, "gross": 0, "uplift": 0}),
        ]
    )
    events["month"] = events.on.dt.to_period("M").dt.to_timestamp()
    monthly = events.groupby(["customer", "month"], sort=True)[["delta", "gross", "uplift"]].sum().reset_index()
    so_far = monthly.groupby("customer", sort=False)[["delta", "gross"]].cumsum()
    closing, opening = so_far.delta, so_far.delta - monthly.delta
    sold, stays, new = monthly.delta - monthly.uplift, (opening != 0) & (closing != 0), opening == 0
    parts = {
        "net_new_arr": monthly.delta,
        "new_arr": closing.where(new & (so_far.gross == monthly.gross), 0),
        "reactivation_arr": closing.where(new & (so_far.gross > monthly.gross), 0),
        "expansion_arr": sold.where(stays & (sold > 0), 0),
        "indexation_arr": monthly.uplift.where(stays, 0),
        "contraction_arr": (-sold).where(stays & (sold < 0), 0),
        "churned_arr": opening.where((opening != 0) & (closing == 0), 0),
    }
    table = pd.DataFrame(parts).assign(month=monthly.month)
    table = table[(table.month >= FIRST) & (table.month <= AS_OF)]
    return (table.groupby("month").sum() * 12).reset_index()


def funnel_in_pandas(folder: Path) -> pd.DataFrame:
    leads = pd.read_parquet(folder / "leads.parquet", columns=["lead_id", "created_at", "source", "opportunity_id"])
    deals = pd.read_parquet(
        folder / "opportunities.parquet", columns=["opportunity_id", "created_at", "closed_at", "close_date", "status"]
    )
    leads = leads[(leads.created_at >= f"{FIRST} 03:00:00") & (leads.created_at < CUT)]
    deals = deals[~(deals.created_at >= CUT)]
    over = deals.closed_at.lt(CUT).where(deals.closed_at.notna(), pd.to_datetime(deals.close_date) <= AS_OF)
    deals["won_at"] = deals.closed_at.fillna(pd.to_datetime(deals.close_date)).where(deals.status.eq("won") & over)
    deals = deals.rename(columns={"created_at": "opened_at"})
    both = leads.merge(deals[["opportunity_id", "opened_at", "won_at"]], on="opportunity_id", how="left")
    soon, late = pd.Timedelta(days=90), pd.Timedelta(days=180)
    both["ripe"] = both.created_at <= pd.Timestamp(CUT) - soon
    both["converted"] = both.ripe & (both.opened_at <= both.created_at + soon)
    both["followed"] = both.created_at <= pd.Timestamp(CUT) - late
    both["won"] = both.followed & (both.won_at <= both.created_at + late)
    both["source"] = both.source.fillna("(not recorded)")
    found = both.groupby("source").agg(
        leads=("lead_id", "size"), **{name: (name, "sum") for name in ("followed", "won", "ripe", "converted")}
    )
    return _rates(found.reset_index())


def credit_in_pandas(folder: Path) -> pd.DataFrame:
    names = ["opportunity_id", "lead_id", "created_at", "closed_at", "close_date", "status", "kind"]
    deals = pd.read_parquet(folder / "opportunities.parquet", columns=names)
    deals = deals[deals.kind.eq("new") & deals.status.eq("won") & ~(deals.created_at >= CUT)]
    past = pd.read_parquet(folder / "opportunity_history.parquet", columns=["opportunity_id", "changed_at", "close_date"])
    past = past[past.opportunity_id.isin(deals.opportunity_id) & (past.changed_at < CUT)]
    then = past.sort_values("changed_at").groupby("opportunity_id").close_date.last()
    closed_on = (deals.closed_at - pd.Timedelta(hours=3)).dt.normalize()
    deals["day"] = closed_on.fillna(pd.to_datetime(deals.opportunity_id.map(then).fillna(deals.close_date)))
    over = deals.closed_at.lt(CUT).where(deals.closed_at.notna(), pd.to_datetime(deals.close_date) <= AS_OF)
    sold = deals[over & (deals.day >= FIRST) & (deals.day <= AS_OF)]
    leads = pd.read_parquet(folder / "leads.parquet", columns=["lead_id", "opportunity_id", "created_at"])
    leads = leads[leads.opportunity_id.isin(sold.opportunity_id) & (leads.created_at < CUT)]
    links = pd.concat([sold[["opportunity_id", "lead_id"]].dropna(), leads[["opportunity_id", "lead_id"]]]).drop_duplicates()
    links = links.merge(sold[["opportunity_id", "closed_at", "day"]], on="opportunity_id")
    touches = pd.read_parquet(folder / "touches.parquet", columns=["touch_id", "lead_id", "channel", "occurred_at"])
    both = touches[touches.occurred_at < CUT].merge(links, on="lead_id")
    by_day = (both.occurred_at - pd.Timedelta(hours=3)).dt.normalize() < both.day
    both = both[(both.occurred_at < both.closed_at).where(both.closed_at.notna(), by_day)]
    both = both.sort_values(["opportunity_id", "occurred_at", "touch_id"])
    paths = both.groupby("opportunity_id").touch_id
    both["step"], both["steps"] = paths.cumcount() + 1, paths.transform("size")
    alone = sold.loc[~sold.opportunity_id.isin(both.opportunity_id), ["opportunity_id"]].assign(step=1, steps=1)
    both = pd.concat([both, alone])
    shares = {"first_touch_won": both.step == 1, "last_touch_won": both.step == both.steps, "linear_won": 1 / both.steps}
    rows = pd.DataFrame(shares).assign(channel=both.channel.fillna("(not recorded)"))
    return rows.groupby("channel").sum().reset_index()


def equal(ours: pd.DataFrame, theirs: np.ndarray) -> bool:
    """Whether the values of a measured frame are those found by hand, in the same order."""
    return np.allclose(ours.value.to_numpy(float), np.asarray(theirs, float), rtol=1e-9, equal_nan=True)
