-- The entries of transfers, manual journals, expense claims and tracked stock.
{%- set text = dbt.type_string() %}
{%- set money = xero_ledger.column_type('money') %}
with transfer_entries as (

    select
        t.tenant_id, t.bank_transfer_id as journal_key, 'TRANSFER' as source_type, t.bank_transfer_id as source_id,
        t.date, case legs.leg when 1 then t.from_bank_account_id else t.to_bank_account_id end as account_id,
        case legs.leg when 1 then -1 else 1 end * {{ xero_ledger.in_base('t.amount', 'coalesce(t.currency_rate, 1)') }} as net,
        0 as tax, cast(null as {{ text }}) as tax_type, cast(null as {{ text }}) as description,
        cast(null as {{ text }}) as line_id, t.bank_transfer_id as record_id, cast(null as {{ text }}) as contact_id,
        cast(null as {{ text }}) as number, t.reference, 'Transfers' as kind,
        coalesce(a.currency_code, o.base_currency) as currency_code, coalesce(nullif(t.currency_rate, 0), 1) as currency_rate,
        case legs.leg when 1 then -t.amount else t.amount end as net_in_currency,
        {{ xero_ledger.no_tags() }}, t.created_date_utc as updated_date_utc
    from {{ ref('stg_tap_xero__bank_transfers') }} as t
    inner join {{ ref('organisations') }} as o on o.tenant_id = t.tenant_id
    left join {{ ref('chart_of_accounts') }} as a on a.tenant_id = t.tenant_id and a.account_id = t.from_bank_account_id
    cross join {{ xero_ledger.rows_to(2) }} as legs
    where coalesce(t.status, 'AUTHORISED') <> 'DELETED'

),

-- A bank transaction of a transfer that is not in the warehouse, so its other side is unknown.
half_transfers as (

    select
        d.tenant_id, d.record_id as journal_key, 'TRANSFER' as source_type, d.record_id as source_id, d.date,
        case legs.leg when 1 then d.against_account_id else 'suspense' end as account_id,
        case legs.leg when 1 then -d.sign else d.sign end * {{ xero_ledger.in_base('d.total', 'd.currency_rate') }} as net,
        0 as tax, cast(null as {{ text }}) as tax_type,
        case legs.leg when 2 then 'A transfer whose other side is not in the warehouse' end as description,
        cast(null as {{ text }}) as line_id, d.record_id, d.contact_id, d.number, d.reference,
        'Transfers' as kind, d.currency_code, d.currency_rate,
        case legs.leg when 1 then -d.sign * d.total end as net_in_currency,
        {{ xero_ledger.no_tags() }}, d.updated_date_utc
    from {{ ref('ledger_documents') }} as d
    left join {{ ref('stg_tap_xero__bank_transfers') }} as t
        on t.tenant_id = d.tenant_id and (t.from_bank_transaction_id = d.record_id or t.to_bank_transaction_id = d.record_id)
    cross join {{ xero_ledger.rows_to(2) }} as legs
    where d.status = 'AUTHORISED' and d.type in ('RECEIVE-TRANSFER', 'SPEND-TRANSFER') and t.tenant_id is null

),

manual_entries as (

    select
        m.tenant_id, m.manual_journal_id as journal_key, 'MANJOURNAL' as source_type, m.manual_journal_id as source_id,
        m.date,
        case legs.leg when 1 then coalesce(by_id.account_id, by_code.account_id, 'suspense') else o.tax_account_id end as account_id,
        case legs.leg
            when 1 then l.line_amount - case when upper(m.line_amount_types) = 'INCLUSIVE' then coalesce(l.tax_amount, 0) else 0 end
            else coalesce(l.tax_amount, 0)
        end as net,
        case legs.leg when 1 then coalesce(l.tax_amount, 0) else 0 end as tax,
        case legs.leg when 1 then l.tax_type end as tax_type,
        case legs.leg when 1 then l.description end as description,
        case legs.leg when 1 then cast(l.line_number as {{ text }}) end as line_id,
        m.manual_journal_id as record_id, cast(null as {{ text }}) as contact_id, cast(null as {{ text }}) as number,
        m.narration as reference, 'Manual journals' as kind, o.base_currency as currency_code,
        cast(1 as {{ xero_ledger.column_type('rate') }}) as currency_rate,
        cast(null as {{ money }}) as net_in_currency, {{ xero_ledger.tags('t') }}, m.updated_date_utc
    from {{ ref('stg_tap_xero__manual_journals') }} as m
    inner join {{ ref('stg_tap_xero__manual_journal_lines') }} as l
        on l.tenant_id = m.tenant_id and l.manual_journal_id = m.manual_journal_id
    inner join {{ ref('organisations') }} as o on o.tenant_id = m.tenant_id
    left join {{ ref('chart_of_accounts') }} as by_id on by_id.tenant_id = l.tenant_id and by_id.account_id = l.account_id
    left join {{ ref('chart_of_accounts') }} as by_code
        on by_code.tenant_id = l.tenant_id and by_code.account_code = l.account_code and by_code.holds_code
    left join {{ ref('ledger_line_tags') }} as t
        on t.tenant_id = l.tenant_id and t.record_id = l.manual_journal_id and t.line_id = cast(l.line_number as {{ text }})
    cross join {{ xero_ledger.rows_to(2) }} as legs
    where m.status = 'POSTED' and l.line_amount is not null

),

