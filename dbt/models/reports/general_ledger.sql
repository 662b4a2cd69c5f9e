{%- set text = dbt.type_string() %}
with entries as (

    select * from {{ ref('ledger_entries') }}
    union all
    select * from {{ ref('ledger_report_entries') }}

),

numbered as (

    select
        e.*,
        row_number() over (
            partition by tenant_id, ledger_source, journal_key
            order by kind, account_id, line_id, net_amount, tax_type, tracking_option_1, tracking_option_2, record_id, description
        ) as entry_number
    from entries as e

)

select
    {{ xero_ledger.key_of(['e.tenant_id', 'e.ledger_source', 'e.journal_key', 'e.entry_number']) }} as entry_id,
    e.tenant_id,
    o.organisation_name,
    cast(e.ledger_source as {{ text }}) as ledger_source,
    e.journal_key as journal_id,
    e.journal_number,
    e.date,
    {{ xero_ledger.month_of('e.date') }} as month,
    e.account_id,
    a.account_code,
    a.account_name,
    a.account_type,
    a.account_class,
    a.section,
    cast(a.section_number as {{ dbt.type_int() }}) as section_number,
    a.is_profit_and_loss,
    cast(e.kind as {{ text }}) as kind,
    e.source_type,
    e.source_id,
    e.number as document_number,
    e.reference,
    e.description,
    e.contact_id,
    c.name as contact_name,
    cast(e.net_amount as {{ xero_ledger.column_type('money') }}) as net_amount,
    cast(case when e.net_amount > 0 then e.net_amount else 0 end as {{ xero_ledger.column_type('money') }}) as debit,
    cast(case when e.net_amount < 0 then -e.net_amount else 0 end as {{ xero_ledger.column_type('money') }}) as credit,
    cast(e.tax_amount as {{ xero_ledger.column_type('money') }}) as tax_amount,
    e.tax_type,
    o.base_currency,
    coalesce(e.currency_code, o.base_currency) as currency_code,
    e.currency_rate,
    e.net_amount_in_currency,
    {{ xero_ledger.tags('e') }},
    e.line_id,
    e.updated_date_utc
from numbered as e
inner join {{ ref('organisations') }} as o on o.tenant_id = e.tenant_id
inner join {{ ref('chart_of_accounts') }} as a on a.tenant_id = e.tenant_id and a.account_id = e.account_id
left join {{ ref('stg_tap_xero__contacts') }} as c on c.tenant_id = e.tenant_id and c.contact_id = e.contact_id
