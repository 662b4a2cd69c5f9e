-- Compares the ledger, without the entries taken from Xero's reports, with each figure of these reports. A difference
-- has a reason if only Xero can know the amount. A difference without a reason is an error.
{%- set text = dbt.type_string() %}
{%- set money = xero_ledger.column_type('money') %}
with monthly as (

    select tenant_id, account_id, {{ xero_ledger.month_of('date') }} as month, sum(net_amount) as net_amount
    from {{ ref('ledger_movements') }}
    group by tenant_id, account_id, {{ xero_ledger.month_of('date') }}

),

reported_months as (

    select tenant_id, report, month, cast({{ dbt.last_day('month', 'month') }} as date) as month_end
    from {{ ref('ledger_reported_months') }}

),

-- Profit and loss: the movement of each account in each month. Revenue is positive.
profit_and_loss as (

    select
        n.tenant_id, 'Profit and loss' as check_name, n.month_end as period, x.account_id as subject_id, a.account_name as subject,
        case when a.account_class = 'REVENUE' then -1 else 1 end * coalesce(sum(x.warehouse), 0) as warehouse_amount,
        case when a.account_class = 'REVENUE' then -1 else 1 end * coalesce(sum(x.xero), 0) as xero_amount
    from reported_months as n
    inner join (
        select tenant_id, month, account_id, cast(null as {{ money }}) as warehouse, net_amount as xero
        from {{ ref('ledger_reported') }}
        where report = 'profit_and_loss'
        union all
        select tenant_id, month, account_id, net_amount, cast(null as {{ money }})
        from monthly
    ) as x on x.tenant_id = n.tenant_id and x.month = n.month
    inner join {{ ref('chart_of_accounts') }} as a on a.tenant_id = x.tenant_id and a.account_id = x.account_id
    where n.report = 'profit_and_loss' and a.is_profit_and_loss
    group by n.tenant_id, n.month_end, x.account_id, a.account_name, a.account_class

),

-- Balance sheet: the balance of each account at the end of each month, with the report's signs, and the profit.
profits as (

    select n.tenant_id, n.month, n.month_end, y.starts_on,
        sum(case when m.date >= y.starts_on then -m.net_amount else 0 end) as current_year,
        sum(case when m.date < y.starts_on then -m.net_amount else 0 end) as earlier_years
    from reported_months as n
    inner join {{ ref('financial_years') }} as y on y.tenant_id = n.tenant_id and n.month_end between y.starts_on and y.ends_on
    inner join {{ ref('ledger_movements') }} as m on m.tenant_id = n.tenant_id and m.date <= n.month_end
    inner join {{ ref('chart_of_accounts') }} as a on a.tenant_id = m.tenant_id and a.account_id = m.account_id
    where n.report = 'balance_sheet' and a.is_profit_and_loss
    group by n.tenant_id, n.month, n.month_end, y.starts_on

),

balance_lines as (

    select r.tenant_id, {{ xero_ledger.month_of('r.period_to') }} as month, coalesce(a.account_id, 'current-year-earnings') as account_id,
        cast(null as {{ money }}) as warehouse, r.amount as xero
    from {{ ref('stg_tap_xero__report_balance_sheet') }} as r
    left join {{ ref('chart_of_accounts') }} as a on a.tenant_id = r.tenant_id and a.account_id = r.account_id
    where r.row_type = 'Row' and not coalesce(r.payments_only, false) and r.amount is not null
        and r.tracking_option_id is null and r.tracking_option is null
        -- Rows with an id outside the chart are this year's earnings. Totals such as net assets have no id.
        and r.account_id is not null
    union all
    select n.tenant_id, n.month, m.account_id,
        case when a.account_class = 'ASSET' then m.net_amount else -m.net_amount end, cast(null as {{ money }})
    from reported_months as n
    inner join {{ ref('ledger_movements') }} as m on m.tenant_id = n.tenant_id and m.date <= n.month_end
    inner join {{ ref('chart_of_accounts') }} as a on a.tenant_id = m.tenant_id and a.account_id = m.account_id
    where n.report = 'balance_sheet' and not a.is_profit_and_loss
    union all
    select tenant_id, month, 'current-year-earnings', current_year, cast(null as {{ money }}) from profits
    union all
    select p.tenant_id, p.month, o.retained_earnings_account_id, p.earlier_years, cast(null as {{ money }})
    from profits as p
    inner join {{ ref('organisations') }} as o on o.tenant_id = p.tenant_id

),

