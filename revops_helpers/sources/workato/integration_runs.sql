-- Jobs of recipes. The API nests them under the recipe; a landing has one a row.
select
  'workato-' || j.recipe_id as integration_id,
  j.started_at   as started_at,
  j.completed_at as finished_at,
  case when j.completed_at is not null
       then case when lower(j.is_error) = 'true' or j.error is not null then 'false' else 'true' end end as succeeded,
  j.error        as error
from job j
where j.items is null
union all
select
  'workato-' || coalesce(t.item ->> '$.recipe_id', j.recipe_id),
  t.item ->> '$.started_at',
  t.item ->> '$.completed_at',
  case when t.item ->> '$.completed_at' is not null
       then case when t.item ->> '$.is_error' = 'true' or t.item ->> '$.error' is not null then 'false' else 'true' end end,
  t.item ->> '$.error'
from job j
cross join unnest(json_extract(j.items, '$[*]')) as t(item)
