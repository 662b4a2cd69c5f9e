-- Each document with lines: invoices, bills, credit notes, money received and spent, prepayments and overpayments.
-- `sign` is the sign of its lines in the ledger, where debits are positive.
with documents as (

    select
        tenant_id, 'invoice' as record, invoice_id as record_id, invoice_id as source_id, type as source_type, type,
        status, contact_id, date, due_date, invoice_number as number, reference, currency_code, currency_rate,
        line_amount_types, sub_total, total_tax, total, cast(null as {{ dbt.type_string() }}) as bank_account_id,
        updated_date_utc
    from {{ ref('stg_tap_xero__invoices') }}

    union all

    select
        tenant_id, 'credit_note', credit_note_id, credit_note_id, type, type,
        status, contact_id, date, due_date, credit_note_number, reference, currency_code, currency_rate,
        line_amount_types, sub_total, total_tax, total, cast(null as {{ dbt.type_string() }}), updated_date_utc
    from {{ ref('stg_tap_xero__credit_notes') }}

    union all

    select
        tenant_id, 'bank_transaction', bank_transaction_id,
        coalesce(prepayment_id, overpayment_id, bank_transaction_id),
        case type
            when 'RECEIVE' then 'CASHREC'
            when 'SPEND' then 'CASHPAID'
            when 'RECEIVE-PREPAYMENT' then 'ARPREPAYMENT'
            when 'SPEND-PREPAYMENT' then 'APPREPAYMENT'
            when 'RECEIVE-OVERPAYMENT' then 'AROVERPAYMENT'
            when 'SPEND-OVERPAYMENT' then 'APOVERPAYMENT'
            else 'TRANSFER'
        end,
        type, status, contact_id, date, cast(null as date), cast(null as {{ dbt.type_string() }}), reference,
        currency_code, currency_rate, line_amount_types, sub_total, total_tax, total, bank_account_id,
        updated_date_utc
    from {{ ref('stg_tap_xero__bank_transactions') }}

)

select
    d.tenant_id,
    d.record,
    d.record_id,
    d.source_id,
    d.source_type,
    d.type,
    d.status,
    -- The entries of voided and deleted documents net out. Drafts and submitted documents have none.
    d.status in ('AUTHORISED', 'PAID') as is_posted,
    -- The lines of overpayments are not posted. Transfers are separate objects.
    d.status in ('AUTHORISED', 'PAID') and d.type not like '%-OVERPAYMENT' and d.type not like '%-TRANSFER' as has_posted_lines,
    d.type in ('ACCREC', 'ACCRECCREDIT') or d.type like 'RECEIVE%' as is_sale,
    d.contact_id,
    d.date,
    d.due_date,
    d.number,
    d.reference,
    coalesce(d.currency_code, o.base_currency) as currency_code,
    coalesce(nullif(d.currency_rate, 0), 1) as currency_rate,
    -- Xero returns Inclusive, and INCLUSIVE for some objects.
    upper(coalesce(d.line_amount_types, '')) = 'INCLUSIVE' as is_inclusive,
    d.sub_total,
    d.total_tax,
    coalesce(d.total, 0) as total,
    case when d.type in ('ACCREC', 'ACCPAYCREDIT') or d.type like 'RECEIVE%' then -1 else 1 end as sign,
    case
        when d.record = 'bank_transaction' then coalesce(d.bank_account_id, 'suspense')
        when d.type in ('ACCREC', 'ACCRECCREDIT') then o.receivable_account_id
        else o.payable_account_id
    end as against_account_id,
    d.updated_date_utc
from documents as d
inner join {{ ref('organisations') }} as o on o.tenant_id = d.tenant_id
