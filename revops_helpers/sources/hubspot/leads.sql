-- Contacts. Those that the Salesforce export holds too, as the integration's id says, come from there. Stages are reached on
-- the day on which HubSpot says that the lifecycle stage was.
with deals as (
  select dc.contact_id, min(dc.deal_id) as deal_id
  from deal_contact dc
  group by dc.contact_id
)
select
  coalesce(c.salesforceleadid, c.id) as lead_id,
  nullif(trim(concat_ws(' ', c.firstname, c.lastname)), '') as name,
  c.email                          as email,
  c.phone                          as phone,
  c.company                        as company,
  c.jobtitle                       as title,
  c.country                        as country,
  c.hs_analytics_source            as source,
  c.hubspot_owner_id               as owner_id,
  c.hubspotscore                   as score,
  c.createdate                     as created_at,
  c.hubspot_owner_assigneddate     as assigned_at,
  c.hs_lifecyclestage_marketingqualifiedlead_date as mql_at,
  c.hs_lifecyclestage_salesqualifiedlead_date     as sql_at,
  c.hs_first_outreach_date         as first_contact_at,
  coalesce(a.salesforceaccountid, split_part(c.associatedcompanyid, ';', 1)) as account_id,
  coalesce(o.hs_salesforceopportunityid, d.deal_id) as opportunity_id
from contact c
left join company a on a.id = split_part(c.associatedcompanyid, ';', 1)
left join deals d on d.contact_id = c.id
left join deal o on o.id = d.deal_id
left join salesforce.lead s on s.id = c.salesforceleadid
where s.id is null
