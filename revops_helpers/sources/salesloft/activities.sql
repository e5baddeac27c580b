-- Activities: calls, mails that were sent, meetings that were held. Mails of a cadence are sent by a machine.
-- Who booked a meeting is known by the GUID of the user. Which way a call went stands in its data record; without
-- one it went out.
with crm as (
  select id as crm_id, id as lead_id
  from salesforce.lead
  union all
  select converted_contact_id, min(id)
  from salesforce.lead
  where converted_contact_id is not null
  group by converted_contact_id
  union all
  select id, coalesce(salesforceleadid, id)
  from hubspot.contact
),
records as (
  select x.call_id, min(lower(x.direction)) as direction
  from call_data_record x
  group by x.call_id
)
select
  'salesloft-call-' || c.id             as activity_id,
  'salesloft-' || c.user_id          as user_id,
  'call'                             as kind,
  coalesce(r.direction, 'outbound')  as direction,
  coalesce(k.lead_id, 'salesloft-' || c.person_id) as lead_id,
  coalesce(a.crm_id, 'salesloft-' || p.account_id) as account_id,
  c.created_at                       as occurred_at,
  as_number(c.duration) / 60         as minutes,
  'false'                            as automated,
  'true'                             as customer_facing
from call c
left join person p on p.id = c.person_id
left join account a on a.id = p.account_id
left join crm k on k.crm_id = p.crm_id
left join records r on r.call_id = c.id
union all
select
  'salesloft-email-' || e.id,
  'salesloft-' || e.user_id,
  'email',
  'outbound',
  coalesce(k.lead_id, 'salesloft-' || e.person_id),
  coalesce(a.crm_id, 'salesloft-' || p.account_id),
  e.sent_at,
  null,
  case when e.cadence_id is not null then 'true' else 'false' end,
  case when e.cadence_id is not null then 'false' else 'true' end
from email e
left join person p on p.id = e.person_id
left join account a on a.id = p.account_id
left join crm k on k.crm_id = p.crm_id
where e.sent_at is not null
union all
select
  'salesloft-meeting-' || m.id,
  'salesloft-' || coalesce(u.id, m.user_id),
  'meeting',
  null,
  coalesce(k.lead_id, 'salesloft-' || m.person_id),
  coalesce(a.crm_id, 'salesloft-' || coalesce(p.account_id, m.account_id)),
  m.start_time,
  date_diff('second', as_moment(m.start_time), as_moment(m.end_time)) / 60.0,
  'false',
  'true'
from meeting m
left join person p on p.id = m.person_id
left join account a on a.id = coalesce(p.account_id, m.account_id)
left join crm k on k.crm_id = p.crm_id
left join user u on u.guid = m.user_id
where m.canceled_at is null and coalesce(lower(m.no_show), 'false') <> 'true'
