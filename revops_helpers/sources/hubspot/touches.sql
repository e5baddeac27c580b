-- Marketing touches: mails opened, forms sent, and tracked events. Contacts and campaigns carry the Salesforce ids that the
-- integration wrote; a contact that never reached Salesforce touches nobody we know, and stays without a lead.
select
  e.id                     as touch_id,
  c.salesforceleadid       as lead_id,
  g.salesforcecampaignid   as campaign_id,
  'email'                  as channel,
  'email_open'             as kind,
  e.created                as occurred_at
from email_events e
left join contacts  c on c.id = e.contact_id
left join campaigns g on g.id = e.campaign_id
union all
select
  f.conversion_id,
  c.salesforceleadid,
  g.salesforcecampaignid,
  'website',
  'form',
  f.submitted_at
from form_submissions f
left join contacts  c on c.id = f.contact_id
left join campaigns g on g.id = f.campaign_id
union all
select
  v.id,
  c.salesforceleadid,
  g.salesforcecampaignid,
  v.hs_analytics_source,
  case v.event_type when 'page_view'        then 'page'
                    when 'webinar_attended' then 'webinar'
                    when 'event_check_in'   then 'event'
                    when 'partner_referral' then 'referral'
                    when 'outbound_call'    then 'call'
                    else v.event_type end,
  v.occurred_at
from events v
left join contacts  c on c.id = v.contact_id
left join campaigns g on g.id = v.campaign_id
