select
    g.tenant_id,
    g.ledger_source || ':' || g.journal_id as journal_id,
    g.entry_id as journal_line_id,
    g.account_id,
    g.net_amount,
    g.net_amount + g.tax_amount as gross_amount,
    g.tax_amount,
    g.tax_type,
    t.name as tax_name,
    g.description
from {{ ref('general_ledger') }} as g
left join {{ ref('stg_tap_xero__tax_rates') }} as t on t.tenant_id = g.tenant_id and t.tax_type = g.tax_type
