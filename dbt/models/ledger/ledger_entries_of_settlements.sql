-- The entries of payments, refunds and allocations.
{%- set text = dbt.type_string() %}
{%- set money = xero_ledger.column_type('money') %}
with settlements as (

    select s.*, case when s.is_sale then o.receivable_account_id else o.payable_account_id end as control_account_id,
        o.currency_gain_account_id
    from {{ ref('ledger_settlements') }} as s
    inner join {{ ref('organisations') }} as o on o.tenant_id = s.tenant_id

),

-- The bank moves at the payment's rate, the document is reduced at its own. The difference is a realised currency gain.
payments as (

    select
        p.tenant_id, p.payment_id, p.payment_type, p.date, p.reference, p.updated_date_utc, s.number, s.contact_id,
        coalesce(s.document_kind, 'UNKNOWN') as document_kind, s.document_id,
        coalesce(p.account_id, 'suspense') as bank_account_id,
        coalesce(s.control_account_id, 'suspense') as control_account_id,
        coalesce(s.currency_gain_account_id, 'suspense') as currency_gain_account_id,
        s.currency_code, s.currency_rate, p.amount,
        -- The side of an unknown document is that of the payment.
        case
            when s.is_sale is not null then case when s.is_sale <> s.is_credit then 1 else -1 end
            when p.payment_type in ('ACCRECPAYMENT', 'APCREDITPAYMENT', 'APOVERPAYMENTPAYMENT', 'APPREPAYMENTPAYMENT') then 1
            else -1
        end as sign,
        case
            when coalesce(a.is_in_base_currency, true)
                then coalesce(p.bank_amount, {{ xero_ledger.in_base('p.amount', 'coalesce(p.currency_rate, 1)') }})
            else {{ xero_ledger.in_base('coalesce(p.bank_amount, p.amount)', 'coalesce(p.currency_rate, 1)') }}
        end as moved,
        s.relief
    from {{ ref('stg_tap_xero__payments') }} as p
    left join settlements as s
        on s.tenant_id = p.tenant_id and s.use_kind = 'payment' and s.use_id = p.payment_id
    left join {{ ref('chart_of_accounts') }} as a on a.tenant_id = p.tenant_id and a.account_id = p.account_id
    where p.status = 'AUTHORISED'

),

payment_entries as (

    select
        p.tenant_id, p.payment_id as journal_key,
        case
            when p.payment_type like '%OVERPAYMENTPAYMENT' then replace(p.payment_type, 'OVERPAYMENTPAYMENT', 'OVERPAYMENT')
            when p.payment_type like '%PREPAYMENTPAYMENT' then replace(p.payment_type, 'PREPAYMENTPAYMENT', 'PREPAYMENT')
            else p.payment_type
        end as source_type,
        p.payment_id as source_id, p.date,
        case legs.leg
            when 1 then p.bank_account_id when 2 then p.control_account_id else p.currency_gain_account_id
        end as account_id,
        p.sign * case legs.leg
            when 1 then p.moved
            when 2 then -coalesce(p.relief, p.moved)
            else coalesce(p.relief, p.moved) - p.moved
        end as net,
        0 as tax, cast(null as {{ text }}) as tax_type,
        case when p.relief is null and legs.leg = 2 then 'Payment of a document that is not in the warehouse' end as description,
        cast(null as {{ text }}) as line_id, p.payment_id as record_id, p.contact_id, p.number, p.reference,
        'Payments' as kind, p.currency_code, p.currency_rate,
        case legs.leg when 2 then -p.sign * p.amount end as net_in_currency,
        {{ xero_ledger.no_tags() }}, p.updated_date_utc
    from payments as p
    cross join {{ xero_ledger.rows_to(3) }} as legs
    where legs.leg <> 2 or p.document_kind <> 'PREPAYMENT'

),

