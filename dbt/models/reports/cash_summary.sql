{%- set money = xero_ledger.column_type('money') %}
{%- set dimensions = ['tracking_category_1', 'tracking_option_1', 'tracking_category_2', 'tracking_option_2', 'currency_code'] %}
-- Like in Xero's bank summary, the sum of a source's movements on a day is either received or spent, so reversed
-- movements do not appear.
with movements as (

    select
        tenant_id, account_id, month, date, ledger_source, coalesce(source_id, journal_id) as source,
        {%- for name in dimensions %}
        {{ name }},
        {%- endfor %}
        sum(net_amount) as moved
    from {{ ref('general_ledger') }}
    where account_type = 'BANK'
    group by
        tenant_id, account_id, month, date, ledger_source, coalesce(source_id, journal_id)
        {%- for name in dimensions %}, {{ name }}{% endfor %}

),

monthly as (

    select
        tenant_id, account_id, month,
        {%- for name in dimensions %}
        {{ name }},
        {%- endfor %}
        sum(case when moved > 0 then moved else 0 end) as received,
        sum(case when moved < 0 then -moved else 0 end) as spent
    from movements
    group by
        tenant_id, account_id, month
        {%- for name in dimensions %}, {{ name }}{% endfor %}

)

select
    t.tenant_id,
    t.organisation_name,
    t.month,
    t.month_end,
    t.account_id,
    t.account_code,
    t.account_name,
    {%- for name in dimensions %}
    t.{{ name }},
    {%- endfor %}
    t.base_currency,
    t.opening_balance,
    cast(coalesce(m.received, 0) as {{ money }}) as cash_received,
    cast(coalesce(m.spent, 0) as {{ money }}) as cash_spent,
    t.closing_balance
from {{ ref('trial_balance') }} as t
left join monthly as m
    on m.tenant_id = t.tenant_id and m.account_id = t.account_id and m.month = t.month
    {%- for name in dimensions %}
    and coalesce(m.{{ name }}, '') = coalesce(t.{{ name }}, '')
    {%- endfor %}
where t.account_type = 'BANK'
