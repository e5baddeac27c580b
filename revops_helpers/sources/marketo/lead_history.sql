-- States of people: every change of the lead status.
select
  coalesce(l.sfdc_lead_id, 'marketo-' || h.lead_id) as lead_id,
  h.activity_date                     as changed_at,
  h.new_value                         as status
from activity_change_data_value h
left join lead l on l.id = h.lead_id
left join salesforce.lead s on s.id = l.sfdc_lead_id
left join hubspot.contact c on coalesce(c.salesforceleadid, c.id) = l.sfdc_lead_id
where h.primary_attribute_value in ('Lead Status', 'leadStatus') and s.id is null and c.id is null
