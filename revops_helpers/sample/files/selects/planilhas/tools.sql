-- The tools that we pay for. Lists inside a cell are separated by ;, as the model wants them.
select
  f.codigo               as tool_id,
  f.ferramenta           as name,
  f.fornecedor           as vendor,
  f.categoria            as category,
  f.responsavel          as owner_id,
  f.custo_anual          as annual_cost,
  f.licencas_pagas       as seats_paid,
  f.licencas_ativas      as seats_active,
  f.renovacao            as renews_on,
  f.aviso_previo_dias    as notice_days,
  f.capacidades          as capabilities,
  f.requisitos_atendidos as requirements_met
from ferramentas f
