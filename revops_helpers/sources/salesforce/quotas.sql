-- Quotas of collaborative forecasts, over the forecast period that each is set for.
select
  q.quota_owner_id                      as user_id,
  coalesce(p.start_date, q.start_date)  as period_start,
  p.end_date                            as period_end,
  q.quota_amount                        as amount,
  'revenue'                             as kind
from forecasting_quota q
left join period p on p.id = q.period_id
where coalesce(lower(q.is_quantity), 'false') <> 'true'
