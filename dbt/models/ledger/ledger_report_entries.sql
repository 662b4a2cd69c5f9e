-- Amounts that only Xero's reports contain, as entries of the ledger: opening balances, unrealised currency gains,
-- payroll, and any other difference.
{%- set text = dbt.type_string() %}
{%- set money = xero_ledger.column_type('money') %}
select
    b.tenant_id,
    cast('report' as {{ text }}) as ledger_source,
    'report:' || cast(b.month as {{ text }}) as journal_key,
    cast(null as {{ dbt.type_bigint() }}) as journal_number,
    cast(null as {{ text }}) as source_type,
    cast(null as {{ text }}) as source_id,
    cast({{ dbt.last_day('b.month', 'month') }} as date) as date,
    b.account_id,
    cast(b.difference as {{ money }}) as net_amount,
    cast(0 as {{ money }}) as tax_amount,
    cast(null as {{ text }}) as tax_type,
    'Only in the report' as description,
    cast(null as {{ text }}) as line_id,
    cast(null as {{ text }}) as record_id,
    cast(null as {{ text }}) as contact_id,
    cast(null as {{ text }}) as number,
    cast(null as {{ text }}) as reference,
    b.kind,
    o.base_currency as currency_code,
    cast(1 as {{ xero_ledger.column_type('rate') }}) as currency_rate,
    cast(null as {{ money }}) as net_amount_in_currency,
    {{ xero_ledger.no_tags() }},
    cast(null as {{ dbt.type_timestamp() }}) as updated_date_utc
from {{ ref('ledger_report_differences') }} as b
inner join {{ ref('organisations') }} as o on o.tenant_id = b.tenant_id
{%- if not var('xero_report_lines') %}
where 1 = 0
{%- endif %}
