-- Companies. Those that an export of Salesforce or HubSpot holds too come from there; which field holds HubSpot's id is for
-- `fields` in company.yml to say.
select
  coalesce(c.sfdc_account_id, c.gsid)              as account_id,
  c.name                                           as name,
  coalesce(p.sfdc_account_id, c.parent_company_id) as parent_id,
  c.industry                                       as industry,
  c.employees                                      as employees,
  c.csm                                            as owner_id,
  c.created_date                                   as created_at
from company c
left join company p on p.gsid = c.parent_company_id
left join salesforce.account s on s.id = c.sfdc_account_id
left join hubspot.company h on coalesce(h.salesforceaccountid, h.id) = c.sfdc_account_id
where s.id is null and h.id is null
