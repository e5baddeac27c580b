-- Every run of an integration job. "sim" and "não" are read as true and false.
select
  e.integracao as integration_id,
  e.inicio     as started_at,
  e.fim        as finished_at,
  e.sucesso    as succeeded,
  e.registros  as records,
  e.erro       as error
from execucoes e
