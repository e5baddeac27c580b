-- People. Those that an export of Salesforce or HubSpot holds too, as the sync's id says, come from there; deleted
-- ones are left out.
select
  coalesce(l.sfdc_lead_id, 'marketo-' || l.id) as lead_id,
  nullif(trim(concat_ws(' ', l.first_name, l.last_name)), '') as name,
  l.email                         as email,
  coalesce(l.phone, l.mobile_phone) as phone,
  l.company                       as company,
  l.title                         as title,
  l.country                       as country,
  l.source                        as source,
  coalesce(p.sfdc_id, 'marketo-' || l.acquisition_program_id) as campaign_id,
  l.score                         as score,
  l.created_at                    as created_at
from lead l
left join program p on p.id = l.acquisition_program_id
left join activity_delete_lead x on x.lead_id = l.id
left join salesforce.lead s on s.id = l.sfdc_lead_id
left join hubspot.contact h on coalesce(h.salesforceleadid, h.id) = l.sfdc_lead_id
where x.id is null and s.id is null and h.id is null
