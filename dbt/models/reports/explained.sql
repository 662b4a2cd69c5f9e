select
    tenant_id,
    organisation_name,
    month,
    account_id,
    account_code,
    account_name,
    account_class,
    kind,
    ledger_source,
    ledger_source = 'report' as only_in_report,
    cast(sum(net_amount) as {{ xero_ledger.column_type('money') }}) as net_amount,
    cast(sum(debit) as {{ xero_ledger.column_type('money') }}) as debit,
    cast(sum(credit) as {{ xero_ledger.column_type('money') }}) as credit,
    cast(count(*) as {{ dbt.type_bigint() }}) as entries
from {{ ref('general_ledger') }}
group by
    tenant_id, organisation_name, month, account_id, account_code, account_name, account_class, kind, ledger_source
