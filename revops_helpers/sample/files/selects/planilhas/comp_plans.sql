-- What each role earns on what it sells, from each attainment of the quota on.
select
  c.plano       as plan_id,
  c.funcao      as role,
  c.a_partir_de as from_attainment,
  c.taxa        as rate,
  c.acelerador  as accelerator
from comissoes c
