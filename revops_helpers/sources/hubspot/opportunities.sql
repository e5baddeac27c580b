-- Deals. Whether one is won or lost is said by HubSpot itself, else by its stage in the pipeline, else by the stages that every
-- account begins with; where nothing says so, the status stays unknown. Deals that the Salesforce export holds too come
-- from there.
with stages as (
  select x.stage_id, x.label, x.closed_won, x.is_closed
  from deal_pipeline_stage x
  union all
  select s.stage ->> '$.stageId', s.stage ->> '$.label',
         case when s.stage ->> '$.metadata.probability' in ('1', '1.0') then 'true' else 'false' end,
         s.stage ->> '$.metadata.isClosed'
  from deal_pipeline p
  cross join unnest(json_extract(p.stages, '$[*]')) as s(stage)
),
companies as (
  select x.deal_id, arg_min(x.company_id, (case when x.type_id = '5' then '0' else '1' end) || x.company_id) as company_id
  from deal_company x
  group by x.deal_id
),
contacts as (
  select x.deal_id, min(x.contact_id) as contact_id
  from deal_contact x
  group by x.deal_id
)
select
  coalesce(d.hs_salesforceopportunityid, d.id) as opportunity_id,
  coalesce(a.salesforceaccountid, dc.company_id, split_part(d.company_id, ';', 1)) as account_id,
  d.hubspot_owner_id            as owner_id,
  coalesce(c.salesforceleadid, k.contact_id, split_part(d.contact_id, ';', 1))     as lead_id,
  case lower(d.dealtype) when 'newbusiness'       then 'new'
                         when 'new business'      then 'new'
                         when 'existingbusiness'  then 'expansion'
                         when 'existing business' then 'expansion'
                         else d.dealtype end as kind,
  d.hs_next_step                as next_step,
  d.amount                      as amount,
  d.deal_currency_code          as currency,
  d.createdate                  as created_at,
  d.closedate                   as close_date,
  coalesce(s.label, d.dealstage) as stage,
  case when lower(coalesce(d.hs_is_closed_won, s.closed_won)) = 'true' then 'won'
       when lower(coalesce(d.hs_is_closed, s.is_closed)) = 'true'      then 'lost'
       when coalesce(d.hs_is_closed, s.is_closed) is not null          then 'open'
       when replace(lower(d.dealstage), ' ', '') = 'closedwon'         then 'won'
       when replace(lower(d.dealstage), ' ', '') = 'closedlost'        then 'lost'
       when replace(lower(d.dealstage), ' ', '') in ('appointmentscheduled', 'qualifiedtobuy', 'presentationscheduled',
                                                     'decisionmakerboughtin', 'contractsent') then 'open' end as status,
  case d.hs_manual_forecast_category when 'BEST_CASE' then 'best' else lower(d.hs_manual_forecast_category) end as forecast_category,
  d.closed_lost_reason          as lost_reason,
  d._file,
  d._line
from deal d
left join companies dc on dc.deal_id = d.id
left join contacts k on k.deal_id = d.id
left join company a on a.id = coalesce(dc.company_id, split_part(d.company_id, ';', 1))
left join contact c on c.id = coalesce(k.contact_id, split_part(d.contact_id, ';', 1))
left join stages s on s.stage_id = d.dealstage
left join salesforce.opportunity f on f.id = d.hs_salesforceopportunityid
where f.id is null
