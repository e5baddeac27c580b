-- Companies. Those that an export of Salesforce or HubSpot holds too, as the sync's id says, come from there.
select
  coalesce(a.external_id, 'outreach-' || a.id) as account_id,
  a.name                        as name,
  a.domain                      as domain,
  a.industry                    as industry,
  a.employees                   as employees,
  'outreach-' || a.owner_id     as owner_id,
  a.created_at                  as created_at
from account a
left join salesforce.account s on s.id = a.external_id
left join hubspot.company h on coalesce(h.salesforceaccountid, h.id) = a.external_id
where s.id is null and h.id is null
