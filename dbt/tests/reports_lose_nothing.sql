-- Profit and loss and balance sheet contain the whole ledger.
with ledger as (

    select tenant_id, sum(case when is_profit_and_loss then -net_amount else 0 end) as profit, count(*) as entries
    from {{ ref('general_ledger') }}
    group by tenant_id

),

reported as (

    select tenant_id, sum(profit) as profit from {{ ref('profit_and_loss') }} group by tenant_id

),

kinds as (

    select tenant_id, sum(entries) as entries from {{ ref('explained') }} group by tenant_id

)

select l.tenant_id, l.profit, r.profit as reported, l.entries, k.entries as entries_explained
from ledger as l
left join reported as r on r.tenant_id = l.tenant_id
left join kinds as k on k.tenant_id = l.tenant_id
where l.profit <> coalesce(r.profit, 0) or l.entries <> coalesce(k.entries, 0)
