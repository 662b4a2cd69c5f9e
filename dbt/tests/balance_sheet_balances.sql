select
    tenant_id,
    month,
    sum(case when account_class = 'ASSET' then balance else 0 end) as assets,
    sum(case when account_class = 'LIABILITY' then balance else 0 end) as liabilities,
    sum(case when account_class = 'EQUITY' then balance else 0 end) as equity
from {{ ref('balance_sheet') }}
group by tenant_id, month
having sum(case when account_class = 'ASSET' then balance else -balance end) <> 0
