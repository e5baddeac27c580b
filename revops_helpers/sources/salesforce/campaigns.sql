-- Campaigns. Type holds the channel.
select
  c.id            as campaign_id,
  c.name          as name,
  c.type          as channel,
  c.kind_c        as kind,
  c.segment_c     as segment,
  c.owner_id      as owner_id,
  c.start_date    as starts_on,
  c.end_date      as ends_on,
  c.budgeted_cost as budget,
  c.status        as status
from campaign c
