-- States of leads. Field history has one row per changed field; only changes of the status tell a state. The row that
-- records the creation has no value, so that state is the one before the first change, and unknown where nothing changed.
select
  h.lead_id      as lead_id,
  h.created_date as changed_at,
  case when h.field = 'created'
       then lead(h.old_value) over (partition by h.lead_id order by as_moment(h.created_date))
       else h.new_value end as status
from lead_history h
where h.field in ('created', 'Status')
