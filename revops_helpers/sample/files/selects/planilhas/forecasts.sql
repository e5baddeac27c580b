-- What each seller forecast for the quarter, on the day of sending it.
select
  p.enviada_em as submitted_on,
  p.usuario    as user_id,
  p.trimestre  as period_start,
  case p.categoria when 'compromisso' then 'commit'
                   when 'melhor caso' then 'best'
                   else p.categoria end as category,
  p.valor      as amount
from previsoes p
