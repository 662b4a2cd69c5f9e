-- The contact and currency of each document and payment, by the id that journals refer to.
with sources as (

    select tenant_id, source_id, contact_id, number, currency_code, currency_rate
    from {{ ref('ledger_documents') }}
    union all
    select
        p.tenant_id, p.payment_id, s.contact_id, s.number, s.currency_code, coalesce(nullif(p.currency_rate, 0), 1)
    from {{ ref('stg_tap_xero__payments') }} as p
    left join {{ ref('ledger_settlements') }} as s
        on s.tenant_id = p.tenant_id and s.use_kind = 'payment' and s.use_id = p.payment_id

)

select
    tenant_id, source_id, max(contact_id) as contact_id, max(number) as number, max(currency_code) as currency_code,
    max(currency_rate) as currency_rate
from sources
group by tenant_id, source_id
