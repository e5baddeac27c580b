-- E-mail campaigns. Those that the Salesforce export holds too come from there.
select
  coalesce(g.salesforcecampaignid, g.id) as campaign_id,
  g.name        as name,
  'email'       as channel,
  lower(g.type) as kind
from email_campaign g
left join salesforce.campaign s on s.id = g.salesforcecampaignid
where s.id is null
