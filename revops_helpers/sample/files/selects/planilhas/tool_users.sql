-- Who has a seat in which tool, and when it was last used.
select
  l.codigo     as tool_id,
  l.usuario    as user_id,
  l.ultimo_uso as last_active_on
from licencas l
