-- Changes of how we sell, and who is treated by each: the values of one dimension.
select
  i.codigo          as initiative_id,
  i.iniciativa      as name,
  case i.tipo when 'lançamento'    then 'launch'
              when 'novo segmento' then 'new_segment'
              when 'metodologia'   then 'methodology'
              when 'processo'      then 'process'
              else i.tipo end as kind,
  i.inicio          as starts_on,
  i.dimensao_tratada as treated_dimension,
  i.valor_tratado   as treated_value,
  i.metrica         as metric
from iniciativas i
