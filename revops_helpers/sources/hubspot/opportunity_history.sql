-- States of deals. Property history has one row per changed property; a state holds what each of them was last. Without it, a
-- landing's history of stages tells the stages alone.
with changes as (
  select h.deal_id, h.changed_at,
         max(case when h.name = 'dealstage'                   then h.value end) as stage,
         max(case when h.name = 'amount'                      then h.value end) as amount,
         max(case when h.name = 'closedate'                   then h.value end) as close_date,
         max(case when h.name = 'hs_manual_forecast_category' then h.value end) as forecast_category,
         max(case when h.name = 'hubspot_owner_id'            then h.value end) as owner_id,
         any_value(h._file) as _file, min(h._line) as _line
  from deal_property_history h
  where h.name in ('dealstage', 'amount', 'closedate', 'hs_manual_forecast_category', 'hubspot_owner_id')
  group by h.deal_id, h.changed_at
),
states as (
  select deal_id, changed_at, _file, _line,
         last_value(stage ignore nulls) over w             as stage,
         last_value(amount ignore nulls) over w            as amount,
         last_value(close_date ignore nulls) over w        as close_date,
         last_value(forecast_category ignore nulls) over w as forecast_category,
         last_value(owner_id ignore nulls) over w          as owner_id
  from changes
  window w as (partition by deal_id order by as_moment(changed_at) rows unbounded preceding)
)
select
  coalesce(d.hs_salesforceopportunityid, t.deal_id) as opportunity_id,
  t.changed_at                   as changed_at,
  coalesce(s.label, t.stage)     as stage,
  t.amount                       as amount,
  t.close_date                   as close_date,
  case t.forecast_category when 'BEST_CASE' then 'best' else lower(t.forecast_category) end as forecast_category,
  t.owner_id                     as owner_id,
  t._file                        as _file,
  t._line                        as _line
from states t
left join deal d on d.id = t.deal_id
left join salesforce.opportunity f on f.id = d.hs_salesforceopportunityid
left join deal_pipeline_stage s on s.stage_id = t.stage
where f.id is null
union all
select
  coalesce(d.hs_salesforceopportunityid, g.deal_id),
  g.changed_at,
  coalesce(s.label, g.value),
  null,
  null,
  null,
  null,
  g._file,
  g._line
from deal_stage g
left join deal d on d.id = g.deal_id
left join salesforce.opportunity f on f.id = d.hs_salesforceopportunityid
left join deal_pipeline_stage s on s.stage_id = g.value
where f.id is null and not exists (select 1 from changes)
