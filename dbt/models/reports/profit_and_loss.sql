select
    tenant_id,
    organisation_name,
    month,
    section,
    section_number,
    account_id,
    account_code,
    account_name,
    account_type,
    account_class,
    tracking_category_1,
    tracking_option_1,
    tracking_category_2,
    tracking_option_2,
    base_currency,
    currency_code,
    cast(sum(case when account_class = 'REVENUE' then -net_amount else net_amount end) as {{ xero_ledger.column_type('money') }}) as amount,
    cast(sum(-net_amount) as {{ xero_ledger.column_type('money') }}) as profit
from {{ ref('general_ledger') }}
where is_profit_and_loss
group by
    tenant_id, organisation_name, month, section, section_number, account_id, account_code, account_name, account_type,
    account_class, tracking_category_1, tracking_option_1, tracking_category_2, tracking_option_2, base_currency,
    currency_code
