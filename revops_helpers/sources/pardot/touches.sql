-- What prospects did: mails opened and clicked, pages viewed, forms sent, webinars and events. What the system did (sent, bounced,
-- unsubscribed, opportunities) is no touch. Types are the API's numbers: 1 click, 2 view, 4 success, 11 open, 17 and 21 clicks.
select
  'pardot-' || v.id                        as touch_id,
  coalesce(p.crm_lead_fid, 'pardot-' || v.prospect_id) as lead_id,
  coalesce(c.salesforce_id, 'pardot-' || v.campaign_id) as campaign_id,
  case when v.type_name = 'Email' or v.email_id is not null then 'email' else 'website' end as channel,
  case when v.type_name in ('Webinar', 'Event')                  then lower(v.type_name)
       when v.type = '11'                                        then 'email_open'
       when v.type_name = 'Email' or v.email_id is not null      then 'email_click'
       when v.type = '4'                                         then 'form'
       when v.type = '2'                                         then 'page'
       else 'click' end                    as kind,
  v.created_at                             as occurred_at
from visitor_activity v
left join prospect p on p.id = v.prospect_id
left join campaign c on c.id = v.campaign_id
where v.type in ('1', '2', '4', '11', '17', '21') or v.type_name in ('Webinar', 'Event')
