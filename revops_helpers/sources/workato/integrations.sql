-- Recipes: from the application that triggers one to the first that it acts on.
select
  'workato-' || r.id    as integration_id,
  r.trigger_application as from_tool,
  r.first_action        as to_tool,
  'ipaas'               as method,
  r.name                as object
from recipe r