-- A classic expense claim: the lines of its receipts, against the amount owed to the claimant.
claim_lines as (

    select
        c.tenant_id, c.expense_claim_id, coalesce(c.reporting_date, cast(c.updated_date_utc as date)) as date,
        c.updated_date_utc, r.contact_id, r.receipt_number, r.reference, l.line_item_id, l.description, l.tax_type,
        coalesce(by_id.account_id, by_code.account_id, 'suspense') as account_id, o.tax_account_id,
        o.unpaid_claims_account_id, o.base_currency, r.receipt_id,
        l.line_amount - case when upper(r.line_amount_types) = 'INCLUSIVE' then coalesce(l.tax_amount, 0) else 0 end as net,
        coalesce(l.tax_amount, 0) as tax, {{ xero_ledger.tags('t') }}
    from {{ ref('stg_tap_xero__expense_claims') }} as c
    inner join {{ ref('organisations') }} as o on o.tenant_id = c.tenant_id
    inner join {{ ref('stg_tap_xero__expense_claim_receipts') }} as k
        on k.tenant_id = c.tenant_id and k.expense_claim_id = c.expense_claim_id
    inner join {{ ref('stg_tap_xero__receipts') }} as r on r.tenant_id = k.tenant_id and r.receipt_id = k.receipt_id
    inner join {{ ref('stg_tap_xero__receipt_line_items') }} as l
        on l.tenant_id = r.tenant_id and l.receipt_id = r.receipt_id
    left join {{ ref('chart_of_accounts') }} as by_id on by_id.tenant_id = l.tenant_id and by_id.account_id = l.account_id
    left join {{ ref('chart_of_accounts') }} as by_code
        on by_code.tenant_id = l.tenant_id and by_code.account_code = l.account_code and by_code.holds_code
    left join {{ ref('ledger_line_tags') }} as t
        on t.tenant_id = l.tenant_id and t.record_id = l.receipt_id and t.line_id = l.line_item_id
    where c.status in ('AUTHORISED', 'PAID') and l.line_amount is not null

),

claim_entries as (

    select
        c.tenant_id, c.expense_claim_id as journal_key, 'EXPCLAIM' as source_type, c.expense_claim_id as source_id,
        c.date,
        case legs.leg when 1 then c.account_id else c.tax_account_id end as account_id,
        case legs.leg when 1 then c.net else c.tax end as net, case legs.leg when 1 then c.tax else 0 end as tax,
        case legs.leg when 1 then c.tax_type end as tax_type, case legs.leg when 1 then c.description end as description,
        case legs.leg when 1 then c.line_item_id end as line_id, c.expense_claim_id as record_id, c.contact_id,
        c.receipt_number as number, c.reference, 'Expense claims' as kind, c.base_currency as currency_code,
        cast(1 as {{ xero_ledger.column_type('rate') }}) as currency_rate,
        cast(null as {{ money }}) as net_in_currency, {{ xero_ledger.tags('c') }}, c.updated_date_utc
    from claim_lines as c
    cross join {{ xero_ledger.rows_to(2) }} as legs
    union all
    select
        c.tenant_id, c.expense_claim_id, 'EXPCLAIM', c.expense_claim_id,
        coalesce(c.reporting_date, cast(c.updated_date_utc as date)), o.unpaid_claims_account_id, -c.total, 0,
        cast(null as {{ text }}), cast(null as {{ text }}), cast(null as {{ text }}), c.expense_claim_id,
        cast(null as {{ text }}), cast(null as {{ text }}), cast(null as {{ text }}), 'Expense claims', o.base_currency,
        cast(1 as {{ xero_ledger.column_type('rate') }}), cast(null as {{ money }}), {{ xero_ledger.no_tags() }},
        c.updated_date_utc
    from {{ ref('stg_tap_xero__expense_claims') }} as c
    inner join {{ ref('organisations') }} as o on o.tenant_id = c.tenant_id
    where c.status in ('AUTHORISED', 'PAID')

),

