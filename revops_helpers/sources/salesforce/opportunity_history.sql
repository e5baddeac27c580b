-- States of deals: stage, amount, close date and forecast category. OpportunityHistory does not keep the owner; a landing in
-- history mode does.
select
  h.opportunity_id as opportunity_id,
  h.changed_at     as changed_at,
  h.stage_name     as stage,
  h.amount         as amount,
  h.close_date     as close_date,
  case h.forecast_category when 'Best Case' then 'best' else lower(h.forecast_category) end as forecast_category,
  h.owner_id       as owner_id
from opportunity_history h
