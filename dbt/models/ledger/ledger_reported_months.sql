-- The months for which Xero's reports are loaded.
{%- for report in ['profit_and_loss', 'balance_sheet'] %}
select distinct tenant_id, '{{ report }}' as report, {{ xero_ledger.month_of('period_to') }} as month
from {{ ref('stg_tap_xero__report_' ~ report) }}
where row_type <> 'Removed' and not coalesce(payments_only, false)
    and tracking_option_id is null and tracking_option is null
    and period_to = cast({{ dbt.last_day('period_to', 'month') }} as date)
    {%- if report == 'profit_and_loss' %}
    and period_from = {{ xero_ledger.month_of('period_from') }}
    and {{ xero_ledger.month_of('period_from') }} = {{ xero_ledger.month_of('period_to') }}
    {%- endif %}
{{ 'union all' if not loop.last }}
{%- endfor %}
