-- Companies. Those that the Salesforce export holds too, as the integration's id says, come from there.
select
  coalesce(c.salesforceaccountid, c.id) as account_id,
  c.name                 as name,
  c.domain               as domain,
  coalesce(p.salesforceaccountid, c.hs_parent_company_id) as parent_id,
  c.industry             as industry,
  c.numberofemployees    as employees,
  c.country              as country,
  c.hubspot_owner_id     as owner_id,
  c.createdate           as created_at
from company c
left join company p on p.id = c.hs_parent_company_id
left join salesforce.account s on s.id = c.salesforceaccountid
where s.id is null
