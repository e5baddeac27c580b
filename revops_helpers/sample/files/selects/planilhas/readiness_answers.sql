-- Answers to the operating survey.
select
  d.respondente as respondent_role,
  d.pergunta    as question,
  d.resposta    as answer,
  d.evidencia   as evidence
from diagnostico d
