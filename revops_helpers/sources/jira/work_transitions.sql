-- Changes of status, from the changelog of each issue. Its creation is no change there, and is added as the first one.
select
  i.key                       as item_id,
  i.fields ->> '$.created'    as changed_at,
  null                        as from_status,
  coalesce(json_extract_string(i.changelog, '$.histories[0].items[0].fromString'), i.fields ->> '$.status.name') as to_status,
  null                        as author_id,
  i._file,
  i._line
from issues i
union all
select
  i.key,
  h.history ->> '$.created',
  h.history ->> '$.items[0].fromString',
  h.history ->> '$.items[0].toString',
  u.id,
  i._file,
  i._line
from issues i
cross join unnest(json_extract(i.changelog, '$.histories[*]')) as h(history)
left join salesforce.user u on lower(u.email) = lower(h.history ->> '$.author.emailAddress')
where h.history ->> '$.items[0].field' = 'status'
