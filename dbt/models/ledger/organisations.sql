{{ xero_ledger.check_fivetran() }}
-- One row per organisation: its currency, financial year and system accounts, and the source of its ledger.
with system_accounts as (

    select
        tenant_id,
        {%- for name, system in {
            'receivable': 'DEBTORS', 'payable': 'CREDITORS', 'tax': 'GST', 'rounding': 'ROUNDING',
            'currency_gain': 'REALISEDCURRENCYGAIN', 'unpaid_claims': 'UNPAIDEXPCLM',
            'retained_earnings': 'RETAINEDEARNINGS',
        }.items() %}
        max(case when system_account = '{{ system }}' then account_id end) as {{ name }}_account_id{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('stg_tap_xero__accounts') }}
    group by tenant_id

),

journals as (

    select tenant_id, max(created_date_utc) as journals_through
    from {{ ref('stg_tap_xero__journals') }}
    group by tenant_id

),

-- Records that always create a journal, and rarely change afterwards.
money as (

    select tenant_id, payment_id as source_id, updated_date_utc as changed_at
    from {{ ref('stg_tap_xero__payments') }}
    where status = 'AUTHORISED'
    union all
    select tenant_id, bank_transfer_id, created_date_utc
    from {{ ref('stg_tap_xero__bank_transfers') }}
    where coalesce(status, 'AUTHORISED') <> 'DELETED'
    union all
    select tenant_id, bank_transaction_id, updated_date_utc
    from {{ ref('stg_tap_xero__bank_transactions') }}
    where status = 'AUTHORISED' and type in ('RECEIVE', 'SPEND')

),

without_journal as (

    select money.tenant_id, count(*) as newer_than_journals
    from money
    inner join journals on journals.tenant_id = money.tenant_id
    left join {{ ref('stg_tap_xero__journals') }} as own
        on own.tenant_id = money.tenant_id and own.source_id = money.source_id
    where own.source_id is null
        and money.changed_at > {{ dbt.dateadd('day', var('xero_journals_may_lag_days'), 'journals.journals_through') }}
    group by money.tenant_id

)

select
    o.tenant_id,
    o.name as organisation_name,
    o.base_currency,
    o.country_code,
    cast(coalesce(o.financial_year_end_month, 12) as {{ dbt.type_int() }}) as financial_year_end_month,
    cast(coalesce(o.financial_year_end_day, 31) as {{ dbt.type_int() }}) as financial_year_end_day,
    {%- if var('xero_ledger_from') in ['journals', 'documents'] %}
    cast('{{ var('xero_ledger_from') }}' as {{ dbt.type_string() }}) as ledger_from,
    {%- elif var('xero_ledger_from') == 'auto' %}
    cast(case
        when j.journals_through is not null and coalesce(w.newer_than_journals, 0) = 0 then 'journals'
        else 'documents'
    end as {{ dbt.type_string() }}) as ledger_from,
    {%- else %}
    {%- do exceptions.raise_compiler_error("xero_ledger_from is 'auto', 'journals' or 'documents', not '" ~ var('xero_ledger_from') ~ "'") %}
    {%- endif %}
    j.journals_through,
    cast(coalesce(w.newer_than_journals, 0) as {{ dbt.type_bigint() }}) as newer_than_journals,
    coalesce(s.receivable_account_id, 'suspense') as receivable_account_id,
    coalesce(s.payable_account_id, 'suspense') as payable_account_id,
    coalesce(s.tax_account_id, 'suspense') as tax_account_id,
    coalesce(s.rounding_account_id, 'suspense') as rounding_account_id,
    coalesce(s.currency_gain_account_id, 'suspense') as currency_gain_account_id,
    coalesce(s.unpaid_claims_account_id, 'suspense') as unpaid_claims_account_id,
    coalesce(s.retained_earnings_account_id, 'suspense') as retained_earnings_account_id
from {{ ref('stg_tap_xero__organisation') }} as o
left join system_accounts as s on s.tenant_id = o.tenant_id
left join journals as j on j.tenant_id = o.tenant_id
left join without_journal as w on w.tenant_id = o.tenant_id
