-- The figures of Xero's reports by account and month: the movement of the month from the profit and loss, the balance at
-- its end from the balance sheet. Debits are positive. Only full months on accrual basis without a tracking filter.
with rows_of_accounts as (

    {%- for report in ['profit_and_loss', 'balance_sheet'] %}
    select
        r.tenant_id, '{{ report }}' as report, r.period_from, r.period_to, a.account_id, a.account_class,
        a.system_account, r.amount
    from {{ ref('stg_tap_xero__report_' ~ report) }} as r
    inner join {{ ref('chart_of_accounts') }} as a on a.tenant_id = r.tenant_id and a.account_id = r.account_id
    where r.row_type = 'Row' and not coalesce(r.payments_only, false)
        and r.tracking_option_id is null and r.tracking_option is null and r.amount is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    tenant_id,
    report,
    {{ xero_ledger.month_of('period_to') }} as month,
    account_id,
    cast(sum(case when account_class in ('ASSET', 'EXPENSE') then amount else -amount end) as {{ xero_ledger.column_type('money') }}) as net_amount
from rows_of_accounts
where
    (
        report = 'profit_and_loss' and account_class in ('REVENUE', 'EXPENSE')
        and period_from = {{ xero_ledger.month_of('period_from') }}
        and period_to = cast({{ dbt.last_day('period_from', 'month') }} as date)
    )
    or (
        report = 'balance_sheet' and account_class in ('ASSET', 'LIABILITY', 'EQUITY')
        and coalesce(system_account, '') <> 'RETAINEDEARNINGS'
        and period_to = cast({{ dbt.last_day('period_to', 'month') }} as date)
    )
group by tenant_id, report, {{ xero_ledger.month_of('period_to') }}, account_id
