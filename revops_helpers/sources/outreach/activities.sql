-- Activities: calls that were made, mails that went out, tasks that were done. Mails of a sequence are sent by a machine.
with crm as (
  select id as crm_id, id as lead_id
  from salesforce.lead
  union all
  select converted_contact_id, min(id)
  from salesforce.lead
  where converted_contact_id is not null
  group by converted_contact_id
  union all
  select id, coalesce(salesforceleadid, id)
  from hubspot.contact
)
select
  'outreach-call-' || c.id                        as activity_id,
  'outreach-' || c.user_id               as user_id,
  'call'                                 as kind,
  lower(c.direction)                     as direction,
  coalesce(k.lead_id, 'outreach-' || c.prospect_id) as lead_id,
  coalesce(a.external_id, 'outreach-' || p.account_id) as account_id,
  coalesce(c.dialed_at, c.answered_at, c.created_at) as occurred_at,
  date_diff('second', as_moment(c.answered_at), as_moment(c.completed_at)) / 60.0 as minutes,
  'false'                                as automated,
  'true'                                 as customer_facing
from call c
left join prospect p on p.id = c.prospect_id
left join account a on a.id = p.account_id
left join crm k on k.crm_id = p.external_id
union all
select
  'outreach-mailing-' || m.id,
  'outreach-' || p.owner_id,
  'email',
  'outbound',
  coalesce(k.lead_id, 'outreach-' || m.prospect_id),
  coalesce(a.external_id, 'outreach-' || p.account_id),
  coalesce(m.delivered_at, m.state_changed_at),
  null,
  case when m.sequence_id is not null then 'true' else 'false' end,
  case when m.sequence_id is not null then 'false' else 'true' end
from mailing m
left join prospect p on p.id = m.prospect_id
left join account a on a.id = p.account_id
left join crm k on k.crm_id = p.external_id
where m.delivered_at is not null or m.state in ('delivered', 'opened', 'clicked', 'replied')
union all
select
  'outreach-task-' || t.id,
  'outreach-' || coalesce(t.completer_id, t.owner_id),
  'task',
  'internal',
  coalesce(k.lead_id, 'outreach-' || t.prospect_id),
  coalesce(a.external_id, 'outreach-' || coalesce(p.account_id, t.account_id)),
  t.completed_at,
  null,
  'false',
  'false'
from task t
left join prospect p on p.id = t.prospect_id
left join account a on a.id = coalesce(p.account_id, t.account_id)
left join crm k on k.crm_id = p.external_id
where t.completed_at is not null and t.call_id is null and t.mailing_id is null
