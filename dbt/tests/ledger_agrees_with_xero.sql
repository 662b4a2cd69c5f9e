-- Every figure of Xero's own reports is that of the ledger to the cent, or differs for a reason that only Xero knows.
select organisation_name, check_name, period, subject, warehouse_amount, xero_amount, difference
from {{ ref('reconciliation') }}
where not agrees and reason is null
