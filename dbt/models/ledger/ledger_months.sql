-- Each month from the first of an organisation's ledger to the current one.
with digits as (

    select leg - 1 as digit from {{ xero_ledger.rows_to(10) }} as d

),

numbers as (

    select a.digit + 10 * b.digit + 100 * c.digit + 1000 * d.digit as number
    from digits as a
    cross join digits as b
    cross join digits as c
    cross join (select leg - 1 as digit from {{ xero_ledger.rows_to(2) }} as two) as d

),

spans as (

    select tenant_id, min(month) as first_month, max(month) as last_month
    from (
        select tenant_id, month from {{ ref('general_ledger') }}
        union all
        select tenant_id, month from {{ ref('ledger_reported') }}
        union all
        select tenant_id, {{ xero_ledger.month_of(xero_ledger.as_at()) }}
        from {{ ref('organisations') }}
    ) as every
    group by tenant_id

),

months as (

    select s.tenant_id, s.last_month, cast({{ dbt.dateadd('month', 'n.number', 's.first_month') }} as date) as month
    from spans as s
    cross join numbers as n

)

select
    m.tenant_id,
    m.month,
    cast({{ dbt.last_day('m.month', 'month') }} as date) as month_end,
    y.starts_on as financial_year_start
from months as m
inner join {{ ref('financial_years') }} as y
    on y.tenant_id = m.tenant_id and cast({{ dbt.last_day('m.month', 'month') }} as date) between y.starts_on and y.ends_on
where m.month <= m.last_month
