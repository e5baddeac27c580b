-- Faturex keeps one row per line and price. The customer's Salesforce id stands on the customer, so the two systems meet there.
select
  a.assinatura  as subscription_id,
  c.codigo_crm  as account_id,
  a.produto     as product,
  a.mensalidade as mrr,
  a.moeda       as currency,
  a.inicio      as starts_on,
  a.fim         as ends_on,
  a.renovacao   as renews_on,
  a.licencas    as seats,
  a.assinado_em as signed_on,
  case a.motivo when 'novo'       then 'new'
                when 'expansão'   then 'expansion'
                when 'redução'    then 'contraction'
                when 'reajuste'   then 'indexation'
                when 'reativação' then 'reactivation'
                else a.motivo end as change_reason
from assinaturas a
left join clientes c on c.codigo = a.cliente
