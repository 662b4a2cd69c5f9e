-- Each figure of Xero's reports equals the ledger's to the cent, or differs for a reason that only Xero can know.
select organisation_name, check_name, period, subject, warehouse_amount, xero_amount, difference
from {{ ref('reconciliation') }}
where not agrees and reason is null
