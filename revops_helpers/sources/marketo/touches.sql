-- Marketing touches: mails opened and clicked, forms filled out, pages visited. A smart campaign belongs to a program, which is
-- the campaign. Activities come in one stream, told by the type's number, or in one table per kind.
select
  'marketo-' || a.id as touch_id,
  coalesce(l.sfdc_lead_id, 'marketo-' || a.lead_id) as lead_id,
  coalesce(p.sfdc_id, 'marketo-' || c.program_id) as campaign_id,
  'email' as channel,
  'email_open' as kind,
  a.activity_date as occurred_at
from activity_open_email a
left join lead l on l.id = a.lead_id
left join campaign c on c.id = a.campaign_id
left join program p on p.id = c.program_id
union all
select
  'marketo-' || a.id,
  coalesce(l.sfdc_lead_id, 'marketo-' || a.lead_id),
  coalesce(p.sfdc_id, 'marketo-' || c.program_id),
  'email',
  'email_click',
  a.activity_date
from activity_click_email a
left join lead l on l.id = a.lead_id
left join campaign c on c.id = a.campaign_id
left join program p on p.id = c.program_id
union all
select
  'marketo-' || a.id,
  coalesce(l.sfdc_lead_id, 'marketo-' || a.lead_id),
  coalesce(p.sfdc_id, 'marketo-' || c.program_id),
  'website',
  'form',
  a.activity_date
from activity_fill_out_form a
left join lead l on l.id = a.lead_id
left join campaign c on c.id = a.campaign_id
left join program p on p.id = c.program_id
union all
select
  'marketo-' || a.id,
  coalesce(l.sfdc_lead_id, 'marketo-' || a.lead_id),
  coalesce(p.sfdc_id, 'marketo-' || c.program_id),
  'website',
  'page',
  a.activity_date
from activity_visit_webpage a
left join lead l on l.id = a.lead_id
left join campaign c on c.id = a.campaign_id
left join program p on p.id = c.program_id
union all
select
  'marketo-' || a.id,
  coalesce(l.sfdc_lead_id, 'marketo-' || a.lead_id),
  coalesce(p.sfdc_id, 'marketo-' || c.program_id),
  case when a.activity_type_id in ('10', '11') then 'email' else 'website' end,
  case a.activity_type_id when '10' then 'email_open' when '11' then 'email_click' when '2' then 'form' else 'page' end,
  a.activity_date
from activity a
left join lead l on l.id = a.lead_id
left join campaign c on c.id = a.campaign_id
left join program p on p.id = c.program_id
where a.activity_type_id in ('1', '2', '10', '11')
