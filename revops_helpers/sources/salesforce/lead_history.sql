-- States of leads. Field history has one row per changed field; only changes of the status tell a state. The row that
-- records the creation has no value, so that state is the one before the first change, and unknown where nothing changed.
-- A landing in history mode has the whole lead in one row per version.
select
  h.lead_id    as lead_id,
  h.changed_at as changed_at,
  case when h.fivetran_start is not null then h.status
       when h.field = 'created' then lead(h.old_value) over (partition by h.lead_id order by as_moment(h.changed_at))
       else h.new_value end as status,
  h.owner_id   as owner_id
from lead_history h
where h.field in ('created', 'Status') or h.fivetran_start is not null
