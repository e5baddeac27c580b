-- Tools that recipes connect, known by the name of their connector.
select
  c.application as tool_id,
  min(c.name)   as name,
  any_value(c._file) as _file,
  min(c._line)  as _line
from connection c
where c.application is not null
group by c.application
