-- Prospect accounts: companies of prospects. Those that an export of Salesforce or HubSpot holds too come from there.
select
  coalesce(a.salesforce_id, 'pardot-' || a.id) as account_id,
  a.name                          as name,
  a.website                       as domain,
  a.industry                      as industry,
  a.employees                     as employees,
  a.billing_country               as country,
  a.created_at                    as created_at
from prospect_account a
left join salesforce.account s on s.id = a.salesforce_id
left join hubspot.company h on coalesce(h.salesforceaccountid, h.id) = a.salesforce_id
where s.id is null and h.id is null
