-- Entries that cannot be assigned are in the suspense account, with the reason in their description.
{{ config(severity='warn') }}
select tenant_id, date, kind, source_type, source_id, description, net_amount
from {{ ref('general_ledger') }}
where account_id = 'suspense' and ledger_source <> 'report'
