{%- set money = xero_ledger.column_type('money') %}
select
    {{ xero_ledger.key_of(['l.tenant_id', 'l.record_id', 'l.line_item_id']) }} as invoice_line_id,
    l.tenant_id,
    o.organisation_name,
    l.record_id as invoice_id,
    d.number as invoice_number,
    d.type,
    d.status,
    d.is_posted,
    d.is_sale,
    d.date,
    {{ xero_ledger.month_of('d.date') }} as month,
    d.due_date,
    d.reference,
    d.contact_id,
    c.name as contact_name,
    l.line_item_id,
    l.line_number,
    l.description,
    l.item_code,
    l.quantity,
    l.unit_amount,
    l.discount_rate,
    l.account_id,
    a.account_code,
    a.account_name,
    a.account_class,
    l.tax_type,
    t.name as tax_name,
    {{ xero_ledger.tags('l') }},
    o.base_currency,
    l.currency_code,
    l.currency_rate,
    cast(l.line_amount as {{ money }}) as line_amount,
    -- Net of tax, even if prices include tax. Credit notes are negative.
    cast(case when d.type like '%CREDIT' then -l.net else l.net end as {{ money }}) as net_amount,
    cast(case when d.type like '%CREDIT' then -l.tax else l.tax end as {{ money }}) as tax_amount,
    cast(case when d.type like '%CREDIT' then -l.net_in_base else l.net_in_base end as {{ money }}) as net_amount_in_base,
    cast(case when d.type like '%CREDIT' then -l.tax_in_base else l.tax_in_base end as {{ money }}) as tax_amount_in_base,
    d.updated_date_utc
from {{ ref('ledger_lines') }} as l
inner join {{ ref('ledger_documents') }} as d
    on d.tenant_id = l.tenant_id and d.record = l.record and d.record_id = l.record_id
inner join {{ ref('organisations') }} as o on o.tenant_id = l.tenant_id
left join {{ ref('chart_of_accounts') }} as a on a.tenant_id = l.tenant_id and a.account_id = l.account_id
left join {{ ref('stg_tap_xero__contacts') }} as c on c.tenant_id = d.tenant_id and c.contact_id = d.contact_id
left join {{ ref('stg_tap_xero__tax_rates') }} as t on t.tenant_id = l.tenant_id and t.tax_type = l.tax_type
where l.record in ('invoice', 'credit_note')
