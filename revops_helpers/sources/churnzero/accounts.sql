-- Customers, by the CRM's id. Those that the Salesforce export holds too come from there.
select
  coalesce(a.external_id, a.id) as account_id,
  a.name                        as name,
  a.parent_external_id          as parent_id,
  a.country                     as country,
  a.created_date                as created_at
from account a
left join salesforce.account s on s.id = a.external_id
where s.id is null
