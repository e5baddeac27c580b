-- Issues. Work began with the first change of status; the assignee is known by the work e-mail. The three custom fields are
-- the site's own: first due date, campaign, moment of approval.
with begun as (
  select i.key, min(as_moment(h.history ->> '$.created')) as started_at
  from issues i
  cross join unnest(json_extract(i.changelog, '$.histories[*]')) as h(history)
  where h.history ->> '$.items[0].field' = 'status'
  group by i.key
)
select
  i.key                                    as item_id,
  i.fields ->> '$.parent.key'              as parent_id,
  lower(i.fields ->> '$.issuetype.name')   as kind,
  i.fields ->> '$.customfield_10102'       as campaign_id,
  i.fields ->> '$.project.key'             as project,
  i.fields ->> '$.summary'                 as title,
  u.id                                     as assignee_id,
  i.fields ->> '$.created'                 as created_at,
  i.fields ->> '$.duedate'                 as due_on,
  coalesce(i.fields ->> '$.customfield_10101', i.fields ->> '$.duedate') as original_due_on,
  b.started_at                             as started_at,
  i.fields ->> '$.resolutiondate'          as done_at,
  i.fields ->> '$.status.name'             as status,
  i.fields ->> '$.customfield_10103'       as approved_at,
  i._file,
  i._line
from issues i
left join begun b on b.key = i.key
left join salesforce.user u on lower(u.email) = lower(i.fields ->> '$.assignee.emailAddress')
