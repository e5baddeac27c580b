-- People. Role (else the place in the role hierarchy) and team stand in Title and Department; the two dates are custom fields,
-- for Salesforce keeps none.
select
  u.id           as user_id,
  u.name         as name,
  u.email        as email,
  coalesce(u.title, r.name) as role,
  u.department   as team,
  u.manager_id   as manager_id,
  u.division     as region,
  u.hire_date_c  as hired_on,
  u.leave_date_c as left_on
from user u
left join user_role r on r.id = u.user_role_id
