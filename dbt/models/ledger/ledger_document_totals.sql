-- Gross and tax by document and combination of tracking. `gross_so_far` is their running total, so that the shares of a
-- total add up to it in base currency as well.
with grouped as (

    select
        tenant_id, record, record_id,
        {{ xero_ledger.tags('l') }},
        sum(net + tax) as gross,
        sum(sign * tax_in_base) as tax,
        sum(sign * tax) as tax_in_currency,
        coalesce(tracking_option_1, '') || '|' || coalesce(tracking_option_2, '') as tags
    from {{ ref('ledger_lines') }} as l
    where has_amount
    group by
        tenant_id, record, record_id,
        {{ xero_ledger.tags('l') }}

)

select
    g.*,
    sum(gross) over (
        partition by tenant_id, record, record_id order by tags rows between unbounded preceding and current row
    ) as gross_so_far,
    row_number() over (partition by tenant_id, record, record_id order by tags desc) as from_last
from grouped as g
