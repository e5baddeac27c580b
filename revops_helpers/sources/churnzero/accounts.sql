-- Customers, by the CRM's id, which imports give of the parent too; the interface names it by ChurnZero's own. Those that an
-- export of Salesforce or HubSpot holds too come from there. The owner is known by the user name where that is the CRM's e-mail.
with people as (
  select lower(x.email) as email, min(x.id) as id
  from (select email, id from salesforce.user union all select email, id from hubspot.owner) x
  group by lower(x.email)
)
select
  coalesce(a.external_id, 'churnzero-' || a.id) as account_id,
  a.name                        as name,
  coalesce(a.parent_external_id, p.external_id, 'churnzero-' || a.parent_account_id) as parent_id,
  a.country                     as country,
  coalesce(u.id, 'churnzero-' || a.owner) as owner_id,
  a.created_date                as created_at
from account a
left join account p on p.id = a.parent_account_id
left join people u on u.email = lower(a.owner)
left join salesforce.account s on s.id = a.external_id
left join hubspot.company h on coalesce(h.salesforceaccountid, h.id) = a.external_id
where s.id is null and h.id is null
