-- States of deals: stage, amount, close date and forecast category. OpportunityHistory does not keep the owner.
select
  h.opportunity_id as opportunity_id,
  h.created_date   as changed_at,
  h.stage_name     as stage,
  h.amount         as amount,
  h.close_date     as close_date,
  case h.forecast_category when 'Best Case' then 'best' else lower(h.forecast_category) end as forecast_category
from opportunity_history h
