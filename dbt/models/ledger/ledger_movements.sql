-- The movement of each account on each day, without entries taken from reports.
select tenant_id, account_id, date, cast(sum(net_amount) as {{ xero_ledger.column_type('money') }}) as net_amount
from {{ ref('ledger_entries') }}
group by tenant_id, account_id, date
