-- Deals are the CRM's, as the sync copies them: they are taken only where no CRM's export is read. Outreach does not say
-- whether one is won; a probability of 100 is won and of 0 lost, as its stages have it.
select
  'outreach-' || o.id                    as opportunity_id,
  coalesce(a.external_id, 'outreach-' || o.account_id) as account_id,
  'outreach-' || o.owner_id              as owner_id,
  o.next_step                            as next_step,
  o.amount                               as amount,
  o.currency                             as currency,
  coalesce(o.external_created_at, o.created_at) as created_at,
  o.close_date                           as close_date,
  coalesce(s.name, o.stage_id)           as stage,
  case when as_number(o.probability) = 100 then 'won'
       when as_number(o.probability) = 0   then 'lost'
       when o.probability is not null      then 'open' end as status
from opportunity o
left join account a on a.id = o.account_id
left join opportunity_stage s on s.id = o.stage_id
where not exists (select 1 from salesforce.opportunity) and not exists (select 1 from hubspot.deal)
