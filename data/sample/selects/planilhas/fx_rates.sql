-- Reais for one unit of a foreign currency, month by month. The plan's own rate stands in company.yml.
select
  c.moeda as currency,
  c.mes   as month,
  c.taxa  as rate_to_reporting
from cambio c
