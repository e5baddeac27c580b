-- Support cases. CSAT is a custom field.
select
  c.id           as ticket_id,
  c.account_id   as account_id,
  c.created_date as opened_at,
  c.closed_date  as closed_at,
  c.priority     as priority,
  c.csat_c       as csat
from "case" c
