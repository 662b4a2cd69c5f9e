-- Double entry: the entries of a journal add up to zero.
select tenant_id, ledger_source, journal_id, sum(net_amount) as gap
from {{ ref('general_ledger') }}
group by tenant_id, ledger_source, journal_id
having sum(net_amount) <> 0
