-- Activities: tasks (calls, mails, to-dos) and events (meetings). The first letters of an id say what it points at:
-- 00Q is a lead, 006 a deal, 001 a company.
select
  t.id                     as activity_id,
  t.owner_id               as user_id,
  t.task_subtype           as kind,
  t.call_type              as direction,
  case when t.who_id like '00Q%'  then t.who_id  end as lead_id,
  case when t.what_id like '006%' then t.what_id end as opportunity_id,
  case when t.what_id like '001%' then t.what_id end as account_id,
  t.created_date           as occurred_at,
  as_number(t.call_duration_in_seconds) / 60 as minutes,
  t.is_automated_c         as automated,
  case when t.is_automated_c = 'true' or t.call_type = 'Internal' then 'false' else 'true' end as customer_facing
from task t
union all
select
  e.id,
  e.owner_id,
  'meeting',
  e.direction_c,
  case when e.who_id like '00Q%'  then e.who_id  end,
  case when e.what_id like '006%' then e.what_id end,
  case when e.what_id like '001%' then e.what_id end,
  e.start_date_time,
  as_number(e.duration_in_minutes),
  'false',
  case when e.audience_c = 'Customer' then 'true' else 'false' end
from event e
