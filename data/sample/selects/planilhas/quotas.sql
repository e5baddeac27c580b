-- One quota per seller and quarter.
select
  c.usuario as user_id,
  c.inicio  as period_start,
  c.fim     as period_end,
  c.cota    as amount,
  c.tipo    as kind
from cotas c
