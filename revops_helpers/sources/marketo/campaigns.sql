-- Programs. Those that the Salesforce export holds as campaigns come from there.
select
  coalesce(p.sfdc_id, 'marketo-' || p.id) as campaign_id,
  p.name                    as name,
  p.channel                 as channel,
  lower(p.type)             as kind,
  p.start_date              as starts_on,
  p.end_date                as ends_on,
  p.status                  as status
from program p
left join salesforce.campaign s on s.id = p.sfdc_id
where s.id is null
