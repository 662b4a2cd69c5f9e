-- The differences between Xero's reports and the ledger by account and month, and their kind. The differences of a
-- month, including that of retained earnings, add up to zero.
{%- set money = xero_ledger.column_type('money') %}
with first_months as (

    select tenant_id, min(month) as month
    from {{ ref('ledger_reported_months') }}
    where report = 'balance_sheet'
    group by tenant_id

),

-- Opening balances are older than the first payment in Xero, or than the first report.
first_money as (

    select e.tenant_id, min({{ xero_ledger.month_of('e.date') }}) as month
    from {{ ref('ledger_entries') }} as e
    where e.kind in ('Payments', 'Money received', 'Money spent', 'Transfers', 'Prepayments', 'Overpayments')
    group by e.tenant_id

),

movements as (

    select e.tenant_id, e.account_id, {{ xero_ledger.month_of('e.date') }} as month, sum(e.net_amount) as net_amount
    from {{ ref('ledger_movements') }} as e
    group by e.tenant_id, e.account_id, {{ xero_ledger.month_of('e.date') }}

),

-- Balances of the accounts in the ledger or the report, at the end of each month of the report.
balance_accounts as (

    select tenant_id, account_id from {{ ref('ledger_reported') }} where report = 'balance_sheet'
    union distinct
    select m.tenant_id, m.account_id
    from movements as m
    inner join {{ ref('chart_of_accounts') }} as a on a.tenant_id = m.tenant_id and a.account_id = m.account_id
    where not a.is_profit_and_loss and coalesce(a.system_account, '') <> 'RETAINEDEARNINGS'

),

balances as (

    select
        n.tenant_id, n.month, b.account_id, coalesce(max(r.net_amount), 0) as reported,
        coalesce(sum(m.net_amount), 0) as worked_out
    from {{ ref('ledger_reported_months') }} as n
    inner join balance_accounts as b on b.tenant_id = n.tenant_id
    left join {{ ref('ledger_reported') }} as r
        on r.tenant_id = n.tenant_id and r.report = 'balance_sheet' and r.month = n.month and r.account_id = b.account_id
    left join movements as m on m.tenant_id = n.tenant_id and m.account_id = b.account_id and m.month <= n.month
    where n.report = 'balance_sheet'
    group by n.tenant_id, n.month, b.account_id

),

balance_differences as (

    select
        tenant_id, month, account_id,
        reported - worked_out - lag(reported - worked_out, 1, 0) over (partition by tenant_id, account_id order by month) as difference
    from balances

),

profit_differences as (

    select
        n.tenant_id, n.month, x.account_id,
        coalesce(max(x.reported), 0) - coalesce(max(x.worked_out), 0) as difference
    from {{ ref('ledger_reported_months') }} as n
    inner join (
        select r.tenant_id, r.month, r.account_id, r.net_amount as reported, cast(null as {{ money }}) as worked_out
        from {{ ref('ledger_reported') }} as r
        where r.report = 'profit_and_loss'
        union all
        select m.tenant_id, m.month, m.account_id, cast(null as {{ money }}), m.net_amount
        from movements as m
        inner join {{ ref('chart_of_accounts') }} as a on a.tenant_id = m.tenant_id and a.account_id = m.account_id
        where a.is_profit_and_loss
    ) as x on x.tenant_id = n.tenant_id and x.month = n.month
    where n.report = 'profit_and_loss'
    group by n.tenant_id, n.month, x.account_id

),

differences as (

    select
        d.tenant_id, d.month, d.account_id, d.difference,
        d.month = f.month or coalesce(d.month <= m.month, false) as is_first
    from balance_differences as d
    inner join first_months as f on f.tenant_id = d.tenant_id
    left join first_money as m on m.tenant_id = d.tenant_id
    where d.difference <> 0
    union all
    select d.tenant_id, d.month, d.account_id, d.difference, false
    from profit_differences as d
    inner join first_months as f on f.tenant_id = d.tenant_id and f.month <= d.month
    where d.difference <> 0

),