-- An allocation moves no money. The credit and the invoice are reduced, each at its own rate.
allocations as (

    select
        g.tenant_id, g.use_id, g.date, g.changed_at, g.control_account_id, g.currency_gain_account_id, g.contact_id,
        g.currency_code, g.currency_rate, g.amount, g.number, c.reference, c.document_kind, c.document_id as credit_id,
        case
            when c.document_kind = 'CREDITNOTE' then case when c.is_sale then 'ACCRECCREDIT' else 'ACCPAYCREDIT' end
            when c.is_sale then 'AR' || c.document_kind
            else 'AP' || c.document_kind
        end as source_type,
        case when g.is_sale then 1 else -1 end as sign,
        c.relief as taken,
        g.relief as given
    from settlements as g
    inner join settlements as c
        on c.tenant_id = g.tenant_id and c.use_kind = 'allocation' and c.use_id = g.use_id and c.is_credit
    where g.use_kind = 'allocation' and not g.is_credit

),

allocation_entries as (

    select
        a.tenant_id, a.use_id as journal_key, a.source_type, a.credit_id as source_id, a.date,
        case when legs.leg <= 2 then a.control_account_id else a.currency_gain_account_id end as account_id,
        a.sign * case legs.leg when 1 then a.taken when 2 then -a.given else a.given - a.taken end as net,
        0 as tax, cast(null as {{ text }}) as tax_type, cast(null as {{ text }}) as description,
        cast(null as {{ text }}) as line_id, a.use_id as record_id, a.contact_id, a.number, a.reference,
        'Allocations' as kind, a.currency_code, a.currency_rate,
        a.sign * case legs.leg when 1 then a.amount when 2 then -a.amount end as net_in_currency,
        {{ xero_ledger.no_tags() }}, a.changed_at as updated_date_utc
    from allocations as a
    cross join {{ xero_ledger.rows_to(3) }} as legs
    where legs.leg <> 1 or a.document_kind <> 'PREPAYMENT'

),

-- The lines and the tax of a prepayment are posted on receipt. An allocation or a refund reverses a share of each line.
prepayment_parts as (

    select
        d.tenant_id, d.source_id as prepayment_id, d.source_type, e.account_id, e.net, e.tax_type, {{ xero_ledger.tags('e') }}
    from {{ ref('ledger_documents') }} as d
    inner join {{ ref('ledger_entries_of_documents') }} as e on e.tenant_id = d.tenant_id and e.record_id = d.record_id
    where d.has_posted_lines and d.type in ('RECEIVE-PREPAYMENT', 'SPEND-PREPAYMENT')
        and e.is_of_lines

),

prepayment_uses as (

    select
        s.tenant_id, s.use_id as journal_key,
        case when s.use_kind = 'payment' and s.is_sale then 'ARPREPAYMENT' when s.use_kind = 'payment' then 'APPREPAYMENT' else q.source_type end as source_type,
        case when s.use_kind = 'payment' then s.use_id else s.document_id end as source_id,
        s.date, q.account_id,
        -({{ xero_ledger.share('q.net', 's.used', 's.total') }} - {{ xero_ledger.share('q.net', 's.used_before', 's.total') }}) as net,
        0 as tax, q.tax_type, cast(null as {{ text }}) as description, cast(null as {{ text }}) as line_id,
        s.use_id as record_id, s.contact_id, s.number, s.reference,
        case when s.use_kind = 'payment' then 'Payments' else 'Allocations' end as kind,
        s.currency_code, s.currency_rate, cast(null as {{ money }}) as net_in_currency,
        {{ xero_ledger.tags('q') }}, s.changed_at as updated_date_utc
    from settlements as s
    inner join prepayment_parts as q on q.tenant_id = s.tenant_id and q.prepayment_id = s.document_id
    where s.document_kind = 'PREPAYMENT'

)

select * from payment_entries
where net <> 0
union all
select * from allocation_entries
where net <> 0
union all
select * from prepayment_uses
where net <> 0
