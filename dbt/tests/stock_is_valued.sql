-- Tracked items with more movements than the warehouse can process. Their cost of sales is not in the ledger.
{{ config(severity='warn') }}
{%- set limit = xero_ledger.stock_movements_limit() %}
select tenant_id, item_id, max(events) as movements
from {{ ref('ledger_stock_events') }}
where {{ 'events > ' ~ limit if limit else '1 = 0' }}
group by tenant_id, item_id
