-- Invoices, one per line and month.
select
  f.nota       as invoice_id,
  c.codigo_crm as account_id,
  f.assinatura as subscription_id,
  f.emissao    as issued_on,
  f.vencimento as due_on,
  f.pagamento  as paid_on,
  f.valor      as amount,
  f.moeda      as currency
from faturas f
left join clientes c on c.codigo = f.cliente
