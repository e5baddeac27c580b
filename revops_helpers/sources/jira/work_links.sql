-- Links between issues, each once from the item that acts: Jira repeats a link on the issue at its other end, as inward.
with links as (
  select i.key as from_key, l.link ->> '$.outwardIssue.key' as to_key, l.link ->> '$.type.name' as kind, i._file, i._line
  from issue i
  cross join unnest(json_extract(i.issuelinks, '$[*]')) as l(link)
  where l.link ->> '$.outwardIssue.key' is not null
  union all
  select coalesce(a.key, k.issue_id), coalesce(b.key, k.related_issue_id), k.relationship, k._file, k._line
  from issue_link k
  left join issue a on a.id = k.issue_id
  left join issue b on b.id = k.related_issue_id
  where k.relationship not like 'is %'
  union all
  select coalesce(b.key, k.related_issue_id), coalesce(a.key, k.issue_id), 'blocks', k._file, k._line
  from issue_link k
  left join issue a on a.id = k.issue_id
  left join issue b on b.id = k.related_issue_id
  where k.relationship = 'is blocked by'
)
select
  l.from_key as from_item_id,
  l.to_key   as to_item_id,
  case lower(l.kind) when 'blocks' then 'blocks' else 'relates' end as kind,
  any_value(l._file) as _file,
  min(l._line)       as _line
from links l
group by 1, 2, 3
