-- The entries of each organisation: from its journals if they are current, else from its documents.
{{ config(materialized='view') }}
{%- set text = dbt.type_string() %}
{%- set money = xero_ledger.column_type('money') %}
with journal_entries as (

    select
        j.tenant_id, j.ledger_source, j.journal_key, j.journal_number, j.source_type, j.source_id, j.date, j.account_id, j.net_amount,
        j.tax_amount, j.tax_type, j.description, j.journal_line_id as line_id, j.source_id as record_id, d.contact_id,
        d.number, j.reference, j.kind, d.currency_code, d.currency_rate,
        cast(null as {{ money }}) as net_amount_in_currency, {{ xero_ledger.tags('t') }}, j.updated_date_utc
    from {{ ref('ledger_journal_entries') }} as j
    left join {{ ref('ledger_sources') }} as d on d.tenant_id = j.tenant_id and d.source_id = j.source_id
    left join {{ ref('ledger_line_tags') }} as t
        on t.tenant_id = j.tenant_id and t.record_id = j.journal_key and t.line_id = j.journal_line_id

)

select e.* from {{ ref('ledger_document_entries') }} as e
inner join {{ ref('organisations') }} as o on o.tenant_id = e.tenant_id and o.ledger_from = 'documents'
union all
select e.* from journal_entries as e
inner join {{ ref('organisations') }} as o on o.tenant_id = e.tenant_id and o.ledger_from = 'journals'
