-- Handoffs from sales: the onboarding calls to action. The company's Salesforce id is on the company.
select
  a.gsid                    as onboarding_id,
  a.sfdc_opportunity_id_gc  as opportunity_id,
  coalesce(c.sfdc_account_id, a.company_id) as account_id,
  a.owner_sfdc_id_gc        as csm_id,
  a.created_date            as handed_off_at,
  a.accepted_date_gc        as accepted_at,
  a.items_required_gc       as items_required,
  a.items_done_gc           as items_done,
  a.promised_live_date_gc   as promised_live_on,
  a.kickoff_date_gc         as kickoff_at,
  a.go_live_date_gc         as live_at,
  a.first_value_date_gc     as first_value_at
from call_to_action a
left join company c on c.gsid = a.company_id
where a.type = 'Onboarding'
