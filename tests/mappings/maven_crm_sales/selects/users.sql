SELECT
    agent.sales_agent     AS user_id,
    'seller'              AS role,
    agent.manager         AS team,
    agent.regional_office AS region
FROM sales_teams AS agent
