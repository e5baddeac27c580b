-- The timeline: what customer success did with a customer. What is no call, mail or meeting is a task.
select
  t.id                                    as activity_id,
  t.author_id                             as user_id,
  case when lower(t.type) in ('call', 'email', 'meeting') then lower(t.type)
       when lower(t.type) like '%meeting%' then 'meeting'
       else 'task' end                    as kind,
  coalesce(c.sfdc_account_id, t.company_id) as account_id,
  t.activity_date                         as occurred_at,
  case when lower(t.type) in ('call', 'email') or lower(t.type) like '%meeting%' then 'true' else 'false' end as customer_facing
from activity_timeline t
left join company c on c.gsid = t.company_id
