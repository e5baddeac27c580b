-- Companies that could buy, by segment, region and industry.
select
  m.segmento              as segment,
  m.regiao                as region,
  m.setor                 as industry,
  m.empresas_enderecaveis as addressable_accounts,
  m.arr_enderecavel       as addressable_arr,
  m.crescimento           as growth
from mercados m
