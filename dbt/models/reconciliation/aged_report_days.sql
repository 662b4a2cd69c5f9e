-- The day of the newest aged reports.
{%- for side in ['receivables', 'payables'] %}
select tenant_id, '{{ side }}' as side, max(period_to) as as_at
from {{ ref('stg_tap_xero__report_aged_' ~ side ~ '_by_contact') }}
where row_type <> 'Removed'
group by tenant_id
{{ 'union all' if not loop.last }}
{%- endfor %}
