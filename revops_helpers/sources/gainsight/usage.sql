-- Weekly adoption per company.
select
  coalesce(c.sfdc_account_id, w.company_id) as account_id,
  w.week_of         as week,
  w.active_users    as active_users,
  w.licensed_users  as seats,
  w.sessions        as sessions,
  w.key_events      as key_events
from adoption_weekly w
left join company c on c.gsid = w.company_id
