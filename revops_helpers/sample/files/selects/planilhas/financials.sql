-- The monthly accounts.
select
  r.mes                  as month,
  r.receita              as revenue,
  r.lucro_bruto          as gross_profit,
  r.ebitda               as ebitda,
  r.fluxo_de_caixa_livre as free_cash_flow,
  r.queima_liquida       as net_burn,
  r.arr                  as arr
from resultados r
