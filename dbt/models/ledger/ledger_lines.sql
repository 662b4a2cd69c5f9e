-- Each line of a document with its account and tracking, and its net and tax in the document's and the base currency.
with lines as (

    {%- for record in ['invoice', 'credit_note', 'bank_transaction'] %}
    select
        tenant_id, '{{ record }}' as record, {{ record }}_id as record_id, line_item_id, line_number, description,
        quantity, unit_amount, discount_rate, line_amount, tax_amount, tax_type, account_code, account_id, item_code
    from {{ ref('stg_tap_xero__' ~ record ~ '_line_items') }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    l.tenant_id,
    l.record,
    l.record_id,
    l.line_item_id,
    l.line_number,
    l.description,
    l.quantity,
    l.unit_amount,
    l.discount_rate,
    l.line_amount,
    -- A line without an amount is only a description.
    l.line_amount is not null as has_amount,
    coalesce(l.line_amount, 0) - case when d.is_inclusive then coalesce(l.tax_amount, 0) else 0 end as net,
    coalesce(l.tax_amount, 0) as tax,
    l.tax_type,
    l.item_code,
    l.account_code as named_account_code,
    coalesce(by_id.account_id, by_code.account_id, 'suspense') as account_id,
    d.source_id,
    d.source_type,
    d.type,
    d.is_posted,
    d.date,
    d.sign,
    d.currency_code,
    d.currency_rate,
    d.updated_date_utc,
    t.tracking_category_1,
    t.tracking_option_1,
    t.tracking_option_id_1,
    t.tracking_category_2,
    t.tracking_option_2,
    t.tracking_option_id_2,
    {{ xero_ledger.in_base('(coalesce(l.line_amount, 0) - case when d.is_inclusive then coalesce(l.tax_amount, 0) else 0 end)', 'd.currency_rate') }} as net_in_base,
    {{ xero_ledger.in_base('coalesce(l.tax_amount, 0)', 'd.currency_rate') }} as tax_in_base
from lines as l
inner join {{ ref('ledger_documents') }} as d
    on d.tenant_id = l.tenant_id and d.record = l.record and d.record_id = l.record_id
left join {{ ref('chart_of_accounts') }} as by_id
    on by_id.tenant_id = l.tenant_id and by_id.account_id = l.account_id
left join {{ ref('chart_of_accounts') }} as by_code
    on by_code.tenant_id = l.tenant_id and by_code.account_code = l.account_code and by_code.holds_code
left join {{ ref('ledger_line_tags') }} as t
    on t.tenant_id = l.tenant_id and t.record_id = l.record_id and t.line_id = l.line_item_id
