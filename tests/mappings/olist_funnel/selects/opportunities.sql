-- One row per deal won; deals lost or still open are not in the extract, and neither is the day on which a deal was opened.
SELECT
    deal.mql_id                   AS opportunity_id,
    deal.mql_id                   AS lead_id,
    deal.sr_id                    AS owner_id,
    'new'                         AS kind,
    'won'                         AS status,
    deal.declared_monthly_revenue AS amount,
    'BRL'                         AS currency,
    deal.won_date                 AS closed_at
FROM olist_closed_deals_dataset AS deal
