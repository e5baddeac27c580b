-- People. The model knows by the e-mail that they are the same as in another system.
select
  'salesloft-' || u.id as user_id,
  coalesce(u.name, nullif(trim(concat_ws(' ', u.first_name, u.last_name)), '')) as name,
  u.email    as email,
  u.job_role as role
from user u
