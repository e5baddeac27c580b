-- Marketing touches: mails opened and clicked, forms sent, and tracked events. Contacts and campaigns carry the Salesforce ids
-- that the integration wrote, else their own. A mail without a contact's id finds it by the recipient's address; opens that
-- HubSpot itself filters (by machines, by colleagues) are none.
with addresses as (
  select lower(x.email) as email, min(x.id) as id, min(x.salesforceleadid) as salesforceleadid
  from contact x
  where x.email is not null
  group by lower(x.email)
)
select
  e.id                     as touch_id,
  coalesce(c.salesforceleadid, e.contact_id, a.salesforceleadid, a.id) as lead_id,
  coalesce(g.salesforcecampaignid, e.campaign_id)                      as campaign_id,
  'email'                  as channel,
  case e.type when 'CLICK' then 'email_click' else 'email_open' end    as kind,
  e.created                as occurred_at
from email_event e
left join contact c on c.id = e.contact_id
left join addresses a on a.email = lower(e.recipient)
left join email_campaign g on g.id = e.campaign_id
where e.type in ('OPEN', 'CLICK') and coalesce(lower(e.filtered_event), 'false') <> 'true'
union all
select
  f.conversion_id,
  coalesce(c.salesforceleadid, f.contact_id),
  coalesce(g.salesforcecampaignid, f.campaign_id),
  'website',
  'form',
  f.submitted_at
from form_submission f
left join contact c on c.id = f.contact_id
left join email_campaign g on g.id = f.campaign_id
union all
select
  v.id,
  coalesce(c.salesforceleadid, v.contact_id),
  coalesce(g.salesforcecampaignid, v.campaign_id),
  v.hs_analytics_source,
  case v.event_type when 'page_view'        then 'page'
                    when 'webinar_attended' then 'webinar'
                    when 'event_check_in'   then 'event'
                    when 'partner_referral' then 'referral'
                    when 'outbound_call'    then 'call'
                    else v.event_type end,
  v.occurred_at
from event v
left join contact c on c.id = v.contact_id
left join email_campaign g on g.id = v.campaign_id
