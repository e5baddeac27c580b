-- Leads. The dates of the journey are custom fields that flows fill; name yours under `fields` in company.yml. Contacts that
-- were never leads are none: sales made them, and marketing's rates do not count them.
select
  l.id                       as lead_id,
  l.name                     as name,
  l.email                    as email,
  l.phone                    as phone,
  l.master_record_id         as same_as,
  l.company                  as company,
  l.title                    as title,
  l.country                  as country,
  l.lead_source              as source,
  l.first_campaign_c         as campaign_id,
  l.owner_id                 as owner_id,
  l.score_c                  as score,
  l.created_date             as created_at,
  l.assigned_date_c          as assigned_at,
  l.mql_date_c               as mql_at,
  l.sal_date_c               as sal_at,
  l.sql_date_c               as sql_at,
  l.rejected_date_c          as rejected_at,
  l.rejected_reason_c        as rejected_reason,
  l.first_contact_date_c     as first_contact_at,
  l.converted_account_id     as account_id,
  l.converted_opportunity_id as opportunity_id
from lead l
