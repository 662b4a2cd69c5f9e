{%- set money = xero_ledger.column_type('money') %}
{%- set dimensions = ['tracking_category_1', 'tracking_option_1', 'tracking_category_2', 'tracking_option_2', 'currency_code'] %}
-- The balances of accounts, and the profit like in Xero's report: this year's as a row of its own, that of earlier years
-- in retained earnings.
with lines as (

    select
        t.tenant_id, t.organisation_name, t.month, t.month_end, t.section, t.section_number, t.account_id,
        t.account_code, t.account_name, t.account_type, t.account_class, t.base_currency,
        {%- for name in dimensions %}
        t.{{ name }},
        {%- endfor %}
        case when t.account_class = 'ASSET' then t.closing_balance else -t.closing_balance end as balance
    from {{ ref('trial_balance') }} as t
    where not t.is_profit_and_loss

    union all

    select
        t.tenant_id, t.organisation_name, t.month, t.month_end, 'Equity', 11, 'current-year-earnings',
        cast(null as {{ dbt.type_string() }}), 'Current Year Earnings', 'EQUITY', 'EQUITY', t.base_currency,
        {%- for name in dimensions %}
        t.{{ name }},
        {%- endfor %}
        -t.year_to_date
    from {{ ref('trial_balance') }} as t
    where t.is_profit_and_loss

    union all

    select
        t.tenant_id, t.organisation_name, t.month, t.month_end, 'Equity', 11, o.retained_earnings_account_id,
        a.account_code, a.account_name, 'EQUITY', 'EQUITY', t.base_currency,
        {%- for name in dimensions %}
        t.{{ name }},
        {%- endfor %}
        t.year_to_date - t.closing_balance
    from {{ ref('trial_balance') }} as t
    inner join {{ ref('organisations') }} as o on o.tenant_id = t.tenant_id
    inner join {{ ref('chart_of_accounts') }} as a
        on a.tenant_id = o.tenant_id and a.account_id = o.retained_earnings_account_id
    where t.is_profit_and_loss

)

select
    tenant_id, organisation_name, month, month_end, section, cast(section_number as {{ dbt.type_int() }}) as section_number,
    account_id, account_code, account_name, account_type, account_class,
    {%- for name in dimensions %}
    {{ name }},
    {%- endfor %}
    base_currency,
    cast(sum(balance) as {{ money }}) as balance
from lines
group by
    tenant_id, organisation_name, month, month_end, section, section_number, account_id, account_code, account_name,
    account_type, account_class, base_currency
    {%- for name in dimensions %}, {{ name }}{% endfor %}
having sum(balance) <> 0
