-- The double entries of documents, in base currency. Debits are positive. Each journal adds up to zero: cents that are
-- lost in conversion go to the Rounding account, larger differences to the suspense account.
{%- set text = dbt.type_string() %}
{%- set money = xero_ledger.column_type('money') %}
with entries as (

    {%- for part in ['documents', 'settlements', 'others'] %}
    select
        tenant_id, journal_key, source_type, source_id, date, account_id, net, tax, tax_type, description, line_id,
        record_id, contact_id, number, reference, kind, currency_code, currency_rate, net_in_currency,
        {{ xero_ledger.tags('e' ~ loop.index) }}, updated_date_utc
    from {{ ref('ledger_entries_of_' ~ part) }} as e{{ loop.index }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

gaps as (

    select
        tenant_id, journal_key, max(source_type) as source_type, max(source_id) as source_id, max(date) as date,
        sum(net) as gap, count(*) as entries, max(record_id) as record_id, max(contact_id) as contact_id,
        max(number) as number, max(reference) as reference, max(updated_date_utc) as updated_date_utc
    from entries
    group by tenant_id, journal_key
    having sum(net) <> 0

),

balancing as (

    select
        g.tenant_id, g.journal_key, g.source_type, g.source_id, g.date,
        case when abs(g.gap) <= 0.01 * (g.entries + 1) then o.rounding_account_id else 'suspense' end as account_id,
        -g.gap as net, 0 as tax, cast(null as {{ text }}) as tax_type,
        case
            when abs(g.gap) <= 0.01 * (g.entries + 1) then 'Rounding'
            when g.source_type = 'EXPCLAIM' then 'The receipts of this expense claim are not in the warehouse: add receipts to detail_streams'
            else 'The lines in the warehouse do not add up to the total of the document'
        end as description,
        cast(null as {{ text }}) as line_id, g.record_id, g.contact_id, g.number, g.reference,
        case when abs(g.gap) <= 0.01 * (g.entries + 1) then 'Rounding' else 'Not placed' end as kind,
        o.base_currency as currency_code, cast(1 as {{ xero_ledger.column_type('rate') }}) as currency_rate,
        cast(null as {{ money }}) as net_in_currency, {{ xero_ledger.no_tags() }}, g.updated_date_utc
    from gaps as g
    inner join {{ ref('organisations') }} as o on o.tenant_id = g.tenant_id

),

every as (

    select * from entries
    union all
    select * from balancing

)

select
    e.tenant_id,
    cast('documents' as {{ text }}) as ledger_source,
    e.journal_key,
    cast(null as {{ dbt.type_bigint() }}) as journal_number,
    e.source_type,
    e.source_id,
    e.date,
    coalesce(a.account_id, 'suspense') as account_id,
    cast(e.net as {{ money }}) as net_amount,
    cast(e.tax as {{ money }}) as tax_amount,
    e.tax_type,
    e.description,
    e.line_id,
    e.record_id,
    e.contact_id,
    e.number,
    e.reference,
    e.kind,
    e.currency_code,
    cast(e.currency_rate as {{ xero_ledger.column_type('rate') }}) as currency_rate,
    cast(e.net_in_currency as {{ money }}) as net_amount_in_currency,
    {{ xero_ledger.tags('e') }},
    e.updated_date_utc
from every as e
left join {{ ref('chart_of_accounts') }} as a on a.tenant_id = e.tenant_id and a.account_id = e.account_id