-- Xero does not state which account paid a claim.
claim_payments as (

    select
        p.tenant_id, p.payment_id as journal_key, 'EXPPAYMENT' as source_type, p.payment_id as source_id, p.date,
        case legs.leg when 1 then o.unpaid_claims_account_id else 'suspense' end as account_id,
        case legs.leg when 1 then p.amount else -p.amount end as net,
        0 as tax, cast(null as {{ text }}) as tax_type,
        case legs.leg when 2 then 'Expense claim payment: Xero does not state the account that paid it' end as description,
        cast(null as {{ text }}) as line_id, p.payment_id as record_id, cast(null as {{ text }}) as contact_id,
        cast(null as {{ text }}) as number, p.reference, 'Expense claim payments' as kind,
        o.base_currency as currency_code, cast(1 as {{ xero_ledger.column_type('rate') }}) as currency_rate,
        cast(null as {{ money }}) as net_in_currency, {{ xero_ledger.no_tags() }}, p.updated_date_utc
    from {{ ref('stg_tap_xero__expense_claim_payments') }} as p
    inner join {{ ref('stg_tap_xero__expense_claims') }} as c
        on c.tenant_id = p.tenant_id and c.expense_claim_id = p.expense_claim_id and c.status in ('AUTHORISED', 'PAID')
    inner join {{ ref('organisations') }} as o on o.tenant_id = p.tenant_id
    left join {{ ref('stg_tap_xero__payments') }} as known
        on known.tenant_id = p.tenant_id and known.payment_id = p.payment_id
    cross join {{ xero_ledger.rows_to(2) }} as legs
    where known.payment_id is null

),

stock_entries as (

    select
        l.tenant_id, l.source_id as journal_key, l.source_type, l.source_id, l.date,
        coalesce(case legs.leg when 1 then cogs.account_id else asset.account_id end, 'suspense') as account_id,
        case legs.leg when 1 then -s.moved else s.moved end as net,
        0 as tax, cast(null as {{ text }}) as tax_type, i.name as description, l.line_item_id as line_id, l.record_id,
        d.contact_id, d.number, d.reference, 'Cost of stock sold' as kind,
        o.base_currency as currency_code, cast(1 as {{ xero_ledger.column_type('rate') }}) as currency_rate,
        cast(null as {{ money }}) as net_in_currency, {{ xero_ledger.no_tags() }}, l.updated_date_utc
    from {{ ref('ledger_stock_costs') }} as s
    inner join {{ ref('ledger_lines') }} as l
        on l.tenant_id = s.tenant_id and l.record = s.record and l.record_id = s.record_id and l.line_item_id = s.line_item_id
    inner join {{ ref('ledger_documents') }} as d
        on d.tenant_id = s.tenant_id and d.record = s.record and d.record_id = s.record_id
    inner join {{ ref('organisations') }} as o on o.tenant_id = l.tenant_id
    inner join {{ ref('stg_tap_xero__items') }} as i on i.tenant_id = s.tenant_id and i.item_id = s.item_id
    left join {{ ref('chart_of_accounts') }} as cogs
        on cogs.tenant_id = i.tenant_id and cogs.holds_code
        and cogs.account_code = coalesce({{ xero_ledger.json_text('i.purchase_details', 'cogs_account_code') }}, {{ xero_ledger.json_text('i.purchase_details', 'COGSAccountCode') }})
    left join {{ ref('chart_of_accounts') }} as asset
        on asset.tenant_id = i.tenant_id and asset.account_code = i.inventory_asset_account_code and asset.holds_code
    cross join {{ xero_ledger.rows_to(2) }} as legs

)

select * from transfer_entries
where net <> 0
union all
select * from half_transfers
where net <> 0
union all
select * from manual_entries
where net <> 0
union all
select * from claim_entries
where net <> 0
union all
select * from claim_payments
where net <> 0
union all
select * from stock_entries
where net <> 0
