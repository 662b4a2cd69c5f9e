-- The movements of tracked stock by item, in order. Xero values stock at average cost: a purchase adds its cost, a sale
-- removes its share of the value. Xero orders by time of approval, which its API does not return. The date is used
-- instead, with purchases before sales.
{{ config(indexes=[{'columns': ['tenant_id', 'item_id', 'position']}] if target.type == 'postgres' else []) }}
with events as (

    select
        l.tenant_id,
        i.item_id,
        l.record,
        l.record_id,
        l.line_item_id,
        l.date,
        l.updated_date_utc,
        l.type in ('ACCREC', 'ACCRECCREDIT', 'RECEIVE') as at_average,
        case when l.type in ('ACCREC', 'ACCPAYCREDIT', 'RECEIVE') then -l.quantity else l.quantity end as moved,
        case when l.type = 'ACCPAYCREDIT' then -l.net_in_base else l.net_in_base end as cost
    from {{ ref('ledger_lines') }} as l
    inner join {{ ref('stg_tap_xero__items') }} as i on i.tenant_id = l.tenant_id and i.code = l.item_code
    where i.is_tracked_as_inventory
        and l.is_posted and l.has_amount
        and l.type in ('ACCREC', 'ACCPAY', 'ACCRECCREDIT', 'ACCPAYCREDIT')
        and l.quantity <> 0

),

numbered as (

    select
        e.*,
        row_number() over (
            partition by tenant_id, item_id
            order by date, case when at_average then 1 else 0 end, updated_date_utc, record_id, line_item_id
        ) as position,
        sum(moved) over (partition by tenant_id, item_id) as moved_in_all,
        count(*) over (partition by tenant_id, item_id) as events
    from events as e

)

select
    n.tenant_id,
    n.item_id,
    cast(n.position as {{ dbt.type_bigint() }}) as position,
    cast(n.events as {{ dbt.type_bigint() }}) as events,
    n.record,
    n.record_id,
    n.line_item_id,
    n.date,
    n.at_average,
    cast(n.moved as {{ xero_ledger.column_type('quantity') }}) as moved,
    cast(n.cost as {{ xero_ledger.column_type('money') }}) as cost,
    cast(coalesce(i.quantity_on_hand, 0) - n.moved_in_all as {{ xero_ledger.column_type('quantity') }}) as opening_quantity
from numbered as n
inner join {{ ref('stg_tap_xero__items') }} as i on i.tenant_id = n.tenant_id and i.item_id = n.item_id
