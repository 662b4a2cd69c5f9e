-- The financial years of each organisation that its ledger touches.
with years as (

    select e.tenant_id, cast(extract(year from e.date) as {{ dbt.type_int() }}) as year
    from {{ ref('ledger_entries') }} as e
    where e.date is not null
    union distinct
    select r.tenant_id, cast(extract(year from r.month) as {{ dbt.type_int() }})
    from {{ ref('ledger_reported') }} as r
    union distinct
    select o.tenant_id, cast(extract(year from {{ xero_ledger.as_at() }}) as {{ dbt.type_int() }})
    from {{ ref('organisations') }} as o

),

ends as (

    select tenant_id, year - 1 as year from years
    union distinct
    select tenant_id, year from years
    union distinct
    select tenant_id, year + 1 from years

),

dated as (

    select
        y.tenant_id,
        o.financial_year_end_day,
        cast(cast(y.year as {{ dbt.type_string() }}) || '-' || cast(o.financial_year_end_month as {{ dbt.type_string() }}) || '-1' as date) as first_day
    from ends as y
    inner join {{ ref('organisations') }} as o on o.tenant_id = y.tenant_id

),

ended as (

    select
        tenant_id,
        -- 29 February, and the 31st of a month that has none, are its last day.
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
