SELECT
    account.account         AS account_id,
    account.account         AS name,
    account.sector          AS industry,
    account.employees,
    account.office_location AS country,
    account.subsidiary_of   AS parent_id
FROM accounts AS account
