-- Weekly use per customer, summed from events: people seen, logins, and everything else that was tracked.
select
  coalesce(e.account_external_id, a.external_id, 'churnzero-' || e.account_id) as account_id,
  strftime(date_trunc('week', as_moment(e.event_date)), '%Y-%m-%d')         as week,
  count(distinct e.contact)                                                 as active_users,
  sum(case when lower(coalesce(t.name, e.event_name)) like '%login%'
           then coalesce(as_number(e.quantity), 1) else 0 end)              as sessions,
  sum(case when lower(coalesce(t.name, e.event_name)) like '%login%'
           then 0 else coalesce(as_number(e.quantity), 1) end)              as key_events,
  any_value(e._file)                                                        as _file,
  min(e._line)                                                              as _line
from event e
left join account a on a.id = e.account_id
left join event_type t on t.id = e.event_type_id
group by 1, 2
