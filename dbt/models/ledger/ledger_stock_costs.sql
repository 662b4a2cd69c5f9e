-- The value of each movement of tracked stock. It is calculated forwards if all stock of an item came from documents,
-- else backwards from the stock on hand.
{%- set quantity = xero_ledger.column_type('quantity') %}
{%- set money = xero_ledger.column_type('money') %}
{%- set limit = xero_ledger.stock_movements_limit() %}
{%- set within = ' and e.events <= ' ~ limit if limit else '' %}
with recursive forwards as (

    select
        e.tenant_id, e.item_id, cast(0 as {{ dbt.type_bigint() }}) as position,
        cast(0 as {{ quantity }}) as quantity, cast(0 as {{ money }}) as worth, cast(0 as {{ money }}) as moved
    from {{ ref('ledger_stock_events') }} as e
    where e.position = 1 and e.opening_quantity = 0{{ within }}
    union all
    select
        e.tenant_id, e.item_id, e.position,
        cast(f.quantity + e.moved as {{ quantity }}),
        cast(f.worth + case
            when not e.at_average then e.cost
            when f.quantity = 0 then 0
            else {{ xero_ledger.share('f.worth', 'e.moved', 'f.quantity') }}
        end as {{ money }}),
        cast(case
            when not e.at_average then e.cost
            when f.quantity = 0 then 0
            else {{ xero_ledger.share('f.worth', 'e.moved', 'f.quantity') }}
        end as {{ money }})
    from forwards as f
    inner join {{ ref('ledger_stock_events') }} as e
        on e.tenant_id = f.tenant_id and e.item_id = f.item_id and e.position = f.position + 1

),

backwards as (

    select
        e.tenant_id, e.item_id, cast(e.events + 1 as {{ dbt.type_bigint() }}) as position,
        i.quantity_on_hand as quantity, i.total_cost_pool as worth, cast(0 as {{ money }}) as moved
    from {{ ref('ledger_stock_events') }} as e
    inner join {{ ref('stg_tap_xero__items') }} as i on i.tenant_id = e.tenant_id and i.item_id = e.item_id
    where e.position = 1 and e.opening_quantity <> 0{{ within }}
    union all
    select
        e.tenant_id, e.item_id, e.position,
        cast(b.quantity - e.moved as {{ quantity }}),
        cast(case
            when not e.at_average then b.worth - e.cost
            when b.quantity = 0 then 0
            else {{ xero_ledger.share('b.worth', '(b.quantity - e.moved)', 'b.quantity') }}
        end as {{ money }}),
        cast(case
            when not e.at_average then e.cost
            when b.quantity = 0 then 0
            else b.worth - {{ xero_ledger.share('b.worth', '(b.quantity - e.moved)', 'b.quantity') }}
        end as {{ money }})
    from backwards as b
    inner join {{ ref('ledger_stock_events') }} as e
        on e.tenant_id = b.tenant_id and e.item_id = b.item_id and e.position = b.position - 1

),

costs as (

    select tenant_id, item_id, position, moved from forwards where position > 0
    union all
    select tenant_id, item_id, position, moved from backwards where moved <> 0 or position > 0

)

select
    e.tenant_id,
    e.item_id,
    e.position,
    e.record,
    e.record_id,
    e.line_item_id,
    e.date,
    c.moved
from costs as c
inner join {{ ref('ledger_stock_events') }} as e
    on e.tenant_id = c.tenant_id and e.item_id = c.item_id and e.position = c.position
where e.at_average
