-- Answers to campaigns: members that responded. A contact is known by the lead that it was.
with contact_leads as (
  select converted_contact_id, min(id) as lead_id
  from lead
  where converted_contact_id is not null
  group by converted_contact_id
)
select
  m.id                                    as touch_id,
  coalesce(m.lead_id, c.lead_id)          as lead_id,
  m.campaign_id                           as campaign_id,
  g.type                                  as channel,
  'campaign'                              as kind,
  coalesce(m.first_responded_date, m.created_date) as occurred_at
from campaign_member m
left join campaign g on g.id = m.campaign_id
left join contact_leads c on c.converted_contact_id = m.contact_id
where lower(m.has_responded) = 'true' or m.first_responded_date is not null
