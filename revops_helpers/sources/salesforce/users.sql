-- People. Role and team stand in Title and Department; the two dates are custom fields, for Salesforce keeps none.
select
  u.id           as user_id,
  u.name         as name,
  u.email        as email,
  u.title        as role,
  u.department   as team,
  u.manager_id   as manager_id,
  u.division     as region,
  u.hire_date_c  as hired_on,
  u.leave_date_c as left_on
from user u
