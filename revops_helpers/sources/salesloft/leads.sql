-- People who are worked. Those that Salesforce holds as a lead, or as the contact that a lead became, or HubSpot as a contact,
-- come from there.
with crm as (
  select id as crm_id, id as lead_id
  from salesforce.lead
  union all
  select converted_contact_id, min(id)
  from salesforce.lead
  where converted_contact_id is not null
  group by converted_contact_id
  union all
  select id, coalesce(salesforceleadid, id)
  from hubspot.contact
)
select
  'salesloft-' || p.id             as lead_id,
  coalesce(p.display_name, nullif(trim(concat_ws(' ', p.first_name, p.last_name)), '')) as name,
  p.email_address                  as email,
  coalesce(p.phone, p.mobile_phone) as phone,
  p.company_name                   as company,
  p.title                          as title,
  p.country                        as country,
  'salesloft-' || p.owner_id       as owner_id,
  p.created_at                     as created_at,
  coalesce(a.crm_id, 'salesloft-' || p.account_id) as account_id
from person p
left join account a on a.id = p.account_id
left join crm k on k.crm_id = p.crm_id
where k.lead_id is null
