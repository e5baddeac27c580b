-- The plan names its metrics in Portuguese; the sheet dicionario says which metric of the workbook each one is.
select
  m.inicio                       as period_start,
  m.fim                          as period_end,
  coalesce(d.metrica, m.metrica) as metric,
  m.valor                        as value
from metas m
left join dicionario d on d.nome = m.metrica
