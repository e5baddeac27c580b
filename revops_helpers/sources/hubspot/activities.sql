-- Activities: calls, mails, meetings and tasks of the CRM, with the first contact, company and deal that each is about. An e-mail
-- that came in is inbound; tasks are work inside. What was missed, cancelled or never sent is none, nor is a task that is not
-- done; one that is counts when it was completed (until then that field holds the day on which it is due).
with contacts as (
  select x.engagement_id, min(x.contact_id) as contact_id from engagement_contact x group by x.engagement_id
),
companies as (
  select x.engagement_id, min(x.company_id) as company_id from engagement_company x group by x.engagement_id
),
deals as (
  select x.engagement_id, min(x.deal_id) as deal_id from engagement_deal x group by x.engagement_id
)
select
  e.id as activity_id,
  e.hubspot_owner_id as user_id,
  'call' as kind,
  lower(e.hs_call_direction) as direction,
  coalesce(c.salesforceleadid, k.contact_id, split_part(e.contact_id, ';', 1)) as lead_id,
  coalesce(p.hs_salesforceopportunityid, d.deal_id, split_part(e.deal_id, ';', 1)) as opportunity_id,
  coalesce(a.salesforceaccountid, o.company_id, split_part(e.company_id, ';', 1)) as account_id,
  e.hs_timestamp as occurred_at,
  as_number(e.hs_call_duration) / 60000 as minutes,
  'true' as customer_facing
from engagement_call e
left join contacts k on k.engagement_id = e.id
left join companies o on o.engagement_id = e.id
left join deals d on d.engagement_id = e.id
left join deal p on p.id = coalesce(d.deal_id, split_part(e.deal_id, ';', 1))
left join contact c on c.id = coalesce(k.contact_id, split_part(e.contact_id, ';', 1))
left join company a on a.id = coalesce(o.company_id, split_part(e.company_id, ';', 1))
where coalesce(upper(e.hs_call_status), 'COMPLETED') not in ('MISSED', 'CANCELED', 'QUEUED', 'FAILED')
union all
select
  e.id,
  e.hubspot_owner_id,
  'email',
  case when e.hs_email_direction = 'INCOMING_EMAIL' then 'inbound'
       when e.hs_email_direction is not null then 'outbound' end,
  coalesce(c.salesforceleadid, k.contact_id, split_part(e.contact_id, ';', 1)),
  coalesce(p.hs_salesforceopportunityid, d.deal_id, split_part(e.deal_id, ';', 1)),
  coalesce(a.salesforceaccountid, o.company_id, split_part(e.company_id, ';', 1)),
  e.hs_timestamp,
  null,
  'true'
from engagement_email e
left join contacts k on k.engagement_id = e.id
left join companies o on o.engagement_id = e.id
left join deals d on d.engagement_id = e.id
left join deal p on p.id = coalesce(d.deal_id, split_part(e.deal_id, ';', 1))
left join contact c on c.id = coalesce(k.contact_id, split_part(e.contact_id, ';', 1))
left join company a on a.id = coalesce(o.company_id, split_part(e.company_id, ';', 1))
where coalesce(upper(e.hs_email_status), 'SENT') not in ('SCHEDULED', 'SENDING', 'FAILED', 'BOUNCED')
union all
select
  e.id,
  e.hubspot_owner_id,
  'meeting',
  null,
  coalesce(c.salesforceleadid, k.contact_id, split_part(e.contact_id, ';', 1)),
  coalesce(p.hs_salesforceopportunityid, d.deal_id, split_part(e.deal_id, ';', 1)),
  coalesce(a.salesforceaccountid, o.company_id, split_part(e.company_id, ';', 1)),
  e.hs_timestamp,
  date_diff('second', as_moment(e.hs_meeting_start_time), as_moment(e.hs_meeting_end_time)) / 60.0,
  'true'
from engagement_meeting e
left join contacts k on k.engagement_id = e.id
left join companies o on o.engagement_id = e.id
left join deals d on d.engagement_id = e.id
left join deal p on p.id = coalesce(d.deal_id, split_part(e.deal_id, ';', 1))
left join contact c on c.id = coalesce(k.contact_id, split_part(e.contact_id, ';', 1))
left join company a on a.id = coalesce(o.company_id, split_part(e.company_id, ';', 1))
where coalesce(replace(upper(e.hs_meeting_outcome), ' ', '_'), 'COMPLETED') not in ('NO_SHOW', 'CANCELED', 'RESCHEDULED')
union all
select
  e.id,
  e.hubspot_owner_id,
  'task',
  null,
  coalesce(c.salesforceleadid, k.contact_id, split_part(e.contact_id, ';', 1)),
  coalesce(p.hs_salesforceopportunityid, d.deal_id, split_part(e.deal_id, ';', 1)),
  coalesce(a.salesforceaccountid, o.company_id, split_part(e.company_id, ';', 1)),
  coalesce(case when e.hs_task_status is not null then e.hs_task_completion_date end, e.hs_timestamp),
  null,
  'false'
from engagement_task e
left join contacts k on k.engagement_id = e.id
left join companies o on o.engagement_id = e.id
left join deals d on d.engagement_id = e.id
left join deal p on p.id = coalesce(d.deal_id, split_part(e.deal_id, ';', 1))
left join contact c on c.id = coalesce(k.contact_id, split_part(e.contact_id, ';', 1))
left join company a on a.id = coalesce(o.company_id, split_part(e.company_id, ';', 1))
where coalesce(upper(e.hs_task_status), 'COMPLETED') = 'COMPLETED'
