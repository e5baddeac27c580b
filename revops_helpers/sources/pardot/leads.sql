-- Prospects. Those that an export of Salesforce or HubSpot holds too, as the connector's id says, come from there.
select
  coalesce(p.crm_lead_fid, 'pardot-' || p.id) as lead_id,
  nullif(trim(concat_ws(' ', p.first_name, p.last_name)), '') as name,
  p.email                             as email,
  p.phone                             as phone,
  p.company                           as company,
  p.job_title                         as title,
  p.country                           as country,
  p.source                            as source,
  coalesce(c.salesforce_id, 'pardot-' || p.campaign_id) as campaign_id,
  coalesce(p.crm_owner_fid, 'pardot-' || p.user_id) as owner_id,
  p.score                             as score,
  p.created_at                        as created_at,
  coalesce(p.crm_account_fid, a.salesforce_id, 'pardot-' || p.prospect_account_id) as account_id
from prospect p
left join campaign c on c.id = p.campaign_id
left join prospect_account a on a.id = p.prospect_account_id
left join salesforce.lead s on s.id = p.crm_lead_fid
left join hubspot.contact h on coalesce(h.salesforceleadid, h.id) = p.crm_lead_fid
where s.id is null and h.id is null
