-- The entries of documents: their lines, their tax, and their total against receivables, payables or the bank.
{%- set text = dbt.type_string() %}
{%- set money = xero_ledger.column_type('money') %}
with line_entries as (

    select
        l.tenant_id, l.source_id as journal_key, l.source_type, l.source_id, l.date, l.account_id,
        l.sign * l.net_in_base as net, l.sign * l.tax_in_base as tax, l.tax_type, l.description,
        l.line_item_id as line_id, l.record_id, d.contact_id, d.number, d.reference,
        {{ xero_ledger.kind_of('l.source_type') }} as kind, l.currency_code, l.currency_rate,
        l.sign * l.net as net_in_currency, {{ xero_ledger.tags('l') }}, l.updated_date_utc
    from {{ ref('ledger_lines') }} as l
    inner join {{ ref('ledger_documents') }} as d
        on d.tenant_id = l.tenant_id and d.record = l.record and d.record_id = l.record_id
    where l.has_amount and d.has_posted_lines

),

tax_entries as (

    select
        d.tenant_id, d.source_id as journal_key, d.source_type, d.source_id, d.date, o.tax_account_id as account_id,
        r.tax as net, 0 as tax, cast(null as {{ text }}) as tax_type, cast(null as {{ text }}) as description,
        cast(null as {{ text }}) as line_id, d.record_id, d.contact_id, d.number, d.reference,
        {{ xero_ledger.kind_of('d.source_type') }} as kind,
        d.currency_code, d.currency_rate, r.tax_in_currency as net_in_currency, {{ xero_ledger.tags('r') }},
        d.updated_date_utc
    from {{ ref('ledger_document_totals') }} as r
    inner join {{ ref('ledger_documents') }} as d on d.tenant_id = r.tenant_id and d.record = r.record and d.record_id = r.record_id
    inner join {{ ref('organisations') }} as o on o.tenant_id = d.tenant_id
    where d.has_posted_lines and r.tax <> 0

),

-- The document's total, even if the lines add up to another amount.
against_entries as (

    select
        d.tenant_id, d.source_id as journal_key, d.source_type, d.source_id, d.date, d.against_account_id as account_id,
        -d.sign * (
            {{ xero_ledger.in_base('cast(case when coalesce(r.from_last, 1) = 1 then d.total else r.gross_so_far end as ' ~ money ~ ')', 'd.currency_rate') }}
            - {{ xero_ledger.in_base('cast(coalesce(r.gross_so_far - r.gross, 0) as ' ~ money ~ ')', 'd.currency_rate') }}
        ) as net,
        0 as tax, cast(null as {{ text }}) as tax_type, cast(null as {{ text }}) as description,
        cast(null as {{ text }}) as line_id, d.record_id, d.contact_id, d.number, d.reference,
        {{ xero_ledger.kind_of('d.source_type') }} as kind, d.currency_code, d.currency_rate,
        -d.sign * (case when coalesce(r.from_last, 1) = 1 then d.total else r.gross_so_far end - coalesce(r.gross_so_far - r.gross, 0)) as net_in_currency,
        {{ xero_ledger.tags('r') }}, d.updated_date_utc
    from {{ ref('ledger_documents') }} as d
    left join {{ ref('ledger_document_totals') }} as r
        on r.tenant_id = d.tenant_id and r.record = d.record and r.record_id = d.record_id
    where d.has_posted_lines

),

-- The full amount of an overpayment is in receivables or payables.
overpayments as (

    select
        d.tenant_id, d.source_id as journal_key, d.source_type, d.source_id, d.date,
        case legs.leg
            when 1 then d.against_account_id
            else case when d.is_sale then o.receivable_account_id else o.payable_account_id end
        end as account_id,
        case legs.leg when 1 then -d.sign else d.sign end * {{ xero_ledger.in_base('d.total', 'd.currency_rate') }} as net,
        0 as tax, cast(null as {{ text }}) as tax_type, cast(null as {{ text }}) as description,
        cast(null as {{ text }}) as line_id, d.record_id, d.contact_id, d.number, d.reference,
        'Overpayments' as kind, d.currency_code, d.currency_rate,
        case legs.leg when 1 then -d.sign else d.sign end * d.total as net_in_currency,
        {{ xero_ledger.no_tags() }}, d.updated_date_utc
    from {{ ref('ledger_documents') }} as d
    inner join {{ ref('organisations') }} as o on o.tenant_id = d.tenant_id
    cross join {{ xero_ledger.rows_to(2) }} as legs
    where d.status = 'AUTHORISED' and d.type in ('RECEIVE-OVERPAYMENT', 'SPEND-OVERPAYMENT')

)

{%- for part in ['line_entries', 'tax_entries', 'against_entries', 'overpayments'] %}
select
    tenant_id, journal_key, source_type, source_id, date, account_id, cast(net as {{ money }}) as net,
    cast(tax as {{ money }}) as tax, tax_type, description, line_id, record_id, contact_id, number, reference, kind,
    currency_code, currency_rate, cast(net_in_currency as {{ money }}) as net_in_currency, {{ xero_ledger.tags(part) }},
    updated_date_utc, {{ 'true' if loop.index <= 2 else 'false' }} as is_of_lines
from {{ part }}
{{- '\nwhere net <> 0' if not loop.first }}
{{ 'union all' if not loop.last }}
{%- endfor %}
