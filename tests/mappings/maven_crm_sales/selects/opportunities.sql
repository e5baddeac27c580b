-- One row per deal. Only won and lost deals have a closing day; prospects have no opening day yet.
SELECT
    deal.opportunity_id,
    deal.account     AS account_id,
    deal.sales_agent AS owner_id,
    deal.product,
    'new'            AS kind,
    deal.deal_stage  AS stage,
    CASE deal.deal_stage WHEN 'Won' THEN 'won' WHEN 'Lost' THEN 'lost' ELSE 'open' END AS status,
    deal.engage_date AS created_at,
    deal.close_date  AS closed_at,
    deal.close_date,
    CASE WHEN deal.deal_stage = 'Won' THEN deal.close_value END AS amount,
    'USD'            AS currency
FROM sales_pipeline AS deal
