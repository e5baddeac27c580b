-- Campaigns, with their cost as budget. Those that the Salesforce export holds too come from there.
select
  coalesce(c.salesforce_id, 'pardot-' || c.id) as campaign_id,
  c.name                          as name,
  c.cost                          as budget
from campaign c
left join salesforce.campaign s on s.id = c.salesforce_id
where s.id is null