-- Xero does not state which account paid an expense claim, and receipts are read only if they are in the tap's
-- `detail_streams`. The amounts of both are in suspense until the report shows their accounts.
in_suspense as (

    select
        tenant_id, {{ xero_ledger.month_of('date') }} as month, sum(net_amount) as net_amount,
        sum(case when kind = 'Expense claim payments' then net_amount else 0 end) as paid,
        sum(case when source_type = 'EXPCLAIM' then net_amount else 0 end) as without_receipts
    from {{ ref('ledger_entries') }}
    where account_id = 'suspense' and (kind = 'Expense claim payments' or source_type = 'EXPCLAIM')
    group by tenant_id, {{ xero_ledger.month_of('date') }}

),

-- The paying account is the one whose difference equals the payments.
paying as (

    select d.tenant_id, d.month, d.account_id
    from differences as d
    inner join in_suspense as s on s.tenant_id = d.tenant_id and s.month = d.month and s.paid = d.difference
    inner join {{ ref('chart_of_accounts') }} as a on a.tenant_id = d.tenant_id and a.account_id = d.account_id
    where not a.is_profit_and_loss and d.account_id <> 'suspense' and s.paid <> 0

),

-- Differences of expenses and tax that add up to the claims of the month belong to their receipts.
months_of_receipts as (

    select d.tenant_id, d.month
    from differences as d
    inner join in_suspense as s on s.tenant_id = d.tenant_id and s.month = d.month
    left join paying as p on p.tenant_id = d.tenant_id and p.month = d.month and p.account_id = d.account_id
    where d.account_id <> 'suspense' and not d.is_first and p.account_id is null and s.without_receipts <> 0
    group by d.tenant_id, d.month, s.without_receipts
    having sum(d.difference) = s.without_receipts

),

claims as (

    select tenant_id, month, account_id, 'Expense claim payments' as kind from paying
    union all
    select d.tenant_id, d.month, d.account_id, 'Receipts of expense claims that are not loaded'
    from differences as d
    inner join months_of_receipts as m on m.tenant_id = d.tenant_id and m.month = d.month
    left join paying as p on p.tenant_id = d.tenant_id and p.month = d.month and p.account_id = d.account_id
    where d.account_id <> 'suspense' and p.account_id is null
    union all
    select d.tenant_id, d.month, d.account_id,
        case
            when s.without_receipts = 0 then 'Expense claim payments'
            else 'Receipts of expense claims that are not loaded'
        end
    from differences as d
    inner join in_suspense as s
        on s.tenant_id = d.tenant_id and s.month = d.month and s.net_amount = -d.difference
    where d.account_id = 'suspense'

),

balanced as (

    select tenant_id, month, account_id, difference, is_first, false as is_counterpart from differences
    union all
    select d.tenant_id, d.month, o.retained_earnings_account_id, -sum(d.difference), max(case when d.is_first then 1 else 0 end) = 1, true
    from differences as d
    inner join {{ ref('organisations') }} as o on o.tenant_id = d.tenant_id
    group by d.tenant_id, d.month, o.retained_earnings_account_id
    having sum(d.difference) <> 0

)

select
    b.tenant_id,
    b.month,
    b.account_id,
    cast(b.difference as {{ money }}) as difference,
    b.is_counterpart,
    case
        when a.system_account in ('UNREALISEDCURRENCYGAIN', 'BANKCURRENCYGAIN') then 'Unrealised currency gains'
        when b.is_first then 'Opening balances'
        when a.system_account = 'WAGEPAYABLES' or a.account_type in (
            'PAYG', 'PAYGLIABILITY', 'SUPERANNUATIONEXPENSE', 'SUPERANNUATIONLIABILITY', 'WAGESEXPENSE', 'WAGESPAYABLELIABILITY'
        ) then 'Payroll'
        when c.account_id is not null then c.kind
        when b.is_counterpart then 'Counterpart of what only the report knows'
        else 'Only in the report'
    end as kind
from balanced as b
inner join {{ ref('chart_of_accounts') }} as a on a.tenant_id = b.tenant_id and a.account_id = b.account_id
left join claims as c on c.tenant_id = b.tenant_id and c.month = b.month and c.account_id = b.account_id
