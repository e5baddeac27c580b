-- Prospect accounts: companies of prospects that no CRM keeps.
select
  a.id         as account_id,
  a.name       as name,
  a.created_at as created_at
from prospect_account a
