-- Health scores as they were on each day of scoring.
select
  c.sfdc_account_id   as account_id,
  s.score_date        as scored_on,
  s.overall_score     as score,
  lower(s.score_label) as band,
  s.nps               as nps,
  s.csm_sentiment_gc  as csm_sentiment
from scorecard_history s
left join company c on c.gsid = s.company_id
