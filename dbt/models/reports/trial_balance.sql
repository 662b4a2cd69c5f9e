{%- set money = xero_ledger.column_type('money') %}
{%- set dimensions = ['tracking_category_1', 'tracking_option_1', 'tracking_category_2', 'tracking_option_2', 'currency_code'] %}
with daily as (

    select
        tenant_id,
        account_id,
        {%- for name in dimensions %}
        {{ name }},
        {%- endfor %}
        date,
        month,
        sum(debit) as debit,
        sum(credit) as credit,
        sum(net_amount) as net_amount
    from {{ ref('general_ledger') }}
    group by
        tenant_id, account_id, date, month
        {%- for name in dimensions %}, {{ name }}{% endfor %}

),

-- By month, and by financial year if one ends within the month.
by_month as (

    select
        d.tenant_id,
        d.account_id,
        {%- for name in dimensions %}
        d.{{ name }},
        {%- endfor %}
        d.month,
        y.starts_on as financial_year_start,
        sum(d.debit) as debit,
        sum(d.credit) as credit,
        sum(d.net_amount) as net_amount
    from daily as d
    inner join {{ ref('financial_years') }} as y
        on y.tenant_id = d.tenant_id and d.date between y.starts_on and y.ends_on
    group by
        d.tenant_id, d.account_id, d.month, y.starts_on
        {%- for name in dimensions %}, d.{{ name }}{% endfor %}

),

movements as (

    select b.*, {{ xero_ledger.key_of(['b.account_id'] + (dimensions | map('replace', 'tracking', 'b.tracking') | map('replace', 'currency', 'b.currency') | list)) }} as line_key
    from by_month as b

),

lines as (

    select
        tenant_id, line_key, account_id, min(month) as first_month
        {%- for name in dimensions %}, {{ name }}{% endfor %}
    from movements
    group by
        tenant_id, line_key, account_id
        {%- for name in dimensions %}, {{ name }}{% endfor %}

),

monthly as (

    select
        tenant_id, line_key, month, sum(debit) as debit, sum(credit) as credit, sum(net_amount) as net_amount
    from movements
    group by tenant_id, line_key, month

),

-- The amounts before a financial year that began within this month, which are not in its year to date.
part_years as (

    select m.tenant_id, m.line_key, m.month, sum(m.net_amount) as net_amount
    from movements as m
    inner join {{ ref('ledger_months') }} as k on k.tenant_id = m.tenant_id and k.month = m.month
    where m.financial_year_start <> k.financial_year_start
    group by m.tenant_id, m.line_key, m.month

),

grid as (

    select
        l.tenant_id, l.line_key, k.month, k.month_end, k.financial_year_start, l.account_id,
        {%- for name in dimensions %}
        l.{{ name }},
        {%- endfor %}
        coalesce(m.debit, 0) as debit,
        coalesce(m.credit, 0) as credit,
        coalesce(m.net_amount, 0) as net_amount,
        coalesce(m.net_amount, 0) - coalesce(p.net_amount, 0) as net_of_year
    from lines as l
    inner join {{ ref('ledger_months') }} as k on k.tenant_id = l.tenant_id and k.month >= l.first_month
    left join monthly as m on m.tenant_id = l.tenant_id and m.line_key = l.line_key and m.month = k.month
    left join part_years as p on p.tenant_id = l.tenant_id and p.line_key = l.line_key and p.month = k.month

),

running as (

    select
        g.*,
        sum(net_amount) over (
            partition by tenant_id, line_key order by month rows between unbounded preceding and current row
        ) as closing_balance,
        sum(net_of_year) over (
            partition by tenant_id, line_key, financial_year_start order by month
            rows between unbounded preceding and current row
        ) as year_to_date
    from grid as g

)

select
    r.tenant_id,
    o.organisation_name,
    r.month,
    r.month_end,
    r.financial_year_start,
    a.section,
    cast(a.section_number as {{ dbt.type_int() }}) as section_number,
    r.account_id,
    a.account_code,
    a.account_name,
    a.account_type,
    a.account_class,
    a.is_profit_and_loss,
    {%- for name in dimensions %}
    r.{{ name }},
    {%- endfor %}
    o.base_currency,
    cast(r.closing_balance - r.net_amount as {{ money }}) as opening_balance,
    cast(r.debit as {{ money }}) as debit,
    cast(r.credit as {{ money }}) as credit,
    cast(r.net_amount as {{ money }}) as net_movement,
    cast(r.closing_balance as {{ money }}) as closing_balance,
    cast(r.year_to_date as {{ money }}) as year_to_date
from running as r
inner join {{ ref('organisations') }} as o on o.tenant_id = r.tenant_id
inner join {{ ref('chart_of_accounts') }} as a on a.tenant_id = r.tenant_id and a.account_id = r.account_id
where r.closing_balance <> 0 or r.debit <> 0 or r.credit <> 0 or r.year_to_date <> 0