balance_sheet as (

    select
        n.tenant_id, 'Balance sheet' as check_name, n.month_end as period, b.account_id as subject_id,
        coalesce(max(a.account_name), 'Current Year Earnings') as subject,
        coalesce(sum(b.warehouse), 0) as warehouse_amount, coalesce(sum(b.xero), 0) as xero_amount
    from reported_months as n
    inner join balance_lines as b on b.tenant_id = n.tenant_id and b.month = n.month
    left join {{ ref('chart_of_accounts') }} as a on a.tenant_id = b.tenant_id and a.account_id = b.account_id
    where n.report = 'balance_sheet'
    group by n.tenant_id, n.month_end, b.account_id
    having coalesce(sum(b.warehouse), 0) <> 0 or coalesce(sum(b.xero), 0) <> 0

),

-- Trial balance: the year to date of profit and loss accounts, the balance of all others. Debits are positive.
trial_days as (

    select distinct r.tenant_id, r.period_to as day, y.starts_on
    from {{ ref('stg_tap_xero__report_trial_balance') }} as r
    inner join {{ ref('financial_years') }} as y on y.tenant_id = r.tenant_id and r.period_to between y.starts_on and y.ends_on
    where r.row_type <> 'Removed' and not coalesce(r.payments_only, false)

),

trial_lines as (

    select r.tenant_id, r.period_to as day, r.account_id, cast(null as {{ money }}) as warehouse,
        case when r.column_title = 'YTD Debit' then r.amount else -r.amount end as xero
    from {{ ref('stg_tap_xero__report_trial_balance') }} as r
    where r.row_type = 'Row' and not coalesce(r.payments_only, false) and r.account_id is not null
        and r.column_title in ('YTD Debit', 'YTD Credit') and r.amount is not null
    union all
    select d.tenant_id, d.day,
        case when a.is_profit_and_loss and m.date < d.starts_on then o.retained_earnings_account_id else m.account_id end,
        m.net_amount, cast(null as {{ money }})
    from trial_days as d
    inner join {{ ref('ledger_movements') }} as m on m.tenant_id = d.tenant_id and m.date <= d.day
    inner join {{ ref('chart_of_accounts') }} as a on a.tenant_id = m.tenant_id and a.account_id = m.account_id
    inner join {{ ref('organisations') }} as o on o.tenant_id = d.tenant_id

),

trial_balance as (

    select
        d.tenant_id, 'Trial balance' as check_name, d.day as period, t.account_id as subject_id,
        coalesce(max(a.account_name), 'Suspense') as subject,
        coalesce(sum(t.warehouse), 0) as warehouse_amount, coalesce(sum(t.xero), 0) as xero_amount
    from trial_days as d
    inner join trial_lines as t on t.tenant_id = d.tenant_id and t.day = d.day
    left join {{ ref('chart_of_accounts') }} as a on a.tenant_id = t.tenant_id and a.account_id = t.account_id
    group by d.tenant_id, d.day, t.account_id
    having coalesce(sum(t.warehouse), 0) <> 0 or coalesce(sum(t.xero), 0) <> 0

),

-- Bank summary: the closing balance of each bank account.
bank_summary as (

    select
        r.tenant_id, 'Bank summary' as check_name, r.period_to as period, a.account_id as subject_id,
        a.account_name as subject, coalesce(sum(m.net_amount), 0) as warehouse_amount, max(r.amount) as xero_amount
    from {{ ref('stg_tap_xero__report_bank_summary') }} as r
    inner join {{ ref('chart_of_accounts') }} as a on a.tenant_id = r.tenant_id and a.account_id = r.account_id
    left join {{ ref('ledger_movements') }} as m on m.tenant_id = r.tenant_id and m.account_id = r.account_id and m.date <= r.period_to
    where r.row_type = 'Row' and r.column_title = 'Closing Balance' and r.amount is not null
    group by r.tenant_id, r.period_to, a.account_id, a.account_name

)

{%- for side, title in [('receivables', 'Aged receivables'), ('payables', 'Aged payables')] %},

