-- Each payment, refund and allocation of a document, in order, with the amount in base currency by which it reduces the
-- document. These amounts are differences of running totals, so they always add up to the whole.
with credits as (

    select
        tenant_id, credit_note_id as credit_id, 'CREDITNOTE' as kind, type, currency_rate, contact_id, total,
        reference, credit_note_number as number, currency_code
    from {{ ref('stg_tap_xero__credit_notes') }}
    where status in ('AUTHORISED', 'PAID')
    union all
    select
        tenant_id, overpayment_id, 'OVERPAYMENT', type, currency_rate, contact_id, total, reference,
        cast(null as {{ dbt.type_string() }}), currency_code
    from {{ ref('stg_tap_xero__overpayments') }}
    where status in ('AUTHORISED', 'PAID')
    union all
    select
        tenant_id, prepayment_id, 'PREPAYMENT', type, currency_rate, contact_id, total, reference,
        cast(null as {{ dbt.type_string() }}), currency_code
    from {{ ref('stg_tap_xero__prepayments') }}
    where status in ('AUTHORISED', 'PAID')

),

owed as (

    select
        tenant_id, invoice_id as document_id, 'INVOICE' as kind, type = 'ACCREC' as is_sale, false as is_credit,
        coalesce(nullif(currency_rate, 0), 1) as currency_rate, currency_code, contact_id, coalesce(total, 0) as total,
        reference, invoice_number as number
    from {{ ref('stg_tap_xero__invoices') }}
    where status in ('AUTHORISED', 'PAID')
    union all
    select
        tenant_id, credit_id, kind, type = 'ACCRECCREDIT' or type like 'RECEIVE%' or type like 'AR%', true,
        coalesce(nullif(currency_rate, 0), 1), currency_code, contact_id, coalesce(total, 0), reference, number
    from credits

),

allocations as (

    {%- for kind in ['credit_note', 'overpayment', 'prepayment'] %}
    select
        a.tenant_id, a.{{ kind }}_id as credit_id, a.allocation_id, a.invoice_id, a.amount, a.date, a.updated_date_utc
    from {{ ref('stg_tap_xero__' ~ kind ~ '_allocations') }} as a
    where not coalesce(a.is_deleted, false)
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

uses as (

    select
        tenant_id, 'payment' as use_kind, payment_id as use_id,
        coalesce(invoice_id, credit_note_id, overpayment_id, prepayment_id) as document_id,
        amount, date, updated_date_utc as changed_at
    from {{ ref('stg_tap_xero__payments') }}
    where status = 'AUTHORISED'
    union all
    select a.tenant_id, 'allocation', a.allocation_id, a.credit_id, a.amount, a.date, a.updated_date_utc
    from allocations as a
    inner join credits as c on c.tenant_id = a.tenant_id and c.credit_id = a.credit_id
    union all
    select a.tenant_id, 'allocation', a.allocation_id, a.invoice_id, a.amount, a.date, a.updated_date_utc
    from allocations as a
    inner join credits as c on c.tenant_id = a.tenant_id and c.credit_id = a.credit_id

),

running as (

    select
        u.tenant_id, u.use_kind, u.use_id, u.document_id, u.amount, u.date, u.changed_at,
        o.kind, o.is_sale, o.is_credit, o.currency_rate, o.currency_code, o.contact_id, o.total, o.reference, o.number,
        sum(u.amount) over (
            partition by u.tenant_id, u.document_id order by u.date, u.changed_at, u.use_id
            rows between unbounded preceding and current row
        ) as used
    from uses as u
    inner join owed as o on o.tenant_id = u.tenant_id and o.document_id = u.document_id

)

select
    r.tenant_id,
    r.use_kind,
    r.use_id,
    r.document_id,
    r.kind as document_kind,
    r.is_sale,
    r.is_credit,
    r.currency_rate,
    r.currency_code,
    r.contact_id,
    r.total,
    r.reference,
    r.number,
    r.amount,
    r.date,
    r.changed_at,
    cast(r.used as {{ xero_ledger.column_type('money') }}) as used,
    cast(r.used - r.amount as {{ xero_ledger.column_type('money') }}) as used_before,
    {{ xero_ledger.in_base('cast(r.used as ' ~ xero_ledger.column_type('money') ~ ')', 'r.currency_rate') }}
    - {{ xero_ledger.in_base('cast(r.used - r.amount as ' ~ xero_ledger.column_type('money') ~ ')', 'r.currency_rate') }} as relief
from running as r
