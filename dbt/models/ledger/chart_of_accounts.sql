-- All accounts, deleted accounts that are still in journals, and a suspense account for each organisation.
with accounts as (

    select tenant_id, account_id, code, name, type, class, system_account, currency_code, status
    from {{ ref('stg_tap_xero__accounts') }}

),

-- Accounts that were deleted after they were posted to, from their journal lines.
gone as (

    select
        l.tenant_id, l.account_id, max(l.account_code) as code, max(l.account_name) as name, max(l.account_type) as type
    from {{ ref('stg_tap_xero__journal_lines') }} as l
    left join accounts as a on a.tenant_id = l.tenant_id and a.account_id = l.account_id
    where a.account_id is null and l.account_id is not null
    group by l.tenant_id, l.account_id

),

every as (

    select * from accounts
    union all
    select
        tenant_id, account_id, code, name, type,
        case
            when type in ('BANK', 'CURRENT', 'FIXED', 'INVENTORY', 'NONCURRENT', 'PREPAYMENT') then 'ASSET'
            when type = 'EQUITY' then 'EQUITY'
            when type in ('CURRLIAB', 'LIABILITY', 'TERMLIAB', 'PAYG', 'PAYGLIABILITY', 'SUPERANNUATIONLIABILITY', 'WAGESPAYABLELIABILITY')
                then 'LIABILITY'
            when type in ('OTHERINCOME', 'REVENUE', 'SALES') then 'REVENUE'
            else 'EXPENSE'
        end,
        cast(null as {{ dbt.type_string() }}), cast(null as {{ dbt.type_string() }}), 'DELETED'
    from gone
    union all
    select
        tenant_id, 'suspense', cast(null as {{ dbt.type_string() }}), 'Suspense: not placed by xero_ledger', 'CURRLIAB',
        'LIABILITY', 'XEROLEDGERSUSPENSE', cast(null as {{ dbt.type_string() }}), 'ACTIVE'
    from {{ ref('organisations') }}

)

select
    e.tenant_id,
    e.account_id,
    e.code as account_code,
    e.name as account_name,
    e.type as account_type,
    e.class as account_class,
    e.system_account,
    coalesce(e.currency_code, o.base_currency) as currency_code,
    coalesce(e.currency_code, o.base_currency) = o.base_currency as is_in_base_currency,
    e.status,
    -- Some lines have only the code of an account. If two accounts share a code, it means the active one.
    e.code is not null and row_number() over (
        partition by e.tenant_id, e.code order by case when e.status = 'ACTIVE' then 0 else 1 end, e.account_id
    ) = 1 as holds_code,
    e.class in ('REVENUE', 'EXPENSE') as is_profit_and_loss,
    -- The sections of Xero's reports, in their order.
    case
        when e.type in ('REVENUE', 'SALES') then 'Income'
        when e.type = 'DIRECTCOSTS' then 'Less Cost of Sales'
        when e.type = 'OTHERINCOME' then 'Plus Other Income'
        when e.class = 'EXPENSE' then 'Less Operating Expenses'
        when e.type = 'BANK' then 'Bank'
        when e.type in ('CURRENT', 'INVENTORY', 'PREPAYMENT') then 'Current Assets'
        when e.type = 'FIXED' then 'Fixed Assets'
        when e.class = 'ASSET' then 'Non-current Assets'
        when e.type in ('LIABILITY', 'TERMLIAB') then 'Non-current Liabilities'
        when e.class = 'LIABILITY' then 'Current Liabilities'
        else 'Equity'
    end as section,
    case
        when e.type in ('REVENUE', 'SALES') then 1
        when e.type = 'DIRECTCOSTS' then 2
        when e.type = 'OTHERINCOME' then 3
        when e.class = 'EXPENSE' then 4
        when e.type = 'BANK' then 5
        when e.type in ('CURRENT', 'INVENTORY', 'PREPAYMENT') then 6
        when e.type = 'FIXED' then 7
        when e.class = 'ASSET' then 8
        when e.type in ('LIABILITY', 'TERMLIAB') then 10
        when e.class = 'LIABILITY' then 9
        else 11
    end as section_number
from every as e
left join {{ ref('organisations') }} as o on o.tenant_id = e.tenant_id
