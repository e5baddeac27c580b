-- States of contacts: every change of the lifecycle stage.
select
  coalesce(c.salesforceleadid, h.contact_id) as lead_id,
  h.changed_at                               as changed_at,
  h.value                                    as status
from contact_property_history h
left join contact c on c.id = h.contact_id
left join salesforce.lead s on s.id = c.salesforceleadid
where h.name = 'lifecyclestage' and s.id is null
