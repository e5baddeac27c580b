-- People of the marketing team. The model knows by the e-mail that they are the same as in another system.
select
  'pardot-' || u.id as user_id,
  nullif(trim(concat_ws(' ', u.first_name, u.last_name)), '') as name,
  u.email     as email,
  coalesce(u.job_title, u.role) as role
from user u
