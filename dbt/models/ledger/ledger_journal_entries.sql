-- The entries of organisations whose ledger is built from Xero's journals. Journals never change, so a run adds only
-- new ones.
{{ config(
    materialized='incremental',
    unique_key=['tenant_id', 'journal_line_id'],
    incremental_strategy='delete+insert' if target.type in ['postgres', 'duckdb', 'snowflake', 'redshift'] else 'merge',
    on_schema_change='sync_all_columns',
) }}
{%- set text = dbt.type_string() %}
{%- set money = xero_ledger.column_type('money') %}
with journals as (

    select j.*
    from {{ ref('stg_tap_xero__journals') }} as j
    inner join {{ ref('organisations') }} as o on o.tenant_id = j.tenant_id and o.ledger_from = 'journals'
    {%- if not var('xero_assume_tables') and is_incremental() %}
    left join (
        select tenant_id, max(journal_number) as through
        from {{ this }}
        group by tenant_id
    ) as known on known.tenant_id = j.tenant_id
    -- Some are read again, because numbers can become visible late.
    where known.through is null or j.journal_number > known.through - 1000
    {%- endif %}

)

select
    j.tenant_id,
    cast('journals' as {{ text }}) as ledger_source,
    j.journal_id as journal_key,
    l.journal_line_id,
    j.journal_number,
    j.source_type,
    j.source_id,
    j.journal_date as date,
    coalesce(l.account_id, 'suspense') as account_id,
    cast(coalesce(l.net_amount, 0) as {{ money }}) as net_amount,
    cast(coalesce(l.tax_amount, 0) as {{ money }}) as tax_amount,
    l.tax_type,
    l.description,
    j.reference,
    {{ xero_ledger.kind_of('j.source_type') }} as kind,
    j.created_date_utc as updated_date_utc
from journals as j
inner join {{ ref('stg_tap_xero__journal_lines') }} as l
    on l.tenant_id = j.tenant_id and l.journal_id = j.journal_id
