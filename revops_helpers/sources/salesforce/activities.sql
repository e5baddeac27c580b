-- Activities: tasks (calls, mails, to-dos) and events (meetings). The first letters of an id say what it points at:
-- 00Q is a lead, 003 a contact (known by the lead that it was), 006 a deal, 001 a company. A task that is not done is none:
-- IsClosed says so, else the statuses that every organisation begins with. One that is counts when it was completed.
with contact_leads as (
  select converted_contact_id, min(id) as lead_id
  from lead
  where converted_contact_id is not null
  group by converted_contact_id
)
select
  t.id                     as activity_id,
  t.owner_id               as user_id,
  case t.task_subtype when 'ListEmail' then 'email' when 'Cadence' then 'task' else t.task_subtype end as kind,
  t.call_type              as direction,
  case when t.who_id like '00Q%'  then t.who_id else c.lead_id end as lead_id,
  case when t.what_id like '006%' then t.what_id end as opportunity_id,
  case when t.what_id like '001%' then t.what_id else t.account_id end as account_id,
  coalesce(t.completed_date_time, t.created_date) as occurred_at,
  as_number(t.call_duration_in_seconds) / 60 as minutes,
  t.is_automated_c         as automated,
  case when lower(t.is_automated_c) = 'true' or t.call_type = 'Internal' then 'false' else 'true' end as customer_facing
from task t
left join contact_leads c on c.converted_contact_id = t.who_id
where coalesce(lower(t.is_closed) in ('true', '1'),
               lower(t.status) not in ('not started', 'in progress', 'waiting on someone else', 'deferred'), true)
union all
select
  e.id,
  e.owner_id,
  'meeting',
  e.direction_c,
  case when e.who_id like '00Q%'  then e.who_id else c.lead_id end,
  case when e.what_id like '006%' then e.what_id end,
  case when e.what_id like '001%' then e.what_id else e.account_id end,
  e.start_date_time,
  as_number(e.duration_in_minutes),
  'false',
  case when e.audience_c = 'Customer' then 'true' else 'false' end
from event e
left join contact_leads c on c.converted_contact_id = e.who_id
