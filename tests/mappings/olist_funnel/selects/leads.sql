-- One row per marketing qualified lead. The extract calls the day on which the lead came in "first contact": it is the lead's own
-- contact with the company, so it is the day of creation, not the first answer of a seller.
SELECT
    mql.mql_id              AS lead_id,
    mql.first_contact_date  AS created_at,
    mql.first_contact_date  AS mql_at,
    mql.origin              AS source,
    deal.mql_id             AS opportunity_id
FROM olist_marketing_qualified_leads_dataset AS mql
LEFT JOIN olist_closed_deals_dataset AS deal ON deal.mql_id = mql.mql_id
