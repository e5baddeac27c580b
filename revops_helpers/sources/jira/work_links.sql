-- Links between issues. Only the outward side is taken: Jira repeats each link on the issue at its other end.
select
  i.key                              as from_item_id,
  l.link ->> '$.outwardIssue.key'    as to_item_id,
  case l.link ->> '$.type.name' when 'Blocks' then 'blocks' else 'relates' end as kind,
  i._file,
  i._line
from issues i
cross join unnest(json_extract(i.fields, '$.issuelinks[*]')) as l(link)
where l.link ->> '$.outwardIssue.key' is not null
