-- The CAC that each team reports, in its own words.
select
  c.time               as team,
  c.metrica            as metric,
  c.trimestre          as period_start,
  c.valor              as value,
  c.como_foi_calculado as definition
from cac_declarado c
