-- Onboarding journeys: begun at the handoff, live when the journey was completed.
select
  'churnzero-' || p.id                              as onboarding_id,
  coalesce(a.external_id, 'churnzero-' || p.account_id) as account_id,
  p.begin_date                                      as handed_off_at,
  case when lower(p.is_completed) = 'true' then p.end_date end as live_at
from journey_progress p
join journey j on j.id = p.journey_id
left join account a on a.id = p.account_id
where lower(j.name) like '%onboarding%'
