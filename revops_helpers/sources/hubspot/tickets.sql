-- Support tickets, with the first company that each is about.
with companies as (
  select x.ticket_id, min(x.company_id) as company_id from ticket_company x group by x.ticket_id
)
select
  t.id                 as ticket_id,
  coalesce(a.salesforceaccountid, c.company_id, split_part(t.company_id, ';', 1)) as account_id,
  t.createdate         as opened_at,
  t.closed_date        as closed_at,
  t.hs_ticket_priority as priority
from ticket t
left join companies c on c.ticket_id = t.id
left join company a on a.id = coalesce(c.company_id, split_part(t.company_id, ';', 1))
