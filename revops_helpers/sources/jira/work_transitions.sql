-- Changes of status, from the changelog of each issue or its field history. Its creation is no change in a changelog, and is
-- added as the first one; in a field history it is the first row.
with people as (
  select lower(x.email) as email, min(x.id) as id
  from (select email, id from salesforce.user union all select email, id from hubspot.owner) x
  group by lower(x.email)
),
statuses as (
  select h.issue_id, h.time, h.author_id, coalesce(s.name, h.value) as status, h._file, h._line
  from issue_field_history h
  left join status s on s.id = h.value
  where h.field_id = 'status'
),
steps as (
  select issue_id, time, author_id, status, _file, _line,
         lag(status) over (partition by issue_id order by as_moment(time)) as from_status
  from statuses
),
moves as (
  select i.key, h.history ->> '$.created' as changed_at, t.item ->> '$.fromString' as from_status,
         t.item ->> '$.toString' as to_status, coalesce(u.id, h.history ->> '$.author.accountId') as author_id, i._file, i._line
  from issue i
  cross join unnest(json_extract(i.changelog, '$.histories[*]')) as h(history)
  cross join unnest(json_extract(h.history, '$.items[*]')) as t(item)
  left join people u on u.email = lower(h.history ->> '$.author.emailAddress')
  where t.item ->> '$.field' = 'status'
  union all
  select coalesce(i.key, h.issue_id), h.time, h.from_status, h.status, h.author_id, h._file, h._line
  from steps h
  left join issue i on i.id = h.issue_id
  where h.from_status is not null or i.key is null
),
firsts as (
  select key, arg_min(from_status, as_moment(changed_at)) as status
  from moves
  group by key
)
select
  i.key                                    as item_id,
  i.created                                as changed_at,
  null                                     as from_status,
  coalesce(f.status, s.name, i.status)     as to_status,
  null                                     as author_id,
  i._file,
  i._line
from issue i
left join firsts f on f.key = i.key
left join status s on s.id = i.status
union all
select key, changed_at, from_status, to_status, author_id, _file, _line
from moves
