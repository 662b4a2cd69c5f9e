-- The financial years of each organisation's ledger.
with spans as (

    select tenant_id, min(day) as first_day, max(day) as last_day
    from (
        select tenant_id, min(date) as day from {{ ref('ledger_movements') }} group by tenant_id
        union all
        select tenant_id, max(date) from {{ ref('ledger_movements') }} group by tenant_id
        union all
        select tenant_id, max(month) from {{ ref('ledger_reported') }} group by tenant_id
        union all
        select tenant_id, {{ xero_ledger.as_at() }} from {{ ref('organisations') }}
    ) as every
    group by tenant_id

),

-- From the year before the first to the year after the last, at most two hundred.
ends as (

    select s.tenant_id, extract(year from s.first_day) - 1 + (a.leg - 1) + 10 * (b.leg - 1) + 100 * (c.leg - 1) as year
    from spans as s
    cross join {{ xero_ledger.rows_to(10) }} as a
    cross join {{ xero_ledger.rows_to(10) }} as b
    cross join {{ xero_ledger.rows_to(2) }} as c
    where extract(year from s.first_day) - 1 + (a.leg - 1) + 10 * (b.leg - 1) + 100 * (c.leg - 1) <= extract(year from s.last_day) + 1

),

dated as (

    select
        y.tenant_id,
        o.financial_year_end_day,
        cast(cast(cast(y.year as {{ dbt.type_int() }}) as {{ dbt.type_string() }}) || '-' || cast(o.financial_year_end_month as {{ dbt.type_string() }}) || '-1' as date) as first_day
    from ends as y
    inner join {{ ref('organisations') }} as o on o.tenant_id = y.tenant_id

),

ended as (

    select
        tenant_id,
        -- A day that the month does not have, such as 29 February, is the last day of the month.
        least(
            cast({{ dbt.dateadd('day', 'financial_year_end_day - 1', 'first_day') }} as date),
            cast({{ dbt.last_day('first_day', 'month') }} as date)
        ) as ends_on
    from dated

),

started as (

    select
        tenant_id,
        lag(ends_on) over (partition by tenant_id order by ends_on) as ended_before,
        ends_on
    from ended

)

select
    tenant_id,
    cast({{ dbt.dateadd('day', 1, 'ended_before') }} as date) as starts_on,
    ends_on
from started
where ended_before is not null
