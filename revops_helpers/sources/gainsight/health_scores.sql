-- Health scores as they were on each day of scoring; where no history is exported, the present ones.
select
  coalesce(c.sfdc_account_id, s.company_id) as account_id,
  s.score_date        as scored_on,
  s.overall_score     as score,
  lower(s.score_label) as band,
  s.nps               as nps,
  s.csm_sentiment_gc  as csm_sentiment
from scorecard_history s
left join company c on c.gsid = s.company_id
union all
select
  coalesce(c.sfdc_account_id, c.gsid),
  c.modified_date,
  c.current_score,
  null,
  c.nps,
  null
from company c
where c.current_score is not null and not exists (select 1 from scorecard_history)
