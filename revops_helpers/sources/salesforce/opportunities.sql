-- Deals. The lead that a deal came from is known by the lead, which names what it was converted to. A closed deal closed on
-- its CloseDate; kinds other than those below come through as they are, and the contract asks about them. Whether a deal is won
-- or lost is said by its flags (a report writes them 1 and 0), else by the stages that every organisation begins with; where
-- nothing says so, the status stays unknown.
with converted as (
  select converted_opportunity_id, min(id) as lead_id
  from lead
  where converted_opportunity_id is not null
  group by converted_opportunity_id
)
select
  o.id                as opportunity_id,
  o.account_id        as account_id,
  o.owner_id          as owner_id,
  c.lead_id           as lead_id,
  o.product_c         as product,
  o.motion_c          as motion,
  case o.type when 'New Business'                then 'new'
              when 'New Customer'                then 'new'
              when 'Existing Business'           then 'expansion'
              when 'Existing Customer - Upgrade' then 'expansion'
              when 'Renewal'                     then 'renewal'
              else o.type end as kind,
  o.next_step         as next_step,
  o.amount            as amount,
  o.currency_iso_code as currency,
  o.created_date      as created_at,
  o.close_date        as close_date,
  o.stage_name        as stage,
  case when lower(o.is_won) in ('true', '1')     then 'won'
       when lower(o.is_closed) in ('false', '0') then 'open'
       when o.is_closed is not null and o.is_won is not null then 'lost'
       when lower(o.stage_name) = 'closed won'   then 'won'
       when lower(o.stage_name) = 'closed lost'  then 'lost'
       when o.is_closed is null and lower(o.stage_name) in ('prospecting', 'qualification', 'needs analysis', 'value proposition',
            'id. decision makers', 'perception analysis', 'proposal/price quote', 'negotiation/review') then 'open' end as status,
  case o.forecast_category_name when 'Best Case' then 'best' else lower(o.forecast_category_name) end as forecast_category,
  o.loss_reason_c     as lost_reason,
  o.competitor_c      as competitor,
  o._file,
  o._line
from opportunity o
left join converted c on c.converted_opportunity_id = o.id
