-- People who work on issues. The model knows by the e-mail that they are the same as in another system.
select
  u.id    as user_id,
  coalesce(u.display_name, u.name) as name,
  u.email as email
from user u
