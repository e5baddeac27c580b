-- Opportunities are Salesforce's, as the connector copies them: they are taken only where its export is not read, and HubSpot's
-- export does not hold the same deal.
with prospects as (
  select op.opportunity_id, min(coalesce(p.crm_lead_fid, 'pardot-' || op.prospect_id)) as lead_id
  from opportunity_prospect op
  left join prospect p on p.id = op.prospect_id
  group by op.opportunity_id
)
select
  coalesce(o.crm_opportunity_fid, 'pardot-' || o.id) as opportunity_id,
  p.lead_id                             as lead_id,
  case lower(o.type) when 'new business'      then 'new'
                     when 'existing business' then 'expansion'
                     when 'upsell'            then 'expansion'
                     else o.type end as kind,
  o.value                               as amount,
  o.created_at                          as created_at,
  o.closed_at                           as close_date,
  case when lower(o.status) in ('won', 'lost') then o.closed_at end as closed_at,
  o.stage                               as stage,
  o.status                              as status,
  o._file,
  o._line
from opportunity o
left join prospects p on p.opportunity_id = o.id
left join hubspot.deal h on coalesce(h.hs_salesforceopportunityid, h.id) = o.crm_opportunity_fid
where h.id is null and not exists (select 1 from salesforce.opportunity)
