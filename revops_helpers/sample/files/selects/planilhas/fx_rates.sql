select
  c.moeda as currency,
  c.mes   as month,
  c.taxa  as rate_to_reporting
from cambio c
