-- Which tool sends what to which.
select
  i.integracao as integration_id,
  i.de         as from_tool,
  i.para       as to_tool,
  case i.metodo when 'nativa' then 'native' else lower(i.metodo) end as method,
  i.objeto     as object,
  i.sentido    as direction
from integracoes i
