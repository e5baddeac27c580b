-- Period costs of programs, summed by month. They come in the currency that Marketo is set to.
select
  strftime(date_trunc('month', as_day(t.cost ->> '$.startDate')), '%Y-%m-%d') as month,
  'marketing'                           as function,
  'program'                             as category,
  any_value(p.channel)                  as channel,
  coalesce(p.sfdc_id, 'marketo-' || p.id) as campaign_id,
  sum(as_number(t.cost ->> '$.cost'))   as amount,
  any_value(p._file)                    as _file,
  min(p._line)                          as _line
from program p
cross join unnest(json_extract(p.costs, '$[*]')) as t(cost)
group by 1, coalesce(p.sfdc_id, 'marketo-' || p.id)
