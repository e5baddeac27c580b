-- People: the owners of records, whose ids deals, contacts and activities carry.
with teams as (
  select ot.owner_id, min(t.name) as team
  from owner_team ot
  join team t on t.id = ot.team_id
  group by ot.owner_id
)
select
  o.id                                              as user_id,
  nullif(trim(concat_ws(' ', o.first_name, o.last_name)), '') as name,
  o.email                                           as email,
  coalesce(o.team_name, t.team)                     as team
from owner o
left join teams t on t.owner_id = o.id