{{ side }} as (

    select
        x.tenant_id, '{{ title }}' as check_name, d.as_at as period, x.document_id as subject_id,
        coalesce(max(c.name) || ' ', '') || coalesce(max(x.number), max(x.kind), '') as subject,
        coalesce(sum(x.warehouse), 0) as warehouse_amount, coalesce(sum(x.xero), 0) as xero_amount
    from (
        select tenant_id, document_id, contact_id, number, kind, due_in_base as warehouse, cast(null as {{ money }}) as xero
        from {{ ref('open_' ~ side) }}
        union all
        select r.tenant_id, r.invoice_id, r.contact_id, cast(null as {{ text }}), cast(null as {{ text }}), cast(null as {{ money }}), r.amount
        from {{ ref('stg_tap_xero__report_aged_' ~ side ~ '_by_contact') }} as r
        inner join {{ ref('aged_report_days') }} as n
            on n.tenant_id = r.tenant_id and n.as_at = r.period_to and n.side = '{{ side }}'
        where r.row_type = 'Row' and r.column_title = 'Due' and r.invoice_id is not null and r.amount is not null
    ) as x
    inner join {{ ref('aged_report_days') }} as d on d.tenant_id = x.tenant_id and d.side = '{{ side }}'
    left join {{ ref('stg_tap_xero__contacts') }} as c on c.tenant_id = x.tenant_id and c.contact_id = x.contact_id
    group by x.tenant_id, d.as_at, x.document_id

)
{%- endfor %},

every as (

    select * from profit_and_loss
    union all
    select * from balance_sheet
    union all
    select * from trial_balance
    union all
    select * from bank_summary
    union all
    select * from receivables
    union all
    select * from payables

),

-- The known differences of an account: up to the month for balances, of the month for profit and loss.
known as (

    select
        e.tenant_id, e.check_name, e.period, e.subject_id,
        sum(case when d.kind = 'Only in the report' then 1 else 0 end) as unexplained,
        min(d.kind) as one_kind,
        max(d.kind) as other_kind
    from every as e
    inner join {{ ref('organisations') }} as o on o.tenant_id = e.tenant_id
    -- Current and retained earnings consist of profit and loss.
    inner join (
        select d.tenant_id, d.month, d.account_id, d.kind
        from {{ ref('ledger_report_differences') }} as d
        union all
        select d.tenant_id, d.month, o.retained_earnings_account_id, d.kind
        from {{ ref('ledger_report_differences') }} as d
        inner join {{ ref('organisations') }} as o on o.tenant_id = d.tenant_id
        inner join {{ ref('chart_of_accounts') }} as a on a.tenant_id = d.tenant_id and a.account_id = d.account_id
        where a.is_profit_and_loss
    ) as d
        on d.tenant_id = e.tenant_id
        and d.account_id = case when e.subject_id = 'current-year-earnings' then o.retained_earnings_account_id else e.subject_id end
        and cast({{ dbt.last_day('d.month', 'month') }} as date) <= cast({{ dbt.last_day('e.period', 'month') }} as date)
        and (e.check_name <> 'Profit and loss' or d.month = {{ xero_ledger.month_of('e.period') }})
    where e.check_name in ('Profit and loss', 'Balance sheet', 'Trial balance', 'Bank summary')
        and e.warehouse_amount <> e.xero_amount
    group by e.tenant_id, e.check_name, e.period, e.subject_id

)

select
    {{ xero_ledger.key_of(['e.tenant_id', 'e.check_name', 'e.period', 'e.subject_id']) }} as reconciliation_id,
    e.tenant_id,
    o.organisation_name,
    o.ledger_from,
    o.base_currency,
    cast(e.check_name as {{ text }}) as check_name,
    e.period,
    e.subject_id,
    cast(e.subject as {{ text }}) as subject,
    cast(e.warehouse_amount as {{ money }}) as warehouse_amount,
    cast(e.xero_amount as {{ money }}) as xero_amount,
    cast(e.warehouse_amount - e.xero_amount as {{ money }}) as difference,
    e.warehouse_amount = e.xero_amount as agrees,
    cast(case
        when e.warehouse_amount = e.xero_amount then null
        when k.unexplained > 0 or k.one_kind is null then null
        when k.one_kind = k.other_kind then k.one_kind
        else k.one_kind || ', ' || k.other_kind
    end as {{ text }}) as reason
from every as e
inner join {{ ref('organisations') }} as o on o.tenant_id = e.tenant_id
left join known as k
    on k.tenant_id = e.tenant_id and k.check_name = e.check_name and k.period = e.period and k.subject_id = e.subject_id
