-- Issues. Work began with the first change of status; the assignee is known by the work e-mail, else by the account.
with people as (
  select lower(x.email) as email, min(x.id) as id
  from (select email, id from salesforce.user union all select email, id from hubspot.owner) x
  group by lower(x.email)
),
changes as (
  select i.key, as_moment(h.history ->> '$.created') as changed_at
  from issue i
  cross join unnest(json_extract(i.changelog, '$.histories[*]')) as h(history)
  cross join unnest(json_extract(h.history, '$.items[*]')) as t(item)
  where t.item ->> '$.field' = 'status'
  union all
  select i.key, as_moment(h.time)
  from issue_field_history h
  join issue i on i.id = h.issue_id
  where h.field_id = 'status'
  qualify row_number() over (partition by h.issue_id order by as_moment(h.time)) > 1
),
begun as (
  select key, min(changed_at) as started_at
  from changes
  group by key
)
select
  i.key                                           as item_id,
  coalesce(i.parent, p.key, i.parent_id)          as parent_id,
  lower(coalesce(t.name, i.issue_type))           as kind,
  i.campaign_c                                    as campaign_id,
  coalesce(j.key, i.project)                      as project,
  i.summary                                       as title,
  coalesce(u.id, i.assignee)                      as assignee_id,
  i.created                                       as created_at,
  i.due_date                                      as due_on,
  coalesce(i.original_due_date_c, i.due_date)     as original_due_on,
  b.started_at                                    as started_at,
  i.resolved                                      as done_at,
  coalesce(s.name, i.status)                      as status,
  i.approved_c                                    as approved_at,
  i._file,
  i._line
from issue i
left join issue p on p.id = i.parent_id
left join issue_type t on t.id = i.issue_type
left join project j on j.id = i.project
left join status s on s.id = i.status
left join begun b on b.key = i.key
left join people u on u.email = lower(i.assignee_email)
