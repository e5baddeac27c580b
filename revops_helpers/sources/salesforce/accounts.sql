-- Companies. CNPJ, region and segment are custom fields. A merged company names the one that it was merged into.
select
  a.id                  as account_id,
  a.name                as name,
  a.website             as domain,
  a.cnpj_c              as tax_id,
  a.master_record_id    as same_as,
  a.parent_id           as parent_id,
  a.industry            as industry,
  a.number_of_employees as employees,
  a.billing_country     as country,
  a.region_c            as region,
  a.segment_c           as segment,
  a.owner_id            as owner_id,
  a.created_date        as created_at,
  a.currency_iso_code   as currency
from account a
