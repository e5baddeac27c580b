-- What marketing, sales and customer success cost. Words that are not listed come through as they are and are asked about.
select
  g.mes     as month,
  case g.area when 'Marketing'           then 'marketing'
              when 'Vendas'              then 'sales'
              when 'Sucesso do Cliente'  then 'customer_success'
              else g.area end as function,
  case g.categoria when 'Pessoas'     then 'people'
                   when 'Programas'   then 'program'
                   when 'Ferramentas' then 'tools'
                   when 'Comissões'   then 'commission'
                   when 'Estrutura'   then 'overhead'
                   else g.categoria end as category,
  g.canal   as channel,
  g.valor_r as amount
from gastos g
